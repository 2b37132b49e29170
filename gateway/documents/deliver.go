package documents

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// peerTimeout bounds one delivery.
const peerTimeout = 3 * time.Second

// Deliver takes in what another organisation's gateway delivers. The certificate says
// who delivers it; the document counts for its signatures.
func (s *Service) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	by, err := s.Admission.Peer(ctx, r)
	if err != nil {
		return nil, err
	}
	registered, err := s.takeDelivery(ctx, by, r)
	return &ontschotv1.DeliverResponse{Document: registered}, err
}

// takeDelivery gives the document as it is registered.
func (s *Service) takeDelivery(ctx context.Context, by identity.OIN, r *ontschotv1.DeliverRequest) ([]byte, error) {
	kind, err := signed.KindOf(r.GetDocument())
	switch {
	case err != nil:
		return nil, admission.Invalid("document", "is no signed document")
	case kind == signed.Statement:
		return r.GetDocument(), s.takeStatement(ctx, admission.Call{}, by, r.GetDocument())
	case kind != signed.Agreement:
		return nil, admission.Invalid("document", "is of a kind that is not delivered: proposals, agreements, rejections and revocations are")
	}
	p, err := agreement.VerifyProposal(s.Keys.Fresh(), r.GetDocument())
	if err != nil {
		return nil, termsError(err)
	}
	if !slices.Contains(p.SignedBy(), s.Own) {
		_, err := s.takeProposal(ctx, admission.Call{}, by, r.GetDocument())
		return r.GetDocument(), err
	}
	return s.accepted(ctx, by, p, r.GetDocument())
}

// accepted takes in the other party's signature under a proposal of this one.
func (s *Service) accepted(ctx context.Context, by identity.OIN, p agreement.Proposal, raw []byte) ([]byte, error) {
	if err := s.between(p.Terms(), by); err != nil {
		return nil, err
	}
	k, err := s.negotiation(ctx, p.ID())
	if err != nil {
		return nil, err
	}
	if p.TermsDigest() != k.terms.Digest() {
		return nil, agreement.ErrOtherTerms
	}
	switch why := k.stage().Can(agreement.ToAccept); {
	case errors.Is(why, agreement.ErrInForce):
		return k.agreement.Body, nil // signed twice: the first counts
	case why != nil:
		return nil, why
	}
	return raw, s.putInForce(ctx, admission.Call{}, k, raw)
}

// send delivers a document to another party's gateway and gives it as registered there.
func (s *Service) send(ctx context.Context, to identity.OIN, raw []byte) (*ontschotv1.DeliverResponse, error) {
	party, _ := s.Organisations.ByOIN(to)
	peer, ok := s.peer(party.Code)
	if !ok {
		return nil, fmt.Errorf("%w: the trust file has no address for it", agreement.ErrUnreached)
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	answer, err := peer.Deliver(ctx, &ontschotv1.DeliverRequest{Document: raw})
	switch status.Code(err) {
	case codes.OK:
		return answer, nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return nil, agreement.ErrUnreached
	}
	return nil, peerError(err)
}

func peerError(err error) error {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return agreement.NewPeerError(info.GetReason())
		}
	}
	return agreement.NewPeerError("")
}

// peerReason says in a word why something did not reach the other party, or was refused
// there.
func peerReason(err error) string {
	var no *agreement.PeerError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &no):
		return no.Reason
	case errors.Is(err, agreement.ErrUnreached):
		return "PEER_UNREACHABLE"
	}
	return "INTERNAL"
}

// deliver sends a document that stands without an answer, and remembers that it
// arrived.
func (s *Service) deliver(ctx context.Context, to identity.OIN, raw []byte) error {
	sum := sha256.Sum256(raw)
	if _, done := s.arrived.Load(sum); done {
		return nil
	}
	_, err := s.send(context.WithoutCancel(ctx), to, raw)
	if err != nil {
		s.Log.Warn("not delivered", "to", to, "reason", peerReason(err))
	}
	if !errors.Is(err, agreement.ErrUnreached) {
		s.arrived.Store(sum, true) // a no is an answer: it is not delivered again
	}
	return err
}

// Redeliver delivers every open proposal and every statement of this organisation to
// the other party, unless it is known to have arrived. Delivering one again does no
// harm. The server calls it at start and once in a while.
func (s *Service) Redeliver(ctx context.Context) error {
	for _, p := range s.Organisations.Now() {
		if _, ok := s.peer(p.Code); !ok || p.OIN == s.Own {
			continue
		}
		for _, kind := range []audit.DocumentKind{audit.ProposalDocument, audit.StatementDocument} {
			documents, err := s.Documents.Between(ctx, kind, s.Own, p.OIN)
			if err != nil {
				return err
			}
			for _, d := range slices.Backward(documents) { // the oldest first
				if s.toDeliver(ctx, d) && errors.Is(s.deliver(ctx, p.OIN, d.Body), agreement.ErrUnreached) {
					break // nor will the others arrive
				}
			}
		}
	}
	return nil
}

// toDeliver reports whether a document is this organisation's own and still of use.
func (s *Service) toDeliver(ctx context.Context, d audit.StoredDocument) bool {
	id, by := "", identity.OIN("")
	if p, err := agreement.VerifyProposal(s.Keys, d.Body); d.Kind == audit.ProposalDocument && err == nil {
		id, by = p.ID(), first(p.SignedBy())
	}
	if said, err := agreement.VerifyStatement(s.Keys, d.Body); d.Kind == audit.StatementDocument && err == nil {
		id, by = said.Agreement, said.Issuer
	}
	k, err := s.negotiation(ctx, id)
	if err != nil || by != s.Own || k.terms.Until < s.Today().String() {
		return false
	}
	return d.Kind == audit.StatementDocument || k.open()
}
