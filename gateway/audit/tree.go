package audit

import (
	"errors"
	"maps"

	"golang.org/x/mod/sumdb/tlog"
)

var errHash = errors.New("a hash of the tree is missing")

// tree is the head of the log with the hashes needed to make it grow: those of
// the complete subtrees it is made of (its frontier), and of everything added
// since. With these alone, every record added since can be proven: what is to
// the left of it is part of the frontier, and the rest is new. Once it is handed
// out it is only read.
type tree struct {
	position
	checkpoint string
	hashes     map[int64]tlog.Hash
}

// ReadHashes makes the tree a tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		h, ok := t.hashes[at]
		if !ok {
			return nil, errHash
		}
		list[i] = h
	}
	return list, nil
}

// clone gives a copy that may grow.
func (t *tree) clone() *tree {
	return &tree{position: t.position, checkpoint: t.checkpoint, hashes: maps.Clone(t.hashes)}
}

// add appends a record and gives the hashes to store with it, 32 bytes each. The
// root is not computed until seal.
func (t *tree) add(record tlog.Hash) ([]byte, error) {
	return t.appendHashes(nil, record)
}

// appendHashes is add, behind bytes that are there. It does what
// tlog.StoredHashesForRecordHash does, which allocates for every record.
func (t *tree) appendHashes(b []byte, hash tlog.Hash) ([]byte, error) {
	from := len(b)
	b = append(b, hash[:]...)
	for level, n := 0, t.N; n%2 == 1; level, n = level+1, n>>1 { // it completes a subtree
		left, ok := t.hashes[tlog.StoredHashIndex(level, n-1)]
		if !ok {
			return nil, errHash
		}
		hash = tlog.NodeHash(left, hash)
		b = append(b, hash[:]...)
	}
	at := tlog.StoredHashIndex(0, t.N)
	for i := from; i < len(b); i += tlog.HashSize {
		t.hashes[at] = tlog.Hash(b[i : i+tlog.HashSize])
		at++
	}
	t.N++
	return b, nil
}

// seal computes the root of what was added.
func (t *tree) seal() (err error) {
	t.Hash, err = tlog.TreeHash(t.N, t)
	return err
}

// trimmed gives the same head with no more than its frontier.
func (t *tree) trimmed() (*tree, error) {
	return readTree(t.position, t.checkpoint, t)
}

// readTree reads the frontier of a head and checks that it gives the head's root.
// tlog.TreeHash asks for exactly the frontier, in one call.
func readTree(head position, checkpoint string, from tlog.HashReader) (*tree, error) {
	t := &tree{position: head, checkpoint: checkpoint, hashes: map[int64]tlog.Hash{}}
	root, err := tlog.TreeHash(head.N, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes, err := from.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		for i, at := range indexes {
			t.hashes[at] = hashes[i]
		}
		return hashes, nil
	}))
	if err != nil {
		return nil, err
	}
	if root != head.Hash {
		return nil, headTampered("checkpoint: its root is not that of the entries")
	}
	return t, nil
}

// rowHashes reads the tree's hashes out of the rows that added them.
type rowHashes struct{ snapshot Snapshot }

// ReadHashes makes the rows a tlog.HashReader.
func (r rowHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		level, n := tlog.SplitStoredHashIndex(at)
		index := (n+1)<<level - 1 // the record that completes this subtree
		row, err := rowAt(r.snapshot, index)
		if err != nil {
			return nil, err
		}
		from := level * tlog.HashSize
		if len(row.Hashes) < from+tlog.HashSize {
			return nil, tampered(index, "hashes: too short")
		}
		copy(list[i][:], row.Hashes[from:])
	}
	return list, nil
}

// rowAt reads the one row of an index that must be there.
func rowAt(s Snapshot, index int64) (Row, error) {
	rows, err := s.Rows(index, 1)
	if err != nil {
		return Row{}, err
	}
	if len(rows) == 0 || rows[0].Bad == "" && rows[0].Index != index {
		return Row{}, tampered(index, "n: no entry of this index")
	}
	if rows[0].Bad != "" {
		return Row{}, tampered(index, "%s: not of the column's type", rows[0].Bad)
	}
	return rows[0], nil
}

// trim is sealed in place, for who hands nothing out.
func (t *tree) trim() error {
	next, err := t.sealed()
	if err != nil {
		return err
	}
	clear(t.hashes)
	maps.Copy(t.hashes, next.hashes)
	return nil
}

// sealed gives the head of what was added so far, with no more than its frontier.
func (t *tree) sealed() (*tree, error) {
	if err := t.seal(); err != nil {
		return nil, err
	}
	return t.trimmed()
}

// treeHash is the root of the tree of the first entries, as their rows have it.
func treeHash(s Snapshot, size int64) (tlog.Hash, error) { return tlog.TreeHash(size, rowHashes{s}) }
