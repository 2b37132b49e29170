package policy

import (
	"context"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// supposed is a case worker who would ask, and a consent for all of it.
type supposed struct{ role, assurance string }

// Suppose says what would pass of a question that nobody asks about nobody: were a case worker
// of that role and level to ask, with a consent for everything. It gives no Grant, so that
// nothing can be released on it. Of the Access neither Caller nor Consent is read.
func (e *Engine) Suppose(ctx context.Context, q Access, role, assurance string) ([]*budgetv1.Scope, []*budgetv1.Gap) {
	q.supposed, q.NotConsented, q.Subject = &supposed{role, assurance}, nil, "nobody"
	grant, withheld := e.Decide(ctx, q)
	return grant.Scopes(), withheld
}

// assurance of who asks.
func (q Access) assurance() string {
	if q.supposed != nil {
		return q.supposed.assurance
	}
	return q.Caller.Assurance()
}

// suppose writes into what the rules see who asks, and the consent.
func (q Access) suppose(in *Input) {
	in.Subject.ID, in.Subject.Properties.Role, in.Subject.Properties.Assurance = string(q.Requester), q.supposed.role, q.supposed.assurance
	in.Context.Consent = &ConsentTerms{
		ID: "01900000-0000-7000-8000-000000000000", Status: "active", Subject: q.Subject, By: "self", Purposes: []string{q.Purpose},
		Sources: []string{string(q.Source)}, From: q.Today.String(), Until: q.Today.String(),
	}
}
