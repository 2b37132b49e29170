package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// decision is a question with what may pass of it.
type decision struct {
	trace    string
	caller   token.Caller
	question question
	pairs    []pair
	once     *audit.Once // the idempotency key; nil: none
	today    civil.Date  // on which it was decided
	keys     int64       // the set of pinned keys by which
	judged   int64       // the size of the register by which
	refused  error       // nil: the caller may ask it, whatever stays shut
	index    int64       // of its entry in the log
}

// pair is one person at one source: what may pass, and what may not and why.
type pair struct {
	ask
	grant    policy.Grant
	refusals []*budgetv1.Gap
}

// mayAsk gives why the caller may ask nothing at all: the token is for none of the
// sources, or the policy has no cell of the purpose for this case worker. A question
// that may be asked is answered, if only with what is missing: consents, agreements and
// single cells say what is told, not who may ask.
func (g *Gateway) mayAsk(ctx context.Context, d decision) error {
	if slices.ContainsFunc(d.pairs, func(p pair) bool { return p.grant.Allows() }) {
		return nil
	}
	if !slices.ContainsFunc(d.pairs, d.named) {
		return &denied{d.refusals()}
	}
	codes := g.Policy.MayAsk(ctx, policy.Question{
		Caller: d.caller, Purpose: d.question.purpose, Subject: "household", Today: d.today,
		Requester: g.Own, RequesterKind: g.own.Kind, Source: g.Own,
	})
	switch {
	case len(codes) == 0:
		return nil
	case codes[0] == policy.CodePurpose:
		return &denied{d.refusals()}
	}
	// Who may not ask does not learn what others signed.
	var gaps []*budgetv1.Gap
	for _, p := range d.pairs {
		gaps = append(gaps, &budgetv1.Gap{Person: string(p.person.ref), Source: p.source.Code, Reason: budgetv1.ReasonPolicyDenied, Code: strings.Join(codes, " ")})
	}
	return &denied{gaps}
}

// named tells whether the token names anything of the source.
func (d decision) named(p pair) bool {
	return slices.ContainsFunc(budgetv1.Categories(), func(c budgetv1.Category) bool {
		return d.caller.Allows(d.question.purpose, p.source.OIN, string(c))
	})
}

// refusals of all pairs.
func (d decision) refusals() []*budgetv1.Gap {
	var all []*budgetv1.Gap
	for _, p := range d.pairs {
		for _, gap := range p.refusals {
			gap.Person, gap.Source = string(p.person.ref), p.source.Code
			all = append(all, gap)
		}
	}
	return all
}

// caller checks the token against the certificate of the connection, that it is of
// the gateway's own organisation, and that it was issued for the purpose.
func (g *Gateway) caller(ctx context.Context, purpose string) (token.Caller, error) {
	caller, err := g.known(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	if !caller.May(purpose) {
		return token.Caller{}, errPurpose
	}
	return caller, nil
}

// known checks the token against the certificate of the connection, and that it is of
// the gateway's own organisation. Who acts for it must have been told so for the purpose.
func (g *Gateway) known(ctx context.Context, purpose string) (token.Caller, error) {
	call, err := g.callOf(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	caller, err := g.Tokens.Check(call)
	if err != nil {
		return token.Caller{}, err
	}
	if caller.Organisation() != g.Own {
		return token.Caller{}, errNotOwn
	}
	trailOf(ctx).asks(caller, purpose)
	return caller, nil
}

// unreadable gives the error of a lock whose documents could not be read, or not in time.
func unreadable(locks ...error) error {
	for _, err := range locks {
		if errors.Is(err, errStore) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}
