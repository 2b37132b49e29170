package token

import (
	"crypto/hmac"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// PermitLife is how long a permit can be used: a disclosure follows the end of what it rests
// on by no more than this.
const PermitLife = 10 * time.Second

// permitSkew is how far the clocks of two gateways may be apart.
const permitSkew = 2 * time.Second

// ErrUsed means that a permit was used before.
var ErrUsed = errors.New("the permit was used before")

// ErrPermit means that a permit does not allow this question, or not to who asks it.
var ErrPermit = errors.New("the permit is not for this question")

// ErrPermitTime means that by our clock a permit is past, or still to come.
var ErrPermitTime = errors.New("by this gateway's clock the permit is of another time")

// PermitClaims of a permit: the keeper of a consent lets one source answer one question, to
// one connection, once. Members are in the order of their names.
type PermitClaims struct {
	Agreement    string       `json:"agreement"` // id of the one by which it asks
	Assurance    string       `json:"assurance"` // of the case worker, as Role
	Audience     identity.OIN `json:"aud"`       // the source
	Case         string       `json:"case"`      // commitment that the consent carries too
	Confirmation Confirmation `json:"cnf"`       // the certificate with which is asked
	Consent      string       `json:"consent"`   // SHA-256 of the signed consent, base64url
	Expires      int64        `json:"exp"`       // seconds since 1970
	IssuedAt     int64        `json:"iat"`
	Issuer       identity.OIN `json:"iss"` // keeper of the consent, and the one that asks
	ID           string       `json:"jti"` // UUIDv7
	Purpose      string       `json:"purpose"`
	Request      string       `json:"request"` // hash of what is asked, base64url
	Role         string       `json:"role"`
}

// PermitCall is what a gateway that asks presents.
type PermitCall struct {
	Permit string
	Leaf   *x509.Certificate // with which the connection was made
	// Issuer is whose gateway asks, by its certificate.
	Issuer identity.OIN
	// Purpose, Consent and Request are those of the question, as PermitClaims has them.
	Purpose, Consent, Request string
}

// Permit verifies a permit against the question that came with it. The caller that it gives
// reaches this source for this purpose, and no other. Errors: ErrMissing, ErrInvalid,
// ErrAudience, ErrBinding, ErrPermit, ErrPermitTime.
func (k Checker) Permit(call PermitCall) (Caller, PermitClaims, error) {
	var c PermitClaims
	if call.Permit == "" {
		return Caller{}, c, ErrMissing
	}
	if _, err := k.Keys.Fresh().Compact(signed.Permit, []byte(call.Permit), &c); err != nil {
		return Caller{}, c, invalid(err)
	}
	issued, ends, now := time.Unix(c.IssuedAt, 0), time.Unix(c.Expires, 0), k.Now()
	switch {
	case string(c.Audience) != k.Audience:
		return Caller{}, c, ErrAudience
	case call.Leaf == nil || c.Confirmation.X5T != Thumbprint(call.Leaf) || c.Issuer != call.Issuer:
		return Caller{}, c, ErrBinding
	case c.IssuedAt <= 0 || ends.Sub(issued) > PermitLife || !ends.After(issued):
		return Caller{}, c, fmt.Errorf("%w: it lives longer than %s", ErrInvalid, PermitLife)
	case issued.After(now.Add(permitSkew)), now.After(ends.Add(permitSkew)):
		return Caller{}, c, ErrPermitTime
	case !identity.IsUUIDv7(c.ID) || !isText(c.Case) || !isText(c.Role) || !isText(c.Assurance):
		return Caller{}, c, fmt.Errorf("%w: jti, case, role or assurance", ErrInvalid)
	case c.Purpose != call.Purpose || !hmac.Equal([]byte(c.Request), []byte(call.Request)) || c.Consent != call.Consent:
		return Caller{}, c, ErrPermit
	}
	return Caller{claims: Claims{
		Issuer: c.Issuer, Organisation: c.Issuer, Audience: k.Audience, IssuedAt: c.IssuedAt, Expires: c.Expires, ID: c.ID,
		Case: c.Case, Role: c.Role, Assurance: c.Assurance,
		Details: []Detail{{Type: DetailType, Purposes: []string{c.Purpose}, Sources: []string{k.Audience}, Categories: []string{"*"}}},
	}}, c, nil
}
