package server

import (
	"context"
	"crypto/tls"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Peer delivers documents to the gateway of one other organisation, and to no other:
// its certificate must hold the OIN. It is safe for concurrent use.
type Peer struct {
	conn *grpc.ClientConn
	peer ontschotv1.PeerServiceClient
}

var errOtherPeer = errors.New("the certificate is of another organisation")

// NewPeer connects on first use.
func NewPeer(address string, by *tls.Config, oin identity.OIN) (*Peer, error) {
	conf := by.Clone()
	verify := conf.VerifyConnection
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		if verify != nil {
			if err := verify(s); err != nil {
				return err
			}
		}
		is, err := certificate.Peer(s.PeerCertificates[0])
		if err == nil && is != oin {
			err = errOtherPeer
		}
		return err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(conf)))
	if err != nil {
		return nil, err
	}
	return &Peer{conn, ontschotv1.NewPeerServiceClient(conn)}, nil
}

// Deliver delivers one document. It waits for the other gateway as long as the context
// allows: it may just be starting.
func (p *Peer) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	p.conn.ResetConnectBackoff()
	return p.peer.Deliver(ctx, r, grpc.WaitForReady(true))
}

// Holds asks whether an agreement holds there.
func (p *Peer) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	p.conn.ResetConnectBackoff()
	return p.peer.Holds(ctx, r, grpc.WaitForReady(true))
}

// Close ends the connection.
func (p *Peer) Close() error { return p.conn.Close() }
