// Package client answers: how does a municipal system ask, and can it believe the
// answer? It asks over mutual TLS and refuses a budget without a valid signature
// and receipt.
package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// maxAnswer bounds a budget: 256 lines of each of 192 pairs would not fit, and
// no household has them.
const maxAnswer = 16 << 20

// Config of a client. Every field is required.
type Config struct {
	Address     string // host:port
	Certificate tls.Certificate
	CA          *x509.CertPool
	// Token gives an access token bound to the certificate, for each call anew.
	Token func() (string, error)
	Trust result.Trust
}

// Client asks one gateway. It is safe for concurrent use; make one and keep it.
type Client struct {
	config   Config
	conn     *grpc.ClientConn
	exchange ontschotv1.ExchangeServiceClient
	registry ontschotv1.RegistryServiceClient
}

// New connects on first use.
func New(c Config) (*Client, error) {
	conn, err := grpc.NewClient(c.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{c.Certificate}, RootCAs: c.CA, MinVersion: tls.VersionTLS13,
		})),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.WaitForReady(true)),
	)
	if err != nil {
		return nil, err
	}
	return &Client{c, conn, ontschotv1.NewExchangeServiceClient(conn), ontschotv1.NewRegistryServiceClient(conn)}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

func (c *Client) authorised(ctx context.Context) (context.Context, error) {
	token, err := c.config.Token()
	if err != nil {
		return nil, fmt.Errorf("getting a token: %w", err)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// AssembleBudget waits for the gateway as long as the context allows, asks for a budget, tells progress (nil: nobody listens) and
// verifies what comes. Errors are the gateway's google.rpc.Status, or wrap
// result.ErrMismatch or audit.ErrTampered when the answer must not be used.
func (c *Client) AssembleBudget(ctx context.Context, r *ontschotv1.AssembleBudgetRequest, progress func(*ontschotv1.Progress)) (*budgetv1.Budget, error) {
	ctx, err := c.authorised(ctx)
	if err != nil {
		return nil, err
	}
	stream, err := c.exchange.AssembleBudget(ctx, r)
	if err != nil {
		return nil, err
	}
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: the stream ended without a budget", result.ErrMismatch)
		}
		if err != nil {
			return nil, err
		}
		if p := event.GetProgress(); p != nil && progress != nil {
			progress(p)
		}
		if b := event.GetBudget(); b != nil {
			_, err := result.Verify(b, c.config.Trust)
			if err != nil {
				return nil, err
			}
			return b, nil
		}
	}
}

// Register brings a signed document to the gateway.
func (c *Client) Register(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	ctx, err := c.authorised(ctx)
	if err != nil {
		return nil, err
	}
	return c.registry.Register(ctx, r)
}
