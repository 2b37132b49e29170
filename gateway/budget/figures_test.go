package budget_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// award is a personal budget with one decided total and its Budgetidentificatie.
func award(law, code, start, end, budgetID string, cents int64) *budgetv1.BudgetLine {
	l := pgb(law, code, start, end)
	l.Amount = amount(cents, "PERIOD_TOTAL")
	l.Decision = &budgetv1.Decision{Budget: budgetID}
	return l
}

func paid(person string, spends ...*budgetv1.Spend) budget.Answer {
	a := says(person, "SVB")
	a.Response.Spends = spends
	return a
}

func pays(person string, contributions ...*budgetv1.OwnContribution) budget.Answer {
	a := says(person, "CAK")
	a.Response.OwnContributions = contributions
	return a
}

func TestSpendFindsItsLine(t *testing.T) {
	care := func() budget.Answer {
		return says("P1", "GM1",
			award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1000),
			award("WMO", "02", "2025-01-01", "2025-12-31", "B-2", 2000),
			award("WMO", "07", "2025-01-01", "2025-12-31", "B-1", 3000),
			award("JW", "99", "2025-01-01", "2025-12-31", "B-3", 4000),
		)
	}
	wlz := func() budget.Answer {
		return says("P1", "ZK1", award("WLZ", "830", "2025-01-01", "2025-12-31", "B-4", 5000))
	}
	for name, c := range map[string]struct {
		spend *budgetv1.Spend
		spent map[string]int64
		left  map[string]int64
	}{
		"by budget": {spent("B-2", "02", "2025-01-01", 500, "2025-06-01"),
			map[string]int64{"P1/WMO/02/2025-01-01#2": 500}, map[string]int64{"P1/WMO/02/2025-01-01#2": 1500}},
		"by function": {spent("B-1", "07", "2025-01-01", 500, ""),
			map[string]int64{"P1/WMO/07/2025-01-01": 500}, map[string]int64{"P1/WMO/07/2025-01-01": 2500}},
		"the Wlz has one function": {spent("B-4", "99", "2025-01-01", 500, ""),
			map[string]int64{"P1/WLZ/830/2025-01-01": 500}, map[string]int64{"P1/WLZ/830/2025-01-01": 4500}},
		"and its profile will do": {spent("B-4", "830", "2025-01-01", 500, ""),
			map[string]int64{"P1/WLZ/830/2025-01-01": 500}, map[string]int64{"P1/WLZ/830/2025-01-01": 4500}},
		"another law's 99": {spent("B-3", "99", "2025-01-01", 500, ""),
			map[string]int64{"P1/JW/99/2025-01-01": 500}, map[string]int64{"P1/JW/99/2025-01-01": 3500}},
		"more than there was": {spent("B-1", "07", "2025-01-01", 3001, ""),
			map[string]int64{"P1/WMO/07/2025-01-01": 3001}, map[string]int64{"P1/WMO/07/2025-01-01": -1}},
		"another start": {spent("B-1", "07", "2025-02-01", 500, ""),
			map[string]int64{"P1/-/07/2025-02-01": 500}, map[string]int64{}},
		"an award from before": {spent("B-0", "07", "2024-02-01", 500, ""), map[string]int64{}, map[string]int64{}},
		"no budget":            {spent("", "07", "2025-01-01", 500, ""), map[string]int64{"P1/-/07/2025-01-01": 500}, map[string]int64{}},
		"no start":             {spent("B-1", "07", "", 500, ""), map[string]int64{}, map[string]int64{}},
		"no amount":            {&budgetv1.Spend{Budget: "B-1", Function: "07", Start: "2025-01-01"}, map[string]int64{}, map[string]int64{}},
		"nothing":              {nil, map[string]int64{}, map[string]int64{}},
	} {
		b := budget.Assemble(small(), []budget.Answer{care(), wlz(), paid("P1", c.spend)})
		require.Equal(t, c.spent, b.GetSpentCents(), name)
		require.Equal(t, c.left, b.GetRemainingCents(), name)
		require.True(t, b.GetComplete(), name)
		require.Equal(t, int64(15000), b.GetCareTotalCents(), name)
	}
	b := budget.Assemble(small(), []budget.Answer{care(), paid("P2", spent("B-1", "07", "2025-01-01", 500, ""))})
	require.Equal(t, map[string]int64{"P2/-/07/2025-01-01": 500}, b.GetSpentCents(), "another person's")
}

