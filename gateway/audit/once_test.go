package audit_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/identity"
)

func retryOf(t *testing.T, p audit.Proof) int64 {
	t.Helper()
	leaf, err := audit.ParseLeaf(p.Leaf)
	require.NoError(t, err)
	return leaf.RetryOf
}

// ask makes a request under a key.
func (b *bench) ask(kind audit.Kind, key, body string) (audit.Proof, error) {
	e := decision(b.trace())
	e.Kind, e.Once = kind, once(key, body)
	return b.log.Append(context.Background(), e)
}

func TestARequestMadeAgain(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	first, err := b.ask(audit.Decision, "k", "q")
	require.NoError(t, err)
	require.EqualValues(t, -1, retryOf(t, first))
	for i, kind := range []audit.Kind{audit.Decision, audit.Deny, audit.Decision} {
		retry, err := b.ask(kind, "k", "q")
		require.NoError(t, err)
		require.False(t, retry.Again)
		require.Equal(t, first.Index+1+int64(i), retry.Index)
		require.Equal(t, first.Index, retryOf(t, retry), "always the first, never a retry")
	}
	another, err := b.ask(audit.Decision, "k2", "q")
	require.NoError(t, err)
	require.EqualValues(t, -1, retryOf(t, another))
	_, err = b.ask(audit.Decision, "k", "q2")
	require.ErrorIs(t, err, audit.ErrKeyReused)
	row, found, err := b.store.Once(t.Context(), tenant, once("k", "q").Key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, once("k", "q").Body, row.Body)
	require.Equal(t, first.Index, row.Entry)
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 6, report.Size)
	require.EqualValues(t, 3, report.Retries)
	require.EqualValues(t, 5, report.Kinds[audit.Decision]+report.Kinds[audit.Deny])
}

// TestARetryIsReleasedOnItsOwnDecision: what is released rests on what holds now,
// not on what held when the request was first made.
func TestARetryIsReleasedOnItsOwnDecision(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	_, err := b.ask(audit.Decision, "k", "q")
	require.NoError(t, err)
	trace := b.trace()
	e := decision(trace)
	e.Once = once("k", "q")
	retry := b.append(e)
	digest := [32]byte{1}
	p := b.append(release(trace, retry.Index, digest, "c-1"))
	require.Equal(t, retry.Index, p.Decided)
	require.NoError(t, audit.VerifyReceipt(p.Receipt(), digest, audit.Keys{b.key.Verifier}))
	b.append(withdrawal("c-1"))
	_, err = b.log.Append(t.Context(), release(trace, retry.Index, digest, "c-1"))
	require.ErrorIs(t, err, audit.ErrEnded)
	_, err = b.verify()
	require.NoError(t, err)
}

func TestAnActIsNotDoneTwice(t *testing.T) {
	b := newBench(t)
	give := func(id string) audit.Entry {
		e := consent(id)
		e.Once = once("k", "give")
		e.Once.Ref = id
		return e
	}
	first := b.append(give("c-1"))
	require.False(t, first.Again)
	again := b.append(give("c-2"))
	require.True(t, again.Again)
	require.Equal(t, "c-1", again.Ref, "what the first request made")
	require.Equal(t, first.Index, again.Index)
	require.Equal(t, first.Leaf, again.Leaf)
	_, err := b.log.Document(t.Context(), "c-2")
	require.ErrorIs(t, err, audit.ErrNoDocument)

	other := give("c-3")
	other.Once = once("k", "give another")
	_, err = b.log.Append(t.Context(), other)
	require.ErrorIs(t, err, audit.ErrKeyReused)
	_, err = b.ask(audit.Decision, "k", "give")
	require.ErrorIs(t, err, audit.ErrKeyReused, "a decision is no retry of an act")
	_, err = b.ask(audit.Decision, "q", "ask")
	require.NoError(t, err)
	other.Once = once("q", "ask")
	_, err = b.log.Append(t.Context(), other)
	require.ErrorIs(t, err, audit.ErrKeyReused, "nor an act of a decision")
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Size)
}

// TestAKeyOfWhatWasDoneBefore: a withdrawal of what has ended appends nothing, and
// its key counts all the same.
func TestAKeyOfWhatWasDoneBefore(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	next := consent("c-2")
	next.End = "c-1"
	replaced := b.append(next)
	late := withdrawal("c-1")
	late.Once = once("k", "withdraw")
	for range 2 {
		p := b.append(late)
		require.True(t, p.Again)
		require.Equal(t, replaced.Index, p.Index)
	}
	late.Once = once("k", "withdraw another")
	_, err := b.log.Append(t.Context(), late)
	require.ErrorIs(t, err, audit.ErrKeyReused)
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Size)
	b.exchange("c-2")
}

