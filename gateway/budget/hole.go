package budget

import (
	"cmp"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// holes: a hole between two lines of one right, or an end inside the window
// without a successor, unless age or a priority law ended it.
// Funder and delivery form do not matter: a right that another municipality or
// another form continues has no hole.
func holes(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for r, spans := range v.rights {
		if !v.mayGoOn(r) {
			found = append(found, v.holesOf(r, spans)...)
		}
	}
	return found
}

// withPackages are the spans of a right with those that go on for it: a whole package
// (99) of its law, and of a whole package every right of the law.
func (v *view) withPackages(r right, spans []civil.Span) []civil.Span {
	if r.law != budgetv1.LawWMO && r.law != budgetv1.LawJW {
		return spans
	}
	all := slices.Clone(spans)
	for other, more := range v.rights {
		if other != r && other.person == r.person && other.law == r.law && (r.product == whole || other.product == whole) {
			all = append(all, more...)
		}
	}
	inOrder(all)
	return all
}

// mayGoOn reports whether a line of which the law, the product or the period was
// withheld could be a part of this right: then nobody can say where it stops.
func (v *view) mayGoOn(r right) bool {
	unknown := func(given, wanted string) bool { return given == "" || given == wanted }
	return slices.ContainsFunc(v.own[r.person], func(l line) bool {
		of := l.right()
		known := l.dated && of.law != "" && of.product != ""
		return !known && unknown(of.law, r.law) && unknown(of.product, r.product)
	})
}

// stays gathers the spans of each right, history included, in order.
func (v *view) stays() map[right][]civil.Span {
	rights := map[right][]civil.Span{}
	for _, l := range v.lines {
		a, _ := l.money()
		if l.dated && l.GetFungibility() != budgetv1.MoneyIncome && a.GetBasis() != oneOff {
			note(rights, stay{l.right(), l.term.span})
		}
	}
	for _, s := range v.past {
		note(rights, s)
	}
	for _, spans := range rights {
		inOrder(spans)
	}
	return rights
}

func inOrder(spans []civil.Span) {
	slices.SortFunc(spans, func(a, b civil.Span) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until(), b.Until()))
	})
}

// underWlz gathers the days on which each person has a Wlz right.
func (v *view) underWlz() map[string][]civil.Span {
	days := map[string][]civil.Span{}
	for _, l := range v.lines {
		if l.dated && l.GetLaw() == budgetv1.LawWLZ {
			days[l.GetPerson()] = append(days[l.GetPerson()], l.term.span)
		}
	}
	for _, s := range v.past {
		if s.law == budgetv1.LawWLZ {
			days[s.person] = append(days[s.person], s.span)
		}
	}
	return days
}

// note leaves out what has no duration to have a hole in: benefits, which are
// income, and what lasted a day. Of history nothing but dates is known, and a
// one-off is its only line of one day.
func note(rights map[right][]civil.Span, s stay) {
	benefit := slices.Contains([]string{
		budgetv1.LawWIA, budgetv1.LawWAO, budgetv1.LawWAJONG, budgetv1.LawWW, budgetv1.LawZW, budgetv1.LawTW, budgetv1.LawPW,
	}, s.law)
	if benefit || s.law == "" || s.product == "" || s.span.Days() <= 1 {
		return
	}
	rights[s.right] = append(rights[s.right], s.span)
}

// holesOf walks along the spans of one right; last is the one that lasts
// longest of those passed. A hole after what is not its own is of another right.
func (v *view) holesOf(r right, own []civil.Span) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	spans := v.withPackages(r, own)
	last := spans[0]
	for _, s := range spans[1:] {
		if s.From > last.Until()+1 && slices.Contains(own, last) && !v.takenOver(r, last) {
			found = append(found, v.hole(r, civil.Span{From: last.To + 1, To: s.From - 1})...)
		}
		if s.Until() > last.Until() {
			last = s
		}
	}
	if v.q.Window.Contains(last.Until()) && slices.Contains(own, last) && !v.ofAge(r, last) && !v.takenOver(r, last) {
		found = append(found, v.hole(r, civil.Span{From: last.Until() + 1, To: v.q.Window.Until()})...)
	}
	return found
}

// hole reports the part of a hole that lies in the window, if any.
func (v *view) hole(r right, days civil.Span) []*budgetv1.Finding {
	inside, ok := days.Overlap(v.q.Window)
	if !ok {
		return nil
	}
	return []*budgetv1.Finding{{
		Code: budgetv1.FindingGap, Severity: budgetv1.SeverityWarning,
		Person: r.person, Law: r.law, Product: r.product,
		From: inside.From.String(), To: inside.To.String(), Days: int32(inside.Days()),
	}}
}

// ofAge reports whether a youth right ended because its holder turned 18 (Jw 1.1):
// its last day is the day before their birthday, or the birthday itself.
func (v *view) ofAge(r right, s civil.Span) bool {
	born := v.person(r.person).Born
	if r.law != budgetv1.LawJW || born.IsZero() {
		return false
	}
	birthday := born.Birthday(18)
	return s.To == birthday-1 || s.To == birthday
}

// takenOver reports whether the Wlz took the right over (Wlz goes first: Jw 1.2,
// Wmo 2.3.5 lid 6): a Wlz line that began later than this one is in force on
// the day after its end, or may be: of a line whose law or days were withheld
// nobody can say that it is not.
func (v *view) takenOver(r right, s civil.Span) bool {
	if !slices.Contains([]string{budgetv1.LawWMO, budgetv1.LawJW, budgetv1.LawZVW}, r.law) {
		return false
	}
	return v.wlzUnseen(r.person) || slices.ContainsFunc(v.wlz[r.person], func(wlz civil.Span) bool {
		return wlz.From > s.From && wlz.Contains(s.Until()+1)
	})
}

// wlzUnseen reports whether somebody may have a Wlz right on days nobody can see.
func (v *view) wlzUnseen(person string) bool {
	return slices.ContainsFunc(v.own[person], func(l line) bool {
		return l.GetLaw() == "" || l.GetLaw() == budgetv1.LawWLZ && !l.dated
	}) || slices.ContainsFunc(v.undated, func(r right) bool {
		return r.person == person && (r.law == "" || r.law == budgetv1.LawWLZ)
	})
}
