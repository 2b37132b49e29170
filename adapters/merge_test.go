package adapters_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// with gives a line the provenance of one record, as the Writer would.
func with(l *budgetv1.BudgetLine, kind, id string) *budgetv1.BudgetLine {
	l.Provenance = append(l.Provenance, &budgetv1.Provenance{RecordType: kind, RecordId: id, Sha256: []byte(kind + id)})
	return l
}

func award(start string, cents int64) *budgetv1.BudgetLine {
	l := with(line("WMO", "02", start, "2025-12-31"), "award", fmt.Sprint("A", cents))
	l.Decision = &budgetv1.Decision{Budget: fmt.Sprint("A", cents)}
	return euros(l, cents, "PERIOD_TOTAL")
}

func decision(start, id string) *budgetv1.BudgetLine {
	l := with(line("WMO", "02", start, "2025-12-31"), "case_system", id)
	l.Decision = &budgetv1.Decision{Number: id, Issued: "2024-12-01"}
	l.Quantity = &budgetv1.Quantity{Volume: "4", Unit: "04", Frequency: "2"}
	l.Product.LocalCode = "02A03"
	return l
}

func TestAwardAndDecisionBecomeOneLine(t *testing.T) {
	lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{decision("2025-01-01", "D"), award("2025-01-01", 100)})
	require.Len(t, lines, 1)
	require.Empty(t, conflicts)
	l := lines[0]
	require.Equal(t, int64(100), l.GetAmount().GetCents())
	require.Equal(t, "4", l.GetQuantity().GetVolume())
	require.Equal(t, "D", l.GetDecision().GetNumber())
	require.Equal(t, "A100", l.GetDecision().GetBudget())
	require.Equal(t, "02A03", l.GetProduct().GetLocalCode())
	require.Len(t, l.GetProvenance(), 2)
}

func TestAnotherFormLawFunderOrCategoryIsAnotherRight(t *testing.T) {
	inKind := decision("2025-01-01", "D1")
	inKind.DeliveryForm, inKind.Fungibility = "ZIN", "IN_KIND"
	youth := decision("2025-01-01", "D2")
	youth.Law = "JW"
	other := decision("2025-01-01", "D3")
	other.Product.Code = "03"
	elsewhere := decision("2025-01-01", "D4")
	elsewhere.Funder = "GM0002"
	none := decision("2025-01-01", "D5")
	none.Product = nil
	before := decision("2024-01-01", "D6")
	before.Period.End = proto.String("2024-12-31")
	for _, d := range []*budgetv1.BudgetLine{inKind, youth, other, elsewhere, none, before} {
		d = euros(d, 500, "PERIOD_TOTAL")
		lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), d})
		require.Len(t, lines, 2)
		require.Empty(t, conflicts)
		for _, l := range lines {
			require.False(t, l.GetAwardMissing(), "no award touches it")
			require.NotNil(t, l.GetAmount(), "and it keeps its money")
		}
	}
}

// told writes lines as the days they are for and what they are worth; "!" where an award
// is missing.
func told(lines []*budgetv1.BudgetLine) (all []string) {
	for _, l := range lines {
		s := l.GetProduct().GetCode() + " " + l.GetPeriod().GetStart() + ".." + l.GetPeriod().GetEnd()
		if a := l.GetAmount(); a != nil {
			s += fmt.Sprintf(" %d %s", a.GetCents(), a.GetBasis())
		}
		if l.GetAwardMissing() {
			s += " !"
		}
		all = append(all, s)
	}
	return all
}

