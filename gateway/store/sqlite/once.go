package sqlite

import (
	"context"
	"database/sql/driver"

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
	c, err := s.reading.take(ctx)
	if err != nil {
		return audit.OnceRow{}, false, err
	}
	defer s.reading.give(c)
	return (&transaction{snapshot: snapshot{ctx, c, string(tenant)}}).Once(key)
}

// Once is audit.Tx's. A body of another size reads as zeros, which no request has.
func (t *transaction) Once(key [32]byte) (audit.OnceRow, bool, error) {
	var values [4]driver.Value
	known, err := t.row(t.use.once, "reading a key", values[:], t.tenant, key[:])
	if err != nil || !known {
		return audit.OnceRow{}, false, err
	}
	r := audit.OnceRow{Key: key, Ref: text(values[1]), Entry: number(values[2]), Expires: number(values[3])}
	if b := raw(values[0]); len(b) == len(r.Body) {
		r.Body = [32]byte(b)
	}
	return r, true, nil
}

// keep writes new keys, and makes room for them.
func (t *transaction) keep(list []audit.OnceRow, now int64) error {
	if len(list) == 0 {
		return nil
	}
	if err := t.exec(t.use.expire, t.tenant, t.tenant, now, int64(expiredPerKey*len(list))); err != nil {
		return err
	}
	for _, r := range list {
		if err := t.exec(t.use.setOnce, t.tenant, r.Key[:], r.Body[:], r.Ref, r.Entry, r.Expires); err != nil {
			return err
		}
	}
	return nil
}
