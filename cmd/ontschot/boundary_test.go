package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
)

// Every reference adapter answers behind the boundary of production, and says which layers
// are around it.
func TestReferenceAdaptersAnswerBehindTheFloorOfProduction(t *testing.T) {
	floor := boundary.Floor()
	seen := map[string]bool{}
	for _, name := range []string{"meppel", "woerden", "diemen-zwolle", "testdata/cases/10-family-of-eight.json", "testdata/cases/12-doubts.json"} {
		if len(seen) == len(referenceAdapters()) {
			break
		}
		h := play(t, open(t, name), options{change: func(c *config.Gateway) { c.Adapters.Floor = floor }})
		b, err := h.ask()
		require.NoError(t, err)
		require.NotEmpty(t, b.GetLines())
		for _, g := range b.GetGaps() {
			require.NotContains(t, []string{"SOURCE_UNAVAILABLE", "SOURCE_TIMEOUT", "ADAPTER_FAULT"}, g.GetReason(), "%s: %s", name, g.GetSource())
		}
		for code, a := range h.server.Adapters {
			p := a.(*host.Process)
			seen[p.Describe().GetId()] = true
			active := map[string]bool{}
			for _, l := range p.Status().Layers {
				active[l.Name] = l.Active
				require.True(t, l.Active || l.Why != "", "%s: %s", code, l.Name)
			}
			for _, l := range floor {
				require.True(t, active[l], "%s: %s", code, l)
			}
		}
		h.server.Close()
	}
	require.Len(t, seen, len(referenceAdapters()))
}
