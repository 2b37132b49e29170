package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/ontschot/ontschot/gateway/register"
)

// How often the register is written down: after so many entries, or, when it is larger,
// after half as many as it has documents. One that is too large is not written down.
const (
	snapshotEvery = 1 << 15
	maxSnapshot   = 1 << 29
)

// SnapshotRow is the register as it was after Index entries, as register.Encode writes it.
// The entry of that index commits to it.
type SnapshotRow struct {
	Index int64
	Body  []byte
}

// snapshot writes the register down when that is due, so that a start need not read all
// entries. That it cannot be written harms nobody: then more is read.
func (l *Log) snapshot() {
	r := l.register.Load()
	if r.Size() != l.head.N || l.head.N-l.snapped < max(l.cfg.SnapshotEvery, r.Documents()/2) {
		return
	}
	l.snapped = l.head.N // also when it fails: the next one is tried later
	body := r.Encode()
	if len(body) > maxSnapshot {
		return
	}
	p, err := prepare(Entry{Kind: Snapshotted, snapshot: &SnapshotRow{Index: l.head.N, Body: body}}, l.cfg.Tenant, l.cfg.Now(), r.Day())
	if err == nil {
		l.commit([]*waiter{{prepared: p, outcome: make(chan outcome, 1)}})
	}
}

var errSnapshot = errors.New("the snapshot is not the one in the log")

// load makes the register of a signed head: from the snapshot and the entries after it, or
// else from all entries. It says at which size the snapshot is of.
func load(s Snapshot, head *tree) (r *register.Register, of int64, err error) {
	if r, of, err = fromSnapshot(s, head); err == nil {
		return r, of, nil
	}
	r = register.New()
	return r, 0, fold(s, r, nothing(), head.Tree)
}

// fromSnapshot believes a snapshot when the entries from its place on give the signed head,
// and the first of them commits to it.
func fromSnapshot(s Snapshot, head *tree) (*register.Register, int64, error) {
	row, known, err := s.Register()
	if err != nil || !known || row.Index <= 0 || row.Index >= head.N {
		return nil, 0, errors.Join(errSnapshot, err)
	}
	from, err := frontier(s, row.Index)
	if err != nil {
		return nil, 0, err
	}
	entry, err := rowAt(s, row.Index)
	if err != nil {
		return nil, 0, err
	}
	leaf, err := ParseLeaf(entry.Leaf)
	if err != nil || leaf.Snapshot != digestOf(row.Body) {
		return nil, 0, errSnapshot
	}
	r, err := register.Decode(row.Body)
	if err != nil || r.Size() != row.Index {
		return nil, 0, errors.Join(errSnapshot, err)
	}
	return r, row.Index, fold(s, r, from, head.Tree)
}

// frontier is the tree of the first entries, as their rows have it. Whether it is the
// tree of those entries shows when a signed root follows from it.
func frontier(s Snapshot, size int64) (*tree, error) {
	root, err := treeHash(s, size)
	if err != nil {
		return nil, err
	}
	at := nothing().position
	at.N, at.Hash = size, root
	return readTree(at, "", rowHashes{s})
}

func digestOf(b []byte) string {
	return hexOf(sha256.Sum256(b))
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

// kept reads which snapshot is in the store, before anything else is in memory: it is large.
func (w *walk) kept() error {
	row, known, err := w.snapshot.Register()
	if err != nil || !known {
		return err
	}
	w.stored = &storedSnapshot{row.Index, digestOf(row.Body)}
	return nil
}

// storedSnapshot is the snapshot in the store, by its digest.
type storedSnapshot struct {
	index  int64
	digest string
}

// snapshotted compares what an entry says of the register with the register itself. After
// an erasure those before it cannot be made again.
func (w *walk) snapshotted(index int64, leaf *Leaf) {
	switch {
	case leaf.Kind == Erasure:
		w.odd = 0
	case leaf.Kind == Snapshotted && w.odd == 0 && hexOf(w.register.Sum()) != leaf.Snapshot:
		w.odd = index
	}
	if leaf.Kind == Snapshotted {
		w.snapshots[index] = leaf.Snapshot
	}
}

// snapshotsFit compares the snapshot in the store with what the log says of it.
func (w *walk) snapshotsFit() error {
	if w.odd > 0 {
		return tampered(w.odd, "leaf: the snapshot is not of the register at its place")
	}
	if s := w.stored; s != nil && w.snapshots[s.index] != s.digest {
		return tampered(max(0, s.index), "snapshots: not as in the log")
	}
	return nil
}
