package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ProposeAgreement signs terms and brings them to the other party.
func (g *Gateway) ProposeAgreement(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (*ontschotv1.ProposeAgreementResponse, error) {
	answer, err := g.propose(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

func (g *Gateway) propose(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (*ontschotv1.ProposeAgreementResponse, error) {
	d, err := g.signing(ctx, ontschotv1.OperationProposeAgreement, r)
	if err != nil {
		return nil, err
	}
	id, err := g.before(ctx, d)
	if err == nil && id == "" {
		id, err = g.proposeNew(ctx, d, r)
	}
	if err != nil {
		return nil, err
	}
	view, err := g.agreementView(ctx, id)
	if err != nil {
		return nil, err
	}
	with, _ := g.party(view.GetWith())
	why := g.notDelivered(ctx, with.OIN, view.GetDocument())
	return &ontschotv1.ProposeAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, nil
}

func (g *Gateway) proposeNew(ctx context.Context, d deed, r *ontschotv1.ProposeAgreementRequest) (id string, err error) {
	terms, err := g.newTerms(ctx, r)
	if err != nil {
		return "", err
	}
	raw, err := agreement.Propose(terms, g.Signers.Signer())
	if err != nil {
		return "", termsError(err)
	}
	if err := mayDeal(d.caller, other(terms, g.Own)); err != nil {
		return "", err
	}
	return g.takeProposal(ctx, d.making(terms.ID), g.Own, raw)
}

// newTerms adds to what was drafted what the gateway adds. Of a negotiation that goes
// on the lead time counts from its first proposal.
func (g *Gateway) newTerms(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (agreement.Terms, error) {
	terms, err := termsOf(r.GetTerms())
	if err != nil {
		return terms, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return terms, err
	}
	terms.Version, terms.ID, terms.Replaces, terms.ProposedAt = 1, id.String(), r.GetReplaces(), g.Now().Unix()
	if terms.Replaces == "" {
		return terms, nil
	}
	old, err := g.kept(ctx, terms.Replaces)
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
func (g *Gateway) AcceptAgreement(ctx context.Context, r *ontschotv1.AcceptAgreementRequest) (*ontschotv1.AcceptAgreementResponse, error) {
	view, err := g.accept(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.AcceptAgreementResponse{Agreement: view}, nil
}

func (g *Gateway) accept(ctx context.Context, r *ontschotv1.AcceptAgreementRequest) (*ontschotv1.Agreement, error) {
	d, err := g.signing(ctx, ontschotv1.OperationAcceptAgreement, r)
	if err != nil {
		return nil, err
	}
	k, err := g.kept(ctx, r.GetId())
	switch {
	case err != nil:
		return nil, err
	case k.doubt != nil:
		return nil, k.doubt
	case mayDeal(d.caller, other(k.terms, g.Own)) != nil:
		return nil, errPurpose
	case r.GetTermsSha256() != k.terms.Digest():
		return nil, errOtherTerms
	case k.agreement != nil && k.agreement.Live():
		return g.agreementView(ctx, r.GetId()) // accepted before
	case !k.open():
		return nil, errClosed
	case slices.Contains(k.signedBy, g.Own):
		return nil, errOwnProposal
	}
	whole, err := agreement.Accept(k.proposal.Body, g.Signers.Signer())
	if err != nil {
		return nil, err
	}
	theirs, err := g.bring(ctx, other(k.terms, g.Own), whole)
	if errors.Is(err, errUnreached) {
		return nil, errHalfway
	}
	if err != nil {
		return nil, err
	}
	if err := g.putInForce(ctx, d, k, theirs.GetDocument()); err != nil {
		return nil, err
	}
	return g.agreementView(ctx, r.GetId())
}

// RejectAgreement turns down a proposal, one's own too.
func (g *Gateway) RejectAgreement(ctx context.Context, r *ontschotv1.RejectAgreementRequest) (*ontschotv1.RejectAgreementResponse, error) {
	view, why, err := g.state(ctx, r, agreement.Reject, r.GetId(), r.GetReason())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.RejectAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, nil
}

// RevokeAgreement ends an agreement.
func (g *Gateway) RevokeAgreement(ctx context.Context, r *ontschotv1.RevokeAgreementRequest) (*ontschotv1.RevokeAgreementResponse, error) {
	view, why, err := g.state(ctx, r, agreement.Revoke, r.GetId(), r.GetReason())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.RevokeAgreementResponse{Agreement: view, Delivered: why == "", NotDelivered: why}, nil
}

// state signs a statement, records it here and brings it to the other party. What was
// stated before is brought again and not stated anew.
func (g *Gateway) state(ctx context.Context, r proto.Message, act, id, reason string) (*ontschotv1.Agreement, string, error) {
	operation := ontschotv1.OperationRejectAgreement
	if act == agreement.Revoke {
		operation = ontschotv1.OperationRevokeAgreement
	}
	d, err := g.signing(ctx, operation, r)
	if err != nil {
		return nil, "", err
	}
	k, err := g.kept(ctx, id)
	if err != nil {
		return nil, "", err
	}
	with := other(k.terms, g.Own)
	if err := mayDeal(d.caller, with); err != nil {
		return nil, "", err
	}
	raw, err := g.stated(ctx, k, act)
	if err == nil && raw == nil {
		raw, err = g.stateNew(ctx, d, k, act, reason)
	}
	if err != nil {
		return nil, "", err
	}
	why := g.notDelivered(ctx, with, raw)
	view, err := g.agreementView(ctx, id)
	return view, why, err
}

// stated gives the statement that ended these terms already; nil when they still count.
func (g *Gateway) stated(ctx context.Context, k kept, act string) ([]byte, error) {
	live := k.open() && act == agreement.Reject || k.agreement != nil && k.agreement.Live() && act == agreement.Revoke
	if live {
		return nil, nil
	}
	d, err := g.Documents.Document(ctx, statementID(k.terms.ID))
	switch {
	case err == nil:
		return d.Body, nil
	case !errors.Is(err, audit.ErrNoDocument):
		return nil, err
	case act == agreement.Reject && k.agreement != nil:
		return nil, errInForce
	case act == agreement.Revoke && k.agreement == nil:
		return nil, errNotInForce
	}
	return nil, errClosed
}

func (g *Gateway) stateNew(ctx context.Context, d deed, k kept, act, reason string) ([]byte, error) {
	jti, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	raw, err := agreement.NewStatement(agreement.Statement{
		ID: jti.String(), IssuedAt: g.Now().Unix(), Act: act, Agreement: k.terms.ID, Terms: k.terms.Digest(), Reason: reason,
	}, g.Signers.Signer())
	if err != nil {
		return nil, termsError(err)
	}
	return raw, g.takeStatement(ctx, d, g.Own, raw)
}

// notDelivered brings a document and tells why it did not arrive; empty when it did.
func (g *Gateway) notDelivered(ctx context.Context, with identity.OIN, raw []byte) string {
	err := g.deliver(ctx, with, raw)
	if err == nil {
		return ""
	}
	return reasonOf(status.Convert(outward(err)))
}

// signing checks who calls to sign for the organisation: known well enough.
func (g *Gateway) signing(ctx context.Context, operation ontschotv1.Operation, r proto.Message) (deed, error) {
	d, err := g.doing(ctx, ontschotv1.PurposeSignAgreements, operation, r)
	if err == nil && !(agreement.Grant{Assurance: ontschotv1.AssuranceSubstantial}).Suffices(d.caller.Assurance()) {
		err = errAssurance
	}
	return d, err
}

// mayDeal tells whether the token is for dealing with that party.
func mayDeal(caller token.Caller, with identity.OIN) error {
	if !caller.Reaches(ontschotv1.PurposeSignAgreements, with) {
		return errPurpose
	}
	return nil
}
