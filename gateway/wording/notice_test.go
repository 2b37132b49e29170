package wording

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/policies"
)

// meppel is what the parents of a girl of fifteen are asked.
func meppel() Notice {
	return Notice{
		Controller: "Gemeente Meppel", Reader: "ouder_met_gezag", Purpose: "integral_budget.compose",
		Sources: []NoticeSource{
			{Name: "Gemeente Meppel", Kind: "MUNICIPALITY", Categories: []string{"entitlement", "product", "amount"}},
			{Name: "SVB", Kind: "SVB", Categories: []string{"spending"}},
		},
		From: civil.MustParse("2025-01-01"), Until: civil.MustParse("2025-12-31"), LapsesOn: civil.MustParse("2025-11-03"),
		Signers:  []NoticeSigner{{[]string{"ouder_met_gezag"}, 2}, {[]string{"self"}, 1}},
		Withdraw: "https://meppel.example/toestemming", RetentionDays: 90, Officer: "fg@meppel.example", Reference: "00112233445566778899aabbccddeeff",
	}
}

// everything asks every category of every kind of source.
func everything(t *Texts) Notice {
	n := meppel()
	n.Sources = nil
	for _, kind := range keys(t.now.Load().catalogs["source_kinds"]) {
		n.Sources = append(n.Sources, NoticeSource{Name: "De instelling", Kind: kind, Categories: keys(t.now.Load().catalogs["categories"])})
	}
	return n
}

// The text as somebody reads it. Who changes it raises NoticeVersion, because the
// version stands in what is signed.
func TestTheNoticeOfThisVersion(t *testing.T) {
	texts := read(t)
	require.Equal(t, "3", NoticeVersion, "and with it these hashes")
	for lang, want := range map[string]string{
		Dutch:   "cb934735bacfb8ce749d778a11d9203be8ce84698ed06faacc90cadd9a633a81",
		English: "7c5f52adb01ed5403e5144e6a35fc3ad21adb0d1be6fcdf12731300f6eed9754",
	} {
		text := texts.Notice(lang, meppel())
		require.Equal(t, text, texts.Notice(lang, meppel()), "the same notice, the same text")
		child := meppel()
		child.Reader, child.Child = "self", true
		require.Equal(t, want, NoticeSHA256(text+texts.Notice(lang, child)), text+texts.Notice(lang, child))
	}
}

// A child of 12 to 15 reads a text of their own (GDPR art. 12(1)); the parents theirs.
func TestAChildReadsATextOfTheirOwn(t *testing.T) {
	texts := read(t)
	n := meppel()
	n.Child = true
	require.Equal(t, texts.Notice(Dutch, meppel()), texts.Notice(Dutch, n), "a parent reads what parents read")
	n.Reader = "self"
	nl, en := texts.Notice(Dutch, n), texts.Notice(English, n)
	for _, part := range []string{
		"Mag Gemeente Meppel gegevens over jou opvragen?", "Zo zie je alles bij elkaar.", "Zeg jij nee? Dan doen we het niet, ook als een ander ja zegt.",
		"- allebei de mensen met gezag (2)\n- jij zelf\n", "ten hoogste 90 dagen", "fg@meppel.example", "- het bedrag van het budget\n", "https://meppel.example/toestemming",
	} {
		require.Contains(t, nl, part)
	}
	require.NotRegexp(t, `(?i)(^|[^\pL])(u|uw)($|[^\pL])`, nl, "a child is not addressed as a grown-up")
	require.Contains(t, en, "May Gemeente Meppel ask for data about you?")
	require.NotContains(t, nl+en, "{")
	n.Purpose = "fraud.detect"
	require.Empty(t, texts.Notice(Dutch, n))
}

