package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// sourceTimeout is that of a gateway whose peers are at fault: long enough for a busy machine.
const sourceTimeout = 2 * time.Second

// apartProcesses are the gateways of a case, each a process. Between the one that asks and that of
// UWV there is a proxy that can do to a connection whatever networks do.
type apartProcesses struct {
	*federation
	processes processes
	between   *toxiproxy.Proxy
}

// playProcesses starts them. by is how much the clock of UWV's gateway is ahead.
func playProcesses(t *testing.T, by time.Duration) *apartProcesses {
	t.Helper()
	f := open(t, "meppel")
	h := &apartProcesses{federation: &federation{house: &house{t: t, dir: t.TempDir(), family: f, stderr: new(buffer)}}}
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	layout.Federated = true
	require.NoError(t, f.Write(h.dir, layout))
	h.through("UWV")
	h.box, err = startSandbox(f.Case, h.dir, nil, io.Discard)
	require.NoError(t, err)
	t.Cleanup(h.box.Close)
	h.processes = processes{}
	t.Cleanup(func() { h.processes.close() })
	for _, p := range f.Case.Parties {
		if p.Code == "UWV" {
			h.begin(p.Code, by)
		} else {
			h.begin(p.Code, 0)
		}
	}
	for code, one := range h.processes {
		select {
		case <-one.ready:
		case <-one.ended:
			require.FailNow(t, code+" did not start", h.stderr.String())
		}
	}
	return h
}

// ahead is the word by which the test binary is a gateway with a clock of its own.
const ahead = "serve-ahead"

// begin starts the gateway of an organisation, with a clock of its own.
func (h *apartProcesses) begin(code string, by time.Duration) {
	h.t.Helper()
	one, err := startSelf(h.t.Context(), code, h.stderr, ahead, by.String(), filepath.Join(h.folder(code), "gateway.yaml"))
	require.NoError(h.t, err)
	h.processes[code] = one
}

// serveAhead is "ontschot serve" whose clock is ahead of the machine's.
func serveAhead(by, path string) error {
	difference, err := time.ParseDuration(by)
	if err != nil {
		return err
	}
	conf, err := config.ReadGateway(path)
	if err != nil {
		return err
	}
	conf.Now = func() time.Time { return time.Now().Add(difference) }
	return serve(untilEnd(context.Background(), os.Stdin), conf, os.Stderr)
}

// through puts the proxy on the way of the gateway that asks to another.
func (h *apartProcesses) through(code string) {
	t := h.t
	t.Helper()
	trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	party := &trust.Parties[slices.IndexFunc(trust.Parties, func(p config.Organisation) bool { return p.Code == code })]
	h.between = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), code, "localhost:0", party.Gateway)
	require.NoError(t, h.between.Start())
	t.Cleanup(h.between.Stop)
	party.Gateway = h.between.Listen
	raw, err := yaml.Marshal(trust)
	require.NoError(t, err)
	h.replace("asking.yaml", raw)
	rewrite(t, filepath.Join(h.dir, "gateway.yaml"), "trust: trust.yaml", "trust: asking.yaml")
	rewrite(t, filepath.Join(h.dir, "gateway.yaml"), "source_timeout: 3s", "source_timeout: "+sourceTimeout.String())
}

// lasting does something to the connection until it is lifted.
func (h *apartProcesses) lasting(toxics ...string) (lift func()) {
	h.t.Helper()
	for _, one := range toxics {
		_, err := h.between.Toxics.AddToxicJson(strings.NewReader(one))
		require.NoError(h.t, err)
	}
	return func() { h.between.Toxics.ResetToxics(context.Background()) }
}

// toxic is one in the words of toxiproxy. Downstream is towards the gateway that asks.
func toxic(kind, stream, attribute string, value int) string {
	return fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": {%q: %d}}`, kind+" "+stream, kind, stream, attribute, value)
}

// within asks with a deadline, and requires that there is an answer before it.
func (h *apartProcesses) within(d time.Duration) *budgetv1.Budget {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), d)
	defer cancel()
	b, err := h.client(nil).AssembleBudget(ctx, requestOf(h.family.Case), nil)
	require.NoError(h.t, err, h.stderr)
	return b
}

// stands requires that UWV is missing for this reason, and nothing else that was there before.
func (h *apartProcesses) stands(b *budgetv1.Budget, what, reason, code string) {
	h.t.Helper()
	require.Equal(h.t, []string{reason, code}, codesOf(b, "A1", "UWV"), "%s: %s", what, h.stderr)
	require.NotContains(h.t, b.GetTotals().GetByLaw(), "WIA", what)
	require.Len(h.t, b.GetGaps(), 2, "%s: and that of A2, who never consented", what)
}

