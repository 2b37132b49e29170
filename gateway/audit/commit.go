package audit

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
)

// maxDecisions bounds how many recent decisions are remembered.
const maxDecisions = 8192

// commit records a group in one transaction and gives each waiter its own
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
	kept := err
	if err == nil {
		kept = l.keepOutside(slices.ContainsFunc(group, func(w *waiter) bool { return w.kind.takesAway() }))
	}
	for i, w := range group {
		if err != nil || kept != nil && (w.kind.takesAway() || w.kind == Release) {
			w.outcome <- outcome{err: unavailable(errors.Join(err, kept))}
			continue
		}
		w.outcome <- t.outcomes[i]
	}
}

// landed answers what a failed commit leaves open: whether it
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
	l.epoch.Store(t.next.epoch)
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
	err := l.cfg.Store.View(context.Background(), l.cfg.Tenant, func(s Snapshot) (err error) {
		fresh, _, err = load(s, l.head)
		return err
	})
	if err != nil {
		fresh = register.New()
	}
	l.register.Store(fresh)
	l.size.Store(fresh.Size())
}

// fold takes entries into a register, from where it is up to a signed head. They are
// hashed on the way, from a tree of as many entries as the register is made of: a row
// that was put in the place of another would otherwise be believed.
func fold(s Snapshot, into *register.Register, from *tree, head tlog.Tree) error {
	if into.Size() == head.N {
		return nil
	}
	if into.Size() != from.N {
		return headTampered("size: the register is of another size than the tree")
	}
	grown, missing, begun := from.clone(), ledger{}, into.Size()
	for into.Size() < head.N {
		rows, err := s.Rows(into.Size(), int(min(pageSize, head.N-into.Size())))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return tampered(into.Size(), "n: no entry of this index")
		}
		for _, row := range rows {
			fact, err := readFact(s, row, into.Size(), missing)
			if err != nil {
				return err
			}
			if _, err := grown.add(tlog.RecordHash(row.Leaf)); err != nil {
				return err
			}
			if begun > 0 && isErasure(row.Leaf) {
				return errErased
			}
			into.Apply(fact)
		}
		if grown, err = grown.sealed(); err != nil {
			return err
		}
	}
	if grown.Hash != head.Hash {
		return headTampered("checkpoint: its root is not that of the entries")
	}
	return missing.settled()
}

// errErased means that another process erased somebody whom this register knows. Of whom
// cannot be read any more: it has to be made anew.
var errErased = errors.New("the register is of before an erasure")

func isErasure(leaf []byte) bool { return bytes.Contains(leaf, []byte(`"kind":"erasure"`)) }

// readFact reads what the register takes from the row of an index.
func readFact(s Snapshot, row Row, index int64, missing ledger) (register.Entry, error) {
	if row.Bad != "" || row.Index != index {
		return register.Entry{}, tampered(index, "n: no entry of this index")
	}
	if day, ok := plain(row.Leaf); ok {
		return register.Entry{Index: index, Day: day}, nil
	}
	leaf, open, err := readRow(row)
	if err == nil {
		err = checkRecord(row)
	}
	if err != nil {
		return register.Entry{}, tampered(index, "%v", err)
	}
	if err := missing.entry(s, index, &leaf, &open); err != nil {
		return register.Entry{}, err
	}
	return factOf(index, &leaf, &open)
}

// plain gives the day of a leaf that changes nothing else in the register: a request or what
// was done with it, which puts and ends no document, as most are. It is not read any
// further; that it is the leaf that was signed follows from the root. The form of a leaf
// has each of these texts once, and in no value.
func plain(leaf []byte) (civil.Date, bool) {
	_, kind, ok := bytes.Cut(leaf, []byte(`"kind":"`))
	kind, _, closed := bytes.Cut(kind, []byte(`"`))
	if traced, known := Kind(kind).known(); !ok || !closed || !known || !traced {
		return 0, false
	}
	if !bytes.Contains(leaf, []byte(`"put":""`)) || !bytes.Contains(leaf, []byte(`"end":""`)) {
		return 0, false
	}
	_, after, ok := bytes.Cut(leaf, []byte(`"day":"`))
	if !ok || len(after) < len("2006-01-02") {
		return 0, false
	}
	day, err := civil.Parse(string(after[:len("2006-01-02")]))
	return day, err == nil
}

// nothing is the tree of no entries.
func nothing() *tree {
	return &tree{position: position{epoch: firstEpoch}, hashes: map[int64]tlog.Hash{}}
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
