// Package trial answers: what would come of these records? It is for the tests of an
// adapter: a writer to write to, checks of what came of it, and certificates for a
// system that the test plays.
package trial

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Number is the BSN of the person that the records of a trial are about. No person has it.
const Number = "999940004"

// BSN is the number in its own type.
func BSN(t testing.TB) adapters.BSN {
	bsn, err := adapters.TakeBSN(&budgetv1.FetchRequest{Identifiers: &budgetv1.Identifiers{Bsn: Number}})
	require.NoError(t, err)
	return bsn
}

// Writer gives a writer for a request over 2025, with history over 2024, in which every
// category is granted under each of the laws.
func Writer(t testing.TB, laws ...string) *adapters.Writer {
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

// Settle checks, given what a reader wrote and the error it returned, that it did with
// outside bytes what it may: refuse them with a reason of the closed list that quotes
// nothing of them, or write what gives a valid answer. It is for fuzz tests.
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

// Refused checks that a reader, or the answer made of what it wrote, was refused as bad
// data at a path. w may be nil when err is not.
func Refused(t testing.TB, w *adapters.Writer, err error, path string) {
	t.Helper()
	if err == nil {
		_, err = w.Response()
	}
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), "%v", err)
	require.Equal(t, path, adapters.Path(err))
}
