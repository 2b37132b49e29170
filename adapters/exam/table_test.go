package exam

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// Every check has its words, and rests only on checks that are made before it.
func TestTheTableOfChecksIsWhole(t *testing.T) {
	all, err := readChecks()
	require.NoError(t, err)
	var before []string
	for _, c := range checks() {
		w, ok := all[c.id]
		require.True(t, ok, "%s has no words", c.id)
		require.NotContains(t, before, c.id)
		for _, other := range c.after {
			require.Contains(t, before, other, "%s comes after it", c.id)
		}
		for _, said := range []Text{w.Sentence, w.Repair} {
			require.NotEmpty(t, said.NL, c.id)
			require.NotEmpty(t, said.EN, c.id)
		}
		before = append(before, c.id)
	}
	require.Len(t, all, len(before))
}

// What stands on a line of a report cannot be a number or a name, nor steer a terminal.
func TestWhatIsShownIsCleaned(t *testing.T) {
	e := newEars(&Persons{Persons: []Person{{ID: "a", Name: "Anna Vogelzang", Numbers: Numbers{PassNumber: "P-77-123"}}}}, map[string]string{"token": "geheim-token"})
	require.Equal(t, "about *** and ***, *********, ? ***", e.clean("about anna vogelzang and GEHEIM-TOKEN, 999.94.0004, \x1b P-77-123"))
}

// A number is heard in every way in which it may be written, a secret in any line of it.
func TestWhatIsHeard(t *testing.T) {
	e := newEars(&Persons{Persons: []Person{{ID: "a", Name: "Anna Vogelzang", Numbers: Numbers{BSN: "999940016"}}}},
		map[string]string{"key": "-----BEGIN KEY-----\nMIGHAgEAMBMG\nByqGSM49\n-----END KEY-----\n", "short": "abc"})
	heard := func(kind, text string) bool {
		before := e.count(kind, inStream)
		e.hear(inStream, []byte(text))
		return e.count(kind, inStream) > before
	}
	for _, text := range []string{"999940016", "9999.40.016", "9 9 9 9 4 0 0 1 6", "999-940-016", "bsn=999940016&", "ANNA VOGELZANG"} {
		require.True(t, heard(ofPerson, text), text)
	}
	for _, text := range []string{"99994001", "999940017", "anna", "abc"} {
		require.False(t, heard(ofPerson, text), text)
	}
	require.True(t, heard(ofSecret, "the key is MIGHAgEAMBMG"))
	require.True(t, heard(ofSecret, "or ByqGSM49"))
	require.False(t, heard(ofSecret, "-----BEGIN KEY-----"))
	require.False(t, heard(ofSecret, "abc"))
}

// What is printed in two pieces, with much before and after it, is heard.
func TestAStreamIsHeardWhole(t *testing.T) {
	e := newEars(&Persons{Persons: []Person{{ID: "a", Numbers: Numbers{BSN: "999940016"}}}}, nil)
	s := e.stream()
	filler := slices.Repeat([]byte("."), 7000)
	for range 9 {
		_, _ = s.Write(filler)
	}
	_, _ = s.Write([]byte("99994"))
	_, _ = s.Write([]byte("0016"))
	for range 40 {
		_, _ = s.Write(filler)
	}
	require.Positive(t, e.count(ofPerson, inStream))
}

func FuzzPersons(f *testing.F) {
	f.Add([]byte("from: 2025-01-01\nto: 2025-12-31\npersons: [{id: a, bsn: '999940016', answer: {lines: [{law: WMO}]}}]"))
	f.Add([]byte("persons: [{id: a, answer: [1]}]"))
	f.Add([]byte("from: x\nto: y\npersons: [{id: a, bsn: b, answer: {1: 2}}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePersons(raw)
		if err != nil {
			return
		}
		require.NotEmpty(t, p.HistoryFrom)
		for _, one := range p.Persons {
			_, err := one.golden()
			require.NoError(t, err)
		}
	})
}

// What a program prints first is hostile: it is read within bounds, and never said again.
func FuzzHello(f *testing.F) {
	f.Add("1|1|unix|/tmp/x|grpc", []byte("\x08\x01\x12\x03abc"))
	f.Add("1|1|unix|/tmp/999940016|grpc|", []byte("\x12\xff"))
	f.Add("|||||", []byte{})
	f.Fuzz(func(t *testing.T, line string, message []byte) {
		if h, bad := parse(line); bad == nil {
			require.Equal(t, "grpc", h.kind)
			require.Contains(t, []string{"unix", "tcp"}, h.network)
		} else {
			require.True(t, utf8.ValidString(bad.seen.NL+bad.seen.EN))
			require.NotContains(t, bad.seen.EN, "999940016")
		}
		require.LessOrEqual(t, len(printed(message)), len(message))
	})
}

// The exam knows what goes over the wire, and nothing of how an adapter is made.
func TestTheExamKnowsNoKit(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .Imports}}{{.}} {{end}}`).Output()
	require.NoError(t, err)
	const module = "github.com/ontschot/ontschot/"
	for _, path := range strings.Fields(string(out)) {
		if ours, is := strings.CutPrefix(path, module); is {
			require.True(t, ours == "adapters/handshake" || strings.HasPrefix(ours, "proto/"), ours)
		}
	}
}

// What is wrong with the file of persons is told by its line and key, without types of Go, and
// without the numbers in it.
func TestAFileOfPersonsThatCannotBeReadIsToldInWords(t *testing.T) {
	for content, says := range map[string]string{
		"":                  "it is empty",
		"- 999940004":       "line 1: a text, a list or keys stand here",
		"from: [999940004]": "line 1: a text, a list or keys stand here",
		"persons:\n  - id: a\n    bsnn: 999940004": `line 3: unknown key "bsnn"`,
		"persons:\n  - id: [":                      "this cannot be read as YAML",
	} {
		_, err := parsePersons([]byte(content))
		require.ErrorContains(t, err, says, content)
		require.NotRegexp(t, `exam\.|map\[|unmarshal|struct|999940004`, err.Error(), content)
	}
}