// back waits until the answer is as it was, with nobody doing anything.
func (h *apartProcesses) back(whole *budgetv1.Budget, what string) {
	h.t.Helper()
	var b *budgetv1.Budget
	require.Eventually(h.t, func() bool {
		b = h.within(patience)
		return gapOf(b, "A1", "UWV") == ""
	}, patience, 20*time.Millisecond, "%s: %s", what, h.stderr)
	require.Equal(h.t, same(h.t, whole), same(h.t, b), what)
}

// verified ends all gateways and has every log verified.
func (h *apartProcesses) verified() {
	h.t.Helper()
	h.processes.close()
	for _, p := range h.family.Case.Parties {
		code, out, errs := cli(h.t, "audit", "verify", "--data", filepath.Join(h.folder(p.Code), "data"))
		require.Equal(h.t, exitDone, code, "%s: %s%s", p.Code, out, errs)
	}
}

// wayward is what can be wrong between two gateways.
type wayward struct {
	name   string
	toxics []string
	// What the gap says; of the source's log, whether it decided and disclosed.
	reason, code string
	entries      int
	deadline     time.Duration // of the caller
}

func waywards() []wayward {
	const long = 60_000 // ms
	both := func(kind, attribute string, value int) []string {
		return []string{toxic(kind, "upstream", attribute, value), toxic(kind, "downstream", attribute, value)}
	}
	return []wayward{
		{"an answer that is cut", []string{toxic("limit_data", "downstream", "bytes", 1500)}, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerCut, 2, patience},
		{"a question that is cut", []string{toxic("limit_data", "upstream", "bytes", 1500)}, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerCut, 0, patience},
		{"half open: both ways swallowed", both("timeout", "timeout", 0), budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent, 0, patience},
		{"half open: answers swallowed", []string{toxic("timeout", "downstream", "timeout", 0)}, budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent, 2, patience},
		{"a delay that nobody waits for", []string{toxic("latency", "downstream", "latency", long)}, budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent, 2, patience},
		{"slow: a few bytes at a time", []string{`{"name": "slicer", "type": "slicer", "stream": "downstream", "attributes": {"average_size": 32, "size_variation": 1, "delay": 200000}}`},
			budgetv1.ReasonSourceTimeout, "", 2, patience},
		{"half open, and a caller in a hurry", both("timeout", "timeout", 0), budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent, 0, sourceTimeout},
		{"reset on the way back", []string{toxic("reset_peer", "downstream", "timeout", 150)}, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerCut, 2, patience},
		{"reset on the way there", []string{toxic("reset_peer", "upstream", "timeout", 150)}, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerCut, 0, patience},
	}
}

// Whatever a network does between two gateways: the gap says what, before the caller gives up;
// every other source stands; the source's log says how far the question came; and when it is over
// the next question is answered, with nobody doing anything.
func TestWhateverTheNetworkDoes(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, 0)
	whole := h.within(patience)
	require.Len(t, whole.GetGaps(), 1, "that of A2, who never consented")
	seeds := []uint64{1}
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		seeds = []uint64{1, 2, 3, 4, 5, 6}
	}
	for _, seed := range seeds {
		all := waywards()
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		done := fmt.Sprint("seed ", seed)
		for _, one := range all {
			done += ", " + one.name
			before := len(h.judged("UWV"))
			lift := h.lasting(one.toxics...)
			h.stands(h.within(one.deadline), done, one.reason, one.code)
			require.Eventually(t, func() bool { return len(h.judged("UWV")) == before+one.entries }, patience, 10*time.Millisecond,
				"%s: %d entries, not %d", done, len(h.judged("UWV"))-before, one.entries)
			lift()
			h.back(whole, done)
		}
	}
	h.verified()
}

// A delay that is within the time changes nothing.
func TestADelayIsNoFault(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, 0)
	whole := h.within(patience)
	defer h.lasting(toxic("latency", "upstream", "latency", 150), toxic("latency", "downstream", "latency", 150), toxic("bandwidth", "downstream", "rate", 40))()
	require.Equal(t, same(t, whole), same(t, h.within(patience)))
	h.verified()
}

