package budget_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// TestInvariants holds what must always be so against drawn households with records in native shapes.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := household(t)
		q, given := request(c), answers(t, c)
		b := budget.Assemble(q, given)
		requireLossless(t, q, given, b)
		requireProvenance(t, given, b)
		requireSums(t, b)
		requireMatrixAgrees(t, b)
		requireWindowsAddUp(t, q, given, b)
		requireSound(t, b)
		requireApart(t, q, given, b)
	})
}

// requireLossless: every record that gave a line in the window is in the
// budget, once, by its hash.
func requireLossless(t require.TestingT, q budget.Request, given []budget.Answer, b *budgetv1.Budget) {
	want := map[string]int{}
	for _, a := range given {
		for _, l := range a.Response.GetLines() {
			if l.GetPeriod().GetStart() > q.Window.To.String() || l.GetPeriod().GetEnd() != "" && l.GetPeriod().GetEnd() < q.Window.From.String() {
				continue
			}
			for _, p := range l.GetProvenance() {
				want[string(a.Person)+a.Source+string(p.GetSha256())] = 1
			}
		}
	}
	got := map[string]int{}
	for _, l := range b.GetLines() {
		for _, p := range l.GetProvenance() {
			got[l.GetPerson()+l.GetFunder()+string(p.GetSha256())] = 1
		}
	}
	require.Equal(t, want, got)
}

// requireProvenance: each line says on which record, consent and agreement
// it rests.
func requireProvenance(t require.TestingT, given []budget.Answer, b *budgetv1.Budget) {
	for _, l := range b.GetLines() {
		require.NotEmpty(t, l.GetProvenance())
		for _, p := range l.GetProvenance() {
			require.Equal(t, l.GetFunder(), p.GetSource())
			require.Len(t, p.GetSha256(), 32)
			require.NotEmpty(t, p.GetRecordType())
			i := slices.IndexFunc(given, func(a budget.Answer) bool { return string(a.Person) == l.GetPerson() && a.Source == l.GetFunder() })
			require.Equal(t, given[i].Consent, p.GetConsent())
			require.Equal(t, given[i].Agreement, p.GetAgreement())
		}
	}
}

// requireWindowsAddUp: the two halves of a window give the whole: to the cent
// for a decided total, else within half a cent for each window.
func requireWindowsAddUp(t require.TestingT, q budget.Request, given []budget.Answer, b *budgetv1.Budget) {
	cut := q.Window.From + civil.Date(q.Window.Days()/2)
	halves := map[string]int64{}
	for _, w := range []civil.Span{{From: q.Window.From, To: cut - 1}, {From: cut, To: q.Window.To}} {
		if w.Days() == 0 {
			continue
		}
		half := q
		half.Window = w
		for _, l := range budget.Assemble(half, given).GetLines() {
			halves[lineKey(l)] += l.GetValueCents()
		}
	}
	for _, l := range b.GetLines() {
		difference := l.GetValueCents() - halves[lineKey(l)]
		if l.GetAmount().GetBasis() == "PERIOD_TOTAL" {
			require.Zero(t, difference)
		}
		require.LessOrEqual(t, max(difference, -difference), int64(1))
	}
}

// lineKey is a line by its records: ids are numbered within a window.
func lineKey(l *budgetv1.BudgetLine) string {
	key := l.GetPerson() + l.GetFunder()
	for _, p := range l.GetProvenance() {
		key += string(p.GetSha256())
	}
	return key
}

// requireApart: without any spending and own contribution, and with a legal
// basis, lines and totals are the same.
func requireApart(t require.TestingT, q budget.Request, given []budget.Answer, b *budgetv1.Budget) {
	bare := slices.Clone(given)
	for i, a := range bare {
		if a.Response != nil {
			bare[i].Response = proto.CloneOf(a.Response)
			bare[i].Response.Spends, bare[i].Response.OwnContributions = nil, nil
		}
	}
	q.LegalBasis = &budgetv1.LegalBasis{Id: "b", PoolableLaws: []string{"WMO", "JW", "WLZ"}}
	without := budget.Assemble(q, bare)
	require.Empty(t, without.GetSpentCents())
	require.Empty(t, without.GetRemainingCents())
	require.Equal(t, ids(b), ids(without))
	require.True(t, proto.Equal(b.GetTotals(), without.GetTotals()))
	require.Equal(t, b.GetCareTotalCents(), without.GetCareTotalCents())
	require.Equal(t, b.GetUncontestedCareTotalCents(), without.GetUncontestedCareTotalCents())
	for id, left := range b.GetRemainingCents() {
		i := slices.Index(ids(b), id)
		require.GreaterOrEqual(t, i, 0, "what is left is left of a line")
		require.LessOrEqual(t, left, b.GetLines()[i].GetAmount().GetCents())
	}
}

