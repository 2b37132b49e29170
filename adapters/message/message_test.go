package message_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/message"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// row is one row of an award message: its function, first and last day, and cents.
type row struct{ function, from, to, cents string }

// awardOf writes an award message (501) of the Wmo.
func awardOf(number, old, sent string, rows ...row) string {
	var b strings.Builder
	b.WriteString(`<bericht soort="WMO501"><Bericht><Header><BerichtCode>458</BerichtCode><BerichtVersie>2</BerichtVersie>` +
		`<BerichtSubversie>1</BerichtSubversie><Afzender>0119</Afzender><BerichtIdentificatie><Identificatie>1</Identificatie>` +
		`<Dagtekening>` + sent + `</Dagtekening></BerichtIdentificatie></Header><Client><Bsn>999940004</Bsn><Budget>` +
		`<BudgetIdentificatie>` + number + `</BudgetIdentificatie>`)
	if old != "" {
		b.WriteString(`<BudgetIdentificatieOud>` + old + `</BudgetIdentificatieOud>`)
	}
	b.WriteString(`<FunctieBudgetten>`)
	for _, r := range rows {
		b.WriteString(`<FunctieBudget><Zorgfunctie>` + r.function + `</Zorgfunctie><FunctieBudgetPeriode><Begindatum>` + r.from +
			`</Begindatum><Einddatum>` + r.to + `</Einddatum></FunctieBudgetPeriode><FunctieBudgetBedrag>` + r.cents +
			`</FunctieBudgetBedrag></FunctieBudget>`)
	}
	b.WriteString(`</FunctieBudgetten></Budget></Client></Bericht></bericht>`)
	return b.String()
}

func year(function, cents string) row { return row{function, "2025-01-01", "2025-12-31", cents} }

// product is one allocated product, with what differs between tests.
type product struct{ number, category, day, clock, to, reason, volume string }

func allocationOf(p product) string {
	tag := func(name, text string) string {
		if text == "" {
			return ""
		}
		return "<" + name + ">" + text + "</" + name + ">"
	}
	inside := ""
	if p.category != "" {
		inside = "<Product>" + tag("Categorie", p.category) + tag("Code", p.category+"A01") + "</Product>"
	}
	amount := ""
	if p.volume != "" {
		amount = "<Omvang>" + tag("Volume", p.volume) + "<Eenheid>16</Eenheid><Frequentie>2</Frequentie></Omvang>"
	}
	return `<bericht soort="WMO301"><w:Bericht xmlns:w="http://www.istandaarden.nl/iwmo/3_2/wmo301/schema"><Header><BerichtCode>414</BerichtCode>` +
		`<BerichtVersie>3</BerichtVersie><Afzender>0119</Afzender><Ontvanger>12345678</Ontvanger></Header><Client><Bsn>999940004</Bsn>` +
		`<ToegewezenProducten><ToegewezenProduct>` + tag("ToewijzingNummer", p.number) + inside + tag("Toewijzingsdatum", p.day) +
		tag("Toewijzingstijd", p.clock) + `<Ingangsdatum>2025-01-01</Ingangsdatum>` + tag("Einddatum", p.to) +
		tag("RedenWijziging", p.reason) + amount + `</ToegewezenProduct></ToegewezenProducten></Client></w:Bericht></bericht>`
}

func closingOf(kind, code, number, function, from, to, cents, sent string) string {
	return `<bericht soort="` + kind + `"><Bericht><Header><BerichtCode>` + code + `</BerichtCode><Ontvanger>0119</Ontvanger>` +
		`<BerichtIdentificatie><Identificatie>1</Identificatie><Dagtekening>` + sent + `</Dagtekening></BerichtIdentificatie></Header>` +
		`<Client><Bsn>999940004</Bsn><FunctieBudgettenBesteed><FunctieBudgetBesteed><BudgetIdentificatie>` + number +
		`</BudgetIdentificatie><Zorgfunctie>` + function + `</Zorgfunctie><BestedingsPeriode><Begindatum>` + from +
		`</Begindatum><Einddatum>` + to + `</Einddatum></BestedingsPeriode><FunctieBudgetBesteed>` + cents +
		`</FunctieBudgetBesteed><ZiekengeldBesteed>9999</ZiekengeldBesteed><RedenBudgetafsluiting>1</RedenBudgetafsluiting>` +
		`</FunctieBudgetBesteed></FunctieBudgettenBesteed></Client></Bericht></bericht>`
}

