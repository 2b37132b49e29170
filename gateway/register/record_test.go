package register_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

const keeper = identity.OIN("00000099000000119000")

// record is a journal of real parts: a signed log on SQLite, with its head outside, that
// one process after another writes. What it looks at is the register of that process.
type record struct {
	t       *rapid.T
	place   place
	keys    audit.Keys
	went    *went
	child   *child
	encoded []byte             // the register, as the process last sent it
	decoded *register.Register // the same, once it was looked at
	size    int64              // how many entries were acknowledged
	proven  string             // the head by the last proof of this epoch
	fuse    int                // the process is killed after so many more entries; zero: it is not
	traces  int
	copies  int
	day     civil.Date
}

// went counts after what another process went on.
type went struct{ closing, killing, recovery atomic.Int64 }

// start has another process write the log, and finds all in it that was acknowledged.
func (r *record) start() {
	before := r.encoded
	r.begin()
	r.do(request{Do: "open"})
	size := r.view().Size()
	require.GreaterOrEqual(r.t, size, r.size, "entries that were acknowledged")
	if r.size = size; before != nil {
		r.resumes(before)
	}
	r.verify(r.proven)
}

func (r *record) begin() {
	c, err := startChild()
	require.NoError(r.t, err)
	r.child = c
}

// resumes holds the register of a process against that of the one before. One that is
// killed may be writing down a snapshot: an entry of its own, that changes nothing else.
func (r *record) resumes(before []byte) {
	was, is := r.decode(before), r.decode(r.encoded)
	require.InDelta(r.t, was.Size(), is.Size(), 1)
	for _, one := range []*register.Register{was, is} {
		if size := one.Size(); size < max(was.Size(), is.Size()) {
			one.Apply(register.Entry{Index: size, Day: one.Day()})
		}
	}
	list := func(of *register.Register) []register.Record { return of.Head().List(register.Consent) }
	require.True(r.t, bytes.Equal(was.Encode(), is.Encode()), "of these consents\n%+v\nare left\n%+v", list(was), list(is))
}

func (r *record) decode(encoded []byte) *register.Register {
	decoded, err := register.Decode(encoded)
	require.NoError(r.t, err)
	return decoded
}

// verify is what an auditor does who knows a head.
func (r *record) verify(head string) {
	s, err := sqlite.Inspect(context.Background(), r.place.Path)
	require.NoError(r.t, err)
	_, err = audit.Verify(context.Background(), s, audit.Inspection{Tenant: keeper, Keys: r.keys, Head: head})
	require.NoError(r.t, errors.Join(err, s.Close()))
}

// ask gives the proof or the refusal. Any other error fails.
func (r *record) ask(q request) (audit.Proof, error) {
	q.Day, q.Place = r.day, r.place
	a, err := r.child.ask(q)
	require.NoError(r.t, err, "the process to %s ended", q.Do)
	require.Empty(r.t, a.Failure, q.Do)
	r.encoded, r.decoded = a.Register, nil
	for _, refusal := range refusals() {
		if a.Refusal == refusal.Error() {
			return audit.Proof{}, refusal
		}
	}
	return a.Proof, nil
}

// do is ask of what nobody refuses.
func (r *record) do(q request) {
	_, err := r.ask(q)
	require.NoError(r.t, err, q.Do)
}

// append asks for an entry. The process may be killed as soon as it is acknowledged, while
// it writes down a snapshot or the head.
func (r *record) append(do string, e audit.Entry) (audit.Proof, error) {
	proof, err := r.ask(request{Do: do, Entry: e})
	if err != nil || proof.Again {
		return proof, err
	}
	r.size, r.proven = proof.Index+1, cmp.Or(proof.Checkpoint, r.proven)
	if r.fuse > 0 {
		if r.fuse--; r.fuse == 0 {
			r.killed()
		}
	}
	return proof, nil
}

// killed is what happens when the process is killed where it is.
func (r *record) killed() {
	r.went.killing.Add(1)
	r.child.kill()
	r.start()
}

// close ends the process as one should.
func (r *record) close(copyTo string) {
	r.do(request{Do: "close", CopyTo: copyTo})
	require.NoError(r.t, r.child.end())
}

// restart kills the process, now or once it has acknowledged a few entries more, or ends it
// as one should; then it goes on from a copy now and then, that was made while it was open
// as a backup does.
func (r *record) restart() {
	if rapid.Bool().Draw(r.t, "killed") {
		if r.fuse = rapid.IntRange(0, 3).Draw(r.t, "entries until then"); r.fuse == 0 {
			r.killed()
		}
		return
	}
	copyTo := ""
	if rapid.Bool().Draw(r.t, "from a copy") {
		copyTo = r.place.Path + "+"
	}
	r.close(copyTo)
	r.place.Path = cmp.Or(copyTo, r.place.Path)
	size := r.view().Size()
	r.went.closing.Add(1)
	r.start()
	require.Equal(r.t, size, r.view().Size())
}

func (r *record) view() register.View {
	if r.decoded == nil {
		r.decoded = r.decode(r.encoded)
	}
	return r.decoded.At(r.decoded.Size())
}