// TestMergingAgain: the same answers a second time, in another order, change
// nothing.
func TestMergingAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := household(t)
		given := answers(t, c)
		twice := rapid.Permutation(slices.Concat(given, given)).Draw(t, "order")
		requireSame(t, budget.Assemble(request(c), given), budget.Assemble(request(c), twice))
	})
}

// TestOneMissingSource: it is a gap with its reason, the budget is PARTIAL
// and its figures are absent, not zero. All else is as if that source had
// never been asked.
func TestOneMissingSource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := household(t)
		given := answers(t, c)
		if len(given) == 0 {
			return
		}
		i := rapid.IntRange(0, len(given)-1).Draw(t, "missing")
		never := slices.Delete(slices.Clone(given), i, i+1)
		missing := slices.Clone(given)
		missing[i] = silent(string(given[i].Person), given[i].Source, budgetv1.ReasonConsentWithdrawn)
		without, with := budget.Assemble(request(c), never), budget.Assemble(request(c), missing)

		require.False(t, with.GetComplete())
		require.Equal(t, []string{"PARTIAL"}, coded(with, "PARTIAL"))
		if given[i].Source == "CAK" {
			require.Nil(t, with.OwnContributionCents)
		}
		require.Equal(t, ids(without), ids(with))
		require.True(t, proto.Equal(without.GetTotals(), with.GetTotals()))
		require.Equal(t, without.GetUncontestedCareTotalCents(), with.GetUncontestedCareTotalCents())
		require.Equal(t, without.GetCarryOverCents(), with.GetCarryOverCents())
		require.Equal(t, without.GetSpentCents(), with.GetSpentCents())
		require.Equal(t, without.GetRemainingCents(), with.GetRemainingCents())
		apart := func(b *budgetv1.Budget) []*budgetv1.Finding {
			return slices.DeleteFunc(b.GetFindings(), func(f *budgetv1.Finding) bool { return f.GetCode() == "PARTIAL" })
		}
		theirs := apart(without)
		for j, f := range apart(with) {
			require.True(t, proto.Equal(theirs[j], f))
		}
	})
}

// TestWhatIsWithheldIsNoAlarm: hiding products and dates of lines takes findings
// away and never adds one about meetings, holes or ends.
func TestWhatIsWithheldIsNoAlarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := household(t)
		q, given := request(c), answers(t, c)
		open := budget.Assemble(q, given)
		hidden := slices.Clone(given)
		i := 0
		for j, a := range hidden {
			if a.Response == nil || a.Source == "SVB" || a.Source == "CAK" || rapid.Bool().Draw(t, "open") {
				continue
			}
			granted := []budgetv1.Category{"entitlement", "amount", "income", "reference"}
			if rapid.Bool().Draw(t, "product") {
				granted = append(granted, budgetv1.CategoryProduct)
			} else if rapid.Bool().Draw(t, "period") {
				granted = append(granted, budgetv1.CategoryPeriod)
			}
			hidden[j].Response = proto.CloneOf(a.Response)
			budgetv1.Minimise(hidden[j].Response, append(granted, "spending", "own_contribution"), nil)
			i++
		}
		b := budget.Assemble(q, hidden)
		requireSound(t, b)
		for _, code := range []string{
			"DUP_DELIVERY", "DUP_FUNDER", "DUP_NEED", "CONFLICT", "PRIORITY_LAW_OVERLAP", "GAP", "INDICATION_ENDS", "CONTINUITY_LIMIT", "OVERSPENT",
		} {
			require.LessOrEqual(t, len(coded(b, code)), len(coded(open, code)), code)
		}
	})
}