func envelope(messages ...string) string {
	return "<berichten>" + strings.Join(messages, "") + "</berichten>"
}

func reader(t testing.TB) message.Reader {
	return message.Reader{
		BSN: trial.BSN(t), Party: "GM0119", Ours: func(code string) bool { return code == "0119" },
	}
}

func read(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW")
	found, err := message.Open([]byte(raw))
	if err != nil {
		return w, err
	}
	return w, reader(t).Read(found, w)
}

func answer(t testing.TB, messages ...string) *budgetv1.FetchResponse {
	w, err := read(t, envelope(messages...))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

// told writes lines in the words of a test: law/code start..end(original end) cents volume.
func told(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, l := range a.GetLines() {
		s := fmt.Sprintf("%s/%s %s..%s", l.GetLaw(), l.GetProduct().GetCode(), l.GetPeriod().GetStart(), l.GetPeriod().GetEnd())
		if l.GetPeriod().OriginalEnd != nil {
			s += "(" + l.GetPeriod().GetOriginalEnd() + ")"
		}
		if l.GetAmount() != nil {
			s += " " + strconv.FormatInt(l.GetAmount().GetCents(), 10)
		}
		if q := l.GetQuantity(); q != nil {
			s += " " + q.GetVolume() + "x" + q.GetUnit() + "/" + q.GetFrequency()
		}
		all = append(all, s)
	}
	return all
}

// noticed counts notices as they are worth: code, reason and gap.
func noticed(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, n := range a.GetNotices() {
		for range max(n.GetCount(), 1) {
			all = append(all, strings.Join(strings.Fields(n.GetCode()+" "+n.GetReason()+" "+n.GetGap()), " "))
		}
	}
	return all
}

func TestMessagesAreReadWithAnyPrefix(t *testing.T) {
	raw := awardOf("B1", "", "2024-12-10", year("02", "1248000"))
	for _, prefixed := range []string{raw, strings.NewReplacer("<Bericht>", `<w:Bericht xmlns:w="x">`, "</Bericht>", "</w:Bericht>", "<Client>", "<w:Client>", "</Client>", "</w:Client>").Replace(raw)} {
		a := answer(t, prefixed)
		require.Equal(t, []string{"WMO/02 2025-01-01..2025-12-31 1248000"}, told(a))
		l := a.GetLines()[0]
		require.Equal(t, "WMO022", l.GetProduct().GetSystem())
		require.Equal(t, "begeleiding", l.GetProduct().GetLabel())
		require.Equal(t, "B1", l.GetDecision().GetBudget())
		require.Equal(t, []string{"award", "B1", "/Client/Budget/FunctieBudgetten/FunctieBudget/0"},
			[]string{l.GetProvenance()[0].GetRecordType(), l.GetProvenance()[0].GetRecordId(), l.GetProvenance()[0].GetPointer()})
		require.Empty(t, noticed(a))
	}
	a := answer(t, `<bericht soort="WMO305"><Bericht/></bericht>`)
	require.Equal(t, []string{"SKIPPED OTHER_MESSAGE"}, noticed(a))
}

func TestLawIsThatOfTheCode(t *testing.T) {
	raw := awardOf("B1", "", "2024-12-10", year("45", "100"))
	require.Equal(t, []string{"JW/45 2025-01-01..2025-12-31 100"}, told(answer(t, strings.NewReplacer("458", "460", "WMO501", "JW501").Replace(raw))))
	for _, wrong := range []string{strings.Replace(raw, "458", "460", 1), strings.Replace(raw, "458", "414", 1)} {
		a := answer(t, wrong)
		require.Empty(t, a.GetLines())
		require.Equal(t, []string{"SKIPPED ODD_RECORD RECORD_SKIPPED"}, noticed(a))
	}
}

func TestNativeMessageIsKeptByteForByte(t *testing.T) {
	raw := envelope(awardOf("B1", "", "2024-12-10", year("02", "100")))
	found, err := message.Open([]byte(raw))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(found[0].Raw()), "<Bericht>"))
	require.True(t, strings.HasSuffix(string(found[0].Raw()), "</Bericht>"))
	require.Contains(t, raw, string(found[0].Raw()))
}