// TestARefusalUsesNoKey: what was not recorded may be tried again.
func TestARefusalUsesNoKey(t *testing.T) {
	b := newBench(t)
	e := decision(b.trace())
	e.Rests, e.Once = restsOn("c-1"), once("k", "q")
	_, err := b.log.Append(t.Context(), e)
	require.ErrorIs(t, err, audit.ErrEnded)
	_, found, err := b.store.Once(t.Context(), tenant, e.Once.Key)
	require.NoError(t, err)
	require.False(t, found)
	b.append(consent("c-1"))
	require.EqualValues(t, -1, retryOf(t, b.append(e)))
	b.append(withdrawal("c-1"))
	_, err = b.log.Append(t.Context(), e)
	require.ErrorIs(t, err, audit.ErrEnded, "a retry rests on what holds now")
}

func TestAKeyExpires(t *testing.T) {
	b := newBench(t)
	at := time.UnixMilli(1767225600123)
	c := b.config(b.store)
	c.Now = func() time.Time { return at }
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	defer l.Close()
	ask := func(body string, life time.Duration) (audit.Proof, error) {
		e := decision(b.trace())
		e.Once = once("k", body)
		e.Once.Life = life
		return l.Append(t.Context(), e)
	}
	_, err = ask("q", 0)
	require.NoError(t, err)
	at = at.Add(24*time.Hour - time.Millisecond)
	_, err = ask("other", 0)
	require.ErrorIs(t, err, audit.ErrKeyReused)
	retry, err := ask("q", 0)
	require.NoError(t, err)
	require.EqualValues(t, 0, retryOf(t, retry))
	at = at.Add(time.Millisecond) // the retry has not made it live longer
	fresh, err := ask("other", time.Minute)
	require.NoError(t, err)
	require.EqualValues(t, -1, retryOf(t, fresh))
	row, found, err := b.store.Once(t.Context(), tenant, once("k", "").Key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, fresh.Index, row.Entry)
	require.Equal(t, at.Add(time.Minute).UnixMilli(), row.Expires)

	at = at.Add(time.Minute)
	e := decision(b.trace())
	e.Once = once("another", "q")
	_, err = l.Append(t.Context(), e)
	require.NoError(t, err)
	_, found, err = b.store.Once(t.Context(), tenant, once("k", "").Key)
	require.NoError(t, err)
	require.False(t, found, "the next key that is stored clears away what has expired")
}

func TestKeysThatAreRefused(t *testing.T) {
	b := newBench(t)
	for name, o := range map[string]*audit.Once{
		"key":  {Body: [32]byte{1}},
		"body": {Key: [32]byte{1}},
		"ref":  {Key: [32]byte{1}, Body: [32]byte{1}, Ref: "a name with spaces"},
		"life": {Key: [32]byte{1}, Body: [32]byte{1}, Life: -1},
	} {
		e := decision(b.trace())
		e.Once = o
		_, err := b.log.Append(t.Context(), e)
		require.ErrorIs(t, err, audit.ErrInvalid)
		require.ErrorContains(t, err, "once."+name)
		require.NotContains(t, err.Error(), "spaces")
	}
}

// TestOneKeyInOneGroup: entries of one transaction behave as if they came one
// after the other, and a key that is refused disturbs nobody.
func TestOneKeyInOneGroup(t *testing.T) {
	b, g, l := gated(t)
	held := start(t.Context(), l, decision(b.trace()))
	<-g.entered
	asked := func(body string) audit.Entry {
		e := decision(b.trace())
		e.Once = once("q", body)
		return e
	}
	gives := func(id string) audit.Entry {
		e := consent(id)
		e.Once = once("g", "give")
		e.Once.Ref = id
		return e
	}
	refused := asked("q")
	refused.Rests = restsOn("nobody")
	var waiting []<-chan result
	for i, e := range []audit.Entry{refused, asked("q"), asked("other"), gives("c-3"), asked("q"), gives("c-4"), asked("q")} {
		waiting = append(waiting, start(t.Context(), l, e))
		waitFor(t, l, i+1)
	}
	g.pass <- nil
	g.pass <- nil
	require.NoError(t, (<-held).err)
	var got []result
	for _, w := range waiting {
		got = append(got, <-w)
	}
	require.ErrorIs(t, got[0].err, audit.ErrEnded)
	require.ErrorIs(t, got[2].err, audit.ErrKeyReused)
	first := got[1].proof
	require.EqualValues(t, -1, retryOf(t, first))
	for _, i := range []int{4, 6} {
		require.NoError(t, got[i].err)
		require.Equal(t, first.Index, retryOf(t, got[i].proof))
	}
	require.NoError(t, got[5].err)
	require.True(t, got[5].proof.Again)
	require.Equal(t, got[3].proof.Index, got[5].proof.Index)
	require.Equal(t, "c-3", got[5].proof.Ref)
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 7, report.Size)
	require.EqualValues(t, 2, report.Retries)
}

