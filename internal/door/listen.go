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
	l, err := listen(address)
	if err != nil {
		return nil, err
	}
	return d.Guard(l, config, protocols...), nil
}

func listen(address string) (net.Listener, error) {
	lc := net.ListenConfig{Control: control}
	return lc.Listen(context.Background(), "tcp", address)
}

// Guard stands before a listener: Accept gives a *tls.Conn whose handshake is done, with one of
// the protocols (ALPN) when there are any.
func (d *Door) Guard(inner net.Listener, config *tls.Config, protocols ...string) net.Listener {
	l := &guard{d.behind(inner), speaking(config, protocols)}
	go l.run(l.welcome)
	return l
}

func (d *Door) behind(inner net.Listener) *listener {
	return &listener{Listener: inner, door: d, ready: make(chan net.Conn), done: make(chan struct{})}
}

// speaking is a configuration with protocols, also where it has another for each client.
func speaking(c *tls.Config, protocols []string) *tls.Config {
	if len(protocols) == 0 {
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

// listener is what every listener behind the door has.
type listener struct {
	net.Listener
	door  *Door
	ready chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// guard is one of callers.
type guard struct {
	*listener
	config *tls.Config
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

// hand gives a connection to who accepts.
func (l *listener) hand(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.done:
		_ = c.Close()
	}
}

// run accepts until the listener is closed, whatever else goes wrong: without a descriptor it
// has the oldest stranger leave, and tries again after a pause.
func (l *listener) run(welcome func(net.Conn)) {
	pause := shortestPause
	for {
		raw, err := l.Listener.Accept()
		switch {
		case err == nil:
			pause = shortestPause
			welcome(raw)
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

func (l *guard) welcome(raw net.Conn) {
	d := l.door
	c := &conn{Conn: raw, door: d, address: network(raw.RemoteAddr()), since: time.Now(), bytes: d.limits.HandshakeBytes}
	if !d.enter(c) {
		_ = raw.Close()
		return
	}
	go l.greet(c)
}

// greet makes the handshake of a stranger, and hands the caller on.
func (l *guard) greet(c *conn) {
	d, t := l.door, tls.Server(c, l.config)
	_ = c.SetDeadline(c.since.Add(d.patient))
	if err := t.Handshake(); err != nil {
		d.turn(c, why(err))
		return
	}
	c.known = true
	if reason, ok := d.admit(c, whose(t.ConnectionState().PeerCertificates)); !ok {
		d.turn(c, reason)
		return
	}
	_ = c.SetDeadline(time.Time{})
	l.hand(t)
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
