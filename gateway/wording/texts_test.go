package wording

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func read(t testing.TB) *Texts {
	texts, err := ReadTexts(policies.FS)
	require.NoError(t, err)
	return texts
}

func TestEveryGapReasonHasATextInBothLanguages(t *testing.T) {
	texts := read(t)
	require.Len(t, texts.now.Load().languages[Dutch].gaps, len(budgetv1.GapReasons()))
	for _, reason := range budgetv1.GapReasons() {
		nl := texts.Gap(reason, Dutch, map[string]string{"person": "A2", "source": "UWV"})
		en := texts.Gap(reason, English, map[string]string{"person": "A2", "source": "UWV"})
		require.NotEqual(t, nl, en, reason)
		for _, text := range []string{nl, en} {
			require.Contains(t, text, "A2", reason)
			require.Contains(t, text, "UWV", reason)
			require.NotContains(t, text, "{", reason)
		}
	}
}

// What a gap says when there is more to say than its reason.
func TestEveryDetailOfAGapHasATextOfItsOwn(t *testing.T) {
	texts := read(t)
	for _, lang := range []string{Dutch, English} {
		codes := map[string][]string{}
		for reason, g := range texts.now.Load().languages[lang].gaps {
			if len(g.Codes) > 0 {
				codes[reason] = keys(g.Codes)
			}
		}
		require.Equal(t, budgetv1.GapDetails(), codes)
		require.ElementsMatch(t, budgetv1.IdentifierNames(), keys(texts.now.Load().languages[lang].words.Numbers))
	}
	for _, c := range []struct{ reason, code, number, nl, en string }{
		{budgetv1.ReasonSourceUnavailable, budgetv1.GapNumberMissing, budgetv1.IdentifierEducationNumber,
			"De gegevens van A2 bij UWV ontbreken. In de vraag staat geen onderwijsnummer. Deze bron mag geen burgerservicenummer krijgen. De medewerker van de gemeente kan het nummer invullen en opnieuw vragen.",
			"The data of A2 at UWV are missing. The question holds no pupil number, and this source may not be sent a BSN. The case worker can fill in the number and ask again."},
		{budgetv1.ReasonSourceUnavailable, budgetv1.GapNumberMissing, budgetv1.IdentifierPassNumber,
			"De gegevens van A2 bij UWV ontbreken. In de vraag staat geen pasnummer. Deze bron mag geen burgerservicenummer krijgen. De medewerker van de gemeente kan het nummer invullen en opnieuw vragen.",
			"The data of A2 at UWV are missing. The question holds no pass number, and this source may not be sent a BSN. The case worker can fill in the number and ask again."},
		{budgetv1.ReasonPeerRefused, budgetv1.GapRateLimited, "",
			"De gegevens van A2 bij UWV ontbreken. Er zijn in één minuut te veel vragen gesteld. De medewerker van de gemeente kan het over een minuut opnieuw vragen.",
			"The data of A2 at UWV are missing. Too many questions were asked within a minute. The case worker can ask again in a minute."},
		{budgetv1.ReasonNoConsent, budgetv1.GapConsentChanged, "",
			"De gegevens van A2 bij UWV ontbreken. De toestemming waarop dit budget rust, is daarna veranderd. De medewerker van de gemeente kan een nieuw budget vragen.",
			"The data of A2 at UWV are missing. The consent that this budget rests on was changed since. The case worker can ask for a new budget."},
		{budgetv1.ReasonAgreementExpired, budgetv1.GapAgreementReplaced, "",
			"De gegevens van A2 bij UWV ontbreken. De overeenkomst met UWV is vervangen door een andere. De medewerker van de gemeente kan een nieuw budget vragen.",
			"The data of A2 at UWV are missing. The agreement with UWV was replaced by another one. The case worker can ask for a new budget."},
		{budgetv1.ReasonPurposeNotAllowed, budgetv1.GapTokenTooNarrow, "",
			"De gegevens van A2 bij UWV ontbreken. Het toegangsbewijs (token) van de medewerker is hiervoor te smal. De beheerder van de gemeente kan een ruimer toegangsbewijs geven. U hoeft zelf niets te doen.",
			"The data of A2 at UWV are missing. The access token of the case worker is too narrow for this. The administrator of the municipality can give a wider access token. You need not do anything yourself."},
	} {
		params := map[string]string{"person": "A2", "source": "UWV", "code": c.code, "number": c.number}
		require.Equal(t, c.nl, texts.Gap(c.reason, Dutch, params))
		require.Equal(t, c.en, texts.Gap(c.reason, English, params))
		params["code"] = "OVK-01"
		require.Equal(t, texts.Gap(c.reason, English, map[string]string{"person": "A2", "source": "UWV"}), texts.Gap(c.reason, English, params), "another code has no text of its own")
	}
}

