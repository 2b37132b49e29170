package budget

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// functionWlz is the one function of a Wlz award (iPgb 501). The line may have the
// care profile as its product, so a Wlz line answers to it as well.
const functionWlz = "99"

// spend is what SVB paid out of one function of one budget in one slice of its period, as
// it was known on a day.
type spend struct {
	person, budget, function string
	law, funder              string // the funder's code in its own field; both may be unknown
	slice                    civil.Span
	cents                    int64
	asOf                     civil.Date // no date: before every date
}

// spending is what was spent so far, in cents.
//
// A figure belongs to the line of the chain of budgets that its number is in, with its
// function, in whose period its slice begins. A slice is a calendar year of a line, or all
// of it: of one slice the newest figure counts, under whichever number it was told, and
// slices add up. What was spent is present unless a gap of SVB touches that person and
// the law of the line. What fits no line, or more than one, is a finding and summed
// nowhere. It is kept under a key of its own, `<person>/-/<function>/<start>`, which is no
// line's id, when its slice begins inside the window; an award from before it may have no
// line here, and of that time nothing but dates is released.
type spending struct {
	byLine map[string]int64
	asOf   map[string]string // civil date up to and including which, where SVB said it
	// whole: the figures reach from the start of the line to the year of today, or to its
	// end. Else what is left of the award is not known.
	whole map[string]bool
	// disputed are lines of which SVB told two figures of one slice and one day.
	disputed []string
	// unmatched are the figures that belong to no line.
	unmatched []spend
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
		one := spend{
			person: string(a.Person), budget: s.GetBudget(), function: s.GetFunction(),
			law: s.GetLaw(), funder: s.GetFunder(), cents: s.GetCents(),
		}
		one.slice.From, _ = civil.Parse(s.GetStart())
		one.slice.To, _ = civil.Parse(s.GetEnd())
		one.asOf, _ = civil.Parse(s.GetAsOf())
		v.spends = append(v.spends, one)
	}
}

// attach finds the line of each figure, and adds up what counts. A contradiction is a gap
// of whoever told it.
func (v *view) attach() {
	out := spending{byLine: map[string]int64{}, asOf: map[string]string{}, whole: map[string]bool{}}
	of := map[string][]spend{}
	for _, s := range v.spends {
		if id := v.paidFrom(s); id != "" {
			of[id] = append(of[id], s)
		} else {
			out.unmatched = append(out.unmatched, s)
		}
	}
	for _, l := range v.lines {
		if figures := of[l.GetId()]; len(figures) > 0 && !out.add(l, figures, v.q.Today) {
			out.disputed = append(out.disputed, l.GetId())
			v.disputedSpending(l)
		}
	}
	v.spending = out
}

// disputedSpending makes what was spent of a line a gap.
func (v *view) disputedSpending(l line) {
	for _, a := range v.answers {
		if string(a.Person) == l.GetPerson() && v.party(a.Source).Kind == budgetv1.KindSVB {
			v.gaps = append(v.gaps, a.own(&budgetv1.Gap{
				Reason: budgetv1.ReasonBadDataAtSource, Code: budgetv1.GapVersionConflict,
				Laws: some(l.GetLaw()), Categories: some(string(budgetv1.CategorySpending)),
			}))
		}
	}
}

