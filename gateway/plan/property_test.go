package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func bases() []string {
	return []string{
		"PERIOD_TOTAL", "PERIOD_TOTAL", "PER_YEAR", "PER_QUARTER", "PER_MONTH", "PER_4_WEEKS", "PER_2_WEEKS", "PER_WEEK", "PER_DAY",
		"PER_13_WEEKS", "PER_52_WEEKS", "ONE_OFF",
	}
}

// drawDay is a day of the window of a drawn budget.
func drawDay(t *rapid.T, label string) civil.Date {
	return civil.New(2025, 1, 1) + civil.Date(rapid.IntRange(0, 364).Draw(t, label))
}

func drawDate(t *rapid.T, label string) civil.Date {
	return civil.New(2024, 7, 1) + civil.Date(rapid.IntRange(0, 700).Draw(t, label))
}

// drawBudget is a household of up to four people with rights of all kinds.
func drawBudget(t *rapid.T) *budgetv1.Budget {
	answers := map[string][]*budgetv1.BudgetLine{}
	for _, person := range []string{"A1", "A2", "A3", "A4"} {
		for source, laws := range map[string][]string{"GM0119": {"WMO", "JW"}, "ZK5503": {"WLZ"}, "ZV1": {"ZVW"}, "UWV": {"WIA"}} {
			for range rapid.IntRange(0, 2).Draw(t, person+source) {
				law := rapid.SampledFrom(laws).Draw(t, "law")
				answers[person+"/"+source] = append(answers[person+"/"+source], drawLine(t, law, source))
			}
		}
	}
	b := assemble(answers, "2025-01-01", "2025-12-31")
	b.SpentCents = map[string]int64{}
	for _, l := range b.GetLines() {
		l.Contested = rapid.IntRange(0, 9).Draw(t, "contested") == 0
		if rapid.IntRange(0, 3).Draw(t, "spends") > 0 {
			b.SpentCents[l.GetId()] = rapid.Int64Range(-1000, 2_000_000).Draw(t, "spent")
		}
	}
	return b
}

func drawLine(t *rapid.T, law, source string) *budgetv1.BudgetLine {
	start := drawDate(t, "start")
	end := start + civil.Date(rapid.IntRange(0, 700).Draw(t, "length"))
	a := amount(rapid.Int64Range(0, 3_000_000).Draw(t, "cents"), rapid.SampledFrom(bases()).Draw(t, "basis"))
	if a.GetBasis() != "PERIOD_TOTAL" && a.GetBasis() != "ONE_OFF" {
		a.Divisor = int64(rapid.IntRange(0, 7).Draw(t, "divisor"))
	}
	l := right(law, source, rapid.SampledFrom([]string{"02", "07", "45"}).Draw(t, "code"), start.String(), end.String(), a)
	switch {
	case law == "WIA":
		l.Fungibility, l.Income, l.Amount = "INCOME", a, nil
	case rapid.IntRange(0, 5).Draw(t, "in kind") == 0:
		l.Fungibility, l.Amount = "IN_KIND", nil
	}
	return l
}

// drawPlan splits allocations over the budget's lines, mostly in ways that fit.
func drawPlan(t *rapid.T, b *budgetv1.Budget) *budgetv1.Plan {
	p := new(budgetv1.Plan)
	if len(b.GetLines()) == 0 {
		return p
	}
	for n := range rapid.IntRange(0, 8).Draw(t, "allocations") {
		var splits []*budgetv1.Split
		var holders []string
		for range rapid.IntRange(0, 3).Draw(t, "splits") {
			l := rapid.SampledFrom(b.GetLines()).Draw(t, "line")
			splits = append(splits, split(l.GetId(), rapid.Int64Range(0, max(1, l.GetValueCents())).Draw(t, "cents")))
			holders = append(holders, l.GetPerson())
		}
		if rapid.IntRange(0, 2).Draw(t, "others") == 0 {
			holders = rapid.SliceOfN(rapid.SampledFrom([]string{"A1", "A2", "A3", "A4", "Z"}), 0, 3).Draw(t, "people")
		}
		a := allocation(fmt.Sprintf("PA-%d", n), holders, splits...)
		if rapid.IntRange(0, 9).Draw(t, "sum") == 0 {
			a.Cents++
		}
		if rapid.Bool().Draw(t, "dated") {
			from := drawDate(t, "from")
			a.From, a.To = from.String(), (from + civil.Date(rapid.IntRange(-1, 300).Draw(t, "days"))).String()
		}
		a.Caregiver = rapid.SampledFrom([]string{"N", "M", "A2"}).Draw(t, "carer")
		a.HoursPerWeek = rapid.SampledFrom([]string{"", "20", "12.5", "x"}).Draw(t, "hours")
		p.Allocations = append(p.Allocations, a)
	}
	return p
}

