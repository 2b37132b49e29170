// Package trial answers: what would come of these records? It is for the tests of an
// adapter: a writer to write to, checks of what came of it, and certificates for a
// system that the test plays.
package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
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

// Odd checks that a reader skipped one record, at a path, and that the answer has a gap
// for it. It gives the answer, in which what is sound beside it stands.
func Odd(t testing.TB, w *adapters.Writer, err error, path string) *budgetv1.FetchResponse {
	t.Helper()
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	var gaps []string
	for _, n := range a.GetNotices() {
		if n.GetGap() != "" {
			gaps = append(gaps, n.GetGap()+" "+n.GetPointer())
		}
	}
	require.Equal(t, []string{budgetv1.GapRecordSkipped + " " + path}, gaps)
	return a
}

// Beside is the fuzz test of a JSON format: it changes one record, and what comes of the
// sound ones beside it must stand. read reads an answer in which the changed record stands
// among the sound ones; sound lists what comes of those, as law/product and cents or volume, or as own, law and cents. What is no
// JSON at all breaks the whole answer and is left out.
func Beside(f *testing.F, record string, read func(t testing.TB, mutated string) (*adapters.Writer, error), sound ...string) {
	f.Add(record)
	for _, name := range names(record) {
		f.Add(strings.Replace(record, name, `"x`+name[1:], 1))
		f.Add(strings.Replace(record, name, strings.ToUpper(name), 1))
		f.Add(strings.Replace(record, name, name+`:null,`+name, 1))
	}
	f.Fuzz(func(t *testing.T, mutated string) {
		if !json.Valid([]byte(mutated)) {
			return
		}
		w, err := read(t, mutated)
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		var lines []string
		for _, l := range a.GetLines() {
			what := l.GetQuantity().GetVolume()
			if l.GetAmount() != nil {
				what = fmt.Sprint(l.GetAmount().GetCents())
			}
			lines = append(lines, l.GetLaw()+"/"+l.GetProduct().GetCode()+" "+what)
		}
		for _, c := range a.GetOwnContributions() {
			lines = append(lines, fmt.Sprint("own ", c.GetLaw(), " ", c.GetCentsPerMonth()))
		}
		require.Subset(t, lines, sound)
		if len(lines)+len(a.GetHistory()) == len(sound) {
			require.NotEmpty(t, a.GetNotices(), "the record is gone without a word")
		}
	})
}

// names lists the member names of a JSON text, with their quotes.
func names(record string) []string {
	all := regexp.MustCompile(`"[A-Za-z]+" ?:`).FindAllString(record, -1)
	for i := range all {
		all[i] = strings.TrimRight(all[i], " :")
	}
	return all
}
