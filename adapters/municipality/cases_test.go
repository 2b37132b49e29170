package municipality

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const record = `{"identificatie":"1","bsn":"999940004","regeling":{"identificatie":"WMO"},
"beschikking":{"beschikkingNummer":7,"datumAfgifte":"2024-12-12","beschikteProducten":[{"product":{"identificatie":"02A03"},
"productCategorie":{"code":"02"},"resultaat":"toegewezen","toegewezenProduct":{"datumIngangGeldigheid":"2025-01-01",
"datumEindeGeldigheid":"2025-12-31","leveringsvorm":"pgb","omvang":{"volume":4,"eenheid":{"code":"04"},"frequentie":{"code":"2"}},
"budget":{"bedrag":"1500,00","per":"jaar"}}}]}}`

func listed(records ...string) string {
	return `{"_embedded":{"aanvraag":[` + strings.Join(records, ",") + `]}}`
}

// other is an application for another product, of which nothing is changed.
func other(id, category string) string {
	return strings.NewReplacer(`"identificatie":"1"`, `"identificatie":"`+id+`"`, `"code":"02"`, `"code":"`+category+`"`).Replace(record)
}

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW", "LLV")
	found, err := source.OnePage([]byte(raw), list)
	if err != nil {
		return w, err
	}
	return w, cases{bsn: trial.BSN(t), party: "GM0119"}.read(found, w)
}