// A record that cannot be read costs itself, and is said at its place.
func TestOddRecordStandsAlone(t *testing.T) {
	sound := awardOf("S", "", "2024-12-10", year("07", "7"))
	award := awardOf("B1", "", "2024-12-10", year("02", "1248000"))
	allocation := allocationOf(product{number: "1", category: "08", day: "2024-12-20", to: "2025-06-30", volume: "4"})
	first := "/berichten/bericht/0/Bericht"
	row := first + "/Client/Budget/FunctieBudgetten/FunctieBudget/0"
	allocated := first + "/Client/ToegewezenProducten/ToegewezenProduct/0"
	for _, c := range []struct{ raw, from, to, path string }{
		{award, "999940004", "999940016", first + "/Client/Bsn"},
		{award, ">0119<", ">0999<", first + "/Header/Afzender"},
		{award, "1248000", "12480,00", row + "/FunctieBudgetBedrag"},
		{award, "1248000", "-1", row + "/FunctieBudgetBedrag"},
		{award, "2025-01-01", "01-01-2025", row + "/FunctieBudgetPeriode/Begindatum"},
		{award, "2025-12-31", "2024-12-31", row + "/FunctieBudgetPeriode/Einddatum"},
		{award, "2025-01-01", "9999-12-31", row + "/FunctieBudgetPeriode/Begindatum"},
		{award, "2025-01-01", "0001-01-01", row + "/FunctieBudgetPeriode/Begindatum"},
		{award, "2025-12-31", "2025-12-00", row + "/FunctieBudgetPeriode"},
		{award, "2025-01-01", "2025-01-00", row + "/FunctieBudgetPeriode"},
		{award, "<Einddatum>2025-12-31</Einddatum>", "", row + "/FunctieBudgetPeriode/Einddatum"},
		{award, "<Zorgfunctie>02</Zorgfunctie>", "", row + "/Zorgfunctie"},
		{award, ">02<", ">0 2<", row + "/Zorgfunctie"},
		{award, ">B1<", "><", first + "/Client/Budget/BudgetIdentificatie"},
		{award, "<Zorgfunctie>02", "<Zorgfunctie>07</Zorgfunctie><Zorgfunctie>02", strings.TrimSuffix(row, "/0")},
		{award, "Zorgfunctie>", "zorgfunctie>", strings.TrimSuffix(row, "/0")},
		{allocation, "999940004", "999940016", first + "/Client/Bsn"},
		{allocation, ">0119<", "><", first + "/Header/Afzender"},
		{allocation, ">414<", ">436<", first + "/Header/BerichtCode"},
		{allocation, ">2025-01-01<", ">2025-02-29<", allocated + "/Ingangsdatum"},
		{allocation, ">2025-01-01<", ">2025-02-00<", allocated},
		{allocation, ">2025-01-01<", ">0001-01-01<", allocated + "/Ingangsdatum"},
		{allocation, "<ToewijzingNummer>1</ToewijzingNummer>", "", allocated + "/ToewijzingNummer"},
		{allocation, "<Volume>4<", "<Volume>vier<", allocated + "/Omvang/volume"},
		{allocation, "<Volume>4<", "<Volume>-4<", allocated + "/Omvang/volume"},
	} {
		changed := strings.ReplaceAll(c.raw, c.from, c.to)
		require.NotEqual(t, c.raw, changed)
		a := answer(t, changed, sound)
		require.Equal(t, []string{"WMO/07 2025-01-01..2025-12-31 7"}, told(a), changed)
		require.Equal(t, []string{"SKIPPED ODD_RECORD RECORD_SKIPPED"}, noticed(a), changed)
		require.Equal(t, c.path, a.GetNotices()[0].GetPointer())
	}
}

