package evidence

import (
	"context"
	"errors"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrChanged and ErrSuperseded mean that another document says yes now: to a new
// request, and not to what was released under the one before.
var (
	ErrChanged    = errors.New("the consent was replaced, or something was taken out of it")
	ErrSuperseded = errors.New("another agreement has come in its place")
)

// Standing is what of a presented budget may be released by what counts now.
type Standing struct {
	// Ended are the answers that rest on a document that does not count any more.
	Ended []Ended
	// Moved says on which consent an answer rests now, where that is another one: what was
	// taken out for another source leaves the answer of this one as it was.
	Moved map[register.Rest]string
}

// Ended is an answer that rests on a document that does not count any more, and why: an
// error of agreement or of consent, ErrChanged or ErrSuperseded.
type Ended struct {
	Report *budgetv1.SourceReport
	Why    error
}

// standing judges the answers in a budget. judged is the size of the log by which the
// budget was decided on. What an agreement that counts asks of the case worker is not
// about what is released but about who asks: agreement.ErrAssurance.
func (r registered) standing(ctx context.Context, b *budgetv1.Budget, judged int64) (Standing, error) {
	now := Standing{Moved: map[register.Rest]string{}}
	for _, s := range b.GetSources() {
		if !s.Disclosed() {
			continue
		}
		source, _ := r.Organisations.ByCode(s.GetSource())
		rest := register.Rest{ID: s.GetConsent(), Source: source.OIN, Recipient: r.Own}
		why := r.agreementCounts(ctx, s.GetAgreement(), source.OIN)
		if why == nil {
			now.Moved[rest], why = r.consentCounts(ctx, rest, judged)
		}
		if err := Unreadable(why, ctx.Err()); err != nil {
			return Standing{}, err
		}
		if errors.Is(why, agreement.ErrAssurance) {
			return Standing{}, why
		}
		if why != nil {
			now.Ended = append(now.Ended, Ended{s, why})
		}
	}
	return now, nil
}

// agreementCounts says why nothing may be released under an agreement with a source any more.
// The requester's own source needs none.
func (r registered) agreementCounts(ctx context.Context, id string, source identity.OIN) error {
	if id == "" && source == r.Own {
		return nil
	}
	_, err := r.Agreement(ctx, identity.Organisation{OIN: source})
	if Unreadable(err) != nil {
		return err
	}
	for _, a := range r.with(ctx, source).count {
		if a.ID() != id {
			continue
		}
		covering, err := a.Covers(agreement.Use{Consumer: r.Own, Source: source, Purpose: r.purpose, Today: r.today})
		if err == nil && !covering.Grant().Suffices(r.caller.Assurance()) {
			return agreement.ErrAssurance
		}
		return err
	}
	if err == nil {
		return ErrSuperseded
	}
	return err
}

// consentCounts gives the consent on which an answer rests now: the one that it was given
// under, or what is left of that when something else was taken out of it; or says why
// what rests on it may not be released any more.
func (r registered) consentCounts(ctx context.Context, rest register.Rest, judged int64) (string, error) {
	d, known := r.register.Document(rest.ID)
	if !known {
		return "", consent.ErrNone
	}
	word := r.register.LastWord(register.Thing{
		Pseudonyms: []string{d.Subject}, Purpose: d.Purpose, Case: d.Case, Recipient: rest.Recipient, Source: rest.Source,
	}, r.today)
	switch word.Standing {
	case register.Yes:
	case register.Withdrawn:
		return "", consent.ErrWithdrawn
	case register.Uncertain:
		return "", consent.ErrUncertain
	case register.Expired:
		return "", r.lapsed(ctx, word.ID)
	default:
		return "", consent.ErrNone
	}
	one := r.open(ctx, word.ID)
	rest.ID = word.ID
	switch {
	case Unreadable(one.err) != nil:
		return "", one.err
	case one.err != nil:
		return "", consent.ErrNone
	case one.document.Signed() != nil: // by the rules of now
		return "", one.document.Signed()
	case !one.document.InForce(r.today):
		return "", consent.ErrExpired
	case !r.leftOf(word.ID, d.ID) || !r.register.Counts(rest, r.today, judged):
		return "", ErrChanged
	}
	return word.ID, nil
}

// leftOf reports whether a consent is another one, or what is left of it.
func (r registered) leftOf(id, other string) bool {
	for id != other {
		d, known := r.register.Document(id)
		if !known || !d.Narrows {
			return false
		}
		id = d.Replaces
	}
	return true
}
