package audit_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
	"github.com/ontschot/ontschot/internal/identity"
)

// often is a log whose register is written down after every so many entries.
func often(t *testing.T, every int64) (*bench, func(path string) (*audit.Log, error)) {
	b := newBench(t)
	open := func(path string) (*audit.Log, error) {
		s, err := sqlite.Open(context.Background(), path)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		c := b.config(s)
		c.SnapshotEvery = every
		l, err := audit.Open(context.Background(), c)
		if err == nil {
			t.Cleanup(l.Close)
		}
		return l, err
	}
	b.log.Close()
	var err error
	b.log, err = open(b.path)
	require.NoError(t, err)
	return b, open
}

func snapshotOf(t *testing.T, b *bench) (row audit.SnapshotRow, known bool) {
	t.Helper()
	require.NoError(t, b.store.View(t.Context(), tenant, func(s audit.Snapshot) (err error) {
		row, known, err = s.Register()
		return err
	}))
	return row, known
}

// settled waits until the writer has written down what is due: the next entry is taken
// when it has.
func settled(b *bench) {
	for range 3 {
		b.append(decision(b.trace()))
	}
}

// The register is written down now and then, and read again: the same as from all entries.
func TestAStartFromASnapshot(t *testing.T) {
	b, open := often(t, 7)
	lives(b)
	settled(b)
	row, known := snapshotOf(t, b)
	require.True(t, known)
	require.GreaterOrEqual(t, row.Index, int64(7))
	report, err := b.verify()
	require.NoError(t, err)
	require.Positive(t, report.Kinds[audit.Snapshotted])
	r, err := register.Decode(row.Body)
	require.NoError(t, err)
	require.Equal(t, row.Index, r.Size())

	whole := copyFiles(t, b.path)
	bare := copyFiles(t, b.path)
	execute(t, bare, "DELETE FROM snapshots")
	var states []string
	for _, path := range []string{whole, bare} {
		l, err := open(path)
		require.NoError(t, err)
		var state []string
		for _, d := range l.Register().List(register.Consent) {
			state = append(state, d.ID)
			require.Equal(t, d.ID == "c-1", d.Live(), d.ID)
		}
		require.Len(t, state, 3)
		states = append(states, state...)
		require.NoError(t, inspected(path, b.inspection()), "and a snapshot may be lacking")
	}
	require.Equal(t, states[:3], states[3:])
}

// A snapshot is believed for what the log says of it alone. One that is anything else is
// read past, and named by the auditor.
func TestASnapshotThatWasChanged(t *testing.T) {
	b, open := often(t, 7)
	lives(b)
	settled(b)
	row, _ := snapshotOf(t, b)
	other, otherOpen := often(t, 7)
	_ = otherOpen
	for range 12 {
		other.append(decision(other.trace()))
	}
	settled(other)
	theirs, known := snapshotOf(t, other)
	require.True(t, known)
	for name, change := range map[string]string{
		"of nothing":      "UPDATE snapshots SET body = x''",
		"a byte":          "UPDATE snapshots SET body = CAST(substr(body, 1, length(body) - 1) || x'00' AS BLOB)",
		"of another type": "UPDATE snapshots SET body = 'text'",
		"of another size": "UPDATE snapshots SET n = n - 1",
		"of the future":   "UPDATE snapshots SET n = n + 1000",
		"of the past":     "UPDATE snapshots SET n = -1",
		"of no number":    "UPDATE snapshots SET n = 'text'",
	} {
		path := copyFiles(t, b.path)
		execute(t, path, change)
		var found *audit.TamperError
		require.ErrorAs(t, inspected(path, b.inspection()), &found, name)
		require.Contains(t, found.What, "snapshots: ", name)
		l, err := open(path)
		require.NoError(t, err, name)
		record, known := l.Register().Document("c-3")
		require.True(t, known, name)
		require.False(t, record.Live(), "%s: what was withdrawn stays withdrawn", name)
		require.Len(t, l.Register().List(register.Consent), 3)
	}
	require.NotEqual(t, row.Body, theirs.Body)
	path := copyFiles(t, b.path)
	storetest.Snapshot(t, path, row.Index, theirs.Body)
	require.ErrorIs(t, inspected(path, b.inspection()), audit.ErrTampered)
	l, err := open(path)
	require.NoError(t, err)
	require.Len(t, l.Register().List(register.Consent), 3)
}

// What was changed in the entries after a snapshot is found as ever.
func TestTheTailIsNotBelieved(t *testing.T) {
	b, open := often(t, 7)
	lives(b)
	settled(b)
	row, _ := snapshotOf(t, b)
	rows := rowsOf(t, b)
	for n := row.Index; n < int64(len(rows)); n++ {
		path := copyFiles(t, b.path)
		storetest.Change(t, path, n, func(r *audit.Row) { r.Leaf = rows[(n+1)%int64(len(rows))].Leaf })
		_, err := open(path)
		require.ErrorIs(t, err, audit.ErrTampered, "entry %d", n)
	}
}

