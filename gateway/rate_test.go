package gateway_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// An agreement says how many requests a minute its source accepts.
func TestTheRateOfAnAgreement(t *testing.T) {
	h := newHouse(t, nil)
	q := h.person("Q")
	h.give(q, "", all("UWV", "ZK5503")...)
	h.agree("UWV", func(terms *agreement.Terms) { terms.Grants[0].RatePerMinute = 3 })
	minute := time.Now().Truncate(time.Minute)
	ask := func(after time.Duration) *budgetv1.Budget {
		at := minute.Add(after)
		h.clock.Store(&at)
		b, err := h.compose(h.municipality().call(), h.request([]person{q}, [2]string{"Q", "UWV"}, [2]string{"Q", "ZK5503"}))
		require.NoError(t, err)
		return b
	}
	uwv := [2]string{"Q", "UWV"}
	for _, after := range []time.Duration{0, 20 * time.Second, 59 * time.Second} {
		b := ask(after)
		require.NotEmpty(t, disclosed(b, uwv))
		require.True(t, b.GetComplete())
	}
	b := ask(59*time.Second + 900*time.Millisecond)
	require.Empty(t, disclosed(b, uwv))
	require.Equal(t, []string{budgetv1.ReasonPeerRefused}, gapOf(b, uwv))
	require.Equal(t, "RATE_LIMITED", b.GetGaps()[0].GetCode())
	require.Contains(t, b.GetGaps()[0].GetTextNl(), "te veel vragen gesteld")
	require.NotEmpty(t, disclosed(b, [2]string{"Q", "ZK5503"}), "another agreement has a rate of its own")
	require.NotContains(t, h.rests(b.GetReceipt().GetIndex()), h.agreements["UWV"])
	pairs := h.decided(b.GetReceipt().GetDecisionIndex())
	require.Equal(t, []audit.Refusal{{Reason: budgetv1.ReasonPeerRefused, Code: budgetv1.GapRateLimited}}, pairs[0].Refusals, "it stands in the decision, before anybody was asked")
	require.Empty(t, pairs[0].Scopes)
	require.Empty(t, pairs[0].Agreement)
	require.NotEmpty(t, pairs[1].Scopes)
	require.True(t, ask(time.Minute).GetComplete(), "the next minute")
	h.verify()
}

// decided reads from the record what was decided about each pair.
func (h *house) decided(index int64) []audit.PairJudgement {
	h.t.Helper()
	var open struct{ Payload []struct{ Value []byte } }
	require.NoError(h.t, h.store.View(context.Background(), h.family.Requester().OIN, func(s audit.Snapshot) error {
		rows, err := s.Rows(index, 1)
		if err != nil {
			return err
		}
		return json.Unmarshal(rows[0].Opening, &open)
	}))
	var j audit.Judgement
	require.NoError(h.t, json.Unmarshal(open.Payload[0].Value, &j))
	return j.Pairs
}
