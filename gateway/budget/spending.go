package budget

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// functionWlz is the one function of a Wlz award (iPgb 501). The line has the
// care profile as its product, so a Wlz line answers to it as well.
const functionWlz = "99"

// spend is what was spent of one award, on one civil date.
type spend struct {
	spendKey
	cents int64
	asOf  civil.Date // no date: before every date
}

// spendKey is how SVB names an award: by its Budgetidentificatie, the function
// in it, and the day on which that function begins.
type spendKey struct {
	person, budget, function string
	start                    civil.Date
}

// spending is what was spent so far, in cents.
//
// A figure belongs to the line with its person, Budgetidentificatie, function
// and start. It is present unless a gap of SVB touches that person and the law
// of the line. What fits no line, or more than one, is summed
// nowhere. It is listed under a key of its own, `<person>/-/<function>/<start>`,
// which is no line's id, when its award begins inside the window; an award from
// before it may have no line here, and of that time nothing but dates is
// released.
type spending struct {
	byLine map[string]int64
	asOf   map[string]string // civil date up to and including which, where SVB said it
}

// takeSpends reads what SVB sends. Spending that another source sends, and
// figures out of bounds, are a gap: nothing is lost in silence.
func (v *view) takeSpends(a Answer) {
	for _, s := range a.Response.GetSpends() {
		if s == nil || s.Cents == nil && v.party(a.Source).Kind == budgetv1.KindSVB {
			continue // withheld
		}
		if v.party(a.Source).Kind != budgetv1.KindSVB || s.GetCents() < -maxAmount || s.GetCents() > maxAmount {
			v.gaps = append(v.gaps, unreadable(a, "", string(budgetv1.CategorySpending)))
			continue
		}
		start, _ := civil.Parse(s.GetStart())
		asOf, _ := civil.Parse(s.GetAsOf())
		v.spends = append(v.spends, spend{spendKey{string(a.Person), s.GetBudget(), s.GetFunction(), start}, s.GetCents(), asOf})
	}
}

// spent gives the figures that are known. Spending is cumulative: of several
// figures of one award the latest holds, and the larger of one day.
func (v *view) spent() spending {
	out := spending{map[string]int64{}, map[string]string{}}
	lines := v.awards()
	for _, s := range latest(v.spends) {
		place := lines[s.spendKey]
		switch {
		case len(place) != 1 || s.budget == "":
			v.aside(out, s)
		case !v.missing(budgetv1.KindSVB, s.person, v.lines[place[0]].GetLaw(), budgetv1.CategorySpending):
			out.put(v.lines[place[0]].GetId(), s)
		}
	}
	return out
}

// awards says which lines SVB may name how.
func (v *view) awards() map[spendKey][]int {
	lines := map[spendKey][]int{}
	for i, l := range v.lines {
		if len(v.spends) == 0 || !l.dated || l.GetDecision().GetBudget() == "" {
			continue
		}
		key := spendKey{l.GetPerson(), l.GetDecision().GetBudget(), l.GetProduct().GetCode(), l.term.span.From}
		if key.function != "" {
			lines[key] = append(lines[key], i)
		}
		if l.GetLaw() == budgetv1.LawWLZ && key.function != functionWlz {
			key.function = functionWlz
			lines[key] = append(lines[key], i)
		}
	}
	return lines
}

// latest gives one figure of each award, in an order of its own.
func latest(spends []spend) []spend {
	slices.SortFunc(spends, func(a, b spend) int {
		return cmp.Or(
			cmp.Compare(a.person, b.person), cmp.Compare(a.function, b.function), cmp.Compare(a.start, b.start),
			cmp.Compare(a.budget, b.budget), cmp.Compare(b.asOf, a.asOf), cmp.Compare(b.cents, a.cents),
		)
	})
	return slices.CompactFunc(spends, func(a, b spend) bool { return a.spendKey == b.spendKey })
}

func (s spending) put(id string, one spend) {
	s.byLine[id] = one.cents
	if !one.asOf.IsZero() {
		s.asOf[id] = one.asOf.String()
	}
}

// aside sets apart a figure that belongs to no line.
func (v *view) aside(figures spending, s spend) {
	if !v.q.Window.Contains(s.start) || v.missing(budgetv1.KindSVB, s.person, "", budgetv1.CategorySpending) {
		return
	}
	base := s.person + "/" + hidden + "/" + part(s.function) + "/" + s.start.String()
	key := base
	for n := 2; v.taken(figures.byLine, key); n++ {
		key = fmt.Sprintf("%s#%d", base, n)
	}
	figures.put(key, s)
}

func (v *view) taken(figures map[string]int64, key string) bool {
	_, figure := figures[key]
	_, isLine := v.line(key)
	return figure || isLine
}

// of sums what was spent of some lines; nil when nothing is known of them.
func (s spending) of(lines []string) *int64 {
	var sum *int64
	for _, id := range lines {
		if cents, ok := s.byLine[id]; ok {
			sum = new(deref(sum) + cents) // bounded by maxAmount a line
		}
	}
	return sum
}

// remaining gives by line id what is left of the whole award: the decided
// total, as far as the line was not cut short, less what was spent so far.
// It may be negative. Lines without a known figure are absent.
func (v *view) remaining() map[string]int64 {
	left := map[string]int64{}
	for id, spent := range v.spending.byLine {
		l, ok := v.line(id)
		if !ok || !l.isTotal() {
			continue
		}
		a, _ := l.money()
		if award, ok := l.term.value(a, l.term.span); ok {
			left[id] = award - spent
		}
	}
	return left
}

// overspent: more was paid out than was awarded.
func overspent(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for id, cents := range v.remaining() {
		if l, ok := v.line(id); ok && cents < 0 {
			found = append(found, about(l, budgetv1.FindingOverspent, budgetv1.SeverityWarning))
		}
	}
	return found
}
