package store

import (
	"context"
	"fmt"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// earlierVersion is of records that are read only to take over what stands in them.
const earlierVersion = 2

// ReadEarlier reads all of a record of version 2, which this program writes no more. It
// believes none of it: audit.Earlier.Verify does. Errors: ErrForeign when it is no record of
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
