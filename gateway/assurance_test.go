package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/token"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// An agreement asks for a case worker who is known well. Who is known less well hears
// nothing of a budget that rests on it, and can account for it: an account rests on no
// agreement (AVG art. 6 lid 1 onder e).
func TestAnAccountRestsOnNoAgreement(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	h.agree("ZK5503", func(a *agreement.Terms) {
		a.Grants[0].Assurance, a.Replaces = ontschotv1.AssuranceHigh, h.agreements["ZK5503"]
	})
	h.give(p, "", all("ZK5503")...)
	high := h.worker(func(c *token.Claims) { c.Assurance = ontschotv1.AssuranceHigh })
	b, err := h.compose(high.call(), h.request([]person{p}, [2]string{"P", "ZK5503"}))
	require.NoError(t, err)
	require.NotEmpty(t, b.GetLines())

	_, err = h.CheckPlan(h.municipality().call(), &ontschotv1.CheckPlanRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.Equal(t, budgetv1.ReasonPolicyDenied, reasonOf(err))
	_, err = h.CheckPlan(high.call(), &ontschotv1.CheckPlanRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.NoError(t, err)
	_, err = h.Account(h.municipality().call(), &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.NoError(t, err)
	h.verify()
}
