package consent

import (
	"crypto/hmac"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// errSaidNo: a grant without categories is a no to its source.
var errSaidNo = fmt.Errorf("%w: it says no", ErrNone)

// Use is what a consent has to cover.
type Use struct {
	Subject identity.BSN
	Source  identity.OIN
	Purpose string
	Case    string // commitment, from the caller's token
	// Recipient is the organisation that asks; the consent must name it.
	Recipient identity.OIN
	// Born, where the caller gave it, proves nothing; but a consent that contradicts
	// it is for a human.
	Born  civil.Date
	Today civil.Date
	// Vouched says that the source may not know the number of the person, and goes by what
	// the keeper vouches for: whose consent it is cannot be looked at.
	Vouched bool
	// Ended reports whether the log holds a withdrawal of the document by that id.
	Ended func(id string) bool
}

// Consent is the fact: the person said yes to this purpose at this source, and
// still does. Only Find makes one; the zero Consent allows nothing.
type Consent struct {
	document Document
	grant    grant
}

// ID of the consent.
func (c Consent) ID() string { return c.document.claims.ID }

// Categories that were granted for the source.
func (c Consent) Categories() []budgetv1.Category { return slices.Clone(c.grant.categories) }

// Grants reports whether a category was granted for the source.
func (c Consent) Grants(one budgetv1.Category) bool { return slices.Contains(c.grant.categories, one) }

// Shell is the signed document, in which the grants of other sources are closed.
func (c Consent) Shell() string { return c.document.raw }

// Disclosure opens the grant of the source, and no other.
func (c Consent) Disclosure() string { return c.grant.disclosure }

// SubjectKey opens the subject commitment; it travels inside the call only.
func (c Consent) SubjectKey() []byte { return slices.Clone(c.document.key) }

// Lapses is the day on which the consent lapses, and how old the person then becomes: 12,
// 16 or 18; 0 when it is the authority that ends. No date: neither is to come.
func (c Consent) Lapses() (civil.Date, int) {
	if c.document.authority != 0 {
		return c.document.lapses, 0
	}
	age := map[string]int{"under_12": 12, "12_15": 16, "16_17": 18}[c.document.claims.Authority.AgeGroup]
	return c.document.lapses, age
}

// GivenBy is the role of who gave it.
func (c Consent) GivenBy() string { return c.document.claims.GivenBy.Role }

// Mandate on which a gemachtigde gave it; nil when another signer did.
func (c Consent) Mandate() *Mandate { return c.document.claims.GivenBy.clone().Mandate }

// Span in which the consent holds, civil dates, both inclusive.
func (c Consent) Span() civil.Span { return c.document.effective() }

// Find holds documents against the use and gives the first that answers it with
// yes. Which document decides is not for this room to say: the log does, and with a
// request it is one. When none answers yes, the error says what came closest.
func Find(documents []Document, u Use) (Consent, error) {
	closest := error(ErrNone)
	for _, d := range documents {
		c, err := d.answers(u)
		if err == nil {
			return c, nil
		}
		if rank(err) > rank(closest) {
			closest = err
		}
	}
	return Consent{}, closest
}

// Within is the same consent for no more than these categories.
func (c Consent) Within(categories []string) Consent {
	c.grant.categories = slices.DeleteFunc(c.Categories(), func(one budgetv1.Category) bool { return !slices.Contains(categories, string(one)) })
	return c
}

// rank orders errors by how close the document came to a yes.
func rank(err error) int {
	return slices.Index([]error{errSaidNo, ErrNone, ErrOtherPerson, ErrHousehold, ErrExpired, ErrWithdrawn, ErrWrongSigner, ErrAuthority}, err)
}

// answers holds one document against the use, check by check.
func (d Document) answers(u Use) (Consent, error) {
	g, ok := d.grants[u.Source]
	if !ok || d.claims.Purpose != u.Purpose || !slices.Contains(d.claims.Recipients, u.Recipient) {
		return Consent{}, ErrNone
	}
	if !u.Vouched && !d.isOf(u.Subject) {
		return Consent{}, ErrOtherPerson
	}
	if d.contradicts(u.Born) {
		return Consent{}, ErrAuthority
	}
	if err := d.signers(); err != nil {
		return Consent{}, err
	}
	switch {
	case d.claims.Case == "" || d.claims.Case != u.Case:
		return Consent{}, ErrHousehold // whatever became of it is that case's own
	case u.Ended == nil || u.Ended(d.claims.ID):
		return Consent{}, ErrWithdrawn
	case u.Today < d.span.From:
		return Consent{}, ErrNone // said yes to a later time
	case d.AuthorityEnded(u.Today):
		return Consent{}, ErrAuthority
	case !d.effective().Contains(u.Today):
		return Consent{}, ErrExpired
	case len(g.categories) == 0:
		return Consent{}, errSaidNo
	}
	return Consent{d, g}, nil
}

// isOf opens the commitment to the person.
func (d Document) isOf(subject identity.BSN) bool {
	committed, err := base64.RawURLEncoding.Strict().DecodeString(d.claims.Subject)
	mine := subject.Commitment(d.key)
	return err == nil && !subject.IsZero() && hmac.Equal(committed, mine[:])
}

// InForce reports whether the day lies within the days in which the consent holds.
func (d Document) InForce(today civil.Date) bool { return d.effective().Contains(today) }

// AuthorityEnded reports whether it would hold on the day, had the authority it rests on not
// ended: whoever has authority since then must sign anew.
func (d Document) AuthorityEnded(today civil.Date) bool {
	return d.authority != 0 && d.authority < min(d.span.To, d.span.From.Birthday(1)-1) && today > d.authority
}

// effective is the span in which the consent holds: at most twelve months, and not past the
// day on which others become the ones to ask.
func (d Document) effective() civil.Span {
	s := d.span
	s.To = min(s.To, s.From.Birthday(1)-1)
	if d.lapses != 0 {
		s.To = min(s.To, d.lapses-1)
	}
	return s
}
