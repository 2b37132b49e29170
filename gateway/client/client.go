// Package client answers: how does a municipal system ask, and can it believe the
// answer? It asks over mutual TLS and refuses a budget without a valid signature
// and receipt.
package client

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// maxAnswer bounds a budget: 256 lines of each of 192 pairs would not fit, and
// no household has them.
const maxAnswer = 16 << 20

// Config of a client. Every field is required.
type Config struct {
	Address string      // host:port
	TLS     *tls.Config // with the client's certificate
	// Token gives an access token bound to the certificate, for each call anew.
	Token func() (string, error)
	Trust result.Trust
}

// Client asks one gateway. It is safe for concurrent use; make one and keep it.
type Client struct {
	config   Config
	conn     *grpc.ClientConn
	exchange ontschotv1.ExchangeServiceClient
	budgets  ontschotv1.BudgetServiceClient
	registry ontschotv1.RegistryServiceClient
	// Agreements and Consents are the services themselves; the token goes along.
	Agreements ontschotv1.AgreementServiceClient
	Consents   ontschotv1.ConsentServiceClient
}

// New connects on first use.
func New(c Config) (*Client, error) {
	conn, err := grpc.NewClient(c.Address,
		grpc.WithTransportCredentials(credentials.NewTLS(c.TLS)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.WaitForReady(true)),
		grpc.WithUnaryInterceptor(c.unary), grpc.WithStreamInterceptor(c.stream),
	)
	if err != nil {
		return nil, err
	}
	return &Client{
		config: c, conn: conn,
		exchange: ontschotv1.NewExchangeServiceClient(conn), budgets: ontschotv1.NewBudgetServiceClient(conn), registry: ontschotv1.NewRegistryServiceClient(conn),
		Agreements: ontschotv1.NewAgreementServiceClient(conn), Consents: ontschotv1.NewConsentServiceClient(conn),
	}, nil
}

// unary and stream send the token along.
func (c Config) unary(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, err := c.authorised(ctx)
	if err != nil {
		return err
	}
	return call(ctx, method, req, reply, conn, opts...)
}

func (c Config) stream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := c.authorised(ctx)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, conn, method, opts...)
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

func (c Config) authorised(ctx context.Context) (context.Context, error) {
	token, err := c.Token()
	if err != nil {
		return nil, fmt.Errorf("getting a token: %w", err)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// AssembleBudget waits for the gateway as long as the context allows, asks for a budget, tells progress (nil: nobody listens) and
// verifies what comes. Errors are the gateway's google.rpc.Status, or wrap
// result.ErrMismatch or audit.ErrTampered when the answer must not be used.
func (c *Client) AssembleBudget(ctx context.Context, r *ontschotv1.AssembleBudgetRequest, progress func(*ontschotv1.Progress)) (*budgetv1.Budget, error) {
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
			if _, err := result.Verify(b, c.config.Trust); err != nil {
				return nil, err
			}
			return b, answers(b, r)
		}
	}
}

// answers checks that a budget is the answer to this question: an older one of the
// same gateway would verify as well.
func answers(b *budgetv1.Budget, r *ontschotv1.AssembleBudgetRequest) error {
	same := b.GetPurpose() == r.GetPurpose() && proto.Equal(b.GetWindow(), r.GetWindow()) && b.GetViewOf() == "" && len(b.GetMatrix()) == len(r.GetPersons())
	for i, row := range b.GetMatrix() {
		same = same && row.GetPerson() == r.GetPersons()[i].GetRef()
	}
	if !same {
		return fmt.Errorf("%w: it answers another question", result.ErrMismatch)
	}
	return nil
}

// View asks for one member's projection of a budget and verifies it.
func (c *Client) View(ctx context.Context, r *ontschotv1.ViewRequest) (*budgetv1.Budget, error) {
	answer, err := c.budgets.View(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := result.Verify(answer.GetBudget(), c.config.Trust); err != nil {
		return nil, err
	}
	if answer.GetBudget().GetViewOf() != r.GetPerson() {
		return nil, fmt.Errorf("%w: it is the view of somebody else", result.ErrMismatch)
	}
	return answer.GetBudget(), nil
}

// CheckPlan holds a plan against a budget that this gateway released.
func (c *Client) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*budgetv1.PlanCheck, error) {
	answer, err := c.budgets.CheckPlan(ctx, r)
	return answer.GetCheck(), err
}

// Account asks for one account per funder and verifies each.
func (c *Client) Account(ctx context.Context, r *ontschotv1.AccountRequest) ([]*budgetv1.Account, error) {
	answer, err := c.budgets.Account(ctx, r)
	if err != nil {
		return nil, err
	}
	digest, err := result.Digest(r.GetBudget())
	if err != nil {
		return nil, err
	}
	for _, a := range answer.GetAccounts() {
		if a.GetBudgetDigest() != hex.EncodeToString(digest[:]) {
			return nil, fmt.Errorf("%w: an account of another budget", result.ErrMismatch)
		}
		if err := result.VerifyAccount(a, c.config.Trust); err != nil {
			return nil, err
		}
	}
	return answer.GetAccounts(), nil
}

// Dissolve takes a budget apart at a civil date and verifies what comes.
func (c *Client) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*budgetv1.Dissolution, error) {
	answer, err := c.budgets.Dissolve(ctx, r)
	if err != nil {
		return nil, err
	}
	digest, err := result.Digest(r.GetBudget())
	if err != nil {
		return nil, err
	}
	d := answer.GetDissolution()
	if d.GetBudgetDigest() != hex.EncodeToString(digest[:]) || d.GetDate() != r.GetDate() {
		return nil, fmt.Errorf("%w: the dissolution of another budget, or at another date", result.ErrMismatch)
	}
	return d, result.VerifyDissolution(d, c.config.Trust)
}

// Sunset asks what stays after a legal basis ends.
func (c *Client) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*budgetv1.Sunset, error) {
	answer, err := c.budgets.Sunset(ctx, r)
	return answer.GetSunset(), err
}

// Register brings a signed document to the gateway.
func (c *Client) Register(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	return c.registry.Register(ctx, r)
}