func answer(t testing.TB, raw string) *budgetv1.FetchResponse {
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestBudgetIsReadWithItsBasis(t *testing.T) {
	for text, want := range map[string]struct {
		cents int64
		basis string
	}{
		`"1500,00","per":"jaar"`:        {150000, "PER_YEAR"},
		`"1.500,00","per":"Maand"`:      {150000, "PER_MONTH"},
		`1500.00,"per":"week"`:          {150000, "PER_WEEK"},
		`1500,"per":"4  weken"`:         {150000, "PER_4_WEEKS"},
		`"15","per":"kwartaal"`:         {1500, "PER_QUARTER"},
		`"0,10","per":"dag"`:            {10, "PER_DAY"},
		`12.5,"per":"dag"`:              {1250, "PER_DAY"},
		`"1960,00","per":"beschikking"`: {196000, "PERIOD_TOTAL"},
		`"1960,00","per":"eenmalig"`:    {196000, "ONE_OFF"},
	} {
		l := answer(t, listed(strings.Replace(record, `"1500,00","per":"jaar"`, text, 1))).GetLines()[0]
		require.Equal(t, want.cents, l.GetAmount().GetCents(), text)
		require.Equal(t, want.basis, l.GetAmount().GetBasis(), text)
	}
}

func TestSchoolTransportIsRingfenced(t *testing.T) {
	l := answer(t, listed(strings.Replace(record, "WMO", "LLV", 1))).GetLines()[0]
	require.Equal(t, []string{"LLV", "02A03", "RINGFENCED", "PGB"},
		[]string{l.GetLaw(), l.GetProduct().GetCode(), l.GetFungibility(), l.GetDeliveryForm()})
}

func TestCategoryHasTwoDigits(t *testing.T) {
	for _, code := range []string{`"7"`, `7`, `"07"`} {
		l := answer(t, listed(strings.Replace(record, `"code":"02"`, `"code":`+code, 1))).GetLines()[0]
		require.Equal(t, "07", l.GetProduct().GetCode())
	}
}

func TestCodesOfOmvangStandBareOrInAnObject(t *testing.T) {
	l := answer(t, listed(strings.Replace(record, `{"code":"04"}`, `"04"`, 1))).GetLines()[0]
	require.Equal(t, "04 2", l.GetQuantity().GetUnit()+" "+l.GetQuantity().GetFrequency())
}

func TestOddApplicationCostsItselfAlone(t *testing.T) {
	at := list
	at = "/" + at + "/1"
	product := at + "/beschikking/beschikteProducten/0"
	granted := product + "/toegewezenProduct"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/bsn"},
		{`"bsn":"999940004"`, `"bsn":"999940004","BSN":"999940016"`, at},
		{`"bsn":"999940004",`, ``, at + "/bsn"},
		{`"beschikkingNummer":7`, `"beschikkingNummer":7,"beschikkingNummer":7`, at + "/beschikking"},
		{`"beschikking":{`, `"Beschikking":{`, at},
		{"WMO", "PW", at + "/regeling/identificatie"},
		{"pgb", "mpt", granted + "/leveringsvorm"},
		{`"leveringsvorm":"pgb"`, `"leveringsvorm":null`, granted + "/leveringsvorm"},
		{`"leveringsvorm":"pgb"`, `"leveringsvorm":["pgb"]`, granted + "/leveringsvorm"},
		{`"resultaat":"toegewezen",`, ``, product + "/resultaat"},
		{`"toegewezenProduct":{`, `"geen":{`, product + "/resultaat"},
		{"1500,00", "1500,005", granted + "/budget/bedrag"},
		{`"1500,00"`, "150.125", granted + "/budget/bedrag"},
		{"1500,00", "-1500,00", granted + "/budget/bedrag"},
		{"1500,00", "veel", granted + "/budget/bedrag"},
		{`"volume":4`, `"volume":"vier"`, granted + "/omvang/volume"},
		{`"volume":4`, `"volume":"12.375"`, granted + "/omvang/volume"},
		{"2025-01-01", "2025-13-01", granted + "/datumIngangGeldigheid"},
		{`"datumIngangGeldigheid":"2025-01-01",`, ``, granted + "/datumIngangGeldigheid"},
		{"2025-12-31", "31-12-2025", granted + "/datumEindeGeldigheid"},
		{"2025-01-01", "2025-03-00", granted},
		{`"code":"02"`, `"code":""`, "case_system/beschikking/beschikteProducten/0: product.code"},
		{`"code":"02"`, `"code":"02 Jan"`, "case_system/beschikking/beschikteProducten/0: product.code"},
		{record, `7`, at},
		{record, `null`, at},
		{record, `[]`, at},
		{record, `{}`, at + "/bsn"},
		{record, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), at},
	} {
		require.Contains(t, record, c.from)
		w, err := read(t, listed(other("2", "07"), strings.Replace(record, c.from, c.to, 1), other("3", "08")))
		a := trial.Odd(t, w, err, c.path)
		require.Len(t, a.GetLines(), 2, c.to)
	}
}

// What is odd and lies wholly outside window and history costs nothing; an application of
// somebody else is never that.
func TestOddApplicationOfLongAgo(t *testing.T) {
	old := strings.NewReplacer("2025-01-01", "2019-01-01", "2025-12-31", "2019-12-31", `"pgb"`, `""`).Replace(record)
	for raw, gap := range map[string]bool{
		old:                                  false,
		strings.Replace(old, "WMO", "PW", 1): false,
		strings.Replace(old, "999940004", "999940016", 1):                                           true,
		strings.Replace(old, "2019-01-01", "2019-02-30", 1):                                         false,
		strings.Replace(old, `"2019-12-31"`, `null`, 1):                                             true,
		strings.Replace(old, `"2019-12-31"`, `"2019-12-31","datumEindeGeldigheid":"2025-12-31"`, 1): true,
	} {
		a := answer(t, listed(raw, other("2", "07")))
		require.Len(t, a.GetLines(), 1)
		require.Len(t, a.GetNotices(), 1)
		require.Equal(t, gap, a.GetNotices()[0].GetGap() != "", raw)
	}
}

