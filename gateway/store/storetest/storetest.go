// Package storetest changes an audit log's file behind the program's back, so that tests
// can look whether that is found.
package storetest

import (
	"database/sql"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
)

// Rows gives all entries in a file, of one tenant, in order.
func Rows(t testing.TB, path string) []audit.Row {
	t.Helper()
	db := open(t, path)
	defer db.Close()
	return read(t, db)
}

// Change rewrites one entry, wherever it is stored.
func Change(t testing.TB, path string, index int64, change func(*audit.Row)) {
	t.Helper()
	db := open(t, path)
	defer db.Close()
	var first int64
	var packed []byte
	require.NoError(t, db.QueryRow("SELECT n, entries FROM entries WHERE n <= ? ORDER BY n DESC LIMIT 1", index).Scan(&first, &packed))
	rows := sqlite.Unpack(first, packed)
	require.Greater(t, int64(len(rows)), index-first)
	change(&rows[index-first])
	_, err := db.Exec("UPDATE entries SET entries = ? WHERE n = ?", sqlite.Pack(rows), first)
	require.NoError(t, err)
}

// Repack stores the entries of a file so many to a row, as if they had been made in
// transactions of that size.
func Repack(t testing.TB, path string, each int) {
	t.Helper()
	repack(t, path, each, sqlite.Pack)
}

// RepackInFull is Repack, with entries as they were stored before they took few bytes.
func RepackInFull(t testing.TB, path string, each int) {
	t.Helper()
	repack(t, path, each, func(rows []audit.Row) (b []byte) {
		for _, r := range rows {
			for _, part := range [][]byte{[]byte(r.ID), r.Leaf, r.Opening, r.Hashes} {
				b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
			}
		}
		return b
	})
}

func repack(t testing.TB, path string, each int, pack func([]audit.Row) []byte) {
	t.Helper()
	db := open(t, path)
	defer db.Close()
	var tenant string
	require.NoError(t, db.QueryRow("SELECT tenant FROM entries LIMIT 1").Scan(&tenant))
	rows := read(t, db)
	_, err := db.Exec("DELETE FROM entries")
	require.NoError(t, err)
	for group := range slices.Chunk(rows, each) {
		_, err := db.Exec("INSERT INTO entries (tenant, n, entries) VALUES (?, ?, ?)", tenant, group[0].Index, pack(group))
		require.NoError(t, err)
	}
}

func read(t testing.TB, db *sql.DB) (all []audit.Row) {
	t.Helper()
	groups, err := db.Query("SELECT n, entries FROM entries ORDER BY n")
	require.NoError(t, err)
	defer groups.Close()
	for groups.Next() {
		var first int64
		var packed []byte
		require.NoError(t, groups.Scan(&first, &packed))
		all = append(all, sqlite.Unpack(first, packed)...)
	}
	require.NoError(t, groups.Err())
	return all
}

// open opens a file as the program does: what is deleted leaves nothing behind.
func open(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=secure_delete(1)")
	require.NoError(t, err)
	return db
}

// Snapshot puts a snapshot of the register in the place of those in a file.
func Snapshot(t testing.TB, path string, index int64, body []byte) {
	t.Helper()
	db := open(t, path)
	defer db.Close()
	var tenant string
	require.NoError(t, db.QueryRow("SELECT tenant FROM entries LIMIT 1").Scan(&tenant))
	_, err := db.Exec("DELETE FROM snapshots")
	require.NoError(t, err)
	_, err = db.Exec("INSERT INTO snapshots (tenant, n, body) VALUES (?, ?, ?)", tenant, index, body)
	require.NoError(t, err)
}
