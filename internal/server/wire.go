package server

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/federation"
)

// wires is what is known of the connections to one other gateway, one after another. TCP tells
// nobody that a firewall or a switched-off machine swallows what is sent, for a quarter of an
// hour: a call that waits looks for itself whether anything is heard at all.
type wires struct {
	health    healthv1.HealthClient
	last      atomic.Pointer[wire] // that was dialled
	silent    atomic.Pointer[wire] // that was closed as nothing was heard on it
	probing   atomic.Bool
	away      atomic.Bool // no connection came about, the last time that a question needed one
	untrusted atomic.Bool // in the last handshake its certificate was refused
}

// wire is a connection that counts what is heard on it.
type wire struct {
	net.Conn
	heard atomic.Int64 // bytes
}

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.heard.Add(int64(n))
	return n, err
}

func (ws *wires) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	ws.last.Store(w)
	return w, nil
}

// Patience with a gateway of which nothing is heard, and with one that was away when it was
// last asked.
const (
	probePatience = 500 * time.Millisecond
	awayPatience  = time.Second
)

// watch has a call look, when half of its time is over, whether anything is heard at all.
// Stop is called when it has ended.
func (ws *wires) watch(ctx context.Context) (stop func() bool) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return func() bool { return true }
	}
	left := time.Until(deadline)
	return time.AfterFunc(left/2, func() { ws.probe(max(left/4, probePatience)) }).Stop
}

// probe asks the other gateway whether it is there, whatever that one says to it. A connection
// on which not a byte comes back is closed: the calls on it end, and the next makes a new one.
func (ws *wires) probe(patience time.Duration) {
	w := ws.last.Load()
	if w == nil || !ws.probing.CompareAndSwap(false, true) {
		return
	}
	defer ws.probing.Store(false)
	before := w.heard.Load()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := ws.health.Check(ctx, &healthv1.HealthCheckRequest{}, grpc.WaitForReady(true))
	if status.Code(err) == codes.DeadlineExceeded && w.heard.Load() == before {
		ws.silent.Store(w)
		_ = w.Close()
	}
}

// reach waits a moment for a gateway that was away when it was last asked, and no longer: of
// one that is gone, each question would else take all of its time.
func (p *Peer) reach(ctx context.Context) error {
	if !p.away.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, awayPatience)
	defer cancel()
	for {
		state := p.conn.GetState()
		switch state {
		case connectivity.Ready, connectivity.TransientFailure: // of which gRPC says the error
			return nil
		case connectivity.Idle:
			p.conn.Connect()
		}
		if !p.conn.WaitForStateChange(ctx, state) {
			return federation.ErrUnreached
		}
	}
}

// lost says what is wrong with the way, when that is why a question got no answer. over is the
// connection that it went over; none when it was never sent.
func (ws *wires) lost(over grpcpeer.Peer, err error) error {
	sent := over.LocalAddr != nil
	code := status.Code(err)
	if code == codes.OK || sent {
		ws.away.Store(false)
	}
	switch broken := code == codes.Unavailable && len(status.Convert(err).Details()) == 0; {
	case !broken && (sent || code != codes.DeadlineExceeded):
		return err
	case !sent && ws.untrusted.Load():
		return fmt.Errorf("%w: %w", federation.ErrUntrusted, err)
	case !sent:
		ws.away.Store(true)
		return fmt.Errorf("%w: %w", federation.ErrUnreached, err)
	}
	if w := ws.silent.Load(); w != nil && w.LocalAddr().String() == over.LocalAddr.String() {
		return fmt.Errorf("%w: %w", federation.ErrSilent, err)
	}
	return fmt.Errorf("%w: %w", federation.ErrCut, err)
}
