package signed

import "sync"

// seen remembers which documents' signatures held, by the SHA-256 of their bytes,
// for one set of pinned keys: another set is another Verifier. Nothing else is
// remembered: what a document says, whom it names and whether it still counts are
// looked at every time.
type seen struct {
	mu  sync.Mutex
	set map[[32]byte]bool
}

// mostSeen bounds it, at about half a megabyte; when it is full it starts anew.
const mostSeen = 8192

func (s *seen) has(sum [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set[sum]
}

func (s *seen) add(sum [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil || len(s.set) >= mostSeen {
		s.set = map[[32]byte]bool{}
	}
	s.set[sum] = true
}
