package gateway

import (
	"context"
	"errors"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// errChanged and errSuperseded mean that another document says yes now: to a new
// question, and not to what was told under the one before.
var (
	errChanged    = errors.New("the consent was replaced, or something was taken out of it")
	errSuperseded = errors.New("another agreement has come in its place")
)

// counting is what of a budget may be told by what counts now.
type counting struct {
	// left are the answers that rest on a document that does not count any more, with the
	// gap that a new question would give.
	left []budget.Left
	// moved tells on which consent an answer rests now, where that is another one: what was
	// taken out for another source leaves the answer of this one as it was.
	moved map[register.Rest]string
}

// counting judges the answers in a budget. judged is the size of the register by which the
// budget was decided on. What an agreement that counts asks of the case worker is not
// about what is told but about who asks: errRole.
func (l lookup) counting(ctx context.Context, b *budgetv1.Budget, judged int64) (counting, error) {
	c := counting{moved: map[register.Rest]string{}}
	for _, s := range b.GetSources() {
		if s.GetStatus() != budgetv1.StatusOK {
			continue
		}
		source, _ := l.party(s.GetSource())
		rest := register.Rest{ID: s.GetConsent(), Source: source.OIN, Recipient: l.Own}
		why := l.agreementCounts(ctx, s.GetAgreement(), source)
		if why == nil {
			c.moved[rest], why = l.consentCounts(ctx, rest, judged)
		}
		if err := unreadable(why, ctx.Err()); err != nil {
			return counting{}, err
		}
		if errors.Is(why, errRole) {
			return counting{}, why
		}
		if why != nil {
			c.left = append(c.left, instead(why, s))
		}
	}
	return c, nil
}

// agreementCounts says why nothing may be told under an agreement with a source any more.
// The requester's own source needs none.
func (l lookup) agreementCounts(ctx context.Context, id string, source Party) error {
	if id == "" && source.OIN == l.Own {
		return nil
	}
	_, err := l.agreed(ctx, ask{source: source}) // reads those that count
	if unreadable(err) != nil {
		return err
	}
	for _, a := range l.agreements[source.OIN].count {
		if a.ID() != id {
			continue
		}
		covering, err := a.Covers(l.Own, source.OIN, l.purpose, l.today)
		if err == nil && !covering.Grant().Suffices(l.caller.Assurance()) {
			return errRole
		}
		return err
	}
	if err == nil {
		return errSuperseded
	}
	return err
}

// consentCounts gives the consent on which an answer rests now: the one that it was given
// under, or what is left of that when something else was taken out of it; or says why
// what rests on it may not be told any more.
func (l lookup) consentCounts(ctx context.Context, rest register.Rest, judged int64) (string, error) {
	d, kept := l.register.Document(rest.ID)
	if !kept {
		return "", consent.ErrNone
	}
	word := l.register.LastWord(register.Thing{
		Pseudonyms: []string{d.Subject}, Purpose: d.Purpose, Case: d.Case, Recipient: rest.Recipient, Source: rest.Source,
	}, l.today)
	switch word.Standing {
	case register.Yes:
	case register.Withdrawn:
		return "", consent.ErrWithdrawn
	case register.Uncertain:
		return "", consent.ErrUncertain
	case register.Expired:
		return "", consent.ErrExpired
	default:
		return "", consent.ErrNone
	}
	one := l.open(ctx, word.ID)
	rest.ID = word.ID
	switch {
	case errors.Is(one.err, errStore):
		return "", one.err
	case one.err != nil:
		return "", consent.ErrNone
	case one.document.Signed() != nil: // by the rules of now
		return "", one.document.Signed()
	case !one.document.InForce(l.today):
		return "", consent.ErrExpired
	case !l.leftOf(word.ID, d.ID) || !l.register.Counts(rest, l.today, judged):
		return "", errChanged
	}
	return word.ID, nil
}

// leftOf reports whether a consent is another one, or what is left of it.
func (l lookup) leftOf(id, other string) bool {
	for id != other {
		d, kept := l.register.Document(id)
		if !kept || !d.Narrows {
			return false
		}
		id = d.Replaces
	}
	return true
}

// instead is what comes in the place of an answer. Where another document says yes, the
// way to it is to ask anew, and the text says so.
func instead(why error, s *budgetv1.SourceReport) budget.Left {
	left := budget.Left{Person: identity.PersonRef(s.GetPerson()), Source: s.GetSource()}
	switch {
	case errors.Is(why, errChanged):
		left.Gap, left.Detail = policy.GapOf(consent.ErrNone), budgetv1.GapConsentChanged
	case errors.Is(why, errSuperseded):
		left.Gap, left.Detail = policy.GapOf(agreement.ErrExpired), budgetv1.GapAgreementReplaced
	default:
		left.Gap = policy.GapOf(why)
	}
	return left
}
