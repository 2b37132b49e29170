package budget

import (
	"cmp"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// holes: a hole between two lines of one right, or an end inside the window
// without a successor, unless age or a priority law ended it (contracts 32).
// Funder and delivery form do not matter: a right that another municipality or
// another form continues has no hole.
func holes(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for r, spans := range v.stays() {
		found = append(found, v.holesOf(r, spans)...)
	}
	return found
}

// stays gathers the spans of each right, history included.
func (v *view) stays() map[right][]civil.Span {
	rights := map[right][]civil.Span{}
	for _, l := range v.lines {
		a, _ := l.money()
		if l.dated && l.GetFungibility() != income && a.GetBasis() != oneOff {
			note(rights, stay{l.right(), l.term.span})
		}
	}
	for _, s := range v.past {
		note(rights, s)
	}
	return rights
}

// note leaves out what has no duration to have a hole in: benefits, which are
// income, and what lasted a day. Of history nothing but dates is told, and a
// one-off is its only line of one day.
func note(rights map[right][]civil.Span, s stay) {
	benefit := slices.Contains([]string{"WIA", "WAJONG", "WW", "ZW", "PW"}, s.law)
	if benefit || s.law == "" || s.product == "" || s.span.Days() <= 1 {
		return
	}
	rights[s.right] = append(rights[s.right], s.span)
}

// holesOf walks along the spans of one right; last is the one that lasts
// longest of those passed.
func (v *view) holesOf(r right, spans []civil.Span) []*budgetv1.Finding {
	slices.SortFunc(spans, func(a, b civil.Span) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until(), b.Until()))
	})
	var found []*budgetv1.Finding
	last := spans[0]
	for _, s := range spans[1:] {
		if s.From > last.Until()+1 && !v.takenOver(r, last) {
			found = append(found, v.hole(r, civil.Span{From: last.To + 1, To: s.From - 1})...)
		}
		if s.Until() > last.Until() {
			last = s
		}
	}
	if v.q.Window.Contains(last.Until()) && !v.ofAge(r, last) && !v.takenOver(r, last) {
		found = append(found, v.hole(r, civil.Span{From: last.Until() + 1, To: v.q.Window.Until()})...)
	}
	return found
}

// hole tells of the part of a hole that lies in the window, if any.
func (v *view) hole(r right, days civil.Span) []*budgetv1.Finding {
	inside, ok := days.Overlap(v.q.Window)
	if !ok {
		return nil
	}
	return []*budgetv1.Finding{{
		Code: gapInRight, Severity: severityWarning,
		Person: r.person, Law: r.law, Product: r.product,
		From: inside.From.String(), To: inside.To.String(), Days: int32(inside.Days()),
	}}
}

// ofAge tells that a youth right ended because its holder turned 18 (Jw 1.1):
// its last day is the day before his birthday, or the birthday itself.
func (v *view) ofAge(r right, s civil.Span) bool {
	born := v.person(r.person).Born
	if r.law != "JW" || born.IsZero() {
		return false
	}
	birthday := born.Birthday(18)
	return s.To == birthday-1 || s.To == birthday
}

// takenOver tells that the Wlz took the right over (Wlz goes first: Jw 1.2,
// Wmo 2.3.5 lid 6): a Wlz line that began later than this one is in force on
// the day after its end.
func (v *view) takenOver(r right, s civil.Span) bool {
	if !slices.Contains([]string{"WMO", "JW", "ZVW"}, r.law) {
		return false
	}
	took := func(law, person string, wlz civil.Span) bool {
		return law == "WLZ" && person == r.person && wlz.From > s.From && wlz.Contains(s.Until()+1)
	}
	return slices.ContainsFunc(v.lines, func(l line) bool {
		return l.dated && took(l.GetLaw(), l.GetPerson(), l.term.span)
	}) || slices.ContainsFunc(v.past, func(p stay) bool { return took(p.law, p.person, p.span) })
}
