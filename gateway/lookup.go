package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// lookup reads the documents that one question is held against. Which of them count is
// for the register to say, as it was when the question began: the agreements with each
// source and the consents of each person are read once, however many pairs name them.
type lookup struct {
	*Gateway
	caller     token.Caller
	purpose    string
	today      civil.Date
	register   register.View
	agreements map[identity.OIN]agreementsRead
	opened     map[string]openedConsent
}

// agreementsRead with one source: those that count, and whether there ever was one.
type agreementsRead struct {
	count []agreement.Agreement
	ever  bool
	waits bool // one of them, to be confirmed
	err   error
}

type openedConsent struct {
	document consent.Document
	err      error
}

func (g *Gateway) lookup(caller token.Caller, purpose string, today civil.Date) lookup {
	return lookup{g, caller, purpose, today, g.Documents.Register(), map[identity.OIN]agreementsRead{}, map[string]openedConsent{}}
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
	covering, err := agreement.Find(with.count, l.caller.Organisation(), a.source.OIN, l.purpose, l.today)
	if errors.Is(err, agreement.ErrNone) && with.waits {
		err = agreement.ErrUncertain
	}
	if errors.Is(err, agreement.ErrNone) && with.ever {
		err = agreement.ErrExpired // it was revoked or replaced, has ended or not begun
	}
	return covering, err
}

func (l lookup) readAgreements(ctx context.Context, source identity.OIN) (out agreementsRead) {
	by := l.caller.Organisation()
	counting := l.register.Agreements(by, source, l.today)
	for _, d := range l.register.Between(register.Agreement, by, source) {
		out.ever = out.ever || !d.Lost && !slices.Contains(counting, d.ID)
		out.waits = out.waits || d.Uncertain && !d.Lost && !d.Replaced(l.today)
	}
	for _, id := range counting {
		d, err := l.Documents.Document(ctx, id)
		if l.changed(id, err) {
			continue
		}
		if err != nil {
			return agreementsRead{err: fmt.Errorf("%w: %w", errStore, err)}
		}
		// Verified at every use: what lies in a file proves nothing.
		if one, err := l.openAgreement(d); err == nil {
			out.count = append(out.count, one)
		}
	}
	return out
}

// consented finds the person's consent for the source: what was said last decides.
func (l lookup) consented(ctx context.Context, a ask) (consent.Consent, error) {
	bsn := a.person.identifiers.bsn
	q := consent.Question{
		Subject: bsn, Born: a.person.budget.Born, Source: a.source.OIN, Recipient: l.caller.Organisation(),
		Purpose: l.purpose, Case: l.caller.Case(), Today: l.today, Ended: func(string) bool { return false },
	}
	pseudonyms := l.pseudonyms(bsn, l.purpose)
	word := l.register.LastWord(register.Thing{
		Pseudonyms: texts(pseudonyms), Purpose: l.purpose, Case: q.Case, Recipient: q.Recipient, Source: q.Source,
	}, l.today)
	switch word.Standing {
	case register.Yes:
		yes, err := l.answer(ctx, word.ID, q)
		return yes.Within(word.Categories), err
	case register.Withdrawn:
		return consent.Consent{}, consent.ErrWithdrawn
	case register.Uncertain:
		return consent.Consent{}, consent.ErrUncertain
	case register.Expired:
		return consent.Consent{}, consent.ErrExpired
	case register.NoWord:
		return consent.Consent{}, l.closest(ctx, pseudonyms, q)
	}
	return consent.Consent{}, consent.ErrNone
}

// answer holds the consent that decides against the question.
func (l lookup) answer(ctx context.Context, id string, q consent.Question) (consent.Consent, error) {
	one := l.open(ctx, id)
	switch {
	case errors.Is(one.err, errStore):
		return consent.Consent{}, one.err
	case one.err != nil || one.document.Keeper() != l.Own:
		return consent.Consent{}, consent.ErrNone
	}
	return consent.Find([]consent.Document{one.document}, q)
}

// open reads a consent and verifies it, once in a question.
func (l lookup) open(ctx context.Context, id string) openedConsent {
	if one, known := l.opened[id]; known {
		return one
	}
	var one openedConsent
	d, err := l.Documents.Document(ctx, id)
	switch {
	case l.changed(id, err):
		one.err = consent.ErrDocument
	case err != nil:
		one.err = fmt.Errorf("%w: %w", errStore, err)
	default:
		one.document, one.err = l.openConsent(d)
	}
	l.opened[id] = one
	return one
}

// changed reports whether the bytes of a document are not those that the log tells of:
// then it counts for nothing, and an operator has to know.
func (l lookup) changed(id string, err error) bool {
	if !errors.Is(err, audit.ErrTampered) {
		return false
	}
	l.Log.Error("a kept document was changed in the store; run: ontschot audit verify", "id", id)
	return true
}

// closest says which lock a person's consents do not pass, when none of them speaks of
// what is asked.
func (l lookup) closest(ctx context.Context, pseudonyms [][]byte, q consent.Question) error {
	var documents []consent.Document
	for _, d := range l.register.Consents(texts(pseudonyms), l.purpose) {
		one := l.open(ctx, d.ID)
		if errors.Is(one.err, errStore) {
			return one.err
		}
		if one.err == nil && one.document.Keeper() == l.Own {
			documents = append(documents, one.document)
		}
	}
	if _, err := consent.Find(documents, q); err != nil {
		return err
	}
	return consent.ErrNone
}

// consentsOf reads a person's consents for a purpose, ended ones too, under whichever
// version of the pseudonym key they were registered.
func (g *Gateway) consentsOf(ctx context.Context, bsn identity.BSN, purpose string) ([]audit.Kept, error) {
	all, err := g.Documents.Consents(ctx, g.pseudonyms(bsn, purpose), purpose)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return all, nil
}

func texts(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}
