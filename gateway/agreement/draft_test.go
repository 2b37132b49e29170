package agreement_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// anyText is a text a party could write; some look like YAML.
func anyText(most int) *rapid.Generator[string] {
	word := rapid.OneOf(
		rapid.SampledFrom([]string{"#", "-", "---", "...", ": |", ">-", "null", "'", `"x"`, "&a", "*a", "!x", "{", "]", "%YAML", "?", "@", "`", "\\n", "é", "𝔸", "<<:", "~", "0x1F"}),
		rapid.StringMatching(`[ -~]{1,12}`), rapid.StringMatching(`\pL{1,90}`),
	)
	return rapid.Custom(func(t *rapid.T) string {
		s := strings.Join(strings.Fields(strings.Join(rapid.SliceOfN(word, 1, 40).Draw(t, "words"), " ")), " ")
		for r := []rune(s); len(r) > most; r = []rune(s) {
			s = strings.TrimSpace(string(r[:most]))
		}
		return s
	}).Filter(func(s string) bool { return s != "" })
}

// anyTerms are good terms of a draft.
func anyTerms() *rapid.Generator[agreement.Terms] {
	return rapid.Custom(func(t *rapid.T) agreement.Terms {
		days := rapid.IntRange(1, 3650)
		purposes := rapid.SampledFrom([]string{compose, "null", "true", "no", "y", "a.b_c", "x", "integral_budget.account", "e1"})
		categories := rapid.SliceOfNDistinct(rapid.SampledFrom(budgetv1.Categories()), 1, -1, rapid.ID[budgetv1.Category])
		out := draft()
		out.Grants = nil
		used := map[bool][]string{}
		for range rapid.IntRange(1, 4).Draw(t, "grants") {
			g := agreement.Grant{
				Consumer: meppel, Source: uwv, LegalBasis: rapid.SampledFrom([]string{"avg-6-1-e", "no", "6", "-", "null"}).Draw(t, "basis"),
				Assurance: rapid.SampledFrom(ontschotv1.Assurances()).Draw(t, "assurance"), RetentionDays: days.Draw(t, "retention"), MaxAgeDays: days.Draw(t, "age"),
				RatePerMinute: rapid.IntRange(1, 10000000).Draw(t, "rate"),
			}
			turned := rapid.Bool().Draw(t, "turned")
			if turned {
				g.Consumer, g.Source = g.Source, g.Consumer
			}
			left := purposes.Filter(func(p string) bool { return !contains(used[turned], p) })
			g.Purposes = rapid.SliceOfNDistinct(left, 1, 2, rapid.ID[string]).Draw(t, "purposes")
			used[turned] = append(used[turned], g.Purposes...)
			for _, c := range categories.Draw(t, "categories") {
				g.Categories = append(g.Categories, string(c))
			}
			out.Grants = append(out.Grants, g)
		}
		roles := map[[2]bool][2]string{{true, true}: {"both", "both"}, {true, false}: {"consumer", "source"}, {false, true}: {"source", "consumer"}}
		for i, role := range roles[[2]bool{len(used[false]) > 0, len(used[true]) > 0}] {
			out.Parties[i].Role = role
		}
		out.Finance = agreement.Finance{Settlement: anyText(500).Draw(t, "settlement"), CostShare: anyText(500).Draw(t, "cost")}
		out.Sunset = anyText(1000).Draw(t, "sunset")
		out.Oversight.Witnesses = rapid.IntRange(0, 16).Draw(t, "witnesses")
		out.Oversight.Auditors = rapid.SliceOfNDistinct(rapid.Map(rapid.StringMatching(`[0-9]{20}`), func(s string) identity.OIN { return identity.OIN(s) }), 0, 3, rapid.ID[identity.OIN]).Draw(t, "auditors")
		out.Oversight.BreachContact = rapid.SampledFrom([]string{"fg@meppel.example", "https://meppel.example/a?b=c#d", "tel:+31522850500"}).Draw(t, "contact")
		from := civil.MustParse("2024-02-29") + civil.Date(rapid.IntRange(0, 1000).Draw(t, "from"))
		out.From, out.Until = from.String(), (from + civil.Date(rapid.IntRange(0, 1800).Draw(t, "until"))).String()
		return out
	})
}

