package federation

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrStatement means that a disclosure does not prove what it came with.
var ErrStatement = errors.New("the disclosure of the source does not hold")

// Statement is what a source's gateway signs beside an answer: which question it answered,
// under which policy, and where that stands in its log. It holds no person and no amount.
// Members are in the order of their names.
type Statement struct {
	Agreement string       `json:"agreement"` // SHA-256 of the one it answered under, hexadecimal
	Answer    string       `json:"answer"`    // SHA-256 over the answer, base64url; the answer's random id salts it
	Audience  identity.OIN `json:"aud"`       // who asked
	Decision  int64        `json:"decision"`  // index of the decision in its log; that of the disclosure is in the receipt
	IssuedAt  int64        `json:"iat"`       // seconds since 1970
	Issuer    identity.OIN `json:"iss"`       // the source
	ID        string       `json:"jti"`
	Permit    string       `json:"permit"` // jti of the permit
	// PolicyRevision of the source's own policy.
	PolicyRevision string `json:"policy_revision"`
	Request        string `json:"request"` // hash of the question, as the permit has it
	// RetentionDays that the source's agreement allows.
	RetentionDays int    `json:"retention_days"`
	Trace         string `json:"trace"` // under which both logs have it
}

// digestOf is the SHA-256 over the RFC 8785 form of an answer without its disclosure.
func digestOf(a *budgetv1.FetchResponse) ([32]byte, error) {
	bare := proto.CloneOf(a)
	bare.Disclosure = nil
	raw, err := result.Canonical(bare)
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(raw), nil
}

// sign puts id and time on a statement and signs it.
func (s Statement) sign(by signed.Signer, now time.Time) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	s.Issuer, s.ID, s.IssuedAt = by.Issuer, id.String(), now.Unix()
	raw, err := by.Compact(signed.Result, s)
	return string(raw), err
}

// Trust is by which a disclosure is verified: the pinned keys of parties, and those of their
// logs.
type Trust struct {
	Keys *signed.Verifier
	Logs map[identity.OIN]audit.Keys
}

// Verify verifies a disclosure offline: that the source signed it for who asked, and that the
// disclosure stands in the source's log, after its decision. What was answered only who holds
// the answer can hold against Statement.Answer. Errors: ErrStatement, audit.ErrTampered.
func (t Trust) Verify(d *budgetv1.Disclosure, source, asked identity.OIN) (Statement, error) {
	var s Statement
	if _, err := t.Keys.Compact(signed.Result, []byte(d.GetStatement()), &s); err != nil {
		return Statement{}, fmt.Errorf("%w: signature: %w", ErrStatement, err)
	}
	switch {
	case s.Issuer != source || s.Audience != asked:
		return Statement{}, fmt.Errorf("%w: of another source, or to another organisation", ErrStatement)
	case s.RetentionDays < 1:
		return Statement{}, fmt.Errorf("%w: nothing may be kept for no time", ErrStatement)
	}
	logs, known := t.Logs[source]
	if !known {
		return Statement{}, fmt.Errorf("%w: the trust file has no log key of the source", ErrStatement)
	}
	if d.GetReceipt().GetDecisionIndex() != s.Decision {
		return Statement{}, fmt.Errorf("%w: of another decision than its receipt", ErrStatement)
	}
	answer, err := unencode(s.Answer)
	if err != nil {
		return Statement{}, err
	}
	return s, audit.VerifyReceipt(d.GetReceipt(), answer, logs)
}
