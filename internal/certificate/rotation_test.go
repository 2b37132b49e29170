package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
)

// serve answers whoever is let in with the OIN of their certificate; each call is
// checked anew, as a gateway does.
func serve(t *testing.T, h *Holder) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &http.Server{ErrorLog: log.New(io.Discard, "", 0), TLSConfig: h.Server(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.Check(r.TLS.PeerCertificates, time.Now()); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		oin, err := Peer(r.TLS.PeerCertificates[0])
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		fmt.Fprint(w, oin)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.ServeTLS(l, "", "") }) // ends with Close
	t.Cleanup(func() { _ = s.Close(); serving.Wait() })
	return l.Addr().String()
}

// caller keeps one connection and makes another for every second request.
type caller struct {
	address     string
	kept, fresh *http.Transport
	done        chan struct{} // signalled after each request, when somebody listens
	asked       int64         // requests answered; read it when run has ended
	redialled   int64
}

func newCaller(h *Holder, address string) *caller {
	return &caller{address: address, done: make(chan struct{}),
		kept:  &http.Transport{TLSClientConfig: h.Client("localhost")},
		fresh: &http.Transport{TLSClientConfig: h.Client("localhost"), DisableKeepAlives: true}}
}

func (c *caller) ask(on *http.Transport) error {
	request, err := http.NewRequest(http.MethodGet, "https://"+c.address, nil)
	if err != nil {
		return err
	}
	answer, err := on.RoundTrip(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || string(text) != string(theirs)) {
		err = errors.New(answer.Status + " " + string(text))
	}
	return err
}

// run asks at least n times and until stop. It dials anew when redial changes, as a
// gateway's longest connection age makes every caller do.
func (c *caller) run(n int, redial *atomic.Int64, stop *atomic.Bool) error {
	for i := 0; i < n || !stop.Load(); i++ {
		if dials := redial.Load(); dials != c.redialled {
			c.kept.CloseIdleConnections()
			c.redialled = dials
		}
		on := c.kept
		if i%2 == 0 {
			on = c.fresh
		}
		if err := c.ask(on); err != nil {
			return fmt.Errorf("request %d: %w", i, err)
		}
		c.asked++
		select {
		case c.done <- struct{}{}:
		default:
		}
	}
	return nil
}

// settle waits until every caller has ended two requests: the second began after
// what was done before, so that no handshake straddles two steps.
func settle(ctx context.Context, callers []*caller) error {
	for _, c := range callers {
		for range 2 {
			select {
			case <-c.done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// Authorities, server and client certificates change five times under traffic:
// announce, use, retire. No request fails, and the old ones are of no use afterwards.
func TestRotationUnderTraffic(t *testing.T) {
	const goroutines, requests, rounds = 8, 2000, 5
	ca := root(t, "CA 0")
	old := ca.leaf(t, theirs)
	atServer, atClient := newFiles(t, ca.leaf(t, ours), ca), newFiles(t, old, ca)
	server, client := open(t, atServer), open(t, atClient)
	address := serve(t, server)
	first := newCaller(open(t, newFiles(t, old, ca)), address) // never dials again
	require.NoError(t, first.ask(first.kept))

	var redial atomic.Int64
	var stop atomic.Bool
	var traffic sync.WaitGroup
	ctx, failed := context.WithCancelCause(t.Context())
	defer failed(nil)
	callers := make([]*caller, goroutines)
	for i := range callers {
		callers[i] = newCaller(client, address)
		traffic.Go(func() {
			if err := callers[i].run(requests/goroutines, &redial, &stop); err != nil {
				failed(err)
			}
		})
	}
	step := func(change func()) error {
		change()
		for _, h := range []*Holder{server, client} {
			if changed, err := h.Reload(); err != nil || !changed {
				return fmt.Errorf("taken over: %t: %w", changed, err)
			}
		}
		return settle(ctx, callers)
	}
	rotate := func(next issued) error {
		announce := func() { atServer.believe(t, ca, next); atClient.believe(t, ca, next) }
		use := func() { atServer.show(t, next.leaf(t, ours)); atClient.show(t, next.leaf(t, theirs)) }
		retire := func() { atServer.believe(t, next); atClient.believe(t, next) }
		if err := step(announce); err != nil {
			return err
		}
		if err := step(use); err != nil {
			return err
		}
		redial.Add(1)
		if err := settle(ctx, callers); err != nil {
			return err
		}
		ca = next
		return step(retire)
	}
	var err error
	for i := 0; i < rounds && err == nil; i++ {
		err = rotate(root(t, fmt.Sprintf("CA %d", i+1)))
	}
	stop.Store(true)
	traffic.Wait()
	require.NoError(t, context.Cause(ctx))
	require.NoError(t, err)
	total := int64(0)
	for _, c := range callers {
		total += c.asked
		c.kept.CloseIdleConnections()
	}
	require.GreaterOrEqual(t, total, int64(requests))
	t.Logf("%d requests, none failed", total)

	require.ErrorContains(t, first.ask(first.kept), "403 Forbidden "+ErrUnknownAuthority.Error(), "on the old connection, by Check")
	require.Error(t, refused(t, address, old.tls(t)), "on a new one, in the handshake")
	require.ErrorIs(t, server.Check(old.chain(t), time.Now()), ErrUnknownAuthority)
}

// The same through gRPC, which wraps what GetConfigForClient gives.
func TestRotationThroughGRPC(t *testing.T) {
	a, next := root(t, "CA"), root(t, "Next CA")
	atServer, atClient := newFiles(t, a.leaf(t, ours), a, next), newFiles(t, a.leaf(t, theirs), a, next)
	server, client := open(t, atServer), open(t, atClient)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(server.Server())), grpc.UnaryInterceptor(
		func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			p, _ := peer.FromContext(ctx)
			seen := p.AuthInfo.(credentials.TLSInfo).State
			if err := server.Check(seen.PeerCertificates, time.Now()); err != nil {
				return nil, err
			}
			if len(seen.VerifiedChains) == 0 {
				return nil, errors.New("no verified chain")
			}
			return next(ctx, r)
		}))
	healthv1.RegisterHealthServer(s, health.NewServer())
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) }) // ends with Stop
	t.Cleanup(func() { s.Stop(); serving.Wait() })
	dial := func(config *tls.Config) func() error {
		conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return func() error {
			_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
			return err
		}
	}
	kept := dial(client.Client("localhost"))
	require.NoError(t, kept())
	reload := func() {
		for _, h := range []*Holder{server, client} {
			_, err := h.Reload()
			require.NoError(t, err)
		}
	}
	atServer.show(t, next.leaf(t, ours))
	atClient.show(t, next.leaf(t, theirs))
	reload()
	require.NoError(t, kept(), "both are believed")
	atServer.believe(t, next)
	atClient.believe(t, next)
	reload()
	require.ErrorContains(t, kept(), ErrUnknownAuthority.Error())
	require.NoError(t, dial(client.Client("localhost"))())
	require.Error(t, dial(open(t, newFiles(t, a.leaf(t, theirs), a)).Client("localhost"))())
}
