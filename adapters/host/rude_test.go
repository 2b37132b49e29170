package host_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
	"github.com/ontschot/ontschot/adapters/host"
)

// The rude adapter is made without the kit: it says on its standard output, its socket and in
// its answers whatever it likes.

// huge is more than an answer may hold, in bytes.
const huge = 64 << 20

// prints is what a rude adapter prints of where it listens, %s.
func prints(what string) string {
	if at, ok := strings.CutPrefix(what, "at "); ok {
		return "1|1|" + at + "|grpc\n"
	}
	switch what {
	case "nothing":
		return "\n"
	case "no line":
		return strings.Repeat("x", huge)
	case "net/rpc":
		return "1|1|unix|%s|netrpc\n"
	case "another major":
		return "1|2|unix|%s|grpc\n"
	}
	return "1|1|unix|%s|grpc\n"
}

func serveRude(what string) {
	fd, _ := strconv.Atoi(os.Getenv(handshake.LifelineEnv))
	pair, err := handshake.ReadPair(os.NewFile(uintptr(fd), "lifeline"))
	if err != nil {
		os.Exit(1)
	}
	at := filepath.Join(os.Getenv(plugin.EnvUnixSocketDir), "rude")
	l, err := net.Listen("unix", at)
	if err != nil {
		os.Exit(1)
	}
	if to, ok := strings.CutPrefix(what, "link "); ok {
		_ = os.Symlink(to, at+"-link")
		at += "-link"
	}
	_, _ = os.Stdout.WriteString(strings.ReplaceAll(prints(what), "%s", at))
	if what == "noise" {
		noisy(l)
	}
	r := &rude{what: what, Listener: l}
	_ = grpc.NewServer(grpc.Creds(credentials.NewTLS(pair)), grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(r.handle)).Serve(r)
}

// noisy answers whoever connects with what no protocol has.
func noisy(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write(bytes.Repeat([]byte("\x00\xff\x17\r\n"), huge/5))
		_ = c.Close()
	}
}

// raw is a codec of bytes as they are.
type raw struct{}

func (raw) Name() string                           { return "proto" }
func (raw) Marshal(v any) ([]byte, error)          { return *v.(*[]byte), nil }
func (raw) Unmarshal(b []byte, v any) error        { *v.(*[]byte) = bytes.Clone(b); return nil }
func answered(s grpc.ServerStream, b []byte) error { return s.SendMsg(&b) }

// rude listens, and keeps the connections to write into them past TLS.
type rude struct {
	net.Listener
	what string

	mu  sync.Mutex
	all []net.Conn
}

func (r *rude) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err == nil {
		r.mu.Lock()
		r.all = append(r.all, c)
		r.mu.Unlock()
	}
	return c, err
}

// handle answers every call: well before Fetch, unless it is to be otherwise.
func (r *rude) handle(_ any, s grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(s)
	service, name := filepath.Split(method)
	var asked []byte
	if err := s.RecvMsg(&asked); err != nil {
		return err
	}
	describe, _ := proto.Marshal(fake{}.Describe())
	switch {
	case name == "Check":
		return answered(s, []byte{8, 1}) // SERVING
	case !strings.Contains(service, "AdapterService"):
		return status.Error(codes.Unimplemented, "")
	case name == "Describe" && r.what == "a huge Describe":
		return answered(s, make([]byte, huge))
	case name == "Describe" && r.what == "a garbled Describe":
		return answered(s, bytes.Repeat([]byte{0xff}, 100))
	case name == "Describe":
		return answered(s, describe)
	case name == "Configure" && r.what == "findings":
		return answered(s, bytes.Repeat([]byte{0x0a, 0x00}, 1<<20)) // a million of them
	case name == "Configure":
		return answered(s, nil)
	}
	return r.fetch(s)
}

func (r *rude) fetch(s grpc.ServerStream) error {
	switch r.what {
	case "garbage":
		return answered(s, bytes.Repeat([]byte{0xff}, 1000))
	case "huge":
		return answered(s, make([]byte, huge))
	case "huge when unpacked":
		if err := grpc.SetSendCompressor(s.Context(), "gzip"); err != nil {
			return err
		}
		return answered(s, make([]byte, huge))
	case "a long error":
		return status.Error(codes.Unknown, strings.Repeat("record of "+bsn+" ", 1<<16))
	case "turns":
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.all {
			_, _ = c.Write(bytes.Repeat([]byte("\x17\x03\x03\x00\x05noise"), 1000))
		}
		time.Sleep(time.Hour)
	}
	return answered(s, nil)
}

