package audit

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/civil"
)

// leavesAndOpenings are what a log writes, of every kind of entry.
func leavesAndOpenings(t testing.TB) (leaves, openings [][]byte) {
	t.Helper()
	decided, released := aDecision(), aRelease()
	decided.Trace, released.Trace = strings.Repeat("a", 32), strings.Repeat("a", 32)
	for _, e := range []Entry{
		decided, released, aConsent(), anAgreement(), aKey(), {Kind: Admin}, {Kind: Withdrawal, End: "c"},
		{Kind: Confirmation, Confirm: "c"}, {Kind: NewEpoch, epoch: 2}, {Kind: Snapshotted, snapshot: &SnapshotRow{Body: []byte("b")}},
		{Kind: Admin, Subjects: [][]byte{[]byte("a"), []byte("ab"), []byte("abc")}, Consents: []string{"a", "b"}, Payload: make([]byte, 1000)},
	} {
		p, err := prepare(e, ours, testTime, civil.Today(testTime))
		require.NoError(t, err)
		leaves, openings = append(leaves, p.leaf), append(openings, p.opening)
	}
	return leaves, openings
}

// variants are texts that are nearly canonical: each differs from a good one in something
// that encoding/json reads all the same, or nearly.
func variants(raw []byte) (list [][]byte) {
	for _, change := range [][2]string{
		{`":"`, `": "`}, {`":[`, `":[ `}, {`":[]`, `":null`}, {`":""`, `":null`}, {`,"`, ` ,"`}, {`-1`, `-01`}, {`-1`, `-0`}, {`:3}`, `:03}`}, {`:3}`, `:3.0}`}, {`:3}`, `:9223372036854775808}`},
		{`:3}`, `:-9223372036854775808}`}, {`:3}`, `:+3}`}, {`:3}`, `:}`}, {`:3}`, `:-}`}, {`:3}`, `:3-}`}, {`":"`, `":"\u0061`}, {`":"`, `":"é`}, {`":"`, `":"<`}, {`":"`, `":"&`}, {`":"`, "\":\"\x7f"}, {`":"`, "\":\"\n"},
		{`"]`, `",]`}, {`"]`, `",""]`}, {`","`, `";"`}, {`=="`, `="`}, {`A"`, `B"`}, {`"}`, `"},`}, {`]}`, `]}}`}, {`}`, ``}, {`"case":"`, `"Case":"`}, {`"case":`, `"case":"","case":`},
		{`,"consents"`, `,"confirm":"","consents"`}, {`,"consents"`, `,"confirm":[],"consents"`}, {`,"decided"`, `,"day":"","decided"`}, {`,"id"`, `,"epoch":0,"id"`}, {`,"kind"`, `,"key":"","kind"`}, {`,"status"`, `,"snapshot":"","status"`},
		{`"salt":"`, `"salt":"\n`}, {`"value":"`, "\"value\":\"\n"}, {`"value":"`, "\"value\":\"\r\n"}, {`"value":"`, `"value":"====`}, {`"value":"`, `"value":"AAAA`}, {`{"salt"`, `{"value":"","salt"`},
	} {
		list = append(list, bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1))
	}
	return append(list, raw, raw[:len(raw)-1], raw[1:], append(bytes.Clone(raw), ' '), append(bytes.Clone(raw), raw...), nil, []byte("{}"), []byte("null"))
}

// sameLeaf fails when the two ways of reading a leaf, or of writing it, differ.
func sameLeaf(t *testing.T, raw []byte) {
	t.Helper()
	slow, failed := parseLeaf(raw)
	got, err := ParseLeaf(raw)
	require.Equal(t, failed, err, "%q", raw)
	require.Equal(t, slow, got, "%q", raw)
	fast, ok := readLeaf(raw)
	if failed == nil {
		require.True(t, ok, "%q", raw)
		require.Equal(t, slow, fast, "%q", raw)
	}
	if !ok {
		return
	}
	written, plain := writeLeaf(nil, &fast)
	require.True(t, plain)
	require.Equal(t, string(raw), string(written))
	wanted, err := encodeCanonical(fast)
	require.NoError(t, err)
	require.Equal(t, string(wanted), string(written))
}

