package uwv

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const answer = `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Antwoord>
<ClientSuwi><Burgerservicenr>999940004</Burgerservicenr><Uitkeringsverhouding>
<DatBUitkeringsverhouding>20240201</DatBUitkeringsverhouding><SzWet><CdSzWet>WIA</CdSzWet></SzWet><Uitkeringsperiode>
<DatBUitkeringsperiode>20240201</DatBUitkeringsperiode><BrutoUitkeringsbedr><CdMunteenheid>EUR</CdMunteenheid>
<WaardeBedr>231000</WaardeBedr><CdUitkeringsperiode>6</CdUitkeringsperiode></BrutoUitkeringsbedr></Uitkeringsperiode>
</Uitkeringsverhouding><Voorziening><soort>jobcoach</soort><DatB>20250901</DatB><DatE>20260228</DatE>
<WaardeBedr>270000</WaardeBedr></Voorziening></ClientSuwi></Antwoord></s:Body></s:Envelope>`

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WIA", "WAJONG", "WW", "ZW", "UWV_PROVISION")
	return w, reader{bsn: trial.BSN(t), party: "UWV"}.read([]byte(raw), w)
}

func TestPeriodCodes(t *testing.T) {
	for code, want := range map[string]string{
		"1": "PER_DAY", "2": "PER_WEEK", "3": "PER_2_WEEKS", "4": "PER_4_WEEKS", "6": "PER_MONTH", "7": "PER_QUARTER",
		"8": "PER_YEAR", "9": "ONE_OFF", "06": "PER_MONTH", "5": "", "0": "", "": "", "M": "",
	} {
		w, err := read(t, strings.Replace(answer, ">6<", ">"+code+"<", 1))
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		if want == "ONE_OFF" { // of 2024: paid, and no part of 2025
			require.Len(t, a.GetHistory(), 1)
			continue
		}
		income := a.GetLines()[1].GetIncome()
		require.Equal(t, want, income.GetBasis(), code)
		require.Equal(t, want == "", len(a.GetNotices()) == 1, code)
		if want != "" {
			require.True(t, income.GetGross())
			require.Equal(t, int64(231000), income.GetCents())
		}
	}
}

func TestActs(t *testing.T) {
	for code, want := range map[string]string{"WIA": "WIA", "WAJ": "WAJONG", "WW": "WW", "ZW": "ZW", "TW": "", "PW": ""} {
		w, err := read(t, strings.Replace(answer, ">WIA<", ">"+code+"<", 1))
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		if want == "" {
			require.Len(t, a.GetLines(), 1, "the provision")
			require.Len(t, a.GetNotices(), 2)
			continue
		}
		line := a.GetLines()[0]
		if line.GetLaw() == "UWV_PROVISION" {
			line = a.GetLines()[1]
		}
		require.Equal(t, []string{want, code, "CdSzWet"},
			[]string{line.GetLaw(), line.GetProduct().GetCode(), line.GetProduct().GetSystem()})
	}
}

// A total without an end has no value in any window. A notice says so; and where
// there is no amount there is nothing to say.
func TestAmountOfAProvisionWithoutAnEndIsToldToBeSkipped(t *testing.T) {
	const end = "<DatE>20260228</DatE>"
	for name, c := range map[string]struct {
		raw     string
		cents   int64
		skipped bool
	}{
		"with an end":            {answer, 270000, false},
		"without an end":         {strings.Replace(answer, end, "", 1), 0, true},
		"with an end far away":   {strings.Replace(answer, end, "<DatE>99991231</DatE>", 1), 0, true},
		"neither end nor amount": {strings.NewReplacer(end, "", "<WaardeBedr>270000</WaardeBedr>", "").Replace(answer), 0, false},
	} {
		w, err := read(t, c.raw)
		require.NoError(t, err, name)
		a, err := w.Response()
		require.NoError(t, err, name)
		i := slices.IndexFunc(a.GetLines(), func(l *budgetv1.BudgetLine) bool { return l.GetLaw() == "UWV_PROVISION" })
		require.GreaterOrEqual(t, i, 0, name)
		require.Equal(t, c.cents, a.GetLines()[i].GetAmount().GetCents(), name)
		if !c.skipped {
			require.Empty(t, a.GetNotices(), name)
			continue
		}
		require.Nil(t, a.GetLines()[i].GetAmount(), name)
		require.Len(t, a.GetNotices(), 1, name)
		require.Equal(t, adapters.SkippedAmount, a.GetNotices()[0].GetReason(), name)
		require.Equal(t, "UWV_PROVISION", a.GetNotices()[0].GetLaw(), name)
	}
}

func TestFaultsHaveTheirReason(t *testing.T) {
	for code, want := range map[string]string{
		"soap:Server": adapters.ReasonSourceUnavailable, "Server": adapters.ReasonSourceUnavailable,
		"soap:Server.Timeout": adapters.ReasonSourceTimeout, "soap:Client": adapters.ReasonAdapterBug,
		"soap:Client.Authentication": adapters.ReasonNotAuthorised, "soap:Client.Authorization": adapters.ReasonNotAuthorised,
	} {
		_, err := read(t, `<soap:Envelope xmlns:soap="`+soapSpace+`"><soap:Body><soap:Fault><faultcode>`+code+
			`</faultcode><faultstring>999940004</faultstring></soap:Fault></soap:Body></soap:Envelope>`)
		require.Equal(t, want, adapters.Reason(err), code)
		require.NotContains(t, err.Error(), "999940004")
	}
}

func TestWrongAnswerIsRefusedAtItsPlace(t *testing.T) {
	at := "/Antwoord/ClientSuwi/0"
	period := at + "/Uitkeringsverhouding/0/Uitkeringsperiode/0/BrutoUitkeringsbedr/0"
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", at + "/Burgerservicenr"},
		{">EUR<", ">NLG<", period + "/CdMunteenheid"},
		{">231000<", ">2310,00<", period + "/WaardeBedr"},
		{"<DatBUitkeringsperiode>20240201", "<DatBUitkeringsperiode>2024-02-01", period},
		{">270000<", ">x<", at + "/Voorziening/0/WaardeBedr"},
		{">20260228<", ">20260229<", at + "/Voorziening/0"},
		{"jobcoach", "job coach", "suwi/Voorziening/0: product.code"},
		{"<Antwoord>", "<Iets>", "/"},
	} {
		w, err := read(t, strings.Replace(answer, c.from, c.to, 1))
		trial.Refused(t, w, err, c.path)
	}
	w, err := read(t, `<a/>`)
	trial.Refused(t, w, err, "/Envelope/Body/Antwoord")
}

func TestQuestionNamesOnlyWhatIsAsked(t *testing.T) {
	raw, err := request(trial.BSN(t), []string{"WAJONG", "ZW"})
	require.NoError(t, err)
	require.Contains(t, string(raw), "<CdSzWet>WAJ</CdSzWet>")
	require.NotContains(t, string(raw), "IndVoorziening")
	require.NotContains(t, string(raw), "WIA")
	raw, err = request(trial.BSN(t), []string{"UWV_PROVISION"})
	require.NoError(t, err)
	require.NotContains(t, string(raw), "CdSzWet")
	require.Contains(t, string(raw), "<IndVoorziening>1</IndVoorziening>")
}

func FuzzSOAP(f *testing.F) {
	f.Add([]byte(answer))
	f.Add([]byte(strings.Replace(answer, ">6<", ">9<", 1)))
	f.Add([]byte(`<s:Envelope xmlns:s="` + soapSpace + `"><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}
