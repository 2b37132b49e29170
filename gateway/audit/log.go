package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Config of a Log. Store, Origin, Tenant and Key are required.
type Config struct {
	Store Store
	// Origin names the log to the world, for example ontschot.nl/log/<OIN>; it
	// holds the tenant's OIN, no space and no plus sign.
	Origin string
	// Tenant is the organisation whose log this is.
	Tenant identity.OIN
	// Key signs checkpoints; its name is the origin.
	Key SigningKey
	// Earlier are public keys whose signature on the head this log takes over: those
	// that signed before. May be empty.
	Earlier Keys
	// Head stores the signed head outside the store; nil means that nothing does.
	Head *HeadFile
	// SnapshotEvery is after how many entries the register is written down, so that a start
	// reads no more than those; zero means 32,768. It is more when there are many documents.
	SnapshotEvery int64
	// Now is the wall clock; nil means time.Now.
	Now func() time.Time
	// Today is the civil day; nil means that of Now.
	Today func() civil.Date
}

// Limits of the queue, in entries.
const (
	maxWaiting = 4096
	maxGroup   = 512
)

// Log appends to one organisation's log. It is safe for concurrent use; several
// Logs, also of several processes, may share one store.
type Log struct {
	cfg  Config
	head *tree // the writer's own

	// register says what counts. Readers look at it as it was after the entries that are
	// committed, size of them.
	register atomic.Pointer[register.Register]
	size     atomic.Int64
	epoch    atomic.Int64

	// decisions are the traces of recent decisions by index, the writer's own; a
	// release looks here before it asks the store.
	decisions map[int64]string

	// outside is the size of the head that is kept outside the store, and behind since
	// when that lies behind; the writer's own.
	outside int64
	behind  time.Time
	next    int64 // the epoch that Recover begins
	// snapped is the size of the log when the register was written down; the writer's own.
	snapped int64

	mu      sync.Mutex
	waiting []*waiter
	closed  bool
	wake    chan struct{} // holds at most one
	done    chan struct{} // closed when the writer has ended
}

// waiter is an append on its way.
type waiter struct {
	*prepared
	outcome chan outcome // holds one; written once by the writer
}

// outcome is what the writer sends a waiter.
type outcome struct {
	index int64
	tree  *tree  // nil: the entry was there before, or err
	leaf  []byte // as it was appended
	again bool
	ref   string
	err   error
}

// Open reads the head, checks it against the checkpoint's signature and the
// entries that make it up, and starts the writer. Errors: ErrTampered,
// ErrBehind, ErrDamaged, ErrUnavailable, ErrKey, ErrInvalid for the configuration.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	return open(ctx, cfg, (*Log).checkOutside)
}

// open opens a log whose head a check finds good.
func open(ctx context.Context, cfg Config, check func(*Log, Snapshot) error) (*Log, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SnapshotEvery == 0 {
		cfg.SnapshotEvery = snapshotEvery
	}
	if cfg.Today == nil {
		cfg.Today = func() civil.Date { return civil.Today(cfg.Now()) }
	}
	l := &Log{
		cfg: cfg, decisions: map[int64]string{},
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	err := cfg.Store.View(ctx, cfg.Tenant, func(s Snapshot) (err error) {
		if l.head, err = l.open(s); err != nil {
			return err
		}
		if err := check(l, s); err != nil {
			return err
		}
		fresh, of, err := load(s, l.head)
		l.register.Store(fresh)
		l.snapped = of
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	l.size.Store(l.head.N)
	l.epoch.Store(l.head.epoch)
	l.outside = -1 // written with the first entry
	go l.write()
	return l, nil
}

// keys are all that may have signed the head, each once.
func (c *Config) keys() Keys {
	if c.Earlier.Hold(c.Key) {
		return c.Earlier
	}
	return append(Keys{c.Key.Verifier}, c.Earlier...)
}

func (c *Config) check() error {
	if c.Store == nil {
		return invalid("config: store is missing")
	}
	if !identity.IsOIN(c.Tenant) {
		return invalid("config: tenant")
	}
	if !strings.Contains(c.Origin, string(c.Tenant)) || len(c.Origin) > maxText {
		return invalid("config: origin must hold the tenant's OIN")
	}
	return c.Key.check(c.Origin)
}

// Append records an entry and returns when it is durable, with the proof of it.
// Errors: ErrInvalid, ErrEnded (*EndedError), ErrNoDocument, ErrConflict,
// ErrKeyReused, ErrUnavailable; or the context's, if it ended while the entry still waited:
// then it is not recorded. Once its transaction is under way the entry counts,
// whatever becomes of the context.
func (l *Log) Append(ctx context.Context, e Entry) (Proof, error) {
	p, err := prepare(e, l.cfg.Tenant, l.cfg.Now(), l.cfg.Today())
	if err != nil {
		return Proof{}, err
	}
	w := &waiter{prepared: p, outcome: make(chan outcome, 1)}
	if err := l.queue(ctx, w); err != nil {
		return Proof{}, err
	}
	select {
	case o := <-w.outcome:
		return l.answer(ctx, w, o)
	case <-ctx.Done():
	}
	if l.leave(w) {
		return Proof{}, fmt.Errorf("waiting to be recorded: %w", ctx.Err())
	}
	return l.answer(context.WithoutCancel(ctx), w, <-w.outcome)
}

// write is the writer. There is no timer: while one transaction is committed the
// next group queues up, and a lone entry waits for nothing.
func (l *Log) write() {
	defer close(l.done)
	for range l.wake {
		for {
			group, closed := l.take()
			if len(group) > 0 {
				l.commit(group)
				continue
			}
			l.snapshot()
			_ = l.keepOutside(closed) // it is tried again
			if closed {
				return
			}
			break
		}
	}
}

// Close lets what waits be recorded, refuses the rest and ends the writer. It
// does not close the store. Closing twice does nothing.
func (l *Log) Close() {
	l.mu.Lock()
	l.closed = true
	l.signal()
	l.mu.Unlock()
	<-l.done
}

// unavailable makes sure that a failure of the store says so.
func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
