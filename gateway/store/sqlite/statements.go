package sqlite

// statements are compiled once for a connection. None has a bound LIMIT, which SQLite looks
// at when it compiles: it compiles anew for each value.
type statements struct {
	begin, commit, rollback                  statement
	head, entries, documents, document, once statement
	beginWriting                             statement
	insertEntries, insertDocument, setHead   statement
	setOnce, expire                          statement
	row, setEntries, dropDocument, dropOnce  statement
	snapshot, dropSnapshots, insertSnapshot  statement
}

type prepared struct {
	into *statement
	text string
}

func (s *statements) reads() []prepared {
	return []prepared{
		{&s.begin, "BEGIN"}, {&s.commit, "COMMIT"}, {&s.rollback, "ROLLBACK"},
		{&s.head, "SELECT size, checkpoint FROM head WHERE tenant = ?"},
		{&s.entries, "SELECT n, entries FROM entries WHERE tenant = ?" +
			" AND n >= coalesce((SELECT max(n) FROM entries WHERE tenant = ? AND n <= ?), ?) ORDER BY n"},
		{&s.documents, "SELECT id, body, openings FROM documents WHERE tenant = ? AND id > ? ORDER BY id"},
		{&s.document, "SELECT id, body, openings FROM documents WHERE tenant = ? AND id = ?"},
		{&s.snapshot, "SELECT n, body FROM snapshots WHERE tenant = ? ORDER BY n DESC LIMIT 1"},
		{&s.once, "SELECT body, ref, entry, expires FROM once WHERE tenant = ? AND key = ?"},
	}
}

func (s *statements) writes() []prepared {
	return []prepared{
		{&s.beginWriting, "BEGIN IMMEDIATE"},
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
			" (SELECT key FROM once WHERE tenant = ? AND expires <= ? ORDER BY expires LIMIT ? + 0)"},
	}
}
