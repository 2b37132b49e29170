package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AccountPurpose is a purpose of its own: accounting for money rests on the
// accountability rules of each law and not on consent (assumed).
const AccountPurpose = "integral_budget.account"

// View gives one member's projection of a budget the caller brings, released and
// signed like any budget.
func (g *Gateway) View(ctx context.Context, r *ontschotv1.ViewRequest) (*ontschotv1.ViewResponse, error) {
	e, err := g.brought(ctx, r.GetBudget(), r.GetBudget().GetPurpose(), r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	view, ok := budget.View(r.GetBudget(), identity.PersonRef(r.GetPerson()))
	if !ok {
		return nil, g.refuse(ctx, invalid("person", "is no member of the household in this budget"))
	}
	if err := g.releaseView(ctx, e, view); err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.ViewResponse{Budget: view}, nil
}

func (g *Gateway) releaseView(ctx context.Context, e audit.Entry, view *budgetv1.Budget) error {
	digest, err := result.Digest(view)
	if err != nil {
		return err
	}
	e.Kind, e.Payload, e.Status = audit.Release, digest[:], "view"
	proof, err := g.append(ctx, e)
	if err != nil {
		return err
	}
	return result.Sign(view, proof.Receipt(), g.Signer, g.Now(), defaultMaxAge)
}

// CheckPlan holds a plan against a budget the caller brings.
func (g *Gateway) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*ontschotv1.CheckPlanResponse, error) {
	if _, err := g.brought(ctx, r.GetBudget(), r.GetBudget().GetPurpose(), r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.CheckPlanResponse{Check: plan.Check(g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume()))}, nil
}

// Account draws up one account per funder and signs each.
func (g *Gateway) Account(ctx context.Context, r *ontschotv1.AccountRequest) (*ontschotv1.AccountResponse, error) {
	if _, err := g.brought(ctx, r.GetBudget(), AccountPurpose, r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	accounts := plan.Account(g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume()))
	for _, a := range accounts {
		if err := result.SignAccount(a, r.GetBudget(), g.Signer, g.Now()); err != nil {
			return nil, g.refuse(ctx, err)
		}
	}
	return &ontschotv1.AccountResponse{Accounts: accounts}, nil
}

// Dissolve takes a budget the caller brings apart at a date.
func (g *Gateway) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*ontschotv1.DissolveResponse, error) {
	if _, err := g.brought(ctx, r.GetBudget(), r.GetBudget().GetPurpose(), r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	date, err := civil.Parse(r.GetDate())
	if err != nil {
		return nil, g.refuse(ctx, invalid("date", "is no civil date, YYYY-MM-DD"))
	}
	d, err := plan.Dissolve(r.GetBudget(), date)
	if err != nil {
		return nil, g.refuse(ctx, planError(err))
	}
	return &ontschotv1.DissolveResponse{Dissolution: d}, nil
}

// Sunset tells what stays after a legal basis ends.
func (g *Gateway) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*ontschotv1.SunsetResponse, error) {
	if _, err := g.brought(ctx, r.GetBudget(), r.GetBudget().GetPurpose(), r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	s, err := plan.Sunset(g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume()))
	if err != nil {
		return nil, g.refuse(ctx, planError(err))
	}
	return &ontschotv1.SunsetResponse{Sunset: s}, nil
}

// planError names the field that a pure calculation cannot work with.
func planError(err error) error {
	switch {
	case errors.Is(err, plan.ErrDate):
		return invalid("date", "no budget can be taken apart at it")
	case errors.Is(err, plan.ErrBasis):
		return invalid("assume", "no legal basis for this municipality is in force, and none was given, whose end could be looked at")
	default:
		return invalid("budget", "holds what cannot be worked with")
	}
}

func (g *Gateway) planQuestion(b *budgetv1.Budget, p *budgetv1.Plan, assumed *budgetv1.LegalBasis) plan.Question {
	q := plan.Question{Budget: b, Plan: p, Basis: g.legalBasis(), Texts: g.Texts}
	if assumed != nil {
		q.Basis, q.Assumed = assumed, true
	}
	return q
}

// legalBasis is the basis for pooling in force today for this municipality; nil
// when there is none.
func (g *Gateway) legalBasis() *budgetv1.LegalBasis {
	for _, b := range g.LegalBases {
		from, errFrom := civil.Parse(b.GetFrom())
		to, errTo := civil.Parse(b.GetTo())
		inForce := errFrom == nil && errTo == nil && civil.Span{From: from, To: to}.Contains(g.Today())
		if inForce && slices.Contains(b.GetMunicipalities(), g.own.Code) {
			return b
		}
	}
	return nil
}

// brought checks a budget that a caller brings back: who asks, that it is what this
// gateway released, that it is not too old, and, in the transaction that records
// the question, that nothing it rests on has ended since. It gives the entry that
// was recorded, for a release that follows it.
func (g *Gateway) brought(ctx context.Context, b *budgetv1.Budget, purpose string, request proto.Message) (audit.Entry, error) {
	caller, err := g.caller(ctx, purpose)
	if err != nil {
		return audit.Entry{}, err
	}
	if err := g.wellFormed(request); err != nil {
		return audit.Entry{}, err
	}
	claims, err := result.Verify(b, g.Trust)
	if err != nil {
		return audit.Entry{}, err
	}
	if claims.Expires < g.Now().Unix() {
		return audit.Entry{}, errTooOld
	}
	rests, err := g.stillInForce(ctx, b)
	if err != nil {
		return audit.Entry{}, err
	}
	digest, err := result.Digest(b)
	if err != nil {
		return audit.Entry{}, err
	}
	e := audit.Entry{
		Kind: audit.Decision, Decision: "allow", Trace: traceOf(ctx), Activity: purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: b.GetPolicyRevision(), Case: []byte(caller.Case()), Payload: digest[:], Rests: rests,
	}
	proof, err := g.append(ctx, e)
	e.Decided = proof.Index
	return e, err
}

// stillInForce lists the documents that a budget rests on, and refuses when the
// days of one are over. That none was ended is checked where the question is recorded.
func (g *Gateway) stillInForce(ctx context.Context, b *budgetv1.Budget) ([]string, error) {
	var rests []string
	for _, s := range b.GetSources() {
		if s.GetStatus() != "OK" {
			continue
		}
		rests = appendNew(rests, s.GetConsent())
		if s.GetAgreement() != "" {
			rests = appendNew(rests, s.GetAgreement())
		}
	}
	for _, id := range rests {
		d, err := g.Documents.Document(ctx, g.Own, id)
		if err != nil {
			return nil, err
		}
		over, err := g.over(d)
		if err != nil {
			return nil, err
		}
		if over {
			return nil, &audit.EndedError{ID: id}
		}
	}
	return rests, nil
}

// over tells whether the days of a kept document are over.
func (g *Gateway) over(d audit.Document) (bool, error) {
	switch d.Kind {
	case audit.ConsentDocument:
		c, err := g.openConsent(d)
		return err == nil && !c.InForce(g.Today()), err
	case audit.AgreementDocument:
		a, err := g.openAgreement(d)
		return err == nil && !a.InForce(g.Today()), err
	default:
		return false, fmt.Errorf("a budget that rests on a %s", d.Kind)
	}
}
