package audit_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store"
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
	path := copyFiles(t, b.path)
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
	s, err := store.Inspect(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	_, err = audit.Verify(t.Context(), s, b.inspection())
	return err
}

func TestEveryColumnOfEveryEntry(t *testing.T) {
	b := newBench(t)
	story(b)
	require.NoError(t, tampered(t, b, "UPDATE entries SET leaf = leaf"), "the copy itself is sound")
	for column, changes := range map[string][]string{
		"tenant":  {"'00000099000000193000'", "''", "1", "CAST(tenant AS BLOB)"},
		"n":       {"n + 1000", "-1 - n", "'text' || n", "n + 0.5", "CAST(n AS BLOB)"},
		"id":      {"'x'", "''", "(SELECT id FROM entries e WHERE e.n = (entries.n + 1) % 13)", "CAST(id AS BLOB)", "upper(id)"},
		"leaf":    {"x''", "'text'", "CAST(leaf AS TEXT)", "x'00' || leaf", "CAST(replace(CAST(leaf AS TEXT), '\"version\":3', '\"version\":1') AS BLOB)", "CAST(replace(CAST(leaf AS TEXT), '\"time\":1', '\"time\":2') AS BLOB)", "(SELECT leaf FROM entries e WHERE e.n = (entries.n + 1) % 13)", "zeroblob(40000)"},
		"opening": {"x''", "'{}'", "CAST(opening || ' ' AS BLOB)", "CAST(opening AS TEXT)", "(SELECT opening FROM entries e WHERE e.n = (entries.n + 1) % 13)", "CAST(replace(CAST(opening AS TEXT), '\"value\":\"', '\"value\":\"AAAA') AS BLOB)", "zeroblob(1100000)"},
		"hashes":  {"x''", "zeroblob(32)", "'text'", "CAST(hashes || x'00' AS BLOB)", "substr(hashes, 2)", "zeroblob(length(hashes))", "1"},
	} {
		for _, n := range []int{0, 1, 5, 8, storySize - 1} {
			for _, change := range changes {
				name := fmt.Sprintf("%s of %d = %s", column, n, change)
				err := tampered(t, b, fmt.Sprintf("UPDATE entries SET %s = %s WHERE n = %d", column, change, n))
				var found *audit.TamperError
				require.ErrorAs(t, err, &found, name)
				require.EqualValues(t, n, found.Index, name+": "+found.What)
				require.ErrorIs(t, err, audit.ErrTampered)
			}
		}
	}
}

func TestTheColumnIsNamed(t *testing.T) {
	b := newBench(t)
	story(b)
	for column, change := range map[string]string{
		"id": "'x'", "opening": "x'00'", "hashes": "zeroblob(length(hashes))", "n": "n + 100",
		"leaf": "CAST(replace(CAST(leaf AS TEXT), '\"status\":\"Ok\"', '\"status\":\"Okay\"') AS BLOB)",
	} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, fmt.Sprintf("UPDATE entries SET %s = %s WHERE n = 4", column, change)), &found)
		require.True(t, strings.HasPrefix(found.What, column), found.What)
		require.Contains(t, found.Error(), "entry 4")
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
		"one too many": {storySize, []string{"INSERT INTO entries SELECT tenant, 13, id, leaf, opening, hashes FROM entries WHERE n = 12"}},
		"one before":   {0, []string{"INSERT INTO entries SELECT tenant, -3, id, leaf, opening, hashes FROM entries WHERE n = 12"}},
		"two changed":  {4, []string{"UPDATE entries SET id = 'x' WHERE n IN (4, 9)"}},
	} {
		var found *audit.TamperError
		require.ErrorAs(t, tampered(t, b, c.statements...), &found, name)
		require.Equal(t, c.index, found.Index, name+": "+found.What)
	}
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
		require.EqualValues(t, 0, found.Index, "entry 0 stands beyond a head that is not there")
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
		"DELETE FROM entries WHERE n = 12", "UPDATE entries SET leaf = x'00' WHERE n = 12", "UPDATE entries SET hashes = x'00' WHERE n = 12",
		"UPDATE head SET size = 12", "DELETE FROM head", "UPDATE head SET checkpoint = 'x'",
		"INSERT INTO entries SELECT tenant, 13, id, leaf, opening, hashes FROM entries WHERE n = 12",
	} {
		path := copyFiles(t, b.path)
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec(change)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		s, err := store.Open(t.Context(), path)
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
	require.NoError(t, err, "which is what only a witness elsewhere can tell")
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
	s, err := store.Inspect(context.Background(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = audit.Verify(context.Background(), s, by)
	return err
}
