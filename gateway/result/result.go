// Package result answers: is this budget exactly what the gateway released? Both
// who signs a budget and who checks one, offline and without the gateway, use it.
package result

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// ErrMismatch means that the budget is not what was signed; it must not be used.
var ErrMismatch = errors.New("the budget is not what was signed")

// ErrTooOld means that the agreements do not allow to use a budget of this age.
var ErrTooOld = errors.New("the budget is older than the agreements allow")

// Claims of a result: what the gateway signs beside a budget. It holds no person,
// no amount and no reference.
type Claims struct {
	// Case binds the budget to the case it was asked for, under a salt of its own:
	// SHA-256(domain, jti, case commitment).
	Case     string `json:"case"`
	Complete bool   `json:"complete"`
	// Digest of the budget and of its receipt, base64url of SHA-256.
	Digest   string       `json:"digest"`
	Expires  int64        `json:"exp"` // not to be built upon after this
	IssuedAt int64        `json:"iat"` // seconds since 1970
	Issuer   identity.OIN `json:"iss"`
	ID       string       `json:"jti"`
	// KeepUntil is until when the budget may be kept, and wound up: accounted for, taken
	// apart. Zero, as in what was signed before: as Expires.
	KeepUntil      int64  `json:"kept,omitempty"`
	PolicyRevision string `json:"policy_revision"`
	Receipt        string `json:"receipt"`
}

// Until is when a budget may no longer be worked with at all.
func (c Claims) Until() int64 { return max(c.KeepUntil, c.Expires) }

// Times of a result.
type Times struct {
	Now       time.Time
	Expires   time.Time // it may be built upon until then
	KeepUntil time.Time // and be kept until then
}

// Digest is the SHA-256 over the RFC 8785 form of the budget's JSON (proto field
// names, members that are not set left out) without receipt and signature.
func Digest(b *budgetv1.Budget) ([32]byte, error) {
	sum, err := sumOf(b, "receipt", "signature")
	if err != nil {
		return [32]byte{}, err
	}
	return sum, nil
}

// Of reports whether the budget was asked for in the case with this commitment.
func (c Claims) Of(caseCommitment string) bool { return c.Case == ofCase(c.ID, caseCommitment) }

func ofCase(id, commitment string) string {
	return encode(sha256.Sum256([]byte("ontschot/result/case/1\x00" + id + "\x00" + commitment)))
}

// Release is the release of a budget whose digest the log committed to.
type Release struct {
	Digest  [32]byte // of Digest, over the budget as it is signed
	Receipt *budgetv1.Receipt
	Case    string // commitment to the case in which it was asked for
	Times   Times
}

// Sign puts receipt and signature on a budget.
func Sign(b *budgetv1.Budget, r Release, by signed.Signer) error {
	over, err := sumOf(r.Receipt)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	raw, err := by.Compact(signed.Result, Claims{
		Issuer: by.Issuer, ID: id.String(), IssuedAt: r.Times.Now.Unix(), Expires: r.Times.Expires.Unix(), KeepUntil: r.Times.KeepUntil.Unix(), Case: ofCase(id.String(), r.Case),
		Digest: encode(r.Digest), Receipt: encode(over),
		PolicyRevision: b.GetPolicyRevision(), Complete: b.GetComplete(),
	})
	if err != nil {
		return err
	}
	b.Receipt, b.Signature = r.Receipt, string(raw)
	return nil
}

func encode(sum [32]byte) string { return base64.RawURLEncoding.EncodeToString(sum[:]) }

// AccountClaims of a signed account: what it is of, and its digest.
type AccountClaims struct {
	Digest   string       `json:"digest"`
	Funder   string       `json:"funder"`
	IssuedAt int64        `json:"iat"`
	Issuer   identity.OIN `json:"iss"`
	ID       string       `json:"jti"`
}

// SignAccount signs the account of one funder. It names the budget it was drawn
// from by its digest, which is the same for all funders, and by nothing else.
func SignAccount(a *budgetv1.Account, b *budgetv1.Budget, by signed.Signer, now time.Time) (err error) {
	if a.BudgetDigest, err = named(b); err != nil {
		return err
	}
	a.Signature = ""
	a.Signature, err = sign(a, by, func(digest, id string) any {
		return AccountClaims{Issuer: by.Issuer, ID: id, IssuedAt: now.Unix(), Digest: digest, Funder: a.GetFunder()}
	})
	return err
}

// named is the digest of a budget as what is made of it names it.
func named(b *budgetv1.Budget) (string, error) {
	digest, err := Digest(b)
	return hex.EncodeToString(digest[:]), err
}

