// Package audit answers: what happened here, in which order, and can anybody
// have changed that since? It keeps one ordered, tamper-evident log per
// organisation: a Merkle tree (RFC 6962, golang.org/x/mod/sumdb/tlog) whose head
// is signed as a C2SP tlog-checkpoint. Releases and withdrawals are entries of
// the same log, and what an entry rests on is checked in the transaction that
// appends it, so a release after a withdrawal cannot exist.
package audit

import (
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/register"
)

// Errors of the log. None of them repeats a value of an entry, except that
// EndedError names the id of a document.
var (
	// ErrUnavailable means that nothing was recorded, so nothing may be released.
	ErrUnavailable = errors.New("the audit log cannot be written")
	// ErrKeyReused means that the caller used an idempotency key for another request.
	ErrKeyReused = errors.New("idempotency key used before with another request")
	// ErrDay means that the day by which this was judged has passed in the log.
	ErrDay = errors.New("the day has passed by which this was judged")
	// ErrJudged means that somebody was erased, or that what this needs has ended, since it
	// was judged: it has to be judged anew.
	ErrJudged = errors.New("it was judged by what counts no more")
	// ErrInvalid means that an entry is not well formed; the text names the field.
	ErrInvalid = errors.New("not a well-formed entry")
	// ErrTampered means that something does not agree with what was signed.
	ErrTampered = errors.New("the audit log was tampered with")
	// ErrDamaged means that the database itself is broken: a storage fault, or
	// pages overwritten. A Store reports it.
	ErrDamaged = errors.New("the database file is damaged")
)

// Errors of the rules about documents, which the register knows.
var (
	ErrEnded      = register.ErrEnded
	ErrNoDocument = register.ErrNoDocument
	ErrConflict   = register.ErrConflict
)

// EndedError is the ErrEnded of one document.
type EndedError = register.EndedError

// HeadIndex is the index of a TamperError about the head and not about an entry.
const HeadIndex = -1

// TamperError names the first place where the audit log disagrees with itself.
type TamperError struct {
	// Index of the entry, from zero; HeadIndex for the head.
	Index int64
	// What disagrees, beginning with the column: "leaf: ...".
	What string
}

// Error names the entry, or the head, and what disagrees; no value of it.
func (e *TamperError) Error() string {
	if e.Index == HeadIndex {
		return fmt.Sprintf("%v: head: %s", ErrTampered, e.What)
	}
	return fmt.Sprintf("%v: entry %d: %s", ErrTampered, e.Index, e.What)
}

// Unwrap makes errors.Is(err, ErrTampered) hold.
func (e *TamperError) Unwrap() error { return ErrTampered }

func tampered(index int64, format string, args ...any) error {
	return &TamperError{Index: index, What: fmt.Sprintf(format, args...)}
}

func headTampered(what string) error { return tampered(HeadIndex, "%s", what) }
