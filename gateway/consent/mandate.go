package consent

import (
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Mandate is on what a gemachtigde signs for an adult: what the person signed
// (art. 3:60 and 7:465 lid 3 BW: "schriftelijk gemachtigd"). It holds no name and no
// number of anybody.
type Mandate struct {
	// Document is the SHA-256 of the signed paper, or of the assertion of the eID with
	// which the mandate was given: 64 hexadecimal digits, lower case.
	Document string `json:"document"`
	// Scope is the closed list of purposes it is for: codes, sorted, each once, at most 16.
	Scope []string `json:"scope"`
	// Until is its last day: a civil date, inclusive.
	Until string `json:"until"`
}

// Bounds of a mandate.
const (
	maxScope   = 16       // purposes
	maxPurpose = 4*32 + 3 // characters of one: four words, as the messages have it
)

// fields of the mandate of one who signs, in what is to be signed and in what was: none
// has one but a gemachtigde. Whether it suffices, and that there is one, is for lacks.
func (s Signature) fields(name string) []field {
	m := s.Mandate
	if m == nil {
		return nil
	}
	_, err := civil.Parse(m.Until)
	sorted := slices.Equal(m.Scope, slices.Compact(slices.Sorted(slices.Values(m.Scope))))
	return []field{
		{name + ".mandate: only a " + ontschotv1.SignerProxy + " has one", s.Role == ontschotv1.SignerProxy},
		{name + ".mandate.document: 64 hexadecimal digits in lower case", identity.IsSHA256(m.Document)},
		{fmt.Sprintf("%s.mandate.scope: one to %d purposes, sorted, each once", name, maxScope), len(m.Scope) > 0 && len(m.Scope) <= maxScope && sorted},
		{name + ".mandate.scope: each must be the code of a purpose", !slices.ContainsFunc(m.Scope, func(p string) bool { return len(p) > maxPurpose || !ontschotv1.IsPurpose(p) })},
		{name + ".mandate.until: a civil date is needed", err == nil},
	}
}

// lacks says why a gemachtigde does not count; empty: they count. The one place that
// judges a mandate: it is for the purpose, and for every day on which the consent holds.
func (d Document) lacks(s Signature) string {
	if s.Mandate == nil {
		return "a " + ontschotv1.SignerProxy + " signs on a mandate, and there is none"
	}
	until, err := civil.Parse(s.Mandate.Until)
	switch {
	case !slices.Contains(s.Mandate.Scope, d.claims.Purpose):
		return "the mandate is not for this purpose"
	case err != nil || until < d.effective().To:
		return "the mandate ends before the consent would; ask until its last day, and show that text"
	case !knownWell(s.Proof):
		return "who signs for another proves who they are at the level substantieel or hoog"
	}
	return ""
}

// Mandates are those that the consent rests on: of each gemachtigde who counts.
func (d Document) Mandates() []Mandate {
	var all []Mandate
	for _, s := range d.signatures() {
		if s.Mandate != nil {
			all = append(all, *s.clone().Mandate)
		}
	}
	return all
}

// knownWell reports whether somebody is known well enough to sign for another on a mandate.
func knownWell(by Proof) bool { return ontschotv1.Assured(by.LOA, ontschotv1.AssuranceSubstantial) }

// MandateError is an ErrWrongSigner of a gemachtigde who could have signed, and says
// why they do not count: a text without any value.
type MandateError struct{ Lacks string }

// Error is that of ErrWrongSigner, with what is lacking.
func (e *MandateError) Error() string { return ErrWrongSigner.Error() + ": " + e.Lacks }

// Unwrap makes errors.Is(err, ErrWrongSigner) hold.
func (e *MandateError) Unwrap() error { return ErrWrongSigner }

// explained says of an ErrWrongSigner why a gemachtigde did not count, where one could.
func (d Document) explained(err error) error {
	needs, _ := d.claims.Authority.needs()
	could := slices.ContainsFunc(needs, func(n Need) bool { return slices.Contains(n.Roles, ontschotv1.SignerProxy) })
	for _, s := range d.all() {
		if why := d.lacks(s); could && s.Role == ontschotv1.SignerProxy && why != "" {
			return &MandateError{why}
		}
	}
	return err
}

// clone is a signature that shares nothing.
func (s Signature) clone() Signature {
	if s.Mandate != nil {
		m := *s.Mandate
		m.Scope = slices.Clone(m.Scope)
		s.Mandate = &m
	}
	return s
}