// paidFrom gives the id of the line that a figure belongs to; empty when there is none, or
// when it could be more than one.
func (v *view) paidFrom(s spend) string {
	var found, whole []string
	for _, l := range v.own[s.person] {
		if !l.dated || !l.inChain(s.budget) || !l.answersTo(s) || !l.term.span.Contains(s.slice.From) {
			continue
		}
		// A figure up to the day it was drawn up may be of a budget that has ended before. Else
		// a row that does not contain the slice is not the one it is of.
		if s.slice.To != s.asOf && s.slice.To > l.lastEnd() {
			continue
		}
		found = append(found, l.GetId())
		if s.slice.Until() <= l.term.span.Until() {
			whole = append(whole, l.GetId())
		}
	}
	if len(whole) == 1 {
		found = whole
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// inChain reports whether a number is that of the line's budget, or one it had before.
func (l line) inChain(number string) bool {
	d := l.GetDecision()
	return number != "" && (d.GetBudget() == number || slices.Contains(d.GetEarlierBudgets(), number))
}

// answersTo reports whether law, funder and function of a figure are those of a line, as
// far as both are known.
func (l line) answersTo(s spend) bool {
	code := l.GetProduct().GetCode()
	function := s.function != "" && (code == s.function || l.GetLaw() == budgetv1.LawWLZ && s.function == functionWlz)
	return function && (s.law == "" || l.GetLaw() == "" || s.law == l.GetLaw()) && isCodeOf(s.funder, l.GetFunder())
}

// isCodeOf reports whether a funder's code in its own field is that of a party, which ends
// in it; of a party without such a code, and of no code, nobody can say.
func isCodeOf(code, party string) bool {
	digits := party[len(strings.TrimRight(party, "0123456789")):]
	return code == "" || digits == "" || digits == code
}

// lastEnd is the last day that a line ever had: a slice may be of before it was cut short.
func (l line) lastEnd() civil.Date {
	end := l.term.span.Until()
	if was, err := civil.Parse(l.GetPeriod().GetOriginalEnd()); err == nil {
		end = max(end, was)
	}
	return end
}

// add takes of each slice of a line the newest figure, and adds those up; it reports
// whether that could be done. An older figure over days that a newer one of another slice
// covers is a version of it.
func (s spending) add(l line, figures []spend, today civil.Date) bool {
	slices.SortFunc(figures, func(a, b spend) int {
		return cmp.Or(
			cmp.Compare(b.asOf, a.asOf), cmp.Compare(a.slice.From, b.slice.From), cmp.Compare(b.slice.Until(), a.slice.Until()),
			cmp.Compare(a.cents, b.cents), cmp.Compare(a.budget, b.budget),
		)
	})
	var taken []spend
	for _, f := range figures {
		i := slices.IndexFunc(taken, func(t spend) bool {
			_, over := t.slice.Overlap(f.slice)
			if t.slice.To != 0 && f.slice.To != 0 { // closed: two that share no day are two slices
				return over
			}
			return t.slice.From.Year() == f.slice.From.Year()
		})
		switch {
		case i < 0:
			taken = append(taken, f)
		case taken[i].asOf == f.asOf && taken[i].cents != f.cents && taken[i].slice.From.Year() == f.slice.From.Year():
			return false
		}
	}
	last := slices.MaxFunc(taken, func(a, b spend) int { return cmp.Compare(a.slice.From, b.slice.From) })
	id, years := l.GetId(), map[int]bool{}
	for _, t := range taken {
		s.byLine[id] += t.cents // at most 256 of them, each of maxAmount
		until := t.slice.To
		if until == 0 { // as long as it was known
			until = max(t.slice.From, t.asOf)
		}
		for y := t.slice.From.Year(); y <= until.Year(); y++ {
			years[y] = true
		}
	}
	if !last.asOf.IsZero() {
		s.asOf[id] = last.asOf.String()
	}
	s.whole[id] = true
	for y := l.term.span.From.Year(); y <= min(l.term.span.Until(), max(today, l.term.span.From)).Year(); y++ {
		s.whole[id] = s.whole[id] && years[y]
	}
	return true
}

// spent keeps of the figures those that SVB told all of.
func (v *view) spent() {
	for id := range v.spending.byLine {
		l, _ := v.line(id)
		if v.missing(budgetv1.KindSVB, l.GetPerson(), l.GetLaw(), budgetv1.CategorySpending) {
			delete(v.spending.byLine, id)
			delete(v.spending.asOf, id)
			delete(v.spending.whole, id)
		}
	}
	slices.SortFunc(v.spending.unmatched, func(a, b spend) int {
		return cmp.Or(
			cmp.Compare(a.person, b.person), cmp.Compare(a.function, b.function), cmp.Compare(a.slice.From, b.slice.From),
			cmp.Compare(a.budget, b.budget), cmp.Compare(b.asOf, a.asOf), cmp.Compare(a.cents, b.cents),
		)
	})
	sameSlice := func(a, b spend) bool {
		return a.person == b.person && a.function == b.function && a.slice.From == b.slice.From && a.budget == b.budget
	}
	for _, s := range slices.CompactFunc(slices.Clone(v.spending.unmatched), sameSlice) { // the newest of each
		v.aside(s)
	}
}

// aside keeps a figure that belongs to no line.
func (v *view) aside(s spend) {
	if !v.q.Window.Contains(s.slice.From) || v.missing(budgetv1.KindSVB, s.person, "", budgetv1.CategorySpending) {
		return
	}
	base := s.person + "/" + hidden + "/" + part(s.function) + "/" + s.slice.From.String()
	key := base
	for n := 2; v.taken(key); n++ {
		key = fmt.Sprintf("%s#%d", base, n)
	}
	v.spending.byLine[key] = s.cents
	if !s.asOf.IsZero() {
		v.spending.asOf[key] = s.asOf.String()
	}
}

func (v *view) taken(key string) bool {
	_, figure := v.spending.byLine[key]
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

// remaining gives by line id what is left of the whole award: the newest total less what
// was spent so far. It may be negative. Lines of which not all that was spent is known are
// absent.
func (v *view) remaining() map[string]int64 {
	left := map[string]int64{}
	for id, spent := range v.spending.byLine {
		l, ok := v.line(id)
		if !ok || !l.isTotal() || !v.spending.whole[id] {
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

// spendingDisputed: SVB told two figures of one slice on one day.
func spendingDisputed(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, id := range v.spending.disputed {
		l, _ := v.line(id)
		found = append(found, about(l, budgetv1.FindingConflict, budgetv1.SeverityError))
	}
	return found
}

// spendingUnmatched: SVB paid in the window out of a budget that is not in this one. It is
// no finding where the gap of its funder says why, or where numbers are withheld.
func spendingUnmatched(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, s := range v.spending.unmatched {
		_, touches := s.slice.Overlap(v.q.Window)
		if s.budget == "" || s.function == "" || s.slice.From == 0 || !touches || v.mayBePaidFrom(s) {
			continue
		}
		f := &budgetv1.Finding{
			Code: budgetv1.FindingSpendingUnmatched, Severity: budgetv1.SeverityWarning,
			Person: s.person, Law: s.law, Product: s.function, From: s.slice.From.String(),
		}
		if s.slice.To != 0 {
			f.To, f.Days = s.slice.To.String(), int32(s.slice.Days())
		}
		found = append(found, f)
	}
	return found
}

// mayBePaidFrom reports whether a figure could belong to a line that is missing, or to one
// that does not show its number.
func (v *view) mayBePaidFrom(s spend) bool {
	missing := slices.ContainsFunc(v.touching(s.person, s.law), func(g *budgetv1.Gap) bool { return isCodeOf(s.funder, g.GetSource()) })
	return missing || slices.ContainsFunc(v.own[s.person], func(l line) bool {
		return l.GetDecision().GetBudget() == "" && l.GetDeliveryForm() == budgetv1.FormPGB && l.isAward() && l.answersTo(s)
	})
}
