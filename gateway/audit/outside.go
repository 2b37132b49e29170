package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrBehind means that the store does not hold all that was recorded: the head that is
// kept outside it is of a longer log or of another epoch, or is gone. What it lacks may be
// withdrawals. Recover goes on from there.
var ErrBehind = errors.New("the audit log lacks entries that were made")

// BehindError is the ErrBehind of a store, with how many entries it holds and how many
// the head outside it is of; -1 when that head is gone.
type BehindError struct{ Store, Outside int64 }

// Error says how many entries there are and how many were made.
func (e *BehindError) Error() string {
	if e.Outside < 0 {
		return fmt.Sprintf("%v, or may lack them: it holds %d, and the file with its head is gone", ErrBehind, e.Store)
	}
	return fmt.Sprintf("%v: it holds %d, and %d were made", ErrBehind, e.Store, e.Outside)
}

// Unwrap makes errors.Is(err, ErrBehind) hold.
func (e *BehindError) Unwrap() error { return ErrBehind }

// HeadFile stores the signed head outside the store, best on another disk: whoever puts
// back an older store, or loses it, is found out at the next start.
type HeadFile struct{ Path string }

// outsideEvery is how far the file may lie behind for decisions and releases. What takes
// something away is acknowledged only when the file is durable too.
const outsideEvery = 500 * time.Millisecond

// Read gives the checkpoint; empty when there is no file.
func (h HeadFile) Read() (string, error) {
	raw, err := os.ReadFile(h.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil || len(raw) > maxCheckpoint {
		return "", fmt.Errorf("%w: the file with its head cannot be read", ErrUnavailable)
	}
	return string(raw), nil
}

// Write puts a checkpoint in the place of the one before, whole or not at all, and
// returns when it is on disk.
func (h HeadFile) Write(checkpoint string) (err error) {
	folder := filepath.Dir(h.Path)
	f, err := os.CreateTemp(folder, ".head-*")
	if err == nil {
		_, err = f.WriteString(checkpoint)
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), h.Path)
		}
		_ = os.Remove(f.Name()) // it is gone when it was renamed
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(folder); err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("%w: the file with its head cannot be written", ErrUnavailable)
	}
	return nil
}

// advance writes a head, unless one of a later epoch or of more entries is there: another
// process that shares the store was faster.
func (h HeadFile) advance(head *tree, origin string, keys Keys) error {
	lock, err := os.OpenFile(h.Path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: the file with its head cannot be written", ErrUnavailable)
	}
	defer lock.Close() // and with it ends the lock
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("%w: the file with its head cannot be written", ErrUnavailable)
	}
	text, err := h.Read()
	if err != nil {
		return err
	}
	kept, err := openCheckpoint(text, origin, keys)
	if err == nil && (kept.epoch > head.epoch || kept.epoch == head.epoch && kept.N >= head.N) {
		return nil
	}
	return h.Write(head.checkpoint)
}

// checkOutside compares the store's head with the one outside it. A log that begins writes
// down that it has.
func (l *Log) checkOutside(s Snapshot) error {
	if l.cfg.Head == nil {
		return nil
	}
	text, err := l.cfg.Head.Read()
	if err != nil {
		return err
	}
	if text == "" && l.head.N == 0 {
		if text, err = signCheckpoint(originOf(l.cfg.Origin, l.head.epoch), l.head.Tree, l.cfg.Key.Signer); err != nil {
			return err
		}
		return l.cfg.Head.Write(text)
	}
	return complete(s, l.head.position, text, l.cfg.keys())
}

// complete checks that a store holds all entries of a head that was kept outside it, as
// its text, and is of the same epoch. Errors: ErrBehind, ErrTampered.
func complete(s Snapshot, head position, text string, keys Keys) error {
	if text == "" {
		return &BehindError{Store: head.N, Outside: -1}
	}
	kept, err := openCheckpoint(text, keys.Origin(), keys)
	if err != nil {
		return headTampered("the one kept outside the store: " + err.Error())
	}
	if kept.N > head.N || kept.epoch != head.epoch {
		return &BehindError{Store: head.N, Outside: kept.N}
	}
	before, err := tlog.TreeHash(kept.N, rowHashes{s})
	if err != nil {
		return err
	}
	if before != kept.Hash {
		return headTampered("the one kept outside the store is of another log")
	}
	return nil
}

// keepOutside writes the head outside the store when that is due: at once when now, else
// when it has lain behind for long enough.
func (l *Log) keepOutside(now bool) error {
	switch {
	case l.cfg.Head == nil || l.outside == l.head.N:
		return nil
	case !now && l.behind.IsZero():
		l.behind = time.Now()
		time.AfterFunc(outsideEvery, l.signal)
		return nil
	case !now && time.Since(l.behind) < outsideEvery:
		return nil
	}
	if err := l.cfg.Head.advance(l.head, l.cfg.Origin, l.cfg.keys()); err != nil {
		return err
	}
	l.outside, l.behind = l.head.N, time.Time{}
	return nil
}

// takesAway reports whether an entry may take something away, or says that it can be
// relied on: then it counts only with the head outside the store.
func (k Kind) takesAway() bool {
	traced, _ := k.known()
	return !traced && k != Snapshotted
}
