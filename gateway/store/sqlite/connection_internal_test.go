package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	codes "modernc.org/sqlite/lib"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

const tenant = identity.OIN("00000099000000119000")

// watched is a connection that compiles nothing.
type watched struct {
	driver.Conn
	t *testing.T
}

func (w watched) Prepare(text string) (driver.Stmt, error) {
	w.t.Errorf("compiled: %s", text)
	return w.Conn.Prepare(text)
}

func (w watched) Begin() (driver.Tx, error) {
	w.t.Error("compiled: BEGIN")
	return nil, errors.New("not prepared")
}

// anew is how often SQLite has compiled the statements of a connection anew by itself.
func anew(c *connection) (count int) {
	for _, p := range append(c.reads(), c.writes()...) {
		if p.into.Stmt == nil {
			continue
		}
		of := reflect.ValueOf(p.into.Stmt).Elem()
		tls := of.FieldByName("c").Elem().FieldByName("tls")
		status := reflect.ValueOf(codes.Xsqlite3_stmt_status).Call([]reflect.Value{
			reflect.NewAt(tls.Type(), tls.Addr().UnsafePointer()).Elem(), reflect.ValueOf(uintptr(of.FieldByName("pstmt").Uint())),
			reflect.ValueOf(int32(codes.SQLITE_STMTSTATUS_REPREPARE)), reflect.ValueOf(int32(0)),
		})
		count += int(status[0].Int())
	}
	return count
}

// What runs with every entry compiles no SQL: neither we nor SQLite, whatever is bound.
func TestNothingIsCompiledWithAnEntry(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
	require.NoError(t, err)
	defer s.Close()
	work := func(n int64) {
		require.NoError(t, s.Update(t.Context(), tenant, func(tx audit.Tx) error {
			if _, err := tx.Head(); err != nil {
				return err
			}
			id := fmt.Sprintf("d-%d", n)
			b := audit.Batch{
				Rows: []audit.Row{{Index: n, ID: "i", Leaf: []byte("l")}}, Puts: []audit.Stored{{ID: id}}, Head: audit.Head{Size: n + 1, Checkpoint: id},
				Register: &audit.SnapshotRow{Index: n, Body: []byte(id)}, Once: make([]audit.OnceRow, n%3+1), Now: 100 * n,
			}
			for i := range b.Once {
				b.Once[i] = audit.OnceRow{Key: [32]byte{byte(n), byte(i)}, Ref: id, Expires: 50 * n}
			}
			if n > 2 {
				b.Drops, b.Openings = []string{fmt.Sprintf("d-%d", n-2)}, []audit.Opening{{Index: n - 2, Opening: []byte(id)}}
			}
			if _, _, err := tx.Once([32]byte{byte(n)}); err != nil {
				return err
			}
			return tx.Write(b)
		}))
		require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
			_, err := v.Head()
			require.NoError(t, err)
			for limit := 1; limit < 4; limit++ {
				rows, err := v.Rows(n-1, limit)
				require.NoError(t, err)
				require.NotEmpty(t, rows)
				_, err = v.Documents("", limit)
				require.NoError(t, err)
			}
			_, _, err = v.Document("d-1")
			require.NoError(t, err)
			_, _, err = v.Register()
			return err
		}))
		_, _, err := s.Once(t.Context(), tenant, [32]byte{byte(n)})
		require.NoError(t, err)
	}
	work(0)
	var all []*connection
	for _, p := range []*pool{s.reading, s.writing} {
		c, err := p.take(t.Context())
		require.NoError(t, err)
		c.conn = watched{c.conn, t}
		all = append(all, c)
	}
	s.reading.give(all[0])
	s.writing.give(all[1])
	before := anew(all[0]) + anew(all[1])
	for n := range int64(20) {
		work(n + 1)
	}
	require.Equal(t, before, anew(all[0])+anew(all[1]))

	// The test sees what is compiled anew: a bound LIMIT, of another value each time.
	bound, err := all[1].conn.(watched).Conn.Prepare("SELECT id FROM documents ORDER BY id LIMIT ?")
	require.NoError(t, err)
	was := all[1].head
	all[1].head = statement{bound}
	for n := range int64(3) {
		_, err := all[1].head.row(make([]driver.Value, 1), n)
		require.NoError(t, err)
	}
	require.Positive(t, anew(all[1]))
	all[1].head = was
	require.NoError(t, bound.Close())
}

// Connections are opened when they are needed, no more than there may be, and all of them
// are closed.
func TestConnectionsAreFew(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
	require.NoError(t, err)
	opened := 0
	open := s.reading.open
	s.reading.open = func() (*connection, error) { opened++; return open() }
	look := func(ctx context.Context) error {
		return s.View(ctx, tenant, func(v audit.Snapshot) error {
			_, err := v.Head()
			return err
		})
	}
	for range 10 {
		require.NoError(t, look(t.Context()))
	}
	require.LessOrEqual(t, opened, readers-1)
	var wg sync.WaitGroup
	var inside sync.WaitGroup
	inside.Add(readers)
	release := make(chan struct{})
	for range readers {
		wg.Go(func() {
			err := s.View(t.Context(), tenant, func(audit.Snapshot) error { inside.Done(); <-release; return nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	inside.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() { waiting <- look(ctx) }()
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled, "there are no more of them")
	require.NoError(t, s.Close())
	require.ErrorIs(t, look(t.Context()), audit.ErrUnavailable, "closed")
	require.ErrorIs(t, s.Update(t.Context(), tenant, func(audit.Tx) error { return nil }), audit.ErrUnavailable)
	close(release)
	wg.Wait()
	require.Equal(t, readers-1, opened)
	require.NoError(t, s.Close(), "twice")

	broken := errors.New("broken")
	p := &pool{open: func() (*connection, error) { return nil, broken }, free: make(chan *connection, 1)}
	p.free <- nil
	for range 3 {
		_, err := p.take(t.Context())
		require.ErrorIs(t, err, broken, "and it is tried again")
	}
}

// A transaction that fails, panics or cannot be committed leaves its connection as it was.
func TestAConnectionIsAsItWas(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
	require.NoError(t, err)
	defer s.Close()
	own := errors.New("own")
	write := func(after func() error) error {
		return s.Update(t.Context(), tenant, func(tx audit.Tx) error {
			head, err := tx.Head()
			if err != nil {
				return err
			}
			b := audit.Batch{Rows: []audit.Row{{Index: head.Size, ID: "i"}}, Head: audit.Head{Size: head.Size + 1, Checkpoint: "x"}}
			if err := tx.Write(b); err != nil {
				return err
			}
			return after()
		})
	}
	good := func() error { return nil }
	require.NoError(t, write(good))
	require.ErrorIs(t, write(func() error { return own }), own)
	require.Panics(t, func() { _ = write(func() error { panic("x") }) })
	c, err := s.writing.take(t.Context())
	require.NoError(t, err)
	commit := c.commit
	c.commit = c.insertEntries // which cannot do without its values
	s.writing.give(c)
	require.Error(t, write(good))
	c.commit = commit
	require.NoError(t, write(good))
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error {
		head, err := v.Head()
		require.EqualValues(t, 2, head.Size)
		return err
	}))
}
