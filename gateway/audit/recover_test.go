package audit_test

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
)

// loss is a log whose store lacks what was made last: the withdrawal of c-1.
type loss struct {
	*bench
	whole, earlier string // the files
	head           *audit.HeadFile
	receipt        audit.Proof // of a release in what is left
	digest         [32]byte
}

func newLoss(t *testing.T) *loss {
	b := newBench(t)
	l := &loss{bench: b, whole: filepath.Join(t.TempDir(), "record.db"), head: &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}}
	log := l.opened(l.whole)
	for _, e := range []audit.Entry{consent("c-1"), consent("c-2"), agreement("a-1")} {
		l.enter(log, e)
	}
	l.receipt, l.digest = l.ask(log, "c-1", "a-1")
	l.earlier = copyFiles(t, l.whole)
	l.enter(log, withdrawal("c-1"))
	log.Close()
	return l
}

func (l *loss) config(path string) audit.Config {
	s, err := sqlite.Open(context.Background(), path)
	require.NoError(l.t, err)
	l.t.Cleanup(func() { s.Close() })
	c := l.bench.config(s)
	c.Head = l.head
	return c
}

func (l *loss) opened(path string) *audit.Log {
	log, err := audit.Open(context.Background(), l.config(path))
	require.NoError(l.t, err)
	l.t.Cleanup(log.Close)
	return log
}

func (l *loss) enter(log *audit.Log, e audit.Entry) audit.Proof {
	p, err := log.Append(context.Background(), e)
	require.NoError(l.t, err)
	return p
}

func (l *loss) ask(log *audit.Log, rests ...string) (audit.Proof, [32]byte) {
	trace := l.trace()
	d := l.enter(log, decision(trace))
	digest := sha256.Sum256([]byte(trace))
	return l.enter(log, release(trace, d.Index, digest, rests...)), digest
}

func (l *loss) verify(path string) (audit.Report, error) {
	s, err := sqlite.Inspect(context.Background(), path)
	require.NoError(l.t, err)
	defer s.Close()
	by := l.inspection()
	by.Head, err = l.head.Read()
	require.NoError(l.t, err)
	return audit.Verify(context.Background(), s, by)
}

func confirmation(id string) audit.Entry {
	return audit.Entry{Kind: audit.Confirmation, Status: "Ok", Confirm: id}
}

// What a store lacks may be a withdrawal. So after it everything waits, and what is
// confirmed counts again.
func TestWhatIsRecoveredWaits(t *testing.T) {
	l := newLoss(t)
	keys := audit.Keys{l.key.Verifier}
	got, err := audit.Recover(t.Context(), l.config(l.earlier), 0)
	require.NoError(t, err)
	require.Equal(t, audit.Recovery{Store: 5, Outside: 6, Epoch: 2, Waiting: 3}, got)
	report, err := l.verify(l.earlier)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Epoch)
	require.EqualValues(t, 3, report.Waiting)

	log := l.opened(l.earlier)
	trace := l.trace()
	d := l.enter(log, decision(trace))
	for _, on := range []string{"c-1", "c-2", "a-1"} {
		_, err = log.Append(t.Context(), release(trace, d.Index, l.digest, on))
		require.ErrorIs(t, err, audit.ErrEnded, on)
		record, _ := log.Register().Document(on)
		require.True(t, record.Uncertain, on)
	}
	l.enter(log, confirmation("c-2"))
	l.enter(log, confirmation("a-1"))
	_, err = log.Append(t.Context(), confirmation("a-1"))
	require.ErrorIs(t, err, register.ErrNotWaiting)
	_, err = log.Append(t.Context(), confirmation("c-9"))
	require.ErrorIs(t, err, audit.ErrNoDocument)
	proof, digest := l.ask(log, "c-2", "a-1")
	require.Equal(t, origin+"/epoch-2", proof.Origin)
	require.NoError(t, audit.VerifyReceipt(proof.Receipt(), digest, keys), "the key is the same")
	require.NoError(t, audit.VerifyReceipt(l.receipt.Receipt(), l.digest, keys), "and what was signed before still is")
	_, err = log.Append(t.Context(), release(trace, d.Index, l.digest, "c-1"))
	require.ErrorIs(t, err, audit.ErrEnded, "nobody confirmed it")
	l.enter(log, withdrawal("c-1"))
	_, err = log.Append(t.Context(), confirmation("c-1"))
	require.ErrorIs(t, err, audit.ErrEnded, "what was withdrawn is not confirmed")
	log.Close()

	again := l.opened(l.earlier)
	_, digest = l.ask(again, "c-2", "a-1")
	require.NotZero(t, digest)
	again.Close()
	report, err = l.verify(l.earlier)
	require.NoError(t, err)
	require.Zero(t, report.Waiting)
}

