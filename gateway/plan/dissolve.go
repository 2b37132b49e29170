package plan

import (
	"cmp"
	"fmt"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Dissolve takes a budget apart at a day of its window: before holds the window up to the
// day before it, after the window from that date on. At its first day there is nothing
// before, and that half is absent. Of the input only budget and texts count. Every line
// with known money, income too, is in each half that its period touches, under its
// own id, person, law and funder: before with its value there, rounded once, and
// after with what is left of its value in the window. So the halves always add up.
//
// as_of is the day on which the budget was composed, and spent_as_of of what is returned
// that of the spending.
//
// returned is the care money that was not spent before the date and goes back. A
// line contributed what its award came to up to that day, from the award's own
// start, because spending is cumulative over the award; spent is what was spent so
// far. Each line gets its own back. Where a legal basis in force on the day before
// the date pools laws, the lines under those laws are one pot, and what is left of
// it goes back in the proportion contributed, largest remainder first. A line
// whose spending is not known is in no pot and absent; when more was spent than
// contributed, nothing goes back, and a finding OVERSPENT says so, also where the money of
// others in the pot covers it: it names those lines too.
//
// Errors: ErrDate for a date that is no day of the window; ErrBudget, with the path, for a
// budget that has no window, an id twice, or a value that does not follow from its own amount.
func Dissolve(q Input, date civil.Date) (*budgetv1.Dissolution, error) {
	b := q.Budget
	window, err := readWindow(b)
	if err != nil {
		return nil, err
	}
	if !window.Contains(date) {
		return nil, ErrDate
	}
	p := open(b)
	if err := sound(b, window); err != nil {
		return nil, err
	}
	back, over := p.returned(b, date)
	return &budgetv1.Dissolution{
		Date: date.String(), AsOf: b.GetToday(), BudgetIsComplete: b.GetComplete(),
		Before:   p.half(civil.Span{From: window.From, To: date - 1}),
		After:    p.half(civil.Span{From: date, To: window.To}),
		Returned: back, Findings: p.worded(over, q.Texts),
	}, nil
}

// sound refuses a budget of which a line cannot be divided: leaving it out would
// lose a right in silence.
func sound(b *budgetv1.Budget, window civil.Span) error {
	ids := map[string]bool{}
	for i, m := range b.GetLines() {
		if m.GetId() == "" || ids[m.GetId()] {
			return fmt.Errorf("%w: lines[%d].id: none, or one that is there already", ErrBudget, i)
		}
		ids[m.GetId()] = true
		if m.ValueCents == nil {
			continue
		}
		cents, ok := budget.Value(read(m).money(), m.GetPeriod(), window)
		if !ok || cents != m.GetValueCents() {
			return fmt.Errorf("%w: lines[%d].value_cents: does not follow from amount and period", ErrBudget, i)
		}
	}
	return nil
}

// money is what a line is worth as decided; where the kind of money was withheld,
// whichever is there.
func (l line) money() *budgetv1.Amount {
	switch l.GetFungibility() {
	case "":
		return cmp.Or(l.Amount, l.Income)
	case budgetv1.MoneyIncome:
		return l.Income
	default:
		return l.Amount
	}
}

// half values every line in a part of the window; nil for a part without days.
func (p *purse) half(part civil.Span) *budgetv1.DissolvedHalf {
	if part.To < part.From {
		return nil
	}
	h := &budgetv1.DissolvedHalf{
		Window: &budgetv1.Window{From: part.From.String(), To: part.To.String()},
		Lines:  map[string]int64{},
		Totals: &budgetv1.Totals{
			ByLaw: map[string]int64{}, ByFunder: map[string]int64{},
			ByPerson: map[string]int64{}, ByFungibility: map[string]int64{},
		},
	}
	for _, l := range p.lines {
		if cents, ok := p.worth(l, part); ok {
			h.Lines[l.GetId()] = cents
			add(h.Totals.ByLaw, l.law(), cents)
			add(h.Totals.ByFunder, l.funder(), cents)
			add(h.Totals.ByPerson, cmp.Or(l.GetPerson(), hidden), cents)
			add(h.Totals.ByFungibility, cmp.Or(l.GetFungibility(), hidden), cents)
		}
	}
	h.CareTotalCents = new(h.Totals.ByFungibility[budgetv1.MoneyPoolable])
	return h
}

// worth is what a line with known money is worth in a part of the window that its period
// touches: in one that begins with the window its value there, and in what comes after
// that the rest of its value in the window, so that nothing is lost in rounding.
func (p *purse) worth(l line, part civil.Span) (int64, bool) {
	_, touches := l.span.Overlap(part)
	if !l.known() || !l.dated || !touches {
		return 0, false
	}
	if part.From == p.window.From {
		return budget.Value(l.money(), l.GetPeriod(), part)
	}
	before, ok := budget.Value(l.money(), l.GetPeriod(), civil.Span{From: p.window.From, To: part.From - 1})
	return l.value() - before, ok
}
