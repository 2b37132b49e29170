package store

import (
	"context"
	"database/sql"
	"strings"
)

const documentColumns = "id, kind, digest, status, body, openings, subject, purpose, party_a, party_b, entered, ended, since, until"

// lightColumns are documentColumns without the two that are long, and the times.
const lightColumns = "id, kind, digest, status, NULL, NULL, subject, purpose, party_a, party_b, entered, ended, 0, 0"

// statements are prepared once for a pool.
type statements struct {
	head, entries, lookup, documents *sql.Stmt
	consents, between, list          *sql.Stmt
	document, once                   *sql.Stmt
	insertEntry, insertDocument      *sql.Stmt
	endDocument, setHead             *sql.Stmt
	setOnce, expire                  *sql.Stmt
}

// prepare compiles what a pool may do.
func prepare(ctx context.Context, db *sql.DB, writes bool) (*statements, error) {
	s := &statements{}
	list := append([]prepared{}, s.reads()...)
	if writes {
		list = append(list, s.writes()...)
	}
	for _, p := range list {
		statement, err := db.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, failed("preparing", err)
		}
		*p.into = statement
	}
	return s, nil
}

type prepared struct {
	into **sql.Stmt
	text string
}

func (s *statements) reads() []prepared {
	places := "?" + strings.Repeat(", ?", chunk-1)
	return []prepared{
		{&s.head, "SELECT size, checkpoint FROM head WHERE tenant = ?"},
		{&s.entries, "SELECT n, id, leaf, opening, hashes FROM entries WHERE tenant = ? AND n >= ? ORDER BY n LIMIT ?"},
		{&s.lookup, "SELECT " + lightColumns + " FROM documents WHERE tenant = ? AND id IN (" + places + ")"},
		{&s.documents, "SELECT " + documentColumns + " FROM documents WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?"},
		{&s.document, "SELECT " + documentColumns + " FROM documents WHERE tenant = ? AND id = ?"},
		{&s.consents, "SELECT " + documentColumns + " FROM documents WHERE kind = 'CONSENT' AND tenant = ?" +
			" AND subject = ? AND purpose = ? ORDER BY ended >= 0, entered DESC LIMIT ?"},
		{&s.between, "SELECT " + documentColumns + " FROM documents WHERE tenant = ? AND kind = ?" +
			" AND party_a = ? AND party_b = ? ORDER BY ended >= 0, entered DESC LIMIT ?"},
		{&s.list, "SELECT " + documentColumns + " FROM documents WHERE tenant = ? AND kind = ?" +
			" AND entered < ? ORDER BY entered DESC LIMIT ?"},
		{&s.once, "SELECT body, ref, entry, expires FROM once WHERE tenant = ? AND key = ?"},
	}
}

func (s *statements) writes() []prepared {
	return []prepared{
		{&s.insertEntry, "INSERT INTO entries (tenant, n, id, leaf, opening, hashes) VALUES (?, ?, ?, ?, ?, ?)"},
		{&s.insertDocument, "INSERT INTO documents (tenant, " + documentColumns + ") VALUES (?" + strings.Repeat(", ?", 14) + ")"},
		{&s.endDocument, "UPDATE documents SET status = 'ended', ended = ?, until = ? WHERE tenant = ? AND id = ? AND status = 'live' AND ended = -1"},
		{&s.setHead, "INSERT INTO head (tenant, size, checkpoint) VALUES (?, ?, ?)" +
			" ON CONFLICT (tenant) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint"},
		{&s.setOnce, "INSERT INTO once (tenant, key, body, ref, entry, expires) VALUES (?, ?, ?, ?, ?, ?)" +
			" ON CONFLICT (tenant, key) DO UPDATE SET body = excluded.body, ref = excluded.ref, entry = excluded.entry, expires = excluded.expires"},
		{&s.expire, "DELETE FROM once WHERE tenant = ? AND key IN" +
			" (SELECT key FROM once WHERE tenant = ? AND expires <= ? ORDER BY expires LIMIT ?)"},
	}
}
