package audit

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/civil"
)

// alike holds what is checked without an opening's canonical form against what is checked
// with it.
func alike(t *testing.T, few []byte) {
	t.Helper()
	late, _ := Unread(7, few)
	want := check(late.read(), new(openingReader))
	var p checkedPiece
	for range 2 { // the second time in memory that was used
		p.check([]Row{late})
		got := p.of[0]
		require.Equal(t, want.err == nil, got.err == nil)
		if want.err != nil || want.row.Bad != "" {
			require.Equal(t, want, got)
			continue
		}
		require.Equal(t, want.open.encode(), got.open.encode())
		require.Equal(t, want.row.Leaf, got.row.Leaf)
		require.Equal(t, want.row.Hashes, got.row.Hashes)
		want.open, got.open, want.row, got.row = opening{}, opening{}, Row{}, Row{}
		require.Equal(t, want, got)
		want = check(late.read(), new(openingReader))
	}
}

func unreadOf(t testing.TB, e Entry) []byte {
	if e.Kind == Decision || e.Kind == Release {
		e.Trace = strings.Repeat("a", 32)
	}
	p, err := prepare(e, ours, testTime, civil.Today(testTime))
	require.NoError(t, err)
	few, ok := rowOf(p, 7).Compact(nil)
	require.True(t, ok)
	return few
}

// An entry that is read late says what it says when it is read at once, and so does one of
// which any bit is another.
func TestEntriesThatAreReadLate(t *testing.T) {
	for _, e := range []Entry{aDecision(), aRelease(), aConsent(), anAgreement(), aKey(), {Kind: Admin}, {Kind: Withdrawal, End: "c"}} {
		few := unreadOf(t, e)
		alike(t, few)
		alike(t, append(bytes.Clone(few), 0))
		for n := range few {
			alike(t, few[:n])
			changed := bytes.Clone(few)
			changed[n] ^= 1 << (n % 8)
			alike(t, changed)
		}
	}
}

// An opening that is too long in its canonical form is refused, though its few bytes are few.
func TestAnOpeningThatIsTooLongWhenItIsWritten(t *testing.T) {
	for _, size := range []int{10, base64.StdEncoding.DecodedLen(maxOpening)} {
		says := opening{Payload: []opened{{make([]byte, saltSize), bytes.Repeat([]byte{'x'}, size)}}, Confirm: []opened{{}}, Rests: []opened{{}, {}}}
		var read compactReader
		read.begin(fewBytes(&Leaf{ID: "x"}, &says))
		read.leaf(nil)
		var o opening
		length := read.openingInto(&o, new(openingReader))
		require.False(t, read.bad)
		require.Len(t, says.encode(), length)
		require.Equal(t, says.encode(), o.encode())
		require.Equal(t, size > 10, length > maxOpening)
	}
}

// Such an opening opens its leaf, and is refused all the same, in both ways.
func TestALeafWithAnOpeningThatIsTooLong(t *testing.T) {
	leaf, err := ParseLeaf(made(t, Entry{Kind: Admin}).leaf)
	require.NoError(t, err)
	for _, size := range []int{10, base64.StdEncoding.DecodedLen(maxOpening)} {
		says := opening{Payload: []opened{{Value: bytes.Repeat([]byte{'x'}, size)}}}
		says.seal(&leaf)
		few := append(fewBytes(&leaf, &says), 0)
		late, _ := Unread(7, few)
		require.Equal(t, size > 10, check(late.read(), new(openingReader)).err != nil)
		alike(t, few)
	}
}

// FuzzEntriesThatAreReadLate: whatever the bytes, both readers say the same.
func FuzzEntriesThatAreReadLate(f *testing.F) {
	for _, e := range []Entry{aDecision(), aRelease(), aConsent(), anAgreement()} {
		f.Add(unreadOf(f, e))
	}
	f.Fuzz(alike)
}