// TestWhatFitsNoLineIsSummedNowhere: two figures have two keys, and neither is
// the id of a line.
func TestWhatFitsNoLineIsSummedNowhere(t *testing.T) {
	nameless := &budgetv1.BudgetLine{Product: &budgetv1.Product{Code: "07"}, Period: period("2025-01-01", "")}
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", nameless), paid("P1",
		spent("B-8", "07", "2025-01-01", 2, ""), spent("B-7", "07", "2025-01-01", 1, ""),
	)})
	require.Equal(t, []string{"P1/-/07/2025-01-01"}, ids(b))
	require.Equal(t, map[string]int64{"P1/-/07/2025-01-01#2": 1, "P1/-/07/2025-01-01#3": 2}, b.GetSpentCents())
	require.Nil(t, b.GetMatrix()[0].GetCells()[0].SpentCents)

	twice := says("P1", "GM1", award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1), award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 2))
	b = budget.Assemble(small(), []budget.Answer{twice, paid("P1", spent("B-1", "02", "2025-01-01", 1, ""))})
	require.Equal(t, map[string]int64{"P1/-/02/2025-01-01": 1}, b.GetSpentCents(), "it fits two lines: nobody guesses")
	require.Empty(t, b.GetRemainingCents())
}

func TestSpendingIsCumulative(t *testing.T) {
	for name, c := range map[string]struct {
		spends []*budgetv1.Spend
		want   int64
	}{
		"the latest": {[]*budgetv1.Spend{
			spent("B-1", "02", "2025-01-01", 900, "2025-05-31"), spent("B-1", "02", "2025-01-01", 700, "2025-06-30"),
		}, 700},
		"the larger of one day": {[]*budgetv1.Spend{
			spent("B-1", "02", "2025-01-01", 700, "2025-06-30"), spent("B-1", "02", "2025-01-01", 900, "2025-06-30"),
		}, 900},
		"a day before none": {[]*budgetv1.Spend{
			spent("B-1", "02", "2025-01-01", 700, "2025-06-30"), spent("B-1", "02", "2025-01-01", 900, ""),
		}, 700},
		"money came back": {[]*budgetv1.Spend{spent("B-1", "02", "2025-01-01", -50, "2025-06-30")}, -50},
	} {
		b := budget.Assemble(small(), []budget.Answer{
			says("P1", "GM1", award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1000)), paid("P1", c.spends...),
		})
		require.Equal(t, map[string]int64{"P1/WMO/02/2025-01-01": c.want}, b.GetSpentCents(), name)
		require.Equal(t, 1000-c.want, b.GetRemainingCents()["P1/WMO/02/2025-01-01"], name)
		require.Equal(t, c.want, b.GetMatrix()[0].GetCells()[0].GetSpentCents(), name)
	}
}

// TestRemainingIsOfTheWholeAward: cut short if it was, and not of the window.
func TestRemainingIsOfTheWholeAward(t *testing.T) {
	long := award("WMO", "02", "2024-07-01", "2026-06-30", "B-1", 73000)
	cut := award("WMO", "07", "2025-01-01", "2025-04-30", "B-1", 36500)
	cut.Period.OriginalEnd = new("2025-12-31")
	rate := pgb("WMO", "03", "2025-01-01", "2025-12-31")
	rate.Decision = &budgetv1.Decision{Budget: "B-1"}
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", long, cut, rate), paid("P1",
		spent("B-1", "02", "2024-07-01", 40000, ""), spent("B-1", "07", "2025-01-01", 2000, ""), spent("B-1", "03", "2025-01-01", 5, ""),
	)})
	require.Equal(t, map[string]int64{"P1/WMO/02/2024-07-01": 33000, "P1/WMO/07/2025-01-01": 10000}, b.GetRemainingCents())
	require.Equal(t, int64(5), b.GetSpentCents()["P1/WMO/03/2025-01-01"], "a rate has no whole award to be left of")
}

