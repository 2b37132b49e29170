package door_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/door"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// authority makes certificates.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &authority{t: t, key: key, pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(raw)
	require.NoError(t, err)
	a.pool.AddCert(a.cert)
	return a
}

// leaf of an organisation, for both ends.
func (a *authority) leaf(oin string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "leaf", SerialNumber: oin}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(a.t, err)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func (a *authority) server() *tls.Config {
	own := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{a.leaf("00000099000000119000")}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return own, nil }}
}

func (a *authority) client(oin string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: a.pool, Certificates: []tls.Certificate{a.leaf(oin)}, NextProtos: []string{"h2", "http/1.1"}}
}

// lobby is a door with a listener that answers each caller with a letter.
type lobby struct {
	t       *testing.T
	door    *door.Door
	address string
	log     *written
}

// written is what several goroutines write.
type written struct {
	mu sync.Mutex
	bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.String()
}

func open(t *testing.T, a *authority, limits config.Limits) *lobby {
	t.Helper()
	limits.HandshakeTimeout = cmp.Or(limits.HandshakeTimeout, "1m") // on a slow machine too
	l := &lobby{t: t, log: new(written)}
	var err error
	l.door, err = door.New(door.Config{Limits: limits, Log: slog.New(slog.NewTextHandler(l.log, nil))})
	require.NoError(t, err)
	at, err := l.door.Listen("127.0.0.1:0", a.server(), "h2")
	require.NoError(t, err)
	t.Cleanup(func() { at.Close() })
	l.address = at.Addr().String()
	go func() {
		for {
			c, err := at.Accept()
			if err != nil {
				return
			}
			go func() { // until the caller leaves
				defer c.Close()
				_, _ = c.Write([]byte("w"))
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l
}

// from dials from one of the addresses of this machine.
func (l *lobby) from(address string) net.Conn {
	l.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := d.Dial("tcp", l.address)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { c.Close() })
	return c
}

// welcomed reports whether a connection is let in, and is answered.
func welcomed(c net.Conn) bool {
	_ = c.SetDeadline(time.Now().Add(patience))
	n, _ := c.Read(make([]byte, 1))
	return n == 1
}

func (l *lobby) eventually(what string, is func(door.Counts) bool) {
	l.t.Helper()
	require.Eventually(l.t, func() bool { return is(l.door.Counts()) }, patience, time.Millisecond, what)
}

// Whoever shows a certificate has a place, and gives it back; who shows none has none.
func TestACallerIsLetIn(t *testing.T) {
	a := newAuthority(t)
	l := open(t, a, config.Limits{})
	c := tls.Client(l.from("127.0.0.1"), with(a.client("00000099000000119000")))
	require.True(t, welcomed(c))
	require.Equal(t, "h2", c.ConnectionState().NegotiatedProtocol)
	require.Equal(t, 1, l.door.Counts().Callers)
	require.NoError(t, c.Close())
	l.eventually("its place is given back", func(c door.Counts) bool { return c.Callers == 0 && c.Strangers == 0 })

	for name, reason := range map[string]door.Reason{"none": door.Untrusted, "of another authority": door.Untrusted, "no TLS at all": door.Untrusted, "goes away": door.Left} {
		before := l.door.Counts().Turned[reason]
		raw := l.from("127.0.0.1")
		switch name {
		case "none":
			conf := with(a.client(""))
			conf.Certificates = nil
			require.False(t, welcomed(tls.Client(raw, conf)))
		case "of another authority":
			conf := with(a.client(""))
			conf.Certificates = newAuthority(t).client("00000099000000119000").Certificates
			require.False(t, welcomed(tls.Client(raw, conf)))
		case "no TLS at all":
			_, err := raw.Write([]byte("GET /secret-999990019 HTTP/1.1\r\n\r\n"))
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, raw)
		case "goes away":
			require.NoError(t, raw.Close())
		}
		l.eventually(name, func(c door.Counts) bool { return c.Turned[reason] == before+1 && c.Strangers == 0 })
	}
	require.Contains(t, l.log.String(), "handshake_failed=1", "the log says what was counted")
	require.NotContains(t, l.log.String(), "secret", "and nothing of what was sent")
	require.NotContains(t, l.log.String(), "127.0.0.1", "nor from where")
	require.Equal(t, 1, strings.Count(l.log.String(), "\n"), "once a minute at most")
}

func with(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.ServerName = "127.0.0.1"
	return c
}

// pipes is a listener whose connections are within this process, so that a test's clock is theirs.
type pipes struct {
	came chan net.Conn
	done chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.came:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.came <- there
	return here
}

// Whoever shows nothing has seconds, and a slow one has no more of them; a caller has as long as it
// likes.
func TestAHandshakeHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t)
		d, err := door.New(door.Config{Limits: config.Limits{HandshakeTimeout: "3s"}, Log: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		at := d.Guard(p, a.server())
		defer at.Close()
		c := tls.Client(p.dial(), with(a.client("00000099000000119000")))
		defer c.Close()
		require.NoError(t, c.Handshake())
		served := must(at.Accept())
		defer served.Close()

		idle, slow := p.dial(), p.dial()
		go func() {
			for {
				if _, err := slow.Write([]byte{22, 3, 1, 2}); err != nil {
					return
				}
				time.Sleep(500 * time.Millisecond)
			}
		}()
		time.Sleep(3*time.Second - time.Millisecond)
		require.Equal(t, 2, d.Counts().Strangers, "they have their time")
		time.Sleep(2 * time.Millisecond)
		require.Equal(t, []int{0, 2, 1}, []int{d.Counts().Strangers, int(d.Counts().Turned[door.Late]), d.Counts().Callers})
		for _, c := range []net.Conn{idle, slow} {
			_, err := c.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF, "the door ended it")
		}
		time.Sleep(time.Hour)
		require.False(t, ended(served), "a caller has no deadline of the door")
		require.Equal(t, 1, d.Counts().Callers)
	})
}

