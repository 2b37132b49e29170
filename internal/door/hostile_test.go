package door_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/door"
)

// served is a gRPC server behind a door, as a gateway and an adapter have one.
type served struct {
	*door.Serving
	t         *testing.T
	authority *authority
	door      *door.Door
	address   string
}

func serve(t *testing.T, limits config.Limits) *served {
	t.Helper()
	return serveBegun(t, limits, "1m")
}

// serveBegun is one in which a caller has a minute for its handshake, however slow the machine is,
// and then so long to begin.
func serveBegun(t *testing.T, limits config.Limits, begin string) *served {
	t.Helper()
	inside := limits
	limits.HandshakeTimeout, inside.HandshakeTimeout = "1m", begin
	s := &served{Serving: door.NewServing(health.NewServer()), t: t, authority: newAuthority(t)}
	var err error
	s.door, err = door.New(door.Config{Limits: limits, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	conf := s.authority.server()
	s.Serves(grpc.NewServer(append(door.Options(conf, inside), grpc.ChainStreamInterceptor(s.Watched))...), "")
	l, err := s.door.Listen("127.0.0.1:0", conf, door.Protocol)
	require.NoError(t, err)
	s.address = l.Addr().String()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return s
}

// health is asked over a connection of its own.
func (s *served) health() healthv1.HealthClient {
	s.t.Helper()
	c, err := grpc.NewClient(s.address, grpc.WithTransportCredentials(credentials.NewTLS(s.authority.client("00000099000000193000"))))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	return healthv1.NewHealthClient(c)
}

// answers has somebody else ask, and get an answer.
func (s *served) answers(what string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	r, err := s.health().Check(ctx, &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
	require.NoError(s.t, err, what)
	require.Equal(s.t, healthv1.HealthCheckResponse_SERVING, r.GetStatus())
}

// raw is a caller with a certificate that speaks HTTP/2 as it likes.
type raw struct {
	*http2.Framer
	conn *tls.Conn
	text bytes.Buffer
	hpack.Encoder
}

func (s *served) raw() *raw {
	s.t.Helper()
	plain, err := net.Dial("tcp", s.address)
	require.NoError(s.t, err)
	r := &raw{conn: tls.Client(plain, with(s.authority.client("00000099000000119000")))}
	s.t.Cleanup(func() { r.conn.Close() })
	_ = r.conn.SetDeadline(time.Now().Add(3 * patience))
	_, err = io.WriteString(r.conn, http2.ClientPreface)
	require.NoError(s.t, err)
	r.Framer, r.Encoder = http2.NewFramer(r.conn, r.conn), *hpack.NewEncoder(&r.text)
	require.NoError(s.t, r.WriteSettings())
	return r
}

// watch are the headers of a call that goes on until its caller ends it.
func (r *raw) watch(also ...hpack.HeaderField) []byte {
	r.text.Reset()
	for _, f := range append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: healthv1.Health_Watch_FullMethodName},
		{Name: ":authority", Value: "127.0.0.1"}, {Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"},
	}, also...) {
		_ = r.WriteField(f)
	}
	return bytes.Clone(r.text.Bytes())
}

// frames are read in the background, and counted by what they say.
func (r *raw) frames() (resets chan http2.ErrCode, ended chan struct{}) {
	resets, ended = make(chan http2.ErrCode, 1<<18), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			f, err := r.ReadFrame()
			if err != nil {
				return
			}
			if reset, ok := f.(*http2.RSTStreamFrame); ok {
				resets <- reset.ErrCode
			}
		}
	}()
	return resets, ended
}

// Who has shown a certificate and says nothing then is let go.
func TestACallerThatNeverBegins(t *testing.T) {
	s := serveBegun(t, config.Limits{}, "1s")
	plain, err := net.Dial("tcp", s.address)
	require.NoError(t, err)
	c := tls.Client(plain, with(s.authority.client("00000099000000119000")))
	defer c.Close()
	require.NoError(t, c.Handshake())
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err = io.Copy(io.Discard, c) // settings of the server may come, and then the end
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.door.Counts().Callers == 0 }, patience, time.Millisecond)
	s.answers("somebody else")
}

