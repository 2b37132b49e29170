package host_test

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/host"
)

// Whatever is reloaded, rolled back and refused meanwhile, no call fails.
func TestReloadUnderLoadFailsNoCall(t *testing.T) {
	p, _ := start(t)
	c := config(newJournal())
	var failed, made atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				made.Add(1)
				if _, err := p.Fetch(context.Background(), ask("identifiers")); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	bad := c
	bad.ConfigJSON = []byte(`{"parti":""}`)
	pids := map[int]bool{p.PID(): true}
	for range 4 {
		require.NoError(t, p.Reload(t.Context(), c))
		pids[p.PID()] = true
		require.ErrorIs(t, p.Reload(t.Context(), bad), host.ErrConfigured, "and the one that ran goes on")
		require.NoError(t, p.Rollback(t.Context()))
		pids[p.PID()] = true
	}
	enough := int64(2_000)
	if os.Getenv("ONTSCHOT_LONG") != "" {
		enough = 12_000
	}
	for made.Load() < enough {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	callers.Wait()
	require.Zero(t, failed.Load(), "of %d", made.Load())
	require.Len(t, pids, 9, "each time another process")
	s := p.Status()
	require.Equal(t, []any{host.Ready, 9, uint64(made.Load()), uint64(0), 0}, []any{s.State, s.Starts, s.Calls, s.Failed, s.InFlight})
	for pid := range pids {
		if pid != s.PID {
			require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, 20*time.Second, 10*time.Millisecond, "it ended with its calls")
		}
	}
}

// A call that began before a reload ends where it began.
func TestACallUnderWayOutlivesAReload(t *testing.T) {
	p, log := start(t)
	before := p.PID()
	ended := make(chan error)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, err := p.Fetch(ctx, ask("hang"))
		ended <- err
	}()
	log.await("hanging")
	require.NoError(t, p.Reload(t.Context(), config(newJournal())))
	works(t, p)
	require.NotEqual(t, before, p.PID())
	require.NoError(t, syscall.Kill(before, 0), "it still has a call")
	cancel()
	require.Error(t, <-ended)
	require.Eventually(t, func() bool { return syscall.Kill(before, 0) == syscall.ESRCH }, 20*time.Second, 10*time.Millisecond)
}

func TestThereIsNothingToGoBackToBeforeAReload(t *testing.T) {
	p, _ := start(t)
	require.ErrorIs(t, p.Rollback(t.Context()), host.ErrNothingBefore)
	works(t, p)
	require.NoError(t, p.Reload(t.Context(), config(newJournal())))
	require.NoError(t, p.Rollback(t.Context()))
	p.Close()
	require.ErrorIs(t, p.Reload(t.Context(), config(newJournal())), host.ErrClosed)
	require.Equal(t, host.Stopped, p.Status().State)
}

// A program that crashes again and again is left alone until somebody reloads it; then it
// counts from nothing again.
func TestReloadLiftsAQuarantine(t *testing.T) {
	p, log := start(t)
	for p.Status().State != host.Quarantined {
		if pid := p.PID(); pid != 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(5 * time.Millisecond)
	}
	log.await("in quarantine")
	_, err := p.Fetch(t.Context(), ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	require.Contains(t, p.Status().Why, "crashes again and again")
	bad := config(newJournal())
	bad.Args = []string{"no-adapter"}
	require.ErrorIs(t, p.Reload(t.Context(), bad), host.ErrStart)
	require.Equal(t, host.Quarantined, p.Status().State, "what does not start lifts nothing")
	require.NoError(t, p.Reload(t.Context(), config(newJournal())))
	works(t, p)
	before := p.PID()
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	require.Eventually(t, func() bool { pid := p.PID(); return pid != 0 && pid != before }, 20*time.Second, time.Millisecond)
	works(t, p)
}

// A frozen process that nobody asks anything is found by its health alone.
func TestAFrozenAdapterIsFoundThoughNobodyAsks(t *testing.T) {
	log := newJournal()
	c := config(log)
	if os.Getenv("ONTSCHOT_LONG") == "" { // else as a gateway has it
		c.HealthEvery = 50 * time.Millisecond
	}
	p, err := host.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	before := p.PID()
	require.NoError(t, syscall.Kill(before, syscall.SIGSTOP))
	log.await("does not answer")
	log.await("started again")
	works(t, p)
	require.NotEqual(t, before, p.PID())
}

// A source that is down costs nobody else's time once that is known, and is found to be back.
func TestASourceThatIsDownIsLeftAloneForAWhile(t *testing.T) {
	p, _ := start(t)
	for range 10 {
		_, err := p.Fetch(t.Context(), ask("down"))
		require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	}
	require.Equal(t, host.Degraded, p.Status().State)
	_, err := p.Fetch(t.Context(), ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err), "it was not asked")
	require.Eventually(t, func() bool { _, err := p.Fetch(t.Context(), ask("identifiers")); return err == nil }, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, host.Ready, p.Status().State)
	for range 30 { // what is no failure of the source opens nothing
		_, err := p.Fetch(t.Context(), ask("bad"))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	}
	works(t, p)
}

