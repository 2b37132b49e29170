package gateway

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AgreementPurpose is what a token must be issued for to sign for an organisation.
const AgreementPurpose = "agreements.sign"

// ProposeAgreement signs terms and brings them to the other party.
func (g *Gateway) ProposeAgreement(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (*ontschotv1.ProposeAgreementResponse, error) {
	answer, err := g.propose(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

func (g *Gateway) propose(ctx context.Context, r *ontschotv1.ProposeAgreementRequest) (*ontschotv1.ProposeAgreementResponse, error) {
	d, err := g.doing(ctx, AgreementPurpose, r)
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
	delivered := g.deliver(ctx, with.OIN, view.GetDocument()) == nil
	return &ontschotv1.ProposeAgreementResponse{Agreement: view, Delivered: delivered}, nil
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
	d, err := g.doing(ctx, AgreementPurpose, r)
	if err != nil {
		return nil, err
	}
	k, err := g.kept(ctx, r.GetId())
	switch {
	case err != nil:
		return nil, err
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
	view, delivered, err := g.state(ctx, r, agreement.Reject, r.GetId(), r.GetReason())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.RejectAgreementResponse{Agreement: view, Delivered: delivered}, nil
}

// RevokeAgreement ends an agreement.
func (g *Gateway) RevokeAgreement(ctx context.Context, r *ontschotv1.RevokeAgreementRequest) (*ontschotv1.RevokeAgreementResponse, error) {
	view, delivered, err := g.state(ctx, r, agreement.Revoke, r.GetId(), r.GetReason())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.RevokeAgreementResponse{Agreement: view, Delivered: delivered}, nil
}

// state signs a statement, records it here and brings it to the other party.
func (g *Gateway) state(ctx context.Context, r proto.Message, act, id, reason string) (*ontschotv1.Agreement, bool, error) {
	d, err := g.doing(ctx, AgreementPurpose, r)
	if err != nil {
		return nil, false, err
	}
	k, err := g.kept(ctx, id)
	switch {
	case err != nil:
		return nil, false, err
	case act == agreement.Reject && k.agreement != nil:
		return nil, false, errInForce
	case act == agreement.Revoke && k.agreement == nil:
		return nil, false, errNotInForce
	}
	jti, err := uuid.NewV7()
	if err != nil {
		return nil, false, err
	}
	raw, err := agreement.NewStatement(agreement.Statement{
		ID: jti.String(), IssuedAt: g.Now().Unix(), Act: act, Agreement: id, Terms: k.terms.Digest(), Reason: reason,
	}, g.Signers.Signer())
	if err != nil {
		return nil, false, termsError(err)
	}
	if err := g.takeStatement(ctx, d, g.Own, raw); err != nil {
		return nil, false, err
	}
	delivered := g.deliver(ctx, other(k.terms, g.Own), raw) == nil
	view, err := g.agreementView(ctx, id)
	return view, delivered, err
}