// A decision and the awards under it are one right, whatever their first days.
func TestDecisionKeepsTheDaysThatNoAwardCovers(t *testing.T) {
	over := func(l *budgetv1.BudgetLine, code, start, end string) *budgetv1.BudgetLine {
		l.Product.Code, l.Period = code, &budgetv1.Period{Start: start}
		if end != "" {
			l.Period.End = &end
		}
		return l
	}
	decided := func(code, start, end string, cents int64, basis string) *budgetv1.BudgetLine {
		d := over(decision("", "D"+code), code, start, end)
		if basis != "" {
			d = euros(d, cents, basis)
		}
		return d
	}
	awarded := func(code, start, end string, cents int64) *budgetv1.BudgetLine {
		return over(award("", cents), code, start, end)
	}
	for name, c := range map[string]struct {
		given []*budgetv1.BudgetLine
		want  []string
	}{
		"inside": {
			[]*budgetv1.BudgetLine{decided("02", "2024-07-01", "2026-06-30", 1000, "PER_MONTH"), awarded("02", "2025-01-01", "2025-09-30", 9100)},
			[]string{"02 2024-07-01..2024-12-31 1000 PER_MONTH !", "02 2025-01-01..2025-09-30 9100 PERIOD_TOTAL", "02 2025-10-01..2026-06-30 1000 PER_MONTH !"},
		},
		"a total is not cut": {
			[]*budgetv1.BudgetLine{decided("02", "2025-01-01", "2025-12-31", 3650, "PERIOD_TOTAL"), awarded("02", "2025-01-15", "2025-12-31", 3510)},
			[]string{"02 2025-01-01..2025-01-14 !", "02 2025-01-15..2025-12-31 3510 PERIOD_TOTAL"},
		},
		"nor is a sum paid once": {
			[]*budgetv1.BudgetLine{decided("02", "2025-01-01", "2025-12-31", 3650, "ONE_OFF"), awarded("02", "2025-01-15", "2025-12-31", 3510)},
			[]string{"02 2025-01-01..2025-01-14 !", "02 2025-01-15..2025-12-31 3510 PERIOD_TOTAL"},
		},
		"no money": {
			[]*budgetv1.BudgetLine{decided("02", "2025-01-01", "", 0, ""), awarded("02", "2025-01-01", "2025-06-30", 5000)},
			[]string{"02 2025-01-01..2025-06-30 5000 PERIOD_TOTAL", "02 2025-07-01.. !"},
		},
		"two awards, and days between": {
			[]*budgetv1.BudgetLine{
				decided("02", "2025-01-01", "2025-12-31", 10, "PER_WEEK"),
				awarded("02", "2025-07-01", "2026-06-30", 2), awarded("02", "2024-01-01", "2025-05-31", 1),
			},
			[]string{"02 2024-01-01..2025-05-31 1 PERIOD_TOTAL", "02 2025-06-01..2025-06-30 10 PER_WEEK !", "02 2025-07-01..2026-06-30 2 PERIOD_TOTAL"},
		},
		"awards over each other": {
			[]*budgetv1.BudgetLine{
				decided("02", "2025-01-01", "2025-12-31", 10, "PER_WEEK"),
				awarded("02", "2025-02-01", "2025-10-31", 1), awarded("02", "2025-03-01", "2025-04-30", 2),
			},
			[]string{"02 2025-01-01..2025-01-31 10 PER_WEEK !", "02 2025-02-01..2025-10-31 1 PERIOD_TOTAL", "02 2025-03-01..2025-04-30 2 PERIOD_TOTAL", "02 2025-11-01..2025-12-31 10 PER_WEEK !"},
		},
		"a whole package": {
			[]*budgetv1.BudgetLine{
				decided("02", "2024-12-01", "2025-12-31", 0, ""), decided("07", "2025-01-01", "2026-01-31", 400, "PER_YEAR"),
				awarded("99", "2025-01-01", "2025-12-31", 1010),
			},
			[]string{"02 2024-12-01..2024-12-31 !", "07 2026-01-01..2026-01-31 400 PER_YEAR !", "99 2025-01-01..2025-12-31 1010 PERIOD_TOTAL"},
		},
		"one that touches nothing": {
			[]*budgetv1.BudgetLine{decided("02", "2025-01-01", "2025-12-31", 3650, "PERIOD_TOTAL"), awarded("02", "2024-01-01", "2024-12-31", 1)},
			[]string{"02 2024-01-01..2024-12-31 1 PERIOD_TOTAL", "02 2025-01-01..2025-12-31 3650 PERIOD_TOTAL"},
		},
	} {
		lines, notices := adapters.Merge(c.given)
		require.Equal(t, c.want, told(lines), name)
		require.Empty(t, notices, name)
	}
}