// A slow adapter has so many calls at once; who finds it full is late, and another adapter is
// not touched.
func TestAnAdapterThatIsFullHoldsUpNoOther(t *testing.T) {
	p, _ := start(t)
	other, _ := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	for range 64 {
		waiting.Go(func() { _, _ = p.Fetch(ctx, ask("wait")) })
	}
	require.Eventually(t, func() bool { return p.Status().InFlight == 64 }, 20*time.Second, time.Millisecond)
	short, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	_, err := p.Fetch(short, ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err))
	works(t, other)
	cancel()
	waiting.Wait()
	works(t, p)
}

// An adapter may take fewer calls at once than others: it says so, and gets no more.
func TestAnAdapterSaysHowManyCallsItTakes(t *testing.T) {
	c := config(newJournal())
	c.Args = []string{"adapter", "few"}
	p, err := host.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	ctx, cancel := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	for range 3 {
		waiting.Go(func() { _, _ = p.Fetch(ctx, ask("wait")) })
	}
	require.Eventually(t, func() bool { return p.Status().InFlight == 3 }, 20*time.Second, time.Millisecond)
	short, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	_, err = p.Fetch(short, ask("identifiers"))
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err), "a fourth waits")
	c.Args = []string{"adapter", "many"}
	require.NoError(t, p.Reload(t.Context(), c))
	works(t, p)
	for range 70 {
		waiting.Go(func() { _, _ = p.Fetch(ctx, ask("wait")) })
	}
	require.Eventually(t, func() bool { return p.Status().InFlight == 3+64 }, 20*time.Second, time.Millisecond, "never more than others")
	cancel()
	waiting.Wait()
	require.Zero(t, p.Status().InFlight)
	works(t, p)
}

func TestAProbeAsksAboutNobody(t *testing.T) {
	p, _ := start(t)
	require.NoError(t, p.Probe(t.Context()))
	require.Zero(t, p.Status().Calls, "it is no question")
}

// What an adapter cannot answer is found when it starts.
func TestAnAdapterIsHeldAgainstWhatWillBeAsked(t *testing.T) {
	for name, wants := range map[string]struct {
		wants host.Wants
		says  string
	}{
		"a law":     {host.Wants{Laws: []string{"WMO", "WLZ"}}, "laws: it is asked about WLZ"},
		"a number":  {host.Wants{Identifier: "education_number"}, "identifiers[0]: it needs bsn"},
		"all of it": {host.Wants{Laws: []string{"WMO"}, Identifier: "bsn"}, ""},
	} {
		c := config(newJournal())
		c.Wants = wants.wants
		p, err := host.Start(t.Context(), c)
		if wants.says == "" {
			require.NoError(t, err, name)
			require.ErrorIs(t, p.Reload(t.Context(), host.Config{Kind: "fake", Args: c.Args, ConfigJSON: c.ConfigJSON, Secrets: c.Secrets, Wants: host.Wants{Laws: []string{"ZVW"}}}), host.ErrWanted)
			works(t, p)
			p.Close()
			continue
		}
		require.ErrorIs(t, err, host.ErrWanted, name)
		require.ErrorContains(t, err, wants.says)
	}
	for what, says := range map[string]string{
		"law": "laws: not of the closed list", "category": "categories: not of", "identifier": "identifiers: not of", "name": "id",
	} {
		c := config(newJournal())
		self, err := os.Executable()
		require.NoError(t, err)
		c.Path, c.Args, c.Kind = self, []string{"adapter", what}, ""
		_, err = host.Start(t.Context(), c)
		require.ErrorIs(t, err, host.ErrDescribed, what)
		require.ErrorContains(t, err, says, what)
	}
}
