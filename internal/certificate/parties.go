package certificate

import (
	"crypto/x509"
	"fmt"

	"github.com/ontschot/ontschot/internal/identity"
)

// Parties are organisations whose certificates come from authorities of their own. Theirs count
// under those alone: an authority of Files cannot speak for them, nor theirs for another.
type Parties map[identity.OIN]authorities

type authorities struct {
	pool *x509.CertPool
	all  []*x509.Certificate
}

// ReadParties reads the authorities of each, PEM. Errors: ErrFile.
func ReadParties(all map[identity.OIN][]byte) (Parties, error) {
	parties := Parties{}
	for oin, data := range all {
		s := state{roots: x509.NewCertPool()}
		if err := s.believe(data); err != nil {
			return nil, fmt.Errorf("the authorities of %s: %w", oin, err)
		}
		list, err := certificates(data, maxAuthorities)
		if err != nil {
			return nil, err
		}
		parties[oin] = authorities{s.roots, list}
	}
	return parties, nil
}

// Believe has each organisation's own authorities count from now on. A connection that lives is
// held against them at its next call.
func (h *Holder) Believe(parties Parties) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parties = parties
	live := h.live.Load()
	h.live.Store(live.with(live.lists, parties))
}

// with is the same state with other lists and other authorities of organisations, in which
// nobody was seen yet.
func (s *state) with(lists []*list, parties Parties) *state {
	next := &state{
		digest: s.digest, pair: s.pair, chain: s.chain, span: s.span, roots: s.roots, cas: s.cas, names: s.names,
		rules: s.rules, weak: s.weak, lists: lists, parties: parties, known: s.roots.Clone(), seen: map[string]span{},
	}
	for _, p := range parties { // what a client is told and first held against; verify decides
		for _, c := range p.all {
			next.known.AddCert(c)
		}
	}
	next.server = next.serverConfig()
	return next
}

// rootsOf are the authorities under which a leaf counts: of its organisation's own where it has
// any. A leaf that names no organisation, or several, is held against those of Files.
func (s *state) rootsOf(leaf *x509.Certificate) *x509.CertPool {
	if oin, err := Peer(leaf); err == nil {
		if own, has := s.parties[oin]; has {
			return own.pool
		}
	}
	return s.roots
}
