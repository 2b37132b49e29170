package audit_test

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
)

// unpack puts an audit log that an earlier version made where it is wanted.
func unpack(t *testing.T, from, to string) {
	t.Helper()
	packed, err := os.ReadFile(from)
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	raw, err := io.ReadAll(z)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, raw, 0o600))
}

// An audit log that the version before this one made (the story of these tests) is taken over
// when it is opened: the same head, every entry, and it goes on.
func TestALogOfTheVersionBeforeIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	unpack(t, "testdata/record-of-schema-3.db.gz", path)
	secret, err := os.ReadFile("testdata/record-of-schema-3.db.key")
	require.NoError(t, err)
	key, err := audit.ParseKey(strings.TrimSpace(string(secret)))
	require.NoError(t, err)

	_, err = sqlite.Inspect(t.Context(), path)
	require.ErrorIs(t, err, sqlite.ErrEarlier, "whoever only looks changes nothing")
	b := &bench{t: t, key: key, path: path}
	b.open()
	defer func() { b.log.Close(); b.store.Close() }()
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, storySize, report.Size)
	require.EqualValues(t, 3, report.Documents)
	first, _ := b.log.Register().Document("c-1")
	require.False(t, first.Live())
	b.next.Store(1000)
	b.exchange("c-2", "a-1")
	b.log.Close()
	require.NoError(t, b.store.Close())
	b.open()
	report, err = b.verify()
	require.NoError(t, err)
	require.EqualValues(t, storySize+2, report.Size)
}

// earlierRecord is the story of these tests as version 2 wrote it down, with its key.
func earlierRecord(t *testing.T) (path string, keys audit.Keys) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "record.db")
	unpack(t, "testdata/record-of-version-2.db.gz", path)
	secret, err := os.ReadFile("testdata/record-of-version-2.db.key")
	require.NoError(t, err)
	key, err := audit.ParseKey(strings.TrimSpace(string(secret)))
	require.NoError(t, err)
	return path, audit.Keys{key.Verifier}
}

// destroyed is the statement that takes a document out of an opening, as an erasure would.
func destroyed(t *testing.T) string {
	t.Helper()
	path, _ := earlierRecord(t)
	e, err := sqlite.ReadEarlier(t.Context(), path, tenant)
	require.NoError(t, err)
	return fmt.Sprintf("UPDATE entries SET opening = x'%x' WHERE n = 0", emptied(t, e.Rows[0].Opening, "put", `{"salt":"","value":""}`))
}

// What is in an audit log of version 2 is read and believed for its signed head; a changed
// entry, document or head is not.
func TestALogOfVersion2IsVerified(t *testing.T) {
	path, keys := earlierRecord(t)
	_, err := sqlite.Open(t.Context(), path)
	require.ErrorIs(t, err, sqlite.ErrEarlier)
	e, err := sqlite.ReadEarlier(t.Context(), path, tenant)
	require.NoError(t, err)
	list, err := e.Verify(tenant, keys)
	require.NoError(t, err)
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%s %s %v %s", d.Kind, d.ID, d.Ended, d.Body))
		require.Equal(t, d.Kind == audit.ConsentDocument, len(d.Subject) > 0)
	}
	require.Equal(t, []string{"CONSENT c-1 true signed c-1", "AGREEMENT a-1 false signed a-1", "CONSENT c-2 false signed c-2"}, got)

	undone, _ := earlierRecord(t)
	execute(t, undone, "UPDATE documents SET status = 'live', ended = -1")
	e, err = sqlite.ReadEarlier(t.Context(), undone, tenant)
	require.NoError(t, err)
	again, err := e.Verify(tenant, keys)
	require.NoError(t, err)
	require.Equal(t, list, again, "no column is believed")
	for name, change := range map[string]string{
		"a body":            "UPDATE documents SET body = x'00' WHERE id = 'c-2'",
		"openings":          "UPDATE documents SET openings = x'00' WHERE id = 'c-2'",
		"a document gone":   "DELETE FROM documents WHERE id = 'a-1'",
		"the last entry":    "DELETE FROM entries WHERE n = 12",
		"an entry within":   "DELETE FROM entries WHERE n = 5",
		"an opening":        "UPDATE entries SET opening = (SELECT opening FROM entries e WHERE e.n = 5) WHERE n = 9",
		"a leaf":            "UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"status\":\"Ok\"', '\"status\":\"No\"') AS BLOB) WHERE n = 9",
		"hashes":            "UPDATE entries SET hashes = zeroblob(length(hashes)) WHERE n = 9",
		"the size":          "UPDATE head SET size = 12",
		"the checkpoint":    "UPDATE head SET checkpoint = replace(checkpoint, '13', '12')",
		"an id":             "UPDATE entries SET id = 'x' WHERE n = 9",
		"no leaf":           "UPDATE entries SET leaf = x'' WHERE n = 9",
		"no opening":        "UPDATE entries SET opening = x'' WHERE n = 9",
		"a value destroyed": destroyed(t),
		"one entry another": "UPDATE entries SET n = 99 WHERE n = 12",
	} {
		changed, _ := earlierRecord(t)
		execute(t, changed, change)
		e, err := sqlite.ReadEarlier(t.Context(), changed, tenant)
		require.NoError(t, err, name)
		_, err = e.Verify(tenant, keys)
		require.ErrorIs(t, err, audit.ErrTampered, name)
	}
	_, err = e.Verify(other, keys)
	require.ErrorIs(t, err, audit.ErrTampered, "of another organisation")
	stranger := newBench(t)
	_, err = e.Verify(tenant, audit.Keys{stranger.key.Verifier})
	require.ErrorIs(t, err, audit.ErrTampered, "signed by another key")
	_, err = sqlite.ReadEarlier(t.Context(), stranger.path, tenant)
	require.ErrorIs(t, err, sqlite.ErrForeign, "of this version")
}

// What is no audit log of version 2, or lacks a part of one, is not read as an empty one.
func TestWhatIsNoLogOfVersion2(t *testing.T) {
	for name, c := range map[string]struct {
		change string
		want   error
	}{
		"of another program": {"PRAGMA application_id = 1", sqlite.ErrForeign},
		"no version":         {"DROP TABLE version", sqlite.ErrForeign},
		"another version":    {"UPDATE version SET version = 1", sqlite.ErrForeign},
		"no head":            {"DELETE FROM head", audit.ErrUnavailable},
		"no entries":         {"DROP TABLE entries", audit.ErrUnavailable},
		"no documents":       {"DROP TABLE documents", audit.ErrUnavailable},
		"an index of text":   {"UPDATE entries SET n = 'x' WHERE n = 12", audit.ErrUnavailable},
	} {
		path, _ := earlierRecord(t)
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.Exec(c.change)
		require.NoError(t, err, name)
		require.NoError(t, db.Close())
		_, err = sqlite.ReadEarlier(t.Context(), path, tenant)
		require.ErrorIs(t, err, c.want, name)
	}
	path := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(path, []byte("a letter, and no database at all, of some length"), 0o600))
	_, err := sqlite.ReadEarlier(t.Context(), path, tenant)
	require.ErrorIs(t, err, sqlite.ErrDamaged)
}
