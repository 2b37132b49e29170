package door

import (
	"net"
	"net/netip"
	"slices"
	"time"
)

// place is an address, and who came from there. It exists as long as somebody is open.
type place struct {
	strangers []*conn // the oldest first
	callers   int
}

// standing is how a connection stands.
type standing int

const (
	stranger standing = iota
	caller
	gone
)

// network is the address that a connection counts for. Whoever has an IPv6 address has 2^64 of
// them.
func network(of net.Addr) netip.Addr {
	tcp, ok := of.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	address := tcp.AddrPort().Addr().Unmap().WithZone("")
	if address.Is6() {
		prefix, _ := address.Prefix(64) // 64 is always good
		return prefix.Addr()
	}
	return address
}

// enter has a new connection stand in the hall, when its address may have another. When
// there are too many strangers one leaves for it: of its own address when that has as many
// as it may, else the oldest of the address that has most.
func (d *Door) enter(c *conn) bool {
	d.mu.Lock()
	p := d.places[c.address]
	if p == nil {
		p = new(place)
	}
	if len(p.strangers)+p.callers >= d.limits.ConnectionsPerAddress {
		d.mu.Unlock()
		d.count(Address)
		return false
	}
	var out *conn
	switch {
	case len(p.strangers) >= d.limits.HandshakesPerAddress:
		out = p.strangers[0]
	case d.strangers >= d.limits.Handshakes:
		out = d.crowded().strangers[0]
	}
	if out != nil {
		d.leave(out)
	}
	d.places[c.address], d.waiting[c.address] = p, p
	p.strangers = append(p.strangers, c)
	d.strangers++
	d.mu.Unlock()
	if out != nil {
		d.count(Dropped)
		_ = out.Conn.Close()
	}
	return true
}

// crowded is the place with most strangers; of several the one whose oldest came first.
func (d *Door) crowded() *place {
	var most *place
	for _, p := range d.waiting {
		if most == nil || len(p.strangers) > len(most.strangers) ||
			len(p.strangers) == len(most.strangers) && p.strangers[0].since.Before(most.strangers[0].since) {
			most = p
		}
	}
	return most
}

// drop has the oldest stranger leave, if there is one.
func (d *Door) drop() {
	d.mu.Lock()
	var out *conn
	if p := d.crowded(); p != nil {
		out = p.strangers[0]
		d.leave(out)
	}
	d.mu.Unlock()
	if out != nil {
		d.count(Dropped)
		_ = out.Conn.Close()
	}
}

// admit makes a stranger a caller, of an organisation, or says why not.
func (d *Door) admit(c *conn, organisation string) (Reason, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case c.standing != stranger:
		return Dropped, false
	case d.callers >= d.limits.Connections:
		return Full, false
	case d.organisations[organisation] >= d.limits.ConnectionsPerOrganisation:
		return Organisation, false
	}
	p := d.places[c.address]
	d.left(p, c)
	p.callers++
	d.callers++
	d.organisations[organisation]++
	c.standing, c.organisation = caller, organisation
	return "", true
}

// left takes a stranger out of those of a place.
func (d *Door) left(p *place, c *conn) {
	i := slices.Index(p.strangers, c)
	if p.strangers = slices.Delete(p.strangers, i, i+1); len(p.strangers) == 0 {
		delete(d.waiting, c.address)
	}
	d.strangers--
}

// leave has a connection count no longer; once.
func (d *Door) leave(c *conn) {
	p := d.places[c.address]
	switch c.standing {
	case gone:
		return
	case stranger:
		d.left(p, c)
	case caller:
		p.callers--
		d.callers--
		if d.organisations[c.organisation]--; d.organisations[c.organisation] == 0 {
			delete(d.organisations, c.organisation)
		}
	}
	c.standing = gone
	if p != nil && len(p.strangers)+p.callers == 0 {
		delete(d.places, c.address)
	}
}

// conn is a connection that counts.
type conn struct {
	net.Conn
	door    *Door
	address netip.Addr
	since   time.Time
	// of the goroutine of the handshake, until it hands the connection on
	known bool
	bytes int // that a stranger may still send

	standing     standing // guarded by door.mu, as is organisation
	organisation string
}

// Read implements net.Conn. A stranger is heard no longer than a handshake.
func (c *conn) Read(b []byte) (int, error) {
	if c.known {
		return c.Conn.Read(b)
	}
	if c.bytes <= 0 {
		return 0, errLong
	}
	n, err := c.Conn.Read(b[:min(len(b), c.bytes)])
	c.bytes -= n
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.door.mu.Lock()
	c.door.leave(c)
	c.door.mu.Unlock()
	return c.Conn.Close()
}
