package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/internal/civil"
)

// growing is a log of so many entries, decisions and their releases, that are made when they
// are read and are not kept.
type growing struct {
	Snapshot
	t    testing.TB
	size int64
	next int64
	tree *tree
	kept map[int64]Row          // that are read a second time
	odd  map[int64]func(r *Row) // what is wrong with some
	err  error                  // at the end
}

func (g *growing) Rows(from int64, limit int) (rows []Row, err error) {
	if from < g.next {
		if row, ok := g.kept[from]; ok {
			return []Row{row}, nil
		}
		return nil, nil
	}
	for ; len(rows) < limit && g.next < g.size; g.next++ {
		e := aDecision()
		if e.Once = nil; g.next%2 == 1 {
			e = aRelease()
			e.Decided = g.next - 1
			if g.next == g.size-1 {
				e.Decided = 0
			}
		}
		if e.Trace = fmt.Sprintf("%032x", g.next/2); e.Kind == Release && e.Decided == 0 {
			e.Trace = strings.Repeat("0", 32) // of the first decision
		}
		p, err := prepare(e, ours, testTime, civil.Today(testTime))
		require.NoError(g.t, err)
		hashes, err := g.tree.add(p.record)
		require.NoError(g.t, err)
		row := Row{Index: g.next, ID: p.id, Leaf: p.leaf, Opening: p.opening, Hashes: hashes}
		if odd := g.odd[g.next]; odd != nil {
			odd(&row)
		}
		if _, ok := g.kept[g.next]; ok {
			g.kept[g.next] = row
		}
		rows = append(rows, row)
	}
	if g.tree, err = g.tree.sealed(); len(rows) == 0 && g.err != nil {
		return nil, g.err
	}
	return rows, err
}

func newGrowing(t testing.TB, size int64) *growing {
	return &growing{t: t, size: size, tree: nothing(), kept: map[int64]Row{0: {}}}
}

func walkOf(g *growing) *walk {
	return newWalk(g, position{tlog.Tree{N: g.size}, firstEpoch}, Inspection{Tenant: ours})
}

// What the auditor keeps does not grow with the entries.
func TestTheAuditorsMemory(t *testing.T) {
	held := func(size int64) int64 {
		var before, after runtime.MemStats
		g := newGrowing(t, size)
		runtime.GC()
		runtime.ReadMemStats(&before)
		w := walkOf(g)
		w.decisions.most = 1000
		require.NoError(t, w.entries(t.Context()))
		runtime.GC()
		runtime.ReadMemStats(&after)
		require.Equal(t, size, w.tree.N)
		require.Equal(t, size/2, w.report.Kinds[Release])
		return int64(after.HeapAlloc) - int64(before.HeapAlloc)
	}
	few, many := held(4000), held(40000)
	require.Less(t, many-few, int64(256<<10), "for 36,000 entries more")
}

// However far apart two things are wrong, it is the first that is told.
func TestTheFirstThingWrong(t *testing.T) {
	spoil := func(r *Row) { r.Opening = []byte("{}") }
	for _, at := range [][]int64{{0, 900}, {63, 64}, {130, 131}, {500, 990}, {255, 256}} {
		g := newGrowing(t, 1000)
		g.odd = map[int64]func(*Row){}
		for _, index := range at {
			g.odd[index] = spoil
		}
		var found *TamperError
		require.ErrorAs(t, walkOf(g).entries(t.Context()), &found)
		require.Equal(t, at[0], found.Index)
	}
}

// A decision that is not remembered any more is read again, and so it is found when none was
// there, or when it was a denial.
func TestDecisionsOfLongAgo(t *testing.T) {
	for name, change := range map[string]func(*Row){
		"": nil, "gone": func(r *Row) { *r = Row{} }, "another": func(r *Row) { r.Leaf = made(t, aConsent()).leaf }, "no leaf": func(r *Row) { r.Leaf = nil },
	} {
		g := newGrowing(t, 1000)
		w := walkOf(g)
		w.decisions.most = 10
		err := ahead(t.Context(), w.snapshot, func(list []checked) error {
			for i := range list {
				if w.tree.N == 990 && change != nil {
					row := g.kept[0]
					change(&row)
					g.kept[0] = row
				}
				if err := w.entry(&list[i]); err != nil {
					return err
				}
			}
			return nil
		})
		require.LessOrEqual(t, len(w.decisions.newest)+len(w.decisions.older), 20)
		if change == nil {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrTampered, name)
	}
	w := walkOf(newGrowing(t, 10))
	w.decisions.most = 1
	w.decisions.add(3, decision{})
	w.decisions.add(5, decision{denied: true})
	w.decisions.add(7, decision{retry: true})
	for at, want := range map[int64]bool{-1: false, 5: true, 6: false, 7: true, 8: false, 9: false} {
		_, ok, err := w.decided(at, 9)
		require.NoError(t, err)
		require.Equal(t, want, ok, at)
	}
	_, ok, err := w.decided(9, 9)
	require.NoError(t, err)
	require.False(t, ok, "itself")
	_, _, err = w.decided(4, 9)
	require.ErrorIs(t, err, ErrTampered, "which is looked for in the rows")
}

// Nothing goes on when the walk ends, whatever ends it, and nothing runs far ahead of it.
func TestWhatIsReadAhead(t *testing.T) {
	enough, broken := errors.New("enough"), errors.New("broken")
	running := runtime.NumGoroutine()
	for name, c := range map[string]struct {
		take func(*growing, context.CancelFunc) func([]checked) error
		err  error
		want error
	}{
		"to the end": {func(*growing, context.CancelFunc) func([]checked) error {
			return func([]checked) error { return nil }
		}, nil, nil},
		"enough": {func(*growing, context.CancelFunc) func([]checked) error {
			return func([]checked) error { return enough }
		}, nil, enough},
		"cancelled": {func(_ *growing, cancel context.CancelFunc) func([]checked) error {
			return func([]checked) error { cancel(); return nil }
		}, nil, context.Canceled},
		"not to be read": {func(*growing, context.CancelFunc) func([]checked) error {
			return func([]checked) error { return nil }
		}, broken, broken},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		g := newGrowing(t, 4*pageSize)
		g.err = broken
		if c.err == nil {
			g.err = nil
		}
		taken := int64(0)
		take := c.take(g, cancel)
		err := ahead(ctx, &shared{Snapshot: g}, func(list []checked) error {
			for _, one := range list {
				require.Equal(t, taken, one.row.Index, "in order")
				taken++
			}
			return take(list)
		})
		cancel()
		require.ErrorIs(t, err, c.want, name)
		if c.want == nil {
			require.Equal(t, g.size, taken)
		}
	}
	for range 1000 {
		if runtime.NumGoroutine() > running { // one that has ended is still counted for a moment
			time.Sleep(time.Millisecond)
		}
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), running)

	g := newGrowing(t, 1<<40)
	s := &shared{Snapshot: g}
	most := int64(piece*(2*runtime.GOMAXPROCS(0)+3) + pageSize)
	_ = ahead(t.Context(), s, func([]checked) error {
		time.Sleep(50 * time.Millisecond) // the reader gets as far as it may
		s.mu.Lock()
		defer s.mu.Unlock()
		require.LessOrEqual(t, g.next, most)
		return enough
	})
}
