package audit

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// Register gives what counts after every entry that is committed. It is in memory.
func (l *Log) Register() register.View {
	size := l.size.Load() // first: a register that is made anew after this is not smaller
	return l.register.Load().At(size)
}

// Epoch of the log: one more after each recovery.
func (l *Log) Epoch() int64 { return l.epoch.Load() }

// Since gives the size after which what was judged in the epoch of a receipt may be held
// against the register: that of the receipt itself in this epoch; of an earlier one no more
// than where the first loss was, as indexes after it are of other entries.
func (l *Log) Since(origin string, index int64) int64 {
	if first := l.Register().Lost(); first > 0 && origin != originOf(l.cfg.Origin, l.epoch.Load()) {
		return min(index, first)
	}
	return index
}

// Document gives one document with its bytes. Errors: ErrNoDocument; ErrTampered when
// the bytes are not those that the log describes; ErrUnavailable, ErrDamaged.
func (l *Log) Document(ctx context.Context, id string) (StoredDocument, error) {
	record, known := l.Register().Document(id)
	if !known {
		return StoredDocument{}, fmt.Errorf("reading a document: %w", ErrNoDocument)
	}
	list, err := l.withBytes(ctx, []register.Record{record})
	if err != nil {
		return StoredDocument{}, err
	}
	return list[0], nil
}

// Documents gives documents by their ids, in that order, as they were at one moment.
// Errors: those of Document, for any of them.
func (l *Log) Documents(ctx context.Context, ids []string) ([]StoredDocument, error) {
	registered := l.Register()
	records := make([]register.Record, len(ids))
	for i, id := range ids {
		var known bool
		if records[i], known = registered.Document(id); !known {
			return nil, fmt.Errorf("reading documents: %w", ErrNoDocument)
		}
	}
	return l.withBytes(ctx, records)
}

// Between gives the documents of a kind between two parties, the newest first: all there
// are.
func (l *Log) Between(ctx context.Context, kind DocumentKind, a, b identity.OIN) ([]StoredDocument, error) {
	return l.withBytes(ctx, l.Register().Between(kind, a, b))
}

// Once gives what is stored under an idempotency key, expired or not; false if nothing is.
// It lets a caller answer early: what decides is the transaction that appends.
func (l *Log) Once(ctx context.Context, key [32]byte) (OnceRow, bool, error) {
	row, known, err := l.cfg.Store.Once(ctx, l.cfg.Tenant, key)
	if known && row.Entry >= l.Register().Size() { // committed, and not yet folded in: what it made is not there to be found
		return OnceRow{}, false, err
	}
	return row, known, err
}

// withBytes reads the bytes of documents and compares them with the log.
func (l *Log) withBytes(ctx context.Context, records []register.Record) ([]StoredDocument, error) {
	if len(records) == 0 {
		return nil, nil
	}
	list := make([]StoredDocument, 0, len(records))
	err := l.cfg.Store.View(ctx, l.cfg.Tenant, func(s Snapshot) error {
		list = list[:0]
		for _, r := range records {
			stored, known, err := s.Document(r.ID)
			if err != nil {
				return err
			}
			if !known || sha256.Sum256(stored.Body) != r.Digest || sha256.Sum256(stored.Openings) != r.Opens {
				return tampered(r.Entered, "documents: the document of this entry is gone or changed")
			}
			list = append(list, StoredDocument{r, stored.Body, stored.Openings})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	return list, nil
}
