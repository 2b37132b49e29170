package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// skew that the clocks of two organisations may have.
const skew = 30 * time.Second

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
	if terms.ProposedAt > g.Now().Add(skew).Unix() { // lead time counts from it
		return "", fmt.Errorf("%w: proposed_at has not come yet", agreement.ErrDocument)
	}
	if begun := time.Unix(terms.ProposedAt, 0); terms.Replaces == "" && g.Now().Sub(begun) > oldest {
		return "", fmt.Errorf("%w: proposed_at is more than a month ago; propose it again", agreement.ErrDocument)
	}
	if err := g.roomFor(ctx, by); err != nil {
		return "", err
	}
	e := g.agreementEntry(terms, p.Digest(), "proposed")
	e.Put = &audit.Document{Body: raw, Document: register.Document{
		ID: register.ProposalID(terms.ID), Kind: register.Proposal, Keys: p.Keys(), Replaces: terms.Replaces, PartyA: terms.Parties[0].OIN, PartyB: terms.Parties[1].OIN,
	}}
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
	} // whether what it replaces still counts is for the log to say
	return g.noted(ctx, d, e, terms.ID)
}

// oldest is how long ago a negotiation can have begun that is heard of for the first time.
const oldest = 31 * 24 * time.Hour

// What another party may have recorded here, so that it cannot fill the record:
// proposals that wait for an answer, and documents in an hour.
const (
	maxOpen       = 32
	maxDeliveries = 240
)

// mayFill counts a document that another party has recorded here.
func (g *Gateway) mayFill(by identity.OIN) error {
	if by != g.Own && !g.deliveries.take(string(by), maxDeliveries, g.Now().Unix()/3600) {
		return errDeliveries
	}
	return nil
}

// roomFor tells whether one more proposal of a party may wait.
func (g *Gateway) roomFor(ctx context.Context, by identity.OIN) error {
	if by == g.Own {
		return nil
	}
	if err := g.mayFill(by); err != nil {
		return err
	}
	documents, err := g.Documents.Between(ctx, audit.ProposalDocument, g.Own, by)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	open := 0
	for _, d := range documents {
		if !d.Live() {
			continue
		}
		if k, err := g.kept(ctx, register.TermsID(d.ID)); err == nil && k.open() && k.proposer() == by {
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
	e.Put, e.Rests = putAgreement(a, raw), []register.Rest{{ID: k.proposal.ID}}
	lead := max(0, g.Now().UnixMilli()-terms.ProposedAt*1000)
	if e.Payload, err = signed.Canonical(map[string]any{"agreement": a.ID(), "terms_sha256": terms.Digest(), "lead_time_ms": lead}); err != nil {
		return err
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
	if err := g.mayFill(by); err != nil {
		return err
	}
	e := g.agreementEntry(k.terms, "", s.Act)
	e.Put = &audit.Document{Body: raw, Document: register.Document{
		ID: statementID(s.Agreement), Kind: register.Statement, PartyA: k.terms.Parties[0].OIN, PartyB: k.terms.Parties[1].OIN,
	}}
	e.Kind, e.End = audit.Withdrawal, s.Agreement
	if k.agreement == nil {
		e.End = k.proposal.ID
	}
	// Accepted in the very same moment: what was rejected does not stay in force, as the
	// log ends terms both as a proposal and as an agreement.
	_, err = g.done(ctx, d, e)
	return err
}

// between checks that this organisation and the other are the parties.
func (g *Gateway) between(t agreement.Terms, by identity.OIN) error {
	with := other(t, g.Own)
	_, known := g.partyOf(with)
	if by == g.Own && (!known || with == g.Own) {
		return invalid("terms.parties", "must be this organisation and another that the trust file names")
	}
	if !known || by != g.Own && by != with {
		return fmt.Errorf("%w: it is not between this organisation and one it knows", agreement.ErrDocument)
	}
	return nil
}

func (g *Gateway) agreementEntry(t agreement.Terms, digest, status string) audit.Entry {
	e := audit.Entry{Kind: audit.Agreement, Activity: ontschotv1.PurposeSignAgreements, Status: status}
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

// statementID is under which id the statement is kept that ended a proposal or an
// agreement: there is one at most.
func statementID(id string) string { return "statement:" + id }

// other party than this one; this one itself when it is none.
func other(t agreement.Terms, than identity.OIN) identity.OIN {
	for i, p := range t.Parties {
		if p.OIN == than && len(t.Parties) == 2 {
			return t.Parties[1-i].OIN
		}
	}
	return than
}