func (r *record) ends(id string) bool {
	d, _ := r.view().Document(id)
	_, err := r.append("append", audit.Entry{Kind: audit.Withdrawal, End: id})
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
	to := fmt.Sprintf("%s-copy-%d", r.place.Path, r.copies)
	r.do(request{Do: "copy", CopyTo: to})
	return to
}

// back puts a copy where the log was, which is lost with its process.
func (r *record) back(to any) {
	r.child.kill()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(r.place.Path + suffix)
	}
	raw, err := os.ReadFile(to.(string))
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(r.place.Path, raw, 0o600))
}

// recover takes the log on in a process of its own, that is killed once it says so.
func (r *record) recover() {
	r.begin()
	r.do(request{Do: "recover"})
	r.child.kill()
	r.went.recovery.Add(1)
	r.size, r.proven = 0, "" // of what was lost
	r.start()
}

func (r *record) forget(func(register.Entry) bool) {} // it has destroyed it

func (r *record) erase(e register.Entry) error {
	entry := audit.Entry{Day: e.Day, Status: "erased"}
	for _, s := range e.Erase {
		entry.Subjects = append(entry.Subjects, []byte(s))
	}
	_, err := r.append("erase", entry)
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
	proof, err := r.append("append", entry)
	if err == nil && proof.Again {
		return register.ErrEnded // the model calls a second revocation an error
	}
	if err == nil {
		r.release(e)
	}
	return err
}

// release makes a request about what the entry is of, and lets a release rest on what
// counts by now: the log takes it when it counts, and refuses it when not.
func (r *record) release(e register.Entry) {
	if e.Put == nil || e.Put.Kind != register.Consent {
		return
	}
	r.traces++
	trace := fmt.Sprintf("%032x", r.traces)
	asked, err := r.append("append", audit.Entry{Kind: audit.Decision, Trace: trace, Day: e.Day})
	require.NoError(r.t, err)
	sum := sha256.Sum256([]byte(trace))
	for _, g := range e.Put.Grants {
		for _, recipient := range e.Put.Recipients {
			rest := register.Rest{ID: e.Put.ID, Source: g.Source, Recipient: recipient}
			counts := r.view().Counts(rest, e.Day, r.view().Size())
			_, err := r.append("append", audit.Entry{
				Kind: audit.Release, Trace: trace, Decided: asked.Index, Day: e.Day, Payload: sum[:], Rests: []register.Rest{rest},
			})
			require.Equal(r.t, counts, err == nil, "a release on %s for %s: %v", e.Put.ID, g.Source, err)
		}
	}
}

// The same sequences on the real audit log, that is written by real processes: they end or are
// killed between the steps, and within them. What was acknowledged is there after that, and
// at the end of each sequence the auditor finds that the log is whole. Most of the time goes
// in waiting for the disk, so several run at once.
func TestTheAuditLogIsTheModel(t *testing.T) {
	const parts = 4
	count := 300
	if os.Getenv("ONTSCHOT_LONG") == "1" {
		count = 1500
	}
	checks(t, strconv.Itoa(count/parts))
	secret, public, err := audit.GenerateKey("ontschot.nl/log/" + string(keeper))
	require.NoError(t, err)
	keys, err := audit.ParseKeys(public)
	require.NoError(t, err)
	went := &went{}
	t.Cleanup(func() {
		closing, killing := went.closing.Load(), went.killing.Load()
		t.Logf("another process went on %d times after one that ended, %d after a kill, %d after a recovery", closing, killing, went.recovery.Load())
		require.True(t, t.Failed() || closing > 0 && killing > 0)
	})
	for part := range parts {
		t.Run(strconv.Itoa(part), func(t *testing.T) {
			t.Parallel()
			folder, n := t.TempDir(), 0
			rapid.Check(t, sequence(func(t *rapid.T) journal {
				n++
				dir := filepath.Join(folder, strconv.Itoa(n))
				require.NoError(t, os.Mkdir(dir, 0o700))
				r := &record{t: t, keys: keys, went: went, place: place{filepath.Join(dir, "record.db"), filepath.Join(dir, "head"), secret}}
				r.fuse = rapid.IntRange(0, 30).Draw(t, "entries until it is killed")
				r.run(rapid.Bool().Draw(t, "killed at the end"))
				return r
			}))
		})
	}
}

// run starts the first process, and sees to it that the last one ends and leaves a log
// that holds.
func (r *record) run(killed bool) {
	r.begin()
	r.t.Cleanup(func() {
		r.child.kill()
		require.NoError(r.t, os.RemoveAll(filepath.Dir(r.place.Path)))
	})
	r.do(request{Do: "open"})
	r.t.Cleanup(func() {
		switch {
		case r.t.Failed():
			return
		case killed:
			r.child.kill()
		default:
			r.close("")
		}
		head, err := audit.HeadFile{Path: r.place.Head}.Read()
		require.NoError(r.t, err)
		require.NotEmpty(r.t, head)
		r.verify(head)
		r.verify(r.proven)
	})
}
