package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
	"github.com/ontschot/ontschot/internal/identity"
)

// story fills a log with every kind of entry that matters: 13 entries, of which
// 0, 1 and 2 put documents, 9 ends one and 10 asks again what 3 asked.
func story(b *bench) {
	b.append(consent("c-1"))
	b.append(agreement("a-1"))
	b.append(consent("c-2"))
	trace := b.trace()
	asked := decision(trace)
	asked.Once = once("key", "body")
	d := b.append(asked)
	b.append(release(trace, d.Index, sha256.Sum256([]byte(trace)), "c-1", "a-1"))
	b.exchange("c-2", "a-1")
	b.exchange("c-1", "c-2")
	b.append(withdrawal("c-1"))
	b.append(audit.Entry{Kind: audit.Deny, Trace: b.trace(), Status: "Unset", Once: once("key", "body")})
	b.exchange("c-2", "a-1")
}

const storySize = 13

// tampered changes a copy of the database with plain SQL and lets the auditor look.
func tampered(t *testing.T, b *bench, statements ...string) error {
	t.Helper()
	return broken(t, b, func(path string) { execute(t, path, statements...) })
}

// broken changes a copy of the database and lets the auditor look.
func broken(t *testing.T, b *bench, change func(path string)) error {
	t.Helper()
	path := copyFiles(t, b.path)
	change(path)
	return inspected(path, b.inspection())
}

func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	for _, text := range statements {
		result, err := db.Exec(text)
		require.NoError(t, err, text)
		n, err := result.RowsAffected()
		require.NoError(t, err)
		require.NotZero(t, n, text)
	}
	require.NoError(t, db.Close())
}

// changes of one column of an entry, by name.
func changes(rows []audit.Row, n int) map[string]func(r *audit.Row) {
	next := rows[(n+1)%len(rows)]
	replace := func(b []byte, old, other string) []byte { return bytes.Replace(b, []byte(old), []byte(other), 1) }
	return map[string]func(r *audit.Row){
		"id: another": func(r *audit.Row) { r.ID = "x" }, "id: none": func(r *audit.Row) { r.ID = "" },
		"id: of the next": func(r *audit.Row) { r.ID = next.ID }, "id: capitals": func(r *audit.Row) { r.ID = strings.ToUpper(r.ID) },
		"leaf: none": func(r *audit.Row) { r.Leaf = nil }, "leaf: text": func(r *audit.Row) { r.Leaf = []byte("text") },
		"leaf: a byte before": func(r *audit.Row) { r.Leaf = append([]byte{0}, r.Leaf...) },
		"leaf: version":       func(r *audit.Row) { r.Leaf = replace(r.Leaf, `"version":3`, `"version":1`) },
		"leaf: time":          func(r *audit.Row) { r.Leaf = replace(r.Leaf, `"time":1`, `"time":2`) },
		"leaf: of the next":   func(r *audit.Row) { r.Leaf = next.Leaf }, "leaf: too long": func(r *audit.Row) { r.Leaf = make([]byte, 40000) },
		"opening: none": func(r *audit.Row) { r.Opening = nil }, "opening: empty": func(r *audit.Row) { r.Opening = []byte("{}") },
		"opening: a space":  func(r *audit.Row) { r.Opening = append(bytes.Clone(r.Opening), ' ') },
		"opening: another":  func(r *audit.Row) { r.Opening = next.Opening },
		"opening: a value":  func(r *audit.Row) { r.Opening = replace(r.Opening, `"value":"`, `"value":"AAAA`) },
		"opening: too long": func(r *audit.Row) { r.Opening = make([]byte, 1100000) },
		"hashes: none":      func(r *audit.Row) { r.Hashes = nil }, "hashes: one byte more": func(r *audit.Row) { r.Hashes = append(bytes.Clone(r.Hashes), 0) },
		"hashes: one byte less": func(r *audit.Row) { r.Hashes = r.Hashes[1:] }, "hashes: zeros": func(r *audit.Row) { r.Hashes = make([]byte, len(r.Hashes)) },
	}
}

