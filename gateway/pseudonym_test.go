package gateway_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// rekeyed is the same gateway, started again with other pseudonym keys.
func (h *house) rekeyed(keys ...[]byte) {
	h.t.Helper()
	c := h.config
	c.PseudonymKeys = keys
	g, err := server.NewBroker(c)
	require.NoError(h.t, err)
	h.Broker, h.config = g, c
}

// What was registered under an old pseudonym key is found, narrowed, renewed and
// withdrawn with a new key first and the old one second; without the old one it is as
// if nothing had been said.
func TestConsentsOutliveTheirPseudonymKey(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	was := h.config.PseudonymKeys[0]
	now := bytes.Repeat([]byte{7}, 32)
	whole, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)

	h.rekeyed(now)
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonNoConsent}, onlyGaps(b))
	require.Empty(t, h.consents(f.p))

	h.rekeyed(now, was)
	b, err = h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	h.equal(bare(whole), bare(b), "found")
	require.ElementsMatch(t, []string{f.care + " IN_FORCE", f.money + " IN_FORCE"}, h.consents(f.p))

	narrowed, err := h.NarrowConsent(h.municipality().call(), h.less(f.p, f.care, "GM0119", "amount"))
	require.NoError(t, err)
	less := narrowed.GetReceipt().GetId()
	b, err = h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.True(t, withoutAmount(b))
	require.NotEmpty(t, disclosed(b, [2]string{"P", "GM0119"}))

	renewed := h.give(f.q, f.others, all("ZK5503")...)
	b, err = h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.NotEmpty(t, disclosed(b, [2]string{"Q", "ZK5503"}))
	require.Contains(t, h.rests(b.GetReceipt().GetIndex()), renewed)

	for _, id := range []string{f.money, less, renewed} { // of before, and of after
		end := h.withdraw(id)
		require.Equal(t, h.ended(id), end)
	}
	require.ElementsMatch(t, []string{f.care + " ENDED", f.money + " ENDED", less + " ENDED"}, h.consents(f.p))
	b, err = h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonConsentWithdrawn}, onlyGaps(b))
	h.verify()
}

// consents of a person, with their status.
func (h *house) consents(p person) []string {
	h.t.Helper()
	list, err := h.ListConsents(h.municipality().call(), &ontschotv1.ListConsentsRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}, Purpose: h.family.Case.Purpose,
	})
	require.NoError(h.t, err)
	var out []string
	for _, r := range list.GetReceipts() {
		out = append(out, r.GetId()+" "+r.GetStatus())
	}
	return out
}
