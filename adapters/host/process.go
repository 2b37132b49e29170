package host

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// Process is the adapter of one party: one process at a time, started again when
// it dies. It is safe for use by several goroutines.
type Process struct {
	config  Config
	log     *adapters.Masker
	dir     *directory // of the sockets
	thread  *thread
	closing context.Context
	close   context.CancelFunc
	done    chan struct{} // closed when the supervisor has ended
	once    sync.Once

	mu       sync.Mutex
	current  *child        // nil while there is none to ask
	failed   error         // why there is none, when waiting will not help
	change   chan struct{} // closed when one of these two changes
	describe *adapterv1.DescribeResponse

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
		config: c, log: adapters.NewMasker(c.Log), dir: dir, thread: newThread(),
		done: make(chan struct{}), change: make(chan struct{}),
	}
	p.closing, p.close = context.WithCancel(context.Background())
	first, err := p.launch(ctx)
	if err != nil {
		close(p.done)
		p.free()
		return nil, fmt.Errorf("%s: %w", c.Party, err)
	}
	p.describe = first.describe
	p.set(first, nil)
	go p.supervise(first)
	return p, nil
}

// Describe gives what the adapter said of itself when it started.
func (p *Process) Describe() *adapterv1.DescribeResponse { return proto.CloneOf(p.describe) }

// PID gives the process id of the adapter; zero while it is being started again.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil {
		return 0
	}
	return p.current.pid()
}

// Close ends the process, also a frozen one, and with it the calls in flight:
// a caller who wants their answers waits for those first. It may be called twice.
func (p *Process) Close() {
	p.once.Do(func() {
		p.set(nil, ErrClosed)
		p.close()
		<-p.done
		p.free()
	})
}

func (p *Process) free() {
	p.close()
	p.thread.end()
	_ = p.log.Flush()
	p.dir.remove()
}

// set says which child can be asked now, or why none can. Closed is for good.
func (p *Process) set(c *child, failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == ErrClosed {
		return
	}
	p.current, p.failed = c, failed
	close(p.change)
	p.change = make(chan struct{})
}

// drop takes a child out of use when it is the current one.
func (p *Process) drop(c *child) {
	p.mu.Lock()
	current := p.current == c
	p.mu.Unlock()
	if current {
		p.set(nil, nil)
	}
}

// ready waits for a child that can be asked.
func (p *Process) ready(ctx context.Context) (*child, error) {
	for {
		p.mu.Lock()
		c, failed, change := p.current, p.failed, p.change
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
