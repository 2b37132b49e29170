package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/adapters/codelist"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func pageOf(t testing.TB, width int) (*page, *bytes.Buffer) {
	var out bytes.Buffer
	p, err := (&output{lang: "nl"}).newPage(&out, nil)
	require.NoError(t, err)
	p.width = width
	return p, &out
}

func TestTablesThatFitAreTablesAndOthersAreCards(t *testing.T) {
	header := []string{"", "toegekend", "over"}
	rows := [][]string{{"Gemeente Meppel", "€ 18.720,00", "-"}, {"UWV", "€ 5,00", "€ 1,00"}}
	p, out := pageOf(t, 0)
	p.table(header, rows)
	require.Equal(t, "                      toegekend     over\n  Gemeente Meppel   € 18.720,00        -\n  UWV                    € 5,00   € 1,00\n", out.String())
	p, out = pageOf(t, 30)
	p.table(header, rows)
	require.Equal(t, "  Gemeente Meppel\n    toegekend   € 18.720,00\n  UWV\n    toegekend   € 5,00\n    over        € 1,00\n", out.String())
	p, out = pageOf(t, 30)
	p.pair(2, "begeleiding, pgb", "€ 5,00")
	p.pair(2, "een heel lange naam van een hulp", "€ 5,00")
	require.Equal(t, "  begeleiding, pgb      € 5,00\n  een heel lange naam\n  van een hulp          € 5,00\n", out.String())
	p, out = pageOf(t, 30)
	p.columnsOfText(nil, [][]string{{"stand", "van kracht"}, {"wat beide tekenen", "0123456789abcdef"}})
	require.Equal(t, "  stand               van kracht\n"[:0]+"  stand\n    van kracht\n  wat beide tekenen\n    0123456789abcdef\n", out.String())
}