// sign signs claims over a message that has no signature yet.
func sign(m proto.Message, by signed.Signer, claims func(digest, id string) any) (string, error) {
	raw, err := Canonical(m)
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	jws, err := by.Compact(signed.Result, claims(encode(sha256.Sum256(raw)), id.String()))
	return string(jws), err
}

// VerifyAccount checks an account against the pinned keys of its maker.
func VerifyAccount(a *budgetv1.Account, t Trust) error {
	var c AccountClaims
	if _, err := t.Keys.Compact(signed.Result, []byte(a.GetSignature()), &c); err != nil {
		return fmt.Errorf("%w: signature: %w", ErrMismatch, err)
	}
	return drawnUp(a, c.Digest, c.Issuer == t.Releaser, c.Funder == a.GetFunder())
}

// DissolutionClaims of a signed dissolution: of which date, and its digest.
type DissolutionClaims struct {
	Date     string       `json:"date"`
	Digest   string       `json:"digest"`
	IssuedAt int64        `json:"iat"`
	Issuer   identity.OIN `json:"iss"`
	ID       string       `json:"jti"`
}

// SignDissolution signs a budget that was taken apart, and names it by its digest.
func SignDissolution(d *budgetv1.Dissolution, b *budgetv1.Budget, by signed.Signer, now time.Time) (err error) {
	if d.BudgetDigest, err = named(b); err != nil {
		return err
	}
	d.Signature = ""
	d.Signature, err = sign(d, by, func(digest, id string) any {
		return DissolutionClaims{Issuer: by.Issuer, ID: id, IssuedAt: now.Unix(), Digest: digest, Date: d.GetDate()}
	})
	return err
}

// VerifyDissolution checks a dissolution against the pinned keys of its maker.
func VerifyDissolution(d *budgetv1.Dissolution, t Trust) error {
	var c DissolutionClaims
	if _, err := t.Keys.Compact(signed.Result, []byte(d.GetSignature()), &c); err != nil {
		return fmt.Errorf("%w: signature: %w", ErrMismatch, err)
	}
	return drawnUp(d, c.Digest, c.Issuer == t.Releaser, c.Date == d.GetDate())
}

// drawnUp holds what was made of a budget against the digest that its maker signed.
func drawnUp(m proto.Message, digest string, ours, same bool) error {
	if hasUnknown(m.ProtoReflect()) {
		return fmt.Errorf("%w: %w", ErrMismatch, UnknownField)
	}
	if !ours {
		return fmt.Errorf("%w: %w", ErrMismatch, OtherReleaser)
	}
	sum, err := sumOf(m, "signature")
	if err != nil || !same || digest != encode(sum) {
		return fmt.Errorf("%w: %w", ErrMismatch, Changed)
	}
	return nil
}

// hasUnknown reports whether a message, or one in it, has fields that no digest covers.
func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap(): // maps of ours hold figures
		case f.IsList():
			for i := range v.List().Len() {
				found = found || hasUnknown(v.List().Get(i).Message())
			}
		default:
			found = found || hasUnknown(v.Message())
		}
		return !found
	})
	return found
}

// Trust is what a client has pinned of the organisation that releases.
type Trust struct {
	Keys     *signed.Verifier
	Releaser identity.OIN
	// Log holds the public keys of its log.
	Log audit.Keys
	// Sources, by party code, by which the disclosures in a budget are verified of those whose
	// own gateway answered. Nil at the gateway that releases: it did when it got them.
	Sources map[string]Source
}

// Verify checks signature, digest, receipt and disclosures, and gives what was signed. Any
// mismatch is an error that wraps ErrMismatch or audit.ErrTampered, and has a Reason.
func Verify(b *budgetv1.Budget, t Trust) (Claims, error) {
	var c Claims
	if _, err := t.Keys.Compact(signed.Result, []byte(b.GetSignature()), &c); err != nil {
		return Claims{}, fmt.Errorf("%w: signature: %w", ErrMismatch, err)
	}
	if hasUnknown(b.ProtoReflect()) {
		return Claims{}, fmt.Errorf("%w: %w", ErrMismatch, UnknownField)
	}
	digest, err := Digest(b)
	if err != nil {
		return Claims{}, err
	}
	over, err := Canonical(b.GetReceipt())
	switch {
	case c.Issuer != t.Releaser:
		return Claims{}, fmt.Errorf("%w: %w", ErrMismatch, OtherReleaser)
	case c.Digest != encode(digest):
		return Claims{}, fmt.Errorf("%w: %w", ErrMismatch, Changed)
	case err != nil || c.Receipt != encode(sha256.Sum256(over)):
		return Claims{}, fmt.Errorf("%w: %w", ErrMismatch, ReceiptChanged)
	}
	if err := audit.VerifyReceipt(b.GetReceipt(), digest, t.Log); err != nil || t.Sources == nil {
		return c, err
	}
	return c, disclosures(b, t)
}
