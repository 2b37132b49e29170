package exam

import (
	"context"
	"crypto/tls"
	"slices"
	"syscall"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/ontschot/ontschot/adapters/handshake"
)

// greeted: it starts, says one line and answers Describe, within ten seconds.
func greeted(ctx context.Context, x *examination) *finding {
	begun := time.Now()
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	what, err := t.describe(ctx)
	x.started = time.Since(begun)
	if err != nil {
		t.close()
		return fails("Describe geeft %s", "Describe gives %s", outcome(err))
	}
	x.figures.StartMilliseconds = x.started.Milliseconds()
	x.what, x.main = what, nil
	if t.child == nil {
		x.main = t
		return nil
	}
	t.close()
	x.lines = x.insert()
	return nil
}

// paired: it answers who holds the pair of its run, and nobody else.
func paired(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	if _, err := t.describe(ctx); err != nil {
		return fails("Describe geeft %s", "Describe gives %s", outcome(err))
	}
	other, _, err := handshake.NewPair()
	if err != nil {
		return fails("geen sleutelpaar te maken", "no pair can be made")
	}
	trusting := other.Clone() // who takes anybody for the adapter, and shows another certificate
	trusting.InsecureSkipVerify, trusting.VerifyConnection = true, nil
	bare := trusting.Clone()
	bare.Certificates = nil
	for _, way := range []struct {
		side   *tls.Config
		nl, en string
	}{
		{nil, "zonder TLS", "without TLS"}, {bare, "zonder certificaat", "without a certificate"},
		{trusting, "met een certificaat van een andere start", "with the certificate of another run"},
	} {
		stranger, f := x.reach(nil, "passthrough:///localhost", way.side, t.at.dial)
		if f != nil {
			return f
		}
		hasty, cancel := context.WithTimeout(ctx, time.Second)
		_, err := stranger.describe(hasty)
		cancel()
		stranger.close()
		if err == nil {
			return &finding{Failed, Text{NL: "het antwoordt ook een vreemde, " + way.nl, EN: "it answers a stranger too, " + way.en}}
		}
	}
	return nil
}

// major: asked for a protocol of the future, it does not say that it speaks it.
func major(ctx context.Context, x *examination) *finding {
	const future = handshake.Protocol + 98
	c, err := x.launch(how{version: future})
	if err != nil {
		return fails("het programma is niet te starten", "the program cannot be started")
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	select {
	case line, said := <-c.first:
		if h, _ := parse(line); said && h.protocol == future {
			return fails("het zegt protocol %d te spreken", "it says that it speaks protocol %d", future)
		}
	case <-ctx.Done():
		return fails("het zegt niets en stopt niet", "it says nothing and does not end")
	}
	return nil
}

// byHand: started without a gateway, it says so and ends.
func byHand(_ context.Context, x *examination) *finding {
	c, err := x.launch(how{byHand: true})
	if err != nil {
		return fails("het programma is niet te starten", "the program cannot be started")
	}
	defer c.close()
	if !c.ends(longestStart / 2) {
		return fails("het blijft draaien", "it goes on running")
	}
	if c.cmd.ProcessState.ExitCode() == 0 {
		return fails("het stopt met code 0", "it ends with code 0")
	}
	return nil
}

// healthy: it answers the health check, by which a gateway sees that it is not frozen.
func healthy(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	service := "plugin"
	if t.child == nil {
		service = ""
	}
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	a, err := t.health.Check(ctx, &healthv1.HealthCheckRequest{Service: service})
	if err != nil {
		return fails("grpc.health.v1 voor %q geeft %s", "grpc.health.v1 for %q gives %s", service, outcome(err))
	}
	if a.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return fails("de stand is %s", "it is %s", a.GetStatus())
	}
	return nil
}

// signalled: signals that are meant for the gateway do not end it while its lifeline is there.
func signalled(ctx context.Context, x *examination) *finding {
	t, f := x.open(ctx)
	if f != nil {
		return f
	}
	defer t.close()
	if _, err := t.describe(ctx); err != nil {
		return fails("Describe geeft %s", "Describe gives %s", outcome(err))
	}
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		_ = syscall.Kill(t.pid(), s)
		if t.ends(400 * time.Millisecond) {
			return fails("het stopt na %s", "it ends after %s", s)
		}
		if _, err := t.describe(ctx); err != nil {
			return fails("na %s geeft Describe %s", "after %s Describe gives %s", s, outcome(err))
		}
	}
	return nil
}

// cutLoose: when its host is gone, it ends within two seconds.
func cutLoose(ctx context.Context, x *examination) *finding {
	for range attempts {
		t, f := x.ready(ctx)
		if f != nil {
			return f
		}
		_ = t.lifeline.Close()
		ended := t.ends(farewell)
		t.close()
		if ended {
			return nil
		}
	}
	return fails("na %v draait het nog", "after %v it still runs", farewell)
}

// ready gives an adapter that has been at work: configured, if it can be.
func (x *examination) ready(ctx context.Context) (*target, *finding) {
	t, f := x.open(ctx)
	if f != nil {
		return nil, f
	}
	if found, err := t.configure(ctx, x.config(), x.Secrets); err == nil && len(found) == 0 && x.Persons != nil && len(x.Persons.Persons) > 0 {
		_, _ = t.fetch(ctx, x.question(x.Persons.Persons[0].Numbers))
	}
	return t, nil
}

// nothingLeft: what it started itself is gone too.
func nothingLeft(ctx context.Context, x *examination) *finding {
	t, f := x.ready(ctx)
	if f != nil {
		return f
	}
	started := descendants(t.pid())
	defer func() {
		for _, pid := range started {
			if exists(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it was started by what we started
			}
		}
	}()
	defer t.close()
	_ = t.lifeline.Close()
	t.ends(farewell)
	for range 20 {
		if !slices.ContainsFunc(started, exists) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fails("%d processen die het startte, draaien nog", "%d processes that it started still run", len(started))
}

// oneLine: in all its life it printed one line on standard output, in every run.
func oneLine(_ context.Context, x *examination) *finding {
	for _, c := range x.runs {
		if size, ends := c.stdout.printed(); ends > 1 || ends == 1 && size > longestLine {
			return fails("%d regels, %d bytes", "%d lines, %d bytes", ends, size)
		} else if ends == 0 && size > 0 {
			return fails("%d bytes zonder einde van de regel", "%d bytes without an end of line", size)
		}
	}
	return nil
}
