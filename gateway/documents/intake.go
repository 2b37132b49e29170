package documents

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/gateway/admission"
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
func (s *Service) takeProposal(ctx context.Context, d admission.Call, by identity.OIN, raw []byte) (id string, err error) {
	p, err := agreement.VerifyProposal(s.Keys.Fresh(), raw)
	if err != nil {
		return "", termsError(err)
	}
	terms := p.Terms()
	if err := s.between(terms, by); err != nil {
		return "", err
	}
	if !slices.Equal(p.SignedBy(), []identity.OIN{by}) {
		return "", fmt.Errorf("%w: a proposal is signed by who delivers it, and by no other party", agreement.ErrDocument)
	}
	if until, err := civil.Parse(terms.Until); err != nil || until < s.Today() {
		return "", fmt.Errorf("%w: its days are over", agreement.ErrDocument)
	}
	if terms.ProposedAt > s.Now().Add(skew).Unix() { // lead time counts from it
		return "", fmt.Errorf("%w: proposed_at has not come yet", agreement.ErrDocument)
	}
	if begun := time.Unix(terms.ProposedAt, 0); terms.Replaces == "" && s.Now().Sub(begun) > oldest {
		return "", fmt.Errorf("%w: proposed_at is more than a month ago; propose it again", agreement.ErrDocument)
	}
	if err := s.roomFor(ctx, by); err != nil {
		return "", err
	}
	e := s.agreementEntry(terms, p.Digest(), "proposed")
	e.Put = &audit.Document{Body: raw, Document: register.Document{
		ID: register.ProposalID(terms.ID), Kind: register.Proposal, Keys: p.Keys(), Replaces: terms.Replaces, PartyA: terms.Parties[0].OIN, PartyB: terms.Parties[1].OIN,
	}}
	if terms.Replaces == "" {
		return s.noted(ctx, d, e, terms.ID)
	}
	old, err := s.negotiation(ctx, terms.Replaces)
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
	return s.noted(ctx, d, e, terms.ID)
}

// oldest is how long ago a negotiation can have begun that is registered for the first time.
const oldest = 31 * 24 * time.Hour

// What another party may have recorded here, so that it cannot fill the record:
// proposals that wait for an answer, and documents in an hour.
const (
	maxOpen       = 32
	maxDeliveries = 240
)

// mayFill counts a document that another party has recorded here.
func (s *Service) mayFill(by identity.OIN) error {
	if by != s.Own && !s.deliveries.Take(string(by), maxDeliveries, s.Now().Unix()/3600) {
		return agreement.ErrDeliveries
	}
	return nil
}

// roomFor checks that one more proposal of a party may wait.
func (s *Service) roomFor(ctx context.Context, by identity.OIN) error {
	if by == s.Own {
		return nil
	}
	if err := s.mayFill(by); err != nil {
		return err
	}
	documents, err := s.Documents.Between(ctx, audit.ProposalDocument, s.Own, by)
	if err != nil {
		return err
	}
	open := 0
	for _, d := range documents {
		if !d.Live() {
			continue
		}
		if k, err := s.negotiation(ctx, register.TermsID(d.ID)); err == nil && k.open() && k.proposer() == by {
			open++
		}
	}
	if open >= maxOpen {
		return agreement.ErrTooMany
	}
	return nil
}

// putInForce records what both parties have signed, at this end. It rests on the
// proposal: what was rejected in the meantime does not come into force.
func (s *Service) putInForce(ctx context.Context, d admission.Call, k negotiation, raw []byte) error {
	a, err := agreement.Verify(s.Keys.Fresh(), raw)
	if err != nil {
		return termsError(err)
	}
	terms := a.Terms()
	if terms.Digest() != k.terms.Digest() {
		return agreement.ErrOtherTerms
	}
	e := s.agreementEntry(terms, a.Digest(), "in_force")
	e.Put, e.Rests = putAgreement(a, raw), []register.Rest{{ID: k.proposal.ID}}
	lead := max(0, s.Now().UnixMilli()-terms.ProposedAt*1000)
	if e.Payload, err = signed.Canonical(map[string]any{"agreement": a.ID(), "terms_sha256": terms.Digest(), "lead_time_ms": lead}); err != nil {
		return err
	}
	_, err = s.record(ctx, d, e)
	return err
}

// takeStatement takes in a rejection or a revocation. It ends what there is: the
// agreement, or the proposal when it was never accepted here.
func (s *Service) takeStatement(ctx context.Context, d admission.Call, by identity.OIN, raw []byte) error {
	said, err := agreement.VerifyStatement(s.Keys.Fresh(), raw)
	if err != nil {
		return termsError(err)
	}
	if said.Issuer != by {
		return fmt.Errorf("%w: it is not of who delivers it", agreement.ErrStatement)
	}
	k, err := s.negotiation(ctx, said.Agreement)
	if err != nil {
		return err
	}
	if err := said.About(k.terms); err != nil {
		return err
	}
	if err := s.mayFill(by); err != nil {
		return err
	}
	e := s.agreementEntry(k.terms, "", said.Act)
	e.Put = &audit.Document{Body: raw, Document: register.Document{
		ID: statementID(said.Agreement), Kind: register.Statement, PartyA: k.terms.Parties[0].OIN, PartyB: k.terms.Parties[1].OIN,
	}}
	e.Kind, e.End = audit.Withdrawal, said.Agreement
	if k.agreement == nil {
		e.End = k.proposal.ID
	}
	// Accepted in the very same moment: what was rejected does not stay in force, as the
	// log ends terms both as a proposal and as an agreement.
	_, err = s.record(ctx, d, e)
	return err
}

// between checks that this organisation and the other are the parties.
func (s *Service) between(t agreement.Terms, by identity.OIN) error {
	with := other(t, s.Own)
	_, known := s.Organisations.ByOIN(with)
	if by == s.Own && (!known || with == s.Own) {
		return admission.Invalid("terms.parties", "must be this organisation and another that the trust file names")
	}
	if !known || by != s.Own && by != with {
		return fmt.Errorf("%w: it is not between this organisation and one it knows", agreement.ErrDocument)
	}
	return nil
}

func (s *Service) agreementEntry(t agreement.Terms, digest, status string) audit.Entry {
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
func (s *Service) noted(ctx context.Context, d admission.Call, e audit.Entry, id string) (string, error) {
	proof, err := s.record(ctx, d, e)
	if proof.Ref != "" {
		id = proof.Ref
	}
	return id, err
}

// statementID is under which id the statement is registered that ended a proposal or an
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