// TestSpendingIsAbsentWhileSVBIsAGap: for the person and the law it touches.
func TestSpendingIsAbsentWhileSVBIsAGap(t *testing.T) {
	p2 := says("P2", "GM1", award("WMO", "02", "2025-01-01", "2025-12-31", "B-9", 1000))
	of2 := paid("P2", spent("B-9", "02", "2025-01-01", 1, ""))
	for name, c := range map[string]struct {
		gap  *budgetv1.Gap
		want []string
	}{
		"the whole source": {&budgetv1.Gap{Reason: budgetv1.ReasonStale}, []string{"P2/WMO/02/2025-01-01"}},
		"one law": {&budgetv1.Gap{Reason: budgetv1.ReasonPolicyDenied, Laws: []string{"JW"}},
			[]string{"P1/WMO/02/2025-01-01", "P2/WMO/02/2025-01-01"}},
		"spending":         {&budgetv1.Gap{Reason: budgetv1.ReasonPolicyDenied, Categories: []string{"spending"}}, []string{"P2/WMO/02/2025-01-01"}},
		"another category": {&budgetv1.Gap{Reason: budgetv1.ReasonPolicyDenied, Categories: []string{"provider"}}, []string{"P1/JW/45/2025-01-01", "P1/WMO/02/2025-01-01", "P2/WMO/02/2025-01-01"}},
	} {
		of1 := paid("P1", spent("B-1", "02", "2025-01-01", 2, ""), spent("B-2", "45", "2025-01-01", 3, ""), spent("B-3", "45", "2025-01-01", 4, ""))
		of1.Gaps = []*budgetv1.Gap{c.gap}
		p1 := says("P1", "GM1", award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1000), award("JW", "45", "2025-01-01", "2025-12-31", "B-2", 1000))
		b := budget.Assemble(small(), []budget.Answer{p1, p2, of1, of2})
		var shown []string
		for _, id := range ids(b) {
			if _, ok := b.GetRemainingCents()[id]; ok {
				shown = append(shown, id)
			}
		}
		require.Equal(t, c.want, shown, name)
		require.Equal(t, "OK", b.GetMatrix()[0].GetCells()[0].GetStatus(), "a right is what its own sources say")
	}
}

// TestFiguresOfSomebodyElse: only SVB sends spending and only CAK contributions.
func TestFiguresOfSomebodyElse(t *testing.T) {
	a := says("P1", "GM1")
	a.Response.Spends = []*budgetv1.Spend{spent("B-1", "02", "2025-01-01", 1, "")}
	a.Response.OwnContributions = []*budgetv1.OwnContribution{perMonth("WMO", 2100, "2025-01-01", "")}
	huge, odd := paid("P1", spent("B-1", "02", "2025-01-01", 1<<60, "")), pays("P1", perMonth("WMO", 1<<60, "2025-01-01", ""), perMonth("WMO", 1, "x", ""))
	for _, given := range [][]budget.Answer{{a}, {huge, odd}} {
		b := budget.Assemble(small(), given)
		require.Empty(t, b.GetSpentCents())
		require.Len(t, b.GetGaps(), 2)
		require.Zero(t, b.GetOwnContributionCents())
		for _, g := range b.GetGaps() {
			require.Equal(t, budgetv1.ReasonBadDataAtSource, g.GetReason())
			require.Len(t, g.GetCategories(), 1)
		}
	}
}

