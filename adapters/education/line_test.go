package education

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

const record = `{"swv":"VO2602","brin":"00XX","onderwijsnummer":"199940065","soort":"arrangement","nummer":"ARR-24-118",
"schooljaar":"2024-2025","bedrag":"4800,00","ontvanger":"school"}`

const one = `{"toekenningen":[` + record + `]}`

func pupil(t testing.TB) adapters.Number {
	n, err := adapters.TakeEducationNumber(&budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{EducationNumber: "199940065"},
	})
	require.NoError(t, err)
	return n
}

// parsed is the mapping, and its own tests pass.
var parsed = sync.OnceValues(func() (*mapping.Mapping, error) { return mapping.Validate(rest.Kind{}, mapped) })

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	m, err := parsed()
	require.NoError(t, err)
	w := trial.Writer(t, "EDU")
	return w, m.ReadAnswer([]byte(raw), pupil(t), mapping.Us{Party: "SWV2602", Codes: []string{"2602"}}, w)
}

func answer(t testing.TB, raw string) *budgetv1.FetchResponse {
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestAwardIsReadOverItsSchoolYear(t *testing.T) {
	l := answer(t, one).GetLines()[0]
	require.Equal(t, "2024-08-01", l.GetPeriod().GetStart())
	require.Equal(t, "2025-07-31", l.GetPeriod().GetEnd())
	require.Equal(t, "ARR", l.GetProduct().GetCode())
	require.Equal(t, "PROVISION SUBSIDY RINGFENCED", l.GetKind()+" "+l.GetDeliveryForm()+" "+l.GetFungibility())
	require.Equal(t, int64(480000), l.GetAmount().GetCents())
	require.Equal(t, "PERIOD_TOTAL", l.GetAmount().GetBasis())
	require.Equal(t, "ARR-24-118", l.GetDecision().GetNumber())
	require.Equal(t, "00XX", l.GetProvider())
	require.Equal(t, "education", l.GetProvenance()[0].GetRecordType())
}

func TestAmountsAsTheyAreWritten(t *testing.T) {
	for text, cents := range map[string]int64{`"4.800,00"`: 480000, `4800`: 480000, `4800.5`: 480050, `"0,01"`: 1, `"0"`: 0} {
		l := answer(t, strings.Replace(one, `"4800,00"`, text, 1)).GetLines()[0]
		require.NotNil(t, l.GetAmount(), text)
		require.Equal(t, cents, l.GetAmount().GetCents(), text)
	}
	require.Nil(t, answer(t, strings.Replace(one, `"4800,00"`, "null", 1)).GetLines()[0].GetAmount())
}

func TestKindOfSupport(t *testing.T) {
	for kind, code := range map[string]string{
		"tlv": "TLV", "TLV": "TLV", "Toelaatbaarheidsverklaring": "TLV", "ARRANGEMENT": "ARR", " arrangement ": "ARR", "maatwerk": "MAATWERK",
	} {
		a := answer(t, strings.Replace(one, `"arrangement"`, `"`+kind+`"`, 1))
		require.Equal(t, code, a.GetLines()[0].GetProduct().GetCode())
		require.Equal(t, code == "MAATWERK", len(a.GetNotices()) == 1, kind)
	}
}

func TestReceiverIsASchoolOrIsNotTold(t *testing.T) {
	for from, want := range map[string]string{
		`"brin":"00XX"`: "00XX", `"brin":"00XX01"`: "00XX01", `"brin":"mevrouw"`: "school", `"brin":null`: "school", `"brin":"00X"`: "school",
	} {
		require.Equal(t, want, answer(t, strings.Replace(one, `"brin":"00XX"`, from, 1)).GetLines()[0].GetProvider())
	}
	a := answer(t, strings.Replace(one, `"school"`, `"de heer Een"`, 1))
	require.Empty(t, a.GetLines()[0].GetProvider())
	require.Equal(t, "/toekenningen/0/ontvanger", a.GetNotices()[0].GetPointer())
}

func TestCodeOfThePartnership(t *testing.T) {
	for code, ours := range map[string]bool{"VO2602": true, "PO2602": true, "2602": true, "SWV": false, "": false, "26-02": false} {
		w, err := read(t, strings.Replace(one, "VO2602", code, 1))
		if !ours {
			trial.Odd(t, w, err, "/toekenningen/0/swv")
			continue
		}
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Len(t, a.GetLines(), 1)
	}
}

func TestOddAwardCostsItselfAlone(t *testing.T) {
	at := "/toekenningen/0"
	for _, c := range []struct{ from, to, path string }{
		{"199940065", "199940077", at + "/onderwijsnummer"},
		{`"onderwijsnummer":"199940065",`, "", at + "/onderwijsnummer"},
		{"VO2602", "VO2603", at + "/swv"},
		{`"swv":"VO2602",`, "", at + "/swv"},
		{"2024-2025", "2024", at + "/schooljaar"},
		{"2024-2025", "2024-2026", at + "/schooljaar"},
		{"2024-2025", "2025-2024", at + "/schooljaar"},
		{"2024-2025", "24-25", at + "/schooljaar"},
		{"2024-2025", "2024-2025-2026", at + "/schooljaar"},
		{"2024-2025", "9999-10000", at + "/schooljaar"},
		{"4800,00", "4800,005", at + "/bedrag"},
		{"4800,00", "-4800,00", at + "/bedrag"},
		{"4800,00", "9999999999,00", at + "/bedrag"},
		{`"arrangement"`, `"hulp voor Een"`, "education: product.code"},
		{`"arrangement"`, `""`, "education: product.code"},
		{`"arrangement"`, `{}`, at + "/soort"},
		{"ARR-24-118", strings.Repeat("1", 65), "education: decision.number"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Odd(t, w, err, c.path)
	}
}

func TestAnswerThatIsNotAllIsRefused(t *testing.T) {
	for _, c := range []struct{ from, to, path string }{
		{"toekenningen", "andere", "/toekenningen"},
		{"]}", "", "/"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzAwards(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, `"arrangement"`, `"tlv"`, 1)))
	f.Add([]byte(`{"toekenningen":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}

func FuzzBesideAMutatedAward(f *testing.F) {
	trial.Beside(f, record, func(t testing.TB, mutated string) (*adapters.Writer, error) {
		return read(t, `{"toekenningen":[`+strings.Replace(record, "arrangement", "tlv", 1)+","+mutated+","+strings.Replace(record, "arrangement", "x", 1)+`]}`)
	}, "EDU/TLV 480000", "EDU/X 480000")
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	trial.Whole(t, [2]string{record, strings.Replace(record, "arrangement", "tlv", 1)}, func(records ...string) string {
		return `{"toekenningen":[` + strings.Join(records, ",") + `]}`
	}, func(raw string) (*adapters.Writer, error) { return read(t, raw) })
}
