// Package testwriter answers: what would come of these records? It gives tests
// of a native format a Writer to write to.
package testwriter

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Number of the person that the records of a test are about.
const Number = "999940004"

// BSN is the number in its own type.
func BSN(t testing.TB) identity.BSN {
	bsn, err := identity.ParseBSN(Number)
	require.NoError(t, err)
	return bsn
}

// New gives a writer for a question over 2025 in which everything is granted.
func New(t testing.TB, laws ...string) *adapters.Writer {
	r := &budgetv1.FetchRequest{
		Window: &budgetv1.Window{From: "2025-01-01", To: "2025-12-31"}, HistoryFrom: "2024-01-01",
	}
	var all []string
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	for _, law := range laws {
		r.Scopes = append(r.Scopes, &budgetv1.Scope{Law: law, Categories: all})
	}
	w, err := adapters.NewWriter(r, adapters.Origin{Adapter: "test", Version: "1", Key: bytes.Repeat([]byte{1}, 32)})
	require.NoError(t, err)
	return w
}

// Settle checks what a reader of outside bytes may do with them: refuse them with
// a reason that quotes nothing, or write what makes a valid answer or a refusal.
func Settle(t testing.TB, w *adapters.Writer, err error) {
	if err == nil {
		_, err = w.Response()
	}
	if err != nil {
		require.Contains(t, []string{
			adapters.ReasonBadData, adapters.ReasonNotAuthorised, adapters.ReasonSourceUnavailable,
			adapters.ReasonSourceTimeout, adapters.ReasonAdapterBug,
		}, adapters.Reason(err))
		require.NotContains(t, err.Error()+adapters.Path(err), Number)
	}
}

// Refused checks that a reader refused bad data and names the place.
func Refused(t testing.TB, w *adapters.Writer, err error, path string) {
	t.Helper()
	if err == nil {
		_, err = w.Response()
	}
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "%v", err)
	require.Equal(t, path, adapters.Path(err))
}