// 100,000 calls over one connection: as many as one may have are open, the others are refused,
// and somebody else is served.
func TestACallerThatOpensStreamsWithoutEnd(t *testing.T) {
	s := serve(t, config.Limits{Streams: 136})
	r := s.raw()
	resets, ended := r.frames()
	before := runtime.NumGoroutine()
	opened := 0
	for ; opened < 100_000; opened++ {
		if r.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*opened + 1), BlockFragment: r.watch(), EndHeaders: true}) != nil {
			break // it was ended
		}
		if opened == 1000 {
			require.Equal(t, http2.ErrCodeRefusedStream, <-resets)
			require.Less(t, runtime.NumGoroutine()-before, 400, "of 1,000 calls 136 are open")
			s.answers("meanwhile")
		}
	}
	select {
	case <-ended:
	default:
		require.Equal(t, 100_000, opened)
	}
	require.Less(t, runtime.NumGoroutine()-before, 400)
	s.answers("after it")
}

// Calls that are opened and reset at once, as fast as can be (CVE-2023-44487): somebody else is
// served.
func TestACallerThatResetsAtOnce(t *testing.T) {
	s := serve(t, config.Limits{Streams: 136})
	r := s.raw()
	_, _ = r.frames()
	before := runtime.NumGoroutine()
	for i := range 20_000 {
		id := uint32(2*i + 1)
		if r.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.watch(), EndHeaders: true}) != nil || r.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break
		}
		if i == 10_000 {
			require.Less(t, runtime.NumGoroutine()-before, 800)
			s.answers("meanwhile")
		}
	}
	s.answers("after it")
}

// A few bytes that unpack to megabytes of metadata (an HPACK bomb), and headers that never end:
// what is over the limit ends that call or that connection.
func TestACallerWithMetadataWithoutEnd(t *testing.T) {
	s := serve(t, config.Limits{MetadataBytes: 16 << 10})
	bomb := s.raw()
	resets, ended := bomb.frames()
	many := make([]hpack.HeaderField, 5000) // 5,000 times one byte of the table: 20 MB
	for i := range many {
		many[i] = hpack.HeaderField{Name: "x", Value: strings.Repeat("a", 3900)}
	}
	block := bomb.watch(many...)
	require.Less(t, len(block), 16<<10, "it is small on the wire")
	require.NoError(t, bomb.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true}))
	select {
	case <-resets:
	case <-ended:
	case <-time.After(patience):
		t.Fatal("20 MB of metadata were taken")
	}
	s.answers("somebody else")

	flood := s.raw()
	_, ended = flood.frames()
	require.NoError(t, flood.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: flood.watch()}))
	piece := bytes.Repeat([]byte{0x40, 1, 'x', 1, 'y'}, 3000)
	for range 20_000 { // 300 MB, were they taken
		if flood.WriteContinuation(1, false, piece) != nil {
			break
		}
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("headers without end were taken")
	}
	s.answers("after it")
}

// Health says that nobody is served before the calls end; calls under way end; who watches is let
// go; nobody new is let in.
func TestDrain(t *testing.T) {
	s := serve(t, config.Limits{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watch, err := s.health().Watch(ctx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	first, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, first.GetStatus())
	require.True(t, s.Drain(ctx), "all have ended")
	last, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, last.GetStatus())
	_, err = watch.Recv()
	require.Equal(t, codes.Canceled, status.Code(err))
	_, err = net.Dial("tcp", s.address)
	require.Error(t, err)
	require.True(t, s.Drain(ctx), "once more is nothing")
}

// What it takes to let a caller in, with the client's side of the handshake.
func BenchmarkAccept(b *testing.B) {
	a := newAuthority(b)
	conf, by := a.server(), with(a.client("00000099000000119000"))
	for _, behind := range []bool{false, true} {
		b.Run(map[bool]string{false: "tls alone", true: "behind the door"}[behind], func(b *testing.B) {
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(b, err)
			d, err := door.New(door.Config{Log: slog.New(slog.DiscardHandler)})
			require.NoError(b, err)
			l := tls.NewListener(inner, conf)
			if behind {
				l = d.Guard(inner, conf)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						_, _ = c.Write([]byte("w"))
						_, _ = io.Copy(io.Discard, c)
						c.Close()
					}()
				}
			}()
			b.ReportAllocs()
			for b.Loop() {
				plain, err := net.Dial("tcp", inner.Addr().String())
				require.NoError(b, err)
				c := tls.Client(plain, by)
				require.True(b, welcomed(c))
				c.Close()
			}
		})
	}
}
