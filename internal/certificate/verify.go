package certificate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
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
// Errors are ErrExpired, ErrUnknownAuthority and ErrUnfit.
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
	found, err := s.verify(chain, now, "", x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)
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

// verify checks a chain, leaf first, against the authorities. An empty name is not
// compared; one of the uses must be allowed (RFC 5280 sections 6.1 and 4.2.1.12).
func (s *state) verify(chain []*x509.Certificate, now time.Time, name string, uses ...x509.ExtKeyUsage) (span, error) {
	if len(chain) == 0 || len(chain) > maxChain {
		return span{}, ErrUnknownAuthority
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots: s.rootsOf(chain[0]), Intermediates: between, CurrentTime: now, DNSName: name, KeyUsages: uses,
	})
	if err != nil {
		return span{}, reason(err)
	}
	return longest(chains)
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

// longest gives the span of the fit chain that holds longest. Several chains are
// possible while an authority is being replaced.
func longest(chains [][]*x509.Certificate) (best span, err error) {
	err = ErrUnfit
	for _, chain := range chains {
		if !fit(chain) {
			continue
		}
		whole := span{chain[0].NotBefore, chain[0].NotAfter}
		for _, c := range chain[1:] {
			if c.NotBefore.After(whole.from) {
				whole.from = c.NotBefore
			}
			if c.NotAfter.Before(whole.until) {
				whole.until = c.NotAfter
			}
		}
		if err != nil || whole.until.After(best.until) {
			best, err = whole, nil
		}
	}
	return best, err
}

// fit adds what crypto/x509 leaves to others: an authority does not present itself
// as a peer, a leaf may sign handshakes (RFC 8446 section 4.4.2.2), and no key is weak.
func fit(chain []*x509.Certificate) bool {
	leaf := chain[0]
	signs := leaf.KeyUsage == 0 || leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0
	weak := func(c *x509.Certificate) bool { return !strong(c.PublicKey) }
	return !leaf.IsCA && signs && !slices.ContainsFunc(chain, weak)
}

// strong allows RSA of 2048 bits, ECDSA of 256 bits and Ed25519, or better
// (NCSC-NL, ICT-beveiligingsrichtlijnen voor TLS).
func strong(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize >= 256
	case ed25519.PublicKey:
		return true
	}
	return false
}

// Peer gives the organisation of a certificate: the OIN in its one
// Subject.serialNumber. The error is ErrIdentity; with two numbers a choice
// between them would be the caller's.
func Peer(leaf *x509.Certificate) (identity.OIN, error) {
	if leaf == nil {
		return "", ErrIdentity
	}
	serialNumber := asn1.ObjectIdentifier{2, 5, 4, 5} // X.520 section 6.2.9
	var numbers []any
	for _, a := range leaf.Subject.Names {
		if a.Type.Equal(serialNumber) {
			numbers = append(numbers, a.Value)
		}
	}
	if len(numbers) != 1 {
		return "", ErrIdentity
	}
	text, _ := numbers[0].(string)
	oin, err := identity.ParseOIN(text)
	if err != nil {
		return "", ErrIdentity
	}
	return oin, nil
}
