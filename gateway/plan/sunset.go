package plan

import (
	"fmt"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Texts of a sunset beside the codes of the refusals.
const (
	sunsetInWindow = "SUNSET"       // the basis ends in the window of the budget
	sunsetLater    = "SUNSET_LATER" // it ends on the last day of the window or after
)

// Sunset says what stays for a household from the day after a legal basis ends.
//
// lines are the lines of care money that run on from that day, with the rest of their
// value in the window (as Dissolve has it), and what allocations that still stand take of it:
// an allocation is taken to pay by day over the days it shares with the line,
// rounded down. ends are the allocations that have days from then on and stand
// only because laws are pooled, or would if the basis did not end: the reason, and
// the lawful way to reach the same. Benefits and other rights are not pooled
// money, and stay as they are. A basis that ends after the window touches nothing
// in it: then both lists are empty.
//
// Errors: ErrBasis when there is no basis, or one that has no two dates or is of
// other municipalities; ErrBudget when the budget has no window.
func Sunset(q Input) (*budgetv1.Sunset, error) {
	window, err := readWindow(q.Budget)
	if err != nil {
		return nil, err
	}
	pool := poolOf(q.Basis, q.Budget.GetRequester())
	if pool.span.From == 0 {
		return nil, fmt.Errorf("%w: its dates or its municipalities", ErrBasis)
	}
	p, after := open(q.Budget), civil.Span{From: max(window.From, pool.span.To+1), To: window.To}
	s := &budgetv1.Sunset{From: (pool.span.To + 1).String()}
	if after.From <= after.To {
		standing, ends := weighIn(p, q.Plan, pool.always()).part(after)
		s.Lines = p.stay(standing, after)
		for _, r := range ends {
			s.Ends = append(s.Ends, r.message(q.Texts))
		}
	}
	wordSunset(s, q)
	return s, nil
}

// part separates what also stands when nothing is pooled from a day on, and
// what ends there.
func (o *outcome) part(after civil.Span) (standing []claim, ends []refusal) {
	for _, c := range o.standing {
		r, refused := o.purse.refuse(c, pool{})
		switch {
		case !refused:
			standing = append(standing, c)
		case c.days.To >= after.From:
			ends = append(ends, r)
		}
	}
	return standing, ends
}

// stay lists the care money that runs on, and what the claims take of it then.
func (p *purse) stay(claims []claim, after civil.Span) []*budgetv1.LinePlan {
	taken := map[int]int64{}
	for _, c := range claims {
		for _, s := range c.shares {
			taken[s.line] = plus(taken[s.line], p.later(c, s, after))
		}
	}
	var lines []*budgetv1.LinePlan
	for i, l := range p.lines {
		if value, ok := p.worth(l, after); ok && l.payable() {
			lines = append(lines, l.plan(value, taken[i]))
		}
	}
	return lines
}

// later is what of a share falls in a part of the window: by day over the days
// that allocation and line have in common, rounded down, so that shares that fit
// in a line also fit in a part of it.
func (p *purse) later(c claim, s share, part civil.Span) int64 {
	common, ok := p.lines[s.line].span.Overlap(c.days)
	if !ok {
		return 0
	}
	rest, ok := common.Overlap(part)
	if !ok {
		return 0
	}
	return s.cents * int64(rest.Days()) / int64(common.Days())
}

func wordSunset(s *budgetv1.Sunset, q Input) {
	if q.Texts == nil {
		return
	}
	code := sunsetInWindow
	if s.From > q.Budget.GetWindow().GetTo() { // civil dates sort as text
		code = sunsetLater
	}
	params := map[string]string{"date": s.From, "to": q.Basis.GetTo()}
	word := func(lang string) string {
		why, instead := q.Texts.Refusal(code, lang, params)
		return why + " " + instead
	}
	s.TextNl, s.TextEn = word("nl"), word("en")
}
