package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/policy"
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
// signed like any budget. It lives no longer than the budget, and rests on what is
// the member's own: what others signed does not show in it.
func (g *Gateway) View(ctx context.Context, r *ontschotv1.ViewRequest) (*ontschotv1.ViewResponse, error) {
	b, err := g.brought(ctx, policy.ViewBudget, r.GetBudget(), r.GetBudget().GetPurpose(), r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	view, ok := budget.View(r.GetBudget(), identity.PersonRef(r.GetPerson()))
	if !ok {
		return nil, g.refuse(ctx, invalid("person", "is no member of the household in this budget"))
	}
	if err := g.releaseView(ctx, b, view); err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.ViewResponse{Budget: view}, nil
}

func (g *Gateway) releaseView(ctx context.Context, b brought, view *budgetv1.Budget) error {
	digest, err := result.Digest(view)
	if err != nil {
		return err
	}
	e := b.entry
	e.Subjects, e.Consents, e.Agreements, e.Rests = nil, nil, nil, g.restsOf(view)
	actedFor(&e, b.caller)
	e.Kind, e.Payload, e.Status = audit.Release, digest[:], "view"
	proof, err := g.append(ctx, e)
	if err == nil {
		err = g.stands(b)
	}
	if err != nil {
		return err
	}
	return result.Sign(view, proof.Receipt(), g.Signers.Signer(), b.caller.Case(), g.Now(), time.Unix(b.claims.Expires, 0))
}

// CheckPlan holds a plan against a budget the caller brings.
func (g *Gateway) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*ontschotv1.CheckPlanResponse, error) {
	b, err := g.brought(ctx, policy.PlanBudget, r.GetBudget(), r.GetBudget().GetPurpose(), r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	answer := &ontschotv1.CheckPlanResponse{Check: plan.Check(g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume()))}
	return answer, g.told(ctx, b, answer)
}

// Account draws up one account per funder and signs each. Under an assumed basis
// it says so in what is signed.
func (g *Gateway) Account(ctx context.Context, r *ontschotv1.AccountRequest) (*ontschotv1.AccountResponse, error) {
	b, err := g.brought(ctx, policy.AccountForBudget, r.GetBudget(), AccountPurpose, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	if r.GetBudget().GetViewOf() != "" {
		return nil, g.refuse(ctx, invalid("budget", "is one member's view; an account is of the whole household's budget"))
	}
	q := g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume())
	answer := &ontschotv1.AccountResponse{Accounts: plan.Account(q)}
	for _, a := range answer.GetAccounts() {
		a.LegalBasis, a.BasisIsAssumed, a.BudgetIsComplete = q.Basis, q.Assumed, r.GetBudget().GetComplete()
		if err := result.SignAccount(a, r.GetBudget(), g.Signers.Signer(), g.Now()); err != nil {
			return nil, g.refuse(ctx, err)
		}
	}
	return answer, g.told(ctx, b, answer)
}

// Dissolve takes a budget the caller brings apart at a date.
func (g *Gateway) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*ontschotv1.DissolveResponse, error) {
	b, err := g.brought(ctx, policy.DissolveBudget, r.GetBudget(), r.GetBudget().GetPurpose(), r)
	if err != nil {
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
	answer := &ontschotv1.DissolveResponse{Dissolution: d}
	return answer, g.told(ctx, b, answer)
}

// Sunset tells what stays after a legal basis ends.
func (g *Gateway) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*ontschotv1.SunsetResponse, error) {
	b, err := g.brought(ctx, policy.SunsetBudget, r.GetBudget(), r.GetBudget().GetPurpose(), r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	s, err := plan.Sunset(g.planQuestion(r.GetBudget(), r.GetPlan(), r.GetAssume()))
	if err != nil {
		return nil, g.refuse(ctx, planError(err))
	}
	answer := &ontschotv1.SunsetResponse{Sunset: s}
	return answer, g.told(ctx, b, answer)
}

// told records what is about to be told, before it is told.
func (g *Gateway) told(ctx context.Context, b brought, answer proto.Message) error {
	raw, err := result.Canonical(answer)
	if err != nil {
		return g.refuse(ctx, err)
	}
	digest := sha256.Sum256(raw)
	e := b.entry
	e.Kind, e.Payload = audit.Release, digest[:]
	_, err = g.append(ctx, e)
	if err == nil {
		err = g.stands(b)
	}
	if err != nil {
		return g.refuse(ctx, err)
	}
	return nil
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
	q := plan.Question{Budget: b, Plan: p, Texts: g.Texts}
	if window, err := readWindow(b.GetWindow()); err == nil {
		q.Basis = g.legalBasis(window)
	}
	if assumed != nil {
		q.Basis, q.Assumed = assumed, true
	}
	return q
}

// legalBasis is the basis for pooling that holds for this municipality on most days
// of a window; nil when there is none. What was pooled lawfully is accounted for as
// such after the basis has ended, and what it does not cover is refused day by day.
func (g *Gateway) legalBasis(window civil.Span) *budgetv1.LegalBasis {
	var best *budgetv1.LegalBasis
	most := 0
	for _, b := range g.LegalBases {
		from, errFrom := civil.Parse(b.GetFrom())
		to, errTo := civil.Parse(b.GetTo())
		both, touches := civil.Span{From: from, To: to}.Overlap(window)
		if errFrom == nil && errTo == nil && touches && both.Days() > most && slices.Contains(b.GetMunicipalities(), g.own.Code) {
			best, most = b, both.Days()
		}
	}
	return best
}