func TestDecisionAndAllocationOfCareInKind(t *testing.T) {
	d := decision("2025-01-01", "D")
	d.DeliveryForm, d.Fungibility = "ZIN", "IN_KIND"
	a := with(line("WMO", "02", "2025-03-01", "2025-12-31"), "wmo301", "300411")
	a.DeliveryForm, a.Fungibility = "ZIN", "IN_KIND"
	a.Quantity = &budgetv1.Quantity{Volume: "2", Unit: "16", Frequency: "2"}
	lines, notices := adapters.Merge([]*budgetv1.BudgetLine{d, a})
	require.Equal(t, []string{"02 2025-01-01..2025-02-28 !", "02 2025-03-01..2025-12-31"}, told(lines))
	require.Empty(t, notices)
	require.Equal(t, "4", lines[0].GetQuantity().GetVolume())
	require.Equal(t, "2", lines[1].GetQuantity().GetVolume(), "the allocation says how much")
	require.Equal(t, "D", lines[1].GetDecision().GetNumber())
	require.Len(t, lines[1].GetProvenance(), 2)
	d.Quantity.Frequency = "6"
	lines, _ = adapters.Merge([]*budgetv1.BudgetLine{d, a})
	require.Nil(t, lines[0].GetQuantity(), "a volume in all is not cut in parts")
}

func TestUncovered(t *testing.T) {
	span := func(from, to string) adapters.Span {
		s := adapters.Span{From: civil.MustParse(from)}
		if to != "" {
			s.To = civil.MustParse(to)
		}
		return s
	}
	year := span("2025-01-01", "2025-12-31")
	for name, c := range map[string]struct {
		whole    adapters.Span
		by, left []adapters.Span
	}{
		"nothing":            {year, nil, []adapters.Span{year}},
		"all":                {year, []adapters.Span{span("2024-01-01", "")}, nil},
		"all, to the day":    {year, []adapters.Span{year}, nil},
		"all but a day":      {year, []adapters.Span{span("2025-01-02", "2025-12-31")}, []adapters.Span{span("2025-01-01", "2025-01-01")}},
		"outside":            {year, []adapters.Span{span("2024-01-01", "2024-12-31"), span("2026-01-01", "")}, []adapters.Span{year}},
		"open, covered once": {span("2025-01-01", ""), []adapters.Span{span("2025-03-01", "2025-03-31")}, []adapters.Span{span("2025-01-01", "2025-02-28"), span("2025-04-01", "")}},
		"open by open":       {span("2025-01-01", ""), []adapters.Span{span("2025-03-01", "")}, []adapters.Span{span("2025-01-01", "2025-02-28")}},
	} {
		require.Equal(t, c.left, adapters.Uncovered(c.whole, c.by), name)
	}
}

func TestUnequalMoneyIsAConflictAndTheAwardHolds(t *testing.T) {
	for name, c := range map[string]struct {
		cents    int64
		basis    string
		conflict bool
	}{
		"same total":         {1200_00, "PERIOD_TOTAL", false},
		"other total":        {1200_01, "PERIOD_TOTAL", true},
		"a year":             {1200_00, "PER_YEAR", false},
		"a month":            {100_00, "PER_MONTH", false},
		"another month":      {101_00, "PER_MONTH", true},
		"a quarter":          {300_00, "PER_QUARTER", false},
		"a week of 1/52":     {23_08, "PER_WEEK", true},
		"a day":              {3_29, "PER_DAY", true},
		"all at once":        {1200_00, "ONE_OFF", false},
		"four weeks, unlike": {92_31, "PER_4_WEEKS", true},
	} {
		d := euros(decision("2025-01-01", "D"), c.cents, c.basis)
		lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{d, award("2025-01-01", 1200_00)})
		require.Len(t, lines, 1, name)
		require.Equal(t, int64(1200_00), lines[0].GetAmount().GetCents(), name)
		require.Equal(t, c.conflict, len(conflicts) == 1, name)
	}
}

