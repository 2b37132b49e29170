package audit

import (
	"context"

	"github.com/ontschot/ontschot/internal/identity"
)

// Store is what the log needs of a database. All of it is safe for concurrent
// use. An error that is not the callback's own wraps ErrDamaged when the
// database is broken and ErrUnavailable otherwise, and repeats no stored value.
type Store interface {
	// Update runs f in one transaction that holds the tenant's log alone: no other
	// Update of the tenant, in any process, runs at the same time. When it returns
	// nil, all of it is on disk; otherwise nothing is, unless the connection broke
	// during the commit. It waits a bounded time for its turn. f may be called
	// again after a failure, and its own error is returned as it is.
	Update(ctx context.Context, tenant identity.OIN, f func(Tx) error) error
	// View runs f on one unchanging snapshot. f's own error is returned as it is.
	View(ctx context.Context, tenant identity.OIN, f func(Snapshot) error) error
	// Once gives what is stored under an idempotency key, expired or not; false if nothing
	// is. What decides is the transaction that appends.
	Once(ctx context.Context, tenant identity.OIN, key [32]byte) (OnceRow, bool, error)
	// Check reads the whole database and reports whether it is sound: ErrDamaged if
	// not. It takes as long as the database is big.
	Check(ctx context.Context) error
}

// Snapshot reads one tenant's log.
type Snapshot interface {
	// Head gives the head; its zero value when the log is empty.
	Head() (Head, error)
	// Rows gives at most limit entries from index on, in order of their index.
	Rows(from int64, limit int) ([]Row, error)
	// Documents gives at most limit documents whose id is greater than after, in order
	// of their id.
	Documents(after string, limit int) ([]Stored, error)
	// Document gives what is stored under an id; false if nothing is.
	Document(id string) (Stored, bool, error)
	// Register gives the newest snapshot of the register; false if there is none.
	Register() (SnapshotRow, bool, error)
}

// Tx is a Snapshot that can be written.
type Tx interface {
	Snapshot
	// Once gives what is stored under an idempotency key, expired or not; false if
	// nothing is.
	Once(key [32]byte) (OnceRow, bool, error)
	// Write does everything in the batch.
	Write(Batch) error
}

// Batch is what one transaction adds to the log.
type Batch struct {
	// Rows follow on the last one without a gap; none if only Once is written.
	Rows []Row
	// Puts are new documents, and Drops the ids of documents to delete.
	Puts  []Stored
	Drops []string
	// Openings take the place of those of earlier entries. What they, and the documents,
	// were is not to be found in the files any more when the transaction has ended.
	Openings []Opening
	// Register takes the place of every snapshot before it; nil leaves what there is. One
	// without a Body only takes them away.
	Register *SnapshotRow
	// Once are keys that count from now on, in the place of expired ones. With them
	// some of the rows that expired by Now (milliseconds) are deleted, a bounded
	// number.
	Once []OnceRow
	Now  int64
	// Head replaces the head.
	Head Head
}

// Opening is the opening of an entry that is in the log already.
type Opening struct {
	Index   int64
	Opening []byte
}

// Stored is what a store has of a document: its bytes, and nothing on whether it
// counts. The log says which bytes they must be.
type Stored struct {
	ID             string
	Body, Openings []byte
}

// Head is the size of the log and the signed checkpoint over it.
type Head struct {
	Size       int64
	Checkpoint string
}

// Row is one entry as it is stored.
type Row struct {
	Index   int64
	ID      string
	Leaf    []byte
	Opening []byte
	// Hashes are the hashes that this record adds to the tree, 32 bytes each: its
	// own and those of the subtrees that it completes (tlog.StoredHashes).
	Hashes []byte
	// Bad names the first column whose stored value is not of the column's type;
	// then the other fields are not to be used. A typed database leaves it empty.
	Bad string

	few    []byte // Leaf and Opening in few bytes, when they are known; see Compact
	unread []byte // all of it as Compact wrote it; nothing else but Index is set
}

// Unreader is a Snapshot that can leave the reading of entries to who asks for them.
type Unreader interface {
	// UnreadRows gives what Rows gives. Those that are in few bytes (Row.Compact) it gives as
	// Unread makes them; what they are, and whether they can be read, is not looked at.
	UnreadRows(from int64, limit int) ([]Row, error)
}
