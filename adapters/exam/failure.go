package exam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// Patience of the checks that let a source fail.
const (
	shortCall = 2 * time.Second        // deadline of a call whose source says nothing
	settling  = 7 * time.Second        // how long freed things may take: more than a handshake that nobody waits for, less than a question that nobody ends
	glance    = 100 * time.Millisecond // between two looks
	attempts  = 3                      // where a moment decides, and the machine may be busy
)

// watched asks once, in what its source has become, and gives what comes of it.
func (x *examination) watched(ctx context.Context, f fault, within time.Duration) (*target, *finding, error) {
	p, _, bad := x.someone(ctx)
	if bad != nil {
		return nil, bad, nil
	}
	t, bad := x.adapter(ctx)
	if bad != nil {
		return nil, bad, nil
	}
	x.lines.play(f)
	short, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := t.fetch(short, x.question(p.Numbers))
	if t.gone() {
		return t, fails("het programma stopt", "the program ends"), err
	}
	return t, nil, err
}

// becomes gives the check that a fault of the source has its reason.
func becomes(f fault, reasons ...string) func(context.Context, *examination) *finding {
	return func(ctx context.Context, x *examination) *finding {
		defer x.heal(ctx)
		_, bad, err := x.watched(ctx, f, longestCall)
		if bad != nil {
			return bad
		}
		if !slices.Contains(reasons, reason(err)) || !fits(err) {
			return fails("%s, verwacht %s", "%s, expected %s", outcome(err), strings.Join(reasons, ", "))
		}
		return nil
	}
}

// fits reports whether an error's code is that of its reason.
func fits(err error) bool {
	return map[string]codes.Code{
		subjectNotFound: codes.NotFound, scopeUnsupported: codes.InvalidArgument, sourceUnavailable: codes.Unavailable,
		sourceTimeout: codes.DeadlineExceeded, badData: codes.DataLoss, notConfigured: codes.FailedPrecondition,
	}[reason(err)] == status.Code(err)
}

// inTime: when the source says nothing, it answers itself before the caller's deadline.
func inTime(ctx context.Context, x *examination) *finding {
	const calls = 5
	p, _, f := x.someone(ctx)
	if f != nil {
		return f
	}
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	x.lines.play(silent)
	defer x.heal(ctx)
	for range attempts { // one that comes too late may be the machine's doing; all of them are not
		errs := make([]error, calls)
		var wait sync.WaitGroup
		for i := range calls {
			wait.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, 2*shortCall)
				defer cancel()
				_, errs[i] = t.asks.Fetch(patient{ctx, time.Now().Add(shortCall)}, x.question(p.Numbers))
			})
		}
		wait.Wait()
		if t.gone() {
			return fails("het programma stopt", "the program ends")
		}
		if x.slow = slices.DeleteFunc(errs, func(err error) bool { return reason(err) == "" }); len(x.slow) > 0 {
			return nil
		}
	}
	return fails("geen van %d vragen heeft binnen %v een eigen antwoord", "none of %d questions has an answer of its own within %v", attempts*calls, shortCall)
}

// patient is a context that says a deadline and waits beyond it: a busy machine may bring an
// answer late that was given in time.
type patient struct {
	context.Context
	deadline time.Time
}

// Deadline implements context.Context: what the adapter is told.
func (p patient) Deadline() (time.Time, bool) { return p.deadline, true }

// slowly: then it says that the source was late.
func slowly(_ context.Context, x *examination) *finding {
	for _, err := range x.slow {
		if reason(err) != sourceTimeout || !fits(err) {
			return fails("%s, verwacht %s", "%s, expected %s", outcome(err), sourceTimeout)
		}
	}
	return nil
}

// frees: what a question takes, it gives back.
func frees(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	const atOnce = 8
	if f := x.crowd(ctx, t, 8*atOnce, atOnce); f != nil {
		return f
	}
	before := loadOf(t.pid())
	if f := x.crowd(ctx, t, 16*atOnce, atOnce); f != nil {
		return f
	}
	return flat(t, before, 16)
}

