package gateway

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
)

// Deadlines. A caller without one gets defaultDeadline. What is shaved off leaves
// time to assemble, record and send a budget with gaps before the caller gives up.
const (
	defaultDeadline = 30 * time.Second
	maxShave        = 400 * time.Millisecond
)

// shave ends asking a little before the caller stops listening.
func (g *Gateway) shave(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultDeadline)
	}
	left := time.Until(deadline)
	return context.WithTimeout(ctx, left-min(left/4, maxShave))
}

// Certificates looks again at the certificate of who calls: a connection may live on
// after its certificate has ended, or its authority is no longer believed.
type Certificates interface {
	Check(chain []*x509.Certificate, now time.Time) error
}

// credentials gives the bearer token and the client certificate of a call. A
// certificate that a proxy forwards in a header is not looked at, and one that names
// no organisation, or two, is none.
func (g *Gateway) credentials(ctx context.Context) (bearer string, leaf *x509.Certificate, err error) {
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if values := md.Get("authorization"); len(values) == 1 { // two would be a choice
			if token, ok := strings.CutPrefix(values[0], "Bearer "); ok {
				bearer = token
			}
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		if tls, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(tls.State.VerifiedChains) > 0 {
			leaf = tls.State.VerifiedChains[0][0]
			if g.Certificates.Check(tls.State.PeerCertificates, g.Now()) != nil {
				return "", nil, errCertificate
			}
		}
	}
	if _, err := certificate.Peer(leaf); err != nil {
		return bearer, nil, nil
	}
	return bearer, leaf, nil
}

// traceOf is the trace id of a call. The gateway makes its own always: what a caller
// sends may be anything that fits, a BSN among zeros as well, and the record keeps it.
func traceOf(ctx context.Context) string {
	if t := trailOf(ctx); t != nil {
		return t.trace
	}
	return newTrace()
}

// newTrace draws until no nine digits stand together: who looks through the logs for
// burgerservicenummers must not find one that is none.
func newTrace() string {
	id := make([]byte, 16)
	for {
		_, _ = rand.Read(id) // never fails (crypto/rand)
		if text := hex.EncodeToString(id); !nineDigits.MatchString(text) {
			return text
		}
	}
}

var nineDigits = regexp.MustCompile(`[0-9]{9}`)

// linkOf is the trace id of a well-formed W3C traceparent that came with the call, by
// which a caller's own log can be laid beside the request log; empty when there is none,
// or when it holds what can be a BSN.
func linkOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get("traceparent")
	if len(values) != 1 { // two would be a choice
		return ""
	}
	parts := strings.Split(values[0], "-")
	if len(parts) != 4 || parts[0] != "00" || !isHex(parts[1], 32) || !isHex(parts[2], 16) || len(parts[3]) != 2 {
		return ""
	}
	if strings.Trim(parts[3], hexadecimal) != "" || identity.HoldsBSN(values[0]) {
		return ""
	}
	return parts[1]
}

const hexadecimal = "0123456789abcdef"

// isHex reports whether a text is an id of so many hexadecimal digits, not all zero.
func isHex(s string, size int) bool {
	return len(s) == size && strings.Trim(s, "0") != "" && strings.Trim(s, hexadecimal) == ""
}
