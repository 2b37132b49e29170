package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/ontschot/ontschot/adapters/boundary"
)

// ErrNothingBefore means that there is nothing to go back to.
var ErrNothingBefore = errors.New("no earlier configuration of this adapter is kept")

// generation is a configuration with the boundary around its processes, which holds the
// program as it was read: what restarts, and what a rollback goes back to, is what ran.
type generation struct {
	config   Config
	box      *boundary.Box
	children sync.WaitGroup // that run
}

// end frees what is left when its processes have ended.
func (g *generation) end() {
	if g != nil {
		g.children.Wait()
		g.box.End()
	}
}

// begin launches the first process of a new generation.
func (p *Process) begin(ctx context.Context, c Config) (*child, error) {
	p.mu.Lock()
	p.generations++
	folder := filepath.Join(p.dir.path, strconv.Itoa(p.generations))
	p.mu.Unlock()
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, fmt.Errorf("%w: no folder for it", ErrStart)
	}
	box, err := newBox(c, folder)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	g := &generation{config: c, box: box}
	first, err := p.launch(ctx, g)
	if err != nil {
		g.end()
		return nil, err
	}
	return first, nil
}

// Reload starts the adapter anew beside the one that runs, with the configuration given, and
// lets it take over when it is ready. No call fails: those that are under way end where they
// began. When the new one does not start, the old one stays as it was and the error says why.
// A quarantine ends. Party cannot change.
func (p *Process) Reload(ctx context.Context, c Config) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	c.Party, c.Log = p.party, p.running().config.Log
	c, err := c.complete()
	if err != nil {
		return err
	}
	return p.replace(ctx, func(ctx context.Context) (*child, error) { return p.begin(ctx, c) })
}

// Rollback goes back to what the last Reload or Rollback replaced: its program as it was
// read, and its configuration. The error is ErrNothingBefore when there was none.
func (p *Process) Rollback(ctx context.Context) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.mu.Lock()
	before := p.before
	p.mu.Unlock()
	if before == nil {
		return ErrNothingBefore
	}
	return p.replace(ctx, func(ctx context.Context) (*child, error) { return p.launch(ctx, before) })
}

// current0 is the generation of the next start.
func (p *Process) running() *generation {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *Process) replace(ctx context.Context, launch func(context.Context) (*child, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	if p.closing.Err() != nil {
		return ErrClosed
	}
	next, err := launch(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", p.party, err)
	}
	select {
	case p.handover <- next:
	case <-p.closing.Done():
		p.finish(next)
		p.drops(next.of)
		return ErrClosed
	}
	p.mu.Lock()
	older := p.before
	p.before, p.now = p.now, next.of
	p.mu.Unlock()
	if older != next.of { // else it is now the one that runs
		p.retiring.Go(older.end)
	}
	select {
	case <-next.taken: // at once
		return nil
	case <-p.closing.Done():
		return ErrClosed
	}
}

// drops frees a generation that did not come to run, unless it is one to go back to.
func (p *Process) drops(g *generation) {
	p.mu.Lock()
	kept := g == p.before || g == p.now
	p.mu.Unlock()
	if !kept {
		g.end()
	}
}
