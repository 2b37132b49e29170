package door

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/ontschot/ontschot/internal/certificate"
)

// errLong means that somebody sent more than a handshake takes.
var errLong = errors.New("more bytes than a handshake takes")

// How long accepting waits for a descriptor, and how long what was sent may go without an
// acknowledgement before a connection is given up.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
	unheard       = 20 * time.Second
)

// Listen listens at host:port, behind the door: see Guard.
func (d *Door) Listen(address string, config *tls.Config, protocols ...string) (net.Listener, error) {
	lc := net.ListenConfig{Control: control}
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return d.Guard(l, config, protocols...), nil
}

// Guard stands before a listener: Accept gives a *tls.Conn whose handshake is done, with one of
// the protocols (ALPN) when there are any. Without a config there is no TLS: each connection
// counts as that of a caller of no organisation, and one address may have as few as it may have
// handshakes.
func (d *Door) Guard(inner net.Listener, config *tls.Config, protocols ...string) net.Listener {
	l := &listener{Listener: inner, door: d, config: speaking(config, protocols), ready: make(chan net.Conn), done: make(chan struct{})}
	go l.run()
	return l
}

// speaking is a configuration with protocols, also where it has another for each client.
func speaking(c *tls.Config, protocols []string) *tls.Config {
	if c == nil || len(protocols) == 0 {
		return c
	}
	with := func(c *tls.Config) *tls.Config {
		c = c.Clone()
		c.NextProtos = slices.Clone(protocols)
		return c
	}
	all := with(c)
	if each := c.GetConfigForClient; each != nil {
		all.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			one, err := each(hello)
			if err != nil || one == nil {
				return one, err
			}
			return with(one), nil
		}
	}
	return all
}

type listener struct {
	net.Listener
	door   *Door
	config *tls.Config
	ready  chan net.Conn
	done   chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Whoever is still a stranger is not let in any more.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// run accepts until the listener is closed, whatever else goes wrong: without a descriptor it
// has the oldest stranger leave, and tries again after a pause.
func (l *listener) run() {
	pause := shortestPause
	for {
		raw, err := l.Listener.Accept()
		switch {
		case err == nil:
			pause = shortestPause
			l.welcome(raw)
			continue
		case errors.Is(err, net.ErrClosed):
			l.once.Do(func() { close(l.done) })
			return
		}
		l.door.count(Pressed)
		l.door.drop()
		select {
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		case <-l.done:
			return
		}
	}
}

func (l *listener) welcome(raw net.Conn) {
	d := l.door
	c := &conn{Conn: raw, door: d, address: network(raw.RemoteAddr()), since: time.Now(), bytes: d.limits.HandshakeBytes, plain: l.config == nil}
	if !d.enter(c) {
		_ = raw.Close()
		return
	}
	go l.greet(c)
}

// greet makes the handshake of a stranger, and hands the caller on.
func (l *listener) greet(c *conn) {
	d := l.door
	var known net.Conn = c
	who, most := c.address.String(), d.limits.HandshakesPerAddress
	if l.config != nil {
		t := tls.Server(c, l.config)
		_ = c.SetDeadline(c.since.Add(d.patient))
		if err := t.Handshake(); err != nil {
			d.turn(c, why(err))
			return
		}
		known, who, most = t, whose(t.ConnectionState().PeerCertificates), d.limits.ConnectionsPerOrganisation
	}
	c.known = true
	if reason, ok := d.admit(c, who, most); !ok {
		d.turn(c, reason)
		return
	}
	_ = c.SetDeadline(time.Time{})
	select {
	case l.ready <- known:
	case <-l.done:
		_ = c.Close()
	}
}

// turn ends a stranger. One that was dropped for another has been counted.
func (d *Door) turn(c *conn, reason Reason) {
	d.mu.Lock()
	dropped := c.standing == gone
	d.leave(c)
	d.mu.Unlock()
	if !dropped {
		d.count(reason)
	}
	_ = c.Conn.Close()
}

// why says what became of a handshake.
func why(err error) Reason {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Late
	case errors.Is(err, errLong):
		return Long
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Left
	}
	return Untrusted
}

// whose is for whom a connection counts: an organisation, or else the certificate alone.
func whose(shown []*x509.Certificate) string {
	if len(shown) == 0 {
		return ""
	}
	if oin, err := certificate.Peer(shown[0]); err == nil {
		return string(oin)
	}
	sum := sha256.Sum256(shown[0].Raw)
	return string(sum[:])
}
