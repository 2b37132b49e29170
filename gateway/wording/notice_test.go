package wording

import (
	"maps"
	"regexp"
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
		Withdraw: "https://meppel.example/toestemming", Reference: "00112233445566778899aabbccddeeff",
	}
}

// everything asks every category of every kind of source.
func everything(t *Texts) Notice {
	n := meppel()
	n.Sources = nil
	for _, kind := range keys(t.catalogs["source_kinds"]) {
		n.Sources = append(n.Sources, NoticeSource{Name: "De instelling", Kind: kind, Categories: keys(t.catalogs["categories"])})
	}
	return n
}

// The text as somebody reads it. Who changes it raises NoticeVersion, because the
// version stands in what is signed.
func TestTheNoticeOfThisVersion(t *testing.T) {
	texts := read(t)
	require.Equal(t, "2", NoticeVersion, "and with it these hashes")
	for lang, want := range map[string]string{
		Dutch:   "2f5fec8670b925832508e945553b019e7314770268ee52eb9a1c14aa3a059f43",
		English: "839d13333cc2246b8ec26bdce013a9e6416e924e45c2876b3f1c70b7402659c2",
	} {
		text := texts.Notice(lang, meppel())
		require.Equal(t, text, texts.Notice(lang, meppel()), "the same notice, the same text")
		require.Equal(t, want, NoticeSHA256(text), text)
	}
}

func TestTheNoticeSaysWhatItMust(t *testing.T) {
	texts := read(t)
	nl := texts.Notice(Dutch, meppel())
	for _, part := range []string{
		"Mag Gemeente Meppel gegevens over uw kind opvragen?",
		"Van Gemeente Meppel:\n- dat er een recht is, onder welke wet en in welke vorm\n- welk soort hulp of uitkering\n- het bedrag van het budget\nVan SVB:\n- wat er is uitgegeven\n",
		"Van 1 januari 2025 tot en met 31 december 2025. Op 3 november 2025 stopt het al.",
		"U mag nee zeggen. Dat kost niets", "net zo makkelijk als ja zeggen", "https://meppel.example/toestemming",
		"- allebei de mensen met gezag (2)\n- uw kind zelf\n",
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
	for _, purpose := range matrixPurposes(t) {
		require.Contains(t, texts.languages[Dutch].notices.Purposes, purpose, "a purpose that nobody explains cannot be asked")
	}
	for _, reader := range keys(texts.catalogs["signers"]) {
		n := everything(texts)
		n.Reader = reader
		nl, en := texts.Notice(Dutch, n), texts.Notice(English, n)
		require.NotEmpty(t, nl)
		for _, text := range []string{nl, en} {
			require.NotContains(t, text, "{", reader)
			require.NotContains(t, text, "\n\n\n", reader)
		}
		for list, labels := range map[string]map[string]label{"categories": texts.catalogs["categories"], "source_kinds": texts.catalogs["source_kinds"]} {
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

func matrixPurposes(t *testing.T) []string {
	m, err := ReadMatrix(policies.FS)
	require.NoError(t, err)
	return slices.Sorted(maps.Keys(m.purposes))
}

// B1: at most twenty words in a sentence, and no law before the second half.
func TestNoticesAreReadable(t *testing.T) {
	texts := read(t)
	end := regexp.MustCompile(`[.:?!](\s|$)|\n`)
	article := regexp.MustCompile(`(?i)\bart\.|artikel|article|\d+\.\d`)
	for _, reader := range keys(texts.catalogs["signers"]) {
		n := everything(texts)
		n.Reader = reader
		r := receipt()
		r.Reader, r.Sources = reader, n.Sources
		for _, text := range []string{texts.Notice(Dutch, n), texts.Receipt(Dutch, r)} {
			for _, sentence := range end.Split(text, -1) {
				require.LessOrEqual(t, len(strings.Fields(sentence)), 20, sentence)
			}
		}
	}
	for _, lang := range []string{Dutch, English} {
		text := texts.Notice(lang, meppel())
		require.False(t, article.MatchString(text[:len(text)/2]), lang)
		require.True(t, article.MatchString(text[len(text)/2:]), lang)
	}
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
	require.Contains(t, texts.Receipt(Dutch, onMandate), "Dat was op 2 januari 2025. Daarvoor was er een machtiging. Die loopt tot en met 31 december 2025.\n")
	require.Contains(t, texts.Receipt(English, onMandate), "That was on 2 January 2025. There was a mandate for that. It lasts until 31 December 2025.\n")
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
