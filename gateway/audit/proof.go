package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Proof shows that an entry is in the log, so that somebody else can check it.
type Proof struct {
	// Index of the entry, from zero.
	Index int64
	// Again means that nothing was appended, as this was done before: Index is the
	// entry that did it. If an idempotency key showed so, Ref is the Once.Ref of the
	// first request with the key. A decision or deny is never answered that way: its retry
	// has an entry and an index of its own.
	Again bool
	Ref   string
	// Decided is the index of the decision that a release carries out; -1 for all
	// other kinds. When a request was made again that is the retry's own decision,
	// whose leaf names the first one in retry_of.
	Decided int64
	// Leaf is the entry's record: RFC 8785 JSON, see ParseLeaf.
	Leaf []byte
	// PayloadSalt opens the leaf's commitment to the payload; nil without payload.
	PayloadSalt []byte
	// Hashes are the inclusion proof, from leaf to root, 32 bytes each.
	Hashes [][]byte
	// Checkpoint is the signed head (C2SP tlog-checkpoint) whose tree holds it.
	Checkpoint string
	// Origin of the log, in the epoch of the checkpoint.
	Origin string
}

// Receipt gives the proof of a release as the message that goes with a budget.
func (p Proof) Receipt() *budgetv1.Receipt {
	return &budgetv1.Receipt{
		Origin: p.Origin, Index: p.Index, DecisionIndex: p.Decided, Leaf: p.Leaf,
		Salt: p.PayloadSalt, Proof: p.Hashes, Checkpoint: p.Checkpoint,
	}
}

// answer makes the proof of what the writer did, in the waiter's own goroutine.
func (l *Log) answer(ctx context.Context, w *waiter, o outcome) (Proof, error) {
	if o.err != nil {
		return Proof{}, o.err
	}
	if o.tree == nil {
		p, err := l.Prove(ctx, o.index)
		p.Again, p.Ref = err == nil && o.again, o.ref
		return p, err
	}
	hashes, err := tlog.ProveRecord(o.tree.N, o.index, o.tree)
	if err != nil {
		return Proof{}, fmt.Errorf("proving entry %d: %w", o.index, err)
	}
	return Proof{
		Index: o.index, Decided: w.decided, Leaf: o.leaf, PayloadSalt: w.salt,
		Hashes: bytesOf(hashes), Checkpoint: o.tree.checkpoint, Origin: originOf(l.cfg.Origin, o.tree.epoch),
	}, nil
}

// Prove gives the proof of an entry that is in the log already, against the
// newest checkpoint. Errors: ErrInvalid if there is no such entry, ErrTampered,
// ErrUnavailable, ErrDamaged.
func (l *Log) Prove(ctx context.Context, index int64) (Proof, error) {
	var p Proof
	err := l.cfg.Store.View(ctx, l.cfg.Tenant, func(s Snapshot) (err error) {
		p, err = l.prove(s, index)
		return err
	})
	if err != nil {
		return Proof{}, fmt.Errorf("proving entry %d: %w", index, err)
	}
	return p, nil
}

func (l *Log) prove(s Snapshot, index int64) (Proof, error) {
	head, err := s.Head()
	if err != nil {
		return Proof{}, err
	}
	signed, err := signedHead(head, l.cfg.Origin, l.cfg.keys())
	if err != nil {
		return Proof{}, err
	}
	if index < 0 || index >= signed.N {
		return Proof{}, invalid("no entry has this index")
	}
	row, err := rowAt(s, index)
	if err != nil {
		return Proof{}, err
	}
	leaf, opening, err := readRow(row)
	if err != nil {
		return Proof{}, tampered(index, "%v", err)
	}
	hashes, err := tlog.ProveRecord(signed.N, index, rowHashes{s})
	if err != nil {
		return Proof{}, err
	}
	if tlog.CheckRecord(hashes, signed.N, signed.Hash, index, tlog.RecordHash(row.Leaf)) != nil {
		return Proof{}, tampered(index, "leaf: not in the tree of the signed head")
	}
	return Proof{
		Index: index, Decided: leaf.Decided, Leaf: row.Leaf, PayloadSalt: opening.payloadSalt(),
		Hashes: bytesOf(hashes), Checkpoint: head.Checkpoint, Origin: originOf(l.cfg.Origin, signed.epoch),
	}, nil
}

func bytesOf(hashes []tlog.Hash) [][]byte {
	list := make([][]byte, len(hashes))
	for i, h := range hashes {
		list[i] = h[:]
	}
	return list
}

// Payload gives what an entry is about, of one that is in the tree of the signed head; nil when
// there is none, or it was erased. Errors: those of Prove.
func (l *Log) Payload(ctx context.Context, index int64) (payload []byte, err error) {
	err = l.cfg.Store.View(ctx, l.cfg.Tenant, func(s Snapshot) error {
		if _, err := l.prove(s, index); err != nil {
			return err
		}
		row, err := rowAt(s, index)
		if err != nil {
			return err
		}
		_, open, err := readRow(row) // prove has read it well
		payload, _ = single(open.Payload)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading entry %d: %w", index, err)
	}
	return payload, nil
}
