package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// Update is audit.Store's. BEGIN IMMEDIATE takes SQLite's one write lock, so that
// every tenant's head is locked with it. The context is not listened to once the
// transaction has begun; waiting for the lock is bounded by the busy timeout.
func (s *Store) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	if s.readOnly {
		return fmt.Errorf("%w: it was opened for inspection", audit.ErrUnavailable)
	}
	c, err := s.writing.take(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer s.writing.give(c)
	t := &transaction{snapshot: snapshot{context.Background(), c, string(tenant)}, size: -1}
	if err := c.within(c.beginWriting, func() error { return f(t) }); err != nil {
		return err
	}
	if t.erased {
		s.owed.Store(true)
	}
	if s.owed.Load() {
		s.truncate(context.WithoutCancel(ctx))
	}
	return nil
}

// truncate takes away the write-ahead log: what was erased is in it too. While somebody
// reads it cannot be taken away, and every commit tries again, and so does a start.
func (s *Store) truncate(ctx context.Context) {
	c, err := s.writer.Conn(ctx)
	if err != nil {
		return
	}
	defer c.Close()
	var busy, frames, moved int
	_, _ = c.ExecContext(ctx, "PRAGMA busy_timeout = 0") // nobody waits for a reader
	err = c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	_, _ = c.ExecContext(ctx, "PRAGMA busy_timeout = "+busyMillis)
	if err == nil && busy == 0 {
		s.owed.Store(false)
	}
}

// View is audit.Store's: a WAL snapshot, from its first statement on.
func (s *Store) View(ctx context.Context, tenant identity.OIN, f func(audit.Snapshot) error) error {
	c, err := s.reading.take(ctx)
	if err != nil {
		return err
	}
	defer s.reading.give(c)
	return c.within(c.begin, func() error { return f(&snapshot{ctx, c, string(tenant)}) })
}

// transaction is an audit.Tx.
type transaction struct {
	snapshot
	size   int64 // of the log, when the head was read; else -1
	erased bool
}

// Head is audit.Snapshot's.
func (t *transaction) Head() (audit.Head, error) {
	head, err := t.snapshot.Head()
	if err == nil {
		t.size = head.Size
	}
	return head, err
}

// Write is audit.Tx's.
func (t *transaction) Write(b audit.Batch) error {
	if err := t.insert(b.Rows); err != nil {
		return err
	}
	for _, d := range b.Puts {
		if err := t.put(d); err != nil {
			return err
		}
	}
	if err := t.register(b.Register); err != nil {
		return err
	}
	if err := t.erase(b); err != nil {
		return err
	}
	if err := t.keep(b.Once, b.Now); err != nil {
		return err
	}
	return t.exec(t.use.setHead, t.tenant, b.Head.Size, b.Head.Checkpoint)
}

func (t *transaction) insert(rows []audit.Row) error {
	if len(rows) == 0 {
		return nil
	}
	if t.size < 0 {
		if _, err := t.Head(); err != nil {
			return err
		}
	}
	if rows[0].Index != t.size {
		return fmt.Errorf("%w: entries that do not follow on the last one", audit.ErrUnavailable)
	}
	t.size += int64(len(rows))
	return t.exec(t.use.insertEntries, t.tenant, rows[0].Index, Pack(rows))
}

// register puts a snapshot in the place of all others, or only takes those away.
func (t *transaction) register(r *audit.SnapshotRow) error {
	if r == nil {
		return nil
	}
	if err := t.exec(t.use.dropSnapshots, t.tenant); err != nil || len(r.Body) == 0 {
		return err
	}
	return t.exec(t.use.insertSnapshot, t.tenant, r.Index, r.Body)
}

// erase deletes documents, and replaces openings. The file is overwritten with zeros where
// they were (secure_delete).
func (t *transaction) erase(b audit.Batch) error {
	for _, id := range b.Drops {
		for _, statement := range []statement{t.use.dropDocument, t.use.dropOnce} {
			if err := t.exec(statement, t.tenant, id); err != nil {
				return err
			}
		}
	}
	list := slices.SortedFunc(slices.Values(b.Openings), func(a, b audit.Opening) int { return cmp.Compare(a.Index, b.Index) })
	for len(list) > 0 {
		done, err := t.replace(list)
		if err != nil {
			return err
		}
		list = list[done:]
	}
	t.erased = t.erased || len(b.Drops)+len(b.Openings) > 0
	return nil
}

// replace puts openings in the one row in which the first of them is, and says how many.
func (t *transaction) replace(list []audit.Opening) (done int, err error) {
	var values [2]driver.Value
	known, err := t.use.row.row(values[:], t.tenant, list[0].Index)
	if err != nil {
		return 0, failed("erasing", err)
	}
	first, packed := number(values[0]), raw(values[1])
	if !known || first < 0 || packed == nil {
		return 0, fmt.Errorf("erasing: %w", ErrDamaged)
	}
	rows := Unpack(first, packed)
	for _, o := range list {
		at := o.Index - first
		if at >= int64(len(rows)) {
			break
		}
		if rows[at].Bad != "" {
			return 0, fmt.Errorf("erasing: %w", ErrDamaged)
		}
		rows[at].Opening = o.Opening
		done++
	}
	if done == 0 {
		return 0, fmt.Errorf("erasing: %w", ErrDamaged)
	}
	return done, t.exec(t.use.setEntries, Pack(rows), t.tenant, first)
}

func (t *transaction) put(d audit.Stored) error {
	return t.exec(t.use.insertDocument, t.tenant, d.ID, blob(d.Body), blob(d.Openings))
}

func (t *transaction) exec(s statement, args ...driver.Value) error {
	return failed("writing", s.exec(args...))
}

// blob keeps an absent value from being stored as NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Head is audit.Snapshot's.
func (s *snapshot) Head() (audit.Head, error) {
	var values [2]driver.Value
	known, err := s.row(s.use.head, "reading the head", values[:], s.tenant)
	if err != nil || !known {
		return audit.Head{}, err
	}
	return audit.Head{Size: number(values[0]), Checkpoint: text(values[1])}, nil
}
