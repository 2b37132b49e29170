package register_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// record is a journal of real parts: a signed log on SQLite, with its head outside.
type record struct {
	t      *rapid.T
	config audit.Config
	path   string
	store  *store.Store
	log    *audit.Log
	traces int
	copies int
	day    civil.Date
}

const keeper = identity.OIN("00000099000000119000")

func (r *record) open() {
	var err error
	r.store, err = store.Open(context.Background(), r.path)
	require.NoError(r.t, err)
	r.config.Store = r.store
	r.log, err = audit.Open(context.Background(), r.config)
	require.NoError(r.t, err)
}

func (r *record) close() {
	r.log.Close()
	require.NoError(r.t, r.store.Close())
}

// restart ends the record, copies it while it is open as a backup does, and goes on from
// the copy now and then.
func (r *record) restart() {
	r.log.Close() // it may write down a snapshot after its last entry
	if rapid.Bool().Draw(r.t, "from a copy") {
		to := r.path + "+"
		require.NoError(r.t, r.store.Copy(context.Background(), to))
		r.path = to
	}
	r.close()
	r.open()
}

func (r *record) view() register.View { return r.log.Register() }

func (r *record) ends(id string) bool {
	d, _ := r.view().Document(id)
	_, err := r.log.Append(context.Background(), audit.Entry{Kind: audit.Withdrawal, End: id})
	require.NoError(r.t, err)
	after, _ := r.view().Document(id)
	return d.Ended != after.Ended
}

// save makes a copy now and then, as an operator does.
func (r *record) save() any {
	if rapid.IntRange(0, 5).Draw(r.t, "a copy") > 0 {
		return nil
	}
	r.copies++
	to := fmt.Sprintf("%s-copy-%d", r.path, r.copies)
	require.NoError(r.t, r.store.Copy(context.Background(), to))
	return to
}

// back puts a copy where the record was, which is lost.
func (r *record) back(to any) {
	r.close()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(r.path + suffix)
	}
	raw, err := os.ReadFile(to.(string))
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(r.path, raw, 0o600))
}

// recover is what the operator does then; when the copy is whole, the head is lost too.
func (r *record) recover() {
	s, err := store.Open(context.Background(), r.path)
	require.NoError(r.t, err)
	r.config.Store = s
	_, err = audit.Recover(context.Background(), r.config, 0)
	if errors.Is(err, audit.ErrWhole) {
		require.NoError(r.t, os.Remove(r.config.Head.Path))
		_, err = audit.Recover(context.Background(), r.config, 0)
	}
	require.NoError(r.t, err)
	require.NoError(r.t, s.Close())
	r.open()
}

func (r *record) forget(func(register.Entry) bool) {} // it has destroyed it

func (r *record) erase(e register.Entry) error {
	entry := audit.Entry{Day: e.Day, Status: "erased"}
	for _, s := range e.Erase {
		entry.Subjects = append(entry.Subjects, []byte(s))
	}
	_, err := r.log.Erase(context.Background(), entry)
	return err
}

func (r *record) enter(e register.Entry, rests ...register.Rest) error {
	r.day = max(r.day, e.Day)
	entry := audit.Entry{Day: e.Day, End: e.End, Rests: rests, Key: e.Key, Confirm: e.Confirm}
	switch {
	case e.Epoch:
		r.recover()
		return nil
	case len(e.Erase) > 0:
		return r.erase(e)
	case e.Confirm != "":
		entry.Kind = audit.Confirmation
	case e.Key != nil:
		entry.Kind = audit.Key
	case e.Stated:
		entry.Kind = audit.Withdrawal
	case e.Put.Kind == register.Consent:
		entry.Kind = audit.Consent
	default:
		entry.Kind = audit.Agreement
	}
	if e.Put != nil {
		entry.Put = &audit.Document{Document: *e.Put, Body: []byte(e.Put.ID), Openings: []byte("[]")}
	}
	proof, err := r.log.Append(context.Background(), entry)
	if err == nil && proof.Again {
		return register.ErrEnded // the model calls a second revocation an error
	}
	if err == nil {
		r.release(e)
	}
	return err
}

// release puts a question about what the entry is of, and lets a release rest on what
// counts by now: the log takes it when it counts, and refuses it when not.
func (r *record) release(e register.Entry) {
	if e.Put == nil || e.Put.Kind != register.Consent {
		return
	}
	r.traces++
	trace := fmt.Sprintf("%032x", r.traces)
	asked, err := r.log.Append(context.Background(), audit.Entry{Kind: audit.Decision, Trace: trace, Day: e.Day})
	require.NoError(r.t, err)
	sum := sha256.Sum256([]byte(trace))
	for _, g := range e.Put.Grants {
		for _, recipient := range e.Put.Recipients {
			rest := register.Rest{ID: e.Put.ID, Source: g.Source, Recipient: recipient}
			counts := r.view().Counts(rest, e.Day, r.view().Size())
			_, err := r.log.Append(context.Background(), audit.Entry{
				Kind: audit.Release, Trace: trace, Decided: asked.Index, Day: e.Day, Payload: sum[:], Rests: []register.Rest{rest},
			})
			require.Equal(r.t, counts, err == nil, "a release on %s for %s: %v", e.Put.ID, g.Source, err)
		}
	}
}

// The same sequences on the real record, with restarts and copies between the steps; at
// the end of each the auditor finds that it holds.
func TestTheRecordIsTheModel(t *testing.T) {
	count := "300"
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		count = "1500"
	}
	origin := "ontschot.nl/log/" + string(keeper)
	secret, _, err := audit.GenerateKey(origin)
	require.NoError(t, err)
	key, err := audit.ParseKey(secret)
	require.NoError(t, err)
	folder, n := t.TempDir(), 0
	check(t, count, func(t *rapid.T) journal {
		n++
		place := filepath.Join(folder, fmt.Sprint(n))
		require.NoError(t, os.Mkdir(place, 0o700))
		r := &record{t: t, path: filepath.Join(place, "record.db"), config: audit.Config{
			Origin: origin, Tenant: keeper, Key: key, SnapshotEvery: 5, Head: &audit.HeadFile{Path: filepath.Join(place, "head")},
		}}
		r.config.Today = func() civil.Date { return r.day }
		r.open()
		t.Cleanup(func() {
			r.log.Close()
			head, err := r.config.Head.Read()
			require.NoError(t, err)
			_, err = audit.Verify(context.Background(), r.store, audit.Inspection{Tenant: keeper, Keys: audit.Keys{key.Verifier}, Head: head})
			require.NoError(t, err)
			require.NoError(t, r.store.Close())
			require.NoError(t, os.RemoveAll(place))
		})
		return r
	})
}
