package budget

import (
	"maps"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// contributed is an own contribution (eigen bijdrage) per month, as CAK sent it.
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
// household the person is one of their own. If two records of one household and
// law differ about a month the larger counts.
//
// total is absent while any CAK that was asked has a gap that touches it, or
// withheld an amount or a period, and while it cannot be told whether two adults are one
// household, which pays once a month; a share of the matrix is absent
// when the former holds for its person and law. It is 0 when CAK had nothing to tell,
// and when it was not asked, which the sources of the budget show.
type contributions struct {
	total *int64
	byLaw map[share]int64
	// unclear are adults of whom it is not known whether they are one household: those of
	// one month and law of whom one at least has no handle.
	unclear []string
}

// share is a cell of the matrix.
type share struct{ person, law string }

// takeContributions reads what CAK sends. What another source sends, and what
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
		if v.party(a.Source).Kind != budgetv1.KindCAK || c.known && !dated || c.cents < 0 || c.cents > maxAmount {
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

// contributed sums the months: for the household each once, and in a person's cell
// what CAK sends about that person, whoever else it sends the same about. So a cell holds
// nothing of others, and the cells of one household may come to more than the total.
func (v *view) contributed() contributions {
	out := contributions{byLaw: map[share]int64{}}
	complete := !v.missing(budgetv1.KindCAK, "", "", budgetv1.CategoryOwnContribution)
	households, persons := map[month]int64{}, map[month]int64{}
	for _, c := range v.contribution {
		if !c.known {
			complete = false
			continue
		}
		of := share{c.person, c.law}
		out.byLaw[of] += 0
		for _, first := range v.wholeMonths(c.span) {
			all, own := month{c.key(), c.law, first}, month{c.person, c.law, first}
			households[all] = max(households[all], c.cents) // of two records of a month the larger
			out.byLaw[of] += max(persons[own], c.cents) - persons[own]
			persons[own] = max(persons[own], c.cents)
		}
	}
	total := int64(0)
	for _, cents := range households {
		total += cents // at most 256 records a source and 60 months, each of maxAmount
	}
	out.unclear = v.unclearHouseholds()
	if complete && len(out.unclear) == 0 {
		out.total = &total
	}
	maps.DeleteFunc(out.byLaw, func(s share, _ int64) bool { return s.law == "" || v.withheld(s) })
	return out
}

// unclearHouseholds lists the adults of whom contributions of one month and law would count
// once if they were one household and more than once if they were not. An adult of whom the
// age is not known is one.
func (v *view) unclearHouseholds() (persons []string) {
	of := map[month][]contributed{}
	for _, c := range v.contribution {
		if !c.known || c.cents == 0 {
			continue
		}
		for _, first := range v.wholeMonths(c.span) {
			if born := v.person(c.person).Born; born.IsZero() || born.Birthday(18) <= first {
				of[month{law: c.law, first: first}] = append(of[month{law: c.law, first: first}], c)
			}
		}
	}
	for _, all := range of {
		keyless := slices.ContainsFunc(all, func(c contributed) bool { return c.household == "" })
		others := slices.ContainsFunc(all, func(c contributed) bool { return c.person != all[0].person })
		for _, c := range all {
			if keyless && others {
				persons = append(persons, c.person)
			}
		}
	}
	return among(persons, "")
}

// householdsUnclear: two adults have own contributions and CAK does not tell whether they
// are one household, which pays once a month.
func householdsUnclear(v *view) []*budgetv1.Finding {
	if len(v.contributions.unclear) == 0 {
		return nil
	}
	return []*budgetv1.Finding{{
		Code: budgetv1.FindingContributionUnknown, Severity: budgetv1.SeverityWarning, Persons: v.contributions.unclear,
	}}
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

// withheld reports whether a share is not known in full.
func (v *view) withheld(s share) bool {
	return v.missing(budgetv1.KindCAK, s.person, s.law, budgetv1.CategoryOwnContribution) ||
		slices.ContainsFunc(v.contribution, func(c contributed) bool {
			return !c.known && c.person == s.person && (c.law == s.law || c.law == "")
		})
}
