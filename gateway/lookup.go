package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// lookup reads the documents that one question is held against: the agreements with
// each source and the consents of each person once, however many pairs name them.
type lookup struct {
	*Gateway
	caller     token.Caller
	purpose    string
	agreements map[identity.OIN]agreementsRead
	consents   map[identity.PersonRef]consentsRead
}

// agreementsRead with one source, those that count and those that were ended.
type agreementsRead struct {
	live, ended []agreement.Agreement
	err         error
}

// consentsRead of one person, and which of them were ended.
type consentsRead struct {
	all   []consent.Document
	ended map[string]bool
	err   error
}

func (g *Gateway) lookup(caller token.Caller, purpose string) lookup {
	return lookup{g, caller, purpose, map[identity.OIN]agreementsRead{}, map[identity.PersonRef]consentsRead{}}
}

// agreed finds the agreement under which the source may be asked. A source that
// is the asking organisation's own needs none with itself.
func (l lookup) agreed(ctx context.Context, a ask) (agreement.Covering, error) {
	with, known := l.agreements[a.source.OIN]
	if !known {
		with = l.readAgreements(ctx, a.source.OIN)
		l.agreements[a.source.OIN] = with
	}
	if with.err != nil {
		return agreement.Covering{}, with.err
	}
	covering, err := agreement.Find(with.live, l.caller.Organisation(), a.source.OIN, l.purpose, l.Today())
	if errors.Is(err, agreement.ErrNone) && len(with.ended) > 0 {
		err = agreement.ErrExpired // there was one, until a party revoked it
	}
	return covering, err
}

func (l lookup) readAgreements(ctx context.Context, source identity.OIN) (out agreementsRead) {
	out, out.err = l.readBetween(ctx, l.caller.Organisation(), source)
	over := superseded(out, l.Today())
	out.live = slices.DeleteFunc(out.live, func(a agreement.Agreement) bool { return over[a.ID()] })
	return out
}

// readBetween reads the agreements between two parties.
func (l lookup) readBetween(ctx context.Context, a, b identity.OIN) (out agreementsRead, err error) {
	documents, err := l.Documents.Agreements(ctx, l.Own, a, b)
	if err != nil {
		return out, fmt.Errorf("%w: %w", errStore, err)
	}
	for _, d := range documents {
		// Verified again at every use: what lies in a file proves nothing.
		one, err := l.openAgreement(d)
		switch {
		case err != nil:
		case d.Live():
			out.live = append(out.live, one)
		default:
			out.ended = append(out.ended, one)
		}
	}
	return out, nil
}

// superseded are the agreements in whose place another has come by now: one that begins
// later than it is signed lets the old one count until its first day.
func superseded(between agreementsRead, today civil.Date) map[string]bool {
	over := map[string]bool{}
	for _, a := range between.live {
		if from, err := civil.Parse(a.Terms().From); err == nil && from <= today && a.Terms().Replaces != "" {
			over[a.Terms().Replaces] = true
		}
	}
	return over
}

// consented finds the person's consent for the source.
func (l lookup) consented(ctx context.Context, a ask) (consent.Consent, error) {
	of, known := l.consents[a.person.ref]
	if !known {
		of = l.readConsents(ctx, a.person.identifiers.bsn)
		l.consents[a.person.ref] = of
	}
	if of.err != nil {
		return consent.Consent{}, of.err
	}
	return consent.Find(of.all, consent.Question{
		Subject: a.person.identifiers.bsn, Born: a.person.budget.Born, Source: a.source.OIN, Recipient: l.caller.Organisation(),
		Purpose: l.purpose, Case: l.caller.Case(), Today: l.Today(),
		Ended: func(id string) bool { return of.ended[id] },
	})
}

func (l lookup) readConsents(ctx context.Context, bsn identity.BSN) consentsRead {
	documents, err := l.consentsOf(ctx, bsn, l.purpose)
	if err != nil {
		return consentsRead{err: err}
	}
	out := consentsRead{ended: map[string]bool{}}
	for _, d := range documents {
		one, err := l.openConsent(d)
		if err != nil || one.Keeper() != l.Own {
			continue
		}
		out.ended[one.ID()] = !d.Live()
		out.all = append(out.all, one)
	}
	return out
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