// Of whoever shows nothing no more is read than a handshake takes.
func TestAStrangerIsNotReadWithoutEnd(t *testing.T) {
	a := newAuthority(t)
	l := open(t, a, config.Limits{HandshakeBytes: 8 << 10, HandshakeTimeout: "20s"})
	c := l.from("127.0.0.1")
	// A handshake message of 60,000 bytes in records of 16,000: a hello that goes on and on.
	record := append([]byte{22, 3, 1, 0x3e, 0x80}, make([]byte, 16000)...)
	copy(record[5:], []byte{1, 0, 0xea, 0x60})
	_, _ = c.Write(record)
	l.eventually("too many bytes", func(c door.Counts) bool { return c.Turned[door.Long] == 1 && c.Strangers == 0 })
}

// The oldest stranger makes room for a newer one: of its own address, or of the address that has
// most. Callers are not touched.
func TestTheOldestStrangerMakesRoom(t *testing.T) {
	a := newAuthority(t)
	l := open(t, a, config.Limits{Handshakes: 6, HandshakesPerAddress: 4, HandshakeTimeout: "1m"})
	caller := tls.Client(l.from("127.0.0.9"), with(a.client("00000099000000119000")))
	require.True(t, welcomed(caller))

	var idle []net.Conn
	for i := range 4 {
		idle = append(idle, l.from("127.0.0.2"))
		l.eventually("it stands there", func(c door.Counts) bool { return c.Strangers == i+1 })
	}
	other := l.from("127.0.0.3")
	l.eventually("another address", func(c door.Counts) bool { return c.Strangers == 5 })
	idle = append(idle, l.from("127.0.0.2"))
	require.Eventually(t, func() bool { return ended(idle[0]) }, patience, time.Millisecond, "the oldest of its own address")
	require.False(t, ended(idle[1]))

	third := l.from("127.0.0.4")
	l.eventually("the hall is full", func(c door.Counts) bool { return c.Strangers == 6 })
	fourth := l.from("127.0.0.5")
	require.Eventually(t, func() bool { return ended(idle[1]) }, patience, time.Millisecond, "the oldest of the address that has most")
	for _, c := range []net.Conn{other, third, fourth} {
		require.False(t, ended(c), "addresses with one stranger keep it")
	}
	counts := l.door.Counts()
	require.Equal(t, []int{6, 1, 2}, []int{counts.Strangers, counts.Callers, int(counts.Turned[door.Dropped])})
	require.False(t, ended(caller))
	require.True(t, welcomed(tls.Client(l.from("127.0.0.2"), with(a.client("00000099000000119000")))), "an address full of strangers is not shut out")
}

