package budget

import (
	"cmp"
	"math"
	"time"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// totals sums the lines with known money in four ways that agree. What a
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
			continue // no money is not zero: it makes no key
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

// carryOver gives by line id what of a PERIOD_TOTAL line that runs past the
// window falls after it, in the calendar year in which the day after the window
// lies: for a window that is a calendar year the whole of the next one, and for
// one that ends in between nothing of the days that follow is lost. Lines of
// which nothing falls there are absent.
func (v *view) carryOver() map[string]int64 {
	after := v.q.Window.Until() + 1
	next := civil.Span{From: after, To: civil.New(after.Year(), time.December, 31)}
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

// isTotal reports whether the line has a known value out of one decided total.
func (l line) isTotal() bool {
	a, ok := l.money()
	return ok && l.ValueCents != nil && a.GetBasis() == periodTotal
}

// contested sums the lines that another law's right goes before: all of them,
// and those in the care total.
func (v *view) contested() (sum struct{ all, care int64 }) {
	for _, l := range v.lines {
		if !l.GetContested() {
			continue
		}
		sum.all = plus(sum.all, l.GetValueCents())
		if l.GetFungibility() == budgetv1.MoneyPoolable {
			sum.care = plus(sum.care, l.GetValueCents())
		}
	}
	return sum
}
