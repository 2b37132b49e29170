package budget_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// family is five people with so many lines from each of three sources.
func family(each int) (budget.Request, []budget.Answer) {
	q := small()
	q.Persons = nil
	var given []budget.Answer
	for i := range 5 {
		person := fmt.Sprintf("P%d", i)
		q.Persons = append(q.Persons, budget.Person{Ref: identity.PersonRef(person)})
		for s, source := range []string{"GM1", "ZK1", "UWV"} {
			a := says(person, source)
			for n := range each {
				l := pgb([]string{"WMO", "WLZ", "UWV_PROVISION"}[s], fmt.Sprintf("%02d", n), "2024-06-15", "2025-10-20")
				l.Funder = source
				l.Amount.Basis = bases()[(s+n)%len(bases())]
				l.Quantity = &budgetv1.Quantity{Volume: "4", Unit: "04", Frequency: "2"}
				l.Decision = &budgetv1.Decision{Number: "1", Issued: "2024-06-01"}
				l.Provenance = []*budgetv1.Provenance{
					{Source: source, RecordType: "award", RecordId: "1", Sha256: make([]byte, 32)},
					{Source: source, RecordType: "case_system", RecordId: "2", Sha256: make([]byte, 32)},
				}
				a.Response.Lines = append(a.Response.Lines, l)
			}
			given = append(given, a)
		}
	}
	return q, given
}

func BenchmarkAssembleFamilyOfFive(b *testing.B) {
	q, given := family(4)
	b.ReportAllocs()
	for b.Loop() {
		budget.Assemble(q, given)
	}
}

// TestAllocations gates what assembly allocates, for a family of five with 60
// lines and with four times as many: per line it stays flat. How long it takes
// is measured by the benchmark and asserted nowhere.
func TestAllocations(t *testing.T) {
	perLine := func(each int) float64 {
		q, given := family(each)
		lines := len(budget.Assemble(q, given).GetLines())
		require.Equal(t, 15*each, lines)
		return testing.AllocsPerRun(20, func() { budget.Assemble(q, given) }) / float64(lines)
	}
	few, many := perLine(4), perLine(16)
	if !underRace {
		require.LessOrEqual(t, few, 65.0)
	}
	require.LessOrEqual(t, many, few)
}
