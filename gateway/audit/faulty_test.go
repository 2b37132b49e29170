package audit_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// faulty is a store of which one call fails: the one of that number, from one on; or
// more in a row.
type faulty struct {
	audit.Store
	at, more, calls int
	rows, write     bool // these fail, whichever call it is
}

// begin counts anew; zero never fails.
func (f *faulty) begin(at int) { f.at, f.calls = at, 0 }

func (f *faulty) fault() error {
	if f.calls++; f.calls >= f.at && f.calls <= f.at+f.more && f.at > 0 {
		return errDisk
	}
	return nil
}

func (f *faulty) Update(ctx context.Context, tenant identity.OIN, do func(audit.Tx) error) error {
	return f.Store.Update(ctx, tenant, func(tx audit.Tx) error { return do(&faultyTx{faultySnapshot{tx, f}, tx}) })
}

func (f *faulty) View(ctx context.Context, tenant identity.OIN, do func(audit.Snapshot) error) error {
	return f.Store.View(ctx, tenant, func(s audit.Snapshot) error { return do(&faultySnapshot{s, f}) })
}

func (f *faulty) Check(ctx context.Context) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Store.Check(ctx)
}

type faultySnapshot struct {
	audit.Snapshot
	f *faulty
}

func (s *faultySnapshot) Head() (audit.Head, error) {
	if err := s.f.fault(); err != nil {
		return audit.Head{}, err
	}
	return s.Snapshot.Head()
}

func (s *faultySnapshot) Rows(from int64, limit int) ([]audit.Row, error) {
	if err := s.f.fault(); err != nil || s.f.rows {
		return nil, errDisk
	}
	return s.Snapshot.Rows(from, limit)
}

func (s *faultySnapshot) Documents(after string, limit int) ([]audit.Stored, error) {
	if err := s.f.fault(); err != nil {
		return nil, err
	}
	return s.Snapshot.Documents(after, limit)
}

func (s *faultySnapshot) Document(id string) (audit.Stored, bool, error) {
	if err := s.f.fault(); err != nil {
		return audit.Stored{}, false, err
	}
	return s.Snapshot.Document(id)
}

type faultyTx struct {
	faultySnapshot
	tx audit.Tx
}

func (t *faultyTx) Once(key [32]byte) (audit.OnceRow, bool, error) {
	if err := t.f.fault(); err != nil {
		return audit.OnceRow{}, false, err
	}
	return t.tx.Once(key)
}

func (t *faultyTx) Write(b audit.Batch) error {
	if err := t.f.fault(); err != nil || t.f.write {
		return errDisk
	}
	return t.tx.Write(b)
}

// eachFault does something with each of its calls to the store failing in turn, and
// then with none: it must fail with the store's error as often, and succeed at the end.
func (f *faulty) eachFault(t *testing.T, name string, do func() error) {
	t.Helper()
	for at := 1; ; at++ {
		require.Less(t, at, 100, name)
		f.begin(at)
		err := do()
		if f.calls < at {
			require.NoError(t, err, name)
			require.Greater(t, at, 1, "%s: it asks the store nothing", name)
			f.begin(0)
			return
		}
		require.ErrorIs(t, err, errDisk, "%s, call %d", name, at)
	}
}

// Whichever call to the store fails, it is reported, nothing is half done, and the next try
// does it.
func TestEveryFaultOfTheStoreIsReported(t *testing.T) {
	b := newBench(t)
	story(b)
	decided := b.trace()
	d := b.append(decision(decided))
	once1 := decision(b.trace())
	once1.Once = once("k", "q")
	b.append(once1)
	b.append(agreement("a-9"))
	f := &faulty{Store: b.store}
	ctx := t.Context()
	open := func() (l *audit.Log) {
		l, err := audit.Open(ctx, b.config(f))
		require.NoError(t, err)
		return l
	}
	f.eachFault(t, "opening", func() error {
		l, err := audit.Open(ctx, b.config(f))
		if err == nil {
			l.Close()
		}
		return err
	})
	outside := b.config(f)
	outside.Head = &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
	l := open()
	last, err := l.Prove(ctx, d.Index)
	require.NoError(t, err)
	l.Close()
	require.NoError(t, os.WriteFile(outside.Head.Path, []byte(last.Checkpoint), 0o600))
	f.eachFault(t, "opening, with a head outside", func() error {
		l, err := audit.Open(ctx, outside)
		if err == nil {
			l.Close()
		}
		return err
	})
	f.eachFault(t, "verifying", func() error {
		_, err := audit.Verify(ctx, f, b.inspection())
		return err
	})
	by := b.inspection()
	by.Head = last.Checkpoint
	f.eachFault(t, "verifying, with a head outside", func() error {
		_, err := audit.Verify(ctx, f, by)
		return err
	})
	l = open()
	defer func() { l.Close() }()
	f.eachFault(t, "proving", func() error { _, err := l.Prove(ctx, 1); return err })
	f.eachFault(t, "a document", func() error { _, err := l.Document(ctx, "c-1"); return err })
	f.eachFault(t, "documents", func() error { _, err := l.Documents(ctx, []string{"c-1", "c-2"}); return err })
	retry := decision(b.trace())
	retry.Once = once("k", "q")
	digest := sha256.Sum256([]byte("budget"))
	f.eachFault(t, "the same consent again", func() error {
		p, err := l.Append(ctx, consent("c-2"))
		if err != nil {
			require.Zero(t, p)
			return err
		}
		require.True(t, p.Again)
		return nil
	})
	for name, e := range map[string]audit.Entry{
		"a decision": decision(b.trace()), "a consent": consent("c-9"), "a release of an old decision": release(decided, d.Index, digest), "a retry": retry,
	} {
		f.eachFault(t, name, func() error {
			l.Close()
			f2 := f.at
			f.begin(0)
			l = open() // nothing is remembered
			f.begin(f2)
			_, err := l.Append(ctx, e)
			return err
		})
		f.eachFault(t, name+", behind another's", func() error {
			at := f.at
			f.begin(0)
			b.append(decision(b.trace()))
			f.begin(at)
			e := e
			if e.Put != nil {
				e = consent("c-10")
			}
			_, err := l.Append(ctx, e)
			return err
		})
	}
	f.eachFault(t, "erasing", func() error {
		_, err := l.Erase(ctx, erasure("pseudonym of a person"))
		return err
	})
	report, err := b.verify()
	require.NoError(t, err)
	require.Equal(t, report.Size, l.Register().Size())
}

