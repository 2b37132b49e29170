package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/identity"
)

// What is packed is unpacked, and where it is cut off comes one row that says so.
func TestEntriesThatAreCutOff(t *testing.T) {
	rows := []audit.Row{
		{Index: 7, ID: "a", Leaf: []byte("leaf"), Opening: []byte{}, Hashes: make([]byte, 200)},
		{Index: 8, ID: "", Leaf: []byte{}, Opening: []byte("opening"), Hashes: []byte("h")},
	}
	first, all := sqlite.Pack(rows[:1]), sqlite.Pack(rows)
	require.Equal(t, rows, sqlite.Unpack(7, all))
	for n := range all {
		got := sqlite.Unpack(7, all[:n])
		switch {
		case n < len(first):
			require.Equal(t, []audit.Row{{Index: 7, Bad: "entries"}}, got, n)
		case n == len(first):
			require.Equal(t, rows[:1], got)
		default:
			require.Equal(t, []audit.Row{rows[0], {Index: 8, Bad: "entries"}}, got, n)
		}
	}
	require.Equal(t, []audit.Row{{Index: 7, Bad: "entries"}}, sqlite.Unpack(7, []byte{0x80}), "a length without its end")
	require.Equal(t, []audit.Row{{Index: 7, Bad: "entries"}}, sqlite.Unpack(7, append(make([]byte, 0), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)), "one that is too long")
}

func rowAt(index int64) audit.Row {
	return audit.Row{Index: index, ID: fmt.Sprint(index), Leaf: []byte("l"), Opening: []byte("opening " + fmt.Sprint(index)), Hashes: []byte("h")}
}

// much writes something to every table, the second time with deletions.
func much(again bool) audit.Batch {
	b := audit.Batch{
		Rows: []audit.Row{rowAt(0)}, Puts: []audit.Stored{{ID: "a"}}, Head: audit.Head{Size: 1, Checkpoint: "1"},
		Register: &audit.SnapshotRow{Index: 0, Body: []byte("register")}, Once: []audit.OnceRow{{Key: [32]byte{1}, Ref: "a", Expires: 10}},
	}
	if again {
		b = audit.Batch{
			Rows: []audit.Row{rowAt(1)}, Puts: []audit.Stored{{ID: "b"}}, Head: audit.Head{Size: 2, Checkpoint: "2"},
			Register: &audit.SnapshotRow{Index: 1, Body: []byte("another")}, Once: []audit.OnceRow{{Key: [32]byte{2}, Ref: "b", Expires: 90}}, Now: 20,
			Drops: []string{"a"}, Openings: []audit.Opening{{Index: 0, Opening: []byte("-")}},
		}
	}
	return b
}

// What cannot be written is reported, and then nothing of it was.
func TestWhatCannotBeWritten(t *testing.T) {
	for _, fails := range []string{
		"INSERT ON entries", "UPDATE ON entries", "INSERT ON documents", "DELETE ON documents", "INSERT ON snapshots", "DELETE ON snapshots",
		"INSERT ON once", "DELETE ON once", "UPDATE ON head",
	} {
		path := filepath.Join(t.TempDir(), "record.db")
		s := open(t, path)
		write := func(b audit.Batch) error {
			return s.Update(t.Context(), tenant, func(tx audit.Tx) error { return tx.Write(b) })
		}
		require.NoError(t, write(much(false)))
		plain(t, path, "CREATE TRIGGER t BEFORE "+fails+" BEGIN SELECT RAISE(ABORT, 'no'); END")
		require.ErrorIs(t, write(much(true)), audit.ErrUnavailable, fails)
		require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
			head, err := v.Head()
			require.NoError(t, err)
			require.Equal(t, audit.Head{Size: 1, Checkpoint: "1"}, head, fails)
			rows, err := v.Rows(0, 10)
			require.Equal(t, []audit.Row{rowAt(0)}, rows, fails)
			return err
		}))
		plain(t, path, "DROP TRIGGER t")
		require.NoError(t, write(much(true)), fails)
	}
}

