package agreement

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Terms are what is signed, and what is enforced. Dates are civil dates, both
// inclusive. A draft is the same without id, replaces and proposed_at. Members stand in
// the order of their names: so the canonical form, which is what is signed, needs no
// sorting.
type Terms struct {
	Finance   Finance   `json:"finance"`
	From      string    `json:"from"`
	Grants    []Grant   `json:"grants"`
	ID        string    `json:"id"` // UUIDv7
	Oversight Oversight `json:"oversight"`
	Parties   []Party   `json:"parties"` // two
	// ProposedAt is when the first proposal of this negotiation was made, in seconds
	// since 1970.
	ProposedAt int64 `json:"proposed_at"`
	// Replaces is the id of the agreement or the open proposal that this one takes
	// the place of; "" when there is none.
	Replaces string `json:"replaces"`
	// Sunset: what happens when the legal basis ends, in words both parties signed.
	Sunset  string `json:"sunset"`
	Until   string `json:"until"`   // less than five years after from
	Version int    `json:"version"` // 1
}

// Roles of a party. It is both when it asks in one grant and is asked in another.
const (
	Consumer = "consumer"
	Source   = "source"
	Both     = "both"
)

// Party with its role, which is what the grants make of it.
type Party struct {
	OIN  identity.OIN `json:"oin"`
	Role string       `json:"role"`
}

// Grant is what one party may ask of another.
type Grant struct {
	// Assurance: the least level of the case worker (laag, substantieel, hoog).
	Assurance  string       `json:"assurance"`
	Categories []string     `json:"categories"`
	Consumer   identity.OIN `json:"consumer"`
	// LegalBasis code of the policy's catalog, for example avg-6-1-e.
	LegalBasis string   `json:"legal_basis"`
	MaxAgeDays int      `json:"max_age_days"` // a result is not built upon after this
	Purposes   []string `json:"purposes"`
	// RatePerMinute the source accepts.
	RatePerMinute int          `json:"rate_per_minute"`
	RetentionDays int          `json:"retention_days"`
	Source        identity.OIN `json:"source"`
}

// Suffices reports whether a case worker's level reaches what the grant asks. A level
// that is not known reaches nothing, and one that is asked and not known is not reached.
func (g Grant) Suffices(level string) bool { return ontschotv1.Assured(level, g.Assurance) }

// Finance: how money is settled; nobody pre-finances.
type Finance struct {
	CostShare  string `json:"cost_share"`
	Settlement string `json:"settlement"`
}

// Oversight: who may audit spending, and whom to call.
type Oversight struct {
	Auditors []identity.OIN `json:"auditors"`
	// BreachContact is whom to notify of a data breach (AVG art. 33): an e-mail
	// address, an https address, or tel:+31...
	BreachContact string `json:"breach_contact"`
	// DPIA is the SHA-256 of the data protection impact assessment (AVG art. 35).
	DPIA      string `json:"dpia_sha256"`
	Witnesses int    `json:"witnesses"`
}

// Digest is the hex SHA-256 of the terms in canonical form (RFC 8785): of exactly
// the bytes that every party signs.
func (t Terms) Digest() string {
	raw, err := signed.Canonical(t)
	if err != nil {
		return "" // strings, numbers and lists always have a canonical form
	}
	return digestOf(raw)
}

// clone shares no list with t: what was verified is remembered by others too.
func (t Terms) clone() Terms {
	t.Parties, t.Grants = slices.Clone(t.Parties), slices.Clone(t.Grants)
	t.Oversight.Auditors = slices.Clone(t.Oversight.Auditors)
	for i := range t.Grants {
		g := &t.Grants[i]
		g.Purposes, g.Categories = slices.Clone(g.Purposes), slices.Clone(g.Categories)
	}
	return t
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func oins(ps []Party) []identity.OIN {
	out := make([]identity.OIN, 0, len(ps))
	for _, p := range ps {
		out = append(out, p.OIN)
	}
	return out
}
