package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
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
		return nil, &audit.EndedError{ID: r.GetId()}
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

// takeProposal takes in terms that one party has signed, this one or another.
func (g *Gateway) takeProposal(ctx context.Context, d deed, by identity.OIN, raw []byte) (id string, err error) {
	p, err := agreement.VerifyProposal(g.Keys.Fresh(), raw)
	if err != nil {
		return "", termsError(err)
	}
	terms := p.Terms()
	if err := g.between(terms, by); err != nil {
		return "", err
	}
	if !slices.Equal(p.SignedBy(), []identity.OIN{by}) {
		return "", fmt.Errorf("%w: a proposal is signed by who brings it, and by nobody else", agreement.ErrDocument)
	}
	if until, err := civil.Parse(terms.Until); err != nil || until < g.Today() {
		return "", fmt.Errorf("%w: its days are over", agreement.ErrDocument)
	}
	if err := g.roomFor(ctx, by); err != nil {
		return "", err
	}
	e := g.agreementEntry(terms, p.Digest(), "proposed")
	e.Put = &audit.Document{ID: proposalID(terms.ID), Kind: audit.ProposalDocument, Body: raw, PartyA: terms.Parties[0].OIN, PartyB: terms.Parties[1].OIN}
	if terms.Replaces == "" {
		return g.noted(ctx, d, e, terms.ID)
	}
	old, err := g.kept(ctx, terms.Replaces)
	if err != nil {
		return "", err
	}
	switch {
	case other(old.terms, by) != other(terms, by):
		return "", fmt.Errorf("%w: it replaces an agreement with another party", agreement.ErrDocument)
	case old.open() && old.terms.ProposedAt != terms.ProposedAt:
		return "", fmt.Errorf("%w: proposed_at is not that of the proposal it answers", agreement.ErrDocument)
	case old.open():
		e.End = old.proposal.ID
	case old.agreement != nil && old.agreement.Live():
		e.Rests = []string{old.agreement.ID}
	default:
		return "", &audit.EndedError{ID: terms.Replaces}
	}
	return g.noted(ctx, d, e, terms.ID)
}

// maxOpen is how many proposals of another party may wait for an answer: it must not
// be able to fill the record.
const maxOpen = 32

func (g *Gateway) roomFor(ctx context.Context, by identity.OIN) error {
	if by == g.Own {
		return nil
	}
	documents, err := g.Documents.Between(ctx, g.Own, audit.ProposalDocument, g.Own, by)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	open := 0
	for _, d := range documents {
		if !d.Live() {
			continue
		}
		if k, err := g.kept(ctx, strings.TrimPrefix(d.ID, proposalPrefix)); err == nil && k.open() && k.signedBy[0] == by {
			open++
		}
	}
	if open >= maxOpen {
		return errTooMany
	}
	return nil
}

// putInForce records what both parties have signed, at this end. It rests on the
// proposal: what was rejected in the meantime does not come into force.
func (g *Gateway) putInForce(ctx context.Context, d deed, k kept, raw []byte) error {
	a, err := agreement.Verify(g.Keys.Fresh(), raw)
	if err != nil {
		return termsError(err)
	}
	terms := a.Terms()
	if terms.Digest() != k.terms.Digest() {
		return errOtherTerms
	}
	e := g.agreementEntry(terms, a.Digest(), "in_force")
	e.Put = &audit.Document{ID: a.ID(), Kind: audit.AgreementDocument, Body: raw, PartyA: terms.Parties[0].OIN, PartyB: terms.Parties[1].OIN}
	e.Rests = []string{k.proposal.ID}
	lead := g.Now().UnixMilli() - terms.ProposedAt*1000
	if e.Payload, err = signed.Canonical(map[string]any{"agreement": a.ID(), "terms_sha256": terms.Digest(), "lead_time_ms": lead}); err != nil {
		return err
	}
	if terms.Replaces != "" {
		old, err := g.Documents.Document(ctx, g.Own, terms.Replaces)
		if err != nil && !errors.Is(err, audit.ErrNoDocument) {
			return err
		}
		if err == nil && old.Live() {
			e.End = old.ID
		}
	}
	_, err = g.done(ctx, d, e)
	return err
}

// takeStatement takes in a rejection or a revocation. It ends what there is: the
// agreement, or the proposal when it was never accepted here.
func (g *Gateway) takeStatement(ctx context.Context, d deed, by identity.OIN, raw []byte) error {
	s, err := agreement.VerifyStatement(g.Keys.Fresh(), raw)
	if err != nil {
		return termsError(err)
	}
	if s.Issuer != by {
		return fmt.Errorf("%w: it is not of who brings it", agreement.ErrStatement)
	}
	k, err := g.kept(ctx, s.Agreement)
	if err != nil {
		return err
	}
	if err := s.About(k.terms); err != nil {
		return err
	}
	e := g.agreementEntry(k.terms, "", s.Act)
	e.Put = &audit.Document{ID: s.ID, Kind: audit.StatementDocument, Body: raw, PartyA: k.terms.Parties[0].OIN, PartyB: k.terms.Parties[1].OIN}
	e.Kind, e.End = audit.Withdrawal, s.Agreement
	if k.agreement == nil {
		e.End = k.proposal.ID
	}
	_, err = g.done(ctx, d, e)
	return err
}

// between checks that this organisation and the other are the parties.
func (g *Gateway) between(t agreement.Terms, by identity.OIN) error {
	with := other(t, g.Own)
	_, known := g.partyOf(with)
	if !known || with == g.Own || by != g.Own && by != with {
		return fmt.Errorf("%w: it is not between this organisation and one it knows", agreement.ErrDocument)
	}
	return nil
}

func (g *Gateway) agreementEntry(t agreement.Terms, digest, status string) audit.Entry {
	e := audit.Entry{Kind: audit.Agreement, Activity: AgreementPurpose, Status: status}
	for _, p := range t.Parties {
		e.Organisations = append(e.Organisations, p.OIN)
	}
	if digest != "" {
		e.Agreements = []string{digest}
	}
	return e
}

// noted records a document and gives the id of what was made: under an idempotency key
// that was used before, the one made then.
func (g *Gateway) noted(ctx context.Context, d deed, e audit.Entry, id string) (string, error) {
	proof, err := g.done(ctx, d, e)
	if proof.Ref != "" {
		id = proof.Ref
	}
	return id, err
}

// proposalID is under which id a proposal is kept, beside the agreement it may become.
func proposalID(id string) string { return proposalPrefix + id }

const proposalPrefix = "proposal:"

// other party than this one; this one itself when it is none.
func other(t agreement.Terms, than identity.OIN) identity.OIN {
	for i, p := range t.Parties {
		if p.OIN == than && len(t.Parties) == 2 {
			return t.Parties[1-i].OIN
		}
	}
	return than
}
