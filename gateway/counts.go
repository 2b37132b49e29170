package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// errReplaced and errSuperseded mean that another document says yes now: to a new
// question, and not to what was told under the one before.
var (
	errReplaced   = errors.New("another consent has come in its place")
	errSuperseded = errors.New("another agreement has come in its place")
)

// notCounting judges the answers in a budget by what counts now, and gives those that
// rest on a document that does not, with the gap that a new question would give. judged
// is the size of the register by which the budget was decided on. What an agreement that
// counts asks of the case worker is not for what is told but for who asks: errRole.
func (l lookup) notCounting(ctx context.Context, b *budgetv1.Budget, judged int64) ([]budget.Left, error) {
	var left []budget.Left
	for _, s := range b.GetSources() {
		if s.GetStatus() != "OK" {
			continue
		}
		source, _ := l.party(s.GetSource())
		why := l.agreementCounts(ctx, s.GetAgreement(), source)
		if why == nil {
			why = l.consentCounts(ctx, register.Rest{ID: s.GetConsent(), Source: source.OIN, Recipient: l.Own}, judged)
		}
		if err := unreadable(why, ctx.Err()); err != nil {
			return nil, err
		}
		if errors.Is(why, errRole) {
			return nil, why
		}
		if why != nil {
			left = append(left, budget.Left{Person: identity.PersonRef(s.GetPerson()), Source: s.GetSource(), Gap: gapFor(why, s)})
		}
	}
	return left, nil
}

// agreementCounts says why nothing may be told under an agreement with a source any more.
// The requester's own source needs none.
func (l lookup) agreementCounts(ctx context.Context, id string, source Party) error {
	if id == "" && source.OIN == l.Own {
		return nil
	}
	with, known := l.agreements[source.OIN]
	if !known {
		with = l.readAgreements(ctx, source.OIN)
		l.agreements[source.OIN] = with
	}
	if with.err != nil {
		return with.err
	}
	i := slices.IndexFunc(with.count, func(a agreement.Agreement) bool { return a.ID() == id })
	if i >= 0 {
		covering, err := with.count[i].Covers(l.Own, source.OIN, l.purpose, l.today)
		if err == nil && !covering.Grant().Suffices(l.caller.Assurance()) {
			return errRole
		}
		return err
	}
	d, kept := l.register.Document(id)
	counting := slices.Contains(l.register.Agreements(l.Own, source.OIN, l.today), id)
	switch {
	case !kept || d.Lost || counting: // signed with a key that is not trusted: as if there were none
		return agreement.ErrNone
	case d.Uncertain:
		return agreement.ErrUncertain
	case len(with.count) > 0:
		return errSuperseded
	}
	return agreement.ErrExpired
}

// consentCounts says why what rests on a consent may not be told any more.
func (l lookup) consentCounts(ctx context.Context, rest register.Rest, judged int64) error {
	d, kept := l.register.Document(rest.ID)
	if !kept {
		return consent.ErrNone
	}
	one := l.open(ctx, rest.ID)
	if errors.Is(one.err, errStore) {
		return one.err
	}
	if one.err == nil && one.document.InForce(l.today) && l.register.Counts(rest, l.today, judged) {
		return nil
	}
	word := l.register.LastWord(register.Thing{
		Pseudonyms: []string{d.Subject}, Purpose: d.Purpose, Case: d.Case, Recipient: rest.Recipient, Source: rest.Source,
	}, l.today)
	switch {
	case word.Standing == register.Withdrawn:
		return consent.ErrWithdrawn
	case word.Standing == register.Uncertain:
		return consent.ErrUncertain
	case word.Standing == register.Expired, word.ID == rest.ID && one.err == nil && !one.document.InForce(l.today):
		return consent.ErrExpired
	case word.Standing == register.Yes && one.err == nil:
		return errReplaced
	}
	return consent.ErrNone
}

// gapFor is the gap in the place of an answer. Where another document says yes, the way
// to it is to ask anew.
func gapFor(why error, s *budgetv1.SourceReport) *budgetv1.Gap {
	nl, en := "De gegevens van "+s.GetPerson()+" bij "+s.GetSource()+" ontbreken. ", "The data of "+s.GetPerson()+" at "+s.GetSource()+" are missing. "
	switch {
	case errors.Is(why, errReplaced):
		gap := policy.GapOf(consent.ErrNone)
		gap.TextNl = nl + "De toestemming voor dit budget is vervangen door een andere. De medewerker van de gemeente kan een nieuw budget vragen."
		gap.TextEn = en + "Another consent has come in the place of the one for this budget. The case worker can ask for a new budget."
		return gap
	case errors.Is(why, errSuperseded):
		gap := policy.GapOf(agreement.ErrExpired)
		gap.TextNl = nl + "De afspraak tussen de organisaties is vervangen door een andere. De medewerker van de gemeente kan een nieuw budget vragen."
		gap.TextEn = en + "Another agreement between the organisations has come in the place of the one for this budget. The case worker can ask for a new budget."
		return gap
	}
	return policy.GapOf(why)
}
