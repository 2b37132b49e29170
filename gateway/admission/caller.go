package admission

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Names of the metadata of a call.
const (
	// caseKey is where a caller may say the case commitment, where the issuer of its token
	// knows nothing of cases.
	caseKey = "ontschot-case"
	// secondKey is where a call has the token of a second person, where two are needed.
	secondKey = "ontschot-second"
)

// Caller checks the token against the certificate of the connection, that it is of the
// gateway's own organisation, and that it was issued for the purpose.
func (a *Admission) Caller(ctx context.Context, purpose string) (token.Caller, error) {
	return a.through(ctx, Door{Purpose: purpose})
}

// known checks the token against the certificate of the connection, and that it is of
// the gateway's own organisation or of one that others lets in; nil: of none. Who acts for it
// must have been delegated the purpose.
func (a *Admission) known(ctx context.Context, purpose string, others func(identity.OIN) error) (token.Caller, error) {
	call, err := a.bearerOf(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	caller, err := a.Tokens.Check(call)
	if err != nil {
		return token.Caller{}, err
	}
	if caller.Organisation() != a.Own {
		err = ErrNotOwn
		if others != nil {
			err = others(caller.Organisation())
		}
	}
	if err != nil {
		return token.Caller{}, err
	}
	trailOf(ctx).asks(caller, purpose)
	return caller, nil
}

// bearerOf is what a caller shows of itself, for a purpose.
func (a *Admission) bearerOf(ctx context.Context, purpose string) (token.Call, error) {
	bearer, leaf, err := a.credentials(ctx)
	if err != nil {
		return token.Call{}, err
	}
	call := token.Call{Bearer: bearer, Leaf: leaf, Purpose: purpose, Today: a.Today()}
	if values := metadata.ValueFromIncomingContext(ctx, caseKey); len(values) == 1 { // two would be a choice
		switch call.Case = values[0]; { // it is signed, in consents
		case !budgetv1.Printable(call.Case):
			return token.Call{}, Invalid(caseKey, "%s", notShowable)
		case identity.LooksLikeBSN(call.Case):
			return token.Call{}, Invalid(caseKey, "%s", likeBSN)
		}
	}
	call.Delegations = func(org, actor identity.OIN) ([]token.Delegation, error) { return a.Delegations(ctx, org, actor) }
	return call, nil
}

// second checks who does it too: another person of the same organisation, for the same
// case and purpose. They are compared by what one client of the issuer says of both, as
// the same person can have another name at another client. Nobody when there is no
// second token.
func (a *Admission) second(ctx context.Context, caller token.Caller, purpose string) (token.Caller, error) {
	values := metadata.ValueFromIncomingContext(ctx, secondKey)
	if len(values) == 0 {
		return token.Caller{}, nil
	}
	if len(values) > 1 { // two would be a choice
		return token.Caller{}, ErrSecond
	}
	call, err := a.bearerOf(ctx, purpose)
	if err != nil {
		return token.Caller{}, err
	}
	call.Bearer = values[0]
	also, err := a.Tokens.Check(call)
	switch {
	case err != nil:
		return token.Caller{}, err
	case also.Organisation() != caller.Organisation() || also.Actor() != caller.Actor() || also.Case() != caller.Case() || !also.May(purpose):
		return token.Caller{}, ErrSecond
	case also.Client() != caller.Client() || also.Subject() == caller.Subject():
		return token.Caller{}, ErrSecond
	}
	return also, nil
}

// Certificates looks again at the certificate of who calls: a connection may live on
// after its certificate has ended, or its authority is no longer believed.
type Certificates interface {
	Check(chain []*x509.Certificate, now time.Time) error
}

// credentials gives the bearer token and the client certificate of a call. A
// certificate that a proxy forwards in a header is not looked at, and one that names
// no organisation, or two, is none.
func (a *Admission) credentials(ctx context.Context) (bearer string, leaf *x509.Certificate, err error) {
	if values := metadata.ValueFromIncomingContext(ctx, "authorization"); len(values) == 1 { // two would be a choice
		if token, ok := strings.CutPrefix(values[0], "Bearer "); ok {
			bearer = token
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		if tls, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(tls.State.VerifiedChains) > 0 {
			leaf = tls.State.VerifiedChains[0][0]
			if a.Certificates.Check(tls.State.PeerCertificates, a.Now()) != nil {
				return "", nil, ErrCertificate
			}
		}
	}
	who, err := certificate.Peer(leaf)
	if err != nil {
		return bearer, nil, nil
	}
	trailOf(ctx).shows(who)
	return bearer, leaf, nil
}