func TestEveryFindingHasATextInBothLanguages(t *testing.T) {
	texts := read(t)
	require.Len(t, texts.now.Load().languages[Dutch].findings, len(budgetv1.FindingCodes()))
	for _, code := range budgetv1.FindingCodes() {
		nl, en := texts.Finding(code, Dutch, nil), texts.Finding(code, English, nil)
		require.NotEmpty(t, nl, code)
		require.NotEqual(t, nl, en, code)
		require.NotContains(t, nl+en, "{", code)
	}
}

// What a finding says before its day and after it, and when it only asks.
func TestEveryDetailOfAFindingHasATextOfItsOwn(t *testing.T) {
	texts := read(t)
	for _, lang := range []string{Dutch, English} {
		codes := map[string][]string{}
		for code, f := range texts.now.Load().languages[lang].findings {
			if len(f.Codes) > 0 {
				codes[code] = keys(f.Codes)
			}
		}
		require.Equal(t, budgetv1.FindingDetails(), codes)
	}
	for _, c := range []struct{ code, severity, today, nl string }{
		{budgetv1.FindingTransition18, "", "2025-06-14", "Op 15 juni 2025 wordt A1 18 jaar. De jeugdhulp stopt dan meestal."},
		{budgetv1.FindingTransition18, "", "2025-06-15", "Op 15 juni 2025 is A1 18 jaar geworden. De jeugdhulp stopt meestal op die dag."},
		{budgetv1.FindingAowAge, "", "2025-06-16", "Op 15 juni 2025 kreeg A1 de leeftijd voor AOW."},
		{budgetv1.FindingLegalBasisEnds, "", "2025-06-15", "mag tot en met 15 juni 2025"},
		{budgetv1.FindingLegalBasisEnds, "", "2025-06-16", "mocht tot en met 15 juni 2025"},
		{budgetv1.FindingContinuityLimit, "", "2025-06-16", "kon doorgaan in de nieuwe gemeente tot en met 15 juni 2025"},
		{budgetv1.FindingDupDelivery, budgetv1.SeverityError, "2025-06-16", "Dat mag niet."},
		{budgetv1.FindingDupDelivery, budgetv1.SeverityWarning, "2025-06-16", "Klopt dit? Vaak mag dit."},
		{budgetv1.FindingTransition18, "", "", "wordt A1 18 jaar"},
	} {
		f := &budgetv1.Finding{Code: c.code, Severity: c.severity, Date: "2025-06-15"}
		text := texts.Finding(c.code, Dutch, map[string]string{"person": "A1", "date": f.GetDate(), "code": budgetv1.FindingDetail(f, c.today)})
		require.Contains(t, text, c.nl)
	}
}

func TestEveryRefusalOfAPlanHasAText(t *testing.T) {
	texts := read(t)
	codes := append(budgetv1.RefusalCodes(), "SPLIT_PAST_BASIS", "SUNSET", "SUNSET_LATER") // beside them: a split where a basis has ended, and what a sunset says
	require.ElementsMatch(t, codes, keys(texts.now.Load().languages[Dutch].refusals.Refusals))
}

// The tables know the roles that sign, and purposes that the program has.
func TestNoticesAreOfTheClosedLists(t *testing.T) {
	nl := read(t).now.Load().languages[Dutch].notices
	require.ElementsMatch(t, ontschotv1.Signers(), keys(nl.Roles))
	require.Subset(t, ontschotv1.Purposes(), keys(nl.Purposes))
}

// TestAFindingThatNamesNobody: what is about the household as a whole, or about
// everybody who moved, must not read as if it were about one of them.
func TestAFindingThatNamesNobody(t *testing.T) {
	texts := read(t)
	for _, code := range []string{
		budgetv1.FindingPartial, budgetv1.FindingMoveFunderChange, budgetv1.FindingLegalBasisEnds,
	} {
		for _, lang := range []string{Dutch, English} {
			require.NotContains(t, texts.Finding(code, lang, map[string]string{"person": "A5"}), "A5", code)
			require.NotContains(t, texts.Finding(code, lang, nil), texts.now.Load().languages[lang].words.Unknown["person"], code)
		}
	}
}

