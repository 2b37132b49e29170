package gateway

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// View gives one member's projection of a budget the caller presents, released and
// signed like any budget. It lives no longer than the budget, and rests on what is
// the member's own: what others signed does not show in it.
func (g *Gateway) View(ctx context.Context, r *ontschotv1.ViewRequest) (*ontschotv1.ViewResponse, error) {
	var view *budgetv1.Budget
	b, proof, err := g.work(ctx, task{ontschotv1.OperationViewBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *presented) (proto.Message, error) {
		var ok bool
		if view, ok = budget.View(b.budget, identity.PersonRef(r.GetPerson())); !ok {
			return nil, admission.Invalid("person", "is no member of the household in this budget")
		}
		e := &b.entry
		e.Subjects, e.Consents, e.Agreements, e.Rests, e.Status = nil, nil, nil, g.Evidence.RestsOf(view.GetSources(), b.moved), "view"
		admission.ActedFor(e, b.caller)
		return view, nil
	})
	var digest [32]byte
	if err == nil {
		digest, err = result.Digest(view)
	}
	if err == nil {
		at := result.Times{Now: g.Now(), Expires: time.Unix(b.claims.Expires, 0), KeepUntil: time.Unix(b.claims.Until(), 0)}
		err = result.Sign(view, result.Release{Digest: digest, Receipt: proof.Receipt(), Case: b.caller.Case(), Times: at}, g.Signers.Signer())
	}
	return &ontschotv1.ViewResponse{Budget: view}, err
}

// CheckPlan holds a plan against a budget the caller presents.
func (g *Gateway) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*ontschotv1.CheckPlanResponse, error) {
	answer := &ontschotv1.CheckPlanResponse{}
	_, _, err := g.work(ctx, task{ontschotv1.OperationPlanBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *presented) (proto.Message, error) {
		answer.Check = plan.Check(g.planInput(b, r.GetPlan(), r.GetAssume()))
		answer.Check.LeftOut = b.left
		return answer, nil
	})
	return answer, err
}

// Account draws up one account per funder and signs each. Under an assumed basis
// it says so in what is signed. It rests on no consent and on no agreement: what was
// awarded and spent while they were in force is accounted for after they have ended. An auditor
// gets of the same accounts what an agreement that counts today names it for.
func (g *Gateway) Account(ctx context.Context, r *ontschotv1.AccountRequest) (*ontschotv1.AccountResponse, error) {
	answer := &ontschotv1.AccountResponse{}
	_, _, err := g.work(ctx, task{ontschotv1.OperationAccountForBudget, ontschotv1.PurposeAccountForBudget, r.GetBudget(), r}, func(b *presented) (proto.Message, error) {
		if b.budget.GetViewOf() != "" {
			return nil, admission.Invalid("budget", "is one member's view; an account is of the whole household's budget")
		}
		q := g.planInput(b, r.GetPlan(), r.GetAssume())
		answer.Accounts = plan.Account(q)
		if b.entry.Activity == ontschotv1.PurposeAuditSpending {
			answer.Accounts, answer.LeftOut = g.audited(ctx, *b, answer.GetAccounts())
		}
		for _, a := range answer.GetAccounts() {
			a.LegalBasis, a.BasisIsAssumed, a.BudgetIsComplete = q.Basis, q.Assumed, b.budget.GetComplete()
			if err := result.SignAccount(a, r.GetBudget(), g.Signers.Signer(), g.Now()); err != nil {
				return nil, err
			}
		}
		return answer, nil
	})
	return answer, err
}

// Dissolve takes a budget the caller presents apart at a date, and signs it.
func (g *Gateway) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*ontschotv1.DissolveResponse, error) {
	answer := &ontschotv1.DissolveResponse{}
	_, _, err := g.work(ctx, task{ontschotv1.OperationDissolveBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *presented) (proto.Message, error) {
		date, err := civil.Parse(r.GetDate())
		if err != nil {
			return nil, admission.Invalid("date", "is no civil date, YYYY-MM-DD")
		}
		d, err := plan.Dissolve(plan.Input{Budget: b.budget, Texts: g.Texts}, date)
		if err != nil {
			return nil, planError(err)
		}
		d.LeftOut = b.left
		answer.Dissolution = d
		return answer, result.SignDissolution(d, r.GetBudget(), g.Signers.Signer(), g.Now())
	})
	return answer, err
}

// Sunset says what stays after a legal basis ends.
func (g *Gateway) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*ontschotv1.SunsetResponse, error) {
	answer := &ontschotv1.SunsetResponse{}
	_, _, err := g.work(ctx, task{ontschotv1.OperationSunsetBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *presented) (proto.Message, error) {
		s, err := plan.Sunset(g.planInput(b, r.GetPlan(), r.GetAssume()))
		if err != nil {
			return nil, planError(err)
		}
		s.LeftOut = b.left
		answer.Sunset = s
		return answer, nil
	})
	return answer, err
}

// planError names the field that a pure calculation cannot work with.
func planError(err error) error {
	switch {
	case errors.Is(err, plan.ErrDate):
		return admission.Invalid("date", "must be a day of the window of the budget: it is taken apart at no other")
	case errors.Is(err, plan.ErrBasis):
		return admission.Invalid("assume", "no legal basis for this municipality is in force, and none was given, whose end could be looked at")
	default:
		return admission.Invalid("budget", "holds what cannot be worked with")
	}
}

func (g *Gateway) planInput(b *presented, p *budgetv1.Plan, assumed *budgetv1.LegalBasis) plan.Input {
	q := plan.Input{Budget: b.budget, Plan: p, Texts: g.Texts}
	if window, err := admission.Window(b.budget.GetWindow()); err == nil {
		q.Basis = g.legalBasis(b.rules, window)
	}
	if assumed != nil {
		q.Basis, q.Assumed = assumed, true
	}
	return q
}
