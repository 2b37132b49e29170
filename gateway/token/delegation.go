package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ErrDocument means that a delegation is not in order.
var ErrDocument = errors.New("delegation invalid")

// ActDelegate is what a statement says that delegates.
const ActDelegate = "delegate"

// maxPurposes of a delegation.
const maxPurposes = 16

// DelegationClaims are what an organisation signs (typ ontschot-statement+jwt): that
// another may act for it, for these purposes, between two civil dates, both inclusive.
type DelegationClaims struct {
	Act      string       `json:"act"` // delegate
	Delegate identity.OIN `json:"delegate"`
	From     string       `json:"from"`
	IssuedAt int64        `json:"iat"` // seconds since 1970
	Issuer   identity.OIN `json:"iss"` // the organisation that is acted for
	ID       string       `json:"jti"`
	Purposes []string     `json:"purposes"`
	Until    string       `json:"until"` // within twelve months
}

// Delegation is the fact that an organisation signed a delegation. That it has not
// been ended since the audit log knows. The zero value covers nothing.
type Delegation struct {
	claims DelegationClaims
	span   civil.Span
	keys   []string
}

// VerifyDelegation checks signature and form. What is taken in now is verified with
// signed.Verifier.Fresh. Errors: ErrDocument.
func VerifyDelegation(v *signed.Verifier, raw []byte) (Delegation, error) {
	var c DelegationClaims
	proof, err := v.Compact(signed.Statement, raw, &c)
	if err != nil {
		return Delegation{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	span, field := c.check()
	if field != "" {
		return Delegation{}, fmt.Errorf("%w: %s", ErrDocument, field)
	}
	return Delegation{c, span, proof.Keys}, nil
}

// check gives the days of a delegation, or the field that is not in order.
func (c DelegationClaims) check() (civil.Span, string) {
	from, errFrom := civil.Parse(c.From)
	until, errUntil := civil.Parse(c.Until)
	switch {
	case c.Act != ActDelegate:
		return civil.Span{}, "act"
	case !isText(c.ID):
		return civil.Span{}, "jti"
	case c.IssuedAt <= 0:
		return civil.Span{}, "iat"
	case !identity.IsOIN(c.Delegate) || c.Delegate == c.Issuer:
		return civil.Span{}, "delegate"
	case errFrom != nil:
		return civil.Span{}, "from"
	case errUntil != nil || until < from || until >= from.Birthday(1): // a year from 29 February is a whole one
		return civil.Span{}, "until"
	case !purposesInOrder(c.Purposes):
		return civil.Span{}, "purposes"
	}
	return civil.Span{From: from, To: until}, ""
}

func purposesInOrder(list []string) bool {
	if len(list) == 0 || len(list) > maxPurposes {
		return false
	}
	for i, p := range list {
		if len(p) > maxText || !strings.Contains(p, ".") || !ontschotv1.IsPurpose(p) || slices.Contains(list[:i], p) {
			return false
		}
	}
	return true
}

// Keys that signed it, each by its digest.
func (d Delegation) Keys() []string { return d.keys }

// ID of the statement.
func (d Delegation) ID() string { return d.claims.ID }

// Organisation that is acted for.
func (d Delegation) Organisation() identity.OIN { return d.claims.Issuer }

// Delegate that may act.
func (d Delegation) Delegate() identity.OIN { return d.claims.Delegate }

// Purposes it may act for.
func (d Delegation) Purposes() []string { return slices.Clone(d.claims.Purposes) }

// Span of civil dates, both inclusive.
func (d Delegation) Span() civil.Span { return d.span }

// Covers reports whether the actor may act for the purpose on the day.
func (d Delegation) Covers(actor identity.OIN, purpose string, today civil.Date) bool {
	return actor != "" && d.claims.Delegate == actor && slices.Contains(d.claims.Purposes, purpose) && d.span.Contains(today)
}
