package budget_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
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
		"a day inside it": {spent("B-1", "07", "2025-02-01", 500, ""),
			map[string]int64{"P1/WMO/07/2025-01-01": 500}, map[string]int64{"P1/WMO/07/2025-01-01": 2500}},
		"a day outside it": {spent("B-1", "07", "2024-12-31", 500, ""), map[string]int64{}, map[string]int64{}},
		"another budget":   {spent("B-0", "07", "2025-02-01", 500, ""), map[string]int64{"P1/-/07/2025-02-01": 500}, map[string]int64{}},
		"another law":      {under("JW", "", spent("B-1", "07", "2025-01-01", 500, "")), map[string]int64{"P1/-/07/2025-01-01": 500}, map[string]int64{}},
		"its law and funder": {under("WMO", "1", spent("B-1", "07", "2025-01-01", 500, "")),
			map[string]int64{"P1/WMO/07/2025-01-01": 500}, map[string]int64{"P1/WMO/07/2025-01-01": 2500}},
		"another funder": {under("WMO", "2", spent("B-1", "07", "2025-01-01", 500, "")), map[string]int64{"P1/-/07/2025-01-01": 500}, map[string]int64{}},
		"no budget":      {spent("", "07", "2025-01-01", 500, ""), map[string]int64{"P1/-/07/2025-01-01": 500}, map[string]int64{}},
		"no start":       {spent("B-1", "07", "", 500, ""), map[string]int64{}, map[string]int64{}},
		"no amount":      {&budgetv1.Spend{Budget: "B-1", Function: "07", Start: "2025-01-01"}, map[string]int64{}, map[string]int64{}},
		"nothing":        {nil, map[string]int64{}, map[string]int64{}},
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

// TestWhatFitsNoLineIsToldAndSummedNowhere: unless what it is of is withheld, or the gap of
// its funder says what is missing.
func TestWhatFitsNoLineIsToldAndSummedNowhere(t *testing.T) {
	one := award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 1000)
	one.Provenance = []*budgetv1.Provenance{{RecordType: "award", Sha256: []byte("1")}}
	nameless := proto.CloneOf(one)
	nameless.Decision = nil
	gap := &budgetv1.Gap{Reason: budgetv1.ReasonNoConsent}
	whole := []*budgetv1.Finding{{
		Code: "SPENDING_UNMATCHED", Severity: "WARNING", Person: "P1", Persons: []string{"P1"},
		Law: "WMO", Product: "02", From: "2025-01-01", To: "2025-06-30", Days: 181,
	}}
	of := func(number string) *budgetv1.Spend {
		s := under("WMO", "1", spent(number, "02", "2025-01-01", 5, "2025-06-30"))
		s.End = "2025-06-30"
		return s
	}
	late := of("B-7")
	late.Start, late.End = "2024-01-01", "2024-12-31"
	for name, c := range map[string]struct {
		answer budget.Answer
		spend  *budgetv1.Spend
		want   []*budgetv1.Finding
	}{
		"unknown":                 {says("P1", "GM1", one), of("B-7"), whole},
		"no line at all":          {says("P1", "GM1"), of("B-7"), whole},
		"known":                   {says("P1", "GM1", one), of("B-1"), nil},
		"it fits two lines":       {says("P1", "GM1", one, award("WMO", "02", "2025-01-01", "2025-12-31", "B-1", 2)), of("B-1"), whole},
		"numbers are withheld":    {says("P1", "GM1", nameless), of("B-7"), nil},
		"its own number is":       {says("P1", "GM1", one), of(""), nil},
		"the funder is a gap":     {budget.Answer{Person: "P1", Source: "GM1", Gaps: []*budgetv1.Gap{gap}}, of("B-7"), nil},
		"another funder is a gap": {budget.Answer{Person: "P1", Source: "GM2", Gaps: []*budgetv1.Gap{gap}}, of("B-7"), whole},
		"of before the window":    {says("P1", "GM1", one), late, nil},
	} {
		b := budget.Assemble(small(), []budget.Answer{c.answer, paid("P1", c.spend)})
		var found []*budgetv1.Finding
		for _, f := range b.GetFindings() {
			if f.GetCode() == "SPENDING_UNMATCHED" {
				found = append(found, f)
			}
		}
		require.Len(t, found, len(c.want), name)
		for i := range found {
			require.True(t, proto.Equal(c.want[i], found[i]), "%s: %v", name, found[i])
		}
		require.Equal(t, name != "known" && name != "of before the window", b.GetSpentCents()["P1/-/02/2025-01-01"] == 5, name)
		require.Len(t, b.GetRemainingCents(), map[bool]int{true: 1}[name == "known"], name)
	}
}

