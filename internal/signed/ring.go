package signed

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Timed is a signing key and when it begins to sign; the zero time: at once.
type Timed struct {
	Signer
	From time.Time
}

// Ring holds the signing keys of one organisation: one in use, and those announced,
// whose time has not come. It is safe for concurrent use.
type Ring struct{ keys atomic.Pointer[[]Timed] }

// NewRing checks that one of the keys signs now.
func NewRing(keys ...Timed) (*Ring, error) {
	r := &Ring{}
	return r, r.Set(keys...)
}

// Set takes over other keys, or says what is wrong and changes nothing.
func (r *Ring) Set(keys ...Timed) error {
	if _, ok := inUse(keys); !ok {
		return fmt.Errorf("%w: none of %d signing keys is in use yet", ErrKey, len(keys))
	}
	r.keys.Store(&keys)
	return nil
}

// Signer is the key in use: of those whose time has come the last.
func (r *Ring) Signer() Signer {
	s, _ := inUse(*r.keys.Load())
	return s
}

func inUse(keys []Timed) (Signer, bool) {
	now := time.Now()
	for i := len(keys) - 1; i >= 0; i-- {
		if !now.Before(keys[i].From) {
			return keys[i].Signer, true
		}
	}
	return Signer{}, false
}