// Whatever is changed in an entry, however many are in one row with it, the auditor
// names the entry and what of it was changed.
func TestEveryPartOfEveryEntry(t *testing.T) {
	b := newBench(t)
	story(b)
	rows := rowsOf(t, b)
	for _, each := range []int{1, 4, storySize} {
		require.NoError(t, broken(t, b, func(path string) { storetest.Repack(t, path, each) }), "the copy itself is sound")
		for _, n := range []int{0, 1, 5, 8, storySize - 1} {
			for name, change := range changes(rows, n) {
				name := fmt.Sprintf("%s of %d, %d in a row", name, n, each)
				err := broken(t, b, func(path string) {
					storetest.Repack(t, path, each)
					storetest.Change(t, path, int64(n), change)
				})
				var found *audit.TamperError
				require.ErrorAs(t, err, &found, name)
				require.EqualValues(t, n, found.Index, name+": "+found.What)
				require.ErrorIs(t, err, audit.ErrTampered)
				if column, _, _ := strings.Cut(name, ":"); column != "leaf" { // hashes may be what does not fit a leaf
					require.True(t, strings.HasPrefix(found.What, column), name+": "+found.What)
				}
				require.Contains(t, found.Error(), fmt.Sprintf("entry %d", n))
			}
		}
	}
}

// One changed byte anywhere in a row of several entries is found in the entry it is of.
func TestOneByteOfARow(t *testing.T) {
	b := newBench(t)
	story(b)
	rows := rowsOf(t, b)[:4]
	at := 0
	for n, r := range rows {
		size := len(sqlite.Pack([]audit.Row{r}))
		for i := 0; i < size; i += 1 + size/40 {
			err := broken(t, b, func(path string) {
				storetest.Repack(t, path, 4)
				packed := sqlite.Pack(rows)
				packed[at+i] ^= 1
				execute(t, path, fmt.Sprintf("UPDATE entries SET entries = x'%x' WHERE n = 0", packed))
			})
			var found *audit.TamperError
			require.ErrorAs(t, err, &found, "byte %d of entry %d", i, n)
			require.EqualValues(t, n, found.Index, "byte %d: %s", i, found.What)
		}
		at += size
	}
}

func TestEveryColumnOfARow(t *testing.T) {
	b := newBench(t)
	story(b)
	for column, changes := range map[string][]string{
		"tenant":  {"'00000099000000193000'", "''", "1", "CAST(tenant AS BLOB)"},
		"n":       {"n + 1000", "-1 - n", "'text' || n", "n + 0.5", "CAST(n AS BLOB)"},
		"entries": {"x''", "'text'", "CAST(entries AS TEXT)", "CAST(entries || x'00' AS BLOB)", "substr(entries, 2)", "substr(entries, 1, 50)", "1", "zeroblob(100)"},
	} {
		for _, n := range []int{0, 1, 5, 8, storySize - 1} {
			for _, change := range changes {
				name := fmt.Sprintf("%s of %d = %s", column, n, change)
				err := tampered(t, b, fmt.Sprintf("UPDATE entries SET %s = %s WHERE n = %d", column, change, n))
				var found *audit.TamperError
				require.ErrorAs(t, err, &found, name)
				more := int64(0)
				if strings.Contains(change, "|| x'00'") {
					more = 1 // the entry is there, and something beside it
				}
				require.EqualValues(t, int64(n)+more, found.Index, name+": "+found.What)
			}
		}
	}
}

