package uwv

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/wss"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// answer holds a benefit by the month since 2024, and a provision.
const (
	before = `<?xml version="1.0"?><s:Envelope xmlns:s="` + wss.SOAP + `"><s:Header/><s:Body><smls:UWVPersoonsWvInfoResponse xmlns:smls="` + space + `">`
	after  = `</smls:UWVPersoonsWvInfoResponse></s:Body></s:Envelope>`
	gross  = `<BrutoUitkeringsbedr><CdMunteenheid>EUR</CdMunteenheid><WaardeBedr>231000</WaardeBedr><CdUitkeringsperiode>6</CdUitkeringsperiode></BrutoUitkeringsbedr>`
	one    = `<Uitkeringsverhouding><DatBUitkeringsverhouding>20240201</DatBUitkeringsverhouding><SzWet><CdSzWet>WIA</CdSzWet></SzWet>` +
		`<Uitkeringsperiode><DatBUitkeringsperiode>20240201</DatBUitkeringsperiode>` + gross + `</Uitkeringsperiode></Uitkeringsverhouding>`
	coach = `<Voorziening><soort>jobcoach</soort><DatB>20250901</DatB><DatE>20260228</DatE><WaardeBedr>270000</WaardeBedr></Voorziening>`
	who   = `<Burgerservicenr>999940004</Burgerservicenr>`

	answer = before + `<ClientSuwi>` + who + one + coach + `</ClientSuwi>` + after
)

// What the sound records of answer come to.
const (
	wia       = "WIA 2024-02-01.. 231000 PER_MONTH"
	provision = "UWV_PROVISION 2025-09-01..2026-02-28 270000 PERIOD_TOTAL"
)

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, laws()...)
	return w, reader{bsn: trial.BSN(t), party: "UWV", out: w}.read([]byte(raw))
}