func rudely(t *testing.T, what string) (*host.Process, error) {
	t.Helper()
	c := config(newJournal())
	c.Args, c.StartTimeout = []string{"rude", what}, 3*time.Second
	p, err := host.Start(t.Context(), c)
	if err == nil {
		t.Cleanup(p.Close)
	}
	return p, err
}

// Whatever an adapter says of where it listens and what it is, it does not start, and the
// gateway goes nowhere because of it.
func TestARudeAdapterDoesNotStart(t *testing.T) {
	for what, want := range map[string]error{
		"nothing": host.ErrStart, "no line": host.ErrStart, "net/rpc": host.ErrStart, "another major": host.ErrStart, "noise": host.ErrStart,
		"a huge Describe": host.ErrStart, "a garbled Describe": host.ErrStart, "findings": host.ErrConfigured,
	} {
		t.Run(what, func(t *testing.T) {
			_, err := rudely(t, what)
			require.ErrorIs(t, err, want)
			require.Less(t, len(err.Error()), 4096)
		})
	}
	_, err := rudely(t, "")
	require.NoError(t, err, "one that is not rude starts")
}

// What an adapter prints sends the gateway nowhere: to no host and to no socket of others,
// which the gateway may reach and the adapter may not.
func TestAnAdapterSendsTheGatewayNowhere(t *testing.T) {
	folder, err := os.MkdirTemp("/tmp", "rude") // a short name, for a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	var came atomic.Int64
	listen := func(network, at string) string {
		l, err := net.Listen(network, at)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				came.Add(1)
				_ = c.Close()
			}
		}()
		return l.Addr().String()
	}
	host, socket := listen("tcp", "127.0.0.1:0"), listen("unix", folder+"/s")
	for _, what := range []string{"at tcp|" + host, "at tcp|who-asks.invalid:1", "at unix|" + socket, "at unix|%s/../../../../../.." + socket, "link " + socket} {
		_, err := rudely(t, what)
		require.ErrorContains(t, err, "listens elsewhere than at a socket in the folder of PLUGIN_UNIX_SOCKET_DIR", what)
	}
	require.Zero(t, came.Load())
	conn, err := net.Dial("tcp", host)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return came.Load() == 1 }, 20*time.Second, time.Millisecond, "who comes is counted")
}

// What is no answer, or is too much of one, is a fault of that call. The adapter goes on, and
// another one never hears of it.
func TestARudeAnswerIsAFaultOfItsCall(t *testing.T) {
	other, _ := start(t)
	for what, want := range map[string]string{
		"garbage": adapters.ReasonAdapterBug, "huge": adapters.ReasonBadData, "huge when unpacked": adapters.ReasonBadData, "a long error": adapters.ReasonAdapterBug,
	} {
		t.Run(what, func(t *testing.T) {
			p, err := rudely(t, what)
			require.NoError(t, err)
			before := p.PID()
			for range 3 {
				_, err := p.Fetch(t.Context(), ask("identifiers"))
				require.Equal(t, want, adapters.Reason(err))
				require.NotContains(t, err.Error(), bsn)
				require.Less(t, len(err.Error()), 1000)
			}
			require.Equal(t, before, p.PID(), "it was not ended for it")
			works(t, other)
		})
	}
}

// Garbage on its socket in the middle of an answer ends that connection, and with it the
// process: the next call finds a new one.
func TestGarbageOnTheSocketEndsTheProcess(t *testing.T) {
	other, _ := start(t)
	p, err := rudely(t, "turns")
	require.NoError(t, err)
	for range 2 {
		before := p.PID()
		_, err = p.Fetch(t.Context(), ask("identifiers"))
		require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
		require.Eventually(t, func() bool { pid := p.PID(); return pid != 0 && pid != before }, 20*time.Second, time.Millisecond)
		works(t, other)
	}
}

// A slow answer costs who asked for it, up to their deadline, and nobody else; an adapter
// that is slow is not one that is frozen.
func TestASlowAnswerCostsOnlyWhoAskedForIt(t *testing.T) {
	p, log := start(t)
	before := p.PID()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	slow := make(chan error)
	go func() {
		_, err := p.Fetch(ctx, ask("hang"))
		slow <- err
	}()
	log.await("hanging")
	works(t, p)
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(<-slow))
	works(t, p)
	require.Equal(t, before, p.PID())
	require.Equal(t, host.Ready, p.Status().State)
}
