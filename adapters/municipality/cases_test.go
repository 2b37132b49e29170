package municipality

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
)

const one = `{"_embedded":{"aanvraag":[{"identificatie":"1","bsn":"999940004","regeling":{"identificatie":"WMO"},
"beschikking":{"beschikkingNummer":7,"datumAfgifte":"2024-12-12","beschikteProducten":[{"product":{"identificatie":"02A03"},
"productCategorie":{"code":"02"},"resultaat":"toegewezen","toegewezenProduct":{"datumIngangGeldigheid":"2025-01-01",
"datumEindeGeldigheid":"2025-12-31","leveringsvorm":"pgb","omvang":{"volume":4,"eenheid":{"code":"04"},"frequentie":{"code":"2"}},
"budget":{"bedrag":"1500,00","per":"jaar"}}}]}}]}}`

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW", "LLV")
	return w, cases{bsn: trial.BSN(t), party: "GM0119"}.read([]byte(raw), w)
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
		`"1960,00","per":"beschikking"`: {196000, "PERIOD_TOTAL"},
		`"1960,00","per":"eenmalig"`:    {196000, "ONE_OFF"},
	} {
		w, err := read(t, strings.Replace(one, `"1500,00","per":"jaar"`, text, 1))
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Equal(t, want.cents, a.GetLines()[0].GetAmount().GetCents(), text)
		require.Equal(t, want.basis, a.GetLines()[0].GetAmount().GetBasis(), text)
	}
}

func TestSchoolTransportIsRingfenced(t *testing.T) {
	w, err := read(t, strings.Replace(one, "WMO", "LLV", 1))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	l := a.GetLines()[0]
	require.Equal(t, []string{"LLV", "02A03", "RINGFENCED", "PGB"},
		[]string{l.GetLaw(), l.GetProduct().GetCode(), l.GetFungibility(), l.GetDeliveryForm()})
}

func TestWrongApplicationIsRefusedAtItsPlace(t *testing.T) {
	at := "/_embedded/aanvraag/0"
	granted := at + "/beschikking/beschikteProducten/0/toegewezenProduct"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/bsn"},
		{"WMO", "PW", at + "/regeling/identificatie"},
		{"pgb", "mpt", granted + "/leveringsvorm"},
		{"1500,00", "1500,005", granted + "/budget/bedrag"},
		{"1500,00", "veel", granted + "/budget/bedrag"},
		{`"volume":4`, `"volume":"vier"`, granted + "/omvang/volume"},
		{"2025-01-01", "2025-13-01", granted + "/datumIngangGeldigheid"},
		{"2025-12-31", "2024-12-31", granted + "/datumEindeGeldigheid"},
		{`"code":"02"`, `"code":""`, "case_system/beschikking/beschikteProducten/0: product.code"},
		{`"code":"02"`, `"code":"02 Jan"`, "case_system/beschikking/beschikteProducten/0: product.code"},
		{`"aanvraag":[`, `"aanvraag":[7,`, at},
		{"{", "", "/"},
	} {
		w, err := read(t, strings.Replace(one, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
}

func FuzzCaseSystem(f *testing.F) {
	f.Add([]byte(one))
	f.Add([]byte(strings.Replace(one, "WMO", "LLV", 1)))
	f.Add([]byte(strings.Replace(one, `"jaar"`, `"beschikking"`, 1)))
	f.Add([]byte(`{"_embedded":{"aanvraag":[]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}