// A last day that stands for none is one: the right is open, and a total over days without
// an end has no value in any of them. As a link of a chain it is later than any day.
func TestLastDayOfAMessageThatStandsForNone(t *testing.T) {
	open := func(function, cents string) row { return row{function, "2025-01-01", "9999-12-31", cents} }
	for _, none := range []string{"9999-12-31", "9999-12-30", "8888-12-31", "2999-12-31", "0001-01-01", "9999-12-31T00:00:00"} {
		a := answer(t, awardOf("B1", "", "2024-12-10", row{"02", "2025-01-01", none, "100"}))
		require.Equal(t, []string{"WMO/02 2025-01-01.."}, told(a), none)
		require.Equal(t, []string{"SKIPPED AMOUNT_WITHOUT_END"}, noticed(a), none)
		a = answer(t, allocationOf(product{number: "1", category: "08", day: "2024-12-20", to: none}))
		require.Equal(t, []string{"WMO/08 2025-01-01.."}, told(a), none)
		a = closed(t, closingOf("WMO507", "464", "B1", "02", "2025-01-01", none, "5", "2025-06-30"))
		require.Equal(t, []string{"WMO 0119 B1/02 2025-01-01.. 5 2025-06-30"}, spent(a), none)
	}
	for name, c := range map[string]struct{ first, next, want string }{
		"an end that came":    {awardOf("B1", "", "2024-12-10", open("02", "100")), awardOf("B2", "B1", "2025-02-10", year("02", "50")), "WMO/02 2025-01-01..2025-12-31 50"},
		"an end that went":    {awardOf("B1", "", "2024-12-10", year("02", "50")), awardOf("B2", "B1", "2025-02-10", open("02", "100")), "WMO/02 2025-01-01.."},
		"withdrawn":           {awardOf("B1", "", "2024-12-10", year("02", "50")), awardOf("B2", "B1", "2025-02-10", open("02", "0")), ""},
		"nobody knows of two": {awardOf("B1", "", "2024-12-10", year("02", "50")), awardOf("B1", "", "2024-12-10", open("02", "50")), "WMO/02 2025-01-01.."},
	} {
		require.Equal(t, c.want, strings.Join(told(answer(t, c.next, c.first)), " "), name)
	}
}

// The day on which a message was sent is read as any day: a time of day at midnight does
// not make it unknown.
func TestDayOfSendingWithMidnight(t *testing.T) {
	a := answer(t, awardOf("B1", "", "2024-12-10T00:00:00", year("02", "100")), awardOf("B1", "", "2025-01-10", year("02", "200")))
	require.Equal(t, []string{"WMO/02 2025-01-01..2025-12-31 200"}, told(a))
	b := answer(t, allocationOf(product{number: "1", category: "08", day: "2024-12-20T00:00:00", to: "2025-06-30"}),
		allocationOf(product{number: "1", category: "08", day: "2024-12-21", to: "2025-03-31"}))
	require.Equal(t, []string{"WMO/08 2025-01-01..2025-03-31"}, told(b))
	c := closed(t, closingOf("WMO507", "464", "B1", "02", "2025-01-01", "2025-12-31", "5", "2025-06-30T00:00:00"))
	require.Equal(t, []string{"WMO 0119 B1/02 2025-01-01..2025-12-31 5 2025-06-30"}, spent(c))
}

// What is no archive's answer costs the answer.
func TestAnswerThatIsNoneIsRefused(t *testing.T) {
	raw := envelope(awardOf("B1", "", "2024-12-10", year("02", "100")))
	deep := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	many := "<berichten>" + strings.Repeat("<bericht/>", 2001) + "</berichten>"
	for _, refused := range []string{
		deep, many, "", "<", "<berichten>", "tekst", strings.ReplaceAll(raw, "berichten", "andere"), strings.Replace(raw, "</Client>", "", 1),
		`<!DOCTYPE x [<!ENTITY y "z">]>` + raw, "<Fault><faultstring>x</faultstring></Fault>", raw + raw,
	} {
		_, err := message.Open([]byte(refused))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), refused)
	}
	found, err := message.Open([]byte("<berichten/>"))
	require.NoError(t, err)
	require.Empty(t, found)
}

