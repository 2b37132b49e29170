package plan_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// FuzzPlan: whatever budget, plan and basis come in, nothing panics, nothing is
// changed, and what is accepted is never more than there is.
func FuzzPlan(f *testing.F) {
	_, q, basis := meppel(f)
	raw := func(m proto.Message) []byte {
		out, err := proto.Marshal(m)
		require.NoError(f, err)
		return out
	}
	f.Add(raw(q.Budget), raw(q.Plan), raw(basis), int32(739433))
	f.Add(raw(q.Budget), raw(q.Plan), []byte{}, int32(0))
	f.Add([]byte{}, raw(q.Plan), raw(basis), int32(-1))
	f.Add(raw(hostile()), raw(q.Plan), raw(basis), int32(839692))
	f.Fuzz(func(t *testing.T, b, p, l []byte, date int32) {
		q := plan.Input{Budget: new(budgetv1.Budget), Plan: new(budgetv1.Plan), Basis: new(budgetv1.LegalBasis)}
		if proto.Unmarshal(b, q.Budget) != nil || proto.Unmarshal(p, q.Plan) != nil || proto.Unmarshal(l, q.Basis) != nil {
			return
		}
		requireTotal(t, q, civil.Date(date))
	})
}

func requireTotal(t testing.TB, q plan.Input, date civil.Date) {
	before := []proto.Message{proto.Clone(q.Budget), proto.Clone(q.Plan), proto.Clone(q.Basis)}
	check := plan.Check(q)
	for _, l := range check.GetLines() {
		require.GreaterOrEqual(t, l.GetAllocatedCents(), int64(0))
		require.LessOrEqual(t, l.GetAllocatedCents(), l.GetValueCents())
	}
	for _, a := range plan.Account(q) {
		for _, l := range a.GetLaws() {
			require.GreaterOrEqual(t, l.GetShiftedInCents(), int64(0))
		}
	}
	if d, err := plan.Dissolve(q, date); err == nil {
		for _, r := range d.GetReturned() {
			require.Positive(t, r.GetCents())
		}
	}
	_, _ = plan.Sunset(q)
	require.True(t, proto.Equal(before[0], q.Budget))
	require.True(t, proto.Equal(before[1], q.Plan))
	require.True(t, proto.Equal(before[2], q.Basis))
}

// hostile is a budget no assembly gives: amounts out of all bounds, ids twice,
// periods that are none.
func hostile() *budgetv1.Budget {
	b := meppelBudget()
	for i, l := range b.GetLines() {
		l.ValueCents = new([]int64{math.MaxInt64, math.MinInt64, -1, 100_000_000_000_000}[i%4])
		l.Fungibility = "POOLABLE"
		b.SpentCents[l.GetId()] = []int64{math.MinInt64, math.MaxInt64}[i%2]
	}
	b.Lines[3].Id = b.Lines[2].GetId()
	b.Lines[4].Period = nil
	b.Lines[5].Period.End = new("never")
	return b
}

func TestHostileInput(t *testing.T) {
	_, q, basis := meppel(t)
	for _, b := range []*budgetv1.Budget{nil, {}, hostile(), {Lines: []*budgetv1.BudgetLine{nil, {}, {Id: "x"}}}} {
		for _, p := range []*budgetv1.Plan{nil, {}, q.Plan, {Allocations: []*budgetv1.Allocation{nil, {}, {Splits: []*budgetv1.Split{nil, {}}}}}} {
			for _, l := range []*budgetv1.LegalBasis{nil, {}, basis} {
				requireTotal(t, plan.Input{Budget: b, Plan: p, Basis: l}, 739433)
				requireTotal(t, plan.Input{Budget: b, Plan: p, Basis: l, Texts: texts(t)}, math.MaxInt32)
			}
		}
	}
}

// TestManyOfEverything: far more than the messages allow is still judged.
func TestManyOfEverything(t *testing.T) {
	b := meppelBudget()
	p := new(budgetv1.Plan)
	for range 2000 {
		a := allocation("x", people("A3", "A4"))
		for range 200 {
			a.Splits = append(a.Splits, split(wmo02, 1), split(wlz, 1))
			a.Cents += 2
		}
		a.HoursPerWeek, a.Caregiver = "999.99", "N"
		p.Allocations = append(p.Allocations, a)
	}
	check := plan.Check(plan.Input{Budget: b, Plan: p, Basis: basis("2025-01-01", "2025-12-31")})
	require.Len(t, check.GetRefused(), 0)
	require.Equal(t, int64(800000), check.GetAllocatedCents())
	require.True(t, found(check, budgetv1.FindingOneCaregiverOver40H, ""))
}

func BenchmarkCheck(b *testing.B) {
	_, q, basis := meppel(b)
	q.Basis = basis
	b.ReportAllocs()
	for b.Loop() {
		plan.Check(q)
	}
}

func BenchmarkDissolve(b *testing.B) {
	budget := meppelBudget()
	date := civil.MustParse("2025-07-01")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Dissolve(asked(budget), date); err != nil {
			b.Fatal(err)
		}
	}
}
