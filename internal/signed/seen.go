package signed

import (
	"crypto/sha256"
	"reflect"
	"sync"

	"github.com/ontschot/ontschot/internal/identity"
)

// seen remembers which documents' signatures held, by kind and by the SHA-256 of
// their bytes, for one set of pinned keys, and what was read from them. Nothing else
// is remembered: whom a document names, until when it counts and whether it was
// ended are looked at every time by who asks.
type seen struct {
	mu    sync.Mutex
	set   map[mark]sighting
	bytes int // of the documents
}

// What bounds it; when it is full it starts anew.
const (
	mostSeen  = 4096
	mostBytes = 8 << 20
)

// mark is what a document is known by: its kind, by which entry it came in, its bytes.
type mark struct {
	kind     Kind
	together bool
	sum      [sha256.Size]byte
}

// sighting is a document whose signatures held.
type sighting struct {
	claims reflect.Value // what was read; shared by all who read it again
	by     []*Key        // that signed it, in the order of its signatures
	of     []identity.OIN
	keys   []string // by, by their digests
}

func (s *seen) find(m mark) (sighting, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.set[m]
	return one, ok
}

func (s *seen) add(m mark, one sighting, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil || len(s.set) >= mostSeen || s.bytes+size > mostBytes {
		s.set, s.bytes = map[mark]sighting{}, 0
	}
	s.set[m] = one
	s.bytes += size
}

// fill copies what was read before into claims of the same type. Lists in them are
// shared and are not to be changed.
func (s sighting) fill(claims any) bool {
	into := reflect.ValueOf(claims).Elem()
	if !s.claims.IsValid() || s.claims.Type() != into.Type() {
		return false
	}
	into.Set(s.claims)
	return true
}

// remember keeps a copy of claims.
func (s *sighting) remember(claims any) {
	s.claims = reflect.New(reflect.TypeOf(claims).Elem()).Elem()
	s.claims.Set(reflect.ValueOf(claims).Elem())
	for _, k := range s.by {
		s.keys = append(s.keys, k.digest)
	}
}
