package federation

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Connection is the way to one other gateway.
type Connection interface {
	Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
}

// What can be wrong with the way to another gateway. A Connection says it around the error of
// the call.
var (
	ErrUnreached = errors.New("no connection to the peer came about")
	ErrUntrusted = errors.New("the certificate of the peer is not to be trusted")
	ErrCut       = errors.New("the connection to the peer broke after the question was sent")
	ErrSilent    = errors.New("nothing at all was heard of the peer after the question was sent")
)

// Peer asks the gateway of another organisation. It is a gateway.Source, safe for concurrent
// use. Every field is required.
type Peer struct {
	Own, Source identity.OIN
	Connection  Connection
	// Certificate is the one the connection is made with, as it is now.
	Certificate func() *x509.Certificate
	Signers     *signed.Ring
	Trust       Trust
	Now         func() time.Time
	Log         *slog.Logger // request log; holds no personal data
}

// Fetch writes a permit for the question, asks, and verifies the disclosure that comes with
// the answer. The decision that is recorded before a source is asked is the issuance of the
// permit. It gives errors as adapters do, with the reason PEER_REFUSED where the other
// gateway said no; what an answer holds the caller validates and minimises, as of any source.
func (p *Peer) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	q, permit, err := p.question(r)
	if err != nil {
		return nil, fault(codes.Internal, budgetv1.FaultAdapterBug, "")
	}
	answer, err := p.Connection.Fetch(ctx, q)
	if err != nil {
		return nil, p.faultOf(ctx, r.GetTrace(), err)
	}
	if err := p.holds(answer, permit, r.GetTrace()); err != nil {
		p.Log.Error("the disclosure of a peer does not hold", "trace", r.GetTrace(), "source", p.Source)
		return nil, fault(codes.DataLoss, budgetv1.FaultBadData, "")
	}
	return answer, nil
}

// question is the request with salt and permit.
func (p *Peer) question(r *budgetv1.FetchRequest) (*budgetv1.FetchRequest, token.PermitClaims, error) {
	q := proto.CloneOf(r)
	if q.Proofs == nil {
		q.Proofs = &budgetv1.Proofs{}
	}
	q.Proofs.Salt = make([]byte, saltSize)
	_, _ = rand.Read(q.Proofs.Salt) // never fails (crypto/rand)
	hash, err := hashOf(q)
	if err != nil {
		return nil, token.PermitClaims{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, token.PermitClaims{}, err
	}
	leaf := p.Certificate()
	if leaf == nil {
		return nil, token.PermitClaims{}, errNoCertificate
	}
	now := p.Now()
	claims := token.PermitClaims{
		Agreement: q.Proofs.GetAgreement(), Assurance: q.Proofs.GetAssurance(), Audience: p.Source, Case: q.Proofs.GetCase(),
		Confirmation: token.Confirmation{X5T: token.Thumbprint(leaf)}, Consent: consentDigest(q.Proofs.GetConsent()),
		Expires: now.Add(token.PermitLife).Unix(), IssuedAt: now.Unix(), Issuer: p.Own, ID: id.String(),
		Purpose: q.GetPurpose(), Request: hash, Role: q.Proofs.GetRole(),
	}
	permit, err := p.Signers.Signer().Compact(signed.Permit, claims)
	q.Proofs.Permit = string(permit)
	return q, claims, err
}

var errNoCertificate = errors.New("there is no certificate to bind a permit to")

// holds reports whether the disclosure is of this answer to this question.
func (p *Peer) holds(answer *budgetv1.FetchResponse, permit token.PermitClaims, trace string) error {
	s, err := p.Trust.Verify(answer.GetDisclosure(), p.Source, p.Own)
	if err != nil {
		return err
	}
	digest, err := result.AnswerDigest(answer)
	if err != nil {
		return err
	}
	if s.Request != permit.Request || s.Permit != permit.ID || s.Answer != encode(digest[:]) || s.Trace != trace {
		return result.ErrStatement
	}
	return nil
}

// faultOf says what came of a question in the words of adapters. Of what the other gateway
// says nothing is passed on but what is on a list of ours.
func (p *Peer) faultOf(ctx context.Context, trace string, err error) error {
	out := broken(err)
	if out == nil {
		out = meant(ctx, status.Convert(err))
	}
	p.Log.Warn("a peer gave no answer", "trace", trace, "source", p.Source, "code", status.Code(out).String(), "reason", reasonOf(out))
	return out
}

// broken says what is wrong with the way; nil when that is not what is wrong.
func broken(err error) error {
	switch {
	case errors.Is(err, ErrUnreached):
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable)
	case errors.Is(err, ErrUntrusted):
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapSourceCertificate)
	case errors.Is(err, ErrCut):
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerCut)
	case errors.Is(err, ErrSilent):
		return fault(codes.DeadlineExceeded, budgetv1.ReasonSourceTimeout, budgetv1.GapPeerSilent)
	}
	return nil
}

func meant(ctx context.Context, s *status.Status) error {
	reason := reasonOf(s.Err())
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), s.Code() == codes.DeadlineExceeded:
		return fault(codes.DeadlineExceeded, budgetv1.FaultSourceTimeout, "")
	case reason != budgetv1.FaultRateLimited && slices.Contains(budgetv1.Faults(), reason): // a gateway says that of its agreement
		return s.Err() // of its adapter, or of the system behind it: who reads the details knows a list of them
	case reason != "":
		return refused(s.Code(), reason)
	case s.Code() == codes.ResourceExhausted:
		return fault(codes.DataLoss, budgetv1.FaultBadData, "")
	case s.Code() == codes.Unimplemented:
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapPeerVersion)
	}
	return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable)
}

// reasonOf is the reason of the first google.rpc.ErrorInfo of an error, as all read it.
func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// peerRefused is the reason of a question that the other gateway said no to.
const peerRefused = budgetv1.ReasonPeerRefused

// refused is a no of the other gateway, by who can repair it. One that is not known is a
// refusal without a detail; what went wrong there is none.
func refused(code codes.Code, reason string) error {
	if slices.Contains(ontschotv1.PermitReasons(), reason) {
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapPeerPermit)
	}
	switch reason {
	case ontschotv1.ReasonUnknownPeer, ontschotv1.ReasonCertificate:
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapCertificateRefused)
	case ontschotv1.ReasonGatewayEnding: // it looked at nothing
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerUnreachable)
	case ontschotv1.ReasonRecordUnavailable:
		return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, budgetv1.GapPeerRecord)
	case budgetv1.ReasonNoAdapter:
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapPeerVersion)
	case ontschotv1.ReasonPermitTime:
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapPeerClock)
	case budgetv1.GapRateLimited:
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapRateLimited)
	case ontschotv1.ReasonDocumentEnded, ontschotv1.ReasonChangedMeanwhile:
		return fault(codes.PermissionDenied, peerRefused, budgetv1.GapPeerAgreement)
	}
	if detail := budgetv1.PeerDetail(reason); detail != "" || !slices.Contains([]codes.Code{codes.Aborted, codes.DataLoss, codes.Internal, codes.Unavailable, codes.Unknown}, code) {
		return fault(codes.PermissionDenied, peerRefused, detail)
	}
	return fault(codes.Unavailable, budgetv1.ReasonSourceUnavailable, "")
}

// fault is an error as adapters give them.
func fault(code codes.Code, reason, cause string) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "adapter.ontschot.nl"}
	if cause != "" {
		info.Metadata = map[string]string{"cause": cause}
	}
	s, err := status.New(code, reason).WithDetails(info)
	if err != nil {
		return status.Error(code, reason)
	}
	return s.Err()
}
