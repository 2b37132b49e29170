package gateway_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// BenchmarkRequest is a request about two people at four sources that answer from memory.
func BenchmarkRequest(b *testing.B) {
	h := newHouse(b, nil)
	f := h.household()
	ctx := h.municipality().call()
	b.ReportAllocs()
	for b.Loop() {
		_, err := h.compose(ctx, h.about(f))
		require.NoError(b, err)
	}
}

// BenchmarkQuestion is a question about one person at one source.
func BenchmarkQuestion(b *testing.B) {
	h := newHouse(b, nil)
	ctx, r := h.question()
	b.ReportAllocs()
	for b.Loop() {
		_, err := h.compose(ctx, r)
		require.NoError(b, err)
	}
}

// question about one person at one source, and by whom.
func (h *house) question() (context.Context, *ontschotv1.AssembleBudgetRequest) {
	p := h.person("P")
	h.give(p, "", all("ZK5503")...)
	return h.municipality().call(), h.request([]person{p}, [2]string{p.ref, "ZK5503"})
}

// What a question costs in allocations does not depend on who else uses the machine.
func TestAllocationsPerQuestion(t *testing.T) {
	h := newHouse(t, nil)
	ctx, r := h.question()
	const questions = 200
	ask := func() {
		for range questions {
			_, err := h.compose(ctx, r)
			require.NoError(t, err)
		}
	}
	ask()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ask()
	runtime.ReadMemStats(&after)
	count, bytes := float64(after.Mallocs-before.Mallocs)/questions, float64(after.TotalAlloc-before.TotalAlloc)/questions
	more := 1.0
	if underRace { // it allocates itself
		more = 2
	}
	require.LessOrEqual(t, count, more*mostAllocations)
	require.LessOrEqual(t, bytes, more*mostAllocated)
}

// Of one question, without what gRPC takes to bring it here.
const (
	mostAllocations = 950.0
	mostAllocated   = 86_000.0 // bytes
)
