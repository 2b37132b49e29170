package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
)

// A store that was put back to an earlier day, or lost, does not start: what it lacks may
// be the withdrawal of a consent that it holds.
func TestAStoreThatLacksEntriesDoesNotStart(t *testing.T) {
	b := newBench(t)
	head := &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
	opened := func(path string) (*audit.Log, error) {
		s, err := sqlite.Open(context.Background(), path)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		c := b.config(s)
		c.Head = head
		return audit.Open(context.Background(), c)
	}
	path := filepath.Join(t.TempDir(), "record.db")
	l, err := opened(path)
	require.NoError(t, err)
	_, err = l.Append(t.Context(), consent("c-1"))
	require.NoError(t, err)
	earlier := copyFiles(t, path)
	_, err = l.Append(t.Context(), withdrawal("c-1"))
	require.NoError(t, err)
	durable, err := head.Read()
	require.NoError(t, err)
	require.Contains(t, durable, "\n2\n", "the withdrawal is acknowledged with the head outside")
	l.Close()

	var behind *audit.BehindError
	_, err = opened(earlier)
	require.ErrorAs(t, err, &behind)
	require.Equal(t, audit.BehindError{Store: 1, Outside: 2}, *behind)
	_, err = opened(filepath.Join(t.TempDir(), "record.db"))
	require.ErrorIs(t, err, audit.ErrBehind, "a new store under the same origin")
	l, err = opened(path)
	require.NoError(t, err, "the whole one starts")
	l.Close()

	// Another log of the same size is none.
	other := newBench(t)
	other.append(consent("c-1"))
	other.append(consent("c-2"))
	otherHead, err := opened(copyFiles(t, other.path))
	require.ErrorIs(t, err, audit.ErrTampered)
	require.Nil(t, otherHead)

	require.NoError(t, os.Remove(head.Path))
	_, err = opened(path)
	require.ErrorIs(t, err, audit.ErrBehind, "nothing shows that it is whole")
}

// What takes something away is acknowledged only when the head outside is durable; a
// release goes on, and the head follows.
func TestAWithdrawalWaitsForTheHeadOutside(t *testing.T) {
	b := newBench(t)
	folder := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.Mkdir(folder, 0o700))
	c := b.config(b.store)
	c.Head = &audit.HeadFile{Path: filepath.Join(folder, "head")}
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	_, err = l.Append(t.Context(), consent("c-1"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(folder, folder+"-gone"))
	_, err = l.Append(t.Context(), withdrawal("c-1"))
	require.ErrorIs(t, err, audit.ErrUnavailable)
	_, err = l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	require.NoError(t, os.Rename(folder+"-gone", folder))
	again, err := l.Append(t.Context(), withdrawal("c-1"))
	require.NoError(t, err)
	require.True(t, again.Again, "it was recorded, and holds now too when the store is lost")
	text, err := c.Head.Read()
	require.NoError(t, err)
	require.Contains(t, text, "\n3\n")
	_, err = l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	l.Close()
	text, err = c.Head.Read()
	require.NoError(t, err)
	require.Contains(t, text, "\n4\n", "written at the end")
}

// What is reported of a log that lacks entries, and of a file that cannot be read.
func TestWhatIsReportedOfTheHeadOutside(t *testing.T) {
	require.EqualError(t, &audit.BehindError{Store: 3, Outside: 5}, "the audit log lacks entries that were made: it holds 3, and 5 were made")
	require.EqualError(t, &audit.BehindError{Store: 0, Outside: 0}, "the audit log lacks entries that were made: it holds 0, and 0 were made")
	require.EqualError(t, &audit.BehindError{Store: 3, Outside: -1}, "the audit log lacks entries that were made, or may lack them: it holds 3, and the file with its head is gone")
	folder := t.TempDir()
	text, err := audit.HeadFile{Path: filepath.Join(folder, "none")}.Read()
	require.NoError(t, err)
	require.Empty(t, text)
	_, err = audit.HeadFile{Path: folder}.Read()
	require.ErrorIs(t, err, audit.ErrUnavailable, "a folder")
	file := audit.HeadFile{Path: filepath.Join(folder, "head")}
	for size, good := range map[int]bool{4 << 10: true, 4<<10 + 1: false} {
		require.NoError(t, file.Write(strings.Repeat("x", size)))
		text, err := file.Read()
		require.Equal(t, good, err == nil, size)
		require.Equal(t, good, len(text) == size, size)
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing is left beside it")
	require.ErrorIs(t, audit.HeadFile{Path: filepath.Join(folder, "none", "head")}.Write("x"), audit.ErrUnavailable)
	require.ErrorIs(t, audit.HeadFile{Path: folder}.Write("x"), audit.ErrUnavailable, "a folder in its place")
}

// The first start writes down that nothing was made; a head of another log under the same
// name and key is not taken for it, of whichever size.
func TestAHeadOfAnotherLog(t *testing.T) {
	b, strange := newBench(t), newBench(t)
	path := filepath.Join(t.TempDir(), "head")
	strange.log.Close()
	c := b.config(strange.store)
	c.Head = &audit.HeadFile{Path: path}
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	text, err := c.Head.Read()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(text, origin+"\n0\n"), text)
	p, err := l.Append(t.Context(), decision(b.trace()))
	require.NoError(t, err)
	l.Close()
	b.append(consent("c-1"))
	b.append(consent("c-2"))
	by := b.inspection()
	by.Head = p.Checkpoint
	_, err = audit.Verify(t.Context(), b.store, by)
	require.ErrorIs(t, err, audit.ErrTampered)
	require.NoError(t, c.Head.Write(p.Checkpoint))
	c.Store = b.store
	_, err = audit.Open(t.Context(), c)
	require.ErrorIs(t, err, audit.ErrTampered)
	by.Head = text
	_, err = audit.Verify(t.Context(), b.store, by)
	require.NoError(t, err, "the empty log is the beginning of every one")
}

// The head outside follows a decision by itself, without another entry and without an end.
func TestTheHeadOutsideFollows(t *testing.T) {
	b := newBench(t)
	c := b.config(b.store)
	c.Head = &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
	l, err := audit.Open(t.Context(), c)
	require.NoError(t, err)
	defer l.Close()
	for _, want := range []string{"\n1\n", "\n2\n"} {
		_, err = l.Append(t.Context(), decision(b.trace()))
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			text, err := c.Head.Read()
			return err == nil && strings.Contains(text, want)
		}, 10*time.Second, 10*time.Millisecond)
	}
}
