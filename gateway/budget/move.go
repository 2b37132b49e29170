package budget

import (
	"cmp"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// change is a day from which a person has another municipality or care office.
type change struct {
	person string
	date   civil.Date
}

// moves: the municipality or the care office changes inside the window, reported
// once for each day with everybody and every line it is about: the lines of
// municipalities and care offices in force on the day or on the day before.
func moves(v *view) []*budgetv1.Finding {
	days := map[civil.Date]*budgetv1.Finding{}
	for _, c := range slices.Concat(v.residences(), v.successions()) {
		if !v.q.Window.Contains(c.date) {
			continue
		}
		if days[c.date] == nil {
			days[c.date] = &budgetv1.Finding{
				Code: budgetv1.FindingMoveFunderChange, Severity: budgetv1.SeverityWarning, Date: c.date.String(),
			}
		}
		f := days[c.date]
		f.Persons = append(f.Persons, c.person)
		f.Lines = append(f.Lines, v.around(c)...)
	}
	var found []*budgetv1.Finding
	for _, f := range days {
		f.Persons = among(f.Persons, "")
		if len(f.Persons) == 1 {
			f.Person = f.Persons[0]
		}
		found = append(found, f)
	}
	return found
}

// residences lists the days on which somebody moved to another municipality.
func (v *view) residences() []change {
	var all []change
	for _, p := range v.q.Persons {
		stays := slices.SortedFunc(slices.Values(p.Residences), func(a, b Residence) int {
			return cmp.Or(cmp.Compare(a.Span.From, b.Span.From), cmp.Compare(a.Municipality, b.Municipality))
		})
		for i := 1; i < len(stays); i++ {
			from, to := stays[i-1].Municipality, stays[i].Municipality
			if from != "" && to != "" && from != to && !stays[i].Span.From.IsZero() {
				all = append(all, change{string(p.Ref), stays[i].Span.From})
			}
		}
	}
	return all
}

// successions lists the days on which one municipality or care office takes a
// right over from another: its line begins the day after the other's ends.
func (v *view) successions() []change {
	type seam struct {
		right
		kind string
		day  civil.Date
	}
	ends := map[seam][]string{}
	of := func(l line, day civil.Date) (seam, bool) {
		s := seam{l.right(), v.party(l.GetFunder()).Kind, day}
		return s, l.dated && s.law != "" && s.product != "" && local(s.kind)
	}
	for _, l := range v.lines {
		if s, ok := of(l, l.term.span.Until()+1); ok {
			ends[s] = append(ends[s], l.GetFunder())
		}
	}
	var all []change
	for _, l := range v.lines {
		s, ok := of(l, l.term.span.From)
		if ok && len(ends[s]) > 0 && !slices.Contains(ends[s], l.GetFunder()) {
			all = append(all, change{l.GetPerson(), l.term.span.From})
		}
	}
	return all
}

// local reports whether a funder goes by where somebody lives.
func local(kind string) bool {
	return kind == budgetv1.KindMunicipality || kind == budgetv1.KindCareOffice
}

// around lists the lines that a change touches.
func (v *view) around(c change) []string {
	var ids []string
	for _, l := range v.own[c.person] {
		touched := l.dated && (l.term.span.Contains(c.date) || l.term.span.Contains(c.date-1))
		if touched && local(v.party(l.GetFunder()).Kind) && len(ids) < mostListed {
			ids = append(ids, l.GetId())
		}
	}
	return ids
}

// continuity: a child with youth care moved inside the window or the year before.
// On request the same provider goes on for at most a year from the move (Jw 2.7a lid 1);
// without one the new municipality provides the like for as long (lid 3). With stay the old
// one stays responsible (Jw 1.1, woonplaats), and there is nothing to continue. The date is
// the last day of it. It holds for care that ran on the eve of the move,
// or that the new municipality has granted from that very day.
func continuity(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, c := range v.residences() {
		last := c.date.Birthday(1) - 1
		born := v.person(c.person).Born
		child := born.IsZero() || c.date < born.Birthday(18)
		if !child || c.date > v.q.Window.Until() || last < v.q.Window.From || !v.youthCare(c) {
			continue
		}
		f := &budgetv1.Finding{
			Code: budgetv1.FindingContinuityLimit, Severity: budgetv1.SeverityWarning,
			Person: c.person, Law: budgetv1.LawJW, Date: last.String(),
		}
		for _, l := range v.own[c.person] {
			if l.isAmbulatory() && l.term.span.Contains(c.date) && len(f.Lines) < mostListed {
				f.Lines = append(f.Lines, l.GetId())
			}
		}
		found = append(found, f)
	}
	return found
}

// youthCare reports whether there was youth care to continue, among the lines of the
// window: what ended before it serves to find holes and nothing else.
func (v *view) youthCare(c change) bool {
	return slices.ContainsFunc(v.own[c.person], func(l line) bool {
		return l.isAmbulatory() && (l.term.span.Contains(c.date-1) || l.term.span.From == c.date)
	})
}

// isAmbulatory reports whether the line is youth care without stay, on days that are known:
// of JZ020, 35 to 38, 43 and 44 are with stay. A product that was withheld may be either.
func (l line) isAmbulatory() bool {
	code := l.GetProduct().GetCode()
	withStay := slices.Contains([]string{"35", "36", "37", "38", "43", "44"}, code)
	return l.dated && l.GetLaw() == budgetv1.LawJW && code != "" && !withStay
}
