package audit

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/gateway/register"
)

// walk is one pass over a log, from its first entry to its signed head.
type walk struct {
	snapshot  Snapshot
	signed    position
	by        Inspection
	tree      *tree  // recomputed from the leaves
	hashed    []byte // room for the hashes of one
	decisions decisions
	register  *register.Register
	gone      ledger
	snapshots map[int64]string // their digests, by the index of their entry
	stored    *storedSnapshot  // nil: there is none
	odd       int64            // the first that is not of the register; 0: none
	waiting   places           // entries of documents whose bytes were not seen yet
	report    Report
}

// decision is a decision or deny that the walk has passed.
type decision struct {
	trace         [16]byte
	denied, retry bool
}

func newWalk(s Snapshot, signed position, by Inspection) *walk {
	return &walk{
		snapshot: &shared{Snapshot: s}, signed: signed, by: by,
		tree:      nothing(),
		decisions: decisions{most: keptDecisions},
		register:  register.New(),
		gone:      ledger{},
		snapshots: map[int64]string{},
		report:    Report{Kinds: map[Kind]int64{}},
	}
}

// entries walks every entry, and the places where there should be none.
func (w *walk) entries(ctx context.Context) error {
	err := ahead(ctx, w.snapshot, func(list []checked) error {
		for i := range list {
			if err := w.entry(&list[i]); err != nil {
				return w.first(err)
			}
		}
		if len(w.tree.hashes) > 4*pageSize {
			return w.tree.trim()
		}
		return nil
	})
	if err != nil {
		return err
	}
	if w.tree.N < w.signed.N {
		return tampered(w.tree.N, "n: no entry of this index")
	}
	if err := w.nothingBefore(); err != nil {
		return err
	}
	if err := w.gone.settled(); err != nil {
		return err
	}
	return w.tree.seal()
}

// first gives an error, or what is gone before its place, when none of the erasures after
// it lists that: what is gone may be the reason.
func (w *walk) first(err error) error {
	var found, before *TamperError
	if !errors.As(err, &found) {
		return err
	}
	for at := w.tree.N; len(w.gone) > 0; {
		rows, err := w.snapshot.Rows(at, pageSize)
		if err != nil || len(rows) == 0 {
			break
		}
		for _, row := range rows {
			if leaf, open, err := readRow(row); err == nil && leaf.Kind == Erasure {
				_ = w.gone.entry(w.snapshot, row.Index, &leaf, &open)
			}
		}
		at += int64(len(rows))
	}
	if errors.As(w.gone.settled(), &before) && before.Index < found.Index {
		return before
	}
	return err
}

// nothingBefore looks for entries with a negative index.
func (w *walk) nothingBefore() error {
	rows, err := w.snapshot.Rows(math.MinInt64, 1)
	if err != nil {
		return err
	}
	if len(rows) > 0 && (rows[0].Bad != "" || rows[0].Index < 0) {
		return tampered(0, "n: an entry before the first")
	}
	return nil
}

// entry checks one row at the place where the walk has come to.
func (w *walk) entry(c *checked) error {
	row, leaf, open, index := c.row, &c.leaf, &c.open, w.tree.N
	switch {
	case row.Bad != "":
		return tampered(index, "%s: not of the column's type", row.Bad)
	case index >= w.signed.N:
		return tampered(index, "n: beyond the signed head")
	case row.Index != index:
		return tampered(index, "n: no entry of this index")
	}
	if c.err != nil {
		return tampered(index, "%v", c.err)
	}
	if leaf.Tenant != w.by.Tenant {
		return tampered(index, "tenant: the leaf is of another")
	}
	if err := w.epoch(index, leaf, open); err != nil {
		return err
	}
	if err := w.hashes(c); err != nil {
		return err
	}
	if err := w.gone.entry(w.snapshot, index, leaf, open); err != nil {
		return err
	}
	return w.meaning(index, c)
}

