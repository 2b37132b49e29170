package budget

import (
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// How many days ahead something that ends is reported.
const (
	daysBeforeEnd     = 90 // of a right and of a legal basis
	daysBeforeConsent = 30 // of a consent
)

// soon reports whether a day comes after today, within so many days.
func (v *view) soon(d civil.Date, days int) bool {
	return d > v.q.Today && d <= v.q.Today+civil.Date(days)
}

// endings: a right ends within 90 days and nothing follows: no line of the same
// right, of whatever funder or form, and no Wlz right that takes it over.
func endings(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, l := range v.lines {
		end := l.term.span.To
		if !l.dated || !v.soon(end, daysBeforeEnd) || v.followed(l) {
			continue
		}
		f := about(l, budgetv1.FindingIndicationEnds, budgetv1.SeverityWarning)
		f.Date = end.String()
		found = append(found, f)
	}
	return found
}

// followed reports whether something follows a line, or that it is no right that can
// be followed: a benefit, a one-off, or one of which the name was withheld.
func (v *view) followed(l line) bool {
	spans, hasDuration := v.rights[l.right()]
	after := func(s civil.Span) bool {
		return s.From <= l.term.span.To+1 && s.Until() > l.term.span.To
	}
	a, _ := l.money()
	return !hasDuration || a.GetBasis() == oneOff || slices.ContainsFunc(spans, after) ||
		v.takenOver(l.right(), l.term.span) || v.mayGoOn(l.right()) || v.mayHaveGoneOn(l.right(), after)
}

// mayHaveGoneOn reports whether beside the window there is something of which the
// name was withheld and that could be what follows.
func (v *view) mayHaveGoneOn(r right, after func(civil.Span) bool) bool {
	return slices.ContainsFunc(v.past, func(s stay) bool {
		same := s.law == "" || s.law == r.law && (s.product == "" || s.product == r.product)
		return s.person == r.person && same && after(s.span)
	})
}

// consentsEnding: a consent that an answer rests on ends within 30 days, today
// included.
func consentsEnding(v *view) []*budgetv1.Finding {
	var found []*budgetv1.Finding
	for _, a := range v.answers {
		if a.Response != nil && (a.ConsentUntil == v.q.Today && a.ConsentUntil != 0 || v.soon(a.ConsentUntil, daysBeforeConsent)) {
			found = append(found, onDay(a, budgetv1.FindingConsentExpires, a.ConsentUntil))
		}
	}
	return found
}

// ageOfConsent: a consent that an answer rests on lapses by age before it would
// end: from that birthday others must sign (UAVG 5 for the 16th).
func ageOfConsent(v *view) []*budgetv1.Finding {
	codes := map[int]string{
		12: budgetv1.FindingConsentRenewAt12,
		16: budgetv1.FindingConsentRenewAt16,
		18: budgetv1.FindingConsentRenewAt18,
	}
	var found []*budgetv1.Finding
	for _, a := range v.answers {
		code, ok := codes[a.LapsesAt]
		inTime := a.ConsentUntil == 0 || a.ConsentLapses <= a.ConsentUntil+1
		if ok && a.Response != nil && a.ConsentLapses > v.q.Today && inTime {
			found = append(found, onDay(a, code, a.ConsentLapses))
		}
	}
	return found
}

// onDay is a finding about a person and a day. It names no source: which one
// was asked concerns nobody else.
func onDay(a Answer, code string, d civil.Date) *budgetv1.Finding {
	return &budgetv1.Finding{Code: code, Severity: budgetv1.SeverityWarning, Person: string(a.Person), Date: d.String()}
}

// basisEnds: the legal basis for pooling ends inside what is left of the window,
// or within 90 days. From the day after, every euro stays with its law.
func basisEnds(v *view) []*budgetv1.Finding {
	if v.q.LegalBasis == nil {
		return nil
	}
	end, err := civil.Parse(v.q.LegalBasis.GetTo())
	if err != nil || end < v.q.Today || end > v.q.Window.Until() && !v.soon(end, daysBeforeEnd) {
		return nil
	}
	return []*budgetv1.Finding{{
		Code: budgetv1.FindingLegalBasisEnds, Severity: budgetv1.SeverityWarning, Date: end.String(),
	}}
}
