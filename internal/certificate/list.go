package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"
)

// Bounds on revocation lists.
const (
	maxList  = 10 << 20
	maxLists = 64
	// listSkew is how far the clock of who makes a list may be ahead of ours.
	listSkew = 5 * time.Minute
	// maxProofs of one list are remembered: an authority has few certificates.
	maxProofs = 64
)

// Extensions of a revocation list and of its entries (RFC 5280 sections 5.2 and 5.3).
var (
	deltaIndicator    = asn1.ObjectIdentifier{2, 5, 29, 27}
	distributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	certificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	knownToLists      = []string{"2.5.29.20", "2.5.29.28", "2.5.29.35"} // number, distribution point, key of the authority
	knownToEntries    = []string{"2.5.29.21", "2.5.29.24"}              // reason, since when
)

// list is one certificate revocation list (RFC 5280 section 5). Whether it is true is
// known once it is held against a certificate of its authority: see proves.
type list struct {
	raw         []byte // as it came
	digest      [sha256.Size]byte
	signed      *x509.RevocationList // what is looked at again; not its entries
	revoked     map[string]struct{}  // serial numbers, big-endian
	points      []string             // it is for certificates that name one of these; none: for all
	leaves      bool                 // it is for certificates of leaves
	authorities bool                 // it is for certificates of authorities

	mu     sync.Mutex
	proofs map[string]bool   // by the DER of a certificate of an authority
	by     *x509.Certificate // one that it is of; nil: none was seen yet
}

// issuingDistributionPoint says what a list is for (RFC 5280 section 5.2.5).
type issuingDistributionPoint struct {
	Point       distributionPointName `asn1:"optional,tag:0"`
	Leaves      bool                  `asn1:"optional,tag:1"`
	Authorities bool                  `asn1:"optional,tag:2"`
	Reasons     asn1.BitString        `asn1:"optional,tag:3"`
	Indirect    bool                  `asn1:"optional,tag:4"`
	Attributes  bool                  `asn1:"optional,tag:5"`
}

type distributionPointName struct {
	Full     []asn1.RawValue `asn1:"optional,tag:0"`
	Relative asn1.RawValue   `asn1:"optional,tag:1"`
}

// parseList reads a list in DER, or in one PEM block. Errors: ErrList, saying what is
// wrong and nothing of what it holds.
func parseList(raw []byte) (*list, error) {
	if len(raw) > maxList {
		return nil, fmt.Errorf("%w: larger than 10 MiB", ErrList)
	}
	whole := raw
	if block, rest := pem.Decode(raw); block != nil {
		if block.Type != "X509 CRL" || len(bytes.TrimSpace(rest)) > 0 {
			return nil, fmt.Errorf("%w: not one list", ErrList)
		}
		raw = block.Bytes
	}
	signed, err := x509.ParseRevocationList(raw)
	if err != nil || len(signed.Raw) != len(raw) {
		return nil, fmt.Errorf("%w: not a revocation list, or cut short", ErrList)
	}
	if !slices.Contains(listAlgorithms, signed.SignatureAlgorithm) {
		return nil, fmt.Errorf("%w: signed in a way that is not taken", ErrList)
	}
	if signed.NextUpdate.IsZero() || signed.NextUpdate.Before(signed.ThisUpdate) {
		return nil, fmt.Errorf("%w: it does not say when the next one comes", ErrList)
	}
	l := &list{raw: whole, digest: sha256.Sum256(whole), signed: signed, leaves: true, authorities: true, proofs: map[string]bool{}}
	if err := l.extensions(); err != nil {
		return nil, err
	}
	if err := l.entries(); err != nil {
		return nil, err
	}
	l.signed = &x509.RevocationList{
		RawTBSRevocationList: signed.RawTBSRevocationList, Signature: signed.Signature, SignatureAlgorithm: signed.SignatureAlgorithm,
		RawIssuer: signed.RawIssuer, Issuer: signed.Issuer, Number: signed.Number, ThisUpdate: signed.ThisUpdate, NextUpdate: signed.NextUpdate,
	}
	return l, nil
}

func (l *list) entries() error {
	l.revoked = make(map[string]struct{}, len(l.signed.RevokedCertificateEntries))
	for _, e := range l.signed.RevokedCertificateEntries {
		for _, x := range e.Extensions {
			if x.Id.Equal(certificateIssuer) {
				return errIndirect
			}
			if x.Critical && !slices.Contains(knownToEntries, x.Id.String()) {
				return fmt.Errorf("%w: an entry with a critical extension that is not known", ErrList)
			}
		}
		l.revoked[string(e.SerialNumber.Bytes())] = struct{}{}
	}
	return nil
}

