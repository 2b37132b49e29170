package host

import (
	"context"
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

// A process that does not say that it is well, so many times in a row, is frozen.
const (
	healthEvery   = 10 * time.Second
	healthPatence = 5 * time.Second
	mostMisses    = 3
)

// supervise keeps a child alive until Close. What is handed over takes the place of the
// child there is, and lifts a quarantine.
func (p *Process) supervise(c *child) {
	defer close(p.done)
	var crashes []time.Time
	for p.closing.Err() == nil {
		if next := p.attend(c); next != nil {
			p.set(next, Ready, nil)
			p.retire(c)
			p.say("adapter process replaced")
			c, crashes = next, nil
			continue
		}
		if p.closing.Err() != nil {
			break
		}
		p.set(nil, Restarting, nil)
		p.finish(c)
		p.say("adapter process ended")
		if c = p.again(&crashes); c != nil {
			p.set(c, Ready, nil)
			p.say("adapter process started again")
		}
	}
	p.finish(c)
	p.retiring.Wait()
}

// finish ends a child and frees what it leaves behind.
func (*Process) finish(c *child) {
	if c != nil {
		c.kill()
		<-c.exited()
		c.clean()
		c.of.children.Done()
	}
}

// attend waits for the end of a child, which is nil in quarantine, of the process, or for
// what is handed over.
func (p *Process) attend(c *child) (next *child) {
	var exited <-chan struct{}
	if c != nil {
		exited = c.exited()
	}
	select {
	case <-exited:
	case <-p.closing.Done():
	case next = <-p.handover:
	}
	return next
}

// retire lets the calls of a child end, and then the child.
func (p *Process) retire(c *child) {
	if c == nil {
		return
	}
	p.retiring.Go(func() {
		ended := make(chan struct{})
		go func() { c.calls.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(longestFetch): // no call is longer
		case <-p.closing.Done():
		}
		p.finish(c)
	})
}

// again starts a new child, as often as it takes; nil when that is no more to be done. A
// child that is handed over meanwhile is as good.
func (p *Process) again(crashes *[]time.Time) *child {
	for {
		now := time.Now()
		*crashes = recent(append(*crashes, now), now)
		wait, stop := pause(len(*crashes))
		if stop {
			p.set(nil, Quarantined, ErrQuarantined)
			p.say("adapter process in quarantine")
			return nil
		}
		next, going := p.rest(wait + time.Duration(rand.Int64N(int64(wait)/4+1)))
		if next != nil || !going {
			*crashes = nil
			return next
		}
		c, err := p.launch(p.closing, p.running())
		if err == nil {
			return c
		}
		if p.closing.Err() != nil {
			return nil
		}
		p.say(err.Error())
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

// rest waits; going is false when the process is closed meanwhile, and next is what was
// handed over.
func (p *Process) rest(wait time.Duration) (next *child, going bool) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, p.closing.Err() == nil
	case next = <-p.handover:
		return next, true
	case <-p.closing.Done():
		return nil, false
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
		if !p.well(c, probePatence) && p.closing.Err() == nil {
			p.condemn(c)
		}
	}()
}

// well reports whether a child says that it is, in time.
func (p *Process) well(c *child, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(p.closing, patience)
	defer cancel()
	_, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	return err == nil
}

// watch asks a child how it is, as long as it lives, and ends one that is frozen although
// nobody asks it anything.
func (p *Process) watch(c *child) {
	ticker := time.NewTicker(c.of.config.HealthEvery)
	defer ticker.Stop()
	for misses := 0; misses < mostMisses; {
		select {
		case <-c.exited():
			return
		case <-ticker.C:
		}
		if misses++; p.well(c, min(healthPatence, c.of.config.HealthEvery)) {
			misses = 0
		}
	}
	p.say("adapter process does not answer")
	p.condemn(c)
}

func (p *Process) say(what string) {
	_, _ = fmt.Fprintf(p.log, "ontschot: %s: %s\n", p.party, what)
}
