package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrWhole means that a log lacks nothing, so that there is nothing to recover from.
var ErrWhole = errors.New("the audit log lacks nothing")

// ErrClock means that the clock of this machine is behind what was recorded.
var ErrClock = errors.New("the clock of this machine is behind the audit log; set it right first")

// Recovery is from what a log was taken on.
type Recovery struct {
	// Store is how many entries the store holds, and Outside of how many the head outside it
	// was; -1 when that head is gone.
	Store, Outside int64
	// Epoch that has begun, and Waiting the documents in force that wait to be confirmed.
	Epoch, Waiting int64
}

// heads are the two signed heads between which entries were lost, each as its text; empty
// when there was none. They are the payload of the entry that begins an epoch.
type heads struct {
	Outside string `json:"outside"`
	Store   string `json:"store"`
}

// Recover takes a log on from a store that lacks entries (ErrBehind), and returns with the
// log closed. It opens a new epoch, at least the given one: an origin of its own, so that no
// index is signed twice under one, whose first entry commits to both heads. Among what is
// lacking can be withdrawals; so every document in the store waits until it is confirmed,
// and so does every one made before that is registered again. The store must be nobody
// else's meanwhile. Errors: ErrWhole, and those of Open.
func Recover(ctx context.Context, cfg Config, atLeast int64) (Recovery, error) {
	if cfg.Head == nil {
		return Recovery{}, invalid("config: head is missing")
	}
	outside, err := cfg.Head.Read()
	if err != nil {
		return Recovery{}, err
	}
	l, err := open(ctx, cfg, func(l *Log, s Snapshot) error { return l.beginEpoch(s, outside, atLeast) })
	if err != nil {
		return Recovery{}, fmt.Errorf("recovering the audit log: %w", err)
	}
	defer l.Close()
	out := Recovery{Store: l.head.N, Outside: -1, Epoch: l.next}
	if kept, err := openCheckpoint(outside, cfg.Origin, l.cfg.keys()); err == nil {
		out.Outside = kept.N
	}
	payload, err := encodeCanonical(heads{Outside: outside, Store: l.head.checkpoint})
	if err != nil {
		return Recovery{}, err
	}
	if _, err := l.Append(ctx, Entry{Kind: NewEpoch, Status: "recovered", Payload: payload, epoch: l.next}); err != nil {
		return Recovery{}, fmt.Errorf("recovering the audit log: %w", err)
	}
	out.Waiting = l.Register().Waiting()
	return out, nil
}

// beginEpoch finds the number of the next epoch, when a store lacks entries.
func (l *Log) beginEpoch(s Snapshot, outside string, atLeast int64) error {
	err := complete(s, l.head.position, outside, l.cfg.keys())
	switch {
	case err == nil:
		return ErrWhole
	case !errors.Is(err, ErrBehind):
		return err
	}
	if err := l.checkClock(s); err != nil {
		return err
	}
	l.next = max(l.head.epoch+1, atLeast)
	if outside == "" {
		return nil
	}
	kept, err := openCheckpoint(outside, l.cfg.Origin, l.cfg.keys())
	l.next = max(l.next, kept.epoch+1)
	return err
}

// checkClock refuses to begin an epoch before what is known to have been recorded: what was
// made between would seem to be of the new epoch, and not wait.
func (l *Log) checkClock(s Snapshot) error {
	last := time.Time{}
	if info, err := os.Stat(l.cfg.Head.Path); err == nil {
		last = info.ModTime()
	}
	if l.head.N > 0 {
		row, err := rowAt(s, l.head.N-1)
		if err != nil {
			return err
		}
		leaf, err := ParseLeaf(row.Leaf)
		if err != nil {
			return tampered(l.head.N-1, "leaf: %v", err)
		}
		if at := time.UnixMilli(leaf.Time); at.After(last) {
			last = at
		}
	}
	if l.cfg.Now().Before(last.Add(-time.Second)) {
		return ErrClock
	}
	return nil
}

// epoch checks the entry that begins one: its number follows, and the head of the store
// that it names is the signed one of the entries before it.
func (w *walk) epoch(index int64, leaf *Leaf, open *opening) error {
	if leaf.Kind != NewEpoch {
		return nil
	}
	if len(open.Payload) != 1 {
		return tampered(index, "opening: the entry that begins an epoch names no heads")
	}
	var named heads
	if err := decodeCanonical(open.Payload[0].Value, 2*maxCheckpoint+64, &named); err != nil {
		return tampered(index, "opening: the entry that begins an epoch names no heads")
	}
	if leaf.Epoch <= w.tree.epoch {
		return tampered(index, "leaf: an epoch that does not follow")
	}
	if named.Outside != "" {
		kept, err := openCheckpoint(named.Outside, w.by.Keys.Origin(), w.by.Keys)
		if err != nil || kept.epoch >= leaf.Epoch {
			return tampered(index, "opening: the head outside the store is none of this log")
		}
	}
	if named.Store == "" && index == 0 {
		w.tree.epoch = leaf.Epoch
		return nil
	}
	before := w.tree.clone()
	if err := before.seal(); err != nil {
		return err
	}
	head, err := openCheckpoint(named.Store, w.by.Keys.Origin(), w.by.Keys)
	if err != nil || head != (position{tlog.Tree{N: index, Hash: before.Hash}, w.tree.epoch}) {
		return tampered(index, "opening: the head of the store is not that of the entries before")
	}
	w.tree.epoch = leaf.Epoch
	return nil
}