// flat waits until a process holds no more than before and a little besides.
func flat(t *target, before load, threads int) *finding {
	var now load
	for begun := time.Now(); time.Since(begun) < settling; time.Sleep(glance) {
		if now = loadOf(t.pid()); now.within(before, 8, threads) {
			return passes("open bestanden %d, threads %d", "open files %d, threads %d", now.files, now.threads)
		}
	}
	return fails("open bestanden %d en nu %d, threads %d en nu %d", "open files %d and now %d, threads %d and now %d", before.files, now.files, before.threads, now.threads)
}

// cancelled: when the caller hangs up, nothing of the call stays, and others are answered. A
// pool of threads may grow the first time.
func cancelled(ctx context.Context, x *examination) *finding {
	p, _, f := x.someone(ctx)
	if f != nil {
		return f
	}
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	defer x.heal(ctx)
	if f := x.crowd(ctx, t, hanging, hanging); f != nil { // as many connections as it needs for so many
		return f
	}
	x.lines.play(silent)
	if f := x.hangUp(ctx, t, p, mostThreads); f != nil && f.outcome == Failed {
		return f
	}
	if f := x.hangUp(ctx, t, p, 16); f != nil && f.outcome == Failed {
		return f
	}
	x.lines.play(well)
	return x.recover(ctx, t)
}

// hanging is how many calls are broken off at one moment; mostThreads is no bound.
const (
	hanging     = 40
	mostThreads = 1 << 20
)

// hangUp has calls wait for the source, and breaks them off.
func (x *examination) hangUp(ctx context.Context, t *target, p Person, threads int) *finding {
	before := loadOf(t.pid())
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	for range hanging {
		wait.Go(func() { _, _ = t.fetch(waiting, x.question(p.Numbers)) })
	}
	for begun := time.Now(); time.Since(begun) < time.Second && loadOf(t.pid()).within(before, hanging/2, hanging/2); time.Sleep(glance) {
		continue // until they are under way, as far as can be seen
	}
	cancel()
	wait.Wait()
	return flat(t, before, threads)
}

// recover wants an answer as before within a few questions.
func (x *examination) recover(ctx context.Context, t *target) (f *finding) {
	for range 5 {
		short, cancel := context.WithTimeout(ctx, shortCall)
		f = x.asBefore(short, t)
		cancel()
		if f == nil || t.gone() {
			break
		}
		time.Sleep(glance)
	}
	if t.gone() {
		return fails("het programma stopt", "the program ends")
	}
	return f
}

// heal has the source work again; an adapter that does not notice is started anew, so that
// what comes next says nothing of what was before.
func (x *examination) heal(ctx context.Context) {
	x.lines.play(well)
	if x.main != nil && x.recover(ctx, x.main) != nil {
		x.main.close()
		x.main = nil
	}
}

// recovers: after each fault it works again, in the same process.
func recovers(ctx context.Context, x *examination) *finding {
	for _, one := range []fault{down, garbled, silent} {
		t, f, _ := x.watched(ctx, one, shortCall)
		x.lines.play(well)
		if f != nil {
			return f
		}
		if f := x.recover(ctx, t); f != nil {
			f.seen.NL, f.seen.EN = fmt.Sprintf("na %s: %s", one, f.seen.NL), fmt.Sprintf("after %s: %s", one, f.seen.EN)
			return f
		}
	}
	return nil
}

// String implements fmt.Stringer.
func (f fault) String() string { return []string{"well", "down", "silent", "garbled"}[f] }

// probes: the probe reaches the source, and fails as a question would.
func probes(ctx context.Context, x *examination) *finding {
	if !slices.Contains(x.what.GetCapabilities(), canProbe) {
		return beside("het heeft Probe niet", "it does not have Probe")
	}
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, longestCall)
	defer cancel()
	if _, err := t.asks.Probe(ctx, &adapterv1.ProbeRequest{}); err != nil {
		return fails("de bron is er, en Probe geeft %s", "the source is there, and Probe gives %s", outcome(err))
	}
	x.lines.play(down)
	defer x.heal(ctx)
	if _, err := t.asks.Probe(ctx, &adapterv1.ProbeRequest{}); reason(err) != sourceUnavailable {
		return fails("de bron is weg, en Probe geeft %s", "the source is gone, and Probe gives %s", outcome(err))
	}
	return nil
}