// sameOpening is sameLeaf of openings.
func sameOpening(t *testing.T, raw []byte) {
	t.Helper()
	var slow opening
	failed := decodeCanonical(raw, maxOpening, &slow)
	if failed == nil {
		if again, err := encodeCanonical(slow.filled()); err != nil || !bytes.Equal(again, raw) {
			failed = errOpening
		}
	}
	fast, ok := readOpening(raw)
	require.Equal(t, failed == nil, ok, "%q", raw)
	_, err := parseOpening(raw)
	require.Equal(t, failed == nil, err == nil, "%q", raw)
	if ok {
		require.True(t, reflect.DeepEqual(slow, fast), "%q", raw)
		require.Equal(t, string(raw), string(fast.encode()))
	}
}

// sameDescription fails when what is read directly is another description than
// encoding/json reads.
func sameDescription(t *testing.T, raw []byte) {
	t.Helper()
	var slow description
	failed := decodeCanonical(raw, putField.size(), &slow)
	fast, ok := readDescription(raw)
	if ok {
		require.NoError(t, failed, "%q", raw)
		require.True(t, reflect.DeepEqual(slow, fast), "%q", raw)
	}
	got, known := parseDescription(raw)
	require.Equal(t, failed == nil, known, "%q", raw)
	if known {
		require.True(t, reflect.DeepEqual(slow, got), "%q", raw)
	}
}

// descriptions are what entries say of the documents that they put.
func descriptions(t testing.TB) (list [][]byte) {
	t.Helper()
	full := aConsent().Put.filled()
	full.From, full.Until, full.Case, full.Replaces, full.Narrows, full.Void = civil.MustParse("2026-01-01"), civil.MustParse("2026-12-31"), "case", "old", true, true
	full.Grants = append(full.Grants, full.Grants...)
	full.Keys = []string{strings.Repeat("f", 64)}
	for _, d := range []Document{full, aConsent().Put.filled(), anAgreement().Put.filled()} {
		raw, err := encodeCanonical(d.description())
		require.NoError(t, err)
		list = append(list, raw)
	}
	return list
}

// What is read and written directly is what encoding/json reads and writes.
func TestTheDirectFormIsTheCanonicalOne(t *testing.T) {
	leaves, openings := leavesAndOpenings(t)
	for i := range leaves {
		_, ok := readLeaf(leaves[i])
		require.True(t, ok, "what we write is read directly")
		for _, raw := range variants(leaves[i]) {
			sameLeaf(t, raw)
		}
		_, ok = readOpening(openings[i])
		require.True(t, ok)
		for _, raw := range variants(openings[i]) {
			sameOpening(t, raw)
		}
	}
	for _, raw := range descriptions(t) {
		_, ok := readDescription(raw)
		require.True(t, ok)
		for _, raw := range variants(raw) {
			sameDescription(t, raw)
		}
		for _, change := range [][2]string{{"true", "false"}, {"false", "true"}, {"false", "null"}, {"false", "fals"}, {`"source"`, `"from"`}, {`}]`, `},]`}, {`},{`, `}{`}} {
			sameDescription(t, bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1))
		}
	}
	_, ok := readDescription(make([]byte, putField.size()+1))
	require.False(t, ok)
	_, ok = readLeaf(append(bytes.Clone(leaves[0]), make([]byte, maxLeaf)...))
	require.False(t, ok)
	_, ok = readOpening(make([]byte, maxOpening+1))
	require.False(t, ok)
}

// A text that JSON escapes is written by encoding/json.
func TestWhatCannotBeWrittenDirectly(t *testing.T) {
	for _, text := range []string{"\"", "\\", "<", "é", "\x00", "\x7f", "&"} {
		l := Leaf{Activity: text}
		raw, err := l.encode()
		require.NoError(t, err)
		var back Leaf
		require.NoError(t, json.Unmarshal(raw, &back))
		require.Equal(t, text, back.Activity)
	}
}

func FuzzLeafForms(f *testing.F) {
	leaves, _ := leavesAndOpenings(f)
	for _, raw := range leaves {
		for _, v := range variants(raw) {
			f.Add(v)
		}
	}
	raw, err := os.ReadFile("testdata/vector-release.json")
	require.NoError(f, err)
	var vector struct{ Leaf string }
	require.NoError(f, json.Unmarshal(raw, &vector))
	f.Add([]byte(vector.Leaf))
	f.Fuzz(sameLeaf)
}

func FuzzOpeningForms(f *testing.F) {
	_, openings := leavesAndOpenings(f)
	for _, raw := range openings {
		for _, v := range variants(raw) {
			f.Add(v)
		}
	}
	f.Fuzz(sameOpening)
}

func FuzzDescriptionForms(f *testing.F) {
	for _, raw := range descriptions(f) {
		for _, v := range variants(raw) {
			f.Add(v)
		}
	}
	f.Fuzz(sameDescription)
}