// A receipt of one epoch does not pass for one of another.
func TestAReceiptIsOfItsEpoch(t *testing.T) {
	l := newLoss(t)
	keys := audit.Keys{l.key.Verifier}
	_, err := audit.Recover(t.Context(), l.config(l.earlier), 0)
	require.NoError(t, err)
	log := l.opened(l.earlier)
	l.enter(log, confirmation("c-2"))
	proof, digest := l.ask(log, "c-2")
	for _, other := range []string{origin, origin + "/epoch-1", origin + "/epoch-02", origin + "/epoch-3", origin + "/epoch-2/", "x" + origin + "/epoch-2"} {
		r := proof.Receipt()
		r.Origin = other
		require.ErrorIs(t, audit.VerifyReceipt(r, digest, keys), audit.ErrTampered, other)
	}
}

// Whatever is lost, nothing starts but by recovering, and no index is signed twice under
// one origin.
func TestEveryLoss(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(l *loss) (path string)
		want audit.Recovery
	}{
		"entries":             {func(l *loss) string { return l.earlier }, audit.Recovery{Store: 5, Outside: 6, Epoch: 2, Waiting: 3}},
		"the whole audit log": {func(l *loss) string { return filepath.Join(l.t.TempDir(), "record.db") }, audit.Recovery{Store: 0, Outside: 6, Epoch: 2}},
		"the head": {func(l *loss) string {
			require.NoError(l.t, os.Remove(l.head.Path))
			return l.whole
		}, audit.Recovery{Store: 6, Outside: -1, Epoch: 2, Waiting: 2}},
		"entries and head": {func(l *loss) string {
			require.NoError(l.t, os.Remove(l.head.Path))
			return l.earlier
		}, audit.Recovery{Store: 5, Outside: -1, Epoch: 2, Waiting: 3}},
		"entries, after another loss": {func(l *loss) string {
			_, err := audit.Recover(l.t.Context(), l.config(l.earlier), 0)
			require.NoError(l.t, err)
			return l.whole // the one of the first epoch, which holds more entries than it did
		}, audit.Recovery{Store: 6, Outside: 6, Epoch: 3, Waiting: 2}},
		"what was recovered": {func(l *loss) string {
			before, err := l.head.Read()
			require.NoError(l.t, err)
			_, err = audit.Recover(l.t.Context(), l.config(l.earlier), 0)
			require.NoError(l.t, err)
			require.NoError(l.t, l.head.Write(before)) // it ended before the head was written
			return l.earlier
		}, audit.Recovery{Store: 6, Outside: 6, Epoch: 3, Waiting: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoss(t)
			path := c.lose(l)
			_, err := audit.Open(t.Context(), l.config(path))
			require.ErrorIs(t, err, audit.ErrBehind)
			got, err := audit.Recover(t.Context(), l.config(path), 0)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			_, err = audit.Recover(t.Context(), l.config(path), 0)
			require.ErrorIs(t, err, audit.ErrWhole)
			log := l.opened(path)
			l.enter(log, consent("c-3"))
			l.ask(log, "c-3")
			log.Close()
			report, err := l.verify(path)
			require.NoError(t, err)
			require.Equal(t, c.want.Epoch, report.Epoch)
			require.Equal(t, c.want.Waiting, report.Waiting)
			if path != l.earlier {
				_, err = audit.Open(t.Context(), l.config(l.earlier))
				require.ErrorIs(t, err, audit.ErrBehind, "an older store stays behind")
			}
		})
	}
}

// A log that is whole is not recovered from, and another log's is refused.
func TestWhatIsNotRecovered(t *testing.T) {
	l := newLoss(t)
	_, err := audit.Recover(t.Context(), l.config(l.whole), 0)
	require.ErrorIs(t, err, audit.ErrWhole)
	stranger := newBench(t)
	stranger.append(consent("c-1"))
	_, err = audit.Recover(t.Context(), l.config(copyFiles(t, stranger.path)), 0)
	require.ErrorIs(t, err, audit.ErrTampered)
	c := l.config(l.earlier)
	c.Head = nil
	_, err = audit.Recover(t.Context(), c, 0)
	require.ErrorIs(t, err, audit.ErrInvalid)
	_, err = l.log.Append(t.Context(), audit.Entry{Kind: audit.NewEpoch})
	require.ErrorIs(t, err, audit.ErrInvalid, "only Recover begins one")
	got, err := audit.Recover(t.Context(), l.config(l.earlier), 7)
	require.NoError(t, err)
	require.EqualValues(t, 7, got.Epoch, "known to have come further than what is left shows")
}
