package federation_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// What another organisation's gateway disclosed is audited at the gateway that released the
// budget, by the agreements that are known there. What only the other end knows names nobody,
// and at its own gateway there is nothing to audit.
func TestALineOfAPeerIsAuditedByTheAgreementsOfWhoReleased(t *testing.T) {
	w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
	auditor := w.family.Parties[stranger().Code]
	names := func(t *agreement.Terms) {
		t.Replaces, t.Oversight.Auditors = w.agreement, []identity.OIN{auditor.OIN}
	}
	accounts := func(at *side, b *budgetv1.Budget) (*ontschotv1.AccountResponse, error) {
		by := &side{two: w, party: auditor}
		ctx := by.call(func(c *token.Claims) {
			c.Audience, c.Role, c.Details[0].Purposes = string(at.party.OIN), "controleur", []string{ontschotv1.PurposeAuditSpending}
		})
		a, err := at.Account(ctx, &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
		return a, refusal.Of(err)
	}
	refused := func(at *side, b *budgetv1.Budget) {
		t.Helper()
		a, err := accounts(at, b)
		require.Equal(t, "OTHER_ORGANISATION", reason(err))
		require.Empty(t, a.GetAccounts())
	}
	p := w.person("P")
	w.give(p, "")
	b := w.composed(p)
	require.True(t, b.GetComplete())

	w.source.take(w.signed(names)) // the other end has one in its place, which was not delivered
	refused(w.asker, b)
	require.NotEmpty(t, w.asker.take(w.last))
	told, err := accounts(w.asker, b)
	require.NoError(t, err)
	require.Len(t, told.GetAccounts(), 1)
	require.EqualValues(t, wlzCents, told.GetAccounts()[0].GetLaws()[0].GetAwardedCents())
	require.Empty(t, told.GetLeftOut())
	refused(w.source, b)

	// It ends here, and the other end does not know yet.
	ended, err := w.asker.RevokeAgreement(w.asker.call(nil), &ontschotv1.RevokeAgreementRequest{Id: w.newest(), Reason: "it ends"})
	require.NoError(t, err)
	require.False(t, ended.GetDelivered())
	refused(w.asker, b)
	w.asker.verify()
	w.source.verify()
}

// newest is the agreement that was signed last.
func (w *two) newest() string {
	w.t.Helper()
	a, err := agreement.Read(w.last)
	require.NoError(w.t, err)
	return a.ID
}
