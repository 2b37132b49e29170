package cak

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const record = `{"Bsn":"999940004","Wet":"Wmo","BedragPerMaand":2100,"Ingangsdatum":"2025-01-01","Einddatum":"2025-04-30","Huishouden":"H-1"}`

const one = `{"eigenbijdragen":[` + record + `]}`

// parsed is the mapping, and its own tests pass.
var parsed = sync.OnceValues(func() (*mapping.Mapping, error) { return mapping.Validate(rest.Kind{}, mapped) })

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	m, err := parsed()
	require.NoError(t, err)
	w := trial.Writer(t, "WMO", "WLZ")
	return w, m.ReadAnswer([]byte(raw), trial.BSN(t), mapping.Us{Party: "CAK"}, w)
}

func answer(t testing.TB, raw string) *budgetv1.FetchResponse {
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestContributionKeepsItsNumbers(t *testing.T) {
	for act, law := range map[string]string{"Wmo": "WMO", "wlz": "WLZ", " WMO ": "WMO"} {
		c := answer(t, strings.Replace(one, "Wmo", act, 1)).GetOwnContributions()[0]
		require.Equal(t, law, c.GetLaw())
		require.Equal(t, int64(2100), c.GetCentsPerMonth())
		require.Equal(t, "2025-01-01", c.GetPeriod().GetStart())
		require.Equal(t, "2025-04-30", c.GetPeriod().GetEnd())
	}
}

func TestOpenEndAndUnknownAmount(t *testing.T) {
	for _, end := range []string{`,"Einddatum":null`, `,"Einddatum":""`, ``} {
		c := answer(t, strings.Replace(one, `,"Einddatum":"2025-04-30"`, end, 1)).GetOwnContributions()[0]
		require.Nil(t, c.GetPeriod().End)
	}
	c := answer(t, strings.Replace(one, "2100", "null", 1)).GetOwnContributions()[0]
	require.Nil(t, c.CentsPerMonth, "not known is not zero")
	require.NotNil(t, answer(t, strings.Replace(one, "2100", "0", 1)).GetOwnContributions()[0].CentsPerMonth)
}

func TestKeyOfTheHouseholdDoesNotLeave(t *testing.T) {
	for _, key := range []string{`"Huishouden":"H-1"`, `"Huishoudsleutel":"H-1"`, `"Huishouden":4711`} {
		c := answer(t, strings.Replace(one, `"Huishouden":"H-1"`, key, 1)).GetOwnContributions()[0]
		require.Regexp(t, "^[0-9a-f]{64}$", c.GetHousehold())
	}
	require.Empty(t, answer(t, strings.Replace(one, `"H-1"`, "null", 1)).GetOwnContributions()[0].GetHousehold(), "the person alone")
}

func TestUnknownActIsToldAndGivesNothing(t *testing.T) {
	a := answer(t, strings.Replace(one, "Wmo", "AWBZ", 1))
	require.Empty(t, a.GetOwnContributions())
	require.Len(t, a.GetNotices(), 2)
	require.Equal(t, "/eigenbijdragen/0/Wet", a.GetNotices()[0].GetPointer())
	require.NotContains(t, a.String(), "AWBZ")
}

func TestOddContributionCostsItselfAlone(t *testing.T) {
	at := "/eigenbijdragen/0"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/Bsn"},
		{`"Bsn":"999940004",`, "", at + "/Bsn"},
		{":2100", `:"21,00"`, at + "/BedragPerMaand"},
		{":2100", ":-2100", at + "/BedragPerMaand"},
		{":2100", ":100000000001", at + "/BedragPerMaand"},
		{":2100", ":[]", at + "/BedragPerMaand"},
		{"2025-01-01", "20250101", at + "/Ingangsdatum"},
		{"2025-04-30", "2024-04-30", at},
		{"2025-04-30", "2025-04-00", at},
		{"H-1", strings.Repeat("H", 257), at + "/Huishouden"},
		{`"H-1"`, "{}", at + "/Huishouden"},
		{`"H-1"`, `"H-1","Huishoudsleutel":"H-2"`, at + "/Huishouden"},
		{`"Wet":"Wmo",`, "", at + "/Wet"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Odd(t, w, err, c.path)
	}
}

func TestAnswerThatIsNotAllIsRefused(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"eigenbijdragen", "andere", "/eigenbijdragen"},
		{"]}", "", "/"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzContributions(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, "Wmo", "Zvw", 1)))
	f.Add([]byte(`{"eigenbijdragen":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}

func FuzzBesideAMutatedContribution(f *testing.F) {
	trial.Beside(f, record, func(t testing.TB, mutated string) (*adapters.Writer, error) {
		return read(t, `{"eigenbijdragen":[`+strings.Replace(record, "2100", "1", 1)+","+mutated+","+strings.Replace(record, "2100", "2", 1)+`]}`)
	}, "own WMO 1", "own WMO 2")
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	trial.Whole(t, [2]string{record, strings.Replace(record, "2100", "1", 1)}, func(records ...string) string {
		return `{"eigenbijdragen":[` + strings.Join(records, ",") + `]}`
	}, func(raw string) (*adapters.Writer, error) { return read(t, raw) })
}
