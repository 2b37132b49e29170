package casefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheEmbeddedCasesOpen(t *testing.T) {
	for _, name := range Names() {
		c, err := Open(name)
		require.NoError(t, err)
		require.Equal(t, name, c.Name)
		require.NotEmpty(t, c.Expected.Lines)
		require.NotEmpty(t, c.Pairs())
	}
	c, err := Open("meppel")
	require.NoError(t, err)
	require.Contains(t, c.Pairs(), Pair{"A2", "UWV"}, "asked without consent")
	require.Len(t, c.Pairs(), 10)
	p, _ := c.Party("GM0119")
	require.Equal(t, "0119", p.SchemeCode())
}

func TestWhatIsWrongIsNamedAndNotRepeated(t *testing.T) {
	good := `{"schema":"ontschot.case/1","window":{"from":"2025-01-01","to":"2025-12-31"},"today":"2025-06-30","purpose":"p","requester":"GM0001",
	"parties":[{"code":"GM0001","oin":"00000099000000001000","kind":"MUNICIPALITY"}],"household":[{"ref":"A","bsn":"999940004"}],
	"consents":[{"person":"A","signers":["A"],"sources":["GM0001"],"categories":["*"],"from":"2025-01-01","until":"2025-12-31"}]}`
	_, err := Parse([]byte(good))
	require.NoError(t, err)
	for _, c := range []struct{ from, to, names string }{
		{"ontschot.case/1", "x", "schema"},
		{"999940004", "999940005", "household[0].bsn"},
		{`"to":"2025-12-31"`, `"to":"2024-12-31"`, "window"},
		{`"today":"2025-06-30"`, `"today":"2025-06-31"`, "no civil date"},
		{`"sources":["GM0001"]`, `"sources":["GM0002"]`, "consents[0]"},
		{`"signers":["A"]`, `"signers":["B"]`, "consents[0]"},
		{`"household":[`, `"household":3,"x":[`, "household"},
		{`"requester":"GM0001"`, `"requester":"GM0009"`, "requester"},
		{`"parties":[{`, `"parties":[{,`, "line 2"},
	} {
		_, err := Parse([]byte(strings.Replace(good, c.from, c.to, 1)))
		require.ErrorIs(t, err, ErrCase, c.names)
		require.ErrorContains(t, err, c.names)
		require.NotContains(t, err.Error(), "99994000")
	}
}

// A file that is no case is told in words: its place, what is wrong there, what to do. No type
// of Go is among them, and no value.
func TestAFileThatIsNoCaseIsToldInWords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for content, says := range map[string]string{
		"":                               "file:1:1: it is empty",
		"[]":                             "file:1:1: an object, {...}, with schema, household and so on is needed here, and this is a list",
		"\n\n  [{\"a\": 1}]":             "file:3:3: an object",
		"null":                           "file:1:1: an object, {...}, with schema, household and so on is needed here, and this is null",
		"7":                              "and this is a number",
		"\"secret\"":                     "and this is a text",
		"schema: secret\nb: []":          "file:1:1: this is no JSON, and a case file is JSON",
		"{}":                             `file:1:1: schema: "ontschot.case/1" is needed here`,
		"{\n \"schema\": \"x\"}":         `file:2:12: schema: "ontschot.case/1" is needed here`,
		"{\n \"schema\": 3}":             "file:2:12: schema: a text is needed here, and this is a number",
		`{"schema": "x", "schema": "x"}`: `file:1:17: the key "schema" is here twice`,
		`{"household": "secret"}`:        "file:1:15: household: a list, [...], is needed here, and this is a text",
		`{"household": [{"ref": "A"}, {"ref": ["secret"]}]}`: "file:1:38: household[1].ref: a text is needed here, and this is a list",
		`{"household": [{"rfe": "A"}]}`:                      `file:1:17: household[0]: unknown key "rfe"`,
		`{"today": "secret"}`:                                "file:1:11: today: no civil date, YYYY-MM-DD",
		`{"today": 20250101}`:                                `file:1:11: today: a date, "YYYY-MM-DD", is needed here, and this is a number`,
		`{"expected": {"care_total_cents": 1.5}}`:            "expected.care_total_cents: a whole number is needed here, and this is a number",
		`{"records": {"GM0119": []}}`:                        "file:1:24: records.GM0119: an object, {...}, is needed here, and this is a list",
		`{"schema": "ontschot.case/1"`:                       "file:1:29: it ends in the middle",
		`{"schema": "ontschot.case/1",, }`:                   "file:1:30: this is no JSON",
		`{"note": {"a": 1} } {}`:                             "file:1:21: there is more behind it",
		"{\"name\": \"é\", \"title\": 3}":                    "file:1:24: title: a text",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := Open(file)
		require.ErrorIs(t, err, ErrCase, content)
		require.ErrorContains(t, err, says, content)
		require.ErrorContains(t, err, "ontschot schema case", content)
		require.NotRegexp(t, `casefile\.|identity\.|civil\.|json:|struct|\bint64\b|\bslice\b|secret`, err.Error(), content)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range Names() {
		raw, err := embedded.ReadFile("cases/" + name + ".json")
		require.NoError(f, err)
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse([]byte(s))
		if err == nil {
			c.Pairs()
		}
	})
}

// A body is kept to the byte, or is a text: what no JSON can be.
func TestAnswersAreKeptToTheByte(t *testing.T) {
	raw, err := Raw("meppel")
	require.NoError(t, err)
	with := func(answers string) (*Case, error) {
		return Parse([]byte(strings.Replace(string(raw), `"records":`, `"answers": `+answers+`, "records":`, 1)))
	}
	for body, want := range map[string]string{
		`{"a": 1,  "a": 2}`: `{"a": 1,  "a": 2}`, `null`: `null`, `"{\"a\": [1,"`: `{"a": [1,`, `"\"x\""`: `"x"`, `7`: `7`, `""`: ``,
	} {
		c, err := with(`{"UWV": [{"path": "/", "type": "text/xml", "body": ` + body + `}]}`)
		require.NoError(t, err, body)
		require.Equal(t, want, string(c.Answers["UWV"][0].Bytes()))
	}
	for _, answers := range []string{
		`{"GM9999": []}`, `{"UWV": [{}]}`, `{"UWV": [{"path": "/", "body": ""}]}`, `{"UWV": [{"path": "x", "type": "text/xml"}]}`,
		`{"UWV": [{"path": "/", "type": "text/xml", "status": 99}]}`, `{"UWV": [{"path": "/", "type": "text/xml", "status": 600}]}`,
	} {
		_, err := with(answers)
		require.ErrorIs(t, err, ErrCase, answers)
		require.ErrorContains(t, err, "answers")
	}
}
