package budget

import (
	"cmp"
	"math"
	"time"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// totals sums the lines with known money in four ways that agree (I3). What a
// line may not show is summed under "-".
func (v *view) totals() *budgetv1.Totals {
	t := &budgetv1.Totals{
		ByLaw:         map[string]int64{},
		ByFunder:      map[string]int64{},
		ByPerson:      map[string]int64{},
		ByFungibility: map[string]int64{},
	}
	for _, l := range v.lines {
		if l.ValueCents == nil {
			continue // no money is not zero (N5): it makes no key
		}
		add(t.ByLaw, l.GetLaw(), l.GetValueCents())
		add(t.ByFunder, l.GetFunder(), l.GetValueCents())
		add(t.ByPerson, l.GetPerson(), l.GetValueCents())
		add(t.ByFungibility, l.GetFungibility(), l.GetValueCents())
	}
	return t
}

func add(sums map[string]int64, key string, cents int64) {
	key = cmp.Or(key, hidden)
	sums[key] = plus(sums[key], cents)
}

// plus adds cents that are not negative, and stops at the largest number there
// is; it takes 92,233 lines of maxValue to get there.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// carryOver tells by line id what of a PERIOD_TOTAL line that runs past the
// window falls in the calendar year after the one in which the window ends.
// Lines of which nothing falls there are absent.
func (v *view) carryOver() map[string]int64 {
	year := v.q.Window.Until().Year() + 1
	next := civil.Span{From: civil.New(year, time.January, 1), To: civil.New(year, time.December, 31)}
	over := map[string]int64{}
	for _, l := range v.lines {
		if !l.isTotal() {
			continue
		}
		a, _ := l.money()
		if cents, ok := l.term.value(a, next); ok && cents > 0 {
			over[l.GetId()] = cents
		}
	}
	return over
}

// isTotal tells that the line has a known value out of one decided total.
func (l line) isTotal() bool {
	a, ok := l.money()
	return ok && l.ValueCents != nil && a.GetBasis() == periodTotal
}

// ownContribution is 0 when no CAK is missing, absent else (contracts 11). Its
// months are summed here once there is a source that tells them (N8).
func (v *view) ownContribution() *int64 {
	for _, g := range v.gaps {
		if v.party(g.GetSource()).Kind == "CAK" {
			return nil
		}
	}
	return new(int64(0))
}