func TestOtherDaysContradictNothing(t *testing.T) {
	d := euros(decision("2025-01-01", "D"), 100_00, "PER_MONTH")
	d.Period.End = proto.String("2025-12-30")
	_, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 1), d})
	require.Empty(t, conflicts)
}

// Money per period comes to no sum without an end: in another basis it contradicts nothing.
func TestMoneyWithoutAnEndIsComparedInOneBasisOnly(t *testing.T) {
	a := euros(award("2025-01-01", 1200_00), 100_00, "PER_MONTH")
	a.Period.End = nil
	d := euros(decision("2025-01-01", "D"), 99_00, "PER_YEAR")
	d.Period.End = nil
	lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{a, d})
	require.Len(t, lines, 1)
	require.Empty(t, conflicts)
	_, conflicts = adapters.Merge([]*budgetv1.BudgetLine{a, euros(d, 99_00, "PER_MONTH")})
	require.Len(t, conflicts, 1)
}

func TestSeveralAwardsStaySeveralBudgets(t *testing.T) {
	for cents, conflict := range map[int64]bool{200: false, 300: false, 301: true} {
		d := euros(decision("2025-01-01", "D"), cents, "PERIOD_TOTAL")
		lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), award("2025-01-01", 200), d})
		require.Equal(t, []string{"02 2025-01-01..2025-12-31 100 PERIOD_TOTAL", "02 2025-01-01..2025-12-31 200 PERIOD_TOTAL"}, told(lines))
		require.Equal(t, conflict, len(conflicts) == 1, cents)
	}
}

func TestWholePackageIsHeldAgainstAllItsDecisions(t *testing.T) {
	decided := func(code string, cents int64) *budgetv1.BudgetLine {
		d := euros(decision("2025-01-01", "D"+code), cents, "PERIOD_TOTAL")
		d.Product.Code = code
		return d
	}
	whole := award("2025-01-01", 1000)
	whole.Product.Code = "99"
	for name, c := range map[string]struct {
		decisions []*budgetv1.BudgetLine
		conflict  bool
	}{
		"together":         {[]*budgetv1.BudgetLine{decided("02", 600), decided("07", 400)}, false},
		"together, unlike": {[]*budgetv1.BudgetLine{decided("02", 600), decided("07", 401)}, true},
		"one, unlike":      {[]*budgetv1.BudgetLine{decided("02", 600)}, true},
		"one without":      {[]*budgetv1.BudgetLine{decided("02", 600), decision("2025-01-01", "D")}, false},
	} {
		lines, conflicts := adapters.Merge(append([]*budgetv1.BudgetLine{whole}, c.decisions...))
		require.Equal(t, []string{"99 2025-01-01..2025-12-31 1000 PERIOD_TOTAL"}, told(lines), name)
		require.Equal(t, c.conflict, len(conflicts) == 1, name)
	}
}

func TestRecordThatComesTwiceCountsOnce(t *testing.T) {
	lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), award("2025-01-01", 100)})
	require.Len(t, lines, 1)
	require.Empty(t, conflicts)
	later := euros(decision("2025-01-01", "D"), 150, "PERIOD_TOTAL")
	later.Period.End, later.Provenance[0].Sha256 = proto.String("2026-03-31"), []byte("another content")
	lines, conflicts = adapters.Merge([]*budgetv1.BudgetLine{later, euros(decision("2025-01-01", "D"), 100, "PERIOD_TOTAL")})
	require.Equal(t, []string{"02 2025-01-01..2026-03-31"}, told(lines), "it cannot be known which holds: never the sum")
	require.Len(t, conflicts, 1)
	require.Equal(t, budgetv1.GapVersionConflict, conflicts[0].GetGap())
	require.Len(t, lines[0].GetProvenance(), 2)
	again := decision("2025-01-01", "D")
	again.Provenance[0].Sha256 = []byte("another layout")
	lines, conflicts = adapters.Merge([]*budgetv1.BudgetLine{again, decision("2025-01-01", "D")})
	require.Len(t, lines, 1)
	require.Empty(t, conflicts, "the two say the same")
}

