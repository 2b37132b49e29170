package audit_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/storetest"
)

// compacted gives an entry back from its few bytes.
func compacted(t *testing.T, r audit.Row) (audit.Row, int) {
	t.Helper()
	few, ok := r.Compact([]byte("before"))
	require.True(t, ok)
	require.True(t, bytes.HasPrefix(few, []byte("before")))
	few = few[len("before"):]
	back, ok := audit.ReadCompact(r.Index, few)
	require.True(t, ok)
	return back, len(few)
}

// Every entry that a log writes takes few bytes, and comes back as it was; of those bytes
// none can be left out, and one that is changed makes another entry or none.
func TestEntriesInFewBytes(t *testing.T) {
	b := newBench(t)
	story(b)
	newAsker(b).questions(2, 1)
	for _, row := range rowsOf(t, b) {
		back, size := compacted(t, row)
		require.Equal(t, row, back)
		require.Less(t, size, (len(row.Leaf)+len(row.Opening)+len(row.Hashes))*2/3)
		few, _ := row.Compact(nil)
		for n := range few {
			_, ok := audit.ReadCompact(row.Index, few[:n])
			require.False(t, ok, "cut off at %d", n)
			for bit := range 8 {
				changed := bytes.Clone(few)
				changed[n] ^= 1 << bit
				if got, ok := audit.ReadCompact(row.Index, changed); ok {
					require.NotEqual(t, row, got, "byte %d, bit %d", n, bit)
				}
			}
		}
		_, ok := audit.ReadCompact(row.Index, append(few, 0))
		require.False(t, ok, "one byte more")
	}
}

// What is no entry in its canonical form cannot be written in few bytes.
func TestWhatHasNoFewBytes(t *testing.T) {
	b := newBench(t)
	story(b)
	rows := rowsOf(t, b)
	for name, change := range map[string]func(r *audit.Row){
		"another id": func(r *audit.Row) { r.ID = rows[0].ID }, "no leaf": func(r *audit.Row) { r.Leaf = nil }, "a space": func(r *audit.Row) { r.Leaf = append(bytes.Clone(r.Leaf), ' ') },
		"no opening": func(r *audit.Row) { r.Opening = nil }, "a space in the opening": func(r *audit.Row) { r.Opening = append(bytes.Clone(r.Opening), ' ') },
	} {
		row := rows[1]
		change(&row)
		got, ok := row.Compact([]byte("before"))
		require.False(t, ok, name)
		require.Equal(t, "before", string(got), name)
	}
}

// A log whose entries were all stored in full, as they were before, is read, appended to and
// verified as any.
func TestEntriesStoredInFull(t *testing.T) {
	b := newBench(t)
	story(b)
	rows := rowsOf(t, b)
	b.log.Close()
	require.NoError(t, b.store.Close())
	for _, each := range []int{1, 5, len(rows)} {
		storetest.RepackInFull(t, b.path, each)
		b.open()
		require.Equal(t, rows, rowsOf(t, b)[:len(rows)])
		b.exchange("c-2", "a-1")
		_, err := b.verify()
		require.NoError(t, err)
		rows = rowsOf(t, b)
		b.log.Close()
		require.NoError(t, b.store.Close())
	}
	b.open()
}

// FuzzReadCompact: whatever is read in few bytes is no more than it may be, and is written
// and read again as the same.
func FuzzReadCompact(f *testing.F) {
	b := newBench(f)
	story(b)
	for _, row := range rowsOf(f, b) {
		few, _ := row.Compact(nil)
		f.Add(few)
	}
	f.Add([]byte{0x00, 0xff, 0xff, 0x7f})
	f.Add(append([]byte{0x07}, bytes.Repeat([]byte{0x05, 0}, 100)...))
	f.Add(binary.AppendUvarint([]byte{0x06}, 1<<40))
	f.Fuzz(func(t *testing.T, few []byte) {
		row, ok := audit.ReadCompact(3, few)
		if !ok {
			return
		}
		require.Less(t, len(row.Leaf)+len(row.Opening), 16<<20)
		again, ok := row.Compact(nil)
		if !ok {
			return
		}
		back, ok := audit.ReadCompact(3, again)
		require.True(t, ok)
		require.Equal(t, row, back)
	})
}

// FuzzCompact: whatever texts are in an entry, it comes back as it was.
func FuzzCompact(f *testing.F) {
	b := newBench(f)
	b.append(consent("c-1"))
	good := rowsOf(f, b)[0]
	for _, text := range []string{
		"", "a", "2026-03-01", "0123", "012", "abcdef12", "ABCDEF12", "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a805G", strings.Repeat("A", 43), strings.Repeat("z", 43),
		`{"a":["b","c"]}`, `"`, `""`, "/", "a/b/c", `a/"b/c"/d`, "WLZ", "allow", "\x00\xff\"", strings.Repeat("x", 31), strings.Repeat("x", 32), strings.Repeat(`"/`, 300), strings.Repeat(`"0123456789abcdef`, 200), "é/é",
	} {
		f.Add([]byte(text), text)
	}
	f.Fuzz(func(t *testing.T, value []byte, text string) {
		row := good
		row.Leaf = bytes.Replace(row.Leaf, []byte(`"policy":""`), []byte(`"policy":"`+text+`"`), 1)
		row.Opening = audit.WithValue(row.Opening, value)
		few, ok := row.Compact(nil)
		if !ok {
			return
		}
		back, ok := audit.ReadCompact(0, few)
		require.True(t, ok)
		require.Equal(t, row, back)
	})
}
