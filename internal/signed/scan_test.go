package signed

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"github.com/stretchr/testify/require"
)

func scanned(text string, canonical bool) error {
	return scan([]byte(text), canonical, func(int, string, []byte) {})
}

// Each text by itself: whether it is JSON as we take it, and whether it is the canonical
// form too. No reader behind the scanner helps it here.
func TestWhatTheScannerAccepts(t *testing.T) {
	nested := func(n int, inner string) string {
		return strings.Repeat("[", n) + inner + strings.Repeat("]", n)
	}
	members := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%03d":0`, i))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	both := []string{
		"1", "-1", "0", "true", "false", "null", `""`, `"é"`, "[]", "{}", "[1,2]", `[[],{}]`, `{"a":[{"b":1}],"b":{}}`, `"a\"b\\c"`, "9007199254740992", "-9007199254740992",
		nested(8, "1"), nested(9, ""), members(128), "{\"\x7f\":1}", `{"a":{"a":1},"b":{"a":1}}`,
	}
	plain := []string{
		" 1", "1 ", "\t1", "[ 1]", "[1 ]", "[1 ,2]", "[1, 2]", "[ ]", "{ }", `{ "a":1}`, `{"a" :1}`, `{"a": 1}`, `{"a":1 }`, `{"a":1, "b":1}`, `{"a":1 ,"b":1}`,
		`{"b":1,"a":1}`, `["\/"]`, `{"a":"\/"}`, "1.0", "1e1", "1E1", "-0", "9007199254740993", "-9007199254740993", "12345678901234567", "123456789012345678", "9223372036854775808", `[1.5]`, "\r\n{}",
	}
	none := []string{
		"", "x", "1 1", "{}{}", "[1,]", `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"x":{"a":1,"a":2}}`, `[{"a":1,"a":2}]`, `{"é":1}`, "{\"\u0080\":1}", `{"\n":1}`, `{"a\u0062":1}`,
		"\"\xff\"", nested(9, "1"), nested(10, ""), members(129), `{"a":` + nested(8, "1") + "}",
	}
	for _, text := range both {
		require.NoError(t, scanned(text, false), text)
		require.NoError(t, scanned(text, true), text)
	}
	for _, text := range plain {
		require.NoError(t, scanned(text, false), text)
		require.ErrorIs(t, scanned(text, true), ErrMalformed, text)
	}
	for _, text := range none {
		require.ErrorIs(t, scanned(text, false), ErrMalformed, text)
		require.ErrorIs(t, scanned(text, true), ErrMalformed, text)
	}
}

// Every escape there is below U+0200, in both cases of its digits: canonical when the
// library says so, and never in the way of what comes behind it.
func TestEscapes(t *testing.T) {
	escapes := []string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u1000`, `\ud800\udc00`}
	for c := range 0x200 {
		escapes = append(escapes, fmt.Sprintf(`\u%04x`, c), fmt.Sprintf(`\u%04X`, c), fmt.Sprintf(`\u10%02x`, c&0xff))
	}
	for _, e := range escapes {
		for _, text := range []string{`["` + e + `"]`, `["` + e + `a",1]`} {
			again, err := jcs.Transform([]byte(text))
			require.NoError(t, err, text)
			require.Equal(t, string(again) == text, scanned(text, true) == nil, text)
			require.NoError(t, scanned(text, false), text)
		}
	}
}

// What is reported of a document's members: how deep, under which name, and what.
func TestWhatIsReportedOfMembers(t *testing.T) {
	var reported []string
	member := func(depth int, name string, value []byte) {
		reported = append(reported, fmt.Sprintf("%d %s %s", depth, name, value))
	}
	require.NoError(t, scan([]byte(`{ "a" : [ {"b":"x\"y"} , true ] , "c":-1}`), false, member))
	require.Equal(t, []string{`3 b "x\"y"`, `1 a [ {"b":"x\"y"} , true ]`, "1 c -1"}, reported)
}
