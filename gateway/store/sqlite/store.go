// Package sqlite answers: where is the audit log stored? In one SQLite file, by
// modernc.org/sqlite, which is pure Go. It is the only home of a database driver;
// another database gets a room beside this one, and has to pass the suite in
// gateway/store/conformance.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/ontschot/ontschot/gateway/audit"
)

// Errors of opening. All others are those that audit.Store names.
var (
	// ErrDamaged is audit.ErrDamaged under the name of the room that finds it.
	ErrDamaged = audit.ErrDamaged
	// ErrForeign means that the file is a sound database, but not an audit log, or of
	// another version than this program's.
	ErrForeign = errors.New("the database is not an audit log of this program")
	// ErrEarlier means that an earlier version of this program made the log. One that
	// is to be written is taken over when it is opened, if it is of the version before.
	ErrEarlier = errors.New("the audit log was made by an earlier version of this program")
)

// Settings of every connection. FULL: a commit is on disk when it returns. The
// time to wait for a lock is bounded, so that a caller gets UNAVAILABLE in time.
const (
	busyMillis = "2000"
	readers    = 4
)

// Store keeps audit logs in one SQLite file. It is safe for concurrent use, also by
// several processes.
type Store struct {
	writer, reader   *sql.DB // for what is rare
	writing, reading *pool
	readOnly         bool
	owed             atomic.Bool // to take away the write-ahead log, in which something is left that was erased
}

// Open opens the audit log at path, or makes a new one: the file readable by its
// owner only, in a folder that is made likewise if it is missing. Errors:
// ErrDamaged, ErrForeign, audit.ErrUnavailable.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := private(path); err != nil {
		return nil, err
	}
	s := &Store{}
	err := s.open(ctx, path)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// Inspect opens an audit log that exists, for reading only: nothing in it changes,
// and writing is ErrUnavailable. Errors: as Open; a file that is not there is
// fs.ErrNotExist.
func Inspect(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s := &Store{readOnly: true}
	err := s.openReader(ctx, path)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	return s, nil
}

// private makes folder and file with the narrowest rights. SQLite gives the files
// beside it (-wal, -shm) the rights of the database.
func private(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("%w: %w", audit.ErrUnavailable, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", audit.ErrUnavailable, err)
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", audit.ErrUnavailable, err)
	}
	return nil
}

func (s *Store) open(ctx context.Context, path string) (err error) {
	if s.writer, err = connect(path, false, 1); err != nil {
		return err
	}
	if err := prepareSchema(ctx, s.writer); err != nil {
		return err
	}
	if err := checkSchema(ctx, s.writer); err != nil {
		return err
	}
	location, err := locate(path, false)
	if err != nil {
		return err
	}
	if s.writing, err = openPool(s.writer, location, 1, true); err != nil {
		return err
	}
	s.writer.SetMaxIdleConns(0) // what is rare opens one of its own
	s.truncate(ctx)
	return s.openReader(ctx, path)
}

func (s *Store) openReader(ctx context.Context, path string) (err error) {
	if s.reader, err = connect(path, true, 2); err != nil {
		return err
	}
	if err := checkSchema(ctx, s.reader); err != nil {
		return err
	}
	location, err := locate(path, true)
	if err != nil {
		return err
	}
	s.reading, err = openPool(s.reader, location, readers, false)
	s.reader.SetMaxIdleConns(0)
	return err
}

// locate names a database with the settings of the store.
func locate(path string, readOnly bool) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", audit.ErrUnavailable, err)
	}
	settings := url.Values{"_pragma": {
		"busy_timeout(" + busyMillis + ")", "foreign_keys(1)", "trusted_schema(0)", "cell_size_check(1)",
	}}
	if readOnly {
		settings.Add("mode", "ro")
		settings.Add("_pragma", "query_only(1)")
	} else {
		settings.Set("_txlock", "immediate")
		settings["_pragma"] = append(settings["_pragma"], "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)")
	}
	location := url.URL{Scheme: "file", Opaque: (&url.URL{Path: absolute}).EscapedPath(), RawQuery: settings.Encode()}
	return location.String(), nil
}

// connect gives so many connections with the settings of the store.
func connect(path string, readOnly bool, connections int) (*sql.DB, error) {
	location, err := locate(path, readOnly)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", location)
	if err != nil {
		return nil, failed("connecting", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the files. Everything that was committed is on disk already.
func (s *Store) Close() error {
	var errs []error
	for _, p := range []*pool{s.reading, s.writing} {
		if p != nil {
			errs = append(errs, p.close())
		}
	}
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, failed("closing", db.Close()))
		}
	}
	return errors.Join(errs...)
}

// Check reads every page and compares every index with its table. The full check
// and not the quick one: a look-up goes by the indexes.
func (s *Store) Check(ctx context.Context) error {
	var result string
	if err := s.reader.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&result); err != nil {
		return failed("checking", err)
	}
	if result != "ok" {
		return fmt.Errorf("checking: %w", ErrDamaged) // the result may quote what is stored
	}
	return nil
}

// Copy makes a whole copy of the database in a new file, readable by its owner only,
// while others read and write. Errors: audit.ErrUnavailable, ErrDamaged.
func (s *Store) Copy(ctx context.Context, to string) error {
	if err := private(to); err != nil {
		return err
	}
	c, err := s.reader.Conn(ctx)
	if err != nil {
		return failed("copying", err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil {
		return failed("copying", err)
	}
	_, err = c.ExecContext(ctx, "VACUUM INTO ?", to)
	_, again := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only = 1")
	return errors.Join(failed("copying", err), failed("copying", again))
}
