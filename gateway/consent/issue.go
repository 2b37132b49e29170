package consent

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Grant is what is said to one source: a yes to these categories, and without any
// a no.
type Grant struct {
	Source     identity.OIN
	Categories []budgetv1.Category
}

// Draft is a consent that is to be issued. Civil dates, both inclusive. Required is
// all but what is said to be optional.
type Draft struct {
	Keeper  identity.OIN // the organisation that issues it
	Purpose string
	Case    string // commitment to the case number
	Grants  []Grant
	// Controller is answerable for the data; data may be disclosed to Recipients.
	Controller identity.OIN
	Recipients []identity.OIN
	Basis      Basis // AVG6 is needed
	// Until is cut off twelve months after From.
	From, Until civil.Date
	// Born gives the age group and the birthday on which the consent lapses. It is
	// written nowhere.
	Born civil.Date
	// Authority as the registers have it; its AgeGroup is filled in from Born, and its Until
	// is left out where it does not come first, or where a child of 16 or 17 decides alone.
	Authority Authority
	// GivenBy is one of those who must sign; CoGivenBy are the others.
	GivenBy   Signature
	CoGivenBy []Signature
	Notice    Notice // that was shown: a version, and 64 hexadecimal digits
	Withdraw  string // https, where it can be withdrawn
	// Replaces is the id of the consent that ends when this one counts. Optional.
	Replaces string

	old *Document // that Narrow started from
}

// Issued is a signed consent with what opens it.
type Issued struct {
	ID          string
	Document    []byte   // compact JWS, at most signed.MaxBytes
	Disclosures []string // one for each source
	SubjectKey  []byte   // 32 bytes; opens the commitment to the person
}

// Issue signs the consent of a person. What could never count is not issued.
// Errors: ErrDocument, naming the field and never its value; ErrAuthority and
// ErrWrongSigner, as when it would be used; ErrOtherPerson when the draft follows
// on a consent of somebody else. Whether it is withdrawn, or not in force today,
// is for Find. What is narrowed needs no person: it is of whoever it was of.
func (d Draft) Issue(by signed.Signer, subject identity.BSN, now time.Time) (Issued, error) {
	if err := d.check(by.Issuer, subject); err != nil {
		return Issued{}, err
	}
	claims, out, err := d.Write(subject, now)
	if err != nil {
		return Issued{}, err
	}
	if err := d.follows(claims, subject); err != nil {
		return Issued{}, err
	}
	if err := judge(claims, out); err != nil {
		return Issued{}, err
	}
	if out.Document, err = by.Compact(signed.Consent, claims); err != nil {
		return Issued{}, err
	}
	if len(out.Document) > signed.MaxBytes {
		return Issued{}, fmt.Errorf("%w: larger than %d bytes", ErrDocument, signed.MaxBytes)
	}
	return out, nil
}

// judge holds what is to be signed against all that Verify and Find ask, and
// against what the policy asks: that it is given by somebody who may sign at all.
func judge(c Claims, out Issued) error {
	doc, err := open(c, nil, out.Disclosures, out.SubjectKey)
	if err != nil {
		return err
	}
	if err := doc.signers(); err != nil {
		return doc.explained(err)
	}
	if !slices.Contains(ontschotv1.Signers(), c.GivenBy.Role) || !doc.counts(c.GivenBy) {
		return doc.explained(ErrWrongSigner)
	}
	return nil
}

// Write draws what is fresh for each consent (id, subject key, salts) and gives the
// claims that are to be signed, with what opens them. It judges nothing: Issue does. Of what
// is narrowed without a person the commitment to the person stays, with what opens it.
func (d Draft) Write(subject identity.BSN, now time.Time) (Claims, Issued, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Claims{}, Issued{}, fmt.Errorf("drawing an id: %w", err)
	}
	out := Issued{ID: id.String(), SubjectKey: random(32)}
	commitment := subject.Commitment(out.SubjectKey)
	c := Claims{
		Issuer: d.Keeper, ID: out.ID, IssuedAt: now.Unix(),
		Subject: base64.RawURLEncoding.EncodeToString(commitment[:]), Case: d.Case, Purpose: d.Purpose,
		Controller: d.Controller, Recipients: append([]identity.OIN{}, d.Recipients...), Basis: d.Basis,
		GivenBy: d.GivenBy, CoGivenBy: append([]Signature{}, d.CoGivenBy...), Authority: d.Authority,
		From: d.From.String(), Until: d.until().String(),
		Notice: d.Notice, Withdraw: d.Withdraw, Replaces: d.Replaces,
	}
	if d.old != nil { // the last word differs from the one before by its time, in seconds
		c.IssuedAt = max(c.IssuedAt, d.old.claims.IssuedAt+1)
	}
	if d.old != nil && subject.IsZero() {
		c.Subject, out.SubjectKey = d.old.claims.Subject, bytes.Clone(d.old.key)
	}
	on, until := d.Lapses()
	c.Authority.AgeGroup, c.Authority.Until, c.LapsesOn = d.group(), until, on.String()
	out.Disclosures, c.Grants, err = disclose(d.Grants)
	return c, out, err
}

// until is at most twelve months after from; what is narrowed stays as it was.
func (d Draft) until() civil.Date {
	if d.old != nil {
		return d.Until
	}
	return min(d.Until, d.From.Birthday(1)-1)
}

// group gives the age group. Without a day of birth it is not known, and then a human decides.
func (d Draft) group() string {
	switch {
	case d.old != nil:
		return d.old.claims.Authority.AgeGroup
	case d.Born.IsZero():
		return ""
	}
	group, _ := AgeGroup(d.Born, d.From)
	return group
}

// Lapses is the day on which the consent will lapse, and the last day of the authority it
// rests on where that is why; empty where it is a birthday. No day: neither is to come.
func (d Draft) Lapses() (on civil.Date, authority string) {
	if d.old != nil {
		on, authority = d.old.lapses, d.old.claims.Authority.Until
	} else if !d.Born.IsZero() {
		_, on = AgeGroup(d.Born, d.From)
	}
	last, err := civil.Parse(d.Authority.Until)
	if err != nil || d.group() == from16 || on != 0 && last+1 >= on {
		return on, authority
	}
	return last + 1, d.Authority.Until
}

// disclose makes one disclosure for each grant, by source, and their digests, sorted.
func disclose(grants []Grant) (disclosures, digests []string, err error) {
	for _, g := range grants {
		disclosure, digest, err := Disclosure{
			Salt:   base64.RawURLEncoding.EncodeToString(random(16)),
			Source: g.Source, Categories: append([]budgetv1.Category{}, g.Categories...),
		}.Encode()
		if err != nil {
			return nil, nil, err
		}
		disclosures, digests = append(disclosures, disclosure), append(digests, digest)
	}
	slices.Sort(digests)
	return disclosures, digests, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}
