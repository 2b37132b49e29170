package store

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
)

//go:embed schema.sql
var schema string

const (
	// applicationID marks the file as a record of Ontschot: "Onts" in ASCII.
	applicationID = 0x4f6e7473
	schemaVersion = 3
)

// prepareSchema makes the tables in an empty database, and leaves any other as it
// is. Two processes that start at once take turns.
func prepareSchema(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return failed("opening", err)
	}
	if mode != "wal" {
		return fmt.Errorf("%w: no write-ahead log on this file system", ErrForeign)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return failed("making tables", err)
	}
	defer tx.Rollback()
	var objects int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return failed("making tables", err)
	}
	if objects > 0 {
		return nil
	}
	mark := fmt.Sprintf("PRAGMA application_id = %d; INSERT INTO version VALUES (%d)", applicationID, schemaVersion)
	for _, text := range []string{schema, mark} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return failed("making tables", err)
		}
	}
	return failed("making tables", tx.Commit())
}

// checkSchema tells whether the database is a record of this version. Triggers
// and views are never ours, and could make a statement do something else.
func checkSchema(ctx context.Context, db *sql.DB) error {
	var id, strange, version int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return failed("opening", err)
	}
	if id != applicationID {
		return ErrForeign
	}
	const triggers = "SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
	if err := db.QueryRowContext(ctx, triggers).Scan(&strange); err != nil {
		return failed("opening", err)
	}
	if strange > 0 {
		return fmt.Errorf("%w: it holds triggers or views", ErrForeign)
	}
	if err := db.QueryRowContext(ctx, "SELECT max(version) FROM version").Scan(&version); err != nil {
		return failed("opening", err)
	}
	if version != schemaVersion {
		return fmt.Errorf("%w: version", ErrForeign)
	}
	return nil
}
