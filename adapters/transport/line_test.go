package transport

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

const record = `{"pas":"VAL-1","pkbKm":350,"vanaf":"2025-07-01","tot":"2025-12-31"}`

const one = `{"passen":[` + record + `]}`

// parsed is the mapping, and its own tests pass.
var parsed = sync.OnceValues(func() (*mapping.Mapping, error) { return mapping.Validate(rest.Kind{}, mapped) })

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	n, err := adapters.TakePassNumber(&budgetv1.FetchRequest{Identifiers: &budgetv1.Identifiers{PassNumber: "VAL-1"}})
	require.NoError(t, err)
	m, err := parsed()
	require.NoError(t, err)
	w := trial.Writer(t, "VALYS")
	return w, m.ReadAnswer([]byte(raw), n, mapping.Us{Party: "VALYS"}, w)
}

func answer(t testing.TB, raw string) *budgetv1.FetchResponse {
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestKilometresAreNoMoney(t *testing.T) {
	// Money that a system should send all the same is not read.
	l := answer(t, strings.Replace(one, `"vanaf"`, `"bedrag":"100,00","vanaf"`, 1)).GetLines()[0]
	require.Nil(t, l.GetAmount())
	require.Nil(t, l.GetIncome())
	require.Equal(t, "350 KM 6", l.GetQuantity().GetVolume()+" "+l.GetQuantity().GetUnit()+" "+l.GetQuantity().GetFrequency())
	require.Equal(t, "PROVISION ZIN IN_KIND", l.GetKind()+" "+l.GetDeliveryForm()+" "+l.GetFungibility())
	require.Equal(t, "PKB-STD", l.GetProduct().GetCode())
	require.Equal(t, "persoonlijk kilometerbudget", l.GetProduct().GetLabel())
	require.Empty(t, l.GetProvenance()[0].GetRecordId(), "the number of the pass is no id of a record")
}

func TestPassWithoutEndOrKilometres(t *testing.T) {
	for _, end := range []string{`,"tot":null`, `,"tot":""`, ``} {
		l := answer(t, strings.Replace(one, `,"tot":"2025-12-31"`, end, 1)).GetLines()[0]
		require.Nil(t, l.GetPeriod().End)
		require.Equal(t, "350", l.GetQuantity().GetVolume())
		require.Empty(t, l.GetQuantity().GetFrequency(), "a total over no known period")
	}
	require.Nil(t, answer(t, strings.Replace(one, "350", "null", 1)).GetLines()[0].GetQuantity())
	require.Equal(t, "0", answer(t, strings.Replace(one, "350", "0", 1)).GetLines()[0].GetQuantity().GetVolume())
}

func TestSeveralPassesOfOneTraveller(t *testing.T) {
	other := strings.NewReplacer("2025-07-01", "2025-01-01", "2025-12-31", "2025-06-30").Replace(record)
	require.Len(t, answer(t, strings.Replace(one, record, record+","+other, 1)).GetLines(), 2)
	require.Len(t, answer(t, strings.Replace(one, record, record+","+record, 1)).GetLines(), 1, "it came twice and counts once")
}

func TestOddPassCostsItselfAlone(t *testing.T) {
	at := "/passen/0"
	for _, c := range []struct{ from, to, path string }{
		{"VAL-1", "VAL-2", at + "/pas"},
		{`"pas":"VAL-1",`, "", at + "/pas"},
		{":350", ":-350", at + "/pkbKm"},
		{":350", ":1000000000", at + "/pkbKm"},
		{":350", ":true", at + "/pkbKm"},
		{":350", `:"1.500"`, at + "/pkbKm"},
		{"2025-07-01", "01-07-2025", at + "/vanaf"},
		{"2025-12-31", "2025-02-30", at + "/tot"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Odd(t, w, err, c.path)
	}
}

func TestAnswerThatIsNotAllIsRefused(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"passen", "andere", "/passen"},
		{"]}", "", "/"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzPasses(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, `"2025-12-31"`, "null", 1)))
	f.Add([]byte(`{"passen":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}

func FuzzBesideAMutatedPass(f *testing.F) {
	trial.Beside(f, record, func(t testing.TB, mutated string) (*adapters.Writer, error) {
		return read(t, `{"passen":[`+strings.Replace(record, "350", "1", 1)+","+mutated+","+strings.Replace(record, "350", "2", 1)+`]}`)
	}, "VALYS/PKB-STD 1", "VALYS/PKB-STD 2")
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	trial.Whole(t, [2]string{record, strings.Replace(record, "350", "1", 1)}, func(records ...string) string {
		return `{"passen":[` + strings.Join(records, ",") + `]}`
	}, func(raw string) (*adapters.Writer, error) { return read(t, raw) })
}
