package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// decision is a question with what may pass of it.
type decision struct {
	trace    string
	caller   token.Caller
	question question
	pairs    []pair
	once     *audit.Once // the idempotency key; nil: none
	today    civil.Date  // on which it was decided
	keys     int64       // the set of pinned keys by which
	index    int64       // of its entry in the log
}

// pair is one person at one source: what may pass, and what may not and why.
type pair struct {
	ask
	grant    policy.Grant
	refusals []*budgetv1.Gap
}

// nothing tells whether no part of the question is permitted.
func (d decision) nothing() bool {
	return !slices.ContainsFunc(d.pairs, func(p pair) bool { return p.grant.Allows() })
}

// refusals of all pairs.
func (d decision) refusals() []*budgetv1.Gap {
	var all []*budgetv1.Gap
	for _, p := range d.pairs {
		for _, gap := range p.refusals {
			gap.Person, gap.Source = string(p.person.ref), p.source.Code
			all = append(all, gap)
		}
	}
	return all
}

// caller checks the token against the certificate of the connection, that it is of
// the gateway's own organisation, and that it was issued for the purpose.
func (g *Gateway) caller(ctx context.Context, purpose string) (token.Caller, error) {
	caller, err := g.Tokens.Check(g.callOf(ctx, purpose))
	if err != nil {
		return token.Caller{}, err
	}
	if caller.Organisation() != g.Own {
		return token.Caller{}, errNotOwn
	}
	if !caller.May(purpose) {
		return token.Caller{}, errPurpose
	}
	return caller, nil
}

// unreadable gives the error of a lock whose documents could not be read, or not in time.
func unreadable(locks ...error) error {
	for _, err := range locks {
		if errors.Is(err, errStore) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// agreed finds the agreement under which the source may be asked. A source that
// is the asking organisation's own needs none with itself.
func (g *Gateway) agreed(ctx context.Context, caller token.Caller, purpose string, a ask) (agreement.Covering, error) {
	documents, err := g.Documents.Agreements(ctx, g.Own, caller.Organisation(), a.source.OIN)
	if err != nil {
		return agreement.Covering{}, fmt.Errorf("%w: %w", errStore, err)
	}
	var all, ended []agreement.Agreement
	for _, d := range documents {
		// Verified again at every use: what lies in a file proves nothing.
		one, err := g.openAgreement(d)
		switch {
		case err != nil:
		case d.Live():
			all = append(all, one)
		default:
			ended = append(ended, one)
		}
	}
	covering, err := agreement.Find(all, caller.Organisation(), a.source.OIN, purpose, g.Today())
	if errors.Is(err, agreement.ErrNone) && len(ended) > 0 {
		err = agreement.ErrExpired // there was one, until a party revoked it
	}
	return covering, err
}

// consentsOf reads a person's consents for a purpose, ended ones too, under whichever
// version of the pseudonym key they were registered.
func (g *Gateway) consentsOf(ctx context.Context, bsn identity.BSN, purpose string) ([]audit.Document, error) {
	var all []audit.Document
	for _, pseudonym := range g.pseudonyms(bsn, purpose) {
		some, err := g.Documents.Consents(ctx, g.Own, pseudonym, purpose)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errStore, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// consented finds the person's consent for the source.
func (g *Gateway) consented(ctx context.Context, caller token.Caller, purpose string, a ask) (consent.Consent, error) {
	documents, err := g.consentsOf(ctx, a.person.identifiers.bsn, purpose)
	if err != nil {
		return consent.Consent{}, err
	}
	ended := map[string]bool{}
	var all []consent.Document
	for _, d := range documents {
		one, err := g.openConsent(d)
		if err != nil || one.Keeper() != g.Own {
			continue
		}
		ended[one.ID()] = !d.Live()
		all = append(all, one)
	}
	return consent.Find(all, consent.Question{
		Subject: a.person.identifiers.bsn, Born: a.person.budget.Born, Source: a.source.OIN, Recipient: caller.Organisation(),
		Purpose: purpose, Case: caller.Case(), Today: g.Today(),
		Ended: func(id string) bool { return ended[id] },
	})
}
