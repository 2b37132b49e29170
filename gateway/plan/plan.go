// Package plan answers: what can this household do with its budget? It holds a
// plan against a budget, draws up the account per funder, takes a budget apart
// at a date, and says what stays when a legal basis ends. It is pure: no clock,
// no I/O, and it changes nothing it is given. It decides no right and pays nobody.
package plan

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Sentinels. What wraps them names the path, never the value.
var (
	// ErrBudget means that a budget cannot be what this program assembled: it has
	// no window, an id twice, or a value that does not follow from its amount.
	ErrBudget = errors.New("not a budget that can be worked with")
	// ErrDate means that a budget cannot be taken apart at a date: it is no day of the window.
	ErrDate = errors.New("no day of the window of the budget")
	// ErrBasis means that there is no legal basis whose end can be looked at:
	// none at all, one without two dates, or one of other municipalities.
	ErrBasis = errors.New("no legal basis for this budget")
)

// Input is a plan beside the budget it should be paid from.
type Input struct {
	Budget *budgetv1.Budget // as assembled; nil can pay nothing
	Plan   *budgetv1.Plan   // nil is a plan without allocations
	// Basis pools laws on the days it is in force, in the municipalities it
	// names (Wlz art. 10.1.2); nil: every euro stays with its law.
	Basis   *budgetv1.LegalBasis
	Assumed bool // true when the basis is not in force but only assumed
	// Tariffs are maximum tariffs. Without them no tariff is judged: they differ
	// per law, year and municipality, and no table of them comes with the program.
	Tariffs []Tariff
	Texts   Texts // nil leaves all texts empty
}

// Tariff is a maximum tariff over a span of days.
type Tariff struct {
	Law      string     // empty: any law
	Contract string     // kind of care agreement; empty: any kind
	Span     civil.Span // both ends inclusive
	Cents    int64      // per hour
}

// Texts words findings and refusals. lang is "nl" or "en". Params of a finding
// are those of package budget: person, law, product, label, line, from, to, date, days and
// code. Params of a refusal: law (a list, "WMO, JW"), product, label, person, amount (cents),
// basis (its id), from, to and date, and parts: one "person law cents" per line of text.
// No text is "".
type Texts interface {
	Finding(code, lang string, params map[string]string) string
	Refusal(code, lang string, params map[string]string) (why, instead string)
}

// Check holds a plan against a budget. It is total: whatever it is given, it
// gives a check. All amounts are cents over the window of the budget.
//
// Allocations are taken in the order of the plan, which is the household's own
// order of what matters. One that does not fit in what is left of a line is
// refused whole (OVERALLOCATED) and takes nothing, so that later ones that do
// fit still stand; the finding OVERALLOCATED says of which line the plan asks too
// much. Hence for what is accepted the splits always fit the lines, and no left is negative.
func Check(q Input) *budgetv1.PlanCheck {
	o := weigh(q)
	check := &budgetv1.PlanCheck{
		AllocatedByLaw:   map[string]int64{},
		UnallocatedByLaw: map[string]int64{},
		Findings:         o.findings(q),
		NotJudged:        o.notJudged(q),
	}
	for _, r := range o.refused {
		check.Refused = append(check.Refused, r.message(q.Texts))
	}
	for i, l := range o.purse.lines {
		if !l.payable() {
			continue
		}
		left := l.value() - o.taken[i]
		check.Lines = append(check.Lines, l.plan(l.value(), o.taken[i]))
		check.AllocatedCents = plus(check.AllocatedCents, o.taken[i])
		check.UnallocatedCents = plus(check.UnallocatedCents, left)
		add(check.AllocatedByLaw, l.law(), o.taken[i])
		add(check.UnallocatedByLaw, l.law(), left)
	}
	if o.pool.touches(o.purse.window) {
		check.LegalBasis = proto.CloneOf(q.Basis)
		check.BasisIsAssumed = q.Assumed
	}
	return check
}
