package consent

import (
	"fmt"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

// Withdrawal is a statement that ends a consent. It is as easy to give as the
// consent was (AVG art. 7 lid 3), and holds from the moment it stands in the log.
type Withdrawal struct {
	Act      string       `json:"act"` // withdraw
	Consent  string       `json:"consent"`
	IssuedAt int64        `json:"iat"`
	Issuer   identity.OIN `json:"iss"` // the keeper
	ID       string       `json:"jti"`
}

// VerifyWithdrawal checks the keeper's signature.
func VerifyWithdrawal(v *signed.Verifier, raw []byte) (Withdrawal, error) {
	var w Withdrawal
	if _, err := v.Compact(signed.Statement, raw, &w); err != nil {
		return Withdrawal{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if w.Act != "withdraw" || w.Consent == "" || w.ID == "" {
		return Withdrawal{}, fmt.Errorf("%w: not a withdrawal of a consent", ErrDocument)
	}
	return w, nil
}
