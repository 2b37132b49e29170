package conformance

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// stored is a document under an id.
func stored(id string) audit.Stored {
	return audit.Stored{ID: id, Body: []byte("body of " + id), Openings: []byte("[]")}
}

// batch gives rows from an index on, and the head that goes with them.
func batch(from int64, count int) audit.Batch {
	var b audit.Batch
	for i := range int64(count) {
		b.Rows = append(b.Rows, audit.Row{
			Index: from + i, ID: fmt.Sprintf("id-%d", from+i), Leaf: []byte("leaf"), Opening: []byte("open"), Hashes: make([]byte, 32),
		})
	}
	b.Head = audit.Head{Size: from + int64(count), Checkpoint: fmt.Sprintf("checkpoint of %d", from+int64(count))}
	return b
}

func write(t *testing.T, s Store, tenant identity.OIN, b audit.Batch) {
	t.Helper()
	require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error { return tx.Write(b) }))
}

func view(t *testing.T, s Store, tenant identity.OIN, f func(audit.Snapshot)) {
	t.Helper()
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		f(v)
		return nil
	}))
}

func size(t *testing.T, s Store, tenant identity.OIN) (n int64) {
	t.Helper()
	view(t, s, tenant, func(v audit.Snapshot) {
		head, err := v.Head()
		require.NoError(t, err)
		n = head.Size
	})
	return n
}

func ids(list []audit.Stored) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.ID)
	}
	return names
}

// documents: the bytes of each are stored once and found by its id, within the
// transaction that writes them too.
func documents(t *testing.T, open Open) {
	s := open(t)
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		b := batch(0, 1)
		b.Puts = []audit.Stored{stored("a"), stored("b")}
		require.NoError(t, tx.Write(b))
		found, ok, err := tx.Document("a")
		require.NoError(t, err)
		require.True(t, ok, "a transaction sees what it wrote")
		require.Equal(t, stored("a"), found)
		return nil
	})
	require.NoError(t, err)
	view(t, open(t), one, func(v audit.Snapshot) {
		found, ok, err := v.Document("b")
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, stored("b"), found)
		_, ok, err = v.Document("c")
		require.NoError(t, err)
		require.False(t, ok)
	})
	err = s.Update(t.Context(), one, func(tx audit.Tx) error {
		b := batch(1, 1)
		b.Puts = []audit.Stored{stored("a")}
		return tx.Write(b)
	})
	require.ErrorIs(t, err, audit.ErrUnavailable, "an id that is taken")
	require.EqualValues(t, 1, size(t, s, one))
}