// Merging is idempotent and independent of order.
func TestMergeDependsOnNothingButTheRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []*budgetv1.BudgetLine
		for i := range rapid.IntRange(0, 7).Draw(t, "n") {
			start := rapid.SampledFrom([]string{"2025-01-01", "2025-02-01"}).Draw(t, "start")
			cents := rapid.Int64Range(1, 4).Draw(t, "cents")
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				lines = append(lines, award(start, cents))
			case 1:
				lines = append(lines, decision(start, fmt.Sprint(i)))
			default:
				lines = append(lines, euros(decision(start, fmt.Sprint(i)), cents, "PERIOD_TOTAL"))
			}
		}
		first, _ := adapters.Merge(clone(lines))
		shuffled := clone(lines)
		source := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		source.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		second, _ := adapters.Merge(shuffled)
		same(t, first, second)
		again, _ := adapters.Merge(clone(first))
		same(t, first, again)
		records := map[string]bool{}
		for _, l := range first {
			for _, p := range l.GetProvenance() {
				records[p.GetRecordType()+p.GetRecordId()] = true
			}
		}
		for _, l := range lines { // no record is lost
			require.True(t, records[l.GetProvenance()[0].GetRecordType()+l.GetProvenance()[0].GetRecordId()])
		}
	})
}

func clone(lines []*budgetv1.BudgetLine) (copies []*budgetv1.BudgetLine) {
	for _, l := range lines {
		copies = append(copies, proto.CloneOf(l))
	}
	return copies
}

func same(t require.TestingT, a, b []*budgetv1.BudgetLine) {
	require.Len(t, b, len(a))
	for i := range a {
		require.True(t, proto.Equal(a[i], b[i]), "line %d", i)
	}
}

// On each day of a Wlz indication there is a line: what is awarded or mediated, else one
// that says that nothing is known of how the care is delivered, and never both or two.
func TestEachDayOfAnIndicationHasALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, last := civil.MustParse("2025-01-01"), civil.MustParse("2025-01-31")
		delivered, indicated := map[civil.Date]bool{}, map[civil.Date]bool{}
		var lines []*budgetv1.BudgetLine
		for i := range rapid.IntRange(1, 7).Draw(t, "n") {
			from := first + civil.Date(rapid.IntRange(0, 25).Draw(t, "from"))
			to := min(last, from+civil.Date(rapid.IntRange(0, 12).Draw(t, "days")))
			form := rapid.SampledFrom([]string{"UNDECIDED", "UNDECIDED", "PGB", "MPT", "award"}).Draw(t, "form")
			kind := map[bool]string{true: "award", false: "iwlz"}[form == "award"]
			l := with(line("WLZ", "99", from.String(), to.String()), kind, fmt.Sprint(i))
			l.DeliveryForm = form
			if form == "award" {
				l.DeliveryForm = "PGB"
			}
			lines = append(lines, l)
			for d := from; d <= to; d++ {
				if form == "UNDECIDED" {
					indicated[d] = true
				} else {
					delivered[d] = true
				}
			}
		}
		merged, _ := adapters.Merge(clone(lines))
		again, _ := adapters.Merge(clone(merged))
		same(t, merged, again)
		undecided := map[civil.Date]int{}
		for _, l := range merged {
			if l.GetDeliveryForm() != "UNDECIDED" {
				continue
			}
			for d := civil.MustParse(l.GetPeriod().GetStart()); d <= civil.MustParse(l.GetPeriod().GetEnd()); d++ {
				undecided[d]++
			}
		}
		for d := first; d <= last; d++ {
			want := 0
			if indicated[d] && !delivered[d] {
				want = 1
			}
			require.Equal(t, want, undecided[d], d.String())
		}
	})
}
