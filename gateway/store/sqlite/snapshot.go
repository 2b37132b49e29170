package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ontschot/ontschot/gateway/audit"
)

// snapshot is an audit.Snapshot. It lives as long as its transaction.
type snapshot struct {
	ctx    context.Context
	tx     *sql.Tx
	use    *statements
	tenant string
}

// Rows is audit.Snapshot's. SQLite stores any value in any column, so each is
// read as it is and its type is looked at.
func (s *snapshot) Rows(from int64, limit int) ([]audit.Row, error) {
	before := from
	if from > 0 {
		before-- // the row that holds this one may hold more of them than it should
	}
	rows, err := s.tx.StmtContext(s.ctx, s.use.entries).QueryContext(s.ctx, s.tenant, s.tenant, before, from)
	if err != nil {
		return nil, failed("reading entries", err)
	}
	defer rows.Close()
	var list []audit.Row
	for len(list) < limit && rows.Next() {
		var n, packed any
		if err := rows.Scan(&n, &packed); err != nil {
			return nil, failed("reading entries", err)
		}
		list = append(list, group(n, packed, from, limit-len(list))...)
	}
	return list, failed("reading entries", rows.Err())
}

// group gives at most limit of the entries of a row, from an index on.
func group(n, packed any, from int64, limit int) []audit.Row {
	first, ok := n.(int64)
	if !ok {
		return []audit.Row{{Bad: "n"}}
	}
	b, ok := packed.([]byte)
	if !ok {
		return []audit.Row{{Index: first, Bad: "entries"}}
	}
	return unpack(first, b, from, limit)
}

// Document is audit.Snapshot's.
func (s *snapshot) Document(id string) (audit.Stored, bool, error) {
	list, err := documents(s.tx.StmtContext(s.ctx, s.use.document).QueryContext(s.ctx, s.tenant, id))
	if err != nil || len(list) == 0 {
		return audit.Stored{}, false, err
	}
	return list[0], true, nil
}

// Documents is audit.Snapshot's.
func (s *snapshot) Documents(after string, limit int) ([]audit.Stored, error) {
	return documents(s.tx.StmtContext(s.ctx, s.use.documents).QueryContext(s.ctx, s.tenant, after, limit))
}

// Register is audit.Snapshot's. One whose columns are of another type is none.
func (s *snapshot) Register() (audit.SnapshotRow, bool, error) {
	var n, body any
	err := s.tx.StmtContext(s.ctx, s.use.snapshot).QueryRowContext(s.ctx, s.tenant).Scan(&n, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.SnapshotRow{}, false, nil
	}
	if err != nil {
		return audit.SnapshotRow{}, false, failed("reading the register", err)
	}
	return audit.SnapshotRow{Index: number(n), Body: raw(body)}, true, nil
}

// documents reads rows of documents. A value of another type than its column's reads as
// empty, which is the bytes of no document.
func documents(rows *sql.Rows, err error) ([]audit.Stored, error) {
	if err != nil {
		return nil, failed("reading documents", err)
	}
	defer rows.Close()
	var list []audit.Stored
	for rows.Next() {
		var id, body, openings any
		if err := rows.Scan(&id, &body, &openings); err != nil {
			return nil, failed("reading documents", err)
		}
		list = append(list, audit.Stored{ID: text(id), Body: raw(body), Openings: raw(openings)})
	}
	return list, failed("reading documents", rows.Err())
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func raw(v any) []byte {
	b, _ := v.([]byte)
	return b
}

func number(v any) int64 {
	n, ok := v.(int64)
	if !ok {
		return audit.NotEnded - 1 // no index at all
	}
	return n
}