func TestTheNoticeSaysWhatItMust(t *testing.T) {
	texts := read(t)
	nl := texts.Notice(Dutch, meppel())
	for _, part := range []string{
		"Mag Gemeente Meppel gegevens over uw kind opvragen?",
		"Van Gemeente Meppel:\n- dat er een recht is, onder welke wet en in welke vorm\n- welk soort hulp of uitkering\n- het bedrag van het budget\nVan SVB:\n- wat er is uitgegeven\n",
		"Van 1 januari 2025 tot en met 31 december 2025.\nOp 3 november 2025 stopt het al.\n",
		"U mag nee zeggen. Dat kost niets", "net zo makkelijk als ja zeggen", "https://meppel.example/toestemming",
		"- allebei de mensen met gezag (2)\n- uw kind zelf\n",
		"Gemeente Meppel bewaart het overzicht ten hoogste 90 dagen.", "Zo bereikt u die: fg@meppel.example\n",
	} {
		require.Contains(t, nl, part)
	}
	n := meppel()
	n.Person = "Femke\nVeldkamp {who}"
	require.Contains(t, texts.Notice(Dutch, n), "gegevens over Femke Veldkamp {who} opvragen?", "a name writes no lines, and fills no places")
	n.Reader, n.LapsesOn = "", civil.MustParse("2026-11-03")
	self := texts.Notice(Dutch, n)
	require.Contains(t, self, "gegevens over u opvragen?")
	require.NotContains(t, self, "Femke")
	require.NotContains(t, self, "stopt het al", "the birthday comes after the end")
	n.Signers = []NoticeSigner{{[]string{"self", "gemachtigde"}, 1}}
	require.Contains(t, texts.Notice(Dutch, n), "- u zelf of iemand die daarvoor een machtiging heeft\n")
	n.Reference = "11112233445566778899aabbccddeeff"
	require.NotEqual(t, self, texts.Notice(Dutch, n))
}

// Whoever reads it, of whatever source and category, in both languages.
func TestNoticesAreComplete(t *testing.T) {
	texts := read(t)
	for _, purpose := range askedPurposes(t) {
		require.Contains(t, texts.now.Load().languages[Dutch].notices.Purposes, purpose, "a purpose that nobody explains cannot be asked")
	}
	for _, reader := range keys(texts.now.Load().catalogs["signers"]) {
		n := everything(texts)
		n.Reader = reader
		nl, en := texts.Notice(Dutch, n), texts.Notice(English, n)
		require.NotEmpty(t, nl)
		for _, text := range []string{nl, en} {
			require.NotContains(t, text, "{", reader)
			require.NotContains(t, text, "\n\n\n", reader)
		}
		for list, labels := range map[string]map[string]label{"categories": texts.now.Load().catalogs["categories"], "source_kinds": texts.now.Load().catalogs["source_kinds"]} {
			for key, entry := range labels {
				require.Contains(t, nl, entry.NL, "%s %s", list, key)
				require.Contains(t, en, entry.EN, "%s %s", list, key)
			}
		}
	}
	n := meppel()
	n.Reader = "naaste"
	require.Empty(t, texts.Notice(Dutch, n), "a role that does not sign reads no notice")
	n = meppel()
	n.Purpose = "fraud.detect"
	require.Empty(t, texts.Notice(Dutch, n), "a purpose that is not explained is not asked")
}

// askedPurposes are those of which a cell of the matrix asks for a consent.
func askedPurposes(t *testing.T) []string {
	m, err := ReadMatrix(policies.FS)
	require.NoError(t, err)
	asked := map[string]bool{}
	for purpose, table := range m.purposes {
		for _, laws := range table.Sources {
			for _, cell := range laws {
				if cell.Rest["consent"] != false {
					asked[purpose] = true
				}
			}
		}
	}
	require.NotEmpty(t, asked)
	return slices.Sorted(maps.Keys(asked))
}

