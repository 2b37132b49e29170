package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// earlierVersion is of audit logs that are read only to take over what is in them.
const earlierVersion = 2

// ReadEarlier reads all of an audit log of version 2, which this program writes no more. It
// believes none of it: audit.Earlier.Verify does. Errors: ErrForeign when it is no log of
// that version, ErrDamaged, audit.ErrUnavailable.
func ReadEarlier(ctx context.Context, path string, tenant identity.OIN) (audit.Earlier, error) {
	db, err := connect(path, true, 1)
	if err != nil {
		return audit.Earlier{}, err
	}
	defer db.Close()
	var e audit.Earlier
	var id, version int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return e, failed("opening", err)
	}
	err = db.QueryRowContext(ctx, "SELECT max(version) FROM version").Scan(&version)
	if err != nil || id != applicationID || version != earlierVersion {
		return e, fmt.Errorf("%w of version %d", ErrForeign, earlierVersion)
	}
	if err := db.QueryRowContext(ctx, "SELECT size, checkpoint FROM head WHERE tenant = ?", string(tenant)).Scan(&e.Head.Size, &e.Head.Checkpoint); err != nil {
		return e, failed("reading the head", err)
	}
	rows, err := db.QueryContext(ctx, "SELECT n, id, leaf, opening, hashes FROM entries WHERE tenant = ? ORDER BY n", string(tenant))
	if err != nil {
		return e, failed("reading entries", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r audit.Row
		if err := rows.Scan(&r.Index, &r.ID, &r.Leaf, &r.Opening, &r.Hashes); err != nil {
			return e, failed("reading entries", err)
		}
		e.Rows = append(e.Rows, r)
	}
	if err := rows.Err(); err != nil {
		return e, failed("reading entries", err)
	}
	documents, err := db.QueryContext(ctx, "SELECT id, body, openings FROM documents WHERE tenant = ?", string(tenant))
	if err != nil {
		return e, failed("reading documents", err)
	}
	defer documents.Close()
	for documents.Next() {
		var d audit.Stored
		if err := documents.Scan(&d.ID, &d.Body, &d.Openings); err != nil {
			return e, failed("reading documents", err)
		}
		e.Documents = append(e.Documents, d)
	}
	return e, failed("reading documents", documents.Err())
}

// CopyEarlier makes a whole copy of an audit log of any version in a new file, readable by its
// owner only. Errors: audit.ErrUnavailable, ErrDamaged.
func CopyEarlier(ctx context.Context, path, to string) error {
	db, err := connect(path, true, 1)
	if err != nil {
		return err
	}
	s := &Store{reader: db}
	return errors.Join(s.Copy(ctx, to), s.Close())
}

// Settle moves what was written last into the database file, so that nothing is left beside
// it any more. Nobody else may have it open. Errors: audit.ErrUnavailable.
func Settle(ctx context.Context, path string) error {
	db, err := connect(path, false, 1)
	if err != nil {
		return err
	}
	var busy, frames, moved int
	err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = errBusy
	}
	return errors.Join(failed("settling", err), failed("settling", db.Close()))
}

var errBusy = errors.New("somebody has it open")
