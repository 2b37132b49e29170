package policy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Facts are what an Access was judged by, as a log keeps them beside purpose, day, person
// and source: enough to judge it again, by these rules or others. Members are in the order
// of their names. They hold no name, number or amount.
type Facts struct {
	// Agreement that counted, by its id; empty: none, or none is needed. Its terms are those
	// of the document.
	Agreement string       `json:"agreement,omitempty"`
	agreed    *AgreedFacts // its terms
	// Asked is what another gateway asked of this one; nil: all that may be asked.
	Asked     []AskedFacts    `json:"asked,omitempty"`
	Assurance string          `json:"assurance"`
	Consent   *ConsentedFacts `json:"consent,omitempty"` // nil: none
	Kind      string          `json:"kind"`              // of the source
	Laws      []string        `json:"laws,omitempty"`    // of the source; none: of figures only
	// NotAgreed and NotConsented say why there is none that counts.
	NotAgreed    *RefusedFacts `json:"not_agreed,omitempty"`
	NotConsented *RefusedFacts `json:"not_consented,omitempty"`
	// Requester and its kind; empty: whose log it is.
	Requester     identity.OIN `json:"requester,omitempty"`
	RequesterKind string       `json:"requester_kind,omitempty"`
	Role          string       `json:"role"`
	// Unnamed are the categories that the access token does not name; Unreached says that it
	// names nothing of the source.
	Unnamed   []string `json:"unnamed,omitempty"`
	Unreached bool     `json:"unreached,omitempty"`
}

// AgreedFacts are the terms of the agreement that counted. Days are civil and inclusive.
type AgreedFacts struct {
	Grant       agreement.Grant
	From, Until string
}

// ConsentedFacts are what the consent that counted says of this source.
type ConsentedFacts struct {
	By         string        `json:"by"`
	Categories []string      `json:"categories"`
	From       string        `json:"from"`
	Mandate    *MandateTerms `json:"mandate,omitempty"`
	Until      string        `json:"until"`
}

// AskedFacts is what was asked under one law.
type AskedFacts struct {
	Categories []string          `json:"categories"`
	Law        string            `json:"law"`
	Masks      map[string]string `json:"masks,omitempty"`
}

// RefusedFacts are a reason and a code, as a gap has them.
type RefusedFacts struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// facts of an access: its documents are read here, and nowhere else.
func (q Access) facts() Facts {
	if q.past != nil {
		return *q.past
	}
	f := Facts{
		Assurance: q.assurance(), Kind: q.SourceKind, Laws: q.Laws, Requester: q.Requester, RequesterKind: q.RequesterKind,
		Role: q.role(), Unreached: !q.reaches(),
	}
	for _, c := range budgetv1.Categories() {
		if !f.Unreached && !q.names(c) {
			f.Unnamed = append(f.Unnamed, string(c))
		}
	}
	switch {
	case q.own():
	case q.NotAgreed != nil:
		f.NotAgreed = notAgreed(q.NotAgreed).facts()
	default:
		f.Agreement, f.agreed = q.Agreement.Agreement().ID(), q.agreed()
	}
	if q.NotConsented != nil {
		f.NotConsented = notConsented(q.NotConsented).facts()
	} else {
		f.Consent = q.consented()
	}
	return f
}

// agreementTerms are what the rules see of the agreement; one of the past has no name there.
func (q Access) agreementTerms(agreed *AgreedFacts) *AgreementTerms {
	one, grant := q.Agreement.Agreement(), agreed.Grant
	return &AgreementTerms{
		ID: cmp.Or(one.ID(), "agreement"), Requester: string(grant.Consumer), Source: string(grant.Source), Purposes: grant.Purposes,
		From: agreed.From, Until: agreed.Until, Fields: grant.Categories, Digest: cmp.Or(one.Digest(), "digest"),
	}
}

// consentID names the consent to the rules.
func (q Access) consentID() string { return cmp.Or(q.Consent.ID(), "consent") }

// Of are the facts of a question for no more than this.
func (f Facts) Of(asked []*budgetv1.Scope) Facts {
	f.Asked = make([]AskedFacts, len(asked))
	for i, s := range asked {
		f.Asked[i] = AskedFacts{Law: s.GetLaw(), Categories: s.GetCategories(), Masks: s.GetMasks()}
	}
	return f
}

// Encode writes them down.
func (f Facts) Encode() json.RawMessage {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil // texts, flags and lists of them cannot fail to be JSON
	}
	return raw
}

// maxFactsBytes bounds what is read.
const maxFactsBytes = 16 << 10

