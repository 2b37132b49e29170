package host

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/hashicorp/go-plugin"
)

// A first crash is answered at once; more of them wait longer and longer, and
// more than so many in a while end it: a source that is down must be seen as down.
const (
	mostCrashes  = 5
	crashWindow  = 5 * time.Minute
	firstWait    = 100 * time.Millisecond
	longestWait  = 30 * time.Second
	probePatence = 2 * time.Second
)

// supervise keeps a child alive until Close or quarantine.
func (p *Process) supervise(c *child) {
	defer close(p.done)
	var crashes []time.Time
	for {
		select {
		case <-c.exited():
		case <-p.closing.Done():
			c.kill()
			<-c.exited()
		}
		p.drop(c)
		c.clean()
		if p.closing.Err() != nil {
			return
		}
		p.say("adapter process ended")
		if c, crashes = p.again(crashes); c == nil {
			return
		}
		p.set(c, nil)
		p.say("adapter process started again")
	}
}

// again starts a new child, as often as it takes; nil when that is no more to be done.
func (p *Process) again(crashes []time.Time) (*child, []time.Time) {
	for {
		now := time.Now()
		crashes = recent(append(crashes, now), now)
		wait, stop := pause(len(crashes))
		if stop {
			p.set(nil, ErrQuarantined)
			p.say("adapter process in quarantine")
			return nil, crashes
		}
		if !p.rest(wait + time.Duration(rand.Int64N(int64(wait)/4+1))) {
			return nil, crashes
		}
		c, err := p.launch(p.closing)
		if err == nil {
			return c, crashes
		}
		if p.closing.Err() != nil {
			return nil, crashes
		}
	}
}

// recent keeps the crashes that still count.
func recent(crashes []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(crashes, func(t time.Time) bool { return now.Sub(t) > crashWindow })
}

// pause gives the wait before the next start, and whether there is to be none.
func pause(crashes int) (wait time.Duration, stop bool) {
	switch {
	case crashes > mostCrashes:
		return 0, true
	case crashes <= 1:
		return 0, false
	}
	return min(firstWait<<(crashes-2), longestWait), false
}

// rest waits; false when the process is closed meanwhile.
func (p *Process) rest(wait time.Duration) bool {
	if wait <= 0 {
		return p.closing.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.closing.Done():
		return false
	}
}

// condemn ends a child whose connection broke. Its successor is then the next
// to be asked: without this a call could still find the dead one.
func (p *Process) condemn(c *child) {
	p.drop(c)
	c.kill()
}

// suspect looks whether a child that let a deadline pass still answers anything.
// A frozen one is killed, so that the next call has a living one.
func (p *Process) suspect(c *child) {
	if !p.probing.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer p.probing.Store(false)
		ctx, cancel := context.WithTimeout(p.closing, probePatence)
		defer cancel()
		_, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
		if err != nil && !errors.Is(p.closing.Err(), context.Canceled) {
			p.condemn(c)
		}
	}()
}

func (p *Process) say(what string) {
	_, _ = fmt.Fprintf(p.log, "ontschot: %s: %s\n", p.config.Party, what)
}