// Every member of the tables does what its table says: one that is read changes what comes
// of the message or makes it odd, one that is ignored changes nothing, any other is noticed.
func TestMembersOfEachFormat(t *testing.T) {
	for _, c := range []struct {
		raw   string
		spent bool
	}{
		{awardOf("B1", "B0", "2024-12-10", year("02", "100")), false},
		{allocationOf(product{number: "1", category: "08", day: "2024-12-20", clock: "10:00:00", to: "2025-06-30", volume: "4"}), false},
		{closingOf("WMO507", "464", "B1", "02", "2025-01-01", "2025-06-30", "100", "2025-10-06"), true},
	} {
		come := func(raw string) *budgetv1.FetchResponse {
			w := trial.Writer(t, "WMO")
			found, err := message.Open([]byte(envelope(raw)))
			require.NoError(t, err)
			if c.spent {
				require.NoError(t, reader(t).Spent(found, w))
			} else {
				require.NoError(t, reader(t).Read(found, w))
			}
			a, err := w.Response()
			require.NoError(t, err)
			return a
		}
		whole := come(c.raw)
		require.Len(t, append(told(whole), spent(whole)...), 1)
		require.Empty(t, noticed(whole), c.raw)
		a := come(strings.Replace(c.raw, "</Client>", "<Nieuw>1</Nieuw></Client>", 1))
		require.Equal(t, told(whole), told(a))
		require.Equal(t, []string{"UNKNOWN_ELEMENT"}, noticed(a))
		require.Equal(t, "Nieuw", a.GetNotices()[0].GetElement())
	}
	for _, table := range message.Tables() {
		require.NotEmpty(t, table.Read, table.Format)
		require.NotEmpty(t, table.Ignored, table.Format)
	}
	thick := strings.NewReplacer(
		"<Bsn>", "<Contact><Adres><Postcode>7941AA</Postcode></Adres></Contact><Relaties><Relatie><Nummer>1</Nummer><Soort>2</Soort></Relatie></Relaties><Bsn>",
		"<FunctieBudgetten>", "<Afgiftedatum>2024-12-09</Afgiftedatum><BudgetPeriode><Begindatum>2025-01-01</Begindatum></BudgetPeriode><FunctieBudgetten>",
		"</FunctieBudget>", "<VerantwoordingsvrijBedrag>50</VerantwoordingsvrijBedrag></FunctieBudget>",
		"</Header>", "<XsdVersie><BerichtXsdVersie>2.1.0</BerichtXsdVersie></XsdVersie></Header>",
	).Replace(awardOf("B1", "", "2024-12-10", year("02", "100")))
	a := answer(t, thick)
	require.Equal(t, []string{"WMO/02 2025-01-01..2025-12-31 100"}, told(a), "the free part is in the amount")
	require.Empty(t, noticed(a))
}

func spent(a *budgetv1.FetchResponse) []string {
	all := []string{}
	for _, s := range a.GetSpends() {
		all = append(all, fmt.Sprintf("%s %s %s/%s %s..%s %d %s", s.GetLaw(), s.GetFunder(), s.GetBudget(), s.GetFunction(), s.GetStart(), s.GetEnd(), s.GetCents(), s.GetAsOf()))
	}
	return all
}

func spends(t testing.TB, raw string) (*adapters.Writer, error) {
	w := trial.Writer(t, "WMO", "JW", "WLZ")
	found, err := message.Open([]byte(raw))
	if err != nil {
		return w, err
	}
	r := reader(t)
	r.Ours = nil // SVB tells of every funder
	return w, r.Spent(found, w)
}

func closed(t testing.TB, messages ...string) *budgetv1.FetchResponse {
	w, err := spends(t, envelope(messages...))
	require.NoError(t, err)
	a, err := w.Response()
	require.NoError(t, err)
	return a
}

func TestClosings(t *testing.T) {
	come := func(messages ...string) *budgetv1.FetchResponse { return closed(t, messages...) }
	sound := closingOf("WMO507", "464", "B1", "2", "2024-07-01", "2024-12-31", "0360000", "2025-04-09")
	a := come(sound, sound, closingOf("TUSSENSTAND", "468", "Z1", "99", "2025-01-01", "2025-06-30", "0", "2025-06-30"))
	require.ElementsMatch(t, []string{
		"WMO 0119 B1/02 2024-07-01..2024-12-31 360000 2025-04-09", "WLZ 0119 Z1/99 2025-01-01..2025-06-30 0 2025-06-30",
	}, spent(a), "sick pay is beside it; what came twice counts once; zero is told")
	row := "/berichten/bericht/0/Bericht/Client/FunctieBudgettenBesteed/FunctieBudgetBesteed/0"
	changed := closingOf("WMO507", "464", "B2", "07", "2025-01-01", "2025-06-30", "5", "2025-10-06")
	for _, c := range []struct{ from, to, path string }{
		{"999940004", "999940016", "/berichten/bericht/0/Bericht/Client/Bsn"},
		{">464<", ">466<", "/berichten/bericht/0/Bericht/Header/BerichtCode"},
		{"2025-10-06", "6 oktober", "/berichten/bericht/0/Bericht/Header/BerichtIdentificatie/Dagtekening"},
		{">5<", ">5,00<", row + "/FunctieBudgetBesteed"},
		{">5<", ">-5<", row + "/FunctieBudgetBesteed"},
		{">B2<", "><", row + "/BudgetIdentificatie"},
		{">07<", ">begeleiding van Een<", row + "/Zorgfunctie"},
		{"2025-01-01", "", row + "/BestedingsPeriode/Begindatum"},
		{"2025-06-30", "2024-06-30", row + "/BestedingsPeriode/Einddatum"},
	} {
		a := come(strings.Replace(changed, c.from, c.to, 1), sound)
		require.Equal(t, []string{"WMO 0119 B1/02 2024-07-01..2024-12-31 360000 2025-04-09"}, spent(a), c.to)
		require.Equal(t, []string{"SKIPPED ODD_RECORD RECORD_SKIPPED"}, noticed(a), c.to)
		require.Equal(t, c.path, a.GetNotices()[0].GetPointer())
	}
}