// ReadFacts reads what Encode wrote, strictly. Errors: ErrInput.
func ReadFacts(raw []byte) (f Facts, err error) {
	if len(raw) > maxFactsBytes {
		return Facts{}, fmt.Errorf("%w: facts of more than %d bytes", ErrInput, maxFactsBytes)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(&f) != nil || !bytes.Equal(f.Encode(), raw) {
		return Facts{}, fmt.Errorf("%w: facts of another shape", ErrInput)
	}
	return f, nil
}

func (r *refusal) facts() *RefusedFacts { return &RefusedFacts{Code: r.code, Reason: r.reason} }

func (f *RefusedFacts) refusal() *refusal {
	if f == nil {
		return nil
	}
	return &refusal{f.Reason, f.Code}
}

// agreed are the terms of the agreement; nil where there is none.
func (q Access) agreed() *AgreedFacts {
	if q.past != nil {
		return q.past.agreed
	}
	if q.own() || q.NotAgreed != nil {
		return nil
	}
	span := q.Agreement.Agreement().Span()
	return &AgreedFacts{Grant: q.Agreement.Grant(), From: span.From.String(), Until: span.To.String()}
}

// consented is what the consent says; nil where there is none.
func (q Access) consented() *ConsentedFacts {
	if q.past != nil {
		return q.past.Consent
	}
	if q.suppose().consent || q.NotConsented != nil {
		return nil
	}
	span := q.Consent.Span()
	f := &ConsentedFacts{By: q.Consent.GivenBy(), From: span.From.String(), Until: span.To.String()}
	for _, c := range q.Consent.Categories() {
		f.Categories = append(f.Categories, string(c))
	}
	if m := q.Consent.Mandate(); m != nil {
		f.Mandate = &MandateTerms{Scope: m.Scope, Until: m.Until}
	}
	return f
}

// Past is a decision that was made about one person at one source.
type Past struct {
	Purpose string
	Day     civil.Date
	Source  identity.OIN
	Facts   Facts
	// Agreement has the terms of the one that counted; read where Facts name one.
	Agreement *AgreedFacts
}

// access is the question of then: about nobody, and by nobody now.
func (p Past) access() Access {
	f := p.Facts
	f.agreed = p.Agreement
	q := Access{
		Purpose: p.Purpose, Subject: "somebody", Today: p.Day, Requester: f.Requester, RequesterKind: f.RequesterKind,
		Source: p.Source, SourceKind: f.Kind, Laws: f.Laws, past: &f, again: true,
	}
	for _, err := range []error{agreement.ErrNone, agreement.ErrExpired, agreement.ErrUncertain, agreement.ErrPurpose} {
		if f.NotAgreed != nil && *f.NotAgreed == *notAgreed(err).facts() {
			q.NotAgreed = err
		}
	}
	for _, err := range []error{
		consent.ErrAuthority, consent.ErrWrongSigner, consent.ErrOtherPerson, consent.ErrWithdrawn, consent.ErrUncertain, consent.ErrExpired, consent.ErrHousehold, consent.ErrNone,
	} {
		if f.NotConsented != nil && *f.NotConsented == *notConsented(err).facts() {
			q.NotConsented = err
		}
	}
	return q
}

// Again judges a past decision by these rules: what would pass, and what would not and why.
// It is about nobody and gives no Grant, so that nothing can be released on it.
func (e *Engine) Again(ctx context.Context, p Past) ([]*budgetv1.Scope, []*budgetv1.Gap) {
	grant, withheld := e.Decide(ctx, p.access())
	if p.Facts.Asked != nil {
		asked := make([]*budgetv1.Scope, len(p.Facts.Asked))
		for i, a := range p.Facts.Asked {
			asked[i] = &budgetv1.Scope{Law: a.Law, Categories: a.Categories, Masks: a.Masks}
		}
		grant = grant.Within(asked)
	}
	return grant.Scopes(), withheld
}

// Explained is what the rules were asked about one law in a past decision, and what they
// answered: their part of it. Way is what would have made it a yes under that law, proved by
// judging again; nil: it is one, or it could not be judged.
type Explained struct {
	Law     string
	Asked   Input
	Outcome Outcome
	Way     []*budgetv1.WayToYes
}

// Explain has a past decision judged again law by law, as Again puts it together.
func (e *Engine) Explain(ctx context.Context, p Past) []Explained {
	q := p.access()
	laws := q.Laws
	if len(laws) == 0 {
		laws = e.lawsToAsk(q.Purpose, q.SourceKind)
	}
	var all []Explained
	for _, law := range laws {
		in := q.input(law, union(e.Categories(q.Purpose, q.SourceKind, law), e.needed(q.Purpose, q.SourceKind, law)))
		all = append(all, Explained{Law: law, Asked: *in, Outcome: e.Evaluate(ctx, *in), Way: e.wayOf(ctx, q, []string{law}, nil)})
	}
	return all
}
