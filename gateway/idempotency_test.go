package gateway_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/storetest"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	header = "idempotency-key"
	key    = "0198c1e2-0000-7000-8000-000000000001"
)

// The same request under the same key is judged anew and counts once. Nothing of an
// answer is stored to give again: what has ended since is missing from the second.
func TestARequestMadeAgainCountsOnce(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	first, err := h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)
	second, err := h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)
	h.equal(bare(first), bare(second), "nothing has changed")
	require.NotEqual(t, first.GetReceipt().GetIndex(), second.GetReceipt().GetIndex())
	require.EqualValues(t, -1, h.leaf(first.GetReceipt().GetDecisionIndex()).RetryOf)
	require.Equal(t, first.GetReceipt().GetDecisionIndex(), h.leaf(second.GetReceipt().GetDecisionIndex()).RetryOf)
	require.EqualValues(t, 1, h.verify().Retries)

	end := h.withdraw(f.care)
	third, err := h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)
	require.Less(t, end, third.GetReceipt().GetIndex())
	require.Empty(t, disclosed(third, [2]string{"P", "GM0119"}))
	require.Equal(t, []string{budgetv1.ReasonConsentWithdrawn}, gapOf(third, [2]string{"P", "GM0119"}))
	require.Equal(t, first.GetReceipt().GetDecisionIndex(), h.leaf(third.GetReceipt().GetDecisionIndex()).RetryOf)
	require.EqualValues(t, 2, h.verify().Retries)
}

// A key is of one request and of one caller.
func TestAKeyIsOfOneRequestOfOneCaller(t *testing.T) {
	h := newHouse(t, nil)
	h.lets()
	f := h.household()
	_, err := h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)

	other := h.about(f)
	other.Window.To = "2025-11-30"
	_, err = h.compose(h.municipality().call(header, key), other)
	require.Equal(t, "FailedPrecondition IDEMPOTENCY_KEY_REUSED", codeOf(err).String()+" "+reasonOf(err))
	_, err = h.GiveConsent(h.municipality().call(header, key), h.yes(f.q, "", all("ZK5503")...))
	require.Equal(t, "FailedPrecondition IDEMPOTENCY_KEY_REUSED", codeOf(err).String()+" "+reasonOf(err))

	_, err = h.compose(h.delegate().call(header, key), other)
	require.NoError(t, err, "the key of who acts for the municipality is another key")
	require.Zero(t, h.verify().Retries)

	for _, bad := range [][]string{{header, "short"}, {header, strings.Repeat("k", 129)}, {header, key, header, key}} {
		_, err = h.compose(h.municipality().call(bad...), h.about(f))
		require.Equal(t, "InvalidArgument INVALID_FIELD", codeOf(err).String()+" "+reasonOf(err))
	}
}

// Fifty at once under one key are one request.
func TestRetriesAtOnceCountOnce(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	const retries = 50
	decisions := make([]int64, retries)
	var all sync.WaitGroup
	for i := range retries {
		all.Go(func() {
			b, err := h.compose(h.municipality().call(header, key), h.about(f))
			if err != nil {
				t.Errorf("a retry failed: %v", err)
				return
			}
			decisions[i] = b.GetReceipt().GetDecisionIndex()
		})
	}
	all.Wait()
	first, retried := int64(-1), 0
	for _, index := range decisions {
		if of := h.leaf(index).RetryOf; of < 0 {
			require.EqualValues(t, -1, first, "two are the first")
			first = index
		} else {
			retried++
		}
	}
	for _, index := range decisions {
		require.True(t, index == first || h.leaf(index).RetryOf == first)
	}
	report := h.verify()
	require.EqualValues(t, retries-1, retried)
	require.EqualValues(t, retries-1, report.Retries)
	require.EqualValues(t, 1, report.Kinds[audit.Decision]-report.Retries)
}