var errIndirect = fmt.Errorf("%w: it speaks for other authorities too (an indirect list)", ErrList)

// listAlgorithms are the ways of signing that are taken: none with SHA-1.
var listAlgorithms = []x509.SignatureAlgorithm{
	x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
	x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512, x509.PureEd25519,
}

func (l *list) extensions() error {
	for _, x := range l.signed.Extensions {
		switch {
		case x.Id.Equal(deltaIndicator):
			return fmt.Errorf("%w: it holds changes only (a delta list)", ErrList)
		case x.Id.Equal(distributionPoint):
			if err := l.scope(x.Value); err != nil {
				return err
			}
		case x.Critical && !slices.Contains(knownToLists, x.Id.String()):
			return fmt.Errorf("%w: a critical extension that is not known", ErrList)
		}
	}
	return nil
}

// scope reads what the list is for. One that is not for all reasons would leave the others
// open, and is refused.
func (l *list) scope(der []byte) error {
	var p issuingDistributionPoint
	if rest, err := asn1.Unmarshal(der, &p); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: what it is for cannot be read", ErrList)
	}
	if p.Indirect {
		return errIndirect
	}
	if p.Reasons.BitLength > 0 || p.Attributes || p.Leaves && p.Authorities || len(p.Point.Relative.FullBytes) > 0 {
		return fmt.Errorf("%w: it is for some reasons, or some certificates, only", ErrList)
	}
	l.leaves, l.authorities = !p.Authorities, !p.Leaves
	for _, name := range p.Point.Full {
		if name.Class == asn1.ClassContextSpecific && name.Tag == 6 { // a URI
			l.points = append(l.points, string(name.Bytes))
		}
	}
	if len(p.Point.Full) > 0 && len(l.points) == 0 {
		return fmt.Errorf("%w: its distribution point is no URI", ErrList)
	}
	return nil
}

// proves reports whether the list is of this authority: its name, and a signature that
// verifies with its key.
func (l *list) proves(authority *x509.Certificate) bool {
	if !bytes.Equal(l.signed.RawIssuer, authority.RawSubject) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.proofs[string(authority.Raw)]
	if ok {
		return known
	}
	known = l.signed.CheckSignatureFrom(authority) == nil
	if len(l.proofs) < maxProofs {
		l.proofs[string(authority.Raw)] = known
	}
	if known && l.by == nil {
		l.by = authority
	}
	return known
}

// authority is a certificate that the list was found to be of; nil: none yet.
func (l *list) authority() *x509.Certificate {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by
}

// covers reports whether the list speaks of a certificate that the authority issued.
func (l *list) covers(c, authority *x509.Certificate) bool {
	if c.IsCA && !l.authorities || !c.IsCA && !l.leaves {
		return false
	}
	named := func(point string) bool { return slices.Contains(c.CRLDistributionPoints, point) }
	return (len(l.points) == 0 || slices.ContainsFunc(l.points, named)) && l.proves(authority)
}

func (l *list) has(serial *big.Int) bool {
	_, ok := l.revoked[string(serial.Bytes())]
	return ok
}

// follows reports whether the list may replace another of the same authority.
func (l *list) follows(old *list) bool {
	if l.signed.ThisUpdate.Before(old.signed.ThisUpdate) {
		return false
	}
	number, before := l.signed.Number, old.signed.Number
	return before == nil || number != nil && number.Cmp(before) >= 0
}

// standing holds a chain that was verified against the lists: a leaf needs one of its
// authority that is in date; an authority is held against those of its own that there
// are. until is when the first list that it needs ends; the zero time: never.
// Errors: ErrRevoked, ErrNoList.
func (s *state) standing(chain []*x509.Certificate, now time.Time) (until time.Time, err error) {
	if len(s.lists) == 0 { // none are asked for, or it is our own chain
		return until, nil
	}
	for i, c := range chain[:len(chain)-1] {
		var ends time.Time
		for _, l := range s.lists {
			if l == nil || !l.covers(c, chain[i+1]) {
				continue
			}
			if l.has(c.SerialNumber) {
				return until, ErrRevoked
			}
			if l.signed.NextUpdate.After(ends) {
				ends = l.signed.NextUpdate
			}
		}
		needed := i == 0 || !ends.IsZero()
		if s.rules.AcceptOld || !needed {
			continue
		}
		if now.After(ends) {
			err = ErrNoList // and go on: revoked is worse
		}
		if until.IsZero() || ends.Before(until) {
			until = ends
		}
	}
	return until, err
}
