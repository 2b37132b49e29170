package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	_ "modernc.org/sqlite"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/storetest"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
)

func refOf(s string) identity.PersonRef { return identity.PersonRef(s) }

func database(t *testing.T, data string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, server.RecordFile))
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// cli runs the program as the shell would.
func cli(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// No record, no release: while the audit log cannot be written the caller gets
// UNAVAILABLE and no source is asked.
func TestNothingIsReleasedWithoutARecord(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	db := database(t, filepath.Join(h.dir, "data"))
	_, err := db.Exec("BEGIN EXCLUSIVE")
	require.NoError(t, err)
	_, err = h.ask()
	code, why, _ := reason(t, err)
	require.Equal(t, codes.Unavailable, code)
	require.Equal(t, "RECORD_UNAVAILABLE", why)
	for _, party := range []string{"UWV", "GM0119", "ZK5503"} {
		require.Empty(t, h.box.Asked(party), "nobody is asked before the decision is durable")
	}
	_, err = db.Exec("ROLLBACK")
	require.NoError(t, err)
	_, err = h.ask()
	require.NoError(t, err)

	// Between decision and release: the sources were asked, nothing comes out.
	h.box.SetFault("UWV", sandbox.Slow(time.Second))
	_, err = h.askDuring(func() {
		_, err := db.Exec("BEGIN EXCLUSIVE")
		require.NoError(t, err)
	})
	code, _, _ = reason(t, err)
	require.Equal(t, codes.Unavailable, code)
	_, err = db.Exec("ROLLBACK")
	require.NoError(t, err)
}

// A withdrawal between the request and the release: what rests on it does not come.
func TestWithdrawnWhileTheSourcesAreAsked(t *testing.T) {
	f := open(t, "meppel")
	documents, ids := withIDs(t, f)
	h := play(t, f, options{documents: documents})
	h.box.SetFault("UWV", sandbox.Slow(time.Second))
	c := h.client(nil)
	b, err := h.askDuring(func() {
		w, err := f.Withdrawal(ids[0])
		require.NoError(t, err)
		_, err = c.Register(t.Context(), w)
		require.NoError(t, err)
	})
	require.NoError(t, err)
	require.Equal(t, "CONSENT_WITHDRAWN", gapOf(b, "A1", "UWV"))
	require.Zero(t, b.GetIncomeCents(), "it was fetched, and is not disclosed")
	require.Equal(t, int64(11184437), b.GetCareTotalCents(), "the others are not touched by it")
	code, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(h.dir, "data"))
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "holds")
}

// Whatever is changed in the log, audit verify names the entry and exits with 4.
func TestAuditVerifyNamesTheEntry(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	_, err := h.ask()
	require.NoError(t, err)
	h.server.Close()
	data := filepath.Join(h.dir, "data")
	code, out, errs := cli(t, "audit", "verify", "--data", data)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "1 releases")

	path := filepath.Join(data, server.RecordFile)
	rows := storetest.Rows(t, path)
	for _, n := range []int{0, len(rows) / 2, len(rows) - 1} {
		for part, change := range map[string]func(*audit.Row){
			"id":      func(r *audit.Row) { r.ID = other(r.ID) },
			"leaf":    func(r *audit.Row) { r.Leaf = []byte(other(string(r.Leaf))) },
			"opening": func(r *audit.Row) { r.Opening = []byte(other(string(r.Opening))) },
			"hashes":  func(r *audit.Row) { r.Hashes = []byte(other(string(r.Hashes))) },
		} {
			storetest.Change(t, path, int64(n), change)
			code, _, errs := cli(t, "audit", "verify", "--data", data)
			require.Equal(t, exitTampered, code, "entry %d, %s: %s", n, part, errs)
			require.Contains(t, errs, fmt.Sprintf("entry %d", n), part)
			storetest.Change(t, path, int64(n), func(r *audit.Row) { *r = rows[n] })
		}
	}
	code, _, errs = cli(t, "audit", "verify", "--data", data)
	require.Equal(t, exitDone, code, "all put back: %s", errs)
}

// A database file that is broken is reported as such.
func TestADamagedFileIsReported(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	_, err := h.ask()
	require.NoError(t, err)
	h.server.Close()
	data := filepath.Join(h.dir, "data")
	raw, err := os.ReadFile(filepath.Join(data, server.RecordFile))
	require.NoError(t, err)
	for i := 4096; i < len(raw); i += 4096 {
		broken := bytes.Clone(raw)
		copy(broken[i:], bytes.Repeat([]byte{0xAA}, 512))
		require.NoError(t, os.WriteFile(filepath.Join(data, server.RecordFile), broken, 0o600))
		code, _, errs := cli(t, "audit", "verify", "--data", data)
		require.Equal(t, exitTampered, code, "page %d", i/4096)
		require.Contains(t, errs, "damaged")
	}
	require.NoError(t, os.WriteFile(filepath.Join(data, server.RecordFile), []byte("not a database at all, of some length"), 0o600))
	code, _, errs := cli(t, "audit", "verify", "--data", data)
	require.Equal(t, exitTampered, code)
	require.Contains(t, errs, "damaged")
}

// other gives a text with one bit in its middle changed.
func other(s string) string {
	b := []byte(s)
	b[len(b)/2] ^= 1
	return string(b)
}

// A budget that was changed after it was signed does not verify.
func TestAChangedBudgetDoesNotVerify(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{})
	b, err := h.ask()
	require.NoError(t, err)
	trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	keys, err := trust.Verifier()
	require.NoError(t, err)
	pinned := result.Trust{Keys: keys, Releaser: f.Requester().OIN, Log: logKeys(t, f.Requester())}
	claims, err := result.Verify(b, pinned)
	require.NoError(t, err)
	require.False(t, claims.Complete)

	*b.Lines[0].ValueCents++
	_, err = result.Verify(b, pinned)
	require.ErrorIs(t, err, result.ErrMismatch)
	require.Equal(t, exitTampered, exitCode(err))
	*b.Lines[0].ValueCents--
	b.Receipt.Index--
	_, err = result.Verify(b, pinned)
	require.ErrorIs(t, err, result.ErrMismatch)
	b.Receipt.Index++
	pinned.Releaser = f.Parties["UWV"].OIN
	_, err = result.Verify(b, pinned)
	require.ErrorIs(t, err, result.ErrMismatch)
	require.False(t, strings.Contains(err.Error(), "9999400"))
}
