package audit_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// unread is a store in which one entry cannot be read, while it is broken.
type unread struct {
	audit.Store
	index  int64
	broken bool
}

func (u *unread) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	return u.Store.Update(ctx, tenant, func(tx audit.Tx) error { return f(&unreadTx{tx, u}) })
}

type unreadTx struct {
	audit.Tx
	u *unread
}

func (t *unreadTx) Rows(from int64, limit int) ([]audit.Row, error) {
	if t.u.broken && from <= t.u.index && t.u.index < from+int64(limit) {
		return nil, errDisk
	}
	return t.Tx.Rows(from, limit)
}

// When the entry of the first request cannot be read, that is what is said: the caller
// asks again later, under the same key, and has not reused it.
func TestAFirstEntryThatCannotBeReadIsNoReusedKey(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	u := &unread{Store: b.store, index: 1}
	l, err := audit.Open(t.Context(), b.config(u))
	require.NoError(t, err)
	defer l.Close()
	ask := func(kind audit.Kind) (audit.Proof, error) {
		e := decision(b.trace())
		e.Kind, e.Once = kind, once("k", "q")
		return l.Append(t.Context(), e)
	}
	first, err := ask(audit.Decision)
	require.NoError(t, err)
	require.Equal(t, u.index, first.Index)
	_, err = l.Append(t.Context(), decision(b.trace())) // so that the head is another entry
	require.NoError(t, err)
	u.broken = true
	_, err = ask(audit.Decision)
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.ErrorIs(t, err, errDisk)
	require.NotErrorIs(t, err, audit.ErrKeyReused)
	u.broken = false
	retry, err := ask(audit.Decision)
	require.NoError(t, err)
	require.Equal(t, first.Index, retryOf(t, retry))
	_, err = b.verify()
	require.NoError(t, err)
}
