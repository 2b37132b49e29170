package agreement

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// ErrStatement means that a statement does not hold, or is about other terms.
var ErrStatement = errors.New("agreement statement refused")

// What a party can state of terms.
const (
	Reject = "reject" // of a proposal: it will not be signed
	Revoke = "revoke" // of an agreement: it ends
)

// Limits of a statement. A run of eight digits may be a burgerservicenummer, which
// has no place in a reason.
const (
	maxReason   = 500
	maxDigitRun = 7
)

// Statement is what one party says of terms that were proposed or agreed. It is
// bound to what the parties signed, so that it says nothing of other terms under the
// same id.
type Statement struct {
	Act       string       `json:"act"` // reject or revoke
	Agreement string       `json:"agreement"`
	IssuedAt  int64        `json:"iat"` // seconds since 1970
	Issuer    identity.OIN `json:"iss"`
	ID        string       `json:"jti"` // UUIDv7
	// Reason for the other party to read, of 1 to 500 characters.
	Reason string `json:"reason"`
	// Terms is their digest: Proposal.TermsDigest, Terms.Digest.
	Terms string `json:"terms_sha256"`
}

// NewStatement signs a statement; the issuer is the signer. Errors: ErrStatement.
func NewStatement(s Statement, by signed.Signer) ([]byte, error) {
	s.Issuer = by.Issuer
	if err := s.check(); err != nil {
		return nil, err
	}
	return by.Compact(signed.Statement, s)
}

// VerifyStatement checks signature and form. Of which terms it speaks is for About
// to say. Errors: ErrStatement.
func VerifyStatement(v *signed.Verifier, raw []byte) (Statement, error) {
	var s Statement
	if _, err := v.Compact(signed.Statement, raw, &s); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if err := s.check(); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// About checks that the statement is about these terms and of a party to them.
// Errors: ErrStatement.
func (s Statement) About(t Terms) error {
	if s.Agreement != t.ID || s.Terms != t.Digest() {
		return fmt.Errorf("%w: it is about other terms", ErrStatement)
	}
	if !isParty(t.Parties, s.Issuer) {
		return fmt.Errorf("%w: it is not of a party", ErrStatement)
	}
	return nil
}

func (s Statement) check() error {
	var c checker
	c.must(identity.IsUUIDv7(s.ID), "jti", "a UUID of version 7 in lower case")
	c.must(s.IssuedAt > 0 && s.IssuedAt <= maxSecond, "iat", "a moment in seconds since 1970")
	c.must(s.Act == Reject || s.Act == Revoke, "act", "reject or revoke")
	c.must(identity.IsUUIDv7(s.Agreement), "agreement", "the id of an agreement")
	c.must(identity.IsSHA256(s.Terms), "terms_sha256", "64 hexadecimal digits in lower case")
	c.text(s.Reason, maxReason, "reason")
	c.must(!hasLongNumber(s.Reason), "reason", "without numbers of eight digits or more: it may hold no burgerservicenummer")
	if c.wrong != nil {
		return fmt.Errorf("%w: %w", ErrStatement, c.wrong)
	}
	return nil
}

// hasLongNumber finds a run of digits, or nine that are a burgerservicenummer however
// they are parted.
func hasLongNumber(s string) bool {
	digits := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsDigit(r) })
	for _, run := range digits {
		if len([]rune(run)) > maxDigitRun {
			return true
		}
	}
	return identity.HoldsBSN(s)
}