// Lines are broken between words only, nothing is lost, and an amount stays whole.
func TestWrap(t *testing.T) {
	require.Equal(t, []string{"Dat kost", "€ 14.976,00", "per jaar."}, wrap("Dat kost € 14.976,00 per jaar.", 11))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-zé€]{1,12}`), 0, 30).Draw(t, "words"), " ")
		width := rapid.IntRange(1, 40).Draw(t, "width")
		lines := wrap(text, width)
		require.Equal(t, strings.Fields(text), strings.Fields(strings.Join(lines, " ")))
		for _, line := range lines {
			whole := len(strings.Fields(strings.ReplaceAll(line, "€ ", "€"))) <= 1
			require.True(t, whole || utf8.RuneCountInString(line) <= width, line)
		}
	})
}

func TestColoursAreForTerminals(t *testing.T) {
	p, _ := pageOf(t, 0)
	require.Equal(t, "WAT OPVALT", p.bold("WAT OPVALT"))
	p.colour = true
	require.Equal(t, "\x1b[1mWAT OPVALT\x1b[0m", p.bold("WAT OPVALT"))
	require.Zero(t, terminal(&bytes.Buffer{}))
}

func TestHowLongItTook(t *testing.T) {
	p, _ := pageOf(t, 0)
	for d, want := range map[time.Duration]string{
		3 * time.Second: "3 seconden", 5 * time.Minute: "5 minuten", 5 * time.Hour: "5 uur", 75 * time.Hour: "3 dagen",
	} {
		require.Equal(t, want, p.lasted(d))
	}
	require.Equal(t, "1 februari 2025, 13:05 UTC", p.moment(time.Date(2025, 2, 1, 13, 5, 9, 0, time.UTC).UnixMilli()))
	require.Equal(t, "op 22 mei 2025", p.span("2025-05-22", "2025-05-22"))
	require.Equal(t, "vanaf 22 mei 2025", p.span("2025-05-22", ""))
}

// Every code that a page can meet has a word in both languages.
func TestEveryCodeHasAWord(t *testing.T) {
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(t, err)
	worded := func(code, word string) {
		t.Helper()
		require.NotEmpty(t, word, code)
		require.NotEqual(t, code, word, code)
	}
	for _, lang := range []string{"nl", "en"} {
		for _, code := range budgetv1.FindingCodes() {
			worded(code, texts.Finding(code, lang, nil))
		}
		for _, code := range budgetv1.GapReasons() {
			worded(code, texts.Gap(code, lang, nil))
			worded(code, texts.GapName(code, lang))
		}
		for _, code := range budgetv1.RefusalCodes() {
			why, instead := texts.Refusal(code, lang, nil)
			worded(code, why)
			worded(code, instead)
		}
		for _, code := range policy.Codes() {
			reason, ok := texts.Reason(code, lang)
			require.True(t, ok, code)
			worded(code, reason.Short)
		}
		for _, form := range budgetv1.DeliveryForms() {
			worded(form, texts.Label("delivery_forms", form, lang))
		}
		for _, code := range budgetv1.Laws() {
			worded(code, texts.Label("laws", code, lang))
			require.NotContains(t, texts.Law(code, lang), "_", code)
		}
		for _, category := range budgetv1.Categories() {
			worded(string(category), texts.Label("categories", string(category), lang))
		}
		for _, code := range budgetv1.Statuses() {
			worded(code, texts.Label("statuses", code, lang))
		}
	}
	letters := regexp.MustCompile(`\pL{3}`)
	for _, list := range []codelist.List{
		codelist.Wmo, codelist.Jeugd, codelist.Wlz, codelist.Benefit, codelist.Provision, codelist.Nursing, codelist.Transport, codelist.WmoAward, codelist.JeugdAward, codelist.WlzAward, codelist.Support, codelist.Travel,
	} {
		known := 0
		for _, code := range someCodes() {
			label, ok := codelist.Label(list, code)
			if !ok {
				require.Equal(t, budgetv1.Unlisted, label)
				require.Equal(t, "onbekend product met code "+code, texts.Product(code, label, "nl"))
				continue
			}
			known++
			require.Regexp(t, letters, label, "%s %s", list, code)
			require.Equal(t, label, texts.Product(code, label, "nl"))
		}
		require.NotZero(t, known, list)
	}
}

// someCodes are all numbers of two and three digits, and the codes that are words.
func someCodes() []string {
	codes := []string{
		"WIA", "WAO", "WAJ", "WW", "ZW", "TW", "JOBCOACH", "RE-INTEGRATIE", "REINTEGRATIE", "VERVOER", "VERVOERSVOORZIENING", "WERKPLEKAANPASSING",
		"SCHOLING", "TOLK", "TOLKVOORZIENING", "MEENEEMBAAR", "VV", "VP", "PV", "ARR", "TLV", "PKB-STD",
	}
	for n := range 1000 {
		codes = append(codes, strconv.Itoa(n))
		if n < 10 {
			codes = append(codes, "0"+strconv.Itoa(n))
		}
	}
	return codes
}

// A line is provisional for the reason that a finding gives, and for no other.
func TestWhyALineIsProvisional(t *testing.T) {
	found := func(code, severity string) *budgetv1.Finding {
		return &budgetv1.Finding{Code: code, Severity: severity, Line: "x"}
	}
	wlz := found(budgetv1.FindingPriorityLawOverlap, budgetv1.SeverityError)
	awards := found(budgetv1.FindingOverlappingAwards, budgetv1.SeverityWarning)
	for _, c := range []struct {
		findings []*budgetv1.Finding
		nl, en   string
	}{
		{nil, "onder voorbehoud", "provisional"},
		{[]*budgetv1.Finding{wlz}, "onder voorbehoud: de Wlz gaat mogelijk voor", "provisional: the Wlz may go first"},
		{[]*budgetv1.Finding{wlz, wlz, {Code: awards.Code, Line: "y"}}, "onder voorbehoud: de Wlz gaat mogelijk voor", "provisional: the Wlz may go first"},
		{[]*budgetv1.Finding{awards}, "onder voorbehoud: er loopt al een budget voor dezelfde hulp", "provisional: a budget for the same care runs already"},
		{[]*budgetv1.Finding{found(budgetv1.FindingPriorityLawOverlap, budgetv1.SeverityWarning), awards},
			"onder voorbehoud: er loopt al een budget voor dezelfde hulp", "provisional: a budget for the same care runs already"},
		{[]*budgetv1.Finding{wlz, awards}, "onder voorbehoud: de Wlz gaat mogelijk voor en er loopt al een budget voor dezelfde hulp",
			"provisional: a budget for the same care runs already and the Wlz may go first"},
	} {
		p, _ := pageOf(t, 0)
		p.b = &budgetv1.Budget{Findings: c.findings}
		require.Equal(t, c.nl, p.contested(&budgetv1.BudgetLine{Id: "x"}))
		p.lang = "en"
		require.Equal(t, c.en, p.contested(&budgetv1.BudgetLine{Id: "x"}))
	}
}
