package sqlite

import (
	"context"
	"database/sql/driver"

	"github.com/ontschot/ontschot/gateway/audit"
)

// snapshot is an audit.Snapshot. It lives as long as its transaction.
type snapshot struct {
	ctx    context.Context
	use    *connection
	tenant string
}

// row gives the one row of a statement; false when there is none. The context is looked at
// before: what is asked for takes little time.
func (s *snapshot) row(of statement, doing string, into []driver.Value, args ...driver.Value) (bool, error) {
	if err := s.ctx.Err(); err != nil {
		return false, failed(doing, err)
	}
	known, err := of.row(into, args...)
	return known, failed(doing, err)
}

// each gives the rows of a statement, until there are no more or take does not want them.
func (s *snapshot) each(of statement, doing string, take func([]driver.Value) bool, args ...driver.Value) error {
	if err := s.ctx.Err(); err != nil {
		return failed(doing, err)
	}
	return failed(doing, of.each(take, args...))
}

// Rows is audit.Snapshot's. SQLite stores any value in any column, so each is
// read as it is and its type is looked at.
func (s *snapshot) Rows(from int64, limit int) ([]audit.Row, error) {
	return s.rows(from, limit, audit.ReadCompact)
}

// UnreadRows is audit.Unreader's.
func (s *snapshot) UnreadRows(from int64, limit int) ([]audit.Row, error) {
	return s.rows(from, limit, audit.Unread)
}

func (s *snapshot) rows(from int64, limit int, read readCompact) ([]audit.Row, error) {
	u := unpacking{from: from, limit: limit, read: read, rows: make([]audit.Row, 0, max(0, min(limit, 1024)))}
	before := from
	if from > 0 {
		before-- // the row that holds this one may hold more of them than it should
	}
	err := s.each(s.use.entries, "reading entries", func(values []driver.Value) bool {
		u.group(values[0], values[1])
		return len(u.rows) < limit
	}, s.tenant, s.tenant, before, from)
	return u.rows, err
}

// group adds the entries of a row.
func (u *unpacking) group(n, packed any) {
	first, ok := n.(int64)
	if !ok {
		u.rows = append(u.rows, audit.Row{Bad: "n"})
		return
	}
	b, ok := packed.([]byte)
	if !ok {
		u.bad(first)
		return
	}
	u.unpack(first, b)
}

// Document is audit.Snapshot's.
func (s *snapshot) Document(id string) (audit.Stored, bool, error) {
	var values [3]driver.Value
	known, err := s.row(s.use.document, "reading documents", values[:], s.tenant, id)
	if err != nil || !known {
		return audit.Stored{}, false, err
	}
	return stored(values[:]), true, nil
}

// Documents is audit.Snapshot's.
func (s *snapshot) Documents(after string, limit int) (list []audit.Stored, err error) {
	if limit < 1 {
		return nil, nil
	}
	err = s.each(s.use.documents, "reading documents", func(values []driver.Value) bool {
		list = append(list, stored(values))
		return len(list) < limit
	}, s.tenant, after)
	return list, err
}

// Register is audit.Snapshot's. One whose columns are of another type is none.
func (s *snapshot) Register() (audit.SnapshotRow, bool, error) {
	var values [2]driver.Value
	known, err := s.row(s.use.snapshot, "reading the register", values[:], s.tenant)
	if err != nil || !known {
		return audit.SnapshotRow{}, false, err
	}
	return audit.SnapshotRow{Index: number(values[0]), Body: raw(values[1])}, true, nil
}

// stored reads the row of a document. A value of another type than its column's reads as
// empty, which is the bytes of no document.
func stored(values []driver.Value) audit.Stored {
	return audit.Stored{ID: text(values[0]), Body: raw(values[1]), Openings: raw(values[2])}
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
