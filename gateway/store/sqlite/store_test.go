package sqlite_test

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/conformance"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
)

const tenant = "00000099000000119000"

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) conformance.Open {
		path := filepath.Join(t.TempDir(), "record.db")
		return func(t *testing.T) conformance.Store { return open(t, path) }
	})
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// fill writes rows enough for many pages.
func fill(t *testing.T, s *sqlite.Store) {
	t.Helper()
	err := s.Update(t.Context(), tenant, func(tx audit.Tx) error {
		b := audit.Batch{Head: audit.Head{Size: 200, Checkpoint: "x"}}
		for i := range int64(200) {
			b.Rows = append(b.Rows, audit.Row{Index: i, ID: "id", Leaf: make([]byte, 1000), Opening: []byte("o"), Hashes: []byte("h")})
		}
		return tx.Write(b)
	})
	require.NoError(t, err)
}

func TestRightsAreNarrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder?", "re#cord%20.db")
	s := open(t, path)
	fill(t, s)
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(path): 0o700 | fs.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, want, info.Mode(), filepath.Base(name))
	}
}

func TestWideRightsAreNarrowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	require.NoError(t, open(t, path).Close())
	require.NoError(t, os.Chmod(path, 0o644))
	open(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
}

func TestDamageIsReported(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"header":        func(t *testing.T, path string) { overwrite(t, path, 0, 100) },
		"schema page":   func(t *testing.T, path string) { overwrite(t, path, 100, 3900) },
		"a page":        func(t *testing.T, path string) { overwrite(t, path, 30*4096, 4096) },
		"half the file": func(t *testing.T, path string) { overwrite(t, path, 60*1024, 100*1024) },
		"cut off":       func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 20*4096)) },
		"text": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("not a database, but a letter of some length"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "record.db")
			s := open(t, path)
			fill(t, s)
			require.NoError(t, s.Close())
			damage(t, path)
			require.ErrorIs(t, openAndCheck(path, sqlite.Open), sqlite.ErrDamaged)
			require.ErrorIs(t, openAndCheck(path, sqlite.Inspect), sqlite.ErrDamaged)
		})
	}
}

func openAndCheck(path string, open func(context.Context, string) (*sqlite.Store, error)) error {
	s, err := open(context.Background(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Check(context.Background())
}

func overwrite(t *testing.T, path string, from, count int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	garbage := make([]byte, count)
	for i := range garbage {
		garbage[i] = byte(i*7 + 13)
	}
	_, err = f.WriteAt(garbage, from)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestOtherDatabasesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"of another program": "CREATE TABLE x (y)",
		"of a later version": "UPDATE version SET version = 5",
		"with a trigger":     "CREATE TRIGGER t AFTER UPDATE ON documents BEGIN UPDATE documents SET body = x''; END",
		"with a view":        "CREATE VIEW v AS SELECT 1",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "record.db")
			if name != "of another program" {
				require.NoError(t, open(t, path).Close())
			}
			plain(t, path, text)
			_, err := sqlite.Open(t.Context(), path)
			require.ErrorIs(t, err, sqlite.ErrForeign)
			_, err = sqlite.Inspect(t.Context(), path)
			require.ErrorIs(t, err, sqlite.ErrForeign)
		})
	}
}

func TestEarlierLogsAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	require.NoError(t, open(t, path).Close())
	plain(t, path, "UPDATE version SET version = 2")
	_, err := sqlite.Open(t.Context(), path)
	require.ErrorIs(t, err, sqlite.ErrEarlier)
	_, err = sqlite.Inspect(t.Context(), path)
	require.ErrorIs(t, err, sqlite.ErrEarlier)
}

func plain(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(text)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestInspectChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	_, err := sqlite.Inspect(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	fill(t, open(t, path)) // still open: what is in the write-ahead log is seen too
	s, err := sqlite.Inspect(t.Context(), path)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		head, err := v.Head()
		require.EqualValues(t, 200, head.Size)
		return err
	}))
	err = s.Update(t.Context(), tenant, func(audit.Tx) error { return nil })
	require.ErrorIs(t, err, audit.ErrUnavailable)
}

func TestALockedDatabaseIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	s := open(t, path)
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	holder, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	require.NoError(t, err)
	err = s.Update(t.Context(), tenant, func(audit.Tx) error { return nil })
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.NotErrorIs(t, err, sqlite.ErrDamaged)
	_, err = holder.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	fill(t, s)
}