func receipt() Receipt {
	n := meppel()
	return Receipt{
		ID: "0192f2a0-0000-7000-8000-000000000001", Controller: n.Controller, Reader: n.Reader, Person: "Femke", Purpose: n.Purpose,
		Sources: append(n.Sources, NoticeSource{Name: "CAK", Kind: "CAK"}), Given: civil.MustParse("2025-01-02"),
		From: n.From, Until: n.Until, LapsesOn: n.LapsesOn, GivenBy: []string{"self", "ouder_met_gezag", "ouder_met_gezag"}, Withdraw: n.Withdraw,
	}
}

func TestReceipts(t *testing.T) {
	texts := read(t)
	nl, en := texts.Receipt(Dutch, receipt()), texts.Receipt(English, receipt())
	for _, part := range []string{
		"- Femke zelf\n- allebei de mensen met gezag (2)\nDat was op 2 januari 2025.", "Van CAK:\n- niets\n",
		"Van 1 januari 2025 tot en met 31 december 2025.", "https://meppel.example/toestemming", "0192f2a0-0000-7000-8000-000000000001",
	} {
		require.Contains(t, nl, part)
	}
	require.Contains(t, en, "From CAK (own contributions):\n- nothing\n")
	require.NotContains(t, nl+en, "{")
	require.NotContains(t, nl, "machtiging")
	onMandate := receipt()
	onMandate.Reader, onMandate.GivenBy, onMandate.MandatedUntil = "gemachtigde", []string{"gemachtigde"}, civil.MustParse("2025-12-31")
	require.Contains(t, texts.Receipt(Dutch, onMandate), "Dat was op 2 januari 2025.\nDaarvoor was er een machtiging. Die loopt tot en met 31 december 2025.\n")
	require.Contains(t, texts.Receipt(English, onMandate), "That was on 2 January 2025.\nThere was a mandate for that. It lasts until 31 December 2025.\n")
	r := receipt()
	r.GivenBy, r.Purpose = []string{"naaste"}, "integral_budget.account"
	require.Contains(t, texts.Receipt(Dutch, r), "- naaste\n", "nothing is dropped")
	require.Contains(t, texts.Receipt(Dutch, r), "\nintegral_budget.account\n")
	r.Reader = "naaste"
	require.Empty(t, texts.Receipt(Dutch, r))
}

// Nobody edits out what a person must be informed of.
func TestNoticesThatLeaveSomethingOutAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ old, changed, want string }{
		"how to withdraw":      {"  {withdraw}\n", "", "withdraw"},
		"a place nobody fills": {"{lapses}", "{lapses} {age}", "notice must be there"},
		"a role":               {"  mentor: {reader", "  mentoren: {reader", "mentor"},
		"a text of a role":     {"reader: voor uzelf", "reader: ''", "roles.self"},
		"a purpose":            {"  integral_budget.compose:", "  integral_budget.composed:", "one language only"},
		"how long it is kept":  {"ten hoogste {days}", "ten hoogste een tijd", "days"},
		"who the officer is":   {": {officer}", "", "officer"},
		"a child's text":       {"  {signers}\n\n  Kan het later nog anders?\n  Ja. Je", "  Kan het later nog anders?\n  Ja. Je", "child must be there"},
		"a child's purpose":    {"    child: \"We maken één overzicht van de hulp en het geld voor jou en je gezin.\\nZo zie je alles bij elkaar.\"\n", "", "purposes.integral_budget.compose"},
		"a law":                {"    law: AVG art. 6, 7 en 9; Wmo 2015 art. 5.2.5; Wlz art. 9.1.3; Jeugdwet art. 7.3.11.", "    law: ''", "purposes.integral_budget.compose"},
	} {
		m := copyOf(t)
		raw := string(m["reasons/notice.nl.yaml"].Data)
		require.Contains(t, raw, c.old, name)
		m["reasons/notice.nl.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(raw, c.old, c.changed))}
		_, err := ReadTexts(m)
		require.ErrorIs(t, err, ErrTable, name)
		require.ErrorContains(t, err, c.want, name)
	}
}