func TestPlacesAreFilled(t *testing.T) {
	texts := read(t)
	params := map[string]string{"person": "A5", "law": "JW", "product": "45", "label": "jeugdhulp ambulant", "from": "2025-01-01", "to": "2025-01-31", "days": "31"}
	require.Equal(t, "Voor A5 is er geen besluit bekend over jeugdhulp ambulant (Jeugdwet). Dat is van 1 januari 2025 tot en met 31 januari 2025 (31 dagen). "+
		"Vraag de gemeente of de andere verstrekker of dit klopt. Is er nog hulp nodig? Dan kan A5 een verlenging aanvragen.", texts.Finding("GAP", Dutch, params))
	params["days"], params["label"] = "1", ""
	require.Contains(t, texts.Finding("GAP", English, params), "For A5 no decision is known about unknown product with code 45 (Youth Act). This is from 1 January 2025 up to and including 31 January 2025 (1 day).")
	require.Contains(t, texts.Finding("GAP", Dutch, nil), "Voor deze persoon is er geen besluit bekend over een onbekend product (deze wet).")
	require.Contains(t, texts.Gap("NO_CONSENT", Dutch, nil), ". Deze persoon, of wie voor deze persoon mag tekenen, kan toestemming geven.")
	require.Contains(t, texts.Gap("NO_CONSENT", "fr", nil), "toestemming", "another language is answered in Dutch")
	require.Contains(t, texts.Gap("NO_CONSENT", Dutch, map[string]string{"source": "{person}"}), "bij {person} ontbreken", "a param is not filled in again")
	require.Contains(t, texts.Finding("GAP", Dutch, map[string]string{"from": "x", "law": "ABC"}), "(ABC). Dat is van x tot")
	part := map[string]string{"person": "A3", "source": "GM0119", "law": "WMO, JW", "category": "amount"}
	require.Contains(t, texts.Gap("NO_AGREEMENT", Dutch, part), "Het gaat alleen om: het bedrag van het budget, bij Wmo 2015 (ondersteuning), Jeugdwet (jeugdhulp). De gemeente kan")
	part["category"] = ""
	require.Contains(t, texts.Gap("NO_AGREEMENT", English, part), "This is only about: Wmo 2015 (social support), Youth Act (youth care). The")
	require.NotContains(t, texts.Gap("NO_AGREEMENT", Dutch, map[string]string{"person": "A3"}), "alleen om")
	require.Empty(t, texts.Gap("NOT_A_REASON", Dutch, nil))
	require.Empty(t, texts.Finding("NOT_A_CODE", English, nil))
}

func TestLabels(t *testing.T) {
	texts := read(t)
	require.Equal(t, "Jeugdwet (jeugdhulp)", texts.Label("laws", "JW", Dutch))
	require.Equal(t, "zorgkantoor", texts.Label("source_kinds", "CARE_OFFICE", Dutch))
	require.Equal(t, "care office", texts.Label("source_kinds", "careoffice", English))
	require.Equal(t, "no consent", texts.Label("statuses", "NO_CONSENT", English))
	require.Equal(t, "niets toegekend", texts.Label("statuses", "NO_RIGHT", Dutch))
	require.Equal(t, "Jeugdwet", texts.Law("JW", Dutch))
	require.Equal(t, "geen overeenkomst", texts.GapName("NO_AGREEMENT", Dutch))
	require.Equal(t, "ABC", texts.GapName("ABC", Dutch))
	require.Equal(t, "begeleiding", texts.Product("02", "begeleiding", Dutch))
	require.Equal(t, "onbekend product met code 77", texts.Product("77", budgetv1.Unlisted, Dutch))
	require.Equal(t, "een onbekend product", texts.Product("", budgetv1.Unlisted, Dutch))
	require.Equal(t, "1 februari 2025", texts.Date("2025-02-01", Dutch))
	require.Equal(t, "1 February 2025", texts.Date("2025-02-01", English))
	require.Equal(t, "ABC", texts.Label("laws", "ABC", Dutch))
	require.Equal(t, "ABC", texts.Label("nothing", "ABC", Dutch))
	for _, category := range budgetv1.Categories() {
		require.NotEqual(t, string(category), texts.Label("categories", string(category), Dutch))
	}
}

func TestReasons(t *testing.T) {
	texts := read(t)
	for _, lang := range []string{Dutch, English} {
		reason, ok := texts.Reason("OVK-01", lang)
		require.True(t, ok)
		require.NotEmpty(t, reason.Short)
		require.NotEmpty(t, reason.Article)
	}
	_, ok := texts.Reason("OVK-99", Dutch)
	require.False(t, ok)
}

func TestIncompleteTextsAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, old, changed, want string }{
		"code":          {"reasons/gaps.en.yaml", "RATE_LIMITED:", "RATE_LIMIT:", "PEER_REFUSED RATE_LIMIT"},
		"empty code":    {"reasons/gaps.nl.yaml", "do: De medewerker van de gemeente kan het over een minuut opnieuw vragen.", "do: ''", "RATE_LIMITED has an empty text"},
		"number":        {"reasons/words.en.yaml", "pass_number: pass number", "pas_number: pass number", "pas"},
		"one language":  {"reasons/gaps.en.yaml", "STALE:", "STALER:", "STALE"},
		"empty":         {"reasons/nl.yaml", "short: Er is geen overeenkomst", "short: ''", "OVK-01"},
		"unfilled":      {"reasons/findings.nl.yaml", "({days})", "({weken})", "{weken}"},
		"detail":        {"reasons/findings.en.yaml", "    PAST:", "    GONE:", "TRANSITION_18 "},
		"empty act":     {"reasons/way.en.yaml", "    worker: Ask for a new budget.\n", "", "ASK_ANEW has an empty text"},
		"act":           {"reasons/way.en.yaml", "  ASK_ANEW:", "  ASK_NEW:", "names an act that way.en.yaml does not have"},
		"place of act":  {"reasons/way.nl.yaml", "Laat een collega met deze rol dit doen: {role}", "Laat een collega met deze rol dit doen: {rol}", "{rol}"},
		"short":         {"reasons/gaps.en.yaml", "  short: no consent\n", "", "NO_CONSENT has an empty text"},
		"unknown key":   {"reasons/gaps.nl.yaml", "missing:", "mising:", "mising"},
		"eleven months": {"reasons/words.en.yaml", "January, ", "", "twelve months"},
		"label":         {"rules/catalog/laws/data.yaml", "code: WMO, ", "", "wmo"},
	} {
		m := copyOf(t)
		require.Contains(t, string(m[c.file].Data), c.old, name)
		m[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[c.file].Data), c.old, c.changed, 1))}
		_, err := ReadTexts(m)
		require.ErrorIs(t, err, ErrTable, name)
		require.ErrorContains(t, err, c.want, name)
	}
	m := copyOf(t)
	delete(m, "reasons/words.nl.yaml")
	_, err := ReadTexts(m)
	require.ErrorIs(t, err, ErrTable)
	m = copyOf(t)
	m["reasons/nl.yaml"] = &fstest.MapFile{Data: make([]byte, maxBytes+1)}
	_, err = ReadTexts(m)
	require.ErrorContains(t, err, "larger than")
}

func copyOf(t testing.TB) fstest.MapFS {
	m := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		m[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	return m
}

// FuzzFill: no text and no param make it panic, and a known place never stays.
func FuzzFill(f *testing.F) {
	f.Add("Van {from} tot {to}. {person}", "2025-01-01", "A1")
	f.Add("{", "}", "{from}")
	f.Add("{from", "2025-02-30", "")
	texts := read(f)
	f.Fuzz(func(t *testing.T, text, from, person string) {
		filled := texts.fill(text, Dutch, map[string]string{"from": from, "person": person, "days": from})
		if !strings.ContainsAny(from+person, "{}") && strings.Count(text, "{") == strings.Count(text, "}") && strings.Count(text, "{") == 1 {
			require.NotContains(t, filled, "{person}")
		}
	})
}

// What cannot be read is told by its line, without types of Go and without what stands there.
func TestATableThatCannotBeReadIsToldInWords(t *testing.T) {
	type table struct {
		A []string `yaml:"a"`
	}
	for content, says := range map[string]string{
		"":                 "t.yaml:1: it is empty",
		"- secret":         "t.yaml:1: a text, a list or keys stand here",
		"\na: {b: secret}": "t.yaml:2: a text, a list or keys stand here",
		"a: []\nb: secret": `t.yaml:2: unknown key "b"`,
		"a: [secret":       "this cannot be read as YAML",
	} {
		err := readTable(fstest.MapFS{"t.yaml": {Data: []byte(content)}}, "t.yaml", new(table))
		require.ErrorIs(t, err, ErrTable, content)
		require.ErrorContains(t, err, says, content)
		require.NotRegexp(t, `wording\.|unmarshal|\[\]string|struct|secret`, err.Error(), content)
	}
}
