package door

import (
	"net"
	"slices"
	"sync"
)

// Plain is a listener without TLS and without callers, for who looks how we are from this machine.
// It has few places of its own, and takes none of a caller's. When one more comes somebody leaves,
// the oldest that waits to ask before one that is being answered: whoever holds all places shuts
// nobody out.
type Plain struct {
	*listener
	places int
	mu     sync.Mutex
	open   []*looker // the oldest first
}

// mostPlaces there are, where descriptors are enough.
const mostPlaces = 64

// looker is a connection of one who looks.
type looker struct {
	net.Conn
	of   *Plain
	busy bool // guarded by of.mu
}

// Plain listens at host:port, with places for a quarter of the descriptors in reserve, 64 at most.
func (d *Door) Plain(address string) (*Plain, error) {
	inner, err := listen(address)
	if err != nil {
		return nil, err
	}
	p := &Plain{listener: d.behind(inner), places: max(1, min(mostPlaces, d.limits.Descriptors/4))}
	go p.run(p.welcome)
	return p, nil
}

// Busy notes whether somebody is being answered, or waits to ask.
func (p *Plain) Busy(c net.Conn, yes bool) {
	if l, ok := c.(*looker); ok {
		p.mu.Lock()
		l.busy = yes
		p.mu.Unlock()
	}
}

func (p *Plain) welcome(raw net.Conn) {
	c := &looker{Conn: raw, of: p}
	if out := p.enter(c); out != nil {
		p.door.count(Dropped)
		_ = out.Conn.Close()
	}
	p.hand(c)
}

// enter has one come in, and gives who leaves for it: the oldest of those that wait, or else of
// all; nil: there was a place.
func (p *Plain) enter(c *looker) (out *looker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) >= p.places {
		i := max(0, slices.IndexFunc(p.open, func(l *looker) bool { return !l.busy }))
		out = p.open[i]
		p.open = slices.Delete(p.open, i, i+1)
	}
	p.open = append(p.open, c)
	return out
}

// Close implements net.Conn.
func (l *looker) Close() error {
	l.of.mu.Lock()
	l.of.open = slices.DeleteFunc(l.of.open, func(one *looker) bool { return one == l })
	l.of.mu.Unlock()
	return l.Conn.Close()
}
