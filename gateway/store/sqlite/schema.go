package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"math"

	"github.com/ontschot/ontschot/gateway/audit"
)

//go:embed schema.sql
var schema string

const (
	// applicationID marks the file as an audit log of Ontschot: "Onts" in ASCII.
	applicationID = 0x4f6e7473
	schemaVersion = 4
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
		return upgrade(ctx, tx)
	}
	mark := fmt.Sprintf("PRAGMA application_id = %d; INSERT INTO version VALUES (%d)", applicationID, schemaVersion)
	for _, text := range []string{schema, mark} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return failed("making tables", err)
		}
	}
	return failed("making tables", tx.Commit())
}

// checkSchema reports whether the database is an audit log of this version. Triggers
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
	switch {
	case version < schemaVersion:
		return ErrEarlier
	case version != schemaVersion:
		return fmt.Errorf("%w: version", ErrForeign)
	}
	return nil
}

// upgrade takes over an audit log of the version before this one, which had a row for each
// entry. The entries stay as they are, byte for byte; anything else is left alone.
func upgrade(ctx context.Context, tx *sql.Tx) error {
	var id, version int64
	if err := tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return failed("opening", err)
	}
	if err := tx.QueryRowContext(ctx, "SELECT max(version) FROM version").Scan(&version); err != nil || id != applicationID || version != 3 {
		return nil // for checkSchema to report
	}
	for _, text := range []string{
		"ALTER TABLE entries RENAME TO single",
		"CREATE TABLE entries (tenant TEXT NOT NULL, n BIGINT NOT NULL, entries BLOB NOT NULL, PRIMARY KEY (tenant, n))",
		"CREATE TABLE snapshots (tenant TEXT NOT NULL, n BIGINT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tenant, n))",
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return failed("taking over an audit log", err)
		}
	}
	if err := packSingle(ctx, tx); err != nil {
		return err
	}
	for _, text := range []string{"DROP TABLE single", fmt.Sprintf("INSERT INTO version VALUES (%d)", schemaVersion)} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return failed("taking over an audit log", err)
		}
	}
	return failed("taking over an audit log", tx.Commit())
}

// packSingle packs a row for each entry into rows of several.
func packSingle(ctx context.Context, tx *sql.Tx) error {
	const most = 64
	last, from := "", int64(math.MinInt64)
	for {
		rows, err := tx.QueryContext(ctx, "SELECT tenant, n, id, leaf, opening, hashes FROM single WHERE (tenant, n) > (?, ?) ORDER BY tenant, n LIMIT ?", last, from, most)
		if err != nil {
			return failed("taking over an audit log", err)
		}
		var list []audit.Row
		tenant := ""
		for rows.Next() {
			var r audit.Row
			var of string
			if err := rows.Scan(&of, &r.Index, &r.ID, &r.Leaf, &r.Opening, &r.Hashes); err != nil {
				return errors.Join(failed("taking over an audit log", err), rows.Close())
			}
			if len(list) > 0 && (of != tenant || r.Index != list[len(list)-1].Index+1) {
				break
			}
			tenant, list = of, append(list, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return failed("taking over an audit log", err)
		}
		if len(list) == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO entries (tenant, n, entries) VALUES (?, ?, ?)", tenant, list[0].Index, Pack(list)); err != nil {
			return failed("taking over an audit log", err)
		}
		last, from = tenant, list[len(list)-1].Index
	}
}
