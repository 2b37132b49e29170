// Package client answers: how does a municipal system ask its gateway, and can it
// believe the answer? It opens a client.yaml, asks over mutual TLS with an access token,
// and gives no budget whose signature or receipt does not verify.
package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ErrConfig means that client.yaml, or a file that it names, cannot be used. The message
// names the file, and line and key where there is one.
var ErrConfig = config.ErrConfig

// What a call lacks.
var (
	errNotOpened = errors.New("this client was not opened: client.Open makes one")
	errNoContext = errors.New("a call needs a context")
	errNoRequest = errors.New("a call needs a request, and this one is nil")
)

// maxAnswer bounds a budget: 256 lines of each of 192 pairs would not fit, and
// no household has them.
const maxAnswer = 16 << 20

// refreshEvery is how often revocation lists are looked at.
const refreshEvery = 30 * time.Second

// Client asks one gateway. It is safe for concurrent use; make one and keep it.
//
// Two things can go with a call, in its metadata (metadata.AppendToOutgoingContext):
// "idempotency-key", 16 to 128 characters such as a UUID, under which a client that gets no
// response can retry safely; and "ontschot-second", the access token of a second person,
// where the policy asks for two.
//
// The error of every call is the gateway's google.rpc.Status (status.Convert), with an
// ErrorInfo{reason, domain: ontschot.nl} among its details; or the error of the token
// function; or one that wraps result.ErrMismatch or audit.ErrTampered, and then nothing of
// the answer may be used.
type Client struct {
	conn     *grpc.ClientConn
	stop     context.CancelFunc
	trust    Trust
	exchange ontschotv1.ExchangeServiceClient
	budgets  ontschotv1.BudgetServiceClient
	registry ontschotv1.RegistryServiceClient
	// Agreements and Consents are the services themselves; the token goes along. Of a client
	// that Open did not make they are nil.
	Agreements ontschotv1.AgreementServiceClient
	Consents   ontschotv1.ConsentServiceClient
}

// Open makes a client as a client.yaml says. Paths in it are relative to the file:
//
//	gateway: gateway.meppel.example:8443  # host:port; its certificate must be made out to host
//	releaser: GM0119                      # party code: whose signature and log are expected
//	trust: trust.yaml                     # the parties and their pinned keys
//	tls:                                  # PEM files
//	  certificate: client/cert.pem
//	  key: client/key.pem
//	  ca: ca.pem
//
// The files are read once: when one has been replaced, open the client anew. Revocation lists
// (tls.crls) alone are looked at again. It connects on first use.
//
// token gives an access token (RFC 9068) that is bound to the certificate (RFC 8705), as
// the organisation's own issuer makes them. It is called for every call, with that call's
// context, and may keep a token for as long as it lives.
//
// Errors: ErrConfig.
func Open(path string, token func(context.Context) (string, error)) (*Client, error) {
	if token == nil {
		return nil, fmt.Errorf("%w: %s: a function that gives tokens is needed", ErrConfig, path)
	}
	conf, err := config.ReadClient(path)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(conf.Gateway)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: gateway is no host:port", ErrConfig, path)
	}
	own, err := conf.TLS.Open(conf.Path, "", certificate.Rules{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	trust, err := trustOf(conf)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient(conf.Gateway, append(own.Dial(credentials.NewTLS(own.Client(host))),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer), grpc.WaitForReady(true)))...)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: gateway: %w", ErrConfig, path, err)
	}
	with := bearer{conn, token}
	ctx, stop := context.WithCancel(context.Background())
	if len(conf.TLS.CRLs) > 0 {
		go refresh(ctx, own) // ends with Close
	}
	return &Client{
		conn: conn, trust: trust, stop: stop,
		exchange: ontschotv1.NewExchangeServiceClient(with), budgets: ontschotv1.NewBudgetServiceClient(with), registry: ontschotv1.NewRegistryServiceClient(with),
		Agreements: ontschotv1.NewAgreementServiceClient(with), Consents: ontschotv1.NewConsentServiceClient(with),
	}, nil
}

// bearer is a connection of which every call bears a token.
type bearer struct {
	conn  *grpc.ClientConn
	token func(context.Context) (string, error)
}

// Invoke is grpc.ClientConnInterface's.
func (b bearer) Invoke(ctx context.Context, method string, request, reply any, opts ...grpc.CallOption) error {
	if !there(request) {
		return errNoRequest
	}
	ctx, err := b.authorised(ctx)
	if err != nil {
		return err
	}
	return b.conn.Invoke(ctx, method, request, reply, opts...)
}

