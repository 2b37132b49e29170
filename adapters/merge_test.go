package adapters_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/adapters"
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

func TestAnotherStartFormOrLawStaysALineOfItsOwn(t *testing.T) {
	inKind := decision("2025-01-01", "D1")
	inKind.DeliveryForm, inKind.Fungibility = "ZIN", "IN_KIND"
	youth := decision("2025-01-01", "D2")
	youth.Law = "JW"
	other := decision("2025-01-01", "D3")
	other.Product.Code = "03"
	for _, d := range []*budgetv1.BudgetLine{decision("2025-01-02", "D"), inKind, youth, other} {
		lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), d})
		require.Len(t, lines, 2)
		require.Empty(t, conflicts)
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

func TestMoneyOfAnAwardCutShortIsComparedOverItsOldPeriod(t *testing.T) {
	a := award("2025-01-01", 1200_00)
	a.Period = &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-04-30"), OriginalEnd: proto.String("2025-12-31")}
	_, conflicts := adapters.Merge([]*budgetv1.BudgetLine{a, euros(decision("2025-01-01", "D"), 1200_00, "PER_YEAR")})
	require.Empty(t, conflicts)
}

// Money per period comes to no sum without an end: such an award contradicts nothing in
// another basis, whatever end it had once.
func TestMoneyOfAnAwardWithoutAnEndIsNotCompared(t *testing.T) {
	for name, original := range map[string]*string{"never had one": nil, "had one": proto.String("2025-12-31")} {
		a := euros(award("2025-01-01", 1200_00), 100_00, "PER_MONTH")
		a.Period = &budgetv1.Period{Start: "2025-01-01", OriginalEnd: original}
		d := euros(decision("2025-01-01", "D"), 99_00, "PERIOD_TOTAL")
		lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{a, d})
		require.Len(t, lines, 1, name)
		require.Empty(t, conflicts, name)
		_, conflicts = adapters.Merge([]*budgetv1.BudgetLine{a, euros(decision("2025-01-01", "D"), 99_00, "PER_MONTH")})
		require.Len(t, conflicts, 1, "%s: in one basis nothing needs an end", name)
	}
}

func TestSeveralAwardsStaySeveralBudgets(t *testing.T) {
	d := euros(decision("2025-01-01", "D"), 200, "PERIOD_TOTAL")
	lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), award("2025-01-01", 200), d})
	require.Len(t, lines, 2)
	require.Empty(t, conflicts)
	for _, l := range lines {
		want := ""
		if l.GetAmount().GetCents() == 200 {
			want = "D" // the decision with the very same money
		}
		require.Equal(t, want, l.GetDecision().GetNumber())
	}
}

func TestRecordThatComesTwiceCountsOnce(t *testing.T) {
	lines, conflicts := adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), award("2025-01-01", 100)})
	require.Len(t, lines, 1)
	require.Empty(t, conflicts)
	changed := award("2025-01-01", 100)
	changed.Amount.Cents, changed.Provenance[0].Sha256 = 150, []byte("another content")
	lines, conflicts = adapters.Merge([]*budgetv1.BudgetLine{award("2025-01-01", 100), changed})
	require.Len(t, lines, 2, "it cannot be known which holds")
	require.Len(t, conflicts, 1)
}

// Invariant I9: merging is idempotent and independent of order.
func TestMergeDependsOnNothingButTheRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []*budgetv1.BudgetLine
		for i := range rapid.IntRange(0, 24).Draw(t, "n") {
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
		for _, l := range lines { // I1: no record is lost
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
