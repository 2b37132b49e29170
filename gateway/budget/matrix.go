package budget

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// matrix is the household by person and law: a row for everybody, and in each
// row a cell for every law of a source that was asked about anybody, or that
// there is a line or an own contribution of.
func (v *view) matrix() []*budgetv1.MatrixRow {
	columns := v.columns()
	rows := make([]*budgetv1.MatrixRow, len(v.persons))
	for i, person := range v.persons {
		rows[i] = &budgetv1.MatrixRow{Person: person}
		for _, law := range columns {
			rows[i].Cells = append(rows[i].Cells, v.cell(person, law))
		}
	}
	return rows
}

// columns lists the laws: care first, then income, then the rest.
func (v *view) columns() []string {
	var laws []string
	for _, a := range v.answers {
		laws = append(laws, v.party(a.Source).Laws...)
		laws = append(laws, a.Laws...)
	}
	for _, l := range v.lines {
		laws = append(laws, cmp.Or(l.GetLaw(), hidden))
	}
	for share := range v.contributions.byLaw {
		laws = append(laws, share.law)
	}
	slices.Sort(laws)
	laws = slices.Compact(laws)
	slices.SortStableFunc(laws, func(a, b string) int { return cmp.Compare(budgetv1.LawRank(a), budgetv1.LawRank(b)) })
	return laws
}

func (v *view) cell(person, law string) *budgetv1.MatrixCell {
	c := &budgetv1.MatrixCell{Law: law}
	for _, l := range v.own[person] {
		if cmp.Or(l.GetLaw(), hidden) != law {
			continue
		}
		c.Lines = append(c.Lines, l.GetId())
		if l.ValueCents == nil {
			if l.Quantity != nil {
				c.Quantities = append(c.Quantities, proto.CloneOf(l.Quantity))
			}
			continue
		}
		sum := drawer(c, l.GetFungibility())
		*sum = new(plus(deref(*sum), l.GetValueCents()))
	}
	c.SpentCents = v.spending.of(c.Lines)
	if cents, ok := v.contributions.byLaw[share{person, law}]; ok {
		c.OwnContributionCents = &cents
	}
	c.Status = v.status(person, law, len(c.Lines) > 0)
	return c
}

// drawer is where a cell holds money of a kind. Money in kind is part of what
// somebody is entitled to.
func drawer(c *budgetv1.MatrixCell, fungibility string) **int64 {
	switch fungibility {
	case budgetv1.MoneyRingfenced:
		return &c.RingfencedCents
	case budgetv1.MoneyIncome:
		return &c.IncomeCents
	default:
		return &c.EntitlementCents
	}
}

func deref(cents *int64) int64 {
	if cents == nil {
		return 0
	}
	return *cents
}

// status of a law: PARTIAL if a gap touches one of its sources,
// NO_CONSENT when a missing consent is all there is, NO_RIGHT only when every
// source that was asked answered and had nothing.
func (v *view) status(person, law string, lines bool) string {
	gaps := v.touching(person, law)
	answered := v.answered(person, law)
	switch {
	case lines && len(gaps) == 0:
		return budgetv1.StatusOK
	case lines:
		return budgetv1.StatusPartial
	case len(gaps) == 0 && answered:
		return budgetv1.StatusNoRight
	case len(gaps) == 0:
		return budgetv1.StatusNotAsked
	case !answered && !slices.ContainsFunc(gaps, notOfConsent):
		return budgetv1.StatusNoConsent
	default:
		return budgetv1.StatusPartial
	}
}

// touching lists the gaps of a person that a law's sources have. SVB and CAK are
// sources of figures and of no law: what they do not send leaves the right as it
// is, and the figure of the cell absent.
func (v *view) touching(person, law string) []*budgetv1.Gap {
	var gaps []*budgetv1.Gap
	for _, g := range v.gaps {
		if kind := v.party(g.GetSource()).Kind; kind == budgetv1.KindSVB || kind == budgetv1.KindCAK {
			continue
		}
		laws := g.GetLaws()
		if len(laws) == 0 {
			laws = v.lawsOf(g.GetSource())
		}
		if g.GetPerson() == person && slices.Contains(laws, law) {
			gaps = append(gaps, g)
		}
	}
	return gaps
}

// lawsOf lists the laws of a source: those of the party, or for a party that
// is not known those it was asked about.
func (v *view) lawsOf(source string) []string {
	if laws := v.party(source).Laws; len(laws) > 0 {
		return laws
	}
	var laws []string
	for _, a := range v.answers {
		if a.Source == source {
			laws = append(laws, a.Laws...)
		}
	}
	return laws
}

// answered reports whether a source of the law sent what it has.
func (v *view) answered(person, law string) bool {
	return slices.ContainsFunc(v.answers, func(a Answer) bool {
		laws := a.Laws
		if len(laws) == 0 {
			laws = v.lawsOf(a.Source)
		}
		return a.Response != nil && string(a.Person) == person && slices.Contains(laws, law)
	})
}

// notOfConsent reports whether a gap is there for another reason than that the
// person did not, or no longer, say yes.
func notOfConsent(g *budgetv1.Gap) bool {
	return !slices.Contains([]string{
		budgetv1.ReasonNoConsent,
		budgetv1.ReasonConsentExpired,
		budgetv1.ReasonConsentWithdrawn,
		budgetv1.ReasonWrongSigner,
	}, g.GetReason())
}
