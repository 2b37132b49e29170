// Package agreement answers: have the parties agreed? An agreement is a document
// of terms that every party to it has signed.
package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Errors of looking for the agreement a question rests on.
var (
	ErrNone     = errors.New("no agreement")
	ErrExpired  = errors.New("agreement not in force")
	ErrPurpose  = errors.New("agreement does not cover the purpose")
	ErrDocument = errors.New("agreement document refused")
)

// Terms are what is signed, and what is enforced. Dates are civil dates, both
// inclusive.
type Terms struct {
	Version   int       `json:"version"` // 1
	ID        string    `json:"id"`      // UUIDv7
	Parties   []Party   `json:"parties"`
	Grants    []Grant   `json:"grants"`
	Finance   Finance   `json:"finance"`
	Oversight Oversight `json:"oversight"`
	// Sunset: what happens when the legal basis ends, in words both parties signed.
	Sunset string `json:"sunset"`
	From   string `json:"from"`
	Until  string `json:"until"`
}

// Party with its role, "consumer" or "source".
type Party struct {
	OIN  identity.OIN `json:"oin"`
	Role string       `json:"role"`
}

// Grant is what one party may ask of another.
type Grant struct {
	Consumer   identity.OIN `json:"consumer"`
	Source     identity.OIN `json:"source"`
	Purposes   []string     `json:"purposes"`
	Categories []string     `json:"categories"`
	// LegalBasis code of the policy's catalog, for example avg-6-1-e.
	LegalBasis string `json:"legal_basis"`
	// Assurance: the least level of the case worker (laag, substantieel, hoog).
	Assurance     string `json:"assurance"`
	RetentionDays int    `json:"retention_days"`
	MaxAgeDays    int    `json:"max_age_days"` // a result is not built upon after this
	// RatePerMinute the source accepts.
	RatePerMinute int `json:"rate_per_minute"`
}

// Assurances are the levels of assurance from low to high (eIDAS, 910/2014 art. 8).
func Assurances() []string { return []string{"laag", "substantieel", "hoog"} }

// Suffices tells whether a case worker's level reaches what the grant asks. A level
// that is not known reaches nothing.
func (g Grant) Suffices(level string) bool {
	at := slices.Index(Assurances(), level)
	return at >= 0 && at >= slices.Index(Assurances(), g.Assurance)
}

// Finance: how money is settled; nobody pre-finances.
type Finance struct {
	Settlement string `json:"settlement"`
	CostShare  string `json:"cost_share"`
}

// Oversight: who may audit spending, and whom to call.
type Oversight struct {
	Auditors      []identity.OIN `json:"auditors"`
	DPIA          string         `json:"dpia_sha256"`
	BreachContact string         `json:"breach_contact"`
	Witnesses     int            `json:"witnesses"`
}

// Agreement is the fact: terms that all parties have signed. Only Verify makes one.
type Agreement struct {
	terms       Terms
	digest      string
	from, until civil.Date
}

// Verify checks that every party has signed, and that the terms can be enforced.
func Verify(v *signed.Verifier, raw []byte) (Agreement, error) {
	var t Terms
	if _, err := v.All(signed.Agreement, raw, &t, func() []identity.OIN { return oins(t.Parties) }); err != nil {
		return Agreement{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	a := Agreement{terms: t}
	var errFrom, errUntil error
	a.from, errFrom = civil.Parse(t.From)
	a.until, errUntil = civil.Parse(t.Until)
	if t.Version != 1 || t.ID == "" || errFrom != nil || errUntil != nil || a.until < a.from {
		return Agreement{}, fmt.Errorf("%w: version, id, from and until are needed", ErrDocument)
	}
	parties := oins(t.Parties)
	if len(parties) < 2 || len(slices.Compact(slices.Sorted(slices.Values(parties)))) != len(parties) {
		return Agreement{}, fmt.Errorf("%w: two or more different parties are needed", ErrDocument)
	}
	for _, g := range t.Grants {
		if !slices.Contains(parties, g.Consumer) || !slices.Contains(parties, g.Source) || g.Consumer == g.Source {
			return Agreement{}, fmt.Errorf("%w: a grant names who is no party", ErrDocument)
		}
		if g.MaxAgeDays < 1 || g.RetentionDays < 1 || !slices.Contains(Assurances(), g.Assurance) {
			return Agreement{}, fmt.Errorf("%w: a grant needs max_age_days, retention_days and an assurance level", ErrDocument)
		}
	}
	sum := sha256.Sum256(raw)
	a.digest = hex.EncodeToString(sum[:])
	return a, nil
}

func oins(ps []Party) []identity.OIN {
	out := make([]identity.OIN, 0, len(ps))
	for _, p := range ps {
		out = append(out, p.OIN)
	}
	return out
}

// ID of the agreement.
func (a Agreement) ID() string { return a.terms.ID }

// Digest is the hex SHA-256 of the signed document.
func (a Agreement) Digest() string { return a.digest }

// Terms that were signed.
func (a Agreement) Terms() Terms { return a.terms }

// Parties to it.
func (a Agreement) Parties() []identity.OIN { return oins(a.terms.Parties) }

// InForce tells whether the day lies within the agreement's own days.
func (a Agreement) InForce(today civil.Date) bool {
	return civil.Span{From: a.from, To: a.until}.Contains(today)
}

// Covering is the fact that an agreement in force covers one question. The zero
// Covering covers nothing.
type Covering struct {
	agreement Agreement
	grant     Grant
}

// Agreement it comes from.
func (c Covering) Agreement() Agreement { return c.agreement }

// Grant under which the question falls.
func (c Covering) Grant() Grant { return c.grant }

// Covers tells under which grant the consumer may ask the source for the purpose
// on that day.
func (a Agreement) Covers(consumer, source identity.OIN, purpose string, today civil.Date) (Covering, error) {
	if !a.InForce(today) {
		return Covering{}, ErrExpired
	}
	for _, g := range a.terms.Grants {
		if g.Consumer == consumer && g.Source == source && slices.Contains(g.Purposes, purpose) {
			return Covering{a, g}, nil
		}
	}
	return Covering{}, ErrPurpose
}

// Find gives the first of the agreements that covers the question. When none
// does, the error says what came closest: not for this purpose, not in force, none.
func Find(all []Agreement, consumer, source identity.OIN, purpose string, today civil.Date) (Covering, error) {
	closest := ErrNone
	for _, a := range all {
		c, err := a.Covers(consumer, source, purpose, today)
		if err == nil {
			return c, nil
		}
		if closest == ErrNone || errors.Is(err, ErrPurpose) {
			closest = err
		}
	}
	return Covering{}, closest
}