func drawInput(t *rapid.T) plan.Input {
	b := drawBudget(t)
	q := plan.Input{Budget: b, Plan: drawPlan(t, b)}
	switch rapid.IntRange(0, 2).Draw(t, "basis") {
	case 1:
		q.Basis = basis("2025-01-01", "2025-12-31")
	case 2:
		from := drawDate(t, "basis from")
		q.Basis = basis(from.String(), (from + civil.Date(rapid.IntRange(0, 500).Draw(t, "basis days"))).String())
	}
	return q
}

// accepted are the allocations that were not refused.
func accepted(q plan.Input, check *budgetv1.PlanCheck) []*budgetv1.Allocation {
	return slices.DeleteFunc(slices.Clone(q.Plan.GetAllocations()), func(a *budgetv1.Allocation) bool {
		return slices.ContainsFunc(check.GetRefused(), func(r *budgetv1.Refusal) bool { return r.GetAllocation() == a.GetId() })
	})
}

// TestI7: of what is accepted, splits come to the allocation, no line pays more
// than it has, and laws are mixed only where a basis covers them on every day.
func TestI7(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawInput(t)
		check := plan.Check(q)
		lines, taken, sum := map[string]*budgetv1.BudgetLine{}, map[string]int64{}, int64(0)
		for _, l := range q.Budget.GetLines() {
			lines[l.GetId()] = l
		}
		for _, a := range accepted(q, check) {
			splits, laws := int64(0), map[string]bool{}
			for _, s := range a.GetSplits() {
				require.Equal(t, "POOLABLE", lines[s.GetLine()].GetFungibility())
				taken[s.GetLine()] += s.GetCents()
				splits += s.GetCents()
				laws[lines[s.GetLine()].GetLaw()] = laws[lines[s.GetLine()].GetLaw()] || s.GetCents() > 0
			}
			require.Equal(t, a.GetCents(), splits)
			sum += splits
			mixed := 0
			for _, pays := range laws {
				if pays {
					mixed++
				}
			}
			if mixed > 1 {
				from, to := "2025-01-01", "2025-12-31"
				require.NotNil(t, q.Basis)
				require.LessOrEqual(t, q.Basis.GetFrom(), max(from, a.GetFrom()))
				require.GreaterOrEqual(t, q.Basis.GetTo(), min(to, a.GetTo()+"9")[:10])
			}
		}
		require.Equal(t, sum, check.GetAllocatedCents())
		for id, cents := range taken {
			require.LessOrEqual(t, cents, lines[id].GetValueCents())
		}
		require.Equal(t, q.Budget.GetCareTotalCents(), check.GetAllocatedCents()+check.GetUnallocatedCents())
		for _, l := range check.GetLines() {
			require.GreaterOrEqual(t, l.GetLeftCents(), int64(0))
			require.Equal(t, taken[l.GetLine()], l.GetAllocatedCents())
		}
		require.Equal(t, check.GetUnallocatedCents(), sumOf(check.GetUnallocatedByLaw()))
		require.Equal(t, check.GetAllocatedCents(), sumOf(check.GetAllocatedByLaw()))
	})
}

func sumOf(m map[string]int64) (sum int64) {
	for _, cents := range m {
		sum += cents
	}
	return sum
}

// TestAccountsAddUp: all funders together account for what is paid and what was
// awarded; what one law gave away another received; no person is in them.
func TestAccountsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawInput(t)
		check := plan.Check(q)
		var awarded, allocated, in, out int64
		for _, a := range plan.Account(q) {
			require.Empty(t, a.GetSignature())
			for _, l := range a.GetLaws() {
				awarded, allocated = awarded+l.GetAwardedCents(), allocated+l.GetAllocatedCents()
				in, out = in+l.GetShiftedInCents(), out+l.GetShiftedOutCents()
				require.LessOrEqual(t, l.GetShiftedOutCents(), l.GetAllocatedCents())
				require.Equal(t, l.SpentCents == nil, l.UnspentCents == nil)
				if l.SpentCents != nil {
					require.Equal(t, l.GetAwardedCents(), l.GetSpentCents()+l.GetUnspentCents())
				}
			}
			require.NotRegexp(t, "A[1-4]", a.String())
		}
		require.Equal(t, check.GetAllocatedCents(), allocated)
		require.Equal(t, q.Budget.GetCareTotalCents(), awarded)
		require.Equal(t, in, out)
		if q.Basis == nil {
			require.Zero(t, in)
		}
	})
}

