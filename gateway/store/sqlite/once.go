package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// expiredPerKey is how many expired keys each new one takes away at most, so that
// the table shrinks to what still counts without one long deletion.
const expiredPerKey = 4

// Once gives what is stored under an idempotency key, expired or not; false if
// nothing is. It lets a caller refuse early: what decides is the transaction that
// appends the entry.
func (s *Store) Once(ctx context.Context, tenant identity.OIN, key [32]byte) (audit.OnceRow, bool, error) {
	return onceRow(key, s.reading.once.QueryRowContext(ctx, string(tenant), key[:]))
}

// Once is audit.Tx's.
func (t *transaction) Once(key [32]byte) (audit.OnceRow, bool, error) {
	return onceRow(key, t.tx.StmtContext(t.ctx, t.use.once).QueryRowContext(t.ctx, t.tenant, key[:]))
}

// onceRow reads a row. A body of another size reads as zeros, which no request has.
func onceRow(key [32]byte, row *sql.Row) (audit.OnceRow, bool, error) {
	var body, ref, entry, expires any
	err := row.Scan(&body, &ref, &entry, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return audit.OnceRow{}, false, nil
	}
	if err != nil {
		return audit.OnceRow{}, false, failed("reading a key", err)
	}
	r := audit.OnceRow{Key: key, Ref: text(ref), Entry: number(entry), Expires: number(expires)}
	if b := raw(body); len(b) == len(r.Body) {
		r.Body = [32]byte(b)
	}
	return r, true, nil
}

// keep writes new keys, and makes room for them.
func (t *transaction) keep(list []audit.OnceRow, now int64) error {
	if len(list) == 0 {
		return nil
	}
	if err := t.exec(t.use.expire, t.tenant, t.tenant, now, expiredPerKey*len(list)); err != nil {
		return err
	}
	for _, r := range list {
		if err := t.exec(t.use.setOnce, t.tenant, r.Key[:], r.Body[:], r.Ref, r.Entry, r.Expires); err != nil {
			return err
		}
	}
	return nil
}
