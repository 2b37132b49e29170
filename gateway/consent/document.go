// Package consent answers: did the person say yes to this? A consent is one
// document for one person and one purpose, signed by its keeper (the controller
// that registered it); each source sees only its own grant of it.
package consent

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Errors of a consent that does not hold, in the order in which they are reported.
var (
	ErrDocument    = errors.New("consent document refused")
	ErrAuthority   = errors.New("who may sign is unclear")
	ErrNone        = errors.New("no consent")
	ErrOtherPerson = errors.New("consent of another person")
	ErrWithdrawn   = errors.New("consent withdrawn")
	ErrUncertain   = errors.New("consent waits to be confirmed")
	ErrExpired     = errors.New("consent not in force")
	ErrWrongSigner = errors.New("consent given by somebody who may not")
	ErrPurpose     = errors.New("nobody can be asked for this purpose")
	ErrHousehold   = errors.New("consent of another household's case")
)

// Document is a consent whose signature holds and whose grants are open to us.
// It is not yet a yes to anything: Find makes that.
type Document struct {
	claims Claims
	raw    string
	key    []byte
	grants map[identity.OIN]grant
	span   civil.Span
	lapses civil.Date
	// lookedUp is the day on which the keeper looked up who may sign, and authority the last
	// on which that holds; zero: no end is known.
	lookedUp, authority civil.Date
	keys                []string
}

type grant struct {
	disclosure string
	categories []budgetv1.Category
}

// ID of the consent.
func (d Document) ID() string { return d.claims.ID }

// Purpose it was given for.
func (d Document) Purpose() string { return d.claims.Purpose }

// Replaces is the id of the consent that ends when this one counts; empty: none.
func (d Document) Replaces() string { return d.claims.Replaces }

// Keeper that issued it.
func (d Document) Keeper() identity.OIN { return d.claims.Issuer }

// Of reports whether it is the consent of this person.
func (d Document) Of(subject identity.BSN) bool { return d.isOf(subject) }

// Read reads the claims of a stored document whose signature may not hold any more, to
// show or to end it. They prove nothing. Errors: ErrDocument.
func Read(raw []byte) (Claims, error) {
	var c Claims
	if err := signed.Unverified(signed.Consent, raw, &c); err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return c, nil
}

// Claims as they were signed: a copy.
func (d Document) Claims() Claims {
	c := d.claims
	c.Grants, c.Recipients, c.CoGivenBy = slices.Clone(c.Grants), slices.Clone(c.Recipients), slices.Clone(c.CoGivenBy)
	c.GivenBy = c.GivenBy.clone()
	for i, s := range c.CoGivenBy {
		c.CoGivenBy[i] = s.clone()
	}
	return c
}

// Grants, by source. One without categories is a no to its source.
func (d Document) Grants() []Grant {
	var all []Grant
	for source, g := range d.grants {
		all = append(all, Grant{source, slices.Clone(g.categories)})
	}
	slices.SortFunc(all, func(a, b Grant) int { return cmp.Compare(a.Source, b.Source) })
	return all
}

// Span in which it holds, civil dates, both inclusive: at most twelve months, and
// not past the birthday on which others become the ones to ask.
func (d Document) Span() civil.Span { return d.effective() }

// maxGrants is the number of sources of one consent.
const maxGrants = 16

// Verify checks the keeper's signature and opens the grants. The disclosures must
// be exactly those that were signed, no more and no fewer.
func Verify(v *signed.Verifier, raw []byte, disclosures []string, key []byte) (Document, error) {
	var c Claims
	proof, err := v.Compact(signed.Consent, raw, &c)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	d, err := open(c, raw, disclosures, key)
	d.keys = proof.Keys
	return d, err
}

// VerifyShown is Verify where another organisation shows its consent: the grant of one
// source is opened, and those of others stay closed. key is nil where the source may not know
// the number that the subject commitment is to.
func VerifyShown(v *signed.Verifier, raw []byte, disclosure string, key []byte) (Document, error) {
	var c Claims
	proof, err := v.Compact(signed.Consent, raw, &c)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if !slices.Contains(c.Grants, digestOf(disclosure)) || !slices.IsSorted(c.Grants) || len(c.Grants) > maxGrants {
		return Document{}, fmt.Errorf("%w: the disclosure is none of those that were signed", ErrDocument)
	}
	if key == nil { // opens nothing
		key = make([]byte, 32)
	}
	shown := c
	shown.Grants = []string{digestOf(disclosure)}
	d, err := open(shown, raw, []string{disclosure}, key)
	d.claims, d.keys = c, proof.Keys
	return d, err
}

// Keys that signed it, each by its digest.
func (d Document) Keys() []string { return d.keys }

// Signed reports whether those who signed are those who had to: ErrAuthority or
// ErrWrongSigner when it can never count. What was recorded before a rule became
// stricter is judged by the rule of now.
func (d Document) Signed() error { return d.signers() }

// open is all that Verify does but the signature, so that what is issued is judged
// as it will be when it is used.
func open(c Claims, raw []byte, disclosures []string, key []byte) (Document, error) {
	d := Document{claims: c, raw: string(raw), key: bytes.Clone(key), grants: map[identity.OIN]grant{}}
	if len(disclosures) > maxGrants {
		return Document{}, fmt.Errorf("%w: more than %d sources", ErrDocument, maxGrants)
	}
	digests := []string{}
	for _, s := range disclosures {
		one, err := decodeDisclosure(s)
		if err != nil {
			return Document{}, err
		}
		digests = append(digests, digestOf(s))
		d.grants[one.Source] = grant{s, one.Categories}
	}
	slices.Sort(digests)
	if !slices.Equal(digests, c.Grants) || len(d.grants) != len(digests) || len(digests) == 0 {
		return Document{}, fmt.Errorf("%w: the disclosures are not those that were signed", ErrDocument)
	}
	if !slices.Contains(settlements(), c.Authority.Settled) {
		return Document{}, fmt.Errorf("%w: authority.settled is none of the list", ErrDocument)
	}
	for i, s := range d.all() {
		if err := first(s.fields(place(i))); err != nil {
			return Document{}, err
		}
	}
	return d.dates()
}

func (d Document) dates() (Document, error) {
	var err [5]error
	d.span.From, err[0] = civil.Parse(d.claims.From)
	d.span.To, err[1] = civil.Parse(d.claims.Until)
	d.lookedUp, err[3] = civil.Parse(d.claims.Authority.LookedUp)
	if d.claims.LapsesOn != "" {
		d.lapses, err[2] = civil.Parse(d.claims.LapsesOn)
	}
	if d.claims.Authority.Until != "" {
		d.authority, err[4] = civil.Parse(d.claims.Authority.Until)
	}
	if errors.Join(err[:]...) != nil || d.lookedUp > d.span.From || d.span.To < d.span.From || d.claims.ID == "" || d.claims.Purpose == "" || len(d.key) != 32 {
		return Document{}, fmt.Errorf("%w: id, purpose, from, until, the day authority was looked up and subject key are needed", ErrDocument)
	}
	group := d.claims.Authority.AgeGroup
	switch ends := d.authority != 0; {
	case ends && (group == from16 || d.authority < d.span.From || d.lapses != d.authority+1):
		return Document{}, fmt.Errorf("%w: authority.until is not before from, and lapses_on is the day after it", ErrDocument)
	case !ends && (group != adult && group != "") != (d.lapses != 0):
		return Document{}, fmt.Errorf("%w: lapses_on is for who is under age or under an authority that ends, and for nobody else", ErrDocument)
	}
	return d, nil
}