// TestI8: the halves put together are the budget before any spending, to the cent, and
// each is the budget that would be drawn up for those days but for a cent of rounding.
func TestI8(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBudget(t)
		d, err := plan.Dissolve(asked(b), drawDay(t, "date"))
		require.NoError(t, err)
		for _, l := range b.GetLines() {
			if l.ValueCents == nil {
				continue
			}
			before, after := d.GetBefore().GetLines()[l.GetId()], d.GetAfter().GetLines()[l.GetId()]
			require.Equal(t, l.GetValueCents(), before+after)
		}
		for _, half := range []*budgetv1.DissolvedHalf{d.GetBefore(), d.GetAfter()} {
			requireHalf(t, b, half)
		}
		require.Equal(t, b.GetCareTotalCents(), d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents())
		if d.GetBefore() == nil {
			require.True(t, proto.Equal(b.GetTotals(), d.GetAfter().GetTotals()))
		}
	})
}

// The halves of a line of every basis add up at every day of the window, and neither is
// negative: a week is cut on any day of it, the last of December too.
func TestHalvesAddUpOnEveryDay(t *testing.T) {
	for _, basis := range bases() {
		for _, l := range []struct {
			start, end string
			divisor    int64
		}{{"2025-01-01", "2025-12-31", 0}, {"2024-03-05", "2026-02-11", 0}, {"2024-03-05", "", 3}, {"2025-02-28", "2025-12-30", 7}} {
			a := amount(10001, basis)
			if total := basis == "PERIOD_TOTAL" || basis == "ONE_OFF"; !total {
				a.Divisor = l.divisor
			} else if l.end == "" {
				continue
			}
			b := assemble(map[string][]*budgetv1.BudgetLine{"A1/GM0119": {right("WMO", "GM0119", "02", l.start, l.end, a)}}, "2025-01-01", "2025-12-31")
			id, whole := b.GetLines()[0].GetId(), b.GetCareTotalCents()
			for date := civil.MustParse("2025-01-01"); date <= civil.MustParse("2025-12-31"); date++ {
				d, err := plan.Dissolve(asked(b), date)
				require.NoError(t, err)
				before, after := d.GetBefore().GetLines()[id], d.GetAfter().GetLines()[id]
				require.Equal(t, whole, before+after, "%s from %s at %s", basis, l.start, date)
				require.Equal(t, whole, d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents())
				require.GreaterOrEqual(t, min(before, after), int64(0))
			}
		}
	}
}

func requireHalf(t *rapid.T, b *budgetv1.Budget, half *budgetv1.DissolvedHalf) {
	if half == nil {
		return
	}
	window := civil.Span{From: civil.MustParse(half.GetWindow().GetFrom()), To: civil.MustParse(half.GetWindow().GetTo())}
	sum, people := int64(0), map[string]int64{}
	for _, l := range b.GetLines() {
		cents, there := half.GetLines()[l.GetId()]
		if !there {
			continue
		}
		a := l.GetAmount()
		if a == nil {
			a = l.GetIncome()
		}
		want, ok := budget.Value(a, l.GetPeriod(), window)
		require.True(t, ok)
		if whole := civil.MustParse(b.GetWindow().GetFrom()); window.From > whole { // the rest of its value
			before, ok := budget.Value(a, l.GetPeriod(), civil.Span{From: whole, To: window.From - 1})
			require.True(t, ok)
			require.InDelta(t, want, l.GetValueCents()-before, 1)
			want = l.GetValueCents() - before
		}
		require.Equal(t, want, cents)
		sum += cents
		people[l.GetPerson()] += cents
	}
	totals := half.GetTotals()
	require.Equal(t, people, totals.GetByPerson())
	require.Equal(t, sum, sumOf(totals.GetByLaw()))
	require.Equal(t, sum, sumOf(totals.GetByFunder()))
	require.Equal(t, sum, sumOf(totals.GetByFungibility()))
	require.Equal(t, totals.GetByFungibility()["POOLABLE"], half.GetCareTotalCents())
}