func TestOddProductLeavesTheOthersOfItsApplication(t *testing.T) {
	var a map[string]any
	require.NoError(t, json.Unmarshal([]byte(record), &a))
	decision := a["beschikking"].(map[string]any)
	product := decision["beschikteProducten"].([]any)[0]
	decision["beschikteProducten"] = []any{product, map[string]any{"resultaat": "toegewezen"}, map[string]any{"resultaat": "afgewezen"}, map[string]any{}}
	raw, err := json.Marshal(a)
	require.NoError(t, err)
	w, err := read(t, listed(string(raw)))
	require.Len(t, trial.Odd(t, w, err, "/_embedded/aanvraag/0/beschikking/beschikteProducten/1/resultaat").GetLines(), 1)
}

func TestLapsedBeforeItBeganIsNoRight(t *testing.T) {
	a := answer(t, listed(strings.Replace(record, "2025-12-31", "2024-12-31", 1)))
	require.Empty(t, a.GetLines())
	require.Equal(t, adapters.SkippedLapsed, a.GetNotices()[0].GetReason())
	require.Empty(t, a.GetNotices()[0].GetGap())
}

func TestDayOfTheDecision(t *testing.T) {
	for text, want := range map[string]string{
		"2024-12-31T23:30:00Z": "2025-01-01", "2024-12-12T14:31:00": "2024-12-12", "0001-01-01T00:00:00": "", "2024-12-00": "", "": "",
	} {
		l := answer(t, listed(strings.Replace(record, "2024-12-12", text, 1))).GetLines()[0]
		require.Equal(t, want, l.GetDecision().GetIssued(), text)
	}
}

func TestAThousandOddApplicationsOfLongAgo(t *testing.T) {
	old := strings.NewReplacer("2025-01-01", "2019-01-01", "2025-12-31", "2019-12-31", `"pgb"`, `null`).Replace(record)
	a := answer(t, listed(strings.Repeat(old+",", 1500)+record))
	require.Len(t, a.GetLines(), 1)
	require.Len(t, a.GetNotices(), 1)
	require.EqualValues(t, 1500, a.GetNotices()[0].GetCount())
}

// Every member that is read stands in the table, and a member that does not is noticed
// and changes nothing.
func TestUnknownMembersAreNoticed(t *testing.T) {
	want := answer(t, listed(record)).GetLines()[0].GetAmount().GetCents()
	for _, object := range []string{`{"identificatie":"1"`, `{"identificatie":"WMO"`, `{"beschikkingNummer":7`, `{"product":`, `{"code":"02"`, `{"datumIngangGeldigheid":`, `{"volume":4`, `{"bedrag":`} {
		require.Contains(t, record, object)
		a := answer(t, listed(strings.Replace(record, object, `{"regenboog":[{"x":1}],`+object[1:], 1)))
		require.Equal(t, want, a.GetLines()[0].GetAmount().GetCents())
		require.Equal(t, []string{adapters.NoticeUnknownElement, "regenboog", ""},
			[]string{a.GetNotices()[0].GetCode(), a.GetNotices()[0].GetElement(), a.GetNotices()[0].GetGap()})
	}
	require.Empty(t, answer(t, listed(record)).GetNotices())
}

func FuzzCaseSystem(f *testing.F) {
	f.Add([]byte(listed(record)))
	f.Add([]byte(listed(strings.Replace(record, "WMO", "LLV", 1))))
	f.Add([]byte(listed(strings.Replace(record, `"jaar"`, `"beschikking"`, 1))))
	f.Add([]byte(listed()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}

func FuzzBesideAMutatedApplication(f *testing.F) {
	trial.Beside(f, record, func(t testing.TB, mutated string) (*adapters.Writer, error) {
		return read(t, listed(other("2", "07"), mutated, other("3", "08")))
	}, "WMO/07 150000", "WMO/08 150000")
}

func TestNoAnswerPassesForMoreThanItIs(t *testing.T) {
	trial.Whole(t, [2]string{record, other("2", "07")}, listed, func(raw string) (*adapters.Writer, error) { return read(t, raw) })
}
