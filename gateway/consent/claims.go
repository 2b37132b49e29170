package consent

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Claims of a consent. It holds no BSN and no birth date. Civil dates, both
// inclusive; bytes in base64url. Here and in what it holds, members stand in the order
// of their names: so the canonical form, which is what is signed, needs no sorting.
type Claims struct {
	Authority Authority `json:"authority"`
	Basis     Basis     `json:"basis"`
	// Case is the commitment to the case number that all consents of one request carry.
	Case       string       `json:"case"`
	CoGivenBy  []Signature  `json:"co_given_by"`
	Controller identity.OIN `json:"controller"`
	From       string       `json:"from"`
	GivenBy    Signature    `json:"given_by"`
	// Grants are the digests of the disclosures, sorted.
	Grants   []string     `json:"grants"`
	IssuedAt int64        `json:"iat"` // seconds since 1970
	Issuer   identity.OIN `json:"iss"` // the keeper
	ID       string       `json:"jti"` // UUIDv7
	// LapsesOn is the day from which others must sign: the earliest of the next 12th, 16th or
	// 18th birthday and the day after the authority it rests on is known to end. Empty when
	// neither is to come.
	LapsesOn   string         `json:"lapses_on"`
	Notice     Notice         `json:"notice"`
	Purpose    string         `json:"purpose"`
	Recipients []identity.OIN `json:"recipients"`
	Replaces   string         `json:"replaces"`
	// Subject is HMAC-SHA-256(key, BSN) under a key made for this document alone.
	Subject  string `json:"subject_commitment"`
	Until    string `json:"until"`
	Withdraw string `json:"withdraw_url"`
}

// Basis is the registered legal basis beside the consent.
type Basis struct {
	AVG6     string `json:"avg6"`
	AVG9     string `json:"avg9"`
	National string `json:"national"`
}

// Signature of a person: in which role, and how that was proven.
type Signature struct {
	// Mandate is that of a gemachtigde; no other signature has one.
	Mandate *Mandate `json:"mandate,omitempty"`
	Proof   Proof    `json:"proof"`
	// Role: self, ouder_met_gezag, voogd, curator, mentor, gemachtigde, bewindvoerder or naaste.
	Role string `json:"role"`
}

// Proof of who gave it. Hash is over the assertion, so that two signatures of
// one person are seen to be of one person.
type Proof struct {
	Hash string `json:"hash"`
	Kind string `json:"kind"` // digid, eidas or paper
	LOA  string `json:"loa"`
}

// Authority is what the keeper found in the registers on the day it looked.
type Authority struct {
	// AgeGroup on the day the consent was given: under_12, 12_15, 16_17 or adult; empty
	// when the keeper does not know it, and then a human decides.
	AgeGroup string `json:"age_group"`
	// Holders of authority or guardianship.
	Holders int `json:"holders"`
	// Kind in the register's own terms; empty for an adult of whom nothing is registered.
	Kind     string `json:"kind"`
	LookedUp string `json:"looked_up"`
	// Settled is on what a human settled a case that the registers left unclear:
	// gezagsregister, rechterlijke_uitspraak or voogdijregister. Kind and Holders are
	// then what the human found. Empty when no human had to.
	Settled string `json:"settled"`
	// Until is its last day, where one is known that comes before the next of those
	// birthdays; else it is absent.
	Until string `json:"until,omitempty"`
}

// settlements is the closed list of Settled.
func settlements() []string {
	return []string{"", "gezagsregister", "rechterlijke_uitspraak", "voogdijregister"}
}

// Notice is the text the person was shown.
type Notice struct {
	SHA256  string `json:"sha256"`
	Version string `json:"version"`
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

// decodeDisclosure reads a disclosure, and accepts only what Encode writes.
func decodeDisclosure(s string) (Disclosure, error) {
	if len(s) > maxDisclosure {
		return Disclosure{}, fmt.Errorf("%w: disclosure", ErrDocument)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return Disclosure{}, fmt.Errorf("%w: disclosure", ErrDocument)
	}
	var d Disclosure
	if err := json.Unmarshal(raw, &[]any{&d.Salt, &d.Source, &d.Categories}); err != nil || len(d.Salt) < minSalt {
		return Disclosure{}, fmt.Errorf("%w: disclosure", ErrDocument)
	}
	if again, _, err := d.Encode(); err != nil || again != s {
		return Disclosure{}, fmt.Errorf("%w: disclosure in another form than it is written in", ErrDocument)
	}
	if !identity.IsOIN(d.Source) {
		return Disclosure{}, fmt.Errorf("%w: disclosure names no source", ErrDocument)
	}
	if !known(d.Categories) {
		return Disclosure{}, fmt.Errorf("%w: disclosure names an unknown category, or one twice", ErrDocument)
	}
	return d, nil
}

// Bounds of a disclosure: characters, and characters of a salt of 16 bytes.
const (
	maxDisclosure = 4096
	minSalt       = 22
)

// known reports whether all are of the closed list of categories, and none listed twice.
func known(categories []budgetv1.Category) bool {
	for i, c := range categories {
		if !slices.Contains(budgetv1.Categories(), c) || slices.Contains(categories[:i], c) {
			return false
		}
	}
	return true
}
