package budget

import (
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// view is what was asked and answered, read once. Totals, matrix and findings
// look at it; after look nothing writes to it.
type view struct {
	q       Request
	answers []Answer
	persons []string // those of the request, then any other an answer speaks of
	lines   []line   // that touch the window, in the order of their ids
	past    []stay   // lines wholly outside the window, and history
	undated []right  // history of which the days were withheld
	gaps    []*budgetv1.Gap
	names   map[right]string // of the product of each right, also of those in the past

	spends       []spend       // as SVB sent them
	contribution []contributed // as CAK sent them

	// What follows from these.
	at            map[string]int          // place in lines by id
	own           map[string][]line       // lines by person, in the same order
	rights        map[right][]civil.Span  // the days of each right, history included
	wlz           map[string][]civil.Span // the days with a Wlz right, by person
	spending      spending
	contributions contributions
}

// right is what one line after another can continue: holes are looked for
// per person × law × product. The Wlz is one right: a changed profile, or another form,
// continues it.
type right struct{ person, law, product string }

func rightOf(person, law, product string) right {
	if law == budgetv1.LawWLZ {
		product = budgetv1.CodeWlzCare
	}
	return right{person, law, product}
}

// stay is a span of days in which there was a right.
type stay struct {
	right
	span civil.Span
}

// look reads the answers.
func look(q Request, answers []Answer) *view {
	v := &view{q: q, answers: answers, persons: persons(q, answers), names: map[right]string{}}
	for _, a := range answers {
		v.gaps = append(v.gaps, gapsOf(a)...)
		for _, m := range a.Response.GetLines() {
			v.take(a, m)
		}
		for _, h := range a.Response.GetHistory() {
			v.remember(a, h)
		}
		v.takeSpends(a)
		v.takeContributions(a)
	}
	v.lines = number(v.lines)
	v.arrange()
	v.attach()
	v.gaps = v.settle(v.gaps)
	v.contest()
	v.spent()
	v.contributions = v.contributed()
	return v
}

// arrange puts lines where they are looked for.
func (v *view) arrange() {
	v.at = make(map[string]int, len(v.lines))
	v.own = make(map[string][]line, len(v.persons))
	for i, l := range v.lines {
		v.at[l.GetId()] = i
		v.own[l.GetPerson()] = append(v.own[l.GetPerson()], l)
	}
	v.rights = v.stays()
	v.wlz = v.underWlz()
}

// take reads one line: into the window, or beside it.
func (v *view) take(a Answer, m *budgetv1.BudgetLine) {
	if m == nil {
		return
	}
	if m.GetFunder() != a.Source { // money is reported by who grants it
		v.gaps = append(v.gaps, unreadable(a, m.GetLaw(), ""))
		return
	}
	l := adopt(a, m)
	v.name(l.right(), m.GetProduct())
	if _, touches := l.term.span.Overlap(v.q.Window); l.dated && !touches {
		v.past = append(v.past, stay{l.right(), l.term.span})
		return
	}
	if !l.assess(v.q.Window) {
		v.gaps = append(v.gaps, unreadable(a, m.GetLaw(), l.moneyCategory()))
	}
	v.lines = append(v.lines, l)
}

// remember reads a line that ended before the window. It is never released.
func (v *view) remember(a Answer, h *budgetv1.HistoryLine) {
	t, ok := readTerm(h.GetPeriod())
	r := rightOf(string(a.Person), h.GetLaw(), h.GetProduct().GetCode())
	v.name(r, h.GetProduct())
	if !ok {
		v.undated = append(v.undated, r)
		return
	}
	v.past = append(v.past, stay{r, t.span})
}

// name remembers what the product of a right is called. Of two names the first in the
// alphabet counts, so that the order of the answers does not matter.
func (v *view) name(r right, p *budgetv1.Product) {
	if label := p.GetLabel(); label != "" && (v.names[r] == "" || label < v.names[r]) {
		v.names[r] = label
	}
}

// line finds a line by its id.
func (v *view) line(id string) (line, bool) {
	i, ok := v.at[id]
	if !ok {
		return line{}, false
	}
	return v.lines[i], true
}

// persons lists who gets a row. Somebody who was not asked about would be a
// mistake of the caller; they are shown rather than lost.
func persons(q Request, answers []Answer) []string {
	var known, others []string
	for _, p := range q.Persons {
		if ref := string(p.Ref); !slices.Contains(known, ref) {
			known = append(known, ref)
		}
	}
	for _, a := range answers {
		if ref := string(a.Person); !slices.Contains(known, ref) {
			others = append(others, ref)
		}
	}
	slices.Sort(others)
	return append(known, slices.Compact(others)...)
}

// messages gives the lines as they travel.
func (v *view) messages() []*budgetv1.BudgetLine {
	out := make([]*budgetv1.BudgetLine, len(v.lines))
	for i, l := range v.lines {
		out[i] = l.BudgetLine
	}
	return out
}

// party finds a party by its code; one that is not known has a code only.
func (v *view) party(code string) identity.Organisation {
	for _, p := range v.q.Parties {
		if p.Code == code {
			return p
		}
	}
	return identity.Organisation{Code: code}
}

// person finds a member of the household; one that is not known has a ref only.
func (v *view) person(ref string) Person {
	for _, p := range v.q.Persons {
		if string(p.Ref) == ref {
			return p
		}
	}
	return Person{}
}