func TestRowsDeletedSwappedAddedCutOff(t *testing.T) {
	b := newBench(t)
	story(b)
	for name, c := range map[string]struct {
		index      int64
		statements []string
	}{
		"first deleted":  {0, []string{"DELETE FROM entries WHERE n = 0"}},
		"middle deleted": {6, []string{"DELETE FROM entries WHERE n = 6"}},
		"tail cut off":   {10, []string{"DELETE FROM entries WHERE n >= 10"}},
		"all deleted":    {0, []string{"DELETE FROM entries"}},
		"deleted and moved up": {3, []string{"DELETE FROM entries WHERE n = 3",
			"UPDATE entries SET n = -n WHERE n > 3", "UPDATE entries SET n = -n - 1 WHERE n < 0"}},
		"swapped": {2, []string{"UPDATE entries SET n = -7 WHERE n = 2", "UPDATE entries SET n = 2 WHERE n = 7",
			"UPDATE entries SET n = 7 WHERE n = -7"}},
		"one too many": {storySize, []string{"INSERT INTO entries SELECT tenant, 13, entries FROM entries WHERE n = 12"}},
		"one before":   {0, []string{"INSERT INTO entries SELECT tenant, -3, entries FROM entries WHERE n = 12"}},
		"two changed":  {4, []string{"UPDATE entries SET entries = x'00' WHERE n IN (4, 9)"}},
	} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, c.statements...), &found, name)
		require.Equal(t, c.index, found.Index, name+": "+found.What)
	}
	var found *audit.TamperError
	twice := tampered(t, b, "UPDATE entries SET entries = CAST(entries || (SELECT entries FROM entries e WHERE e.n = 8) AS BLOB) WHERE n = 7")
	require.ErrorAs(t, twice, &found, "entry 8 is in two rows, the second time where 9 should")
	require.EqualValues(t, 9, found.Index)
}

func TestEveryColumnOfTheHead(t *testing.T) {
	b := newBench(t)
	story(b)
	for _, change := range []string{
		"size = size + 1", "size = 0", "size = 'text'", "size = -1",
		"checkpoint = ''", "checkpoint = 'text'", "checkpoint = checkpoint || x'0a'", "checkpoint = replace(checkpoint, '13', '12')",
		"checkpoint = CAST(checkpoint AS BLOB)", "size = 12, checkpoint = replace(checkpoint, '13', '12')",
	} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, "UPDATE head SET "+change), &found, change)
		require.EqualValues(t, audit.HeadIndex, found.Index, change)
	}
	for _, change := range []string{"DELETE FROM head", "UPDATE head SET tenant = 'x'", "UPDATE head SET size = 0, checkpoint = ''"} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, change), &found, change)
		require.EqualValues(t, 0, found.Index, "entry 0 is beyond a head that is not there")
	}
}

func TestEveryColumnOfTheDocuments(t *testing.T) {
	b := newBench(t)
	story(b)
	for name, c := range map[string]struct {
		index  int64
		change string
	}{
		"tenant": {0, "tenant = 'x' WHERE id = 'c-1'"}, "id": {0, "id = 'c-9' WHERE id = 'c-1'"}, "id type": {0, "id = CAST(id AS BLOB) WHERE id = 'c-1'"},
		"body": {2, "body = x'00' WHERE id = 'c-2'"}, "body type": {2, "body = 'text' WHERE id = 'c-2'"},
		"openings":      {2, "openings = x'00' WHERE id = 'c-2'"},
		"two exchanged": {0, "body = (SELECT body FROM documents d WHERE d.id <> documents.id AND d.id <> 'a-1') WHERE id <> 'a-1'"},
	} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, "UPDATE documents SET "+c.change), &found, name)
		require.Equal(t, c.index, found.Index, name+": "+found.What)
		require.Contains(t, found.What, "documents")
	}
	var found *audit.TamperError
	require.ErrorAs(t, tampered(t, b, "DELETE FROM documents WHERE id = 'a-1'"), &found)
	require.EqualValues(t, 1, found.Index)
}

// TestARewriteNeedsTheKey: whoever can compute hashes still cannot sign.
func TestARewriteNeedsTheKey(t *testing.T) {
	b := newBench(t)
	story(b)
	stranger := newBench(t)
	story(stranger)
	_, err := audit.Verify(t.Context(), stranger.store, b.inspection())
	require.ErrorIs(t, err, audit.ErrTampered)
	c := b.config(stranger.store)
	_, err = audit.Open(t.Context(), c)
	require.ErrorIs(t, err, audit.ErrTampered)
}

