package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/internal/identity"
)

// Inspection is what an auditor goes by. All fields but Head are required.
type Inspection struct {
	// Tenant of the log, and its public keys, all known from elsewhere than the store.
	Tenant identity.OIN
	Keys   Keys
	// Head is the text of the head that is stored outside the store, read before the
	// log is; empty: there is none to compare with.
	Head string
	// Entry is told each entry, in order, and Read each document, when all entries hold. What
	// they are told must be believed only when Verify finds nothing. Both may be nil.
	Entry func(e Passed)
	Read  func(d Stored)
}

// Passed is an entry that was found good by itself and after those before it.
type Passed struct {
	Index int64
	Leaf  *Leaf // nobody keeps it: it is used again
	// Judgement of a decision or deny; nil where the entry says nothing of pairs, or not any more.
	Judgement *Judgement
	// Erased says that an erasure destroyed what it was about.
	Erased bool
}

// Report is what an auditor found when nothing was wrong.
type Report struct {
	// Size is the number of entries, Root the root of their tree and Checkpoint
	// the signed note over both.
	Size       int64
	Root       [32]byte
	Checkpoint string
	// Kinds counts entries by kind.
	Kinds map[Kind]int64
	// Retries counts the decisions and denials that repeat an earlier one; take
	// them off to count each request once.
	Retries int64
	// Documents and LiveDocuments count what was ever put, and what still counts.
	Documents, LiveDocuments int64
	// Epoch is which the log is in: 1 unless it was taken on from a store that lacked
	// entries. Waiting counts the documents that wait to be confirmed since.
	Epoch, Waiting int64
	// Policy is the revision of the policies that are in force by the log; empty: it says nothing.
	Policy string
	// First and Last are times in milliseconds since 1970; zero for an empty log.
	First, Last int64
}

// How many entries, and documents, are read at a time. Entries are more than one transaction
// takes at most: its row is read again for the rest of it.
const (
	pageSize      = 2 * maxGroup
	documentsPage = 64
)

// Verify walks the whole log of one tenant, on one snapshot, so
// that the log may grow meanwhile. It checks that the database is sound; that entries follow
// on each other without a gap up to the signed head; that each leaf is canonical
// and its hashes, its opening and its id fit it; that the recomputed root is the
// signed one; that each release carries out an earlier decision of the same
// trace, and rests on nothing that has ended; that each retry repeats an earlier
// decision or deny that is none; and that the documents are as in the log. Idempotency
// keys are no part of the log and are not looked at. The first thing found wrong is a *TamperError (ErrTampered); a
// broken file is ErrDamaged, and ErrUnavailable means that it could not be read.
//
// A store put back as a whole to an earlier day is ErrBehind, when Head shows it.
func Verify(ctx context.Context, store Store, by Inspection) (Report, error) {
	if !identity.IsOIN(by.Tenant) || len(by.Keys) == 0 {
		return Report{}, invalid("inspection: tenant, or keys")
	}
	if err := store.Check(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the audit log: %w", err)
	}
	var report Report
	err := store.View(ctx, by.Tenant, func(s Snapshot) (err error) {
		report, err = verify(ctx, s, by)
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("verifying the audit log: %w", err)
	}
	return report, nil
}

func verify(ctx context.Context, s Snapshot, by Inspection) (Report, error) {
	head, err := s.Head()
	if err != nil {
		return Report{}, err
	}
	signed, err := signedHead(head, by.Keys.Origin(), by.Keys)
	if err != nil {
		return Report{}, err
	}
	w := newWalk(s, signed, by)
	if err := w.kept(); err != nil {
		return Report{}, err
	}
	if err := w.entries(ctx); err != nil {
		return Report{}, err
	}
	if w.tree.Hash != signed.Hash {
		return Report{}, headTampered("checkpoint: its root is not that of the entries")
	}
	if w.tree.epoch != signed.epoch {
		return Report{}, headTampered("checkpoint: of another epoch than the entries")
	}
	if err := errors.Join(w.snapshotsFit(), w.documents(ctx)); err != nil {
		return Report{}, err
	}
	if by.Head != "" { // last: what is wrong inside is named first
		if err := complete(s, signed, by.Head, by.Keys); err != nil {
			return Report{}, err
		}
	}
	w.report.Epoch, w.report.Waiting = signed.epoch, w.register.Head().Waiting()
	if said := w.register.Head().Policies(); len(said) > 0 {
		w.report.Policy = said[len(said)-1].Revision
	}
	w.report.Size, w.report.Root, w.report.Checkpoint = signed.N, signed.Hash, head.Checkpoint
	return w.report, nil
}

// readRow reads the columns of a row by themselves; the error begins with the
// name of the column.
func readRow(row Row) (Leaf, opening, error) { return new(openingReader).row(row) }

// row is readRow; the opening is in the reader's memory.
func (r *openingReader) row(row Row) (Leaf, opening, error) {
	leaf, err := leafOf(row)
	if err != nil {
		return Leaf{}, opening{}, err
	}
	open, err := r.parse(row.Opening)
	if err != nil {
		return Leaf{}, opening{}, fmt.Errorf("opening: %w", err)
	}
	if err := open.opens(&leaf); err != nil {
		return Leaf{}, opening{}, fmt.Errorf("opening: %w", err)
	}
	return leaf, open, nil
}

func leafOf(row Row) (Leaf, error) {
	leaf, err := ParseLeaf(row.Leaf)
	switch {
	case err != nil:
		return Leaf{}, fmt.Errorf("leaf: %w", err)
	case leaf.Version != leafVersion:
		return Leaf{}, errors.New("leaf: of an earlier version than the audit log")
	case leaf.ID != row.ID:
		return Leaf{}, errors.New("id: not that of the leaf")
	}
	return leaf, nil
}

// checkRecord checks a leaf against the record hash stored beside it.
func checkRecord(row Row) error {
	record := tlog.RecordHash(row.Leaf)
	if len(row.Hashes) < len(record) || tlog.Hash(row.Hashes[:len(record)]) != record {
		return errors.New("leaf: not the one that was hashed")
	}
	return nil
}
