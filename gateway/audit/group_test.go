package audit_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

var errDisk = errors.New("the disk is full")

// gate is a store whose transactions a test holds up or breaks.
type gate struct {
	audit.Store
	entered chan struct{} // a transaction is about to begin
	pass    chan error    // what becomes of it: nil, errDisk before, errAfter after the commit
}

var errAfter = errors.New("the connection broke during the commit")

func (g *gate) Update(ctx context.Context, tenant identity.OIN, f func(audit.Tx) error) error {
	g.entered <- struct{}{}
	verdict := <-g.pass
	if errors.Is(verdict, errDisk) {
		return verdict
	}
	if err := g.Store.Update(ctx, tenant, f); err != nil {
		return err
	}
	return verdict
}

// gated gives a log behind a gate.
func gated(t *testing.T) (*bench, *gate, *audit.Log) {
	t.Helper()
	b := newBench(t)
	b.append(consent("c-1"))
	b.append(consent("c-2"))
	g := &gate{b.store, make(chan struct{}, 1), make(chan error, 100)}
	l, err := audit.Open(t.Context(), b.config(g))
	require.NoError(t, err)
	t.Cleanup(func() {
		close(g.pass)
		l.Close()
	})
	return b, g, l
}

type result struct {
	proof audit.Proof
	err   error
}

// start appends in the background.
func start(ctx context.Context, l *audit.Log, e audit.Entry) <-chan result {
	c := make(chan result, 1)
	go func() {
		p, err := l.Append(ctx, e)
		c <- result{p, err}
	}()
	return c
}

// TestOneGroup lets entries queue up behind a held transaction: they are committed
// together, and one dead consent does not fail its neighbours.
func TestOneGroup(t *testing.T) {
	b, g, l := gated(t)
	first := start(t.Context(), l, decision(b.trace()))
	<-g.entered
	end := start(t.Context(), l, withdrawal("c-1"))
	waitFor(t, l, 1)
	var neighbours []<-chan result
	for i := range 10 {
		e := decision(b.trace())
		e.Rests = restsOn(fmt.Sprintf("c-%d", i%2+1))
		neighbours = append(neighbours, start(t.Context(), l, e))
		waitFor(t, l, i+2)
	}
	g.pass <- nil
	g.pass <- nil
	require.NoError(t, (<-first).err)
	withdrawn := <-end
	require.NoError(t, withdrawn.err)
	for i, n := range neighbours {
		r := <-n
		if i%2 == 0 {
			require.ErrorIs(t, r.err, audit.ErrEnded, "the withdrawal is before it in the queue")
			continue
		}
		require.NoError(t, r.err)
		require.Equal(t, withdrawn.proof.Checkpoint, r.proof.Checkpoint, "one checkpoint for the group")
	}
	report, err := b.verify()
	require.NoError(t, err)
	require.EqualValues(t, 9, report.Size)
}

// waitFor lets the other goroutines run until so many entries wait.
func waitFor(t *testing.T, l *audit.Log, n int) {
	t.Helper()
	for l.Waiting() != n {
		runtime.Gosched()
	}
}

func TestWhoLeavesTheQueueIsNotRecorded(t *testing.T) {
	b, g, l := gated(t)
	first := start(t.Context(), l, decision(b.trace()))
	<-g.entered
	ctx, cancel := context.WithCancel(t.Context())
	left := start(ctx, l, withdrawal("c-1"))
	stays := start(t.Context(), l, withdrawal("c-2"))
	waitFor(t, l, 2)
	cancel()
	r := <-left
	require.ErrorIs(t, r.err, context.Canceled)
	g.pass <- nil
	g.pass <- nil
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-stays).err)
	d, err := b.log.Document(t.Context(), "c-1")
	require.NoError(t, err)
	require.True(t, d.Live())
	_, err = l.Append(ctx, decision(b.trace()))
	require.ErrorIs(t, err, context.Canceled, "nor who comes with an ended context")
}

func TestAnEntryUnderWayCounts(t *testing.T) {
	_, g, l := gated(t)
	ctx, cancel := context.WithCancel(t.Context())
	under := start(ctx, l, withdrawal("c-1"))
	<-g.entered
	cancel()
	g.pass <- nil
	r := <-under
	require.NoError(t, r.err)
	d, err := l.Document(t.Context(), "c-1")
	require.NoError(t, err)
	require.Equal(t, r.proof.Index, d.Ended)
}

