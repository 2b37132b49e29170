package sqlite

import (
	"context"
	"database/sql"
)

// statements are prepared once for a pool.
type statements struct {
	head, entries, documents, document, once *sql.Stmt
	insertEntries, insertDocument, setHead   *sql.Stmt
	setOnce, expire                          *sql.Stmt
	row, setEntries, dropDocument, dropOnce  *sql.Stmt
	snapshot, dropSnapshots, insertSnapshot  *sql.Stmt
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
	return []prepared{
		{&s.head, "SELECT size, checkpoint FROM head WHERE tenant = ?"},
		{&s.entries, "SELECT n, entries FROM entries WHERE tenant = ?" +
			" AND n >= coalesce((SELECT max(n) FROM entries WHERE tenant = ? AND n <= ?), ?) ORDER BY n"},
		{&s.documents, "SELECT id, body, openings FROM documents WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?"},
		{&s.document, "SELECT id, body, openings FROM documents WHERE tenant = ? AND id = ?"},
		{&s.snapshot, "SELECT n, body FROM snapshots WHERE tenant = ? ORDER BY n DESC LIMIT 1"},
		{&s.once, "SELECT body, ref, entry, expires FROM once WHERE tenant = ? AND key = ?"},
	}
}

func (s *statements) writes() []prepared {
	return []prepared{
		{&s.insertEntries, "INSERT INTO entries (tenant, n, entries) VALUES (?, ?, ?)"},
		{&s.insertDocument, "INSERT INTO documents (tenant, id, body, openings) VALUES (?, ?, ?, ?)"},
		{&s.setHead, "INSERT INTO head (tenant, size, checkpoint) VALUES (?, ?, ?)" +
			" ON CONFLICT (tenant) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint"},
		{&s.row, "SELECT n, entries FROM entries WHERE tenant = ? AND n <= ? ORDER BY n DESC LIMIT 1"},
		{&s.setEntries, "UPDATE entries SET entries = ? WHERE tenant = ? AND n = ?"},
		{&s.dropSnapshots, "DELETE FROM snapshots WHERE tenant = ?"},
		{&s.insertSnapshot, "INSERT INTO snapshots (tenant, n, body) VALUES (?, ?, ?)"},
		{&s.dropOnce, "DELETE FROM once WHERE tenant = ? AND ref = ?"},
		{&s.dropDocument, "DELETE FROM documents WHERE tenant = ? AND id = ?"},
		{&s.setOnce, "INSERT INTO once (tenant, key, body, ref, entry, expires) VALUES (?, ?, ?, ?, ?, ?)" +
			" ON CONFLICT (tenant, key) DO UPDATE SET body = excluded.body, ref = excluded.ref, entry = excluded.entry, expires = excluded.expires"},
		{&s.expire, "DELETE FROM once WHERE tenant = ? AND key IN" +
			" (SELECT key FROM once WHERE tenant = ? AND expires <= ? ORDER BY expires LIMIT ?)"},
	}
}
