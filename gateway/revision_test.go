package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Another revision of the rules comes into force at every point of a question: what has
// begun ends by the one it began with, and no question fails for it.
func TestAQuestionIsJudgedByOneRevision(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	before := h.config.Policy.Now()
	c := server.BrokerConfig{}
	matrix(t, "municipality", "quantity: none, ", "")(&c)
	after := c.Policy.Now()
	require.NotEqual(t, before.Revision(), after.Revision())
	withheld := func(b *budgetv1.Budget) bool {
		for _, gap := range b.GetGaps() {
			if gap.GetCode() == "VELD-01" {
				return true
			}
		}
		return false
	}
	seen := map[string]int{}
	for k := int64(0); ; k += stride {
		h.config.Policy.Replace(before)
		p := h.seams.arm(k, func() { h.config.Policy.Replace(after) })
		b, err := h.compose(h.municipality().call(), h.about(f))
		h.seams.disarm()
		require.NoError(t, err, p.where)
		require.Contains(t, []*policy.Engine{before, after}, h.config.Policy.Now())
		require.Equal(t, b.GetPolicyRevision() == after.Revision(), withheld(b), p.where)
		seen[b.GetPolicyRevision()]++
		if !p.fired.Load() {
			break
		}
	}
	require.Positive(t, seen[before.Revision()])
	h.config.Policy.Replace(after)
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.Equal(t, after.Revision(), b.GetPolicyRevision())
	require.True(t, withheld(b))
	h.verify()
}
