package budget_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// family is five people with twelve lines each, from three sources.
func family() (budget.Question, []budget.Answer) {
	q := small()
	q.Persons = nil
	var given []budget.Answer
	for i := range 5 {
		person := fmt.Sprintf("P%d", i)
		q.Persons = append(q.Persons, budget.Person{Ref: identity.PersonRef(person)})
		for s, source := range []string{"GM1", "ZK1", "UWV"} {
			a := says(person, source)
			for n := range 4 {
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
	q, given := family()
	b.ReportAllocs()
	for b.Loop() {
		budget.Assemble(q, given)
	}
}

// TestAllocations gates what assembly allocates; how long it takes is measured
// by the benchmark and asserted nowhere.
func TestAllocations(t *testing.T) {
	q, given := family()
	require.Len(t, budget.Assemble(q, given).GetLines(), 60)
	require.LessOrEqual(t, testing.AllocsPerRun(20, func() { budget.Assemble(q, given) }), 3600.0)
}