func TestOwnContribution(t *testing.T) {
	household := func(key string, o *budgetv1.OwnContribution) *budgetv1.OwnContribution {
		o.Household = key
		return o
	}
	for name, c := range map[string]struct {
		answers []budget.Answer
		want    int64
		twice   int64 // what cells of one household hold more than once
	}{
		"whole months":      {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-06-15", "2025-09-29"))}, 2 * 2100, 0},
		"open":              {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2020-01-01", ""))}, 12 * 2100, 0},
		"after the window":  {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2026-01-01", ""))}, 0, 0},
		"less than a month": {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-02-02", "2025-02-28"))}, 0, 0},
		"February":          {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-02-01", "2025-02-28"))}, 2100, 0},
		"two persons":       {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, 24 * 2100, 0},
		"one household": {[]budget.Answer{
			pays("P1", household("h", perMonth("WMO", 2100, "2025-01-01", ""))), pays("P2", household("h", perMonth("WMO", 2100, "2025-01-01", ""))),
		}, 12 * 2100, 12 * 2100},
		"one household, two laws": {[]budget.Answer{
			pays("P1", household("h", perMonth("WMO", 2100, "2025-01-01", "")), household("h", perMonth("WLZ", 100, "2025-01-01", ""))),
		}, 12 * 2200, 0},
		"half a year each": {[]budget.Answer{
			pays("P1", household("h", perMonth("WMO", 2100, "2025-01-01", "2025-07-31"))), pays("P2", household("h", perMonth("WMO", 2100, "2025-07-01", ""))),
		}, 12 * 2100, 2100},
		"unequal months": {[]budget.Answer{
			pays("P1", perMonth("WMO", 2100, "2025-01-01", "2025-01-31"), perMonth("WMO", 2000, "2025-01-01", "2025-02-28")),
		}, 4100, 0},
		"a household called as a person is": {[]budget.Answer{
			pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", household("P1", perMonth("WMO", 2100, "2025-01-01", ""))),
		}, 24 * 2100, 0},
	} {
		b := budget.Assemble(small(), c.answers)
		require.NotNil(t, b.OwnContributionCents, name)
		require.Equal(t, c.want, b.GetOwnContributionCents(), name)
		shares := int64(0)
		for _, row := range b.GetMatrix() {
			for _, cell := range row.GetCells() {
				shares += cell.GetOwnContributionCents()
			}
		}
		require.Equal(t, c.want+c.twice, shares, name)
		require.Empty(t, b.GetTotals().GetByLaw(), name)
	}
}

// TestOwnContributionThatIsNotKnown is absent, as a total and where it touches.
func TestOwnContributionThatIsNotKnown(t *testing.T) {
	known := pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))
	withheld := pays("P1", &budgetv1.OwnContribution{}, nil)
	noPeriod := pays("P1", perMonth("WMO", 2100, "2025-01-01", ""))
	noPeriod.Response.OwnContributions[0].Period = nil
	denied := pays("P1", perMonth("WMO", 2100, "2025-01-01", ""))
	denied.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPolicyDenied, Categories: []string{"own_contribution"}}}
	for name, a := range map[string]budget.Answer{
		"silent": silent("P1", "CAK", budgetv1.ReasonNoConsent), "withheld": withheld, "no period": noPeriod, "denied": denied,
	} {
		b := budget.Assemble(small(), []budget.Answer{known, a})
		require.Nil(t, b.OwnContributionCents, name)
		require.Nil(t, b.GetMatrix()[0].GetCells()[0].OwnContributionCents, name)
		require.Equal(t, int64(25200), b.GetMatrix()[1].GetCells()[0].GetOwnContributionCents(), name)
	}
	noPeriod.Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPolicyDenied, Categories: []string{"reference"}}}
	noPeriod.Response.OwnContributions[0].Period = period("2025-01-01", "")
	b := budget.Assemble(small(), []budget.Answer{noPeriod})
	require.Equal(t, int64(25200), b.GetOwnContributionCents(), "another category is missing")
	require.Equal(t, "NOT_ASKED", b.GetMatrix()[0].GetCells()[0].GetStatus(), "CAK is no source of a right")
}

func TestOverspent(t *testing.T) {
	for cents, want := range map[int64][]string{1000: nil, 1001: {"OVERSPENT P1/WMO/02 .."}} {
		b := budget.Assemble(small(), []budget.Answer{
			says("P1", "GM1", award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1000)),
			paid("P1", spent("B-1", "02", "2025-01-01", cents, "2025-06-30")),
		})
		require.Equal(t, want, spoken(b))
		require.Equal(t, 1000-cents, b.GetRemainingCents()["P1/WMO/02/2025-01-01"])
	}
}
