package audit_test

import (
	"context"
	"crypto/sha256"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// operator is a dishonest one: it holds the key and writes what it likes into the
// log, so that every signature and hash is right and the story is not.
type operator struct {
	audit.Store
	instead map[int64]int64 // entries it shows in the place of others
	used    *audit.OnceRow  // what it says every key was used for
}

func (o *operator) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	return o.Store.Update(ctx, tenant, func(tx audit.Tx) error { return f(&lyingTx{tx, o}) })
}

// Write leaves out what the store has already: a store of bytes takes an id once.
func (l *lyingTx) Write(batch audit.Batch) error {
	var puts []audit.Stored
	for _, d := range batch.Puts {
		if _, known, err := l.Tx.Document(d.ID); err != nil || !known {
			puts = append(puts, d)
		}
	}
	batch.Puts = puts
	return l.Tx.Write(batch)
}

type lyingTx struct {
	audit.Tx
	by *operator
}

func (l *lyingTx) Once(key [32]byte) (audit.OnceRow, bool, error) {
	if l.by.used == nil {
		return l.Tx.Once(key)
	}
	return *l.by.used, true, nil
}

func (l *lyingTx) Rows(from int64, limit int) ([]audit.Row, error) {
	shown, lie := l.by.instead[from]
	if !lie {
		return l.Tx.Rows(from, limit)
	}
	rows, err := l.Tx.Rows(shown, limit)
	rows[0].Index = from
	return rows, err
}

func TestADishonestOperatorIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		what string
		act  func(b *bench, l *audit.Log) error
	}{
		"releases after the withdrawal": {"rests on a document that has ended", func(b *bench, l *audit.Log) error {
			_, err := l.Append(t.Context(), release(trace0, 1, sha256.Sum256(nil), "c-1"))
			return err
		}},
		"releases what another took the place of": {"rests on a document that has ended", func(b *bench, l *audit.Log) error {
			_, err := l.Append(t.Context(), release(trace0, 1, sha256.Sum256(nil), "c-0"))
			return err
		}},
		"goes back to an earlier day": {"day lies before", func(b *bench, l *audit.Log) error {
			e := decision(b.trace())
			e.Day = civil.MustParse("2020-01-01")
			_, err := l.Append(t.Context(), e)
			return err
		}},
		"ends what has ended": {"ends a document that is not live", func(b *bench, l *audit.Log) error {
			_, err := l.Append(t.Context(), withdrawal("c-1"))
			return err
		}},
		"puts a document a second time": {"puts a document for the second time", func(b *bench, l *audit.Log) error {
			again := consent("c-1")
			again.Put.Case = "case-c-0"
			_, err := l.Append(t.Context(), again)
			return err
		}},
		"releases without a decision": {"a release without its decision", func(b *bench, l *audit.Log) error {
			_, err := l.Append(t.Context(), release(trace0, 2, sha256.Sum256(nil)))
			return err
		}},
		"repeats what was no decision": {"retry_of is no first decision", func(b *bench, l *audit.Log) error {
			e := decision(b.trace())
			e.Once = once("key", "body")
			_, err := l.Append(t.Context(), e)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			zero, one, withdrawn := consent("c-0"), consent("c-1"), withdrawal("c-1")
			one.Put.Case, one.Put.Replaces = zero.Put.Case, "c-0"
			b.append(zero)
			b.append(decision(trace0))
			b.append(one)
			b.append(withdrawn)
			l, err := audit.Open(t.Context(), b.config(&operator{
				Store: b.store, instead: map[int64]int64{2: 1},
				used: &audit.OnceRow{Body: once("key", "body").Body, Entry: 2, Expires: math.MaxInt64},
			}))
			require.NoError(t, err)
			defer l.Close()
			c0, c1 := zero.Put.Document, one.Put.Document
			lie := []register.Entry{{Index: 0, Put: &c0}}
			switch name {
			case "releases after the withdrawal":
				lie = append(lie, register.Entry{Index: 2, Put: &c1})
			case "ends what has ended":
				lie = append(lie, register.Entry{Index: 2, Put: &c1})
			}
			audit.Pretend(l, lie...)
			require.NoError(t, c.act(b, l))
			var found *audit.TamperError
			_, err = b.verify()
			require.ErrorAs(t, err, &found)
			require.EqualValues(t, 4, found.Index)
			require.Contains(t, found.What, c.what)
		})
	}
}

const trace0 = "0000000000000000000000000000abcd"

// A release is checked against what was said when its request was decided: what was taken
// out of a consent since then was taken out of that request too.
func TestTheAuditorJudgesAReleaseByItsDecision(t *testing.T) {
	b := newBench(t)
	wide, narrow := consent("c-0"), consent("c-2")
	wide.Put.Grants[0].Categories = []string{"amount", "entitlement"}
	narrow.Put.Case, narrow.Put.Replaces, narrow.Put.Narrows = wide.Put.Case, "c-0", true
	b.append(wide)
	b.append(decision(trace0))
	b.append(narrow)
	_, err := b.log.Append(t.Context(), release(trace0, 1, sha256.Sum256(nil), "c-2"))
	require.ErrorIs(t, err, audit.ErrEnded)
	l, err := audit.Open(t.Context(), b.config(b.store))
	require.NoError(t, err)
	defer l.Close()
	before, after := wide.Put.Document, narrow.Put.Document
	audit.Pretend(l, register.Entry{Index: 0, Put: &before}, register.Entry{Index: 1, Put: &after})
	_, err = l.Append(t.Context(), release(trace0, 1, sha256.Sum256(nil), "c-2"))
	require.NoError(t, err)
	var found *audit.TamperError
	_, err = b.verify()
	require.ErrorAs(t, err, &found)
	require.EqualValues(t, 3, found.Index)
	require.Contains(t, found.What, "rests on a document that has ended")
}
