package audit

import (
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// Kind says what an entry records. The list is closed.
type Kind string

// The kinds of entry.
const (
	Request    Kind = "request"
	Decision   Kind = "decision"
	SourceCall Kind = "source_call"
	Release    Kind = "release"
	Deny       Kind = "deny"
	Consent    Kind = "consent"
	Agreement  Kind = "agreement"
	Withdrawal Kind = "withdrawal"
	Policy     Kind = "policy"
	Key        Kind = "key"
	Admin      Kind = "admin"
	BreakGlass Kind = "break_glass"
	// NewEpoch is the first entry of an epoch of the log after its first, see Recover.
	NewEpoch Kind = "epoch"
	// Confirmation confirms a document that has waited since.
	Confirmation Kind = "confirmation"
	// Snapshotted commits to the register as it was before the entry; the log's own.
	Snapshotted Kind = "snapshot"
	// Erasure forgets a person, see Log.Erase.
	Erasure Kind = "erasure"
)

// kinds gives for each kind whether it belongs to one exchange and so must carry
// its trace.
func (k Kind) known() (traced, ok bool) {
	switch k {
	case Request, Decision, SourceCall, Release, Deny, BreakGlass:
		return true, true
	case Consent, Agreement, Withdrawal, Policy, Key, Admin, NewEpoch, Confirmation, Erasure, Snapshotted:
		return false, true
	}
	return false, false
}

// Known reports whether it is one of them.
func (k Kind) Known() bool {
	_, ok := k.known()
	return ok
}

// asks reports whether the kind records a request, which a retry makes anew.
func (k Kind) asks() bool { return k == Decision || k == Deny }

// Entry is what a caller wants recorded. Texts are at most 128 characters of
// letters, digits and ._:/#@=,- ; what a text may not hold is personal data.
type Entry struct {
	Kind Kind
	// Trace is the W3C trace id, 32 lower-case hexadecimal digits; required for
	// what belongs to one exchange (request to break_glass), else may be empty.
	Trace string
	// Activity is the processing activity, for example the purpose code.
	Activity string
	// Organisations concerned, at most 32.
	Organisations []identity.OIN
	// PolicyRevision that decided; Decision and Status as the caller names them. Of a policy
	// entry: the revision that is in force from here on, the one that was before, and how it
	// came (register.PolicyStatus). register.ErrPolicy when another one was in force before.
	PolicyRevision, Decision, Status string
	// Agreements by digest: SHA-256 of the signed document, hexadecimal; at most 64.
	Agreements []string
	// Decided is the index of the decision that a release carries out: an entry of
	// the same trace. Read for releases only.
	Decided int64

	// What follows is never in the leaf itself, only as commitments with a fresh
	// salt each: no stable handle of a person is in the log.

	// Case is the case commitment, at most 128 bytes.
	Case []byte
	// Subjects are pseudonyms of the persons, at most 224 of at most 64 bytes.
	Subjects [][]byte
	// Consents by id, at most 224.
	Consents []string
	// Payload is what the entry is about, pseudonymous and without amounts; for a
	// release the 32-byte digest of the budget, required there. At most 512 KiB.
	Payload []byte

	// Day is the civil day by which it was judged; zero: that of the log. A decision and
	// a release by a day that has passed in the log are refused with ErrDay.
	Day civil.Date
	// Judged is of how many entries the register was made by which it was judged; zero:
	// of those before its decision. It is not in the leaf.
	Judged int64
	// Needs holds what must count at this entry's place in the log as well, and is not in the
	// leaf: of a decision, what sources are to be asked on. If something does not, the entry
	// is refused with ErrJudged.
	Needs []register.Rest
	// By is of how many entries the register was made by which a request was judged, as its
	// Judgement says; zero: it was not. ErrJudged when somebody was erased since.
	By int64
	// Rests holds what must count at this entry's place in the log, at most 448; if
	// something does not, the entry is refused with ErrEnded.
	Rests []register.Rest
	// Put is a document that counts from this entry on. A consent entry puts a
	// CONSENT; an agreement entry an AGREEMENT, PROPOSAL, STATEMENT or DELEGATION,
	// or nothing if it has End; a withdrawal may put the STATEMENT that withdraws.
	// The same id with the same digest again appends nothing and gives the first
	// entry (ErrEnded if that document has ended); with another digest it is
	// ErrConflict. What the document does not fit with is refused with the errors of
	// the room register.
	Put *Document
	// End is the id of a document, of any kind, that this entry ends; required for
	// withdrawals. A withdrawal of what has ended already, with all that followed from
	// it, appends nothing, stores no Put and gives the entry that ended it; with any
	// other kind that is ErrEnded.
	End string
	// Key says in which state a key of an organisation is from here on; key entries only.
	Key *register.KeyChange

	// Confirm is the id of a document that waits since the log's epoch began, and that a
	// human or the peer confirms; confirmation entries only, required there. Errors:
	// ErrNotWaiting, ErrNoDocument, ErrEnded.
	Confirm string

	epoch int64    // that begins with this entry; Recover's
	erase *erasing // Log.Erase's

	snapshot *SnapshotRow // the log's own

	// Once makes the request that this entry is about count once; nil when it came
	// without an idempotency key. The same key with another body is ErrKeyReused.
	// With the same body a decision or deny is appended anew and its leaf names the
	// first one in retry_of; any other kind appends nothing, see Proof.Again.
	Once *Once
}
