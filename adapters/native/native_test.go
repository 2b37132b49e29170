package native_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

func table() native.Table {
	return native.Table{
		Format:  "test",
		Read:    []string{"id", "owner/number", "rows[]/code", "rows[]/unit", "rows[]/unit/code", "rows[]/volume"},
		Ignored: []string{"rows[]/label", "links/*"},
	}
}

const sound = `{"id": "7", "owner": {"number": 12}, "links": {"a": {"b": 1}},
	"rows": [{"code": "01", "unit": "h", "volume": 7.50}, {"code": "02", "unit": {"code": "d"}, "label": null}]}`

const soundXML = `<?xml version="1.0"?><x:r xmlns:x="urn:x"><x:id>7</x:id><owner><number> 12 </number></owner><links><a/><a/></links>
	<rows><code>01</code><unit>h</unit><volume>7.50</volume></rows><rows><code>02</code><unit><code>d</code></unit></rows></x:r>`

func TestBothFormsAreReadAlike(t *testing.T) {
	for _, read := range []func() (native.Node, error){
		func() (native.Node, error) { return native.JSON([]byte(sound)) },
		func() (native.Node, error) { return native.XML([]byte(soundXML)) },
	} {
		n, err := read()
		require.NoError(t, err)
		n = n.Begin()
		unknown, err := table().Check(n)
		require.NoError(t, err)
		require.Empty(t, unknown)
		require.Equal(t, []string{"7", "12", ""}, []string{n.Text("id"), n.Text("owner/number"), n.Text("owner/name")})
		rows := n.All("rows")
		require.Len(t, rows, 2)
		require.Equal(t, "/rows/1", rows[1].At().Pointer)
		require.Equal(t, string(n.Raw()), string(rows[1].At().Native))
		require.Equal(t, "7.50", rows[0].Number("volume").Text)
		require.Equal(t, native.Unclear, rows[1].Text("unit"))
		require.Equal(t, "d", rows[1].Text("unit/code"))
		require.Equal(t, "01", rows[0].Begin().Text("code"))
	}
}

func TestRawIsTheRecordByteForByte(t *testing.T) {
	n, err := native.JSON([]byte(sound))
	require.NoError(t, err)
	require.Equal(t, `{"code": "02", "unit": {"code": "d"}, "label": null}`, string(n.Begun("rows")[1].Raw()))
	require.True(t, n.All("rows")[0].Number("volume").JSON)
	x, err := native.XML([]byte(soundXML))
	require.NoError(t, err)
	require.Equal(t, `<rows><code>02</code><unit><code>d</code></unit></rows>`, string(x.Begun("rows")[1].At().Native))
}

// A record in which something stands twice, in other capitals or in another shape is
// refused, and what is asked of it is never one of the two.
func TestWhatCanBeReadTwoWaysIsRefused(t *testing.T) {
	for _, c := range []struct{ raw, path string }{
		{strings.Replace(sound, `"id": "7"`, `"id": "7", "id": "8"`, 1), "id"},
		{strings.Replace(sound, `"id": "7"`, `"id": "7", "\u0069d": "7"`, 1), "id"},
		{strings.Replace(sound, `"id": "7"`, `"id": "7", "ID": "8"`, 1), "id"},
		{strings.Replace(sound, `"id": "7"`, `"Id": "8"`, 1), "id"},
		{strings.Replace(sound, `"id": "7"`, `"id": {"x": 1}`, 1), "id"},
		{strings.Replace(sound, `"id": "7"`, `"id": ["7"]`, 1), "id"},
		{strings.Replace(sound, `{"number": 12}`, `{"number": 12, "NUMBER": 1}`, 1), "owner/number"},
		{strings.Replace(sound, `{"number": 12}`, `"12"`, 1), "owner/number"},
		{strings.Replace(sound, `{"number": 12}`, `[{"number": 12}]`, 1), "owner/number"},
		{strings.Replace(sound, `{"number": 12}`, `{"number": 12}, "owner": {"number": 13}`, 1), "owner/number"},
		{soundXML[:len(soundXML)-len("</x:r>")] + "<id>7</id></x:r>", "id"},
		{soundXML[:len(soundXML)-len("</x:r>")] + "<Id>7</Id></x:r>", "id"},
		{soundXML[:len(soundXML)-len("</x:r>")] + "<owner/></x:r>", "owner/number"},
	} {
		n := parse(t, c.raw)
		_, err := table().Check(n)
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), c.raw)
		require.Equal(t, native.Unclear, n.Text(c.path), c.raw)
	}
	for _, raw := range []string{
		strings.Replace(sound, `"rows": [`, `"rows": {}, "Rows": [`, 1),
		strings.Replace(sound, `"rows": [`, `"rows": [], "rows": [`, 1),
		`{"rows": {"code": "01"}}`, `{"rows": "x"}`, `{"rows": ["x"]}`, `{"rows": [[]]}`,
		`{"links": {"a": 1, "a": 2}}`, `{"new": {"a": 1, "A": 2}}`, `{"new": 1, "new": 1}`, `[]`, `null`, `7`,
		`<r><rows/><ROWS/></r>`,
	} {
		_, err := table().Check(parse(t, raw))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
	}
}

func parse(t *testing.T, raw string) native.Node {
	read := native.JSON
	if strings.HasPrefix(raw, "<") {
		read = native.XML
	}
	n, err := read([]byte(raw))
	require.NoError(t, err)
	return n
}

func TestUnknownMembersAreNamedWithTheirPlace(t *testing.T) {
	n := parse(t, `{"id": 1, "colour": {"x": 1}, "rows": [{"code": "1", "smell": null}]}`)
	unknown, err := table().Check(n)
	require.NoError(t, err)
	require.Len(t, unknown, 2)
	require.Equal(t, []string{"/colour", "colour"}, []string{unknown[0].At().Path, unknown[0].Name()})
	require.Equal(t, "/rows/0/smell", unknown[1].At().Path)
}

func TestBounds(t *testing.T) {
	deep := strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100)
	for _, raw := range []string{deep, `{"new": ` + deep + `}`, `{"links": ` + deep + `}`} {
		_, err := table().Check(parse(t, raw))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	}
	for _, raw := range []string{strings.Repeat("[", 20000), ``, `{`, `{} {}`, `{"a" 1}`, `{"a": 1,}`, `[1,]`, `nul`, `{1: 2}`, "\xff"} {
		_, err := native.JSON([]byte(raw))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
	}
	deepXML := strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)
	for _, raw := range []string{
		deepXML, "", "text", "<a>", "<a/><b/>", `<!DOCTYPE a [<!ENTITY y "z">]><a/>`, `<a><!ENTITY y "z"></a>`, "<a>&y;</a>",
	} {
		_, err := native.XML([]byte(raw))
		require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), raw)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(sound))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n, err := native.JSON(raw); err == nil && n.Has() {
			_, _ = table().Check(n)
			_ = n.Text("rows/unit/code")
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(soundXML))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n, err := native.XML(raw); err == nil {
			require.Contains(t, string(raw), string(n.Raw()))
			_, _ = table().Check(n)
		}
	})
}
