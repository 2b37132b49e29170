package audit

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
)

// open reads and checks a head that this process has not seen before.
func (l *Log) open(s Snapshot) (*tree, error) {
	head, err := s.Head()
	if err != nil {
		return nil, err
	}
	return readHead(s, head, l.cfg.Origin, l.cfg.keys())
}

// readHead checks the signature on a head, that the entries end where it says,
// and that their hashes give its root.
func readHead(s Snapshot, head Head, origin string, keys Keys) (*tree, error) {
	signed, err := signedHead(head, origin, keys)
	if err != nil {
		return nil, err
	}
	beyond, err := s.Rows(signed.N, 1)
	if err != nil {
		return nil, err
	}
	if len(beyond) > 0 {
		return nil, tampered(signed.N, "n: beyond the signed head")
	}
	if err := checkLast(s, signed.N-1); err != nil {
		return nil, err
	}
	return readTree(signed, head.Checkpoint, rowHashes{s})
}

// signedHead gives the tree that a stored head signs. An empty log has no head.
func signedHead(head Head, origin string, keys Keys) (position, error) {
	if head == (Head{}) {
		root, err := tlog.TreeHash(0, nil)
		return position{tlog.Tree{Hash: root}, firstEpoch}, err
	}
	signed, err := openCheckpoint(head.Checkpoint, origin, keys)
	if err != nil {
		return position{}, headTampered("checkpoint: " + err.Error())
	}
	if signed.N != head.Size || signed.N == 0 {
		return position{}, headTampered("size: not that of the signed checkpoint")
	}
	return signed, nil
}

// checkLast checks the last entry against the hash stored with it.
func checkLast(s Snapshot, index int64) error {
	if index < 0 {
		return nil
	}
	row, err := rowAt(s, index)
	if err != nil {
		return err
	}
	if err := checkRecord(row); err != nil {
		return tampered(index, "%v", err)
	}
	return nil
}

// follow gives the head that the transaction has locked. Usually it is the one
// this process wrote last. If another process has appended since, it must be a
// head of ours, over a tree that begins with the one we know: a store that was
// put back to an earlier day would otherwise fork the log.
func (l *Log) follow(tx Tx) (*tree, error) {
	head, err := tx.Head()
	if err != nil {
		return nil, err
	}
	if head.Size == l.head.N && head.Checkpoint == l.head.checkpoint {
		return l.head, l.catchUp(tx, l.head.Tree)
	}
	next, err := readHead(tx, head, l.cfg.Origin, l.cfg.keys())
	if err != nil {
		return nil, err
	}
	if next.N < l.head.N || next.epoch < l.head.epoch {
		return nil, headTampered("size: the log was put back to an earlier state")
	}
	before, err := tlog.TreeHash(l.head.N, rowHashes{tx})
	if err != nil {
		return nil, err
	}
	if before != l.head.Hash {
		return nil, headTampered("checkpoint: the log was rewritten")
	}
	return next, l.catchUp(tx, next.Tree)
}

// catchUp makes the register that of a head, from where it is: at the head this process
// wrote last, or at the beginning when it had to be made anew. When the entries are not
// those of the head, nothing of them is believed.
func (l *Log) catchUp(tx Tx, to tlog.Tree) error {
	from := l.head
	if l.register.Load().Size() == 0 {
		from = nothing()
	}
	err := fold(tx, l.register.Load(), from, to)
	if errors.Is(err, errErased) {
		fresh := register.New()
		if err = fold(tx, fresh, nothing(), to); err == nil {
			l.register.Store(fresh)
		}
	}
	if err != nil {
		l.size.Store(0)
		l.register.Store(register.New())
	}
	return err
}
