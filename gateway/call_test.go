package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// caller is a system that asks: its certificate, and the token it presents.
type caller struct {
	leaf  *x509.Certificate
	token string
}

// municipality is the gateway's own organisation.
func (h *house) municipality() caller {
	raw, err := h.family.Token(h.now(), nil)
	require.NoError(h.t, err)
	return caller{h.family.Requester().Client.TLS.Leaf, raw}
}

// delegate is the vendor that acts for the municipality.
func (h *house) delegate() caller {
	leaf := h.family.Parties[vendor].Client.TLS.Leaf
	raw, err := family.MintToken(h.family.Requester().Token, leaf, h.family.CaseCommitment, h.family.Case.Purpose, h.now(), func(c *token.Claims) {
		c.Actor = &token.Actor{Subject: "their-system", Organisation: h.family.Parties[vendor].OIN}
	})
	require.NoError(h.t, err)
	return caller{leaf, raw}
}

// call is the context of a call as gRPC makes it; more holds names and values of
// metadata.
func (c caller) call(more ...string) context.Context {
	ctx := peer.NewContext(context.Background(), &peer.Peer{AuthInfo: credentials.TLSInfo{
		State: tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.leaf}, VerifiedChains: [][]*x509.Certificate{{c.leaf}}},
	}})
	return metadata.NewIncomingContext(ctx, metadata.Pairs(append([]string{"authorization", "Bearer " + c.token}, more...)...))
}

// traced is a call with a trace id of its own.
func (h *house) traced(c caller, more ...string) (context.Context, string) {
	trace := fmt.Sprintf("%032x", h.traces.Add(1))
	return c.call(append(more, "traceparent", "00-"+trace+"-00000000000000ab-01")...), trace
}

// authority looks at certificates by the one that made them all.
type authority struct {
	roots *x509.CertPool
	seams *seams
}

func (a *authority) Check(chain []*x509.Certificate, now time.Time) error {
	a.seams.pass("a certificate is looked at")
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: a.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// stream collects what is sent to a caller.
type stream struct {
	grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse] // nil: nothing else of it is used
	ctx                                                           context.Context
	seams                                                         *seams
	budget                                                        *budgetv1.Budget
	progress                                                      int
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) Send(r *ontschotv1.AssembleBudgetResponse) error {
	s.seams.pass("before something is sent")
	if b := r.GetBudget(); b != nil {
		s.budget = b
	} else {
		s.progress++
	}
	s.seams.pass("after something was sent")
	return nil
}
