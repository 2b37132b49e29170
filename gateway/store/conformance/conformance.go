// Package conformance answers: does this database do what audit.Store
// promises? Every implementation runs the same suite.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
)

// Store is what an implementation offers: the seam of the log and the look-ups
// of other rooms.
type Store interface {
	audit.Store
	Once(ctx context.Context, tenant identity.OIN, key [32]byte) (audit.OnceRow, bool, error)
}

// Open gives a store over one and the same database each time it is called in a
// test; the implementation cleans up when the test ends.
type Open func(t *testing.T) Store

const (
	one = identity.OIN("00000099000000119000")
	two = identity.OIN("00000099000000193000")
)

var errOwn = errors.New("an error of the caller")

// Run runs the suite. fresh makes an empty database and gives the way to open it.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"an empty log":                  emptyLog,
		"what is written is read":       readBack,
		"all or nothing":                allOrNothing,
		"tenants apart":                 tenantsApart,
		"one at a time":                 oneAtATime,
		"a snapshot does not change":    doesNotChange,
		"documents":                     documents,
		"keys":                          keys,
		"keys expire":                   keysExpire,
		"keys are all or nothing":       keysAllOrNothing,
		"pages":                         pages,
		"what is erased":                erased,
		"an ended context does not cut": endedContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
}

func emptyLog(t *testing.T, open Open) {
	s := open(t)
	require.NoError(t, s.Check(t.Context()))
	view(t, s, one, func(v audit.Snapshot) {
		head, err := v.Head()
		require.NoError(t, err)
		require.Equal(t, audit.Head{}, head)
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Empty(t, rows)
		_, found, err := v.Document("a")
		require.NoError(t, err)
		require.False(t, found)
	})
}

func readBack(t *testing.T, open Open) {
	s := open(t)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	row := audit.Row{Index: 0, ID: "id-0", Leaf: every, Opening: []byte("{}"), Hashes: make([]byte, 64)}
	doc := stored("c")
	doc.Body, doc.Openings = every, make([]byte, 64<<10)
	write(t, s, one, audit.Batch{Rows: []audit.Row{row}, Puts: []audit.Stored{doc}, Head: audit.Head{Size: 1, Checkpoint: "line\n— é\n"}})
	again := open(t) // from disk
	view(t, again, one, func(v audit.Snapshot) {
		head, err := v.Head()
		require.NoError(t, err)
		require.Equal(t, audit.Head{Size: 1, Checkpoint: "line\n— é\n"}, head)
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Equal(t, []audit.Row{row}, rows)
		docs, err := v.Documents("", 10)
		require.NoError(t, err)
		require.Equal(t, []audit.Stored{doc}, docs)
	})
	require.NoError(t, again.Check(t.Context()))
}

func allOrNothing(t *testing.T, open Open) {
	s := open(t)
	write(t, s, one, batch(0, 2))
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		require.NoError(t, tx.Write(batch(2, 2)))
		return errOwn
	})
	require.Equal(t, errOwn, err, "the callback's own error comes back as it is")
	err = s.Update(t.Context(), one, func(tx audit.Tx) error { return tx.Write(batch(1, 2)) })
	require.ErrorIs(t, err, audit.ErrUnavailable, "an index that is taken")
	require.EqualValues(t, 2, size(t, s, one))
	view(t, s, one, func(v audit.Snapshot) {
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Len(t, rows, 2)
	})
}

func tenantsApart(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 1)
	b.Puts = []audit.Stored{stored("same"), stored("deal")}
	b.Once = []audit.OnceRow{{Key: key(1), Body: key(2), Expires: 10}}
	write(t, s, one, b)
	require.Zero(t, size(t, s, two))
	view(t, s, two, func(v audit.Snapshot) {
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Empty(t, rows)
		_, found, err := v.Document("same")
		require.NoError(t, err)
		require.False(t, found)
	})
	_, found, err := s.Once(t.Context(), two, key(1))
	require.NoError(t, err)
	require.False(t, found)
	write(t, s, two, b)
	require.EqualValues(t, 1, size(t, s, two))
}

// oneAtATime: if two updates ran at the same time, one of them would read a size
// that the other is about to use.
func oneAtATime(t *testing.T, open Open) {
	stores := []Store{open(t), open(t)}
	const writers, each = 4, 10
	errs := make(chan error, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				errs <- stores[w%2].Update(context.Background(), one, func(tx audit.Tx) error {
					head, err := tx.Head()
					if err != nil {
						return err
					}
					return tx.Write(batch(head.Size, 1))
				})
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	require.EqualValues(t, writers*each, size(t, stores[0], one))
}

func doesNotChange(t *testing.T, open Open) {
	s := open(t)
	write(t, s, one, batch(0, 1))
	view(t, s, one, func(v audit.Snapshot) {
		before, err := v.Head()
		require.NoError(t, err)
		write(t, s, one, batch(1, 1))
		after, err := v.Head()
		require.NoError(t, err)
		require.Equal(t, before, after)
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
	})
	require.EqualValues(t, 2, size(t, s, one))
}

func endedContext(t *testing.T, open Open) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, one, func(tx audit.Tx) error {
		cancel()
		return tx.Write(batch(0, 1))
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, size(t, s, one))
	err = s.View(ctx, one, func(audit.Snapshot) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
}

// erased: documents go, and the opening of one entry among others is another.
func erased(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 5)
	b.Puts = []audit.Stored{stored("a"), stored("b")}
	write(t, s, one, b)
	write(t, s, two, b)
	next := batch(5, 2)
	next.Drops = []string{"a", "unknown"}
	next.Openings = []audit.Opening{{Index: 3, Opening: []byte("empty")}, {Index: 0, Opening: []byte("{}")}}
	write(t, s, one, next)
	want := append(batch(0, 5).Rows, batch(5, 2).Rows...)
	want[3].Opening, want[0].Opening = []byte("empty"), []byte("{}")
	view(t, open(t), one, func(v audit.Snapshot) {
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Equal(t, want, rows)
		docs, err := v.Documents("", 10)
		require.NoError(t, err)
		require.Equal(t, []string{"b"}, ids(docs))
	})
	view(t, s, two, func(v audit.Snapshot) {
		rows, err := v.Rows(0, 10)
		require.NoError(t, err)
		require.Equal(t, batch(0, 5).Rows, rows)
	})
	require.NoError(t, s.Check(t.Context()))
	err := s.Update(t.Context(), one, func(tx audit.Tx) error {
		return tx.Write(audit.Batch{Openings: []audit.Opening{{Index: 99, Opening: []byte("x")}}, Head: audit.Head{Size: 7, Checkpoint: "checkpoint of 7"}})
	})
	require.Error(t, err, "an entry that is not there")
}

func pages(t *testing.T, open Open) {
	s := open(t)
	b := batch(0, 25)
	for i := range 25 {
		b.Puts = append(b.Puts, stored(fmt.Sprintf("c-%02d", i)))
	}
	write(t, s, one, b)
	view(t, s, one, func(v audit.Snapshot) {
		rows, err := v.Rows(7, 10)
		require.NoError(t, err)
		require.Len(t, rows, 10)
		for i, r := range rows {
			require.EqualValues(t, 7+i, r.Index)
		}
		docs, err := v.Documents("c-07", 3)
		require.NoError(t, err)
		require.Equal(t, []string{"c-08", "c-09", "c-10"}, ids(docs))
	})
}
