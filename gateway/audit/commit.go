package audit

import (
	"context"
	"maps"

	"github.com/ontschot/ontschot/gateway/register"
)

// maxDecisions bounds how many recent decisions are remembered.
const maxDecisions = 8192

// commit records a group in one transaction and tells each waiter its own
// result. If the transaction fails, nothing in memory has changed and the next
// group starts from what the store holds.
func (l *Log) commit(group []*waiter) {
	var t *transaction
	err := l.cfg.Store.Update(context.Background(), l.cfg.Tenant, func(tx Tx) (err error) {
		t, err = l.transact(tx, group)
		return err
	})
	if err != nil && t != nil && l.landed(t) {
		err = nil
	}
	if err == nil {
		l.keep(t)
	} else {
		l.forget()
	}
	for i, w := range group {
		if err != nil {
			w.outcome <- outcome{err: unavailable(err)}
			continue
		}
		w.outcome <- t.outcomes[i]
	}
}

// landed answers the one question that a failed commit leaves open: whether it
// was written all the same. The checkpoint commits to every entry of the group.
func (l *Log) landed(t *transaction) bool {
	if len(t.batch.Rows) == 0 {
		return false
	}
	found := false
	err := l.cfg.Store.View(context.Background(), l.cfg.Tenant, func(s Snapshot) error {
		head, err := s.Head()
		found = head == t.batch.Head
		return err
	})
	return err == nil && found
}

// keep makes the transaction's head the log's own.
func (l *Log) keep(t *transaction) {
	l.head = t.next
	l.size.Store(t.next.N)
	if len(l.decisions)+len(t.decisions) > maxDecisions {
		clear(l.decisions)
	}
	maps.Copy(l.decisions, t.decisions)
}

// forget makes the register anew when it has taken in entries that are not in the log:
// their transaction failed. It is rare. When the log cannot be read either, the register
// is empty, nothing counts, and the next transaction makes it.
func (l *Log) forget() {
	if l.register.Load().Size() <= l.head.N {
		return
	}
	l.size.Store(0)
	fresh := register.New()
	if err := l.cfg.Store.View(context.Background(), l.cfg.Tenant, func(s Snapshot) error { return fold(s, fresh, l.head.N) }); err != nil {
		fresh = register.New()
	}
	l.register.Store(fresh)
	l.size.Store(fresh.Size())
}

// fold takes entries into a register, from where it is up to a size.
func fold(s Snapshot, into *register.Register, size int64) error {
	for into.Size() < size {
		rows, err := s.Rows(into.Size(), int(min(pageSize, size-into.Size())))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tampered(into.Size(), "n: no entry of this index")
		}
		for _, row := range rows {
			if row.Bad != "" || row.Index != into.Size() {
				return tampered(into.Size(), "n: no entry of this index")
			}
			leaf, open, err := readRow(row)
			if err == nil {
				err = checkRecord(row)
			}
			if err != nil {
				return tampered(row.Index, "%v", err)
			}
			fact, err := factOf(row.Index, &leaf, &open)
			if err != nil {
				return err
			}
			into.Apply(fact)
		}
	}
	return nil
}

// transact locks the head, takes the entries in queue order, and signs one
// checkpoint over all that are appended.
func (l *Log) transact(tx Tx, group []*waiter) (*transaction, error) {
	head, err := l.follow(tx)
	if err != nil {
		return nil, err
	}
	t := &transaction{
		log: l, tx: tx, tree: head.clone(), register: l.register.Load(),
		decisions: map[int64]string{}, outcomes: make([]outcome, len(group)),
	}
	for i, w := range group {
		if t.outcomes[i], err = t.take(w.prepared); err != nil {
			return nil, err
		}
	}
	if err := t.sign(); err != nil {
		return nil, err
	}
	if len(t.batch.Rows) == 0 && len(t.batch.Once) == 0 {
		return t, nil
	}
	return t, tx.Write(t.batch)
}
