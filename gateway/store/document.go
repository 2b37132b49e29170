package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// Bounds of a look-up and of a page, in documents.
const (
	maxFound = 64
	maxPage  = 200
)

// Consents gives the consents of a person (by pseudonym) for a purpose, also
// ended ones behind those that count, newest first, at most 64.
func (s *Store) Consents(ctx context.Context, tenant identity.OIN, pseudonym []byte, purpose string) ([]audit.Document, error) {
	return documents(s.reading.consents.QueryContext(ctx, string(tenant), pseudonym, purpose, maxFound))
}

// Agreements gives the agreements between two parties, in whichever order they
// are named, also ended ones behind those that count, newest first, at most 64.
func (s *Store) Agreements(ctx context.Context, tenant, a, b identity.OIN) ([]audit.Document, error) {
	return s.Between(ctx, tenant, audit.AgreementDocument, a, b)
}

// Between gives the documents of a kind between two parties, in whichever order
// they are named, also ended ones behind those that count, newest first, at most 64.
func (s *Store) Between(ctx context.Context, tenant identity.OIN, kind audit.DocumentKind, a, b identity.OIN) ([]audit.Document, error) {
	return documents(s.reading.between.QueryContext(ctx, string(tenant), string(kind), string(min(a, b)), string(max(a, b)), maxFound))
}

// List gives a page of all documents of a kind, also ended ones, newest first: at
// most limit (and 200) of those that entered before an index; zero or less means
// from the newest on. The next page begins before the last one's Entered; when
// that is 0, there is none.
func (s *Store) List(ctx context.Context, tenant identity.OIN, kind audit.DocumentKind, before int64, limit int) ([]audit.Document, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return documents(s.reading.list.QueryContext(ctx, string(tenant), string(kind), before, min(max(limit, 0), maxPage)))
}

// Document gives one document; audit.ErrNoDocument if none has this id.
func (s *Store) Document(ctx context.Context, tenant identity.OIN, id string) (audit.Document, error) {
	list, err := documents(s.reading.document.QueryContext(ctx, string(tenant), id))
	if err != nil {
		return audit.Document{}, err
	}
	if len(list) == 0 {
		return audit.Document{}, fmt.Errorf("reading a document: %w", audit.ErrNoDocument)
	}
	return list[0], nil
}

// documents reads rows of documentColumns. A value of another type than its
// column's reads as the zero value, with which no document is live.
func documents(rows *sql.Rows, err error) ([]audit.Document, error) {
	if err != nil {
		return nil, failed("reading documents", err)
	}
	defer rows.Close()
	var list []audit.Document
	for rows.Next() {
		var c [14]any
		if err := rows.Scan(&c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7], &c[8], &c[9], &c[10], &c[11], &c[12], &c[13]); err != nil {
			return nil, failed("reading documents", err)
		}
		list = append(list, audit.Document{
			ID: text(c[0]), Kind: audit.DocumentKind(text(c[1])), Digest: text(c[2]), Status: audit.Status(text(c[3])),
			Body: raw(c[4]), Openings: raw(c[5]), Subject: raw(c[6]), Purpose: text(c[7]),
			PartyA: identity.OIN(text(c[8])), PartyB: identity.OIN(text(c[9])),
			Entered: number(c[10]), Ended: number(c[11]), Since: number(c[12]), Until: number(c[13]),
		})
	}
	return list, failed("reading documents", rows.Err())
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func raw(v any) []byte {
	b, _ := v.([]byte)
	return b
}

func number(v any) int64 {
	n, ok := v.(int64)
	if !ok {
		return audit.NotEnded - 1 // no index at all
	}
	return n
}