func FuzzAwards(f *testing.F) {
	f.Add([]byte(envelope(awardOf("B1", "", "2024-12-10", year("02", "100"), year("07", "0")), awardOf("B2", "B1", "2025-01-10", year("02", "200")))))
	f.Add([]byte(envelope(awardOf("B1", "B2", "2024-12-10", year("02", "100")), awardOf("B2", "B1", "2024-12-10", year("02", "200")))))
	f.Add([]byte(`<berichten><bericht soort="WMO501"><![CDATA[</]]></bericht><!-- x --><bericht/></berichten>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
		besides(t, raw, awardOf("SOUND", "", "2024-12-10", year("13", "13")), "WMO/13 2025-01-01..2025-12-31 13")
	})
}

func FuzzAllocations(f *testing.F) {
	f.Add([]byte(envelope(allocationOf(product{number: "7", category: "08", day: "2024-12-20", clock: "10:00:00", to: "2025-06-30", volume: "4"}))))
	f.Add([]byte(envelope(allocationOf(product{number: "007", day: "2024-12-20", reason: "13", to: "2025-01-01"}))))
	f.Add([]byte(strings.NewReplacer("WMO301", "JW301", ">414<", ">436<", "iwmo", "ijw", ">08<", ">45<").Replace(
		envelope(allocationOf(product{number: "7", category: "08", day: "2024-12-20", to: "2025-06-30", volume: "4"})))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := read(t, string(raw))
		trial.Settle(t, w, err)
		besides(t, raw, allocationOf(product{number: "990001", category: "18", day: "2024-12-20", to: "2025-06-30", volume: "3"}), "WMO/18 2025-01-01..2025-06-30 3x16/2")
	})
}

func FuzzClosings(f *testing.F) {
	f.Add([]byte(envelope(closingOf("WMO507", "464", "B1", "02", "2024-07-01", "2024-12-31", "360000", "2025-04-09"))))
	f.Add([]byte(envelope(closingOf("TUSSENSTAND", "468", "B1", "99", "2025-01-01", "2025-06-30", "0", "2025-06-30"))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := spends(t, string(raw))
		trial.Settle(t, w, err)
		sound := closingOf("WLZ507", "468", "SOUND", "99", "2024-07-01", "2024-12-31", "77", "2025-04-09")
		w, err = beside(t, raw, sound, spends)
		if err != nil {
			return
		}
		a, err := w.Response()
		require.NoError(t, err)
		require.Contains(t, spent(a), "WLZ 0119 SOUND/99 2024-07-01..2024-12-31 77 2025-04-09")
	})
}

// besides checks that a sound message beside any others gives its line, unless what stands
// there is no archive's answer at all.
func besides(t *testing.T, raw []byte, sound, line string) {
	w, err := beside(t, raw, sound, read)
	if err != nil {
		return
	}
	a, err := w.Response()
	require.NoError(t, err)
	require.Contains(t, told(a), line)
}

var errNoArchive = errors.New("what stands there is no archive's answer, or tells of the sound message")

// beside reads a sound message behind any others.
func beside(t testing.TB, raw []byte, sound string, read func(testing.TB, string) (*adapters.Writer, error)) (*adapters.Writer, error) {
	end := strings.LastIndex(string(raw), "</berichten>")
	if _, err := message.Open(raw); err != nil || end < 0 || xml.Unmarshal(raw, new(struct{})) != nil {
		return nil, errNoArchive
	}
	if strings.Contains(string(raw), "SOUND") || strings.Contains(string(raw), "990001") {
		return nil, errNoArchive
	}
	return read(t, string(raw[:end])+sound+string(raw[end:]))
}