func contains(list []string, s string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+s+" ")
}

// What is written down is what is read back, whatever the names of the parties.
func TestADraftComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyTerms().Draw(t, "terms")
		name := rapid.OneOf(rapid.Just(""), rapid.Just("Gemeente Meppel"), rapid.Just("x\nversion: 2 # \u2028\r\x85"), rapid.String()).Draw(t, "name")
		raw := agreement.WriteDraft(want, func(identity.OIN) string { return name })
		got, err := agreement.ReadDraft(raw)
		require.NoError(t, err, string(raw))
		require.Equal(t, want, got)
		require.Equal(t, raw, agreement.WriteDraft(got, func(identity.OIN) string { return name }))
	})
}

func TestADraftCanBeRead(t *testing.T) {
	long := draft(func(a *agreement.Terms) {
		a.Sunset = strings.TrimSpace(strings.Repeat("Elk recht keert terug naar zijn eigen wet. ", 6))
	})
	raw := string(agreement.WriteDraft(long, func(o identity.OIN) string { return map[identity.OIN]string{meppel: "Gemeente Meppel"}[o] }))
	require.Contains(t, raw, `  - oin: "00000099000000119000" # Gemeente Meppel`+"\n    role: consumer\n")
	require.Contains(t, raw, `    source: "00000099000000000001"`+"\n")
	require.Contains(t, raw, "    categories:\n      - entitlement\n      - period\n")
	require.Contains(t, raw, "# Wat er gebeurt als de wettelijke grond vervalt.\nsunset: >-\n  Elk recht")
	for line := range strings.Lines(raw) {
		require.LessOrEqual(t, len(line), 96, line)
	}
	require.NotContains(t, raw, "proposed_at")
	require.Equal(t, raw, string(agreement.WriteDraft(terms(func(a *agreement.Terms) { a.Sunset = long.Sunset }), func(o identity.OIN) string {
		return map[identity.OIN]string{meppel: "Gemeente Meppel"}[o]
	})), "what only a proposal has is left out")
}

// Whatever terms are written, the writer does not write another meaning.
func TestHostileTermsAreWrittenHarmlessly(t *testing.T) {
	for _, hostile := range []string{"x\ngrants: []", `"`, "a: b", "# x", "", "\xff", "x  y"} {
		raw := agreement.WriteDraft(draft(func(a *agreement.Terms) {
			a.Grants[0].LegalBasis, a.Grants[0].Purposes[0], a.Parties[0].Role = hostile, hostile, hostile
			a.Finance.Settlement, a.From, a.Oversight.DPIA = hostile, hostile, hostile
		}), nil)
		_, err := agreement.ReadDraft(raw)
		require.ErrorIs(t, err, agreement.ErrDraft)
		var field *agreement.FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, "grants[0].purposes", field.Path, "the keys are all as they were")
	}
}