// One snapshot of the register is stored, of each tenant; an empty one only takes it away.
func TestTheRegisterIsStoredOnce(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "record.db"))
	const other = "00000099000000193000"
	stored := func(tenant string) (row audit.SnapshotRow, known bool) {
		require.NoError(t, s.View(t.Context(), identity.OIN(tenant), func(v audit.Snapshot) (err error) {
			row, known, err = v.Register()
			return err
		}))
		return row, known
	}
	size := map[string]int64{}
	for _, c := range []struct {
		tenant string
		row    *audit.SnapshotRow
		want   string
	}{
		{tenant, nil, ""}, {tenant, &audit.SnapshotRow{Index: 1, Body: []byte("one")}, "one"}, {tenant, nil, "one"},
		{other, &audit.SnapshotRow{Index: 1, Body: []byte("theirs")}, "theirs"},
		{tenant, &audit.SnapshotRow{Index: 3, Body: []byte("two")}, "two"}, {tenant, &audit.SnapshotRow{}, ""}, {other, nil, "theirs"},
	} {
		require.NoError(t, s.Update(t.Context(), identity.OIN(c.tenant), func(tx audit.Tx) error {
			for range 2 { // one write behind the other
				n := size[c.tenant]
				size[c.tenant]++
				if err := tx.Write(audit.Batch{Rows: []audit.Row{rowAt(n)}, Register: c.row, Head: audit.Head{Size: n + 1, Checkpoint: "x"}}); err != nil {
					return err
				}
			}
			return nil
		}))
		row, known := stored(c.tenant)
		require.Equal(t, c.want != "", known)
		require.Equal(t, c.want, string(row.Body))
	}
}

// What was erased leaves the write-ahead log too: at once, or when nobody reads any more.
func TestTheWriteAheadLogIsTakenAway(t *testing.T) {
	for name, erases := range map[string]audit.Batch{
		"a document": {Drops: []string{"a"}}, "an opening": {Openings: []audit.Opening{{Index: 0, Opening: []byte("-")}}}, "nothing": {},
	} {
		path := filepath.Join(t.TempDir(), "record.db")
		s := open(t, path)
		n := 0
		write := func(b audit.Batch) {
			n++
			b.Head = audit.Head{Size: 1, Checkpoint: fmt.Sprint(n)}
			require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error { return tx.Write(b) }))
		}
		empty := func() bool {
			info, err := os.Stat(path + "-wal")
			require.NoError(t, err)
			return info.Size() == 0
		}
		write(much(false))
		require.False(t, empty(), name)
		require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
			_, err := v.Head()
			write(erases)
			require.False(t, empty(), "%s: somebody reads", name)
			return err
		}))
		write(audit.Batch{})
		require.Equal(t, name != "nothing", empty(), name)
		write(audit.Batch{})
		require.False(t, empty(), "%s: once is enough", name)
		write(erases)
		require.Equal(t, name != "nothing", empty(), name)
	}
}

// An opening of an entry that is not there, or cannot be read, is not replaced.
func TestWhatCannotBeErased(t *testing.T) {
	for name, c := range map[string]struct {
		index int64
		spoil string
	}{
		"before the first": {-1, ""}, "behind the last": {1, ""}, "a row that is cut off": {0, "UPDATE entries SET entries = x'01'"}, "none": {0, "DELETE FROM entries"},
	} {
		path := filepath.Join(t.TempDir(), "record.db")
		s := open(t, path)
		require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error { return tx.Write(much(false)) }))
		if c.spoil != "" {
			plain(t, path, c.spoil)
		}
		err := s.Update(t.Context(), tenant, func(tx audit.Tx) error {
			return tx.Write(audit.Batch{Openings: []audit.Opening{{Index: c.index, Opening: []byte("-")}}})
		})
		require.Error(t, err, name)
	}
}

// A copy of an audit log is the log, and a settled one is in one file.
func TestCopyAndSettle(t *testing.T) {
	path, to := filepath.Join(t.TempDir(), "record.db"), filepath.Join(t.TempDir(), "copy.db")
	s := open(t, path)
	fill(t, s)
	require.NoError(t, sqlite.CopyEarlier(t.Context(), path, to))
	require.Error(t, sqlite.Settle(t.Context(), filepath.Join(t.TempDir(), "none", "record.db")))
	require.Error(t, sqlite.CopyEarlier(t.Context(), filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "copy.db")))
	require.NoError(t, openAndCheck(to, sqlite.Inspect))
	require.NoError(t, open(t, to).View(t.Context(), tenant, func(v audit.Snapshot) error {
		head, err := v.Head()
		require.EqualValues(t, 200, head.Size)
		return err
	}))
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		_, err := v.Head()
		require.NoError(t, err)
		fillMore(t, s)
		require.ErrorIs(t, sqlite.Settle(t.Context(), path), audit.ErrUnavailable, "somebody has it open")
		return nil
	}))
	require.NoError(t, sqlite.Settle(context.Background(), path))
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Zero(t, info.Size())
}

func fillMore(t *testing.T, s *sqlite.Store) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error {
		return tx.Write(audit.Batch{Rows: []audit.Row{rowAt(200)}, Head: audit.Head{Size: 201, Checkpoint: "y"}})
	}))
}
