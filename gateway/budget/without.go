package budget

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Left is an answer in a budget that may not be released any more, and the gap that comes
// in its place. Person and source of the gap are filled in here.
type Left struct {
	Person identity.PersonRef
	Source string // party code
	Gap    *budgetv1.Gap
	// Detail selects the text of the gap, where it says more than reason and code: one of
	// budgetv1.GapDetails. Empty: the code does.
	Detail string
}

// Without is the budget as it may be released when some answers in it may not be: a
// projection, without receipt and signature, of which lines, figures, findings, matrix,
// totals, sources and gaps fit each other. The budget is not changed.
//
// What follows from lines and gaps is drawn up anew, by the rules of Assemble, so that it
// is what a request with these gaps would have given: totals, contested money, the
// person's row, and the findings about lines that meet. What needs more than a budget
// holds (history, birth dates, places, the days of consents) cannot be: it stands where
// nothing that it rests on was left out, and is left out otherwise. So less may be released
// than a new request would release, and never something else. Three things differ from a
// new request: a line keeps its id, by which a plan names it; what was spent of a line
// that is left out goes with it; and of somebody of whom no answer is left no birthday
// is reported.
func Without(b *budgetv1.Budget, left []Left, parties identity.Directory, text Texts) *budgetv1.Budget {
	out := proto.CloneOf(b)
	out.Receipt, out.Signature = nil, ""
	if len(left) == 0 {
		return out
	}
	r := remainder{view: again(out, left, parties, text), left: left}
	r.sum(out)
	out.OwnContributionCents = r.contributions.total
	out.Lines = r.messages()
	out.CarryOverCents, out.SpentCents, out.RemainingCents = r.carryOver(), r.spending.byLine, r.remaining()
	out.SpentAsOf = r.spending.asOf
	out.Matrix = r.rows(b.GetMatrix())
	out.Findings = r.worded(append(r.drawn(), r.standing(out.GetFindings())...))
	out.Gaps, out.Complete = r.gaps, len(r.gaps) == 0
	for i, a := range r.answers {
		if r.gone(string(a.Person), a.Source) {
			out.Sources[i] = report(a)
		}
	}
	return out
}

// Instead are the gaps in the place of answers that are left out.
func Instead(gaps []*budgetv1.Gap, left []Left) []*budgetv1.Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(gap *budgetv1.Gap) bool {
		return !slices.ContainsFunc(left, func(l Left) bool {
			return string(l.Person) == gap.GetPerson() && l.Source == gap.GetSource()
		})
	})
}

// remainder is a budget that was read back, without what may not be released.
type remainder struct {
	*view
	left []Left
}

// again reads a budget back as far as it holds what it was assembled of. Answers stand
// in the order of its source reports.
func again(b *budgetv1.Budget, left []Left, parties identity.Directory, text Texts) *view {
	v := &view{q: Request{Parties: parties, Text: text, LegalBasis: b.GetLegalBasis()}, names: map[right]string{}}
	v.q.Window.From, _ = civil.Parse(b.GetWindow().GetFrom()) // assembled, so they can be read
	v.q.Window.To, _ = civil.Parse(b.GetWindow().GetTo())
	v.q.Today, _ = civil.Parse(b.GetToday())
	r := remainder{v, left}
	for _, row := range b.GetMatrix() {
		v.persons = append(v.persons, row.GetPerson())
	}
	for _, g := range b.GetGaps() {
		if !r.gone(g.GetPerson(), g.GetSource()) {
			v.gaps = append(v.gaps, g)
		}
	}
	for _, s := range b.GetSources() {
		a := Answer{Person: identity.PersonRef(s.GetPerson()), Source: s.GetSource()}
		if i := r.index(s.GetPerson(), s.GetSource()); i >= 0 {
			a.Gaps = []*budgetv1.Gap{left[i].Gap}
			for _, g := range gapsOf(a) {
				v.wordGap(g, cmp.Or(left[i].Detail, g.GetCode()))
				v.gaps = append(v.gaps, g)
			}
		} else if s.Disclosed() {
			a.Response = &budgetv1.FetchResponse{}
		}
		v.answers = append(v.answers, a)
	}
	v.gaps = v.settle(v.gaps)
	for _, m := range b.GetLines() {
		if !r.gone(m.GetPerson(), m.GetFunder()) {
			l := line{BudgetLine: m}
			l.term, l.dated = readTerm(m.GetPeriod())
			l.Contested = false
			v.name(l.right(), m.GetProduct())
			v.lines = append(v.lines, l)
		}
	}
	v.arrange()
	v.contest()
	v.spending = r.spentOf(b)
	v.contributions = r.contributedOf(b)
	return v
}

