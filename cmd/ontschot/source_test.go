package main

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
)

// A source that misbehaves is a gap with its reason; the rest of the budget comes,
// within the caller's deadline.
func TestSourcesThatMisbehave(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{change: func(c *config.Gateway) { c.SourceTimeout = "1s" }})
	for name, c := range map[string]struct {
		fault  sandbox.Fault
		reason string
	}{
		"down":    {sandbox.Down(), "SOURCE_UNAVAILABLE"},
		"slow":    {sandbox.Slow(time.Minute), "SOURCE_TIMEOUT"},
		"garbage": {sandbox.Garbage(), "BAD_DATA_AT_SOURCE"},
	} {
		for _, party := range []string{"UWV", "GM0119", "ZK5503"} {
			h.box.SetFault(party, c.fault)
			b, err := h.ask()
			h.box.SetFault(party, sandbox.None())
			require.NoError(t, err)
			person := map[string]string{"UWV": "A1", "GM0119": "A3", "ZK5503": "A4"}[party]
			require.Equal(t, c.reason, gapOf(b, refOf(person), party), "%s %s", name, party)
			for _, l := range b.GetLines() {
				require.NotEqual(t, party, l.GetFunder(), "no line of a source that did not answer")
			}
			require.NotEmpty(t, b.GetLines(), "the others are there")
			require.False(t, b.GetComplete())
			require.NotContains(t, b.GetTotals().GetByFunder(), party, "a missing source is never a zero")
		}
	}
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, int64(11184437), b.GetCareTotalCents(), "and all of them recover by themselves")
}

// A caller in a hurry still gets a budget, with the slow source as a gap.
func TestTheCallersDeadlineHolds(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	h.box.SetFault("UWV", sandbox.Slow(time.Minute))
	ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond) // the source may take 3 s
	defer cancel()
	b, err := h.client(nil).AssembleBudget(ctx, requestOf(f.Case), nil)
	require.NoError(t, err)
	require.Equal(t, "SOURCE_TIMEOUT", gapOf(b, "A1", "UWV"))
	require.NotEmpty(t, b.GetLines())
}

// An adapter that is killed in the middle of a request is a gap; the next
// request finds it running again.
func TestAnAdapterIsKilledDuringARequest(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	h.box.SetFault("UWV", sandbox.Slow(2*time.Second))
	b, err := h.askDuring(func() {
		require.NoError(t, syscall.Kill(h.server.Adapters["UWV"].Status().PID, syscall.SIGKILL))
	})
	require.NoError(t, err)
	require.Equal(t, "SOURCE_UNAVAILABLE", gapOf(b, "A1", "UWV"))
	require.Equal(t, int64(11184437), b.GetCareTotalCents(), "the others are there")
	h.box.SetFault("UWV", sandbox.None())
	b, err = h.ask()
	require.NoError(t, err)
	require.Empty(t, gapOf(b, "A1", "UWV"))
	require.Equal(t, int64(2993760), b.GetIncomeCents())
}
