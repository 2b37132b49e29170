package budget_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func span(from, to string) civil.Span {
	return civil.Span{From: civil.MustParse(from), To: civil.MustParse(to)}
}

// window is span for texts that may be no dates.
func window(from, to string) (civil.Span, bool) {
	start, err := civil.Parse(from)
	if err != nil {
		return civil.Span{}, false
	}
	end, err := civil.Parse(to)
	return civil.Span{From: start, To: end}, err == nil
}

func period(start, end string) *budgetv1.Period {
	p := &budgetv1.Period{Start: start}
	if end != "" {
		p.End = &end
	}
	return p
}

func TestProrationVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors-proration.json")
	require.NoError(t, err)
	var vectors []struct {
		Name, Start string
		End         *string
		Amount      struct {
			Cents int64
			Basis string
		}
		Window struct{ From, To string }
		Expect int64 `json:"expect_cents"`
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.Len(t, vectors, 15)
	for _, v := range vectors {
		p := &budgetv1.Period{Start: v.Start, End: v.End}
		cents, ok := budget.Value(amount(v.Amount.Cents, v.Amount.Basis), p, span(v.Window.From, v.Window.To))
		require.True(t, ok, v.Name)
		require.Equal(t, v.Expect, cents, v.Name)
	}
}

func TestOtherBases(t *testing.T) {
	year := span("2025-01-01", "2025-12-31")
	for name, c := range map[string]struct {
		amount *budgetv1.Amount
		period *budgetv1.Period
		want   int64
	}{
		"two weeks":                {amount(1400, "PER_2_WEEKS"), period("2025-01-01", "2025-01-21"), 2100},
		"13 weeks":                 {amount(9100, "PER_13_WEEKS"), period("2025-01-01", "2025-01-10"), 1000},
		"days":                     {amount(250, "PER_DAY"), period("2025-12-30", ""), 500},
		"quarter, a whole year":    {amount(30000, "PER_QUARTER"), period("2024-01-01", ""), 120000},
		"quarter, a month":         {amount(30000, "PER_QUARTER"), period("2025-02-01", "2025-02-28"), 10000},
		"quarter, half a month":    {amount(30000, "PER_QUARTER"), period("2025-04-16", "2025-04-30"), 5000},
		"month, parts of two":      {amount(31000, "PER_MONTH"), period("2025-01-31", "2025-02-14"), 1000 + 15500},
		"half a cent goes up":      {amount(1, "PERIOD_TOTAL"), period("2025-12-31", "2026-01-01"), 1},
		"one-off that began early": {amount(5, "ONE_OFF"), period("2024-12-31", "2025-01-01"), 0},
		"open one-off":             {amount(5, "ONE_OFF"), period("2025-12-31", ""), 5},
		"zero is known":            {amount(0, "PER_MONTH"), period("2025-01-01", ""), 0},
		"the most there can be":    {amount(100_000_000_000, "PER_DAY"), period("1850-01-01", ""), 36_500_000_000_000},
	} {
		cents, ok := budget.Value(c.amount, c.period, year)
		require.True(t, ok, name)
		require.Equal(t, c.want, cents, name)
	}
}

// TestCutShort (N7): the amount of a line that was cut short is the new one, over the days
// that are left of it.
func TestCutShort(t *testing.T) {
	p := period("2025-01-01", "2025-04-30")
	p.OriginalEnd = new("2025-12-31")
	cents, ok := budget.Value(amount(128219, "PERIOD_TOTAL"), p, span("2025-01-01", "2025-12-31"))
	require.True(t, ok)
	require.Equal(t, int64(128219), cents)

	cents, ok = budget.Value(amount(1000, "PER_MONTH"), p, span("2025-01-01", "2025-12-31"))
	require.True(t, ok)
	require.Equal(t, int64(4000), cents)
}

func TestWhatCannotBeValued(t *testing.T) {
	original := func(start, end, original string) *budgetv1.Period {
		p := period(start, end)
		p.OriginalEnd = &original
		return p
	}
	for name, c := range map[string]struct {
		amount *budgetv1.Amount
		period *budgetv1.Period
	}{
		"no amount":                {nil, period("2025-01-01", "")},
		"no period":                {amount(1, "PER_DAY"), nil},
		"no start":                 {amount(1, "PER_DAY"), &budgetv1.Period{}},
		"no date":                  {amount(1, "PER_DAY"), period("2025-02-30", "")},
		"an end that is no date":   {amount(1, "PER_DAY"), period("2025-01-01", "later")},
		"an empty end":             {amount(1, "PER_DAY"), &budgetv1.Period{Start: "2025-01-01", End: new("")}},
		"end before start":         {amount(1, "PER_DAY"), period("2025-01-02", "2025-01-01")},
		"a total without an end":   {amount(1, "PERIOD_TOTAL"), period("2025-01-01", "")},
		"cut short without an end": {amount(1, "PERIOD_TOTAL"), original("2025-01-01", "", "2025-12-31")},
		"an end that was earlier":  {amount(1, "PERIOD_TOTAL"), original("2025-01-01", "2025-12-31", "2025-06-30")},
		"no original date":         {amount(1, "PERIOD_TOTAL"), original("2025-01-01", "2025-12-31", "?")},
		"an unknown basis":         {amount(1, "PER_MOON"), period("2025-01-01", "")},
		"no basis":                 {amount(1, ""), period("2025-01-01", "")},
		"less than nothing":        {amount(-1, "PER_DAY"), period("2025-01-01", "")},
		"more than a message may":  {amount(100_000_000_001, "PER_DAY"), period("2025-01-01", "")},
	} {
		_, ok := budget.Value(c.amount, c.period, span("2025-01-01", "2025-12-31"))
		require.False(t, ok, name)
	}
	_, ok := budget.Value(amount(100_000_000_000, "PER_DAY"), period("1850-01-01", ""), civil.Span{From: 1})
	require.False(t, ok, "more than sums can hold")
}

// What is no whole number of cents a week is rounded once, where it is valued.
func TestAFractionOfACentIsRoundedOnce(t *testing.T) {
	year := civil.Span{From: civil.MustParse("2025-01-01"), To: civil.MustParse("2025-12-31")}
	period := &budgetv1.Period{Start: "2025-01-01"}
	week := &budgetv1.Amount{Cents: 169287, Divisor: 10, Basis: "PER_WEEK", Derived: true} // 7.3 hours of 23.19
	cents, ok := budget.Value(week, period, year)
	require.True(t, ok)
	require.Equal(t, int64(882711), cents, "16928.7 x 365/7 = 882710.79")
	for _, a := range []*budgetv1.Amount{
		{Cents: 1, Divisor: -1, Basis: "PER_WEEK"}, {Cents: 1, Divisor: 2, Basis: "ONE_OFF"}, {Cents: 1, Divisor: 2, Basis: "PERIOD_TOTAL"},
	} {
		_, ok := budget.Value(a, period, year)
		require.False(t, ok, a.GetBasis())
	}
}