func TestDraftsThatAreRefused(t *testing.T) {
	good := string(agreement.WriteDraft(draft(), nil))
	replace := func(old, new string) string {
		require.Contains(t, good, old)
		return strings.Replace(good, old, new, 1)
	}
	line := func(text string) int { return strings.Count(good[:strings.Index(good, text)], "\n") + 1 }
	for name, c := range map[string]struct {
		draft, says string
		line        int
	}{
		"a key that is not known":  {replace("rate_per_minute:", "rate_per_minut:"), "grants[0]: a key that is not known; did you mean rate_per_minute?", line("rate_per_minute")},
		"one far from any":         {replace("version: 1", "version: 1\n"+`"`+canary+`": 1`), "a key that is not known", line("version") + 1},
		"what the gateway sets":    {replace("version: 1", "version: 1\nid: x"), "a key that is not known", line("version") + 1},
		"a key in capitals":        {replace("sunset:", "Sunset:"), "did you mean sunset?", line("sunset:")},
		"a key twice":              {replace("    legal_basis: avg-6-1-e", "    legal_basis: avg-6-1-e\n    legal_basis: avg-6-1-a"), "grants[0].legal_basis: is listed twice", line("legal_basis:") + 1},
		"a key missing":            {replace("    legal_basis: avg-6-1-e\n", ""), "grants[0].legal_basis: is needed", line("- consumer:")},
		"nothing in it":            {replace("legal_basis: avg-6-1-e", "legal_basis:"), "grants[0].legal_basis: one value is needed", line("legal_basis:")},
		"a list for a value":       {replace("legal_basis: avg-6-1-e", "legal_basis: [a]"), "grants[0].legal_basis: one value is needed", line("legal_basis:")},
		"a value for a list":       {replace("auditors: []", "auditors: x"), "oversight.auditors: must be a list", line("auditors:")},
		"a value for keys":         {replace("  - oin: \"00000099000000119000\"\n    role: consumer", "  - "+canary), "parties[0]: must be keys with values", line("  - oin:")},
		"half a number":            {replace("rate_per_minute: 600", "rate_per_minute: 1.5"), "grants[0].rate_per_minute: must be a whole number", line("rate_per_minute:")},
		"a number in another base": {replace("rate_per_minute: 600", "rate_per_minute: 0x10"), "must be a whole number", line("rate_per_minute:")},
		"a number with a zero":     {replace("rate_per_minute: 600", "rate_per_minute: 0600"), "must be a whole number", line("rate_per_minute:")},
		"too large a number":       {replace("rate_per_minute: 600", "rate_per_minute: 99999999999999999999"), "must be a whole number", line("rate_per_minute:")},
		"no such rate":             {replace("rate_per_minute: 600", "rate_per_minute: 0"), "grants[0].rate_per_minute: must be a whole number of 1 to 10000000", line("rate_per_minute:")},
		"no such category":         {replace("- period", "- "+canary), "grants[0].categories: must be a list of different categories: entitlement, product", line("- entitlement")},
		"an anchor":                {replace("version: 1", "version: &a 1"), "anchors and aliases", line("version:")},
		"an alias":                 {replace("version: 1", "version: &a 1\nfrom: *a"), "anchors and aliases", line("version:")},
		"a bomb":                   {bomb(), "anchors and aliases", 1},
		"a tag":                    {replace("version: 1", "version: !!int 1"), "tags (!)", line("version:")},
		"a merge":                  {replace("version: 1", "version: 1\n<<: {from: x}"), "a key that is not known", line("version:") + 1},
		"a list for a key":         {replace("version: 1", "version: 1\n? [a]\n: b"), "a key that is not known", line("version:") + 1},
		"deep":                     {"version: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "too much or too deep", 1},
		"many":                     {"version: [" + strings.Repeat("1,", 5000) + "]", "too much or too deep", 1},
		"unbalanced":               {strings.Repeat("[", 60000), "is no YAML", 0},
		"no YAML":                  {replace("version: 1", "version: ["+canary), "is no YAML", 0},
		"two values":               {replace("version: 1", "version: 1: 2"), "is no YAML", line("version:")},
		"two documents":            {good + "---\nversion: 2\n", "one document", strings.Count(good, "\n") + 1},
		"not that deep":            {"version: [[[[[1]]]]]", "version: one value is needed", 1},
		"one deeper":               {"version: [[[[[[1]]]]]]", "too much or too deep", 1},
		"not that many":            {"version: [1" + strings.Repeat(",1", 4092) + "]", "version: one value is needed", 1},
		"one more":                 {"version: [1" + strings.Repeat(",1", 4093) + "]", "too much or too deep", 1},
		"a byte too large":         {good + "#" + strings.Repeat("x", 64<<10-len(good)), "at most 65536 bytes", 0},
		"broken behind it":         {good + "---\n[\n", "one document", 0},
		"nothing":                  {"", "is no YAML", 0},
		"only a comment":           {"# x\n", "is no YAML", 0},
		"only a value":             {canary, "must be keys with values", 1},
		"null":                     {"~", "must be keys with values", 1},
		"not UTF-8":                {good + "# \xff", "UTF-8", 0},
		"too large":                {good + "#" + strings.Repeat("x", 64<<10), "at most 65536 bytes", 0},
	} {
		got, err := agreement.ReadDraft([]byte(c.draft))
		require.ErrorIs(t, err, agreement.ErrDraft, name)
		require.ErrorContains(t, err, c.says, name)
		require.NotContains(t, err.Error(), "canary", name)
		require.Equal(t, agreement.Terms{}, got, name)
		if c.line > 0 {
			require.ErrorContains(t, err, fmt.Sprintf("line %d: ", c.line), name)
		}
	}
}

// bomb is a small draft that would grow to millions of values.
func bomb() string {
	b := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		b += fmt.Sprintf("a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i, i, i, i, i)
	}
	return b
}

// A date and an OIN mean the same without quotes.
func TestQuotesMayBeLeftOut(t *testing.T) {
	want := draft()
	raw := strings.ReplaceAll(string(agreement.WriteDraft(want, nil)), `"`, "")
	got, err := agreement.ReadDraft([]byte(raw))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A draft may be as large as it says.
func TestTheLargestDraft(t *testing.T) {
	good := string(agreement.WriteDraft(draft(), nil))
	_, err := agreement.ReadDraft([]byte(good + "#" + strings.Repeat("x", 64<<10-len(good)-1)))
	require.NoError(t, err)
}

// The key that was probably meant is at most two letters away, or a quarter of the word.
func TestSuggestions(t *testing.T) {
	for key, says := range map[string]string{
		"untxx": "; did you mean until?", "unxxx": "", "Untxx": "; did you mean until?",
		"oversightxyz": "; did you mean oversight?", "oversightxyza": "", "xyz": "", strings.Repeat("until", 13): "",
	} {
		_, err := agreement.ReadDraft([]byte(key + ": 1\n"))
		require.EqualError(t, err, "agreement draft refused: line 1: a key that is not known"+says, key)
	}
	_, err := agreement.ReadDraft([]byte("parties:\n  - oile: 1\n"))
	require.EqualError(t, err, "agreement draft refused: line 2: parties[0]: a key that is not known; did you mean oin?", "of two as near, the first")
}

// The draft as people read it stands in testdata/draft.yaml.
func TestTheDraftAsItIsWritten(t *testing.T) {
	long := draft(back, func(a *agreement.Terms) {
		a.Grants[1].Categories = nil
		a.Oversight.Auditors = []identity.OIN{stranger, uwv}
		a.Sunset = strings.TrimSpace(strings.Repeat("Elk recht keert terug naar zijn eigen wet. ", 6))
	})
	want, err := os.ReadFile("testdata/draft.yaml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(agreement.WriteDraft(long, func(o identity.OIN) string { return map[identity.OIN]string{meppel: "Gemeente Meppel"}[o] })))
}

// A line holds 88 characters and no more, but for a word that is longer.
func TestTextsAreFolded(t *testing.T) {
	for n := 80; n <= 90; n++ {
		word := strings.Repeat("a", n)
		raw := string(agreement.WriteDraft(draft(func(a *agreement.Terms) { a.Sunset, a.Finance.CostShare = word+" b", word+" b" }), nil))
		for _, indent := range []string{"  ", "    "} {
			if len(indent)+n+2 <= 88 {
				require.Contains(t, raw, "\n"+indent+word+" b\n")
				continue
			}
			require.Contains(t, raw, "\n"+indent+word+"\n"+indent+"b\n")
		}
	}
}
