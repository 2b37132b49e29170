package audit

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Judgement is the payload of the decision or deny of a request, as RFC 8785 JSON:
// what was decided about each pair of a person and a source, pseudonymous and without
// amounts. The auditor holds it against the register.
type Judgement struct {
	// Judged is of how many entries the register was made by which it was judged.
	Judged int64           `json:"judged"`
	Pairs  []PairJudgement `json:"told"`
}

// PairJudgement is what was decided about one pair. Here and below members are in the order
// of their names: then they are canonical as they are written.
type PairJudgement struct {
	// Actor for the organisation that asks; see Delegation.
	Actor identity.OIN `json:"actor,omitempty"`
	// Agreement and Consent on which something may pass; empty when nothing may, or the
	// source is the asking organisation's own.
	Agreement string `json:"agreement,omitempty"`
	// Also are the person's pseudonyms under older versions of the key.
	Also    []string `json:"also,omitempty"`
	Consent string   `json:"consent,omitempty"`
	// Delegation on which the actor acts.
	Delegation string `json:"delegation,omitempty"`
	// Facts are what the policy was asked by, in its own words: policy.Facts. Decisions of
	// earlier versions have none.
	Facts json.RawMessage `json:"facts,omitempty"`
	// Presented is the consent that another organisation showed when it asked; it is not in
	// this log.
	Presented string       `json:"presented,omitempty"`
	Refusals  []Refusal    `json:"refusals,omitempty"`
	Scopes    []Scope      `json:"scopes,omitempty"`
	Source    identity.OIN `json:"source"`
	// Subject is the person's pseudonym for the purpose, base64url without padding.
	Subject string `json:"subject"`
}

// Scope is what was granted under one law.
type Scope struct {
	Categories []string          `json:"categories,omitempty"`
	Law        string            `json:"law,omitempty"`
	Masks      map[string]string `json:"masks,omitempty"`
}

// ScopesOf are scopes as they are written down.
func ScopesOf(granted []*budgetv1.Scope) []Scope {
	list := make([]Scope, len(granted))
	for i, s := range granted {
		list[i] = Scope{Categories: s.GetCategories(), Law: s.GetLaw(), Masks: s.GetMasks()}
	}
	return list
}

// Refusal says why something may not pass: reason and code as a gap has them; only these
// laws or categories, when others may.
type Refusal struct {
	Categories []string `json:"categories,omitempty"`
	Code       string   `json:"code,omitempty"`
	Laws       []string `json:"laws,omitempty"`
	Reason     string   `json:"reason"`
}

// judged holds what a decision says of consents and agreements against the register as it
// was when it was judged.
func (w *walk) judged(index int64, c *checked) error {
	j, leaf := c.judgement, &c.leaf
	if j == nil {
		return nil
	}
	if j.Judged < 0 || j.Judged > index {
		return tampered(index, "opening: judged by entries that were not there yet")
	}
	about, ok := single(c.open.Case)
	if !ok {
		return nil
	}
	then := w.register.At(j.Judged)
	for _, pair := range j.Pairs {
		pseudonyms, err := pair.pseudonyms()
		if err != nil {
			return tampered(index, "opening: a pair of nobody")
		}
		word := then.LastWord(register.Thing{
			Pseudonyms: pseudonyms, Purpose: leaf.Activity, Case: string(about), Recipient: w.by.Tenant, Source: pair.Source,
		}, c.fact.Day)
		if !pair.agrees(word) || pair.Agreement != "" && !counts(then, pair.Agreement) {
			return tampered(index, "opening: what was decided does not agree with the documents that counted")
		}
	}
	return nil
}

func (t PairJudgement) pseudonyms() (list []string, err error) {
	for _, text := range append([]string{t.Subject}, t.Also...) {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		list = append(list, string(raw))
	}
	return list, nil
}

// agrees reports whether what was decided follows from the last word: a yes from a yes, of
// that very consent, and a no for the reason that it has, or a stricter one.
func (t PairJudgement) agrees(word register.Word) bool {
	if t.Consent != "" && (word.ID != t.Consent || word.Standing != register.Yes) {
		return false
	}
	for _, r := range t.Refusals {
		if len(r.Laws)+len(r.Categories) > 0 {
			continue
		}
		means := map[string][]register.Standing{
			budgetv1.ReasonConsentWithdrawn: {register.Withdrawn}, budgetv1.ReasonConsentUncertain: {register.Uncertain},
			// Of what is in force, a source or a category may be lacking, or a key that is not pinned.
			budgetv1.ReasonNoConsent: {register.NoWord, register.SaidNo, register.KeyLost, register.Yes},
		}[r.Reason]
		if len(means) > 0 && !slices.Contains(means, word.Standing) {
			return false
		}
	}
	return true
}

// counts reports whether an agreement is one that nothing had ended.
func counts(v register.View, id string) bool {
	d, known := v.Document(id)
	return known && d.Kind == register.Agreement && d.Live() && !d.Lost && !d.Uncertain
}
