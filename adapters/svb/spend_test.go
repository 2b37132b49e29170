package svb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const besteding = `<Besteding><Bsn>999940004</Bsn><Budgetidentificatie>W1</Budgetidentificatie>` +
	`<Zorgfunctie>02</Zorgfunctie><Begindatum>2025-01-01</Begindatum><Besteed>600000</Besteed>` +
	`<Peildatum>2025-06-30</Peildatum></Besteding>`

const one = `<?xml version="1.0"?><Bestedingen xmlns="urn:ontschot:svb:1">` + besteding + `</Bestedingen>`

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW")
	return w, reader{bsn: trial.BSN(t)}.read([]byte(raw), w)
}

func answer(t testing.TB, raw string) *budgetv1.FetchResponse {
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestFigureKeepsItsNumbers(t *testing.T) {
	s := answer(t, one).GetSpends()[0]
	require.Equal(t, "W1", s.GetBudget())
	require.Equal(t, "02", s.GetFunction())
	require.Equal(t, "2025-01-01", s.GetStart())
	require.Equal(t, int64(600000), s.GetCents())
	require.Equal(t, "2025-06-30", s.GetAsOf())
}

func TestCodesOfFunctions(t *testing.T) {
	for _, code := range []string{"0", "09", "AZ", "az", strings.Repeat("0", 16)} {
		require.Equal(t, code, answer(t, strings.Replace(one, ">02<", ">"+code+"<", 1)).GetSpends()[0].GetFunction())
	}
}

func TestBudgetThatWasRenumberedHasItsNewNumber(t *testing.T) {
	a := answer(t, strings.Replace(one, "<Zorgfunctie>", "<BudgetidentificatieOud>W0</BudgetidentificatieOud><Zorgfunctie>", 1))
	require.Equal(t, "W1", a.GetSpends()[0].GetBudget())
}

func TestNewestFigureHolds(t *testing.T) {
	older := strings.NewReplacer("2025-06-30", "2025-03-31", "600000", "300000").Replace(besteding)
	for _, raw := range []string{strings.Replace(one, besteding, besteding+older, 1), strings.Replace(one, besteding, older+besteding, 1)} {
		a := answer(t, raw)
		require.Len(t, a.GetSpends(), 1)
		require.Equal(t, int64(600000), a.GetSpends()[0].GetCents())
		require.Len(t, a.GetNotices(), 1)
		require.Equal(t, adapters.SkippedSuperseded, a.GetNotices()[0].GetReason())
	}
	require.Len(t, answer(t, strings.Replace(one, besteding, besteding+besteding, 1)).GetSpends(), 1, "it came twice and counts once")
	other := strings.Replace(besteding, "600000", "600001", 1)
	w, err := read(t, strings.Replace(one, besteding, besteding+other, 1))
	trial.Refused(t, w, err, "/Bestedingen/Besteding/1/Besteed")
}

func TestUnknownIsNotZero(t *testing.T) {
	s := answer(t, strings.Replace(one, "<Besteed>600000</Besteed>", "", 1)).GetSpends()[0]
	require.Nil(t, s.Cents)
	require.Empty(t, s.GetAsOf())
	zero := answer(t, strings.Replace(one, "600000", "0", 1)).GetSpends()[0]
	require.NotNil(t, zero.Cents)
	require.Equal(t, int64(-5), answer(t, strings.Replace(one, "600000", "-5", 1)).GetSpends()[0].GetCents())
}

func TestNothingSpentIsAnAnswer(t *testing.T) {
	require.Empty(t, answer(t, `<Bestedingen/>`).GetSpends())
}

func TestWrongFigureIsRefusedAtItsPlace(t *testing.T) {
	at := "/Bestedingen/Besteding/0"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/Bsn"},
		{"<Bsn>999940004</Bsn>", "", at + "/Bsn"},
		{"W1", " ", at + "/Budgetidentificatie"},
		{"W1", strings.Repeat("W", 65), "payments" + at + ": budget"},
		{">02<", "><", at + "/Zorgfunctie"},
		{">02<", ">begeleiding van Een<", at + "/Zorgfunctie"},
		{">02<", ">0{<", at + "/Zorgfunctie"},
		{">02<", ">0`<", at + "/Zorgfunctie"},
		{">02<", ">0[<", at + "/Zorgfunctie"},
		{">02<", ">0@<", at + "/Zorgfunctie"},
		{">02<", ">0:<", at + "/Zorgfunctie"},
		{">02<", ">0/<", at + "/Zorgfunctie"},
		{">02<", ">0é<", at + "/Zorgfunctie"},
		{">02<", ">" + strings.Repeat("0", 17) + "<", at + "/Zorgfunctie"},
		{"2025-01-01", "01-01-2025", at + "/Begindatum"},
		{"600000", "6000,00", at + "/Besteed"},
		{"600000", "100000000001", at + "/Besteed"},
		{"600000", "--5", at + "/Besteed"},
		{"2025-06-30", "", at + "/Peildatum"},
		{"2025-06-30", "2025-06-31", at + "/Peildatum"},
		{"</Bestedingen>", "", "/"},
		{"Bestedingen", "Besteding", "/"},
		{`<?xml version="1.0"?>`, `<!DOCTYPE x [<!ENTITY a "b">]>`, "/"},
		{besteding, strings.Repeat(besteding, 501), "/Bestedingen"},
	} {
		w, err := read(t, strings.ReplaceAll(one, c.from, c.to))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzSpendings(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, besteding, besteding+strings.Replace(besteding, "600000", "-1", 1), 1)))
	f.Add([]byte(`<Bestedingen/>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}
