package collector

import (
	"context"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGarbageIsBoundedAndGivenBack(t *testing.T) {
	var set []int
	freed := 0
	c := tender{garbage: 32 << 20, set: func(p int) { set = append(set, p) }, free: func() { freed++ }}
	at := uint64(0)
	look := func(more, live uint64) {
		at += more
		c.look(state{at, live})
	}
	for range 3 * rests {
		look(busy, 8<<20) // what it does for itself
	}
	require.Empty(t, set)
	require.Zero(t, freed, "a process that never worked is not collected")
	look(40<<20, 8<<20)
	look(40<<20, 9<<20) // hardly other
	require.Equal(t, []int{400}, set)
	look(40<<20, 16<<20)
	look(40<<20, 1<<30)
	require.Equal(t, []int{400, 200, 100}, set, "never less than Go lets lie")
	look(40<<20, 1) // nothing is known yet
	require.Equal(t, 3200, set[3])
	look(0, 8<<20)
	look(40<<20, 16<<20) // a moment's rest gives nothing back
	require.Zero(t, freed)
	for range 3 * rests {
		look(0, 8<<20)
	}
	require.Equal(t, 1, freed)
	require.Equal(t, usual, set[len(set)-1])
	look(40<<20, 8<<20)
	require.Equal(t, 400, set[len(set)-1], "busy again")
}

func TestAnOperatorDecides(t *testing.T) {
	t.Setenv("GOGC", "70")
	before := debug.SetGCPercent(70)
	defer debug.SetGCPercent(before)
	Tend(context.Background(), 1<<30) // returns at once, although the context does not end
	require.Equal(t, 70, debug.SetGCPercent(70))
}

func TestTheRuntimeSaysWhatIsRead(t *testing.T) {
	first := read()
	kept := make([][]byte, 64)
	for i := range kept {
		kept[i] = make([]byte, 1<<16)
	}
	require.GreaterOrEqual(t, read().allocated-first.allocated, uint64(64<<16))
	require.Len(t, kept, 64)
}
