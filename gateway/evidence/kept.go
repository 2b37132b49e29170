package evidence

import (
	"maps"
	"sync"
	"time"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
)

// Documents that were read and verified are kept for a while: the bytes are those that the
// log names, the signatures hold by the keys of that generation, and nothing else about
// them is remembered. Whether one counts is for the register to say, every time. After
// that while it is read again, so that bytes that somebody changed are found.
const (
	keptFor  = time.Minute
	mostKept = 1024
)

// keptKey is all that what was verified depends on.
type keptKey struct {
	id            string
	digest, opens [32]byte
	keys          int64
}

// kept documents of one kind. It is safe for concurrent use.
type kept[T any] struct {
	now func() time.Time
	mu  sync.Mutex
	all map[keptKey]keptOne[T]
	due time.Time // when what is kept for too long goes
}

type keptOne[T any] struct {
	document T
	until    time.Time
}

func newKept[T any](now func() time.Time) *kept[T] {
	return &kept[T]{now: now, all: map[keptKey]keptOne[T]{}}
}

func (k *kept[T]) get(key keptKey) (document T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one, ok := k.all[key]
	if !ok || !k.now().Before(one.until) {
		return document, false
	}
	return one.document, true
}

// put keeps a document. When there is no room the rest goes: what is asked now is likelier
// to be asked again than what was asked before.
func (k *kept[T]) put(key keptKey, document T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if len(k.all) >= mostKept {
		clear(k.all)
	}
	if now.After(k.due) {
		maps.DeleteFunc(k.all, func(_ keptKey, one keptOne[T]) bool { return !now.Before(one.until) })
		k.due = now.Add(keptFor)
	}
	k.all[key] = keptOne[T]{document, now.Add(keptFor)}
}

func (r registered) key(d register.Record) keptKey {
	return keptKey{d.ID, d.Digest, d.Opens, r.Keys.Generation()}
}

// Registered makes Evidence of what was registered at this gateway. It is safe for
// concurrent use.
type Registered struct {
	Config
	agreements *kept[agreement.Agreement]
	consents   *kept[consent.Document]
}

// New makes a Registered.
func New(c Config) Registered {
	return Registered{c, newKept[agreement.Agreement](c.Now), newKept[consent.Document](c.Now)}
}
