package documents

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ProposeAgreement signs terms and delivers them to the other party.
func (s *Service) ProposeAgreement(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (*ontschotv1.ProposeAgreementResponse, error) {
	d, err := s.Admission.Admit(ctx, signing(ontschotv1.OperationProposeAgreement), r)
	if err != nil {
		return nil, err
	}
	id, err := s.Admission.MadeBefore(ctx, d)
	if err == nil && id == "" {
		id, err = s.proposeNew(ctx, d, r)
	}
	if err != nil {
		return nil, err
	}
	view, err := s.agreementView(ctx, id)
	if err != nil {
		return nil, err
	}
	with, _ := s.Organisations.ByCode(view.GetWith())
	why := peerReason(s.deliver(ctx, with.OIN, view.GetDocument()))
	return &ontschotv1.ProposeAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, nil
}

func (s *Service) proposeNew(ctx context.Context, d admission.Call, r *ontschotv1.ProposeAgreementRequest) (id string, err error) {
	terms, err := s.newTerms(ctx, r)
	if err != nil {
		return "", err
	}
	raw, err := agreement.Propose(terms, s.Signers.Signer())
	if err != nil {
		return "", termsError(err)
	}
	if err := mayDeal(d.Caller(), other(terms, s.Own)); err != nil {
		return "", err
	}
	return s.takeProposal(ctx, d.Making(terms.ID), s.Own, raw)
}

// newTerms adds to what was drafted what the gateway adds. Of a negotiation that goes
// on the lead time counts from its first proposal.
func (s *Service) newTerms(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (agreement.Terms, error) {
	terms, err := termsOf(r.GetTerms())
	if err != nil {
		return terms, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return terms, err
	}
	terms.Version, terms.ID, terms.Replaces, terms.ProposedAt = 1, id.String(), r.GetReplaces(), s.Now().Unix()
	if terms.Replaces == "" {
		return terms, nil
	}
	old, err := s.negotiation(ctx, terms.Replaces)
	if err != nil {
		return terms, err
	}
	if old.open() {
		terms.ProposedAt = old.terms.ProposedAt
	}
	return terms, nil
}

// AcceptAgreement countersigns. The other party's gateway records it first, then this
// one: whoever stops half way finds the same agreement when it tries again.
func (s *Service) AcceptAgreement(ctx context.Context, r *ontschotv1.AcceptAgreementRequest) (*ontschotv1.AcceptAgreementResponse, error) {
	d, err := s.Admission.Admit(ctx, signing(ontschotv1.OperationAcceptAgreement), r)
	if err != nil {
		return nil, err
	}
	k, err := s.negotiation(ctx, r.GetId())
	if err == nil {
		err = s.mayAccept(k, d.Caller(), r.GetTermsSha256())
	}
	if err == nil {
		err = s.countersign(ctx, d, k)
	}
	if err != nil && !errors.Is(err, agreement.ErrInForce) { // in force: accepted before
		return nil, err
	}
	view, err := s.agreementView(ctx, r.GetId())
	return &ontschotv1.AcceptAgreementResponse{Agreement: view}, err
}

// mayAccept says why these terms cannot be accepted. Errors: agreement.ErrInForce when
// they were before.
func (s *Service) mayAccept(k negotiation, caller token.Caller, terms string) error {
	switch {
	case k.doubt != nil:
		return k.doubt
	case mayDeal(caller, other(k.terms, s.Own)) != nil:
		return admission.ErrPurpose
	case terms != k.terms.Digest():
		return agreement.ErrOtherTerms
	case k.stage().Can(agreement.ToAccept) != nil:
		return k.stage().Can(agreement.ToAccept)
	case slices.Contains(k.signedBy, s.Own):
		return agreement.ErrOwnProposal
	}
	return nil
}

// countersign has the other party's gateway record the whole agreement first, then this one.
func (s *Service) countersign(ctx context.Context, d admission.Call, k negotiation) error {
	whole, err := agreement.Accept(k.proposal.Body, s.Signers.Signer())
	if err != nil {
		return err
	}
	theirs, err := s.send(ctx, other(k.terms, s.Own), whole)
	if errors.Is(err, agreement.ErrUnreached) {
		return agreement.ErrHalfway
	}
	if err != nil {
		return err
	}
	return s.putInForce(ctx, d, k, theirs.GetDocument())
}

// RejectAgreement turns down a proposal, one's own too.
func (s *Service) RejectAgreement(ctx context.Context, r *ontschotv1.RejectAgreementRequest) (*ontschotv1.RejectAgreementResponse, error) {
	d, err := s.Admission.Admit(ctx, signing(ontschotv1.OperationRejectAgreement), r)
	if err != nil {
		return nil, err
	}
	view, why, err := s.state(ctx, d, agreement.Statement{Act: agreement.Reject, Agreement: r.GetId(), Reason: r.GetReason()})
	return &ontschotv1.RejectAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, err
}

// RevokeAgreement ends an agreement.
func (s *Service) RevokeAgreement(ctx context.Context, r *ontschotv1.RevokeAgreementRequest) (*ontschotv1.RevokeAgreementResponse, error) {
	d, err := s.Admission.Admit(ctx, signing(ontschotv1.OperationRevokeAgreement), r)
	if err != nil {
		return nil, err
	}
	view, why, err := s.state(ctx, d, agreement.Statement{Act: agreement.Revoke, Agreement: r.GetId(), Reason: r.GetReason()})
	return &ontschotv1.RevokeAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, err
}

// state signs a statement, records it here and delivers it to the other party; it says why
// it could not be delivered. What was stated before is delivered again and not stated anew.
func (s *Service) state(ctx context.Context, d admission.Call, says agreement.Statement) (*ontschotv1.Agreement, string, error) {
	k, err := s.negotiation(ctx, says.Agreement)
	if err != nil {
		return nil, "", err
	}
	with := other(k.terms, s.Own)
	if err := mayDeal(d.Caller(), with); err != nil {
		return nil, "", err
	}
	raw, err := s.stated(ctx, k, says.Act)
	if err == nil && raw == nil {
		raw, err = s.stateNew(ctx, d, k, says)
	}
	if err != nil {
		return nil, "", err
	}
	why := peerReason(s.deliver(ctx, with, raw))
	view, err := s.agreementView(ctx, k.terms.ID)
	return view, why, err
}

// stated gives the statement that ended these terms already; nil when they still count.
func (s *Service) stated(ctx context.Context, k negotiation, act string) ([]byte, error) {
	why := k.stage().Can(act)
	if why == nil {
		return nil, nil
	}
	d, err := s.Documents.Document(ctx, statementID(k.terms.ID))
	if errors.Is(err, audit.ErrNoDocument) {
		return nil, why
	}
	return d.Body, err
}

func (s *Service) stateNew(ctx context.Context, d admission.Call, k negotiation, says agreement.Statement) ([]byte, error) {
	jti, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	says.ID, says.IssuedAt, says.Terms = jti.String(), s.Now().Unix(), k.terms.Digest()
	raw, err := agreement.NewStatement(says, s.Signers.Signer())
	if err != nil {
		return nil, termsError(err)
	}
	return raw, s.takeStatement(ctx, d, s.Own, raw)
}

// signing is the door of who signs for the organisation.
func signing(operation ontschotv1.Operation) admission.Door {
	return admission.Door{Purpose: ontschotv1.PurposeSignAgreements, Operation: operation, Signs: true}
}

// mayDeal is nil when the token is for dealing with that party.
func mayDeal(caller token.Caller, with identity.OIN) error {
	if !caller.Reaches(ontschotv1.PurposeSignAgreements, with) {
		return admission.ErrPurpose
	}
	return nil
}
