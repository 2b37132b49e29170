package token

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

const (
	maxLife = 300 * time.Second
	skew    = 30 * time.Second
	maxText = 128 // characters of the case commitment and of ids
)

// Checker checks tokens. Every field is required unless it says otherwise.
type Checker struct {
	Keys     *signed.Verifier
	Audience string // exactly us: the gateway's own OIN
	Now      func() time.Time
	// Issuers gives organisations' own identity providers as they are pinned now; nil:
	// there are none.
	Issuers func() []Issuer
}

// Call is what a caller presents.
type Call struct {
	Bearer string
	// Leaf is the certificate the connection was made with.
	Leaf *x509.Certificate
	// Case is the case commitment that the caller says the call is about. It counts
	// only where that is pinned for the token's issuer.
	Case string
	// Purpose the token is to be used for, and the civil date: a delegation must
	// cover both.
	Purpose string
	Today   civil.Date
	// Delegations finds the delegations in force from an organisation to the one that
	// acts for it. Nil: nobody can act for another.
	Delegations func(org, actor identity.OIN) ([]Delegation, error)
}

// Check verifies a bearer token against the certificate of the connection.
func (k Checker) Check(call Call) (Caller, error) {
	if call.Bearer == "" {
		return Caller{}, ErrMissing
	}
	c, err := k.read(call)
	if err != nil {
		return Caller{}, err
	}
	acting := c.Organisation
	if c.Actor != nil {
		if err := c.Actor.check(c.Organisation); err != nil {
			return Caller{}, err
		}
		acting = c.Actor.Organisation
	}
	if by, err := certificate.Peer(call.Leaf); err != nil || by != acting {
		return Caller{}, fmt.Errorf("%w: it names another organisation than the certificate", ErrBinding)
	}
	// An organisation is its own issuer: nobody else's word counts for it.
	if c.Issuer != c.Organisation || !isText(c.ID) || !isText(c.Case) || !isText(c.Subject) || !isText(c.Client) {
		return Caller{}, fmt.Errorf("%w: iss, org, jti, case, sub or client_id", ErrInvalid)
	}
	if c.Actor == nil {
		return Caller{claims: c}, nil
	}
	return delegated(call, c)
}

func isText(s string) bool { return s != "" && len(s) <= maxText }

// read verifies a token of our own form or of an outside issuer, and what it is bound to.
func (k Checker) read(call Call) (Claims, error) {
	raw := []byte(call.Bearer)
	if i, outside := k.issuer(raw); outside {
		return i.read(raw, call, k.Now())
	}
	return k.own(raw, call)
}

// issuer finds the outside issuer that a token says it is of.
func (k Checker) issuer(raw []byte) (Issuer, bool) {
	if k.Issuers == nil {
		return Issuer{}, false
	}
	all := k.Issuers()
	if len(all) == 0 {
		return Issuer{}, false
	}
	says := signed.IssuerOf(raw)
	at := slices.IndexFunc(all, func(i Issuer) bool { return i.Tokens.Issuer == says })
	if at < 0 {
		return Issuer{}, false
	}
	return all[at], true
}

// own verifies a token of our own form.
func (k Checker) own(raw []byte, call Call) (Claims, error) {
	var c Claims
	if _, err := k.Keys.Fresh().Compact(signed.Token, raw, &c); err != nil {
		return Claims{}, invalid(err)
	}
	life := lifetime{c.IssuedAt, c.NotBefore, c.Expires}
	if err := life.check(k.Now(), maxLife); err != nil {
		return Claims{}, err
	}
	if c.Audience != k.Audience {
		return Claims{}, ErrAudience
	}
	if call.Leaf == nil || c.Confirmation.X5T != Thumbprint(call.Leaf) {
		return Claims{}, ErrBinding
	}
	return c, nil
}

func invalid(err error) error {
	if errors.Is(err, signed.ErrKeySet) {
		return fmt.Errorf("%w: %w", ErrIssuer, err)
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// lifetime of a token, in seconds since 1970.
type lifetime struct{ iat, nbf, exp int64 }

// check judges a token that may live no longer than longest.
func (l lifetime) check(now time.Time, longest time.Duration) error {
	issued, starts, ends := time.Unix(l.iat, 0), time.Unix(l.nbf, 0), time.Unix(l.exp, 0)
	switch {
	case l.iat <= 0 || l.nbf <= 0 || l.exp <= l.iat:
		return fmt.Errorf("%w: iat, nbf and exp are needed, in order", ErrInvalid)
	case ends.Sub(issued) > longest:
		return fmt.Errorf("%w: lives longer than %s", ErrInvalid, longest)
	case now.After(ends.Add(skew)):
		return ErrExpired
	case now.Add(skew).Before(starts) || now.Add(skew).Before(issued):
		return fmt.Errorf("%w: not valid yet", ErrInvalid)
	}
	return nil
}

// check refuses an actor that is none, and a chain of them.
func (a Actor) check(org identity.OIN) error {
	if !identity.IsOIN(a.Organisation) || !isText(a.Subject) || a.Actor != nil || a.Organisation == org {
		return fmt.Errorf("%w: act", ErrInvalid)
	}
	return nil
}

// delegated finds the delegation on which an actor acts. An act in a token without a
// statement of the organisation is worth nothing.
func delegated(call Call, c Claims) (Caller, error) {
	if call.Delegations == nil {
		return Caller{}, ErrDelegation
	}
	all, err := call.Delegations(c.Organisation, c.Actor.Organisation)
	if err != nil {
		return Caller{}, err
	}
	at := slices.IndexFunc(all, func(d Delegation) bool {
		return d.Organisation() == c.Organisation && d.Covers(c.Actor.Organisation, call.Purpose, call.Today)
	})
	if at < 0 {
		return Caller{}, ErrDelegation
	}
	return Caller{c, all[at], call.Today}, nil
}
