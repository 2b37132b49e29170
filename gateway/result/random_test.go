package result_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/foreign"
)

// Whatever lies are told, in whichever place, signed as rightly as a releaser can: the verifiers
// in the other languages say what this one says. What one of them would take for another number
// or another text shows here.
func TestVerifiersAgreeOnWhateverIsMadeUp(t *testing.T) {
	programs := []foreign.Program{foreign.TypeScript(t), foreign.Python(t), foreign.JavaVerifier(t)}
	w, folder, count := newWorld(t), t.TempDir(), 300
	if os.Getenv("ONTSCHOT_LONG") != "" {
		count = 1500
	}
	trust := w.trusts["trust.json"]
	by := trust.trust(t)
	r := rand.New(rand.NewPCG(8, 15))
	var list []vector
	verified, reasons := 0, map[string]bool{}
	for i := range count {
		lie := w.lie(r)
		raw := w.file(w.made(lie), lie)
		name := fmt.Sprintf("lie-%05d.json", i)
		reason := said(raw, "budget", by)
		if reason == "" {
			verified++
		}
		reasons[string(reason)] = true
		list = append(list, vector{File: name, Of: "budget", Trust: "trust.json", Reason: reason})
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), raw, 0o600))
	}
	require.Greater(t, len(reasons), 15)
	require.Less(t, verified, count/2)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "vectors.json"), indented(t, list), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "trust.json"), indented(t, trust), 0o600))
	for _, p := range programs {
		var errs strings.Builder
		c := p.Command("vectors", folder)
		c.Stderr = &errs
		require.NoError(t, c.Run(), "%s: %.3000s", p.Language, errs.String())
	}
}

// lie changes something in one place or two.
func (w *world) lie(r *rand.Rand) release {
	var out release
	for range 1 + r.IntN(2) {
		switch r.IntN(11) {
		case 0:
			out.statement.payload = scrambled(r)
		case 1:
			out.statement.header = scrambled(r)(`{"alg":"ES256","kid":"sign-1","typ":"ontschot-result+jwt"}`)
		case 2:
			out.statement.after = scrambled(r)
		case 3:
			out.log.raw = scrambled(r)
		case 4:
			out.log.text = scrambledText(r)
		case 5:
			out.log.note = scrambled(r)
		case 6:
			out.disclosed.payload = scrambled(r)
		case 7:
			out.sourceLog.raw = scrambled(r)
		case 8:
			out.raw = scrambledFile(r)
		case 9:
			out.sourceLog.note = scrambled(r)
		case 10:
			out.statement.by = []key{w.es, w.retired, w.ps, w.lost, w.token, w.of, w.strangers}[r.IntN(7)]
		}
	}
	return out
}

// bits are what texts are changed into, or get in them.
var bits = []string{
	"", " ", "\n", "\t", "0", "1", "-", "-0", "+", ".", "e1", "9007199254740993", "9223372036854775808", "null", "true", `"`, `\`, `\u0061`, `\u001f`, `\u00e9`, "é", "e\u0301", "😀", "\u2028",
	",", ":", "{", "}", "[", "]", "{}", "[]", "=", "_", "/", "A", "a", "Z", "\x00", "\x7f", "—", `"iss":"`, `"__proto__":1,`, `"x":1,`, "\r\n", "\ufeff", "\ufffd",
}

// scrambled changes a text at a place, or takes some of it away, or doubles it.
func scrambled(r *rand.Rand) func(string) string {
	at, length, how, bit := r.Uint64(), r.IntN(12), r.IntN(5), bits[r.IntN(len(bits))]
	return func(s string) string {
		if s == "" {
			return bit
		}
		i := int(at % uint64(len(s)))
		j := min(len(s), i+length)
		out := s
		switch how {
		case 0:
			out = s[:i] + bit + s[i:]
		case 1:
			out = s[:i] + bit + s[j:]
		case 2:
			out = s[:i] + s[j:]
		case 3:
			out = s[:j] + s[i:]
		case 4: // another character of the same kind
			c := s[i]
			switch {
			case c >= '0' && c < '9', c >= 'a' && c < 'z', c >= 'A' && c < 'Z':
				c++
			}
			out = s[:i] + string(rune(c)) + s[i+1:]
		}
		return strings.ToValidUTF8(out, "?") // a protobuf text is always that
	}
}

// scrambledText is scrambled, and ends as the text of a note must to be signed.
func scrambledText(r *rand.Rand) func(string) string {
	change := scrambled(r)
	return func(s string) string {
		out := change(s)
		if out == "" || strings.ContainsFunc(out, func(r rune) bool { return r < ' ' && r != '\n' }) {
			return s
		}
		return strings.TrimRight(out, "\n") + "\n"
	}
}

// scrambledFile changes values in a file, but not the forms in which JSON may say the same: there
// readers may differ, see docs/clients.md.
func scrambledFile(r *rand.Rand) func(string) string {
	at, how := r.Uint64(), r.IntN(4)
	return func(s string) string {
		lines := strings.Split(s, "\n")
		i := int(at % uint64(len(lines)))
		switch how {
		case 0:
			lines = append(lines[:i], lines[i+1:]...)
		case 1:
			lines[i] += lines[i]
		case 2:
			lines[i] = strings.Replace(lines[i], "1", "2", 1)
		case 3:
			lines[i] = strings.Replace(lines[i], "A", "B", 1)
		}
		return strings.Join(lines, "\n")
	}
}
