package audit_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
)

// Which policies are in force is in the log: each change follows on the one before, and no
// decision is by policies that were never in force before it.
func TestDecisionsAreByPoliciesThatWereInForce(t *testing.T) {
	one, two, three := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	b := newBench(t)
	by := func(revision string) audit.Entry {
		e := decision(b.trace())
		e.PolicyRevision = revision
		return e
	}
	change := func(revision, parent string, status register.PolicyStatus) audit.Entry {
		return audit.Entry{Kind: audit.Policy, Activity: "policies", PolicyRevision: revision, Decision: parent, Status: string(status), Payload: []byte("{}")}
	}
	b.append(by(three)) // the log does not say yet
	b.append(change(two, one, register.PolicyActivated))
	b.append(by(one)) // it had begun before
	b.append(by(two))
	_, err := b.log.Append(t.Context(), change(three, one, register.PolicyActivated))
	require.ErrorIs(t, err, register.ErrPolicy)
	b.append(change(one, two, register.PolicyRolledBack))
	_, err = b.verify()
	require.NoError(t, err)
	require.Equal(t, one, b.log.Register().Policies()[1].Revision)
	b.append(by(three))
	_, err = b.verify()
	require.ErrorIs(t, err, audit.ErrTampered)
	require.ErrorContains(t, err, "never in force")
}
