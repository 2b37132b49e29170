// Package token answers: who calls? An access token (RFC 9068) says so, and
// counts only on the connection of the certificate it is bound to (RFC 8705).
package token

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Errors. A refused token goes to the request log, never to the audit log, which
// strangers must not be able to fill.
var (
	ErrMissing  = errors.New("no access token")
	ErrInvalid  = errors.New("access token invalid")
	ErrExpired  = errors.New("access token expired")
	ErrBinding  = errors.New("access token bound to another certificate")
	ErrAudience = errors.New("access token meant for another audience")
)

const (
	maxLife = 300 * time.Second
	skew    = 30 * time.Second
	maxCase = 128 // characters of the case commitment
)

// Claims of an access token. Times in seconds since 1970 (RFC 7519 NumericDate).
type Claims struct {
	Issuer       identity.OIN `json:"iss"`
	Subject      string       `json:"sub"`
	Client       string       `json:"client_id"`
	Audience     string       `json:"aud"`
	Organisation identity.OIN `json:"org"` // on whose behalf
	IssuedAt     int64        `json:"iat"`
	NotBefore    int64        `json:"nbf"`
	Expires      int64        `json:"exp"`
	ID           string       `json:"jti"`
	Confirmation Confirmation `json:"cnf"`
	// Case is the commitment to the case number; the consents of one question carry the same.
	Case string `json:"case"`
	// Role and assurance level (laag, substantieel, hoog) of the case worker.
	Role      string `json:"role"`
	Assurance string `json:"assurance"`
	// Details is RFC 9396: what the token may be used for.
	Details []Detail `json:"authorization_details"`
}

// Confirmation binds to a certificate (RFC 8705 section 3.1).
type Confirmation struct {
	X5T string `json:"x5t#S256"`
}

// Detail of type "ontschot": the purposes the token may be used for.
type Detail struct {
	Type     string   `json:"type"`
	Purposes []string `json:"purposes"`
}

// Thumbprint is the x5t#S256 of a certificate.
func Thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Caller is the fact: who calls, proven. Only Check makes one; the zero Caller
// may do nothing.
type Caller struct{ claims Claims }

// Organisation that asks.
func (c Caller) Organisation() identity.OIN { return c.claims.Organisation }

// Case is the commitment to the case number the question belongs to.
func (c Caller) Case() string { return c.claims.Case }

// Role of the case worker, in the words of the policy's catalog.
func (c Caller) Role() string { return c.claims.Role }

// Assurance level of the case worker.
func (c Caller) Assurance() string { return c.claims.Assurance }

// May tells whether the token may be used for the purpose.
func (c Caller) May(purpose string) bool {
	return slices.ContainsFunc(c.claims.Details, func(d Detail) bool {
		return d.Type == "ontschot" && slices.Contains(d.Purposes, purpose)
	})
}

// Checker checks tokens. Every field is required.
type Checker struct {
	Keys     *signed.Verifier
	Audience string // exactly us: the gateway's own OIN
	Now      func() time.Time
}

// Check verifies a bearer token against the certificate the connection was made with.
func (k Checker) Check(bearer string, leaf *x509.Certificate) (Caller, error) {
	if bearer == "" {
		return Caller{}, ErrMissing
	}
	var c Claims
	if _, err := k.Keys.Compact(signed.Token, []byte(bearer), &c); err != nil {
		return Caller{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := k.times(c); err != nil {
		return Caller{}, err
	}
	if c.Audience != k.Audience {
		return Caller{}, ErrAudience
	}
	if leaf == nil || c.Confirmation.X5T != Thumbprint(leaf) {
		return Caller{}, ErrBinding
	}
	if identity.OIN(leaf.Subject.SerialNumber) != c.Organisation {
		return Caller{}, fmt.Errorf("%w: it names another organisation than the certificate", ErrBinding)
	}
	// An organisation is its own issuer: nobody else's word counts for it.
	if c.Issuer != c.Organisation || c.ID == "" || c.Case == "" || len(c.Case) > maxCase {
		return Caller{}, fmt.Errorf("%w: iss, org, jti or case", ErrInvalid)
	}
	return Caller{c}, nil
}

func (k Checker) times(c Claims) error {
	now := k.Now()
	issued, starts, ends := time.Unix(c.IssuedAt, 0), time.Unix(c.NotBefore, 0), time.Unix(c.Expires, 0)
	switch {
	case c.IssuedAt == 0 || c.NotBefore == 0 || c.Expires == 0:
		return fmt.Errorf("%w: iat, nbf and exp are needed", ErrInvalid)
	case ends.Sub(issued) > maxLife:
		return fmt.Errorf("%w: lives longer than %s", ErrInvalid, maxLife)
	case now.After(ends.Add(skew)):
		return ErrExpired
	case now.Add(skew).Before(starts) || now.Add(skew).Before(issued):
		return fmt.Errorf("%w: not valid yet", ErrInvalid)
	}
	return nil
}