// TestAKeyOfACommitThatLanded: entry and key are on disk together or not at all.
func TestAKeyOfACommitThatLanded(t *testing.T) {
	b, g, l := gated(t)
	e := decision(b.trace())
	e.Once = once("k", "q")
	for _, c := range []struct {
		verdict, want error
		retryOf       int64
	}{{errDisk, audit.ErrUnavailable, 0}, {errAfter, nil, -1}, {nil, nil, 2}} {
		g.pass <- c.verdict
		done := start(t.Context(), l, e)
		<-g.entered
		r := <-done
		require.ErrorIs(t, r.err, c.want)
		if c.want == nil {
			require.Equal(t, c.retryOf, retryOf(t, r.proof))
		}
	}
	_, err := b.verify()
	require.NoError(t, err)
}

// TestOneKeyManyTimes asks under few keys from two processes at once: each key has
// one first entry, and everything else is its retry.
func TestOneKeyManyTimes(t *testing.T) {
	b := newBench(t)
	second, err := sqlite.Open(t.Context(), b.path)
	require.NoError(t, err)
	defer second.Close()
	l, err := audit.Open(t.Context(), b.config(second))
	require.NoError(t, err)
	defer l.Close()
	const writers, each, keys = 8, 25, 5
	var firsts, reused atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				e := decision(b.trace())
				e.Once = once(fmt.Sprint(i%keys), fmt.Sprint(w%4/3))
				p, err := []*audit.Log{b.log, l}[w%2].Append(context.Background(), e)
				switch {
				case errors.Is(err, audit.ErrKeyReused):
					reused.Add(1)
				case err != nil:
					t.Error(err)
				case strings.Contains(string(p.Leaf), `"retry_of":-1`):
					firsts.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, keys, firsts.Load())
	require.NotZero(t, reused.Load())
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, writers*each-reused.Load(), report.Size)
	require.Equal(t, report.Size-keys, report.Retries)
}

// TestRowsOfKeysAreNotBelieved: the table is no part of the log, so whatever is
// in it, what the log says of a retry is true.
func TestRowsOfKeysAreNotBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		change string
		want   error
	}{
		"a consent":        {"entry = 0", audit.ErrKeyReused},
		"a retry":          {"entry = 2", audit.ErrKeyReused},
		"nothing yet":      {"entry = 100", audit.ErrKeyReused},
		"nothing ever":     {"entry = -5", audit.ErrKeyReused},
		"no number":        {"entry = 'x'", audit.ErrKeyReused},
		"no body":          {"body = x''", audit.ErrKeyReused},
		"a body of text":   {"body = 'x'", audit.ErrKeyReused},
		"expired":          {"expires = 0", nil},
		"no time":          {"expires = 'x'", nil},
		"another decision": {"entry = 3", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.append(consent("c-1"))
			for range 2 {
				_, err := b.ask(audit.Decision, "k", "q")
				require.NoError(t, err)
			}
			b.append(decision(b.trace()))
			db, err := sql.Open("sqlite", b.path)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.Exec("UPDATE once SET " + c.change)
			require.NoError(t, err)
			_, err = b.verify()
			require.NoError(t, err, "not vouched for")
			_, err = b.ask(audit.Decision, "k", "q")
			require.ErrorIs(t, err, c.want)
			_, err = b.verify()
			require.NoError(t, err)
		})
	}
}

// slow is a store that dawdles between a commit and saying so.
type slow struct {
	audit.Store
	committed, on chan struct{}
}

func (s *slow) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	err := s.Store.Update(ctx, tenant, f)
	s.committed <- struct{}{}
	<-s.on
	return err
}

// A request that is committed and not folded in yet is not said to have been made: what it
// made could not be found.
func TestARequestIsFoundWithWhatItMade(t *testing.T) {
	b := newBench(t)
	b.log.Close()
	s := &slow{b.store, make(chan struct{}), make(chan struct{})}
	log, err := audit.Open(t.Context(), b.config(s))
	require.NoError(t, err)
	done := make(chan error)
	e := consent("c-1")
	e.Once = once("k", "q")
	e.Once.Ref = "c-1"
	go func() {
		_, err := log.Append(context.Background(), e)
		done <- err
	}()
	<-s.committed
	_, stored, err := b.store.Once(t.Context(), tenant, e.Once.Key)
	require.NoError(t, err)
	require.True(t, stored)
	_, found, err := log.Once(t.Context(), e.Once.Key)
	require.NoError(t, err)
	_, known := log.Register().Document("c-1")
	require.Equal(t, known, found)
	s.on <- struct{}{}
	require.NoError(t, <-done)
	row, found, err := log.Once(t.Context(), e.Once.Key)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, "c-1", row.Ref)
	go func() { // what it writes down when it ends
		for range s.committed {
			s.on <- struct{}{}
		}
	}()
	log.Close()
}