// A consent that is given, narrowed or withdrawn twice under one key is given, narrowed
// or withdrawn once, and the second answer is that of the first.
func TestACallMadeAgainIsMadeOnce(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	before := h.verify()
	yes := h.yes(p, "", all("GM0119", "SVB")...)
	give := func() string {
		given, err := h.GiveConsent(h.municipality().call(header, key), proto.CloneOf(yes))
		require.NoError(t, err)
		return given.GetReceipt().GetId()
	}
	id := give()
	require.Equal(t, id, give())
	require.Equal(t, before.Size+1, h.verify().Size)

	narrow := func() string {
		receipt, err := h.NarrowConsent(h.municipality().call(header, key+"-n"), h.less(p, id, "GM0119", "*"))
		require.NoError(t, err)
		return receipt.GetReceipt().GetId()
	}
	less := narrow()
	require.NotEqual(t, id, less)
	require.Equal(t, less, narrow())
	require.Equal(t, id, give(), "the first is given as it is stored")
	require.Equal(t, before.Size+2, h.verify().Size)

	require.Equal(t, h.withdraw(less), h.withdraw(less))
	require.Equal(t, less, narrow(), "what was withdrawn since is not given again")
	report := h.verify()
	require.Equal(t, before.Size+3, report.Size)
	require.Equal(t, before.LiveDocuments, report.LiveDocuments)
}

// The same when the retries come at once.
func TestACallMadeAtOnceIsMadeOnce(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	before := h.verify()
	yes := h.yes(p, "", all("GM0119", "SVB")...)
	given := h.atOnce(func() (string, error) {
		r, err := h.GiveConsent(h.municipality().call(header, key), proto.CloneOf(yes))
		return r.GetReceipt().GetId(), err
	})
	require.Equal(t, before.Size+1, h.verify().Size)
	less := h.atOnce(func() (string, error) {
		r, err := h.NarrowConsent(h.municipality().call(header, key+"-n"), h.less(p, given, "GM0119", "*"))
		return r.GetReceipt().GetId(), err
	})
	require.NotEqual(t, given, less)
	require.Equal(t, before.Size+2, h.verify().Size)
}

// atOnce does the same twenty times at once; all must give the same id.
func (h *house) atOnce(do func() (string, error)) string {
	h.t.Helper()
	ids, errs := make([]string, 20), make([]error, 20)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i], errs[i] = do() })
	}
	all.Wait()
	for i := range ids {
		require.NoError(h.t, errs[i])
		require.Equal(h.t, ids[0], ids[i])
	}
	return ids[0]
}

// Of all these requests and answers nothing is in the files of the record: no number
// of a person, no amount.
func TestNothingOfARequestIsAtRest(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	b, err := h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)
	h.withdraw(f.care)
	_, err = h.compose(h.municipality().call(header, key), h.about(f))
	require.NoError(t, err)
	require.EqualValues(t, wmoCents+wlzCents*2, b.GetCareTotalCents())
	needles := []string{
		f.p.bsn, f.q.bsn, "7654321098", "76543210.98", "76543210,98", "8765432109", "87654321.09", "2319999123", "23199991.23", "1234567890", "2345678901",
		award, decided, key, "their-household",
	}
	files, err := filepath.Glob(h.path + "*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotEmpty(t, raw)
		for _, needle := range needles {
			require.False(t, strings.Contains(string(raw), needle), "%q stands in %s", needle, filepath.Base(file))
		}
	}
	for _, row := range storetest.Rows(t, h.path) { // whose texts are in the file in fewer bytes
		var opening map[string][]struct{ Value []byte }
		require.NoError(t, json.Unmarshal(row.Opening, &opening))
		said := string(row.Leaf)
		for _, values := range opening {
			for _, v := range values {
				said += "\n" + string(v.Value)
			}
		}
		for _, needle := range needles {
			require.NotContains(t, said, needle, "entry %d", row.Index)
		}
	}
	for _, needle := range needles {
		require.NotContains(t, h.said.String(), needle, "the request log")
	}
}
