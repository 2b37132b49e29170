package signed

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// ErrKeySet: the keys of an outside issuer could not be read, now or for too long.
var ErrKeySet = errors.New("key set of the issuer cannot be read")

// Bounds of a key set (RFC 7517) and of fetching it.
const (
	maxSetBytes  = 256 << 10
	maxSetKeys   = 64
	maxRSABits   = 8192
	fetchTimeout = 5 * time.Second
	refreshAfter = 5 * time.Minute
	retryAfter   = 30 * time.Second // after a failure, and after a key id that nobody knows
	staleAfter   = 24 * time.Hour   // then nothing of the set is believed any more
)

// KeySetConfig says where an outside issuer publishes its keys.
type KeySetConfig struct {
	// URL of the key set, https. Required.
	URL string
	// Alg of the keys that count; others in the set are passed over. Required.
	Alg string
	// Client fetches; nil means one that trusts the system's authorities.
	Client *http.Client
	// Loopback allows http to a loopback address; for development.
	Loopback bool
	// Now is the wall clock; nil means time.Now.
	Now func() time.Time
	// Failed is called with why fetching failed; nil means that nobody is informed.
	Failed func(error)
}

// KeySet holds the keys of one outside issuer. They are fetched when they are asked
// for and five minutes old, and at once for a key id that is not there, so that the
// issuer may change its keys at any time. A set that cannot be fetched is kept for
// a day. It has no goroutine of its own and is safe for concurrent use.
type KeySet struct {
	KeySetConfig
	remote        *Remote
	set           atomic.Pointer[held]
	fetching      sync.Mutex
	tried, forced time.Time // when last, guarded by fetching
}

// held are the keys of a set, and what was seen under them.
type held struct {
	keys map[string]*Key
	sum  [sha256.Size]byte
	at   time.Time // when the issuer gave them
	seen *seen
}

// younger reports whether there is a set, given less than an age ago.
func (h *held) younger(age time.Duration, now time.Time) bool {
	return h != nil && now.Sub(h.at) < age
}

// NewKeySet checks the URL. Nothing is fetched before the first token comes, so that
// an issuer that is down stops no gateway from starting.
func NewKeySet(c KeySetConfig) (*KeySet, error) {
	remote, err := NewRemote(Remote{c.URL, "application/jwk-set+json, application/json", maxSetBytes, c.Client, c.Loopback})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeySet, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Failed == nil {
		c.Failed = func(error) {}
	}
	return &KeySet{KeySetConfig: c, remote: remote}, nil
}

// ReadKeySet holds the keys of a file, which are never fetched.
func ReadKeySet(raw []byte, alg string) (*KeySet, error) {
	keys, err := parseSet(raw, alg)
	if err != nil {
		return nil, err
	}
	s := &KeySet{}
	s.set.Store(&held{keys: keys, seen: &seen{}})
	return s, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// sameHost refuses to be sent to another host, or from https to http.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
		return errRedirects
	}
	return nil
}

// current gives the keys that count now; nil when there are none. Who comes first
// when they are due fetches them; others go on with what there is, if that is good.
func (s *KeySet) current() *held {
	set := s.set.Load()
	if s.URL == "" {
		return set
	}
	now := s.Now()
	switch {
	case set.younger(refreshAfter, now):
		return set
	case !set.younger(staleAfter, now):
		s.fetching.Lock()
	case !s.fetching.TryLock():
		return set
	}
	defer s.fetching.Unlock()
	if !s.set.Load().younger(refreshAfter, now) && now.Sub(s.tried) >= retryAfter {
		s.fetch(now)
	}
	if set = s.set.Load(); !set.younger(staleAfter, now) {
		return nil
	}
	return set
}

// renewed fetches for a key id that a set does not hold, unless somebody did since,
// and once in half a minute, so that strangers cannot make us fetch at will.
func (s *KeySet) renewed(from *held) *held {
	if s.URL == "" {
		return from
	}
	s.fetching.Lock()
	defer s.fetching.Unlock()
	now := s.Now()
	if s.set.Load() == from && now.Sub(s.forced) >= retryAfter {
		s.forced = now
		s.fetch(now)
	}
	return s.set.Load()
}

// fetch replaces the set, or keeps it and reports why.
func (s *KeySet) fetch(now time.Time) {
	s.tried = now
	raw, err := s.remote.Get(context.Background()) // does not end with the call that needed it: others wait for it
	if err != nil {
		s.Failed(fmt.Errorf("%w: %w", ErrKeySet, err))
		return
	}
	keys, err := parseSet(raw, s.Alg)
	if err != nil {
		s.Failed(err)
		return
	}
	next := &held{keys, sha256.Sum256(raw), now, &seen{}}
	if before := s.set.Load(); before != nil && before.sum == next.sum {
		next.seen = before.seen
	}
	s.set.Store(next)
}

// parseSet reads the keys of a set that count for an algorithm. Keys of another type,
// use or algorithm, private and weak ones are passed over: an issuer may publish
// more than we know. A set without one that counts, or in which two have the same
// id, is refused whole.
func parseSet(raw []byte, alg string) (map[string]*Key, error) {
	if len(raw) > maxSetBytes {
		return nil, malformed("key set larger than %d bytes", maxSetBytes)
	}
	if err := scan(raw, false, func(int, string, []byte) {}); err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil || len(set.Keys) > maxSetKeys {
		return nil, malformed("no key set of at most %d keys", maxSetKeys)
	}
	keys := map[string]*Key{}
	for _, one := range set.Keys {
		k, ok := readKey(one, alg)
		if !ok {
			continue
		}
		if _, twice := keys[k.ID]; twice {
			return nil, malformed("two keys of one id in a key set")
		}
		keys[k.ID] = &k
	}
	if len(keys) == 0 {
		return nil, malformed("no key for %s in the key set", alg)
	}
	return keys, nil
}

// readKey reads one key of a set, if it counts.
func readKey(raw []byte, alg string) (Key, bool) {
	var says struct {
		ID         string   `json:"kid"`
		Use        string   `json:"use"`
		Alg        string   `json:"alg"`
		Operations []string `json:"key_ops"`
	}
	if json.Unmarshal(raw, &says) != nil || says.ID == "" {
		return Key{}, false
	}
	signs := (says.Use == "" || says.Use == "sig") && (says.Operations == nil || slices.Contains(says.Operations, "verify"))
	if !signs || says.Alg != "" && says.Alg != alg {
		return Key{}, false
	}
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return Key{}, false
	}
	k := Key{ID: says.ID, Alg: alg}
	err = parsed.Raw(&k.Public)
	return k, err == nil && fitsOutside(k)
}

// fitsOutside holds the algorithms of an outside issuer; RSA as it is in use there.
func fitsOutside(k Key) bool {
	switch pub := k.Public.(type) {
	case *ecdsa.PublicKey:
		return k.Alg == "ES256" && pub.Curve.Params().BitSize == 256
	case ed25519.PublicKey:
		return k.Alg == "EdDSA"
	case *rsa.PublicKey:
		return (k.Alg == "RS256" || k.Alg == "PS256") && pub.N.BitLen() >= 2048 && pub.N.BitLen() <= maxRSABits
	}
	return false
}