// NewStream is grpc.ClientConnInterface's.
func (b bearer) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := b.authorised(ctx)
	if err != nil {
		return nil, err
	}
	return b.conn.NewStream(ctx, desc, method, opts...)
}

func (b bearer) authorised(ctx context.Context) (context.Context, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	token, err := b.token(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting a token: %w", err)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// there reports whether a request is a message, and no nil pointer to one.
func there(request any) bool {
	m, ok := request.(proto.Message)
	return ok && m.ProtoReflect().IsValid()
}

// lacks is what a call needs and has not; nil: it can be made.
func (c *Client) lacks(ctx context.Context, request proto.Message) error {
	switch {
	case c == nil || c.conn == nil:
		return errNotOpened
	case ctx == nil:
		return errNoContext
	case !there(request):
		return errNoRequest
	}
	return nil
}

// Close ends the connection, and with it the calls under way.
func (c *Client) Close() error {
	if c == nil || c.conn == nil {
		return errNotOpened
	}
	c.stop()
	return c.conn.Close()
}

// refresh looks for newer revocation lists. One that cannot be had is told by the calls that
// are refused when it is out of date.
func refresh(ctx context.Context, own *certificate.Holder) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = own.Refresh(ctx)
		}
	}
}

// AssembleBudget asks for the integrated budget of the persons in r, and verifies what
// comes. It waits for the gateway for as long as the context allows. A source that does not
// answer in time is a gap in the budget, and so is what may not be released. progress gets
// each source that has answered; nil: nobody listens.
func (c *Client) AssembleBudget(ctx context.Context, r *ontschotv1.AssembleBudgetRequest, progress func(*ontschotv1.Progress)) (*budgetv1.Budget, error) {
	if err := c.lacks(ctx, r); err != nil {
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
			if _, err := c.trust.Verify(b); err != nil {
				return nil, err
			}
			if err := answers(b, r); err != nil {
				return nil, err
			}
			return b, nil
		}
	}
}

// answers checks that a budget is the answer to this request: an older one of the
// same gateway would verify as well.
func answers(b *budgetv1.Budget, r *ontschotv1.AssembleBudgetRequest) error {
	same := b.GetPurpose() == r.GetPurpose() && proto.Equal(b.GetWindow(), r.GetWindow()) && b.GetViewOf() == "" && len(b.GetMatrix()) == len(r.GetPersons())
	for i, row := range b.GetMatrix() {
		same = same && row.GetPerson() == r.GetPersons()[i].GetRef()
	}
	if !same {
		return fmt.Errorf("%w: it answers another request", result.ErrMismatch)
	}
	return nil
}

// View asks what one person may see of a budget that this gateway released, and verifies it.
func (c *Client) View(ctx context.Context, r *ontschotv1.ViewRequest) (*budgetv1.Budget, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
	answer, err := c.budgets.View(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := c.trust.Verify(answer.GetBudget()); err != nil {
		return nil, err
	}
	if answer.GetBudget().GetViewOf() != r.GetPerson() {
		return nil, fmt.Errorf("%w: it is the view of somebody else", result.ErrMismatch)
	}
	return answer.GetBudget(), nil
}

// CheckPlan asks whether a plan fits a budget that this gateway released.
func (c *Client) CheckPlan(ctx context.Context, r *ontschotv1.CheckPlanRequest) (*budgetv1.PlanCheck, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
	answer, err := c.budgets.CheckPlan(ctx, r)
	return answer.GetCheck(), err
}

// Account asks for what each funder is accountable for in a budget that this gateway
// released, one account for each, and verifies them. An auditor asks it at the gateway of
// another organisation, with a token for integral_budget.audit: what it does not get is left
// out of the answer, with the reason.
func (c *Client) Account(ctx context.Context, r *ontschotv1.AccountRequest) (*ontschotv1.AccountResponse, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
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
		if err := c.trust.VerifyAccount(a); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// Dissolve asks how a budget that this gateway released comes apart at a civil date, and
// verifies what comes.
func (c *Client) Dissolve(ctx context.Context, r *ontschotv1.DissolveRequest) (*budgetv1.Dissolution, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
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
	if err := c.trust.VerifyDissolution(d); err != nil {
		return nil, err
	}
	return d, nil
}

// Sunset asks what stays of a pooled budget after a legal basis ends.
func (c *Client) Sunset(ctx context.Context, r *ontschotv1.SunsetRequest) (*budgetv1.Sunset, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
	answer, err := c.budgets.Sunset(ctx, r)
	return answer.GetSunset(), err
}

// Register presents a signed document to the gateway: a consent, an agreement or what ends one.
func (c *Client) Register(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	if err := c.lacks(ctx, r); err != nil {
		return nil, err
	}
	return c.registry.Register(ctx, r)
}
