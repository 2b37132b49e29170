// Package token answers: who calls? An access token (RFC 9068) says so, and
// counts only on the connection of the certificate it is bound to (RFC 8705).
package token

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Errors. A refused token goes to the request log, never to the audit log, which
// strangers must not be able to fill.
var (
	ErrMissing    = errors.New("no access token")
	ErrInvalid    = errors.New("access token invalid")
	ErrExpired    = errors.New("access token expired")
	ErrBinding    = errors.New("access token bound to another certificate")
	ErrAudience   = errors.New("access token meant for another audience")
	ErrRole       = errors.New("the roles in the access token come to none of ours, or to several")
	ErrDelegation = errors.New("no delegation in force lets the caller act for this organisation and purpose")
	ErrCase       = errors.New("what is asked about is of another case than the token")
	ErrIssuer     = errors.New("the keys of the token's issuer cannot be read")
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
	// Case is the commitment to the case number; the consents of one request carry the same.
	Case string `json:"case"`
	// Role and assurance level (laag, substantieel, hoog) of the case worker.
	Role      string `json:"role"`
	Assurance string `json:"assurance"`
	// Details is RFC 9396: what the token may be used for.
	Details []Detail `json:"authorization_details"`
	// Actor acts for the organisation; nil when it acts itself.
	Actor *Actor `json:"act,omitempty"`
}

// Confirmation binds to a certificate (RFC 8705 section 3.1).
type Confirmation struct {
	X5T string `json:"x5t#S256"`
}

// Actor is the act of RFC 8693 section 4.1: another organisation, such as a software
// vendor, whose client presents the token.
type Actor struct {
	Subject      string       `json:"sub"` // its client
	Organisation identity.OIN `json:"org"`
	// Actor of the actor: a chain of delegation, which is refused.
	Actor json.RawMessage `json:"act,omitempty"`
}

// Thumbprint is the x5t#S256 of a certificate.
func Thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Caller is the fact: who calls, proven. Only Check makes one; the zero Caller
// may do nothing.
type Caller struct {
	claims     Claims
	delegation Delegation // of an actor
	today      civil.Date
}

// Organisation that asks.
func (c Caller) Organisation() identity.OIN { return c.claims.Organisation }

// Actor is the organisation that acts for it; empty when it acts itself.
func (c Caller) Actor() identity.OIN {
	if c.claims.Actor == nil {
		return ""
	}
	return c.claims.Actor.Organisation
}

// Delegation is the id of the statement on which the actor acts; empty without one.
func (c Caller) Delegation() string { return c.delegation.ID() }

// Case is the commitment to the case number the request belongs to.
func (c Caller) Case() string { return c.claims.Case }

// Subject is the case worker, as the issuer's client knows them. It is compared with that
// of another token and written nowhere.
func (c Caller) Subject() string { return c.claims.Subject }

// Client by which the token was asked for; two subjects can be compared within one.
func (c Caller) Client() string { return c.claims.Client }

// Role of the case worker, in the words of the policy's catalog.
func (c Caller) Role() string { return c.claims.Role }

// Assurance level of the case worker.
func (c Caller) Assurance() string { return c.claims.Assurance }

// May reports whether the token may be used for the purpose.
func (c Caller) May(purpose string) bool {
	return c.any(func(d Detail) bool { return d.may(purpose) }, purpose)
}

// Reaches reports whether the token allows anything of a source for the purpose.
func (c Caller) Reaches(purpose string, source identity.OIN) bool {
	return c.any(func(d Detail) bool { return d.may(purpose) && d.reaches(source) }, purpose)
}

// Allows reports whether the token allows a category of a source for the purpose: one
// and the same detail must name all three.
func (c Caller) Allows(purpose string, source identity.OIN, category string) bool {
	return c.any(func(d Detail) bool {
		return d.may(purpose) && d.reaches(source) && names(d.Categories, category)
	}, purpose)
}

// any reports whether one of the details passes, and the delegation covers the purpose
// where somebody else acts.
func (c Caller) any(passes func(Detail) bool, purpose string) bool {
	if c.claims.Actor != nil && !c.delegation.Covers(c.Actor(), purpose, c.today) {
		return false
	}
	return slices.ContainsFunc(c.claims.Details, passes)
}
