package store

import (
	"context"
	"database/sql"

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
	rows, err := s.tx.StmtContext(s.ctx, s.use.entries).QueryContext(s.ctx, s.tenant, from, limit)
	if err != nil {
		return nil, failed("reading entries", err)
	}
	defer rows.Close()
	var list []audit.Row
	for rows.Next() {
		var n, id, leaf, opening, hashes any
		if err := rows.Scan(&n, &id, &leaf, &opening, &hashes); err != nil {
			return nil, failed("reading entries", err)
		}
		list = append(list, entry(n, id, leaf, opening, hashes))
	}
	return list, failed("reading entries", rows.Err())
}

func entry(n, id, leaf, opening, hashes any) (r audit.Row) {
	var ok bool
	if r.Index, ok = n.(int64); !ok {
		return audit.Row{Bad: "n"}
	}
	if r.ID, ok = id.(string); !ok {
		return audit.Row{Index: r.Index, Bad: "id"}
	}
	for _, c := range []struct {
		name  string
		value any
		into  *[]byte
	}{{"leaf", leaf, &r.Leaf}, {"opening", opening, &r.Opening}, {"hashes", hashes, &r.Hashes}} {
		if *c.into, ok = c.value.([]byte); !ok {
			return audit.Row{Index: r.Index, Bad: c.name}
		}
	}
	return r
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