func (r remainder) index(person, source string) int {
	return slices.IndexFunc(r.left, func(l Left) bool { return string(l.Person) == person && l.Source == source })
}

// gone reports whether what a source answered about a person is left out.
func (r remainder) gone(person, source string) bool { return r.index(person, source) >= 0 }

// touched reports whether something of a person is left out that one accepts.
func (r remainder) touched(person string, one func(source identity.Organisation) bool) bool {
	return slices.ContainsFunc(r.left, func(l Left) bool { return string(l.Person) == person && one(r.party(l.Source)) })
}

// everySource accepts them all.
func everySource(identity.Organisation) bool { return true }

// ofKind accepts sources of a kind.
func ofKind(kind string) func(identity.Organisation) bool {
	return func(p identity.Organisation) bool { return p.Kind == kind }
}

// ofLaw accepts the sources of a law.
func ofLaw(law string) func(identity.Organisation) bool {
	return func(p identity.Organisation) bool { return law == "" || slices.Contains(p.Laws, law) }
}

// spentOf is what was spent, as far as SVB may disclose of the person and the funder of
// the line.
func (r remainder) spentOf(b *budgetv1.Budget) spending {
	out := spending{byLine: map[string]int64{}, asOf: map[string]string{}, whole: map[string]bool{}}
	removed := map[string]bool{}
	for _, m := range b.GetLines() {
		removed[m.GetId()] = r.gone(m.GetPerson(), m.GetFunder())
	}
	for id, cents := range b.GetSpentCents() {
		person, _, _ := strings.Cut(id, "/")
		if !removed[id] && !r.touched(person, ofKind(budgetv1.KindSVB)) {
			out.byLine[id] = cents
			_, out.whole[id] = b.GetRemainingCents()[id]
			if day, known := b.GetSpentAsOf()[id]; known {
				out.asOf[id] = day
			}
		}
	}
	return out
}

// contributedOf is what CAK may disclose. What the household pays is not known when CAK may
// not disclose it of everybody.
func (r remainder) contributedOf(b *budgetv1.Budget) contributions {
	out := contributions{total: b.OwnContributionCents, byLaw: map[share]int64{}}
	whole := !slices.ContainsFunc(r.left, func(l Left) bool { return r.party(l.Source).Kind == budgetv1.KindCAK })
	if !whole {
		out.total = nil
	}
	for _, row := range b.GetMatrix() {
		for _, c := range row.GetCells() {
			if c.OwnContributionCents != nil && !r.touched(row.GetPerson(), ofKind(budgetv1.KindCAK)) {
				out.byLaw[share{row.GetPerson(), c.GetLaw()}] = c.GetOwnContributionCents()
			}
		}
	}
	return out
}

// rows are those of the budget, under the laws that are left, anew for everybody of whom
// something is left out.
func (r remainder) rows(old []*budgetv1.MatrixRow) []*budgetv1.MatrixRow {
	columns, out := r.columns(), make([]*budgetv1.MatrixRow, len(old))
	for i, row := range old {
		out[i] = &budgetv1.MatrixRow{Person: row.GetPerson()}
		for _, c := range row.GetCells() {
			switch {
			case !slices.Contains(columns, c.GetLaw()):
			case r.touched(row.GetPerson(), everySource):
				out[i].Cells = append(out[i].Cells, r.cell(row.GetPerson(), c.GetLaw()))
			default:
				out[i].Cells = append(out[i].Cells, proto.CloneOf(c))
			}
		}
	}
	return out
}

