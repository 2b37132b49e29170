package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// pages gets a list page by page and gives all its ids; get gives those of one page.
func pages(t *testing.T, get func(size int32, token string) ([]string, string, error), size int32, between func()) (all []string) {
	t.Helper()
	for token := ""; ; between() {
		ids, next, err := get(size, token)
		require.NoError(t, err)
		require.LessOrEqual(t, len(ids), int(size))
		all = append(all, ids...)
		if token = next; token == "" {
			return all
		}
		require.Less(t, len(all), 100)
	}
}

// A list that does not fit says so, and goes on where it stopped, whatever is registered
// meanwhile.
func TestListsComeInPages(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	for _, source := range []string{"GM0119", "ZK5503", "UWV", "SVB", "CAK"} {
		h.give(p, "", all(source)...)
	}
	consents := func(size int32, token string) (ids []string, next string, err error) {
		list, err := h.ListConsents(h.municipality().call(), &ontschotv1.ListConsentsRequest{
			Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}, Purpose: h.family.Case.Purpose, PageSize: size, PageToken: token,
		})
		for _, r := range list.GetReceipts() {
			ids = append(ids, r.GetId())
		}
		return ids, list.GetNextPageToken(), err
	}
	agreements := func(size int32, token string) (ids []string, next string, err error) {
		list, err := h.ListAgreements(h.municipality().call(), &ontschotv1.ListAgreementsRequest{PageSize: size, PageToken: token})
		for _, a := range list.GetAgreements() {
			ids = append(ids, a.GetId())
		}
		return ids, list.GetNextPageToken(), err
	}
	for name, c := range map[string]struct {
		get  func(int32, string) ([]string, string, error)
		more func()
	}{
		"consents":   {consents, func() { h.give(p, "", all("UWV")...) }},
		"agreements": {agreements, func() { h.agree("UWV", func(t *agreement.Terms) { t.Replaces = h.agreements["UWV"] }) }},
	} {
		whole, next, err := c.get(0, "")
		require.NoError(t, err)
		require.Empty(t, next, "%s: it all fits", name)
		require.GreaterOrEqual(t, len(whole), 4)
		for size := int32(1); size < 7; size++ {
			require.Equal(t, whole, pages(t, c.get, size, func() {}), "%s by %d", name, size)
		}
		require.Equal(t, whole, pages(t, c.get, 2, c.more), "%s: what comes meanwhile is in front of what was begun", name)
		_, _, err = c.get(2, "nobody's")
		require.Equal(t, "INVALID_FIELD", reasonOf(err), name)
		_, _, err = c.get(501, "")
		require.Equal(t, "INVALID_FIELD", reasonOf(err), name)
	}
}
