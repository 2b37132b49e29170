package federation

import (
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Trust is by which a disclosure is verified: the pinned keys of parties, and those of their
// logs.
type Trust struct {
	Keys *signed.Verifier
	Logs map[identity.OIN]audit.Keys
}

// Verify is result.VerifyDisclosure.
func (t Trust) Verify(d *budgetv1.Disclosure, source, asked identity.OIN) (result.Statement, error) {
	return result.VerifyDisclosure(d, t.Keys, result.Source{OIN: source, Log: t.Logs[source]}, asked)
}
