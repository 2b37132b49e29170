package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// A question about nobody is judged by the policy with its overlays, and by the agreement.
func TestSupposeSaysWhatThePolicyWouldLetPass(t *testing.T) {
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	of := func(oin identity.OIN, change func(*policy.Access)) ([]string, []string) {
		q := policy.Access{
			Purpose: "integral_budget.compose", Today: civil.MustParse("2025-06-30"), Requester: oin, RequesterKind: "MUNICIPALITY",
			Source: oin, SourceKind: "MUNICIPALITY", Laws: []string{"WMO"}, NotConsented: agreement.ErrNone, // is not read
		}
		role := "consulent"
		if change != nil {
			change(&q)
			if q.Subject != "" { // a role that the overlay takes out
				role = q.Subject
			}
		}
		passes, gaps := engine.Suppose(t.Context(), q, role, "substantieel")
		var categories, withheld []string
		for _, s := range passes {
			categories = append(categories, s.GetCategories()...)
		}
		for _, g := range gaps {
			withheld = append(withheld, append([]string{g.GetReason()}, g.GetCategories()...)...)
		}
		return categories, withheld
	}
	const plain, strict = identity.OIN("00000099000000119000"), identity.OIN("00000099000999999000")
	all, withheld := of(plain, nil)
	require.Contains(t, all, "quantity")
	require.Empty(t, withheld)
	narrow, withheld := of(strict, nil)
	require.Equal(t, slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == "quantity" }), narrow, "the overlay takes it out")
	require.Equal(t, []string{budgetv1.ReasonPolicyDenied, "quantity"}, withheld)
	none, _ := of(strict, func(q *policy.Access) { q.Subject = "regisseur" })
	require.Empty(t, none, "and a role")
	none, withheld = of(plain, func(q *policy.Access) {
		q.Source, q.SourceKind, q.Laws, q.NotAgreed = "00000099000100001000", "UWV", nil, agreement.ErrNone
	})
	require.Empty(t, none)
	require.Contains(t, withheld, budgetv1.ReasonNoAgreement)
	none, _ = of(plain, func(q *policy.Access) { q.Purpose = "something.else" })
	require.Empty(t, none)
}
