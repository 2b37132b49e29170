//go:build !race

package gateway_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a question costs in allocations does not depend on who else uses the machine.
// Under the race detector it would: that allocates itself, and drops what pools hold at random.
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
	require.LessOrEqual(t, count, mostAllocations)
	require.LessOrEqual(t, bytes, mostAllocated)
}

// Of one question, without what gRPC takes to bring it here.
const (
	mostAllocations = 880.0
	mostAllocated   = 74_000.0 // bytes
)