// Of one slice the newest figure counts, under whichever number of the chain it was told;
// slices of different years add up.
func TestSlicesOfSpending(t *testing.T) {
	line := award("WMO", "02", "2024-07-01", "2025-12-31", "B-2", 10_000)
	line.Decision.EarlierBudgets = []string{"B-0", "B-1"}
	slice := func(number, from, to string, cents int64, asOf string) *budgetv1.Spend {
		s := spent(number, "02", from, cents, asOf)
		s.End = to
		return s
	}
	const id = "P1/WMO/02/2024-07-01"
	for name, c := range map[string]struct {
		spends []*budgetv1.Spend
		spent  int64
		asOf   string
		left   bool
	}{
		"two years": {[]*budgetv1.Spend{
			slice("B-2", "2025-01-01", "2025-06-30", 1500, "2025-06-30"), slice("B-1", "2024-07-01", "2024-12-31", 3000, "2024-10-31"),
			slice("B-2", "2024-07-01", "2024-12-31", 3600, "2025-04-09"),
		}, 5100, "2025-06-30", true},
		"last year only":    {[]*budgetv1.Spend{slice("B-2", "2024-07-01", "2024-12-31", 3600, "2025-04-09")}, 3600, "2025-04-09", false},
		"this year only":    {[]*budgetv1.Spend{slice("B-2", "2025-01-01", "2025-06-30", 1500, "2025-06-30")}, 1500, "2025-06-30", false},
		"all of it at once": {[]*budgetv1.Spend{slice("B-0", "2024-07-01", "2025-06-30", 5000, "2025-06-30")}, 5000, "2025-06-30", true},
		"all of it after a part": {[]*budgetv1.Spend{
			slice("B-2", "2024-07-01", "2025-06-30", 5000, "2025-06-30"), slice("B-2", "2025-01-01", "2025-03-31", 700, "2025-03-31"),
		}, 5000, "2025-06-30", true},
		"said twice": {[]*budgetv1.Spend{
			slice("B-1", "2024-07-01", "2025-06-30", 5000, "2025-06-30"), slice("B-2", "2024-07-01", "2025-06-30", 5000, "2025-06-30"),
		}, 5000, "2025-06-30", true},
	} {
		b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", line), paid("P1", c.spends...)})
		require.Equal(t, map[string]int64{id: c.spent}, b.GetSpentCents(), name)
		require.Equal(t, map[string]string{id: c.asOf}, b.GetSpentAsOf(), name)
		left, known := b.GetRemainingCents()[id]
		require.Equal(t, c.left, known, "%s: without this year's figure nobody knows what is left", name)
		if known {
			require.Equal(t, 10_000-c.spent, left, name)
		}
		require.True(t, b.GetComplete(), name)
		back := budget.Without(b, []budget.Left{{Person: "P2", Source: "GM1", Gap: &budgetv1.Gap{Reason: budgetv1.ReasonNoConsent}}}, small().Parties, nil)
		require.Equal(t, b.GetRemainingCents(), back.GetRemainingCents(), name)
	}
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", line), paid("P1",
		slice("B-1", "2024-07-01", "2025-06-30", 5000, "2025-06-30"), slice("B-2", "2024-07-01", "2025-06-30", 5001, "2025-06-30"))})
	require.Empty(t, b.GetSpentCents(), "two figures of one day: nobody guesses")
	require.Empty(t, b.GetRemainingCents())
	require.False(t, b.GetComplete())
	require.Equal(t, []string{"BAD_DATA_AT_SOURCE", "VERSION_CONFLICT", "SVB"}, []string{b.GetGaps()[0].GetReason(), b.GetGaps()[0].GetCode(), b.GetGaps()[0].GetSource()})
	require.Equal(t, []string{"CONFLICT P1/WMO/02 .."}, coded(b, "CONFLICT"))
}

// under gives a figure its law and the code of its funder.
func under(law, funder string, s *budgetv1.Spend) *budgetv1.Spend {
	s.Law, s.Funder = law, funder
	return s
}

