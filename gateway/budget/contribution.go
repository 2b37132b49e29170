package budget

import (
	"maps"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contributed is an own contribution (eigen bijdrage) per month, as CAK told it.
type contributed struct {
	person, household, law string
	cents                  int64
	span                   civil.Span
	known                  bool // false: the amount or the period was withheld
}

// contributions are own contributions in the window, in cents.
//
// A month counts when it lies wholly inside the window and the period of the
// contribution (N8), once for each household and law; without a handle of the
// household the person is one of his own. If two records of one household and
// law differ about a month the larger counts. The share of a cell goes to the
// first person of the household in the order of the matrix.
//
// total is absent while any CAK that was asked has a gap that touches it, or
// withheld an amount or a period (contracts 11); a share of the matrix is absent
// when that holds for its person and law. It is 0 when CAK had nothing to tell,
// and when it was not asked, which the sources of the budget show.
type contributions struct {
	total *int64
	byLaw map[share]int64
}

// share is a cell of the matrix.
type share struct{ person, law string }

// takeContributions reads what CAK tells. What somebody else tells, and what
// cannot be read, is a gap.
func (v *view) takeContributions(a Answer) {
	for _, o := range a.Response.GetOwnContributions() {
		if o == nil {
			continue
		}
		c := contributed{person: string(a.Person), household: o.GetHousehold(), law: o.GetLaw(), cents: o.GetCentsPerMonth()}
		c.known = o.CentsPerMonth != nil && o.Period != nil
		t, dated := readTerm(o.GetPeriod())
		c.span = t.span
		if v.party(a.Source).Kind != kindCak || c.known && !dated || c.cents < 0 || c.cents > maxAmount {
			v.gaps = append(v.gaps, unreadable(a, "", string(budgetv1.CategoryOwnContribution)))
			continue
		}
		v.contribution = append(v.contribution, c)
	}
}

// month is one calendar month of one household under one law, by its first day.
type month struct {
	household, law string
	first          civil.Date
}

// contributed sums the months.
func (v *view) contributed() contributions {
	out := contributions{byLaw: map[share]int64{}}
	complete := !v.missing(kindCak, "", "", budgetv1.CategoryOwnContribution)
	months := map[month]contributed{} // whose record counts
	for _, c := range v.inRows() {
		if !c.known {
			complete = false
			continue
		}
		out.byLaw[share{c.person, c.law}] = 0
		for _, first := range v.wholeMonths(c.span) {
			of := month{household: c.key(), law: c.law, first: first}
			if counts, ok := months[of]; !ok || c.cents > counts.cents {
				months[of] = c
			}
		}
	}
	total := int64(0)
	for _, c := range months {
		total += c.cents // at most 256 records a source and 24 months, each of maxAmount
		out.byLaw[share{c.person, c.law}] += c.cents
	}
	if complete {
		out.total = &total
	}
	maps.DeleteFunc(out.byLaw, func(s share, _ int64) bool { return s.law == "" || v.withheld(s) })
	return out
}

// inRows gives the records in the order of the matrix.
func (v *view) inRows() []contributed {
	var out []contributed
	for _, person := range v.persons {
		for _, c := range v.contribution {
			if c.person == person {
				out = append(out, c)
			}
		}
	}
	return out
}

// key tells households apart; a handle and a person never collide.
func (c contributed) key() string {
	if c.household != "" {
		return "household " + c.household
	}
	return "person " + c.person
}

// wholeMonths lists the first days of the months that lie wholly inside a span
// and the window.
func (v *view) wholeMonths(s civil.Span) []civil.Date {
	both, ok := s.Overlap(v.q.Window)
	var firsts []civil.Date
	for first := both.From; ok && first <= both.To; first = first.EndOfMonth() + 1 {
		if first.Day() == 1 && first.EndOfMonth() <= both.To {
			firsts = append(firsts, first)
		}
	}
	return firsts
}

// withheld tells that a share is not known in full.
func (v *view) withheld(s share) bool {
	return v.missing(kindCak, s.person, s.law, budgetv1.CategoryOwnContribution) ||
		slices.ContainsFunc(v.contribution, func(c contributed) bool {
			return !c.known && c.person == s.person && (c.law == s.law || c.law == "")
		})
}