// TestWhatGoesBack: nothing more than what was contributed, and under one basis
// the same money as without, however it is divided.
func TestWhatGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBudget(t)
		date := drawDay(t, "date")
		pooled := proto.CloneOf(b)
		pooled.LegalBasis = basis("2020-01-01", "2030-12-31")
		alone, err := plan.Dissolve(asked(b), date)
		require.NoError(t, err)
		together, err := plan.Dissolve(asked(pooled), date)
		require.NoError(t, err)
		require.True(t, proto.Equal(alone.GetBefore(), together.GetBefore()))
		own, unspent := map[string]int64{}, int64(0)
		for _, l := range b.GetLines() {
			spent, known := b.GetSpentCents()[l.GetId()]
			start := civil.MustParse(l.GetPeriod().GetStart())
			if !known || l.GetFungibility() != "POOLABLE" || start >= date {
				continue
			}
			contributed, _ := budget.Value(l.GetAmount(), l.GetPeriod(), civil.Span{From: start, To: date - 1})
			unspent += contributed - spent
			own[l.GetId()] = contributed - spent
		}
		for _, r := range alone.GetReturned() {
			require.Equal(t, own[r.GetLine()], r.GetCents())
		}
		back := int64(0)
		for _, r := range together.GetReturned() {
			back += r.GetCents()
		}
		require.Equal(t, max(0, unspent), back)
		for id, cents := range own { // too much is said, whoever covers it
			for _, d := range []*budgetv1.Dissolution{alone, together} {
				said := slices.ContainsFunc(d.GetFindings(), func(f *budgetv1.Finding) bool { return f.GetLine() == id && f.GetCode() == "OVERSPENT" })
				require.Equal(t, cents < 0, said)
			}
		}
	})
}

// TestOrderDoesNotMatter: of lines and of splits never, of allocations only for
// what does not fit.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawInput(t)
		first := plan.Check(q)
		other := plan.Input{Budget: proto.CloneOf(q.Budget), Plan: proto.CloneOf(q.Plan), Basis: q.Basis}
		for _, a := range other.Plan.GetAllocations() {
			a.Splits = rapid.Permutation(a.GetSplits()).Draw(t, "splits")
			a.Beneficiaries = rapid.Permutation(a.GetBeneficiaries()).Draw(t, "people")
		}
		second := plan.Check(other)
		require.Equal(t, refusedIn(first), refusedIn(second))
		require.True(t, proto.Equal(&budgetv1.PlanCheck{Lines: first.GetLines()}, &budgetv1.PlanCheck{Lines: second.GetLines()}))
		if slices.ContainsFunc(first.GetRefused(), func(r *budgetv1.Refusal) bool { return r.GetCode() == budgetv1.RefusalOverallocated }) {
			return
		}
		other.Plan.Allocations = rapid.Permutation(other.Plan.GetAllocations()).Draw(t, "allocations")
		other.Budget.Lines = rapid.Permutation(other.Budget.GetLines()).Draw(t, "lines")
		third := plan.Check(other)
		require.ElementsMatch(t, refusedIn(first), refusedIn(third))
		require.Equal(t, first.GetAllocatedByLaw(), third.GetAllocatedByLaw())
		require.Equal(t, first.GetUnallocatedCents(), third.GetUnallocatedCents())
		require.Equal(t, len(first.GetFindings()), len(third.GetFindings()))
	})
}

// TestSunsetIsWhatStands: with an end in the window, the rest of the lines as a
// budget of those days would say, never more taken than there is for a plan that
// pays by day, and nothing that ends crosses no law.
func TestSunsetIsWhatStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawInput(t)
		end := civil.New(2024, 12, 31) + civil.Date(rapid.IntRange(0, 400).Draw(t, "end"))
		q.Basis = basis("2024-01-01", end.String())
		s, err := plan.Sunset(q)
		require.NoError(t, err)
		require.Equal(t, (end + 1).String(), s.GetFrom())
		d, err := plan.Dissolve(q, end+1)
		require.Equal(t, end >= civil.MustParse("2025-12-31"), errors.Is(err, plan.ErrDate))
		for _, l := range s.GetLines() {
			require.Equal(t, d.GetAfter().GetLines()[l.GetLine()], l.GetValueCents())
			require.Equal(t, l.GetValueCents()-l.GetAllocatedCents(), l.GetLeftCents())
		}
		for _, r := range s.GetEnds() {
			require.Contains(t, []string{budgetv1.RefusalSplitAcrossLaws, budgetv1.RefusalNotBeneficiary}, r.GetCode())
		}
		if end >= civil.MustParse("2025-12-31") {
			require.Empty(t, s.GetLines())
			require.Empty(t, s.GetEnds())
		}
	})
}