func TestSpendingIsCumulative(t *testing.T) {
	for name, c := range map[string]struct {
		spends []*budgetv1.Spend
		want   int64
	}{
		"the latest": {[]*budgetv1.Spend{
			spent("B-1", "02", "2025-01-01", 900, "2025-05-31"), spent("B-1", "02", "2025-01-01", 700, "2025-06-30"),
		}, 700},
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

// TestRemainingIsOfTheWholeAward: the newest total (N7), and not of the window.
func TestRemainingIsOfTheWholeAward(t *testing.T) {
	long := award("WMO", "02", "2024-07-01", "2026-06-30", "B-1", 73000)
	cut := award("WMO", "07", "2025-01-01", "2025-04-30", "B-1", 12000)
	cut.Period.OriginalEnd = new("2025-12-31")
	rate := pgb("WMO", "03", "2025-01-01", "2025-12-31")
	rate.Decision = &budgetv1.Decision{Budget: "B-1"}
	b := budget.Assemble(small(), []budget.Answer{says("P1", "GM1", long, cut, rate), paid("P1",
		spent("B-1", "02", "2024-07-01", 40000, "2025-06-30"), spent("B-1", "07", "2025-01-01", 2000, ""), spent("B-1", "03", "2025-01-01", 5, ""),
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
		"two households": {[]budget.Answer{
			pays("P1", household("h", perMonth("WMO", 2100, "2025-01-01", ""))), pays("P2", household("i", perMonth("WMO", 2100, "2025-01-01", ""))),
		}, 24 * 2100, 0},
		"one after the other": {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "2025-05-15")), pays("P2", perMonth("WMO", 2100, "2025-05-15", ""))}, 11 * 2100, 0},
		"two laws":            {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WLZ", 2100, "2025-01-01", ""))}, 24 * 2100, 0},
		"one pays nothing":    {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 0, "2025-01-01", ""))}, 12 * 2100, 0},
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
			pays("P1", perMonth("WMO", 2100, "2025-01-01", "2025-06-30")), pays("P2", household("P1", perMonth("WMO", 2100, "2025-07-01", ""))),
		}, 12 * 2100, 0},
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
		require.Empty(t, coded(b, "CONTRIBUTION_HOUSEHOLD_UNKNOWN"), name)
	}
}

// Two adults who are one household pay once a month. Where it is not known whether they
// are, there is no total: neither the one nor the double. What is told of each stays.
func TestOwnContributionsOfWhoKnowsHowManyHouseholds(t *testing.T) {
	mine := perMonth("WMO", 2100, "2025-01-01", "")
	mine.Household = "h"
	q := small()
	for name, c := range map[string]struct {
		answers []budget.Answer
		born    string
		unclear bool
	}{
		"no keys":          {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, "1980-01-01", true},
		"one key":          {[]budget.Answer{pays("P1", mine), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, "1980-01-01", true},
		"one month shared": {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "2025-06-30")), pays("P2", perMonth("WMO", 2100, "2025-06-01", ""))}, "1980-01-01", true},
		"no birth date":    {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, "", true},
		"a child":          {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, "2012-01-01", false},
		"18 in December":   {[]budget.Answer{pays("P1", perMonth("WMO", 2100, "2025-01-01", "")), pays("P2", perMonth("WMO", 2100, "2025-01-01", ""))}, "2007-11-15", true},
	} {
		q.Persons[1].Born = 0
		if c.born != "" {
			q.Persons[1].Born = civil.MustParse(c.born)
		}
		b := budget.Assemble(q, c.answers)
		require.Equal(t, !c.unclear, b.OwnContributionCents != nil, name)
		found := slices.DeleteFunc(b.GetFindings(), func(f *budgetv1.Finding) bool { return f.GetCode() != "CONTRIBUTION_HOUSEHOLD_UNKNOWN" })
		require.Equal(t, c.unclear, len(found) == 1, name)
		require.Positive(t, b.GetMatrix()[1].GetCells()[0].GetOwnContributionCents(), name)
		require.True(t, b.GetComplete(), name)
		if !c.unclear {
			continue
		}
		require.Equal(t, []string{"P1", "P2"}, found[0].GetPersons(), name)
		left := []budget.Left{{Person: "P2", Source: "CAK", Gap: &budgetv1.Gap{Reason: budgetv1.ReasonConsentWithdrawn}}}
		require.Empty(t, coded(budget.Without(b, left, q.Parties, nil), "CONTRIBUTION_HOUSEHOLD_UNKNOWN"), name)
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
