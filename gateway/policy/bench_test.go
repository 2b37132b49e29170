package policy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func (e *Engine) mustJudge(t testing.TB, in *Input) {
	o, err := e.judge(context.Background(), e.names.value(in), in.Resource.Properties.Fields)
	require.NoError(t, err)
	require.True(t, o.Allow)
}

func BenchmarkDecideUncached(b *testing.B) {
	e, in := newEngine(b), request()
	b.ReportAllocs()
	for b.Loop() {
		e.mustJudge(b, &in)
	}
}

// What Decide does for each law.
func BenchmarkDecideCached(b *testing.B) {
	e, in := newEngine(b), request()
	e.evaluate(b.Context(), &in)
	b.ReportAllocs()
	for b.Loop() {
		e.evaluate(b.Context(), &in)
	}
}

// Time is measured and never asserted; allocations say as much and do not depend
// on who else uses the machine.
func TestAllocationsPerDecision(t *testing.T) {
	e, in := newEngine(t), request()
	e.Evaluate(t.Context(), in)
	require.Zero(t, testing.AllocsPerRun(100, func() { e.evaluate(t.Context(), &in) }), "cached")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { e.Evaluate(t.Context(), in) }), 5.0, "cached, and copied")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { e.mustJudge(t, &in) }), 900.0, "uncached")
}
