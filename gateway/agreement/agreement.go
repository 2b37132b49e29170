// Package agreement answers: have the parties agreed? An agreement is a document
// of terms that every party to it has signed. Its life: a draft that people read
// (ReadDraft), a proposal that one party has signed (Propose), what that changes
// (Diff), the other's signature (Accept) or a statement that it will not (Statement).
package agreement

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Errors of looking for the agreement a request rests on.
var (
	ErrNone      = errors.New("no agreement")
	ErrExpired   = errors.New("agreement not in force")
	ErrUncertain = errors.New("agreement waits to be confirmed")
	ErrPurpose   = errors.New("agreement does not cover the purpose")
	ErrAssurance = errors.New("the agreement asks for a higher level of assurance of the case worker")
	ErrDocument  = errors.New("agreement document refused")
)

// Agreement is the fact: terms that all parties have signed. Only Verify makes one.
type Agreement struct {
	terms       Terms
	digest      string
	from, until civil.Date
	keys        []string
}

// Verify checks that every party has signed, and that the terms can be enforced.
// Errors: ErrDocument, with a *FieldError when it is about one of the terms.
func Verify(v *signed.Verifier, raw []byte) (Agreement, error) {
	var t Terms
	proof, err := v.All(signed.Agreement, raw, &t, func() []identity.OIN { return oins(t.Parties) })
	if err == nil {
		err = check(t, false)
	}
	if err != nil {
		return Agreement{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	a := Agreement{terms: t, digest: hex.EncodeToString(proof.Digest[:]), keys: proof.Keys}
	a.from, _ = civil.Parse(t.From) // checked
	a.until, _ = civil.Parse(t.Until)
	return a, nil
}

// Read reads the terms of a stored document whose signatures may not hold any more, to
// show or to end it. They prove nothing. Errors: ErrDocument.
func Read(raw []byte) (Terms, error) {
	var t Terms
	if err := signed.Unverified(signed.Agreement, raw, &t); err != nil {
		return Terms{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return t, nil
}

// ID of the agreement.
func (a Agreement) ID() string { return a.terms.ID }

// Digest is the hex SHA-256 of the signed document.
func (a Agreement) Digest() string { return a.digest }

// Terms that were signed: a copy.
func (a Agreement) Terms() Terms { return a.terms.clone() }

// Keys that signed it, each by its digest.
func (a Agreement) Keys() []string { return a.keys }

// Span of civil dates, both inclusive.
func (a Agreement) Span() civil.Span { return civil.Span{From: a.from, To: a.until} }

// Parties to it.
func (a Agreement) Parties() []identity.OIN { return oins(a.terms.Parties) }

// Names reports whether the parties let an organisation audit spending.
func (a Agreement) Names(auditor identity.OIN) bool {
	return slices.Contains(a.terms.Oversight.Auditors, auditor)
}

// InForce reports whether the day lies within the agreement's own days.
func (a Agreement) InForce(today civil.Date) bool {
	return a.Span().Contains(today)
}

// Covering is the fact that an agreement in force covers one use. The zero
// Covering covers nothing.
type Covering struct {
	agreement Agreement
	grant     Grant
}

// Agreement it comes from.
func (c Covering) Agreement() Agreement { return c.agreement }

// Grant under which the use falls.
func (c Covering) Grant() Grant { return c.grant }

// Use is what an agreement has to cover: that one party asks the other for a purpose on
// a day.
type Use struct {
	Consumer, Source identity.OIN
	Purpose          string
	Today            civil.Date
}

// Covers says under which grant the use falls. Errors: ErrExpired, ErrPurpose.
func (a Agreement) Covers(u Use) (Covering, error) {
	if !a.InForce(u.Today) {
		return Covering{}, ErrExpired
	}
	for _, g := range a.terms.Grants {
		if g.Consumer == u.Consumer && g.Source == u.Source && slices.Contains(g.Purposes, u.Purpose) {
			return Covering{a, g}, nil
		}
	}
	return Covering{}, ErrPurpose
}

// Find gives the first of the agreements that covers the use. When none does, the error
// says what came closest: not for this purpose, not in force, none.
func Find(all []Agreement, u Use) (Covering, error) {
	closest := ErrNone
	for _, a := range all {
		c, err := a.Covers(u)
		if err == nil {
			return c, nil
		}
		if closest == ErrNone || errors.Is(err, ErrPurpose) {
			closest = err
		}
	}
	return Covering{}, closest
}
