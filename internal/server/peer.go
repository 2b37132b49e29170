package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	grpcpeer "google.golang.org/grpc/peer"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Peer delivers documents to the gateway of one other organisation, and to no other:
// its certificate must hold the OIN. It is safe for concurrent use.
type Peer struct {
	oin   identity.OIN
	conn  *grpc.ClientConn
	peer  ontschotv1.PeerServiceClient
	way   string                          // address, organisation and authorities: what it was made for
	calls sync.WaitGroup                  // that began and have not ended
	shown atomic.Pointer[tls.Certificate] // in the last handshake
	now   func() (*tls.Certificate, error)
	slots chan struct{} // one for each question under way
	wires
}

// mostAsked bounds how many questions are put to one gateway at once: fewer than it takes on a
// connection, so that it can still be asked whether it is there. More wait.
const mostAsked = 128

var errOtherPeer = errors.New("the certificate is of another organisation")

// NewPeer connects to host:port on first use.
func NewPeer(address string, own *certificate.Holder, oin identity.OIN) (*Peer, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	by := own.Client(host)
	p := &Peer{oin: oin, slots: make(chan struct{}, mostAsked)}
	conf := onlyOf(by, oin)
	only := conf.VerifyConnection
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		err := only(s)
		p.untrusted.Store(err != nil)
		return err
	}
	p.now = func() (*tls.Certificate, error) { return by.GetClientCertificate(nil) }
	conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		shown, err := p.now()
		if err == nil {
			p.shown.Store(shown)
		}
		return shown, err
	}
	options := append(own.Dial(credentials.NewTLS(conf)), grpc.WithConnectParams(redial()), grpc.WithContextDialer(p.dial))
	if p.conn, err = grpc.NewClient(address, options...); err != nil {
		return nil, err
	}
	p.peer, p.health = ontschotv1.NewPeerServiceClient(p.conn), healthv1.NewHealthClient(p.conn)
	return p, nil
}

// onlyOf is a configuration of a client that takes nobody but one organisation.
func onlyOf(by *tls.Config, oin identity.OIN) *tls.Config {
	conf := by.Clone()
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		if err := by.VerifyConnection(s); err != nil {
			return err
		}
		is, err := certificate.Peer(s.PeerCertificates[0])
		if err == nil && is != oin {
			err = errOtherPeer
		}
		return err
	}
	return conf
}

// redial is how soon a gateway that was not there is tried again: a second at most, so that it is
// asked again as soon as it is back. (ClientConn.ResetConnectBackoff would do it at every
// question, but it reads a map of gRPC's that a new connection writes.)
func redial() grpc.ConnectParams {
	return grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
		MinConnectTimeout: 5 * time.Second,
	}
}

// Certificate is the one that the other gateway sees: a permit is bound to it. Before the first
// handshake it is the one that will be shown. Nil when there is none.
func (p *Peer) Certificate() *x509.Certificate {
	shown := p.shown.Load()
	if shown == nil {
		if shown, _ = p.now(); shown == nil {
			return nil
		}
	}
	return shown.Leaf
}

// Fetch asks the other organisation about one person. It does not wait for a gateway that is
// not there. Where the way to it failed, the error is one of those of package federation, and
// says how far the question came.
func (p *Peer) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := p.reach(ctx); err != nil {
		return nil, err
	}
	defer p.watch(ctx)()
	var over grpcpeer.Peer
	answer, err := p.peer.Fetch(ctx, r, grpc.Peer(&over))
	return answer, p.lost(over, err)
}

// Deliver delivers one document. It waits for the other gateway as long as the context
// allows: it may just be starting.
func (p *Peer) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	defer p.watch(ctx)()
	return p.peer.Deliver(ctx, r, grpc.WaitForReady(true))
}

// Holds asks whether an agreement holds there.
func (p *Peer) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	defer p.watch(ctx)()
	return p.peer.Holds(ctx, r, grpc.WaitForReady(true))
}

// retire ends the connection when its calls have ended. None may begin any more.
func (p *Peer) retire() {
	p.calls.Wait()
	_ = p.Close()
}

// Close ends the connection.
func (p *Peer) Close() error { return p.conn.Close() }
