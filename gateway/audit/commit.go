package audit

import (
	"context"
	"maps"
	"slices"
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
	if len(l.decisions)+len(t.decisions) > maxDecisions {
		clear(l.decisions)
	}
	maps.Copy(l.decisions, t.decisions)
}

// transact locks the head, takes the entries in queue order, and signs one
// checkpoint over all that are appended.
func (l *Log) transact(tx Tx, group []*waiter) (*transaction, error) {
	head, err := l.follow(tx)
	if err != nil {
		return nil, err
	}
	documents, err := tx.Lookup(idsOf(group))
	if err != nil {
		return nil, err
	}
	t := &transaction{
		log: l, tx: tx, tree: head.clone(), documents: documents,
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

// idsOf lists every document that the group speaks of, each once.
func idsOf(group []*waiter) []string {
	var ids []string
	for _, w := range group {
		ids = append(ids, w.rests...)
		if w.put != nil {
			ids = append(ids, w.put.ID)
		}
		if w.end != "" {
			ids = append(ids, w.end)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