// hashes adds the leaf to the recomputed tree and compares.
func (w *walk) hashes(c *checked) error {
	hashes, err := w.tree.appendHashes(w.hashed[:0], c.record)
	if err != nil {
		return err
	}
	if w.hashed = hashes; bytes.Equal(hashes, c.row.Hashes) {
		return nil
	}
	return tampered(c.row.Index, "%s: leaf and hashes do not fit", w.culprit(c.row))
}

// culprit names which of two columns that do not fit each other was changed: the
// signed head vouches for one of them.
func (w *walk) culprit(row Row) string {
	proof, err := tlog.ProveRecord(w.signed.N, row.Index, rowHashes{w.snapshot})
	if err == nil && tlog.CheckRecord(proof, w.signed.N, w.signed.Hash, row.Index, tlog.RecordHash(row.Leaf)) == nil {
		return "hashes"
	}
	return "leaf"
}

// meaning checks what an entry says against the entries before it.
func (w *walk) meaning(index int64, c *checked) error {
	leaf, fact := &c.leaf, c.fact
	w.report.Kinds[leaf.Kind]++
	if index == 0 {
		w.report.First = leaf.Time
	}
	w.report.Last = leaf.Time
	if err := w.follow(index, leaf); err != nil {
		return err
	}
	w.snapshotted(index, leaf)
	if c.unfit != nil {
		return c.unfit
	}
	if fact.Day < w.register.Day() {
		return tampered(index, "leaf: day lies before that of the entry before it")
	}
	if leaf.Kind.asks() && leaf.Policy != "" && !w.register.Head().KnowsPolicy(leaf.Policy) {
		return tampered(index, "leaf: decided by policies that were never in force before it")
	}
	if err := w.judged(index, c); err != nil {
		return err
	}
	if w.by.Entry != nil {
		w.by.Entry(Passed{index, leaf, c.judgement, slices.ContainsFunc(c.open.Payload, opened.gone)})
	}
	judged := index
	if leaf.Kind == Release {
		judged = leaf.Decided + 1
	}
	for _, v := range c.open.Rests {
		if v.gone() {
			continue
		}
		if !w.register.Head().Counts(restOf(string(v.Value)), fact.Day, judged) {
			return tampered(index, "leaf: rests on a document that has ended")
		}
	}
	return w.counts(index, fact)
}

// counts checks an entry against the rules about documents, and folds it in.
func (w *walk) counts(index int64, fact register.Entry) error {
	if err := w.register.Refuse(fact); err != nil {
		what := "puts, ends or replaces a document that it may not"
		switch {
		case errors.Is(err, register.ErrPolicy):
			what = "has policies come in the place of others than those that were in force"
		case errors.Is(err, ErrConflict), fact.Put != nil && errors.Is(err, ErrEnded) && fact.End == "":
			what = "puts a document for the second time"
		case fact.End != "" && (errors.Is(err, ErrEnded) || errors.Is(err, ErrNoDocument)):
			what = "ends a document that is not live"
		}
		return tampered(index, "leaf: %s", what)
	}
	w.register.Apply(fact)
	if fact.Put != nil {
		w.waiting.add(index)
	}
	return nil
}

// follow follows requests from the first decision to their release.
func (w *walk) follow(index int64, leaf *Leaf) error {
	if leaf.Kind == Release {
		if d, ok, err := w.decided(leaf.Decided, index); err != nil {
			return err
		} else if !ok || d.denied || d.trace != traceOf(leaf) {
			return tampered(index, "leaf: a release without its decision before it")
		}
	}
	if !leaf.Kind.asks() {
		return nil
	}
	if leaf.RetryOf != noRetry {
		if d, ok, err := w.decided(leaf.RetryOf, index); err != nil {
			return err
		} else if !ok || d.retry {
			return tampered(index, "leaf: retry_of is no first decision before it")
		}
		w.report.Retries++
	}
	w.decisions.add(index, decisionOf(leaf))
	return nil
}

func traceOf(leaf *Leaf) (trace [16]byte) {
	_, _ = hex.Decode(trace[:], []byte(leaf.Trace)) // ParseLeaf has checked it
	return trace
}
