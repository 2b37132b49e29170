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

// What a folder of policies costs before it can judge: read, checked, compiled and asked nothing.
// Meanwhile the revision in force goes on judging.
func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newEngine(b)
	}
}

// What a change of revision costs who asks at that moment: a pointer, and a decision that is
// in no cache yet.
func BenchmarkReplace(b *testing.B) {
	r, all, in := NewRules(newEngine(b)), [2]*Engine{newEngine(b), newEngine(b)}, request()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Replace(all[i%2])
		r.Now().mustJudge(b, &in)
	}
}