func sound(t testing.TB, raw string) *budgetv1.FetchResponse {
	t.Helper()
	w, err := read(t, raw)
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

// stories writes each line as law start..end cents basis.
func stories(a *budgetv1.FetchResponse) []string {
	out := []string{}
	for _, l := range a.GetLines() {
		s := l.GetLaw() + " " + l.GetPeriod().GetStart() + ".." + l.GetPeriod().GetEnd()
		for _, money := range []*budgetv1.Amount{l.GetIncome(), l.GetAmount()} {
			if money != nil {
				s += fmt.Sprint(" ", money.GetCents(), " ", money.GetBasis())
			}
		}
		out = append(out, s)
	}
	return out
}

func TestPeriodCodes(t *testing.T) {
	for code, want := range map[string]string{
		"1": "PER_DAY", "2": "PER_WEEK", "3": "PER_2_WEEKS", "4": "PER_4_WEEKS", "6": "PER_MONTH", "7": "PER_QUARTER",
		"8": "PER_YEAR", "9": "ONE_OFF", "5": "", "0": "", "": "", "M": "", "06": "",
	} {
		a := sound(t, strings.Replace(answer, ">6<", ">"+code+"<", 1))
		if want == "ONE_OFF" { // of 2024: paid, and no part of 2025
			require.Len(t, a.GetHistory(), 1)
			continue
		}
		income := a.GetLines()[1].GetIncome()
		require.Equal(t, want, income.GetBasis(), code)
		gaps, unlisted := 0, 0
		for _, n := range a.GetNotices() {
			if n.GetGap() != "" {
				gaps++
			}
			if n.GetCode() == adapters.NoticeUnknownCode {
				unlisted++
			}
		}
		require.Equal(t, want == "", gaps == 1, "%s: money that does not count is missed", code)
		require.Equal(t, want == "", unlisted == 1, code)
		if want != "" {
			require.True(t, income.GetGross())
			require.Equal(t, int64(231000), income.GetCents())
		}
	}
}

func TestLaws(t *testing.T) {
	for code, want := range codes() {
		line := sound(t, strings.Replace(answer, ">WIA<", ">"+code+"<", 1)).GetLines()
		i := slices.IndexFunc(line, func(l *budgetv1.BudgetLine) bool { return l.GetLaw() != "UWV_PROVISION" })
		require.Equal(t, []string{want, code, "CdSzWet", "INCOME"},
			[]string{line[i].GetLaw(), line[i].GetProduct().GetCode(), line[i].GetProduct().GetSystem(), line[i].GetFungibility()})
		require.NotEqual(t, "onbekend", line[i].GetProduct().GetLabel(), code)
	}
}

// A benefit of a law that the list lacks is skipped and said; what ended before all that
// was asked about is no part of the answer.
func TestLawThatIsNotOnTheList(t *testing.T) {
	for _, code := range []string{"IOW", "PW", "wia"} {
		a := sound(t, strings.Replace(answer, ">WIA<", ">"+code+"<", 1))
		require.Equal(t, []string{provision}, stories(a))
		require.Len(t, a.GetNotices(), 2)
		require.Equal(t, "UNKNOWN_CODE /SzWet/CdSzWet", a.GetNotices()[0].GetCode()+" "+a.GetNotices()[0].GetPointer())
		require.Equal(t, "UNKNOWN_LAW", a.GetNotices()[1].GetGap())
		require.Empty(t, a.GetNotices()[1].GetLaw())
		require.NotContains(t, a.String(), code)
	}
	a := sound(t, strings.NewReplacer(">WIA<", ">IOW<", "20240201</DatBUitkeringsverhouding>",
		"20100201</DatBUitkeringsverhouding><DatEUitkeringsverhouding>20110301</DatEUitkeringsverhouding>").Replace(answer))
	require.Empty(t, slices.DeleteFunc(a.GetNotices(), func(n *budgetv1.Notice) bool { return n.GetGap() == "" }), "it ended in 2011")
	trialOdd(t, strings.Replace(answer, ">WIA<", "><", 1), "/Uitkeringsverhouding/0/SzWet/CdSzWet", provision)
}

// trialOdd checks that one record was skipped at a path within ClientSuwi and that the
// lines beside it stand.
func trialOdd(t *testing.T, raw, path string, lines ...string) {
	t.Helper()
	w, err := read(t, raw)
	a := trial.Odd(t, w, err, "/Envelope/Body/UWVPersoonsWvInfoResponse/ClientSuwi/0"+path)
	require.ElementsMatch(t, lines, stories(a), path)
}

// Each gross amount is a line of its own, on its own days as far as they lie within those
// of its period and of the benefit.
func TestAmountsHaveDaysOfTheirOwn(t *testing.T) {
	amount := func(cents, per, days string) string {
		return `<BrutoUitkeringsbedr><CdMunteenheid>EUR</CdMunteenheid><WaardeBedr>` + cents + `</WaardeBedr><CdUitkeringsperiode>` + per +
			`</CdUitkeringsperiode>` + days + `</BrutoUitkeringsbedr>`
	}
	own := func(from, to string) (days string) {
		if from != "" {
			days = `<DatBBrutoUitkeringsbedr>` + from + `</DatBBrutoUitkeringsbedr>`
		}
		if to != "" {
			days += `<DatEBrutoUitkeringsbedr>` + to + `</DatEBrutoUitkeringsbedr>`
		}
		return days
	}
	for name, c := range map[string]struct {
		benefitTo, from, to string // of the benefit; of the period
		amounts             string
		want                []string
	}{
		"raised in July": {"", "20250101", "20251231", amount("200000", "6", own("20250101", "20250630")) + amount("210000", "6", own("20250701", "20251231")),
			[]string{"WIA 2025-01-01..2025-06-30 200000 PER_MONTH", "WIA 2025-07-01..2025-12-31 210000 PER_MONTH"}},
		"the last one open": {"", "20250101", "", amount("200000", "6", own("", "20250630")) + amount("210000", "6", own("20250701", "")),
			[]string{"WIA 2025-01-01..2025-06-30 200000 PER_MONTH", "WIA 2025-07-01.. 210000 PER_MONTH"}},
		"the period ends first":    {"", "20250101", "20250531", amount("200000", "6", own("20250101", "20251231")), []string{"WIA 2025-01-01..2025-05-31 200000 PER_MONTH"}},
		"the benefit ends first":   {"20250331", "20250101", "20250531", amount("200000", "6", ""), []string{"WIA 2025-01-01..2025-03-31 200000 PER_MONTH"}},
		"earlier than its benefit": {"", "20230101", "", amount("200000", "6", ""), []string{"WIA 2024-01-01.. 200000 PER_MONTH"}},
		"earlier than its period": {"", "20250201", "", amount("200000", "6", own("20240101", "")),
			[]string{"WIA 2025-02-01.. 200000 PER_MONTH"}},
		"an end that is none":  {"", "20250101", "99991231", amount("200000", "6", own("20250101", "00000000")), []string{"WIA 2025-01-01.. 200000 PER_MONTH"}},
		"a start that is none": {"", "20250101", "", amount("200000", "6", own("00000000", "")), []string{"WIA 2025-01-01.. 200000 PER_MONTH"}},
		"a one-off, ends that are none": {"00000000", "20250522", "88881231", amount("90000", "9", own("00010101", "00000000")),
			[]string{"WIA 2025-05-22..2025-05-22 90000 ONE_OFF"}},
		"holiday pay in May": {"", "20250101", "", amount("90000", "9", own("20250522", "")), []string{"WIA 2025-05-22..2025-05-22 90000 ONE_OFF"}},
		"a one-off period":   {"", "20250522", "", amount("90000", "9", ""), []string{"WIA 2025-05-22..2025-05-22 90000 ONE_OFF"}},
		"no amount":          {"", "20250101", "", "", []string{"WIA 2025-01-01.."}},
		"an amount without a figure": {"", "20250101", "", `<BrutoUitkeringsbedr><CdUitkeringsperiode>6</CdUitkeringsperiode></BrutoUitkeringsbedr>`,
			[]string{"WIA 2025-01-01.."}},
		"no currency": {"", "20250101", "", `<BrutoUitkeringsbedr><WaardeBedr>100</WaardeBedr><CdUitkeringsperiode>7</CdUitkeringsperiode></BrutoUitkeringsbedr>`,
			[]string{"WIA 2025-01-01.. 100 PER_QUARTER"}},
		"what is paid out": {"", "20250101", "", amount("200000", "6", "") + `<NettoUitkeringsbedr><WaardeBedr>1</WaardeBedr></NettoUitkeringsbedr>`,
			[]string{"WIA 2025-01-01.. 200000 PER_MONTH"}},
	} {
		end := func(name, day string) string {
			if day == "" {
				return ""
			}
			return "<" + name + ">" + day + "</" + name + ">"
		}
		a := sound(t, before+`<ClientSuwi>`+who+`<Uitkeringsverhouding><DatBUitkeringsverhouding>20240101</DatBUitkeringsverhouding>`+
			end("DatEUitkeringsverhouding", c.benefitTo)+`<SzWet><CdSzWet>WIA</CdSzWet></SzWet><Uitkeringsperiode>`+
			end("DatBUitkeringsperiode", c.from)+end("DatEUitkeringsperiode", c.to)+c.amounts+`</Uitkeringsperiode></Uitkeringsverhouding></ClientSuwi>`+after)
		require.Equal(t, c.want, stories(a), name)
		require.Empty(t, a.GetNotices(), name)
	}
}

// A day of which a part is unknown counts where it changes no cent of the window.
func TestDaysThatAreKnownInPart(t *testing.T) {
	for day, first := range map[string]string{"20240200": "2024-02-01", "20240000": "2024-01-01", "20110000": "2011-01-01"} {
		a := sound(t, strings.ReplaceAll(answer, "20240201", day))
		require.Equal(t, []string{provision, "WIA " + first + ".. 231000 PER_MONTH"}, stories(a), day)
		require.Empty(t, a.GetNotices(), day)
	}
	line := "/Uitkeringsverhouding/0/Uitkeringsperiode/0/BrutoUitkeringsbedr/0"
	for _, day := range []string{"20250300", "20250000", "00000301", "20240010"} {
		raw := strings.Replace(answer, "<DatBUitkeringsperiode>20240201", "<DatBUitkeringsperiode>"+day, 1)
		w, err := read(t, raw)
		require.NoError(t, err)
		a, err := w.Response()
		require.NoError(t, err)
		require.Equal(t, []string{provision}, stories(a), day)
		require.Equal(t, "RECORD_SKIPPED", a.GetNotices()[0].GetGap(), day)
	}
	oneOff := strings.NewReplacer(">6<", ">9<", "<DatBUitkeringsperiode>20240201", "<DatBUitkeringsperiode>20250500").Replace(answer)
	trialOdd(t, oneOff, line, provision)
	whole := strings.Replace(answer, "20250901", "20250900", 1)
	trialOdd(t, whole, "/Voorziening/0", wia)
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
		a := sound(t, c.raw)
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

// One odd record, or a part of one, costs itself.
func TestOddPartsCostThemselves(t *testing.T) {
	benefit, amount := "/Uitkeringsverhouding/0", "/Uitkeringsverhouding/0/Uitkeringsperiode/0/BrutoUitkeringsbedr/0"
	for _, c := range []struct{ from, to, path, left string }{
		{">EUR<", ">NLG<", amount + "/CdMunteenheid", provision},
		{">231000<", ">2310,00<", amount + "/WaardeBedr", provision},
		{">231000<", ">-231000<", amount + "/WaardeBedr", provision},
		{"<WaardeBedr>231000", "<CdPositiefNegatief>-</CdPositiefNegatief><WaardeBedr>231000", amount + "/CdPositiefNegatief", provision},
		{"<DatBUitkeringsperiode>20240201", "<DatBUitkeringsperiode>2024-02-01", "/Uitkeringsverhouding/0/Uitkeringsperiode/0/DatBUitkeringsperiode", provision},
		{"<SzWet>", "<SzWet><CdSzWet>WW</CdSzWet></SzWet><SzWet>", benefit, provision},
		{"<WaardeBedr>231000", "<WaardeBedr>1</WaardeBedr><WaardeBedr>231000", benefit + "/Uitkeringsperiode/BrutoUitkeringsbedr", provision},
		{">270000<", ">x<", "/Voorziening/0/WaardeBedr", wia},
		{"<DatE>20260228", "<DatE>20260229", "/Voorziening/0/DatE", wia},
		{"<DatE>20260228", "<DatE>20250831", "/Voorziening/0", wia},
	} {
		trialOdd(t, strings.Replace(answer, c.from, c.to, 1), c.path, c.left)
	}
	w, err := read(t, strings.Replace(answer, "jobcoach", "job coach", 1))
	require.Equal(t, []string{wia}, stories(trial.Odd(t, w, err, "suwi: product.code")))
}

func TestWhatIsNotKnownIsNoticed(t *testing.T) {
	for _, c := range [][2]string{
		{"<SzWet>", "<RedenEinde>04</RedenEinde><SzWet>"}, {"<soort>", "<nieuw>1</nieuw><soort>"},
		{who, who + "<Nieuw/>"}, {"<ClientSuwi>", "<Nieuw/><ClientSuwi>"},
	} {
		a := sound(t, strings.Replace(answer, c[0], c[1], 1))
		require.Equal(t, []string{provision, wia}, stories(a))
		require.Len(t, a.GetNotices(), 1)
		require.Equal(t, adapters.NoticeUnknownElement, a.GetNotices()[0].GetCode())
	}
}

func TestFormatsAreNamed(t *testing.T) {
	for _, table := range []native.Table{results(), clients(), benefits(), provisions()} {
		require.NotEmpty(t, table.Format)
	}
}

// Sound records stand beside one that was changed in any way.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"", one, coach, gross, strings.Replace(one, ">6<", ">9<", 1), strings.Replace(one, "20240201", "20250300", 2),
		strings.Replace(one, "WIA", "IOW", 1), strings.Replace(one, "231000", "", 1), "<Uitkeringsverhouding><SzWet/></Uitkeringsverhouding>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, mutated string) {
		w, err := read(t, before+`<ClientSuwi>`+who+one+mutated+coach+`</ClientSuwi>`+after)
		trial.Settle(t, w, err)
		if err != nil { // no XML, an element that ends another, or somebody else's number
			return
		}
		a, err := w.Response()
		require.NoError(t, err)
		require.Contains(t, stories(a), wia)
		require.Contains(t, stories(a), provision)
	})
}

func FuzzSOAP(f *testing.F) {
	f.Add([]byte(answer))
	f.Add([]byte(before + `<f:NietsGevonden xmlns:f="x"/>` + after))
	f.Add([]byte(before + `<f:FWI xmlns:f="x"><Fout><Code>1</Code></Fout></f:FWI>` + after))
	f.Add([]byte(`<s:Envelope xmlns:s="` + wss.SOAP + `"><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
	})
}
