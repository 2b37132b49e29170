package result

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/audit"
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
	// MaxAgeDays and RetentionDays are those of the source's copy of the agreement.
	MaxAgeDays int    `json:"max_age_days"`
	Permit     string `json:"permit"` // jti of the permit
	// PolicyRevision of the source's own policy.
	PolicyRevision string `json:"policy_revision"`
	Request        string `json:"request"` // hash of the question, as the permit has it
	RetentionDays  int    `json:"retention_days"`
	Trace          string `json:"trace"` // under which both logs have it
}

// maxDays bounds the days of a statement, as those of an agreement are.
const maxDays = 3650

// sound reports whether each member has its form: they are printed, and reckoned with.
func (s Statement) sound() bool {
	days := func(n int) bool { return n >= 1 && n <= maxDays }
	return days(s.RetentionDays) && days(s.MaxAgeDays) && identity.IsSHA256(s.Agreement) && identity.IsSHA256(s.PolicyRevision) &&
		identity.IsHash(s.Answer) && identity.IsHash(s.Request) && identity.IsTrace(s.Trace) &&
		identity.IsUUIDv7(s.ID) && identity.IsUUIDv7(s.Permit) && s.IssuedAt > 0 && s.IssuedAt <= maxTime
}

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// AnswerDigest is the SHA-256 over the RFC 8785 form of an answer without its disclosure.
func AnswerDigest(a *budgetv1.FetchResponse) ([32]byte, error) {
	raw, err := canonicalWithout(a, "disclosure")
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(raw), nil
}

// Sign puts issuer, id and time on a statement and signs it.
func (s Statement) Sign(by signed.Signer, now time.Time) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	s.Issuer, s.ID, s.IssuedAt = by.Issuer, id.String(), now.Unix()
	raw, err := by.Compact(signed.Result, s)
	return string(raw), err
}

// Said is the statement of a disclosure that was verified before; zero where there is none.
func Said(d *budgetv1.Disclosure) (s Statement) {
	if d != nil {
		_ = signed.Unverified(signed.Result, []byte(d.GetStatement()), &s)
	}
	return s
}

// Source is an organisation whose own gateway answers, with the pinned keys of its log.
type Source struct {
	OIN identity.OIN
	Log audit.Keys
}

// VerifyDisclosure verifies a disclosure offline: that the source signed it for who asked, and
// that it stands in the source's log, after its decision. What was answered only who holds
// the answer can hold against Statement.Answer. Errors: ErrStatement, audit.ErrTampered.
func VerifyDisclosure(d *budgetv1.Disclosure, keys *signed.Verifier, source Source, asked identity.OIN) (Statement, error) {
	var s Statement
	if _, err := keys.Compact(signed.Result, []byte(d.GetStatement()), &s); err != nil {
		return Statement{}, fmt.Errorf("%w: signature: %w", ErrStatement, err)
	}
	switch {
	case s.Issuer != source.OIN || s.Audience != asked:
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, OtherAudience)
	case !s.sound():
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, BadMember)
	case len(source.Log) == 0:
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, audit.NoLogKey)
	case d.GetReceipt().GetDecisionIndex() != s.Decision:
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, OtherDecision)
	}
	answer, err := base64.RawURLEncoding.Strict().DecodeString(s.Answer)
	if err != nil || len(answer) != sha256.Size {
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, BadMember)
	}
	return s, audit.VerifyReceipt(d.GetReceipt(), [32]byte(answer), source.Log)
}

// disclosures verifies those of a budget, one for each source that decided for itself: as many
// at once as there are processors, for there are forty of a large household.
func disclosures(b *budgetv1.Budget, t Trust) error {
	said := slices.DeleteFunc(slices.Clone(b.GetSources()), func(r *budgetv1.SourceReport) bool { return r.GetDisclosure() == nil })
	statements, errs := make([]Statement, len(said)), make([]error, len(said))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(said)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(said)); i = next.Add(1) - 1 {
				statements[i], errs[i] = disclosed(said[i], t)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for i, s := range statements {
		switch source := said[i].GetSource(); {
		case errs[i] != nil:
			return fmt.Errorf("%w: %w: %s: %w", ErrMismatch, errDisclosed, source, errs[i])
		case seen[s.ID]:
			return fmt.Errorf("%w: %w: %s: %w: %w", ErrMismatch, errDisclosed, source, ErrStatement, Twice)
		}
		seen[s.ID] = true
	}
	return nil
}

// disclosed verifies the disclosure of one source.
func disclosed(r *budgetv1.SourceReport, t Trust) (Statement, error) {
	source, known := t.Sources[r.GetSource()]
	if !known {
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, NoParty)
	}
	return VerifyDisclosure(r.GetDisclosure(), t.Keys, source, t.Releaser)
}