// An erasure takes the snapshots with it, and those after it know nothing of the person.
func TestASnapshotAfterAnErasure(t *testing.T) {
	b, open := often(t, 7)
	lives(b)
	settled(b)
	before, known := snapshotOf(t, b)
	require.True(t, known)
	_, err := b.log.Erase(t.Context(), erasure(gone))
	require.NoError(t, err)
	require.Empty(t, inFiles(t, b.path))
	for range 4 {
		settled(b)
	}
	after, known := snapshotOf(t, b)
	require.True(t, known)
	require.Greater(t, after.Index, before.Index)
	require.Empty(t, inFiles(t, b.path))
	_, err = b.verify()
	require.NoError(t, err)

	path := copyFiles(t, b.path)
	storetest.Snapshot(t, path, before.Index, before.Body)
	l, err := open(path)
	require.NoError(t, err)
	_, known = l.Register().Document("c-3")
	require.False(t, known, "an old snapshot restores nobody")
}

// Whoever holds the key can sign a snapshot of anything. The auditor makes it again.
func TestADishonestSnapshot(t *testing.T) {
	b, _ := often(t, 9)
	b.append(consent("c-1"))
	b.append(withdrawal("c-1"))
	settled(b)
	_, known := snapshotOf(t, b)
	require.False(t, known)
	audit.Pretend(b.log, register.Entry{Index: 0, Put: &consent("c-1").Put.Document})
	for range 3 {
		settled(b)
	}
	row, known := snapshotOf(t, b)
	require.True(t, known)
	var found *audit.TamperError
	_, err := b.verify()
	require.ErrorAs(t, err, &found)
	require.Equal(t, row.Index, found.Index)
	require.Equal(t, "leaf: the snapshot is not of the register at its place", found.What)
}

// A snapshot of the right place that holds nothing, and differs from what the log says of
// in nothing but its digest, is read past.
func TestAnotherSnapshotOfTheSamePlace(t *testing.T) {
	b, open := often(t, 7)
	lives(b)
	settled(b)
	row, _ := snapshotOf(t, b)
	bare := register.New()
	bare.Apply(register.Entry{Index: row.Index - 1})
	require.Equal(t, row.Index, bare.Size())
	path := copyFiles(t, b.path)
	storetest.Snapshot(t, path, row.Index, bare.Encode())
	l, err := open(path)
	require.NoError(t, err)
	require.Len(t, l.Register().List(register.Consent), 3)
	require.ErrorIs(t, inspected(path, b.inspection()), audit.ErrTampered)
}

// The register is written down at the very entry at which it is due, again and again.
func TestWhenASnapshotIsDue(t *testing.T) {
	b, _ := often(t, 7)
	at := int64(0)
	for _, due := range []int64{7, 14, 21} {
		for ; at < due; at++ {
			b.append(decision(b.trace()))
		}
		require.Eventually(t, func() bool { row, _ := snapshotOf(t, b); return row.Index == due }, 5*time.Second, time.Millisecond)
		at++ // the entry that commits to it
	}
	b, _ = often(t, 2) // more documents than that: after half as many
	for i := range 40 {
		b.append(agreement(fmt.Sprintf("a-%d", i)))
	}
	settled(b)
	report, err := b.verify()
	require.NoError(t, err)
	require.Less(t, report.Kinds[audit.Snapshotted], int64(12))
}

// counted is a store that counts the entries that are read several at a time.
type counted struct {
	audit.Store
	read int
}

func (c *counted) View(ctx context.Context, tenant identity.OIN, do func(audit.Snapshot) error) error {
	return c.Store.View(ctx, tenant, func(s audit.Snapshot) error { return do(&countedSnapshot{s, c}) })
}

type countedSnapshot struct {
	audit.Snapshot
	c *counted
}

func (s *countedSnapshot) Rows(from int64, limit int) ([]audit.Row, error) {
	rows, err := s.Snapshot.Rows(from, limit)
	if limit > 1 {
		s.c.read += len(rows)
	}
	return rows, err
}

// A start reads the entries after the snapshot, and those before it only when there is none.
func TestAStartReadsWhatComesAfterTheSnapshot(t *testing.T) {
	b, _ := often(t, 40)
	for range 1000 { // it is written beside the entries
		b.append(decision(b.trace()))
		if _, known := snapshotOf(t, b); known {
			break
		}
	}
	settled(b) // two at least after it, as entries read one at a time are not counted
	b.log.Close()
	row, known := snapshotOf(t, b)
	require.True(t, known)
	size := len(rowsOf(t, b))
	c := &counted{Store: b.store}
	start := func() {
		t.Helper()
		c.read = 0
		l, err := audit.Open(t.Context(), b.config(c))
		require.NoError(t, err)
		l.Close()
	}
	start()
	require.Equal(t, size-int(row.Index), c.read)
	execute(t, b.path, "DELETE FROM snapshots")
	start()
	require.Equal(t, size, c.read)
}
