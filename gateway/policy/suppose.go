package policy

import (
	"cmp"
	"context"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// supposed is what is taken to be so, in the place of what is. The zero value changes nothing.
type supposed struct {
	role, assurance string // of who asks; empty: as it is
	token           bool   // the token names all of it
	agreement       bool   // an agreement that covers it today; what one there is asks of a level stands
	basis           string // the legal basis that the agreement names; empty: as it is
	consent         bool   // a consent to all of it, today
	request         bool   // a request of the contract's form; see Way
}

const (
	supposedID = "01900000-0000-7000-8000-000000000000" // of documents that are supposed
	nobody     = "nobody"                               // the person of a question that is about none
	anOIN      = "00000000000000000000"                 // of an organisation that is not
)

// Suppose says what would pass of a question that nobody asks about nobody: were a case worker
// of that role and level to ask, with a consent for everything. It gives no Grant, so that
// nothing can be released on it. Of the Access neither Caller nor Consent is read.
func (e *Engine) Suppose(ctx context.Context, q Access, role, assurance string) ([]*budgetv1.Scope, []*budgetv1.Gap) {
	q.supposed, q.NotConsented, q.Subject = &supposed{role: role, assurance: assurance, token: true, consent: true}, nil, nobody
	grant, withheld := e.Decide(ctx, q)
	return grant.Scopes(), withheld
}

// suppose is what is taken to be so of this access; nothing, of a real one.
func (q Access) suppose() supposed {
	if q.supposed == nil {
		return supposed{}
	}
	return *q.supposed
}

// role and assurance of who asks.
func (q Access) role() string {
	if role := q.suppose().role; role != "" {
		return role
	}
	if q.past != nil {
		return q.past.Role
	}
	return q.Caller.Role()
}

func (q Access) assurance() string {
	if level := q.suppose().assurance; level != "" {
		return level
	}
	if q.past != nil {
		return q.past.Assurance
	}
	return q.Caller.Assurance()
}

// reaches and names report what the token allows of the source.
func (q Access) reaches() bool {
	switch {
	case q.suppose().token:
		return true
	case q.past != nil:
		return !q.past.Unreached
	}
	return q.Caller.Reaches(q.Purpose, q.Source)
}

func (q Access) names(c budgetv1.Category) bool {
	switch {
	case q.suppose().token:
		return true
	case q.past != nil:
		return !q.past.Unreached && !slices.Contains(q.past.Unnamed, string(c))
	}
	return q.Caller.Allows(q.Purpose, q.Source, string(c))
}

// notAgreed is why no agreement counts for it; nil where one does, or none is needed.
func (q Access) notAgreed() *refusal {
	switch {
	case q.own() || q.suppose().agreement || q.agreed() != nil:
		return nil
	case q.past != nil:
		return cmp.Or(q.past.NotAgreed.refusal(), notAgreed(agreement.ErrNone))
	}
	return notAgreed(q.NotAgreed)
}

// notConsented is why no consent counts for it.
func (q Access) notConsented() *refusal {
	switch {
	case q.suppose().consent || q.consented() != nil:
		return nil
	case q.past != nil:
		return cmp.Or(q.past.NotConsented.refusal(), notConsented(consent.ErrNone))
	}
	return notConsented(q.NotConsented)
}

// suffices reports whether who asks reaches the level that the agreement asks. One that is
// supposed where there is none asks nothing; one that is supposed to cover more asks the same.
func (q Access) suffices() bool {
	if agreed := q.agreed(); agreed != nil {
		return agreed.Grant.Suffices(q.assurance())
	}
	return q.own() || q.suppose().agreement
}

// agrees and consents report whether the agreement, and the consent, are for a category.
func (q Access) agrees(c budgetv1.Category) bool {
	agreed := q.agreed()
	return q.own() || q.suppose().agreement || agreed != nil && slices.Contains(agreed.Grant.Categories, string(c))
}

func (q Access) consents(c budgetv1.Category) bool {
	yes := q.consented()
	return q.suppose().consent || yes != nil && slices.Contains(yes.Categories, string(c))
}

// change writes it into what the rules see. What is told apart there by an id only is the
// same: the rules compare ids, and read nothing else in them.
func (s supposed) change(in *Input) {
	if s.request {
		mend(in)
	}
	in.Subject.Properties.Role = cmp.Or(s.role, in.Subject.Properties.Role)
	in.Subject.Properties.Assurance = cmp.Or(s.assurance, in.Subject.Properties.Assurance)
	in.Resource.Properties.LegalBasis = cmp.Or(s.basis, in.Resource.Properties.LegalBasis)
	if s.agreement && in.Subject.ID != in.Resource.Properties.Source {
		in.Context.Agreement = supposedAgreement(in)
	}
	if s.consent {
		in.Context.Consent = supposedConsent(in)
	}
}

// mend gives a request the form of the contract, and leaves what it is about.
func mend(in *Input) {
	in.Context.Contract, in.Subject.Type, in.Action.Name, in.Resource.Type = ContractRequest, "organisation", "read", "person"
	in.Resource.ID = cmp.Or(in.Resource.ID, nobody)
	for _, oin := range []*string{&in.Subject.ID, &in.Resource.Properties.Source} {
		if !identity.IsOIN(identity.OIN(*oin)) {
			*oin = anOIN
		}
	}
}

// supposedAgreement and supposedConsent are as good as a request can have them.
func supposedAgreement(in *Input) *AgreementTerms {
	return &AgreementTerms{
		ID: supposedID, Requester: in.Subject.ID, Source: in.Resource.Properties.Source, Purposes: []string{in.Action.Properties.Purpose},
		From: in.Context.Date, Until: in.Context.Date, Fields: in.Resource.Properties.Fields, Digest: supposedID,
	}
}

func supposedConsent(in *Input) *ConsentTerms {
	return &ConsentTerms{
		ID: supposedID, Status: "active", Subject: in.Resource.ID, By: "self", Purposes: []string{in.Action.Properties.Purpose},
		Sources: []string{in.Resource.Properties.Source}, From: in.Context.Date, Until: in.Context.Date,
	}
}
