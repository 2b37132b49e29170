package certificate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"sync"
	"time"
)

// maxSeen leaves are remembered; a federation has some hundreds of parties.
const maxSeen = 4096

// span is a time in which something holds, ends included.
type span struct{ from, until time.Time }

func (s span) holds(now time.Time) bool { return !now.Before(s.from) && !now.After(s.until) }

// Check reports whether a peer that was let in may still call: its leaf and
// intermediates, leaf first, are within their validity at now and chain to an
// authority of this moment. It is meant for every call on a connection that lives
// long, so a leaf that was found good is remembered until its chain ends or the
// files change. Whether it may be a client or a server was settled when the
// connection was made; here either will do.
//
// Errors are ErrExpired, ErrUnknownAuthority, ErrUnfit, ErrRevoked and ErrNoList.
func (h *Holder) Check(chain []*x509.Certificate, now time.Time) error {
	s := h.live.Load()
	if len(chain) == 0 {
		return ErrUnknownAuthority
	}
	// The whole DER as the key: to look it up costs less than to digest it.
	s.mu.RLock()
	known, ok := s.seen[string(chain[0].Raw)]
	s.mu.RUnlock()
	if ok && known.holds(now) {
		return nil
	}
	found, err := s.verify(chain, now, "", bothUses...)
	if err == nil {
		s.remember(chain[0], found)
	}
	return err
}

func (s *state) remember(leaf *x509.Certificate, found span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) >= maxSeen {
		clear(s.seen)
	}
	s.seen[string(leaf.Raw)] = found
}

// bothUses is for whom it was settled before which of them it may be.
var bothUses = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}

// verify checks a chain, leaf first, against authorities and revocation lists.
func (s *state) verify(chain []*x509.Certificate, now time.Time, name string, uses ...x509.ExtKeyUsage) (span, error) {
	chains, err := s.chains(chain, now, name, uses...)
	if err != nil {
		return span{}, err
	}
	return s.longest(chains, now)
}

// chains checks a chain, leaf first, against the authorities, and gives the ways to one. An
// empty name is not compared; one of the uses must be allowed (RFC 5280 sections 6.1 and
// 4.2.1.12).
func (s *state) chains(chain []*x509.Certificate, now time.Time, name string, uses ...x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	if len(chain) == 0 || len(chain) > maxChain {
		return nil, ErrUnknownAuthority
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots: s.rootsOf(chain[0]), Intermediates: between, CurrentTime: now, DNSName: name, KeyUsages: uses,
	})
	if err != nil {
		return nil, reason(err)
	}
	return chains, nil
}

// reason puts a refusal of crypto/x509 in our words: its own repeat names out of
// the certificate.
func reason(err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return ErrExpired
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return ErrUnknownAuthority
	}
	return ErrUnfit
}

// longest gives the span of the chain that is fit, not revoked, and holds longest. Several
// chains are possible while an authority is being replaced. Errors: ErrUnfit, ErrRevoked,
// ErrNoList.
func (s *state) longest(chains [][]*x509.Certificate, now time.Time) (best span, err error) {
	err = ErrUnfit
	var way []*x509.Certificate
	for _, chain := range chains {
		if !s.fit(chain) {
			continue
		}
		until, refused := s.standing(chain, now)
		if refused != nil {
			if way == nil && err != ErrRevoked {
				err = refused
			}
			continue
		}
		whole := spanOf(chain)
		if !until.IsZero() && until.Before(whole.until) {
			whole.until = until
		}
		if way == nil || whole.until.After(best.until) {
			best, way, err = whole, chain, nil
		}
	}
	if err == nil {
		s.weak.look(way)
	}
	return best, err
}

// spanOf is when every certificate of a chain is within its validity.
func spanOf(chain []*x509.Certificate) span {
	whole := span{chain[0].NotBefore, chain[0].NotAfter}
	for _, c := range chain[1:] {
		if c.NotBefore.After(whole.from) {
			whole.from = c.NotBefore
		}
		if c.NotAfter.Before(whole.until) {
			whole.until = c.NotAfter
		}
	}
	return whole
}

// fit adds what crypto/x509 leaves to others: an authority does not present itself
// as a peer, a leaf may sign handshakes (RFC 8446 section 4.4.2.2), and no key is weak.
func (s *state) fit(chain []*x509.Certificate) bool {
	leaf := chain[0]
	signs := leaf.KeyUsage == 0 || leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0
	weak := func(c *x509.Certificate) bool { return !s.strong(c.PublicKey) }
	return !leaf.IsCA && signs && !slices.ContainsFunc(chain, weak)
}

// Sizes of RSA keys in bits (NCSC-NL, ICT-beveiligingsrichtlijnen voor TLS): less than the
// first is never taken, less than the second is warned of.
const (
	LeastRSABits = 2048
	goodRSABits  = 3072
)

// strong allows RSA from the least that is taken on, ECDSA of 256 bits and Ed25519, or
// better.
func (s *state) strong(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= max(s.rules.MinRSABits, LeastRSABits)
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	}
	return false
}

// weakKeys warns of RSA keys that are taken and will not be for long, once of each
// certificate.
type weakKeys struct {
	rules Rules
	mu    sync.Mutex
	seen  map[[sha256.Size]byte]bool
}

func (w *weakKeys) look(chain []*x509.Certificate) {
	for _, c := range chain {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok || key.N.BitLen() >= goodRSABits {
			continue
		}
		sum := sha256.Sum256(c.Raw)
		w.mu.Lock()
		known := w.seen[sum]
		if len(w.seen) >= maxSeen {
			clear(w.seen)
		}
		w.seen[sum] = true
		w.mu.Unlock()
		if !known {
			oin, _ := Peer(c)
			w.rules.warn("a certificate has an RSA key of less than 3072 bits", "bits", key.N.BitLen(), "fingerprint", base64.RawURLEncoding.EncodeToString(sum[:]), "oin", string(oin))
		}
	}
}
