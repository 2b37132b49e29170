package host

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// Process is the adapter of one party: one process at a time, started again when
// it dies. It is safe for use by several goroutines.
type Process struct {
	party   string
	log     *adapters.Masker
	flood   *flood     // before it
	dir     *directory // of the sockets
	thread  *thread
	closing context.Context
	close   context.CancelFunc
	done    chan struct{} // closed when the supervisor has ended
	once    sync.Once
	gate    *gate

	handover  chan *child // to the supervisor: the one that takes over
	retiring  sync.WaitGroup
	reloading sync.Mutex // one at a time

	mu          sync.Mutex
	now         *generation   // what the next start is made with
	before      *generation   // what it was before the last reload
	current     *child        // nil while there is none to ask
	failed      error         // why there is none, when waiting will not help
	change      chan struct{} // closed when one of these two changes
	last        *child        // the one that described itself last
	state       State
	since       time.Time
	starts      int
	generations int // there have been

	probing atomic.Bool
}

// Start launches the adapter, checks that it is of the expected kind, and
// configures it. The process lives until Close; ctx bounds the start only.
func Start(ctx context.Context, c Config) (*Process, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	dir, err := newDirectory()
	if err != nil {
		return nil, fmt.Errorf("%w: no directory for its socket", ErrStart)
	}
	p := &Process{
		party: c.Party, log: adapters.NewMasker(c.Log), dir: dir, thread: newThread(), gate: newGate(),
		done: make(chan struct{}), change: make(chan struct{}), handover: make(chan *child), state: Starting, since: time.Now(),
	}
	p.flood = newFlood(p.log, c.Party)
	p.closing, p.close = context.WithCancel(context.Background())
	first, err := p.begin(ctx, c)
	if err != nil {
		close(p.done)
		p.free()
		return nil, fmt.Errorf("%s: %w", c.Party, err)
	}
	p.now = first.of
	p.set(first, Ready, nil)
	go p.supervise(first)
	return p, nil
}

// Describe gives what the adapter said of itself when it started last.
func (p *Process) Describe() *adapterv1.DescribeResponse {
	p.mu.Lock()
	defer p.mu.Unlock()
	return proto.CloneOf(p.last.describe)
}

// Status is how it stands.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{
		Party: p.party, Place: p.now.config.argv()[0], Layers: slices.Clone(p.last.command.layers), State: p.state, Since: p.since, Starts: p.starts,
		Describe: proto.CloneOf(p.last.describe),
		Calls:    p.gate.calls.Load(), Failed: p.gate.failed.Load(), InFlight: p.gate.inFlight(),
	}
	if p.current != nil {
		s.PID = p.current.pid()
	}
	if p.failed != nil {
		s.Why = p.failed.Error()
	}
	if s.State == Ready && p.gate.open() {
		s.State, s.Why = Degraded, "its source was down a moment ago"
	}
	return s
}

// PID gives the process id of the adapter; zero while it is being started again.
func (p *Process) PID() int { return p.Status().PID }

// Close ends the process, also a frozen one, and with it the calls in flight:
// a caller who wants their answers waits for those first. It may be called twice.
func (p *Process) Close() {
	p.once.Do(func() {
		p.set(nil, Stopped, ErrClosed)
		p.close()
		<-p.done
		p.reloading.Lock() // one that was under way ends, and none begins
		defer p.reloading.Unlock()
		p.free()
	})
}

func (p *Process) free() {
	p.close()
	p.now.end()
	p.before.end()
	p.thread.end()
	_ = p.log.Flush()
	p.dir.remove()
}

// set says which child can be asked now, or why none can. Closed is for good.
func (p *Process) set(c *child, state State, failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == ErrClosed {
		return
	}
	if p.current, p.failed = c, failed; c != nil {
		p.last = c
		p.gate.admits(c.describe.GetLimits())
		close(c.taken)
	}
	p.state, p.since = state, time.Now()
	close(p.change)
	p.change = make(chan struct{})
}

// drop takes a child out of use when it is the current one.
func (p *Process) drop(c *child) {
	p.mu.Lock()
	current := p.current == c
	p.mu.Unlock()
	if current {
		p.set(nil, Restarting, nil)
	}
}

// ready waits for a child that can be asked, and counts one more call of it: it is to be
// told when that has ended.
func (p *Process) ready(ctx context.Context) (*child, error) {
	for {
		p.mu.Lock()
		c, failed, change := p.current, p.failed, p.change
		if c != nil {
			c.calls.Add(1)
		}
		p.mu.Unlock()
		switch {
		case c != nil:
			return c, nil
		case failed != nil:
			return nil, adapters.Unavailable()
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, adapters.Unavailable()
		}
	}
}