// However many calls in a row fail, and at whichever it begins, what was made before
// counts as soon as the store is there again, and what failed was never made.
func TestFaultsInARow(t *testing.T) {
	b := newBench(t)
	story(b)
	f := &faulty{Store: b.store}
	l, err := audit.Open(t.Context(), b.config(f))
	require.NoError(t, err)
	defer l.Close()
	size := int64(storySize)
	for at := 1; at <= 5; at++ {
		for more := range 8 {
			f.begin(at)
			f.more = more
			for {
				p, err := l.Append(t.Context(), decision(b.trace()))
				if err == nil {
					require.Equal(t, size, p.Index, "%d, %d", at, more)
					size++
					break
				}
				require.ErrorIs(t, err, errDisk)
				require.ErrorIs(t, err, audit.ErrUnavailable)
			}
			f.begin(0)
			stored, err := l.Document(t.Context(), "c-2")
			require.NoError(t, err)
			require.True(t, stored.Live(), "%d, %d", at, more)
			require.Equal(t, size, l.Register().Size())
		}
	}
	report, err := b.verify()
	require.NoError(t, err)
	require.Equal(t, size, report.Size)
}

// When nothing can be written, nor read to know what counts, nothing is appended until it
// can be read again.
func TestWithoutKnowingWhatCountsNothingIsAppended(t *testing.T) {
	b := newBench(t)
	story(b)
	f := &faulty{Store: b.store}
	l, err := audit.Open(t.Context(), b.config(f))
	require.NoError(t, err)
	defer l.Close()
	f.rows, f.write = true, true
	_, err = l.Append(t.Context(), consent("c-9"))
	require.ErrorIs(t, err, errDisk)
	require.Zero(t, l.Register().Size(), "what counts is not known")
	f.write = false
	for range 2 {
		_, err = l.Append(t.Context(), decision(b.trace()))
		require.ErrorIs(t, err, errDisk)
	}
	f.rows = false
	p, err := l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	require.EqualValues(t, storySize, p.Index)
	stored, err := l.Document(t.Context(), "c-2")
	require.NoError(t, err)
	require.True(t, stored.Live())
	_, err = l.Document(t.Context(), "c-9")
	require.ErrorIs(t, err, audit.ErrNoDocument)
	_, err = b.verify()
	require.NoError(t, err)
}

// A transaction that was to write no entry, and failed, has not landed.
func TestNothingLandsOfNothing(t *testing.T) {
	_, g, l := gated(t)
	again := start(t.Context(), l, consent("c-1"))
	<-g.entered
	g.pass <- errAfter
	require.ErrorIs(t, (<-again).err, audit.ErrUnavailable)
	again = start(t.Context(), l, consent("c-1"))
	<-g.entered
	g.pass <- nil
	r := <-again
	require.NoError(t, r.err)
	require.True(t, r.proof.Again)
}

// More documents than are read at a time are all held against the log.
func TestManyDocuments(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for i := range 257 {
		all.Go(func() {
			if _, err := b.log.Append(context.Background(), agreement(fmt.Sprintf("a-%03d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 257, report.Documents)
	require.ErrorContains(t, tampered(t, b, "UPDATE documents SET body = x'00' WHERE id = 'a-256'"), "documents.body")
	require.ErrorContains(t, tampered(t, b, "DELETE FROM documents WHERE id = 'a-256'"), "the document of this entry is gone")
}

// switched is a store that is put in the place of another while a log runs.
type switched struct{ audit.Store }

// Another log under the same key, longer than the one that ran, is not taken for it.
func TestALogThatWasRewritten(t *testing.T) {
	b, strange := newBench(t), newBench(t)
	s := &switched{b.store}
	l, err := audit.Open(t.Context(), b.config(s))
	require.NoError(t, err)
	defer l.Close()
	for range 3 {
		_, err = l.Append(t.Context(), decision(b.trace()))
		require.NoError(t, err)
	}
	rewritten, err := audit.Open(t.Context(), b.config(strange.store))
	require.NoError(t, err)
	defer rewritten.Close()
	for range 5 {
		_, err = rewritten.Append(t.Context(), decision(b.trace()))
		require.NoError(t, err)
	}
	s.Store = strange.store
	_, err = l.Append(t.Context(), decision(b.trace()))
	require.ErrorIs(t, err, audit.ErrTampered)
	require.ErrorContains(t, err, "checkpoint: the log was rewritten")
	s.Store = b.store
	_, err = l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
}
