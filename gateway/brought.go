package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// View gives one member's projection of a budget the caller brings, released and
// signed like any budget. It lives no longer than the budget, and rests on what is
// the member's own: what others signed does not show in it.
func (g *Gateway) View(ctx context.Context, r *ontschotv1.ViewRequest) (*ontschotv1.ViewResponse, error) {
	var view *budgetv1.Budget
	b, proof, err := g.work(ctx, errand{ontschotv1.OperationViewBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *brought) (proto.Message, error) {
		var ok bool
		if view, ok = budget.View(b.budget, identity.PersonRef(r.GetPerson())); !ok {
			return nil, invalid("person", "is no member of the household in this budget")
		}
		e := &b.entry
		e.Subjects, e.Consents, e.Agreements, e.Rests, e.Status = nil, nil, nil, g.restsOf(view, b.moved), "view"
		actedFor(e, b.caller)
		return view, nil
	})
	if err == nil {
		at := result.Times{Now: g.Now(), Expires: time.Unix(b.claims.Expires, 0), Kept: time.Unix(b.claims.Until(), 0)}
		err = result.Sign(view, proof.Receipt(), g.Signers.Signer(), b.caller.Case(), at)
	}
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.ViewResponse{Budget: view}, nil
}

// CheckPlan holds a plan against a budget the caller brings.
func (g *Gateway) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*ontschotv1.CheckPlanResponse, error) {
	answer := &ontschotv1.CheckPlanResponse{}
	_, _, err := g.work(ctx, errand{ontschotv1.OperationPlanBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *brought) (proto.Message, error) {
		answer.Check = plan.Check(g.planQuestion(b.budget, r.GetPlan(), r.GetAssume()))
		answer.Check.LeftOut = b.left
		return answer, nil
	})
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

// Account draws up one account per funder and signs each. Under an assumed basis
// it says so in what is signed. It rests on no consent and on no agreement: what was
// awarded and spent while they were in force is accounted for after they have ended.
func (g *Gateway) Account(ctx context.Context, r *ontschotv1.AccountRequest) (*ontschotv1.AccountResponse, error) {
	answer := &ontschotv1.AccountResponse{}
	_, _, err := g.work(ctx, errand{ontschotv1.OperationAccountForBudget, ontschotv1.PurposeAccountForBudget, r.GetBudget(), r}, func(b *brought) (proto.Message, error) {
		if b.budget.GetViewOf() != "" {
			return nil, invalid("budget", "is one member's view; an account is of the whole household's budget")
		}
		q := g.planQuestion(b.budget, r.GetPlan(), r.GetAssume())
		answer.Accounts = plan.Account(q)
		for _, a := range answer.GetAccounts() {
			a.LegalBasis, a.BasisIsAssumed, a.BudgetIsComplete = q.Basis, q.Assumed, b.budget.GetComplete()
			if err := result.SignAccount(a, r.GetBudget(), g.Signers.Signer(), g.Now()); err != nil {
				return nil, err
			}
		}
		return answer, nil
	})
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

// Dissolve takes a budget the caller brings apart at a date, and signs it.
func (g *Gateway) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*ontschotv1.DissolveResponse, error) {
	answer := &ontschotv1.DissolveResponse{}
	_, _, err := g.work(ctx, errand{ontschotv1.OperationDissolveBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *brought) (proto.Message, error) {
		date, err := civil.Parse(r.GetDate())
		if err != nil {
			return nil, invalid("date", "is no civil date, YYYY-MM-DD")
		}
		d, err := plan.Dissolve(b.budget, date)
		if err != nil {
			return nil, planError(err)
		}
		d.LeftOut = b.left
		answer.Dissolution = d
		return answer, result.SignDissolution(d, r.GetBudget(), g.Signers.Signer(), g.Now())
	})
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

// Sunset tells what stays after a legal basis ends.
func (g *Gateway) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*ontschotv1.SunsetResponse, error) {
	answer := &ontschotv1.SunsetResponse{}
	_, _, err := g.work(ctx, errand{ontschotv1.OperationSunsetBudget, r.GetBudget().GetPurpose(), r.GetBudget(), r}, func(b *brought) (proto.Message, error) {
		s, err := plan.Sunset(g.planQuestion(b.budget, r.GetPlan(), r.GetAssume()))
		if err != nil {
			return nil, planError(err)
		}
		s.LeftOut = b.left
		answer.Sunset = s
		return answer, nil
	})
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
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
