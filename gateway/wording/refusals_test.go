package wording

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestRefusals(t *testing.T) {
	texts := read(t)
	params := map[string]string{
		"law": "WMO, WLZ", "product": "02", "label": "begeleiding", "person": "A3", "amount": "123456",
		"to": "2025-06-30", "date": "2025-07-01", "parts": "A 3 WMO 898560\nA4 WLZ 5\nnonsense\n",
	}
	for code := range texts.now.Load().languages[Dutch].refusals.Refusals {
		nl, insteadNl := texts.Refusal(code, Dutch, params)
		en, insteadEn := texts.Refusal(code, English, params)
		require.NotEqual(t, nl, en, code)
		require.NotEqual(t, insteadNl, insteadEn, code)
		require.NotContains(t, nl+en+insteadNl+insteadEn, "{", code)
	}
	why, instead := texts.Refusal("SPLIT_ACROSS_LAWS", Dutch, params)
	require.Contains(t, why, "uit budgetten van meer wetten: Wmo 2015, Wlz.")
	require.Contains(t, instead, "A 3: € 8.985,60 uit Wmo 2015; A4: € 0,05 uit Wlz.")
	_, instead = texts.Refusal("SPLIT_ACROSS_LAWS", English, params)
	require.Contains(t, instead, "A 3: €8,985.60 from Wmo 2015")
	why, _ = texts.Refusal("OVERALLOCATED", Dutch, params)
	require.Equal(t, "Dit deel past niet in het budget van A3 voor begeleiding (Wmo 2015, Wlz). Daarvan is nog € 1.234,56 over.", why)
	why, instead = texts.Refusal("NO_CODE", Dutch, params)
	require.Empty(t, why+instead)
	require.Equal(t, "123456", params["amount"], "the params stay as they are")
}

func TestEuros(t *testing.T) {
	for cents, want := range map[string][2]string{
		"0": {"€ 0,00", "€0.00"}, "7": {"€ 0,07", "€0.07"}, "100": {"€ 1,00", "€1.00"},
		"100000": {"€ 1.000,00", "€1,000.00"}, "123456789012": {"€ 1.234.567.890,12", "€1,234,567,890.12"},
		"-5": {"-€ 0,05", "-€0.05"}, "-9223372036854775808": {"-€ 92.233.720.368.547.758,08", "-€92,233,720,368,547,758.08"},
		"x": {"x", "x"}, "": {"", ""},
	} {
		require.Equal(t, want[0], euros(cents, Dutch))
		require.Equal(t, want[1], euros(cents, English))
	}
}

func TestIncompleteRefusalsAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, old, changed, want string }{
		"one language": {"nl", "SPLIT_SUM:", "SPLIT_SOM:", "SPLIT_S"},
		"unfilled":     {"en", ": {parts}", ": {pieces}", "{pieces}"},
		"empty part":   {"nl", "part: \"{person}: {amount} uit {law}\"", "part: ''", "empty"},
		"unknown key":  {"en", "why:", "because:", "because"},
	} {
		m := copyOf(t)
		file := "reasons/refusals." + c.file + ".yaml"
		require.Contains(t, string(m[file].Data), c.old, name)
		m[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[file].Data), c.old, c.changed, 1))}
		_, err := ReadTexts(m)
		require.ErrorIs(t, err, ErrTable, name)
		require.ErrorContains(t, err, c.want, name)
	}
	m := copyOf(t)
	delete(m, "reasons/refusals.en.yaml")
	_, err := ReadTexts(m)
	require.ErrorIs(t, err, ErrTable)
}

// FuzzParts: no list of parts makes it panic.
func FuzzParts(f *testing.F) {
	f.Add("A3 WMO 898560\nA4 WLZ 5")
	f.Add("  \n\n x")
	f.Add("{person} {law} -1")
	texts := read(f)
	f.Fuzz(func(t *testing.T, list string) {
		worded := texts.parts(list, Dutch)
		require.LessOrEqual(t, strings.Count(worded, " uit "), strings.Count(list, "\n")+1+strings.Count(list, " uit "))
	})
}