func TestOpenRefusesWhatWasTamperedWith(t *testing.T) {
	b := newBench(t)
	story(b)
	for _, change := range []string{
		"DELETE FROM entries WHERE n = 12", "UPDATE entries SET entries = x'00' WHERE n = 12", "UPDATE entries SET entries = substr(entries, 1, length(entries) - 1) WHERE n = 12",
		"UPDATE head SET size = 12", "DELETE FROM head", "UPDATE head SET checkpoint = 'x'",
		"INSERT INTO entries SELECT tenant, 13, entries FROM entries WHERE n = 12",
	} {
		path := copyFiles(t, b.path)
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec(change)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		s, err := sqlite.Open(t.Context(), path)
		require.NoError(t, err)
		_, err = audit.Open(t.Context(), b.config(s))
		require.ErrorIs(t, err, audit.ErrTampered, change)
		require.NoError(t, s.Close())
	}
}

// TestTheHeadCannotGoBack: a running log notices that its store was put back.
func TestTheHeadCannotGoBack(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	b.log.Close()
	require.NoError(t, b.store.Close())
	earlier := copyFiles(t, b.path)
	b.open()
	b.append(decision(b.trace()))
	old, err := sql.Open("sqlite", earlier)
	require.NoError(t, err)
	defer old.Close()
	var checkpoint string
	require.NoError(t, old.QueryRow("SELECT checkpoint FROM head").Scan(&checkpoint))
	db, err := sql.Open("sqlite", b.path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("DELETE FROM entries WHERE n = 1")
	require.NoError(t, err)
	_, err = db.Exec("UPDATE head SET size = 1, checkpoint = ?", checkpoint)
	require.NoError(t, err)
	_, err = b.log.Append(context.Background(), decision(b.trace()))
	require.ErrorIs(t, err, audit.ErrTampered)
	require.ErrorIs(t, err, audit.ErrUnavailable)
	_, err = b.verify()
	require.NoError(t, err, "which only a witness elsewhere can notice")
}

func TestADamagedFileIsNotTampering(t *testing.T) {
	b := newBench(t)
	for range 100 {
		b.append(decision(b.trace()))
	}
	b.log.Close()
	require.NoError(t, b.store.Close())
	info, err := os.Stat(b.path)
	require.NoError(t, err)
	pages := info.Size() / 4096
	damaged := 0
	for page := int64(0); page < pages; page++ {
		path := copyFiles(t, b.path)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		garbage := []byte(strings.Repeat("garbage ", 512))
		_, err = f.WriteAt(garbage, page*4096)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		err = inspected(path, b.inspection())
		require.ErrorIs(t, err, audit.ErrDamaged, "page %d", page)
		damaged++
	}
	require.Greater(t, damaged, 20)
	b.open()
}

func inspected(path string, by audit.Inspection) error {
	s, err := sqlite.Inspect(context.Background(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = audit.Verify(context.Background(), s, by)
	return err
}

// Entries that fit one another, with all their hashes, under a head that signed others.
func TestOtherEntriesUnderTheHead(t *testing.T) {
	b, strange := newBench(t), newBench(t)
	for _, x := range []*bench{b, strange} {
		for range 3 {
			x.append(decision(x.trace()))
		}
	}
	var head audit.Head
	require.NoError(t, b.store.View(t.Context(), tenant, func(s audit.Snapshot) (err error) {
		head, err = s.Head()
		return err
	}))
	_, err := audit.Verify(t.Context(), crowned{strange.store, head}, b.inspection())
	require.ErrorIs(t, err, audit.ErrTampered)
	require.ErrorContains(t, err, "checkpoint: its root is not that of the entries")
	_, err = audit.Verify(t.Context(), crowned{b.store, head}, b.inspection())
	require.NoError(t, err)
}

// crowned is a store that shows another head.
type crowned struct {
	audit.Store
	head audit.Head
}

func (c crowned) View(ctx context.Context, tenant identity.OIN, f func(audit.Snapshot) error) error {
	return c.Store.View(ctx, tenant, func(s audit.Snapshot) error { return f(crownedSnapshot{s, c.head}) })
}

type crownedSnapshot struct {
	audit.Snapshot
	head audit.Head
}

func (c crownedSnapshot) Head() (audit.Head, error) { return c.head, nil }