// A gateway that is killed and whose end arrives late is one that is silent, then one that is not
// there, and is asked again when it is back. One that stops says so, and is not waited for at all.
func TestAnEndThatArrivesLate(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, 0)
	whole := h.within(patience)
	lift := h.lasting(toxic("slow_close", "downstream", "delay", 60_000), toxic("slow_close", "upstream", "delay", 60_000))
	require.NoError(t, h.processes["UWV"].command.Process.Kill())
	<-h.processes["UWV"].ended
	h.stands(h.within(patience), "its end is on the way", budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent)
	require.Eventually(t, func() bool {
		return codesOf(h.within(patience), "A1", "UWV")[1] == budgetv1.GapPeerUnreachable
	}, patience, 20*time.Millisecond)
	lift()
	h.begin("UWV", 0)
	h.back(whole, "it is back")

	lift = h.lasting(toxic("slow_close", "downstream", "delay", 60_000), toxic("slow_close", "upstream", "delay", 60_000))
	h.processes["UWV"].stop()
	h.stands(h.within(patience), "it said that it ends", budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable)
	lift()
	h.begin("UWV", 0)
	h.back(whole, "it is back again")
	h.verified()
}

// A gateway behind a wall that swallows everything costs a question all of its time once. After
// that it is known to be away, and takes no more than a moment.
func TestAGatewayThatIsAwayIsNotWaitedFor(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, 0)
	whole := h.within(patience)
	lift := h.lasting(toxic("timeout", "upstream", "timeout", 0), toxic("timeout", "downstream", "timeout", 0))
	h.stands(h.within(patience), "swallowed", budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent)
	for range 3 {
		h.stands(h.within(patience), "away", budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable)
	}
	lift()
	h.back(whole, "it is back")
	h.verified()
}

// A consent that ends while the answer is on its way is not released, and both logs say so.
func TestAnEndWhileAnAnswerIsDelayed(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, 0)
	whole := h.within(patience)
	given := sourceReport(whole, "A1", "UWV").GetConsent()
	before := len(h.judged("UWV"))
	defer h.lasting(toxic("latency", "downstream", "latency", 700))()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cl := h.client(nil)
	withdrawn := make(chan error, 1)
	go func() {
		for len(h.judged("UWV")) < before+2 && ctx.Err() == nil { // disclosed, and on its way
			time.Sleep(time.Millisecond)
		}
		_, err := cl.Consents.WithdrawConsent(ctx, &ontschotv1.WithdrawConsentRequest{Id: given})
		withdrawn <- err
	}()
	b, err := h.client(nil).AssembleBudget(ctx, requestOf(h.family.Case), nil)
	require.NoError(t, err)
	require.NoError(t, <-withdrawn)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, gapOf(b, "A1", "UWV"))
	require.NotContains(t, b.GetTotals().GetByLaw(), "WIA")
	told := h.judged("UWV")[before:]
	require.Equal(t, []audit.Kind{audit.Decision, audit.Release}, []audit.Kind{told[0].Kind, told[1].Kind})
	h.verified()
}

// Clocks that differ by more than two seconds have their own reason as soon as no permit can be
// of the source's time. Nothing is asked then, and the others stand; when the clock is right again
// nobody has to do anything.
func TestClocksOfTwoGatewaysThatDiffer(t *testing.T) {
	if !campaign(t) {
		return
	}
	h := playProcesses(t, -time.Hour)
	for _, one := range []struct {
		ahead time.Duration
		code  string
	}{
		{-time.Hour, budgetv1.GapPeerClock}, {-5 * time.Second, budgetv1.GapPeerClock}, {-time.Second, ""}, {time.Second, ""},
		{8 * time.Second, ""}, {14 * time.Second, budgetv1.GapPeerClock}, {time.Hour, budgetv1.GapPeerClock},
	} {
		h.processes["UWV"].stop()
		h.begin("UWV", one.ahead)
		<-h.processes["UWV"].ready
		before := len(h.judged("UWV"))
		var b *budgetv1.Budget
		require.Eventually(t, func() bool { // it was away for a moment
			b = h.within(patience)
			return !slices.Contains(codesOf(b, "A1", "UWV"), budgetv1.GapPeerUnreachable)
		}, patience, 20*time.Millisecond)
		if one.code == "" {
			require.Empty(t, gapOf(b, "A1", "UWV"), "%s: %s", one.ahead, h.stderr)
			require.Len(t, h.judged("UWV"), before+2)
			continue
		}
		h.stands(b, one.ahead.String(), budgetv1.ReasonPeerRefused, one.code)
		require.Len(t, h.judged("UWV"), before, "there is no question without a permit")
	}
	h.verified()
}

// campaign reports whether long campaigns are run. What happens on a network within seconds
// can be told only on a machine that has nothing else to do.
func campaign(t *testing.T) bool {
	t.Helper()
	if os.Getenv("ONTSCHOT_LONG") == "" {
		t.Log("NOT TESTED: runs with ONTSCHOT_LONG=1, by itself")
		return false
	}
	return true
}
