package store

import (
	"context"
	"database/sql"
	"fmt"

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

// maxLookup bounds one Lookup, and chunk is how many ids go in one statement.
const (
	maxLookup = 4096
	chunk     = 16
)

// Lookup is audit.Snapshot's.
func (s *snapshot) Lookup(ids []string) (map[string]audit.Document, error) {
	if len(ids) > maxLookup {
		return nil, fmt.Errorf("%w: too many documents at once", audit.ErrUnavailable)
	}
	found := make(map[string]audit.Document, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), chunk)
		if err := s.lookup(ids[:n], found); err != nil {
			return nil, err
		}
		ids = ids[n:]
	}
	return found, nil
}

// lookup fills a statement's places with ids, the last one as often as needed.
func (s *snapshot) lookup(ids []string, found map[string]audit.Document) error {
	args := make([]any, 1, chunk+1)
	args[0] = s.tenant
	for i := range chunk {
		args = append(args, ids[min(i, len(ids)-1)])
	}
	list, err := documents(s.tx.StmtContext(s.ctx, s.use.lookup).QueryContext(s.ctx, args...))
	for _, d := range list {
		found[d.ID] = d
	}
	return err
}

// Documents is audit.Snapshot's.
func (s *snapshot) Documents(after string, limit int) ([]audit.Document, error) {
	return documents(s.tx.StmtContext(s.ctx, s.use.documents).QueryContext(s.ctx, s.tenant, after, limit))
}