func TestAFailedCommitChangesNothing(t *testing.T) {
	b, g, l := gated(t)
	for range 3 {
		g.pass <- errDisk
		failed := start(t.Context(), l, withdrawal("c-1"))
		<-g.entered
		r := <-failed
		require.ErrorIs(t, r.err, audit.ErrUnavailable)
		require.ErrorIs(t, r.err, errDisk)
	}
	d, err := b.log.Document(t.Context(), "c-1")
	require.NoError(t, err)
	require.True(t, d.Live())
	g.pass <- nil
	next := start(t.Context(), l, decision(b.trace()))
	<-g.entered
	r := <-next
	require.NoError(t, r.err)
	require.EqualValues(t, 2, r.proof.Index)
	_, err = b.verify()
	require.NoError(t, err)
}

// TestACommitThatLanded: the connection broke, but the entry is there; saying
// otherwise would make the log and the caller disagree.
func TestACommitThatLanded(t *testing.T) {
	b, g, l := gated(t)
	for i := range 3 {
		g.pass <- errAfter
		unsure := start(t.Context(), l, decision(b.trace()))
		<-g.entered
		r := <-unsure
		require.NoError(t, r.err)
		require.EqualValues(t, 2+i, r.proof.Index)
	}
	_, err := b.verify()
	require.NoError(t, err)
}

func TestTooManyWait(t *testing.T) {
	b, g, l := gated(t)
	first := start(t.Context(), l, decision(b.trace()))
	<-g.entered
	ctx, cancel := context.WithCancel(t.Context())
	var waiting []<-chan result
	for range 4096 {
		waiting = append(waiting, start(ctx, l, audit.Entry{Kind: audit.Admin}))
	}
	waitFor(t, l, 4096)
	_, err := l.Append(ctx, audit.Entry{Kind: audit.Admin})
	require.ErrorIs(t, err, audit.ErrUnavailable)
	cancel()
	for _, w := range waiting {
		require.ErrorIs(t, (<-w).err, context.Canceled)
	}
	g.pass <- nil
	require.NoError(t, (<-first).err)
}

func TestALockedDatabaseIsUnavailableAndRecovers(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	db, err := sql.Open("sqlite", b.path)
	require.NoError(t, err)
	defer db.Close()
	holder, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
	require.NoError(t, err)
	_, err = b.log.Append(t.Context(), decision(b.trace()))
	require.ErrorIs(t, err, audit.ErrUnavailable)
	_, err = holder.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	p := b.append(decision(b.trace()))
	require.EqualValues(t, 1, p.Index)
	_, err = b.verify()
	require.NoError(t, err)
}

// TestWithdrawalAgainstRelease races withdrawals with releases that rest on the
// same consents, thousands of times, and lets the auditor look for a release
// that came after.
func TestWithdrawalAgainstRelease(t *testing.T) {
	b := newBench(t)
	const consents, releasers, rounds = 150, 6, 20
	for i := range consents {
		b.append(consent(fmt.Sprintf("c-%d", i)))
	}
	trace := b.trace()
	d := b.append(decision(trace))
	digest := sha256.Sum256(nil)
	var released, refused atomic.Int64
	var wg sync.WaitGroup
	release := func(id string) {
		_, err := b.log.Append(context.Background(), release(trace, d.Index, digest, id))
		switch {
		case err == nil:
			released.Add(1)
		case errors.Is(err, audit.ErrEnded):
			refused.Add(1)
		default:
			t.Error(err)
		}
	}
	for r := range releasers {
		wg.Go(func() {
			for i := range consents * rounds / releasers {
				release(fmt.Sprintf("c-%d", (i*releasers/rounds+r)%consents))
			}
		})
	}
	wg.Go(func() {
		for i := range consents {
			if _, err := b.log.Append(context.Background(), withdrawal(fmt.Sprintf("c-%d", i))); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	require.EqualValues(t, consents*rounds, released.Load()+refused.Load())
	require.NotZero(t, refused.Load())
	report, err := b.verify()
	require.NoError(t, err)
	require.Equal(t, released.Load(), report.Kinds[audit.Release])
	require.EqualValues(t, consents, report.Kinds[audit.Withdrawal])
	require.Zero(t, report.LiveDocuments)
}
