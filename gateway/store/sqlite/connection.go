package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync"

	"github.com/ontschot/ontschot/gateway/audit"
)

// connection is a connection with all its statements compiled, BEGIN and COMMIT too: what
// runs with every entry compiles nothing and goes without database/sql, which costs more
// than most of the statements. One at a time uses it.
type connection struct {
	conn driver.Conn
	statements
}

// statement is one that was compiled.
type statement struct{ driver.Stmt }

// connectDirectly opens a connection with the settings of a database, and compiles.
func connectDirectly(db *sql.DB, location string, writes bool) (*connection, error) {
	conn, err := db.Driver().Open(location)
	if err != nil {
		return nil, failed("connecting", err)
	}
	c := &connection{conn: conn}
	list := c.reads()
	if writes {
		list = append(list, c.writes()...)
	}
	for _, p := range list {
		if p.into.Stmt, err = conn.Prepare(p.text); err != nil {
			return nil, errors.Join(failed("preparing", err), c.close())
		}
	}
	return c, nil
}

func (c *connection) close() error {
	var errs []error
	for _, p := range append(c.reads(), c.writes()...) {
		if p.into.Stmt != nil {
			errs = append(errs, p.into.Close())
		}
	}
	return failed("closing", errors.Join(append(errs, c.conn.Close())...))
}

// exec runs a statement that gives no rows.
func (s statement) exec(args ...driver.Value) error {
	_, err := s.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), named(args))
	return err
}

// each runs a statement and gives its rows until there are no more or nobody wants them.
// Values are as they are stored, whatever the type of their column.
func (s statement) each(take func([]driver.Value) (more bool), args ...driver.Value) error {
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), named(args))
	if err != nil {
		return err
	}
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err = rows.Next(values); err != nil || !take(values) {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// row runs a statement that gives one row at most; false when it gives none.
func (s statement) row(into []driver.Value, args ...driver.Value) (known bool, err error) {
	err = s.each(func(values []driver.Value) bool {
		copy(into, values)
		known = true
		return false
	}, args...)
	return known, err
}

func named(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, v := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return list
}

// pool has connections that are used by one at a time each, and are opened when they are
// needed.
type pool struct {
	open   func() (*connection, error)
	mu     sync.Mutex
	closed bool
	free   chan *connection // nil: one that is not open yet; closed when the pool is
}

// take waits for a connection.
func (p *pool) take(ctx context.Context) (*connection, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed("beginning", err)
	}
	select {
	case c, ok := <-p.free:
		if !ok {
			return nil, failed("beginning", sql.ErrConnDone)
		}
		if c != nil {
			return c, nil
		}
		c, err := p.open()
		if err != nil {
			p.give(nil)
		}
		return c, err
	case <-ctx.Done():
		return nil, failed("beginning", ctx.Err())
	}
}

// give takes a connection back.
func (p *pool) give(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.closed:
		p.free <- c
	case c != nil:
		_ = c.close() // nothing is under way in it
	}
}

// close closes the connections that nobody uses; the others follow when they are given back.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	close(p.free)
	var errs []error
	for c := range p.free {
		if c != nil {
			errs = append(errs, c.close())
		}
	}
	return errors.Join(errs...)
}

// openPool has so many connections, of which the first is opened at once.
func openPool(db *sql.DB, location string, connections int, writes bool) (*pool, error) {
	p := &pool{
		open: func() (*connection, error) { return connectDirectly(db, location, writes) },
		free: make(chan *connection, connections),
	}
	first, err := p.open()
	for range connections - 1 {
		p.free <- nil
	}
	p.free <- first
	return p, err
}

// within runs f in a transaction of a connection, which begins as told. It is undone when f
// or the commit fails.
func (c *connection) within(begin statement, f func() error) error {
	if err := begin.exec(); err != nil {
		return failed("beginning", err)
	}
	done := false
	defer func() {
		if !done {
			_ = c.rollback.exec() // it fails when SQLite has undone it by itself
		}
	}()
	if err := f(); err != nil {
		return err
	}
	if err := c.commit.exec(); err != nil {
		return failed("committing", err)
	}
	done = true
	return nil
}

var (
	_ audit.Store    = (*Store)(nil)
	_ audit.Unreader = (*snapshot)(nil)
)
