// Package consent answers: did the person say yes to this? A consent is one
// document for one person and one purpose, signed by its keeper (the controller
// that registered it); each source sees only its own grant of it.
package consent

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Errors of a consent that does not hold, in the order in which they are told.
var (
	ErrDocument    = errors.New("consent document refused")
	ErrAuthority   = errors.New("who may sign is unclear")
	ErrNone        = errors.New("no consent")
	ErrOtherPerson = errors.New("consent of another person")
	ErrWithdrawn   = errors.New("consent withdrawn")
	ErrExpired     = errors.New("consent not in force")
	ErrWrongSigner = errors.New("consent given by somebody who may not")
	ErrHousehold   = errors.New("consent of another household's case")
)

// Claims of a consent. It holds no BSN and no birth date. Civil dates, both
// inclusive; bytes in base64url.
type Claims struct {
	Issuer   identity.OIN `json:"iss"` // the keeper
	ID       string       `json:"jti"` // UUIDv7
	IssuedAt int64        `json:"iat"` // seconds since 1970
	// Subject is HMAC-SHA-256(key, BSN) under a key made for this document alone.
	Subject string `json:"subject_commitment"`
	// Case is the commitment to the case number that all consents of one question carry.
	Case    string `json:"case"`
	Purpose string `json:"purpose"`
	// Grants are the digests of the disclosures, sorted.
	Grants     []string       `json:"grants"`
	Controller identity.OIN   `json:"controller"`
	Recipients []identity.OIN `json:"recipients"`
	Basis      Basis          `json:"basis"`
	GivenBy    Signature      `json:"given_by"`
	CoGivenBy  []Signature    `json:"co_given_by"`
	Authority  Authority      `json:"authority"`
	// LapsesOn is the next 12th, 16th or 18th birthday; empty for an adult.
	LapsesOn string `json:"lapses_on"`
	From     string `json:"from"`
	Until    string `json:"until"`
	Notice   Notice `json:"notice"`
	Withdraw string `json:"withdraw_url"`
	Replaces string `json:"replaces"`
}

// Basis is the registered legal basis beside the consent.
type Basis struct {
	AVG6     string `json:"avg6"`
	AVG9     string `json:"avg9"`
	National string `json:"national"`
}

// Signature of a person: in which role, and how that was proven.
type Signature struct {
	// Role: self, ouder_met_gezag, voogd, curator, mentor, gemachtigde, bewindvoerder or naaste.
	Role  string `json:"role"`
	Proof Proof  `json:"proof"`
}

// Proof of who gave it. Hash is over the assertion, so that two signatures of
// one person are seen to be of one person.
type Proof struct {
	Kind string `json:"kind"` // digid, eidas or paper
	LOA  string `json:"loa"`
	Hash string `json:"hash"`
}

// Authority is what the keeper found in the registers on the day it looked.
type Authority struct {
	// AgeGroup on the day the consent was given: under_12, 12_15, 16_17 or adult; empty
	// when the keeper does not know it, and then a human decides.
	AgeGroup string `json:"age_group"`
	// Kind in the register's own terms; empty for an adult of whom nothing is registered.
	Kind string `json:"kind"`
	// Holders of authority or guardianship.
	Holders  int    `json:"holders"`
	LookedUp string `json:"looked_up"`
}

// Notice is the text the person was shown.
type Notice struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Disclosure opens the grant of one source: base64url of the JSON array
// [salt, source OIN, [categories]], as selective disclosure does (SD-JWT).
type Disclosure struct {
	Salt       string
	Source     identity.OIN
	Categories []budgetv1.Category
}

// Encode gives the disclosure and the digest that is signed.
func (d Disclosure) Encode() (disclosure, digest string, err error) {
	raw, err := json.Marshal([]any{d.Salt, d.Source, d.Categories})
	if err != nil {
		return "", "", err
	}
	disclosure = base64.RawURLEncoding.EncodeToString(raw)
	return disclosure, digestOf(disclosure), nil
}

func digestOf(disclosure string) string {
	sum := sha256.Sum256([]byte(disclosure))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func decodeDisclosure(s string) (Disclosure, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) > 4096 {
		return Disclosure{}, fmt.Errorf("%w: disclosure", ErrDocument)
	}
	var d Disclosure
	if err := json.Unmarshal(raw, &[]any{&d.Salt, &d.Source, &d.Categories}); err != nil || len(d.Salt) < 22 {
		return Disclosure{}, fmt.Errorf("%w: disclosure", ErrDocument)
	}
	for _, c := range d.Categories {
		if !slices.Contains(budgetv1.Categories(), c) {
			return Disclosure{}, fmt.Errorf("%w: disclosure names an unknown category", ErrDocument)
		}
	}
	return d, nil
}

// Document is a consent whose signature holds and whose grants are open to us.
// It is not yet a yes to anything: Find makes that.
type Document struct {
	claims Claims
	raw    []byte
	key    []byte
	grants map[identity.OIN]grant
	span   civil.Span
	lapses civil.Date
	// lookedUp is the day on which the keeper looked up who may sign.
	lookedUp civil.Date
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

// Verify checks the keeper's signature and opens the grants. The disclosures must
// be exactly those that were signed, no more and no fewer.
func Verify(v *signed.Verifier, raw []byte, disclosures []string, key []byte) (Document, error) {
	d := Document{raw: raw, key: key, grants: map[identity.OIN]grant{}}
	if _, err := v.Compact(signed.Consent, raw, &d.claims); err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	digests := []string{}
	for _, s := range disclosures {
		open, err := decodeDisclosure(s)
		if err != nil {
			return Document{}, err
		}
		digests = append(digests, digestOf(s))
		d.grants[open.Source] = grant{s, open.Categories}
	}
	slices.Sort(digests)
	if !slices.Equal(digests, d.claims.Grants) || len(d.grants) != len(digests) || len(digests) == 0 {
		return Document{}, fmt.Errorf("%w: the disclosures are not those that were signed", ErrDocument)
	}
	return d.dates()
}

func (d Document) dates() (Document, error) {
	var err [4]error
	d.span.From, err[0] = civil.Parse(d.claims.From)
	d.span.To, err[1] = civil.Parse(d.claims.Until)
	d.lookedUp, err[3] = civil.Parse(d.claims.Authority.LookedUp)
	if d.claims.LapsesOn != "" {
		d.lapses, err[2] = civil.Parse(d.claims.LapsesOn)
	}
	if errors.Join(err[:]...) != nil || d.lookedUp > d.span.From || d.span.To < d.span.From || d.claims.ID == "" || d.claims.Purpose == "" || len(d.key) != 32 {
		return Document{}, fmt.Errorf("%w: id, purpose, from, until, the day authority was looked up and subject key are needed", ErrDocument)
	}
	underAge := d.claims.Authority.AgeGroup != "adult" && d.claims.Authority.AgeGroup != ""
	if underAge != (d.lapses != 0) {
		return Document{}, fmt.Errorf("%w: lapses_on is for who is under age, and for nobody else", ErrDocument)
	}
	return d, nil
}
