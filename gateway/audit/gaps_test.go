package audit_test

import (
	"bytes"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
)

// TestAChangedDocumentIsFoundAtItsNextUse: a running log believes no bytes that are not
// those its entries describe, whichever way they are asked for.
func TestAChangedDocumentIsFoundAtItsNextUse(t *testing.T) {
	for name, change := range map[string]string{
		"body":      "UPDATE documents SET body = x'00' WHERE id = 'c-2'",
		"body type": "UPDATE documents SET body = 'text' WHERE id = 'c-2'",
		"openings":  "UPDATE documents SET openings = x'00' WHERE id = 'c-2'",
		"gone":      "DELETE FROM documents WHERE id = 'c-2'",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			story(b)
			db, err := sql.Open("sqlite", b.path)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.Exec(change)
			require.NoError(t, err)
			_, err = b.log.Document(t.Context(), "c-1")
			require.NoError(t, err, "the others are as they were")
			var found *audit.TamperError
			_, err = b.log.Document(t.Context(), "c-2")
			require.ErrorAs(t, err, &found)
			require.EqualValues(t, 2, found.Index)
			_, err = b.log.Documents(t.Context(), []string{"c-1", "c-2"})
			require.ErrorIs(t, err, audit.ErrTampered)
			both, err := b.log.Documents(t.Context(), []string{"c-1"})
			require.NoError(t, err)
			require.Len(t, both, 1)
			_, err = b.log.Documents(t.Context(), []string{"c-1", "nobody's"})
			require.ErrorIs(t, err, audit.ErrNoDocument)
		})
	}
}

// TestAChangedOpeningIsNoProof: what opens an entry is given out only when it opens it.
func TestAChangedOpeningIsNoProof(t *testing.T) {
	b := newBench(t)
	story(b)
	rows := rowsOf(t, b)
	storetest.Change(t, b.path, 2, func(r *audit.Row) { r.Opening = []byte("{}") })
	storetest.Change(t, b.path, 3, func(r *audit.Row) { r.Opening = rows[0].Opening })
	storetest.Change(t, b.path, 4, func(r *audit.Row) { r.ID = "x" })
	for index := range int64(5) {
		p, err := b.log.Prove(t.Context(), index)
		if index < 2 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, audit.ErrTampered, "%d", index)
		require.Empty(t, p)
	}
}

// TestAForgottenWithdrawal: without the key nobody makes a log forget, by other rows, that
// a document has ended.
func TestAForgottenWithdrawal(t *testing.T) {
	b, other := newBench(t), newBench(t)
	for _, x := range []*bench{b, other} {
		x.append(consent("c-1"))
		if x == b {
			x.append(withdrawal("c-1"))
		} else {
			x.append(decision(x.trace()))
		}
		x.append(decision(x.trace()))
		x.append(decision(x.trace()))
	}
	put := rowsOf(t, other)[1]
	was := rowsOf(t, b)[1]
	hashes := append(bytes.Clone(put.Hashes[:32]), was.Hashes[32:]...)
	b.log.Close()
	require.NoError(t, b.store.Close())
	path := copyFiles(t, b.path)
	storetest.Change(t, path, 1, func(r *audit.Row) { r.ID, r.Leaf, r.Opening, r.Hashes = put.ID, put.Leaf, put.Opening, hashes })
	b.open()
	s, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	_, err = audit.Verify(t.Context(), s, b.inspection())
	require.ErrorIs(t, err, audit.ErrTampered, "the auditor")
	l, err := audit.Open(t.Context(), b.config(s))
	if err == nil {
		defer l.Close()
		record, _ := l.Register().Document("c-1")
		t.Logf("opened; live: %v", record.Live())
		trace := b.trace()
		d, err := l.Append(t.Context(), decision(trace))
		require.NoError(t, err)
		_, err = l.Append(t.Context(), release(trace, d.Index, [32]byte{1}, "c-1"))
		t.Logf("release after the withdrawal: %v", err)
	}
	require.ErrorIs(t, err, audit.ErrTampered, "opening")
}
