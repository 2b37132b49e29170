package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// hidden stands for a part that may not be seen.
const hidden = "-"

// maxValue bounds what one line can be worth, in cents: that of package budget.
const maxValue = 100_000_000_000_000

// purse is a budget, read once: what there is to spend, and of whom.
type purse struct {
	window civil.Span // the zero span when it cannot be read: then no day is in it
	lines  []line     // in the order of the budget
	byID   map[string]int
	// laws says under which laws a person has any right, with money or without.
	laws map[string]map[string]bool
	refs map[string]bool // everybody the budget speaks of
}

// line is a budget line with its period as it was read.
type line struct {
	*budgetv1.BudgetLine
	span  civil.Span
	dated bool // the period could be read
}

// open reads a budget. Of lines that share an id the first counts, so that no
// money is counted twice; assembly gives no such budget.
func open(b *budgetv1.Budget) *purse {
	p := &purse{byID: map[string]int{}, laws: map[string]map[string]bool{}, refs: map[string]bool{}}
	if window, err := readWindow(b); err == nil {
		p.window = window
	}
	for _, row := range b.GetMatrix() {
		p.refs[row.GetPerson()] = true
	}
	for _, m := range b.GetLines() {
		if _, again := p.byID[m.GetId()]; again || m.GetId() == "" {
			continue
		}
		p.byID[m.GetId()] = len(p.lines)
		l := read(m)
		p.lines = append(p.lines, l)
		p.refs[l.GetPerson()] = true
		if p.laws[l.GetPerson()] == nil {
			p.laws[l.GetPerson()] = map[string]bool{}
		}
		p.laws[l.GetPerson()][l.law()] = true
	}
	return p
}

func readWindow(b *budgetv1.Budget) (civil.Span, error) {
	from, err := civil.Parse(b.GetWindow().GetFrom())
	if err != nil {
		return civil.Span{}, fmt.Errorf("%w: window.from: %w", ErrBudget, err)
	}
	to, err := civil.Parse(b.GetWindow().GetTo())
	if err != nil {
		return civil.Span{}, fmt.Errorf("%w: window.to: %w", ErrBudget, err)
	}
	if to < from {
		return civil.Span{}, fmt.Errorf("%w: window: it ends before it begins", ErrBudget)
	}
	return civil.Span{From: from, To: to}, nil
}

func read(m *budgetv1.BudgetLine) line {
	l := line{BudgetLine: m}
	start, err := civil.Parse(m.GetPeriod().GetStart())
	if err != nil {
		return l
	}
	l.span.From = start
	if m.GetPeriod().End != nil {
		if l.span.To, err = civil.Parse(m.GetPeriod().GetEnd()); err != nil {
			return l
		}
	}
	l.dated = start <= l.span.Until()
	return l
}

// payable reports whether the line is care money of a known amount.
func (l line) payable() bool { return l.GetFungibility() == budgetv1.MoneyPoolable && l.known() }

func (l line) known() bool {
	return l.ValueCents != nil && l.GetValueCents() >= 0 && l.GetValueCents() <= maxValue
}

func (l line) value() int64 { return l.GetValueCents() }

func (l line) law() string { return cmp.Or(l.GetLaw(), hidden) }

func (l line) funder() string { return cmp.Or(l.GetFunder(), hidden) }

// plan is the line as a plan sees it; left is what is not taken.
func (l line) plan(value, taken int64) *budgetv1.LinePlan {
	return &budgetv1.LinePlan{
		Line: l.GetId(), Law: l.law(), Funder: l.funder(),
		ValueCents: value, AllocatedCents: taken, LeftCents: value - taken,
	}
}

// pot lists the lines that can pay and that belong to one of the persons, under
// one of the laws.
func (p *purse) pot(persons map[string]bool, laws []string) []int {
	var found []int
	for i, l := range p.lines {
		if l.payable() && persons[l.GetPerson()] && slices.Contains(laws, l.law()) {
			found = append(found, i)
		}
	}
	return found
}

func add(sums map[string]int64, key string, cents int64) { sums[key] = plus(sums[key], cents) }

// plus adds cents, and stops at the largest or smallest number there is; an
// assembled budget stays far away from either.
func plus(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	if b < 0 && a < math.MinInt64-b {
		return math.MinInt64
	}
	return a + b
}