// ended reports whether the other end has closed.
func ended(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// Callers are bounded by organisation, by address and in all; what one organisation has does
// not count for another behind the same address.
func TestCallersAreBounded(t *testing.T) {
	a := newAuthority(t)
	one, two, three := a.client("00000099000000119000"), a.client("00000099000000193000"), a.client("00000099000000200000")
	l := open(t, a, config.Limits{Connections: 16, ConnectionsPerOrganisation: 2, ConnectionsPerAddress: 5})
	call := func(from string, conf *tls.Config) (*tls.Conn, bool) {
		c := tls.Client(l.from(from), with(conf))
		return c, welcomed(c)
	}
	first, ok := call("127.0.0.1", one)
	require.True(t, ok)
	_, ok = call("127.0.0.1", one)
	require.True(t, ok)
	_, ok = call("127.0.0.2", one)
	require.False(t, ok, "a third of one organisation, wherever it comes from")
	require.EqualValues(t, 1, l.door.Counts().Turned[door.Organisation])
	for _, conf := range []*tls.Config{two, two, three} {
		_, ok = call("127.0.0.1", conf)
		require.True(t, ok, "others behind the same address")
	}
	_, ok = call("127.0.0.1", three)
	require.False(t, ok, "a sixth of one address")
	require.EqualValues(t, 1, l.door.Counts().Turned[door.Address])
	_, ok = call("127.0.0.3", three)
	require.True(t, ok)
	require.NoError(t, first.Close())
	l.eventually("a place is free", func(c door.Counts) bool { return c.Callers == 5 })
	_, ok = call("127.0.0.1", one)
	require.True(t, ok, "what was given back can be had again")

	full := open(t, a, config.Limits{Connections: 16, ConnectionsPerOrganisation: 100, ConnectionsPerAddress: 100})
	for range 16 {
		require.True(t, welcomed(tls.Client(full.from("127.0.0.1"), with(one))))
	}
	require.False(t, welcomed(tls.Client(full.from("127.0.0.2"), with(two))), "all places are taken")
	require.EqualValues(t, 1, full.door.Counts().Turned[door.Full])
}

// Without TLS there are few places, and none of a caller. Whoever holds all of them shuts nobody
// out: the oldest that waits leaves, and when all are answered the oldest of all.
func TestWhoLooksFindsAPlace(t *testing.T) {
	d, err := door.New(door.Config{Limits: config.Limits{Descriptors: 12, HandshakesPerAddress: 1, ConnectionsPerAddress: 1}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	at, err := d.Plain("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { at.Close() })
	come := func() (client, here net.Conn) {
		client = must(net.Dial("tcp", at.Addr().String()))
		t.Cleanup(func() { client.Close() })
		return client, must(at.Accept())
	}
	busy, first := come()
	at.Busy(first, true)
	waits, _ := come()
	later, third := come()
	require.Zero(t, d.Counts().Callers+d.Counts().Strangers)
	other, fourth := come()
	require.Eventually(t, func() bool { return ended(waits) }, patience, time.Millisecond, "the oldest that waits")
	require.False(t, ended(busy) || ended(later) || ended(other))
	at.Busy(third, true)
	at.Busy(fourth, true)
	last, fifth := come()
	require.Eventually(t, func() bool { return ended(busy) }, patience, time.Millisecond, "all are answered: the oldest")
	require.False(t, ended(later) || ended(other) || ended(last))
	require.EqualValues(t, 2, d.Counts().Turned[door.Dropped])

	require.NoError(t, fifth.Close())
	require.Error(t, fifth.Close(), "once more gives back nothing")
	_, _ = come()
	require.False(t, ended(later) || ended(other), "a place that was given back is free")
	require.NoError(t, at.Close())
	_, err = at.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

// An http.Server takes what the door gives, with the certificate of the caller.
func TestHTTPBehindTheDoor(t *testing.T) {
	a := newAuthority(t)
	d, err := door.New(door.Config{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	at, err := d.Listen("127.0.0.1:0", a.server(), "http/1.1")
	require.NoError(t, err)
	served := &http.Server{ReadHeaderTimeout: 2 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.TLS.PeerCertificates[0].Subject.SerialNumber)
	})}
	go func() { _ = served.Serve(at) }()
	t.Cleanup(func() { served.Close() })
	by := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client("00000099000000193000"), ForceAttemptHTTP2: true}}
	r, err := by.Get("https://" + at.Addr().String())
	require.NoError(t, err)
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 00000099000000193000", string(raw))

	// A caller that sends its headers a byte at a time has seconds, too.
	c := tls.Client(must(net.Dial("tcp", at.Addr().String())), with(a.client("00000099000000193000")))
	defer c.Close()
	_, err = c.Write([]byte("GET / HT"))
	require.NoError(t, err)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err = io.ReadAll(c)
	require.NoError(t, err, "the server ends it")
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pressed is a listener that has no descriptor for a while.
type pressed struct {
	net.Listener
	mu   sync.Mutex
	left int
	asks int
}

func (p *pressed) Accept() (net.Conn, error) {
	p.mu.Lock()
	p.asks++
	p.left--
	none := p.left >= 0
	p.mu.Unlock()
	if none {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return p.Listener.Accept()
}

// Without a descriptor the door neither spins nor ends: it has a stranger leave, and goes on.
func TestWithoutADescriptor(t *testing.T) {
	a := newAuthority(t)
	log := new(written)
	d, err := door.New(door.Config{Log: slog.New(slog.NewTextHandler(log, nil)), Limits: config.Limits{HandshakeTimeout: "1m"}})
	require.NoError(t, err)
	inner := must(net.Listen("tcp", "127.0.0.1:0"))
	p := &pressed{Listener: inner}
	at := d.Guard(p, a.server())
	t.Cleanup(func() { at.Close() })
	go func() {
		for {
			c, err := at.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("w"))
		}
	}()
	idle := must(net.Dial("tcp", inner.Addr().String()))
	defer idle.Close()
	require.Eventually(t, func() bool { return d.Counts().Strangers == 1 }, patience, time.Millisecond)
	p.mu.Lock()
	p.left, p.asks = 4, 0
	p.mu.Unlock()
	other := must(net.Dial("tcp", inner.Addr().String())) // the Accept that waits is the last one that is not pressed
	defer other.Close()
	require.Eventually(t, func() bool { return d.Counts().Turned[door.Pressed] == 4 }, patience, time.Millisecond)
	require.True(t, ended(idle) || ended(other), "a stranger has left")
	c := tls.Client(must(net.Dial("tcp", inner.Addr().String())), with(a.client("00000099000000119000")))
	defer c.Close()
	require.True(t, welcomed(c))
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Less(t, p.asks, 12, "it does not spin")
	require.Contains(t, log.String(), "not_accepted")
}

// Limits that the descriptors do not suffice for are refused, with what to do.
func TestLimitsFitTheDescriptors(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	for files, want := range map[int]config.Limits{
		1 << 20: {Connections: 4096, Handshakes: 512, Descriptors: 512, ConnectionsPerAddress: 2048},
		4096:    {Connections: 3072, Handshakes: 512, Descriptors: 512, ConnectionsPerAddress: 1536},
		1024:    {Connections: 640, Handshakes: 128, Descriptors: 256, ConnectionsPerAddress: 320},
		256:     {Connections: 160, Handshakes: 32, Descriptors: 64, ConnectionsPerAddress: 80},
	} {
		d, err := door.New(door.Config{Log: log, Files: files})
		require.NoError(t, err, files)
		got := d.Limits()
		require.Equal(t, want, config.Limits{Connections: got.Connections, Handshakes: got.Handshakes, Descriptors: got.Descriptors, ConnectionsPerAddress: got.ConnectionsPerAddress}, files)
		require.LessOrEqual(t, got.Connections+got.Handshakes+got.Descriptors, files)
	}
	for name, c := range map[string]door.Config{
		"too many connections": {Files: 4096, Limits: config.Limits{Connections: 4000}},
		"too many handshakes":  {Files: 4096, Limits: config.Limits{Handshakes: 4000}},
		"too many in reserve":  {Files: 4096, Limits: config.Limits{Descriptors: 4000}},
		"too few files":        {Files: 16},
	} {
		c.Log = log
		_, err := door.New(c)
		require.ErrorIs(t, err, config.ErrConfig, name)
		require.ErrorContains(t, err, "LimitNOFILE", name)
	}
	_, err := door.New(door.Config{})
	require.ErrorContains(t, err, "Log is needed")
}

// A flood of refusals is written up to the limit, and the rest as a number.
func TestLinesOfRefusedCallsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := new(written)
		d, err := door.New(door.Config{Log: slog.New(slog.DiscardHandler), Limits: config.Limits{RefusedLines: 60}})
		require.NoError(t, err)
		log := slog.New(d.Lines(slog.NewTextHandler(to, nil)))
		for range 1000 {
			log.With("trace", "t").WithGroup("g").InfoContext(context.Background(), "refused")
		}
		require.Equal(t, 60, strings.Count(to.String(), "msg=refused"))
		require.EqualValues(t, 940, d.Counts().Unwritten)
		time.Sleep(11 * time.Second)
		require.Contains(t, to.String(), `msg="more lines were not written" lines=940`)
		log.Info("refused")
		require.Equal(t, 61, strings.Count(to.String(), "msg=refused"), "one a second comes free")
		time.Sleep(time.Minute)
		require.Equal(t, 1, strings.Count(to.String(), "not written"), "said once")
	})
}