// drawn are the findings that follow from lines, gaps and the legal basis alone.
func (r remainder) drawn() []*budgetv1.Finding {
	var all []*budgetv1.Finding
	for _, look := range []rule{
		twoForms, twoFunders, oneNeedTwice, priorityOverlaps, overlappingAwards,
		sameRecords, awardsMissing, crossings, unknownCodes, partial, overspent, basisEnds,
	} {
		all = append(all, look(r.view)...)
	}
	return all
}

// standing are the findings that cannot be drawn up anew and that rest on nothing that
// is left out.
func (r remainder) standing(old []*budgetv1.Finding) []*budgetv1.Finding {
	var all []*budgetv1.Finding
	for _, f := range old {
		if f.GetCode() == budgetv1.FindingMoveFunderChange {
			f = r.moved(f)
		}
		if f != nil && r.stands(f) {
			all = append(all, f)
		}
	}
	return all
}

func (r remainder) stands(f *budgetv1.Finding) bool {
	of, known := r.line(f.GetLine())
	figures := func(p identity.Organisation) bool { return len(p.Laws) == 0 }
	switch f.GetCode() {
	case budgetv1.FindingMoveFunderChange:
		return true
	case budgetv1.FindingIndicationEnds: // what follows a right can only be less now
		return known
	case budgetv1.FindingGap, budgetv1.FindingContinuityLimit: // history may be of any source of the law
		return !r.touched(f.GetPerson(), ofLaw(f.GetLaw()))
	case budgetv1.FindingSpendingUnmatched:
		return !r.touched(f.GetPerson(), ofLaw(f.GetLaw())) && !r.touched(f.GetPerson(), ofKind(budgetv1.KindSVB))
	case budgetv1.FindingUnknownCode, budgetv1.FindingConflict, budgetv1.FindingUnknownElement, budgetv1.FindingRowOmitted: // as a source gave notice of it
		if f.GetLine() != "" {
			anew := len(f.GetLines()) > 1 || f.GetCode() == budgetv1.FindingUnknownCode && known && of.isUnlisted()
			return known && !anew
		}
		return !r.touched(f.GetPerson(), ofLaw(f.GetLaw())) && !r.touched(f.GetPerson(), figures)
	case budgetv1.FindingContributionUnknown: // of both, or of neither
		return !slices.ContainsFunc(f.GetPersons(), func(ref string) bool { return r.touched(ref, ofKind(budgetv1.KindCAK)) })
	case budgetv1.FindingTransition18, budgetv1.FindingAowAge:
		return !r.touched(f.GetPerson(), everySource) || slices.ContainsFunc(r.answers, func(a Answer) bool {
			return a.Response != nil && string(a.Person) == f.GetPerson()
		})
	case budgetv1.FindingConsentExpires, budgetv1.FindingConsentRenewAt12, budgetv1.FindingConsentRenewAt16, budgetv1.FindingConsentRenewAt18:
		return !r.touched(f.GetPerson(), everySource) // of which consent, the budget does not say
	}
	return false // drawn up anew
}

// moved is a move as far as it can still be seen: of everybody of whom every municipality
// and care office is in it, and of whoever's right goes from one to the other on that day.
func (r remainder) moved(f *budgetv1.Finding) *budgetv1.Finding {
	nearby := func(p identity.Organisation) bool { return local(p.Kind) }
	if !slices.ContainsFunc(f.GetPersons(), func(ref string) bool { return r.touched(ref, nearby) }) {
		return f
	}
	f = proto.CloneOf(f)
	changes := r.successions()
	f.Persons = slices.DeleteFunc(f.Persons, func(ref string) bool {
		return r.touched(ref, nearby) && !slices.ContainsFunc(changes, func(c change) bool {
			return c.person == ref && c.date.String() == f.GetDate()
		})
	})
	f.Lines = slices.DeleteFunc(f.Lines, func(id string) bool {
		l, known := r.line(id)
		return !known || !slices.Contains(f.Persons, l.GetPerson())
	})
	f.Person, f.TextNl, f.TextEn = "", "", ""
	switch len(f.Persons) {
	case 0:
		return nil
	case 1:
		f.Person = f.Persons[0]
	}
	return f
}
