package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ontschot/ontschot/internal/civil"
)

// shown is a log of whatever rows.
type shown struct {
	Snapshot
	rows []Row
}

func (s shown) Rows(int64, int) ([]Row, error) { return s.rows, nil }

func read(row Row) *checked {
	c := check(row, new(openingReader))
	return &c
}

// The auditor takes no entry of another organisation, of another index, beyond the head
// or of another type than its column's.
func TestWhichEntryTheAuditorTakes(t *testing.T) {
	good := rowOf(made(t, Entry{Kind: Admin}), 0)
	strange, err := prepare(Entry{Kind: Admin}, theirs, testTime, civil.Today(testTime))
	require.NoError(t, err)
	for says, row := range map[string]Row{
		"": good, "tenant: the leaf is of another": rowOf(strange, 0), "leaf: not of the column's type": {Bad: "leaf"}, "n: no entry of this index": rowOf(made(t, Entry{Kind: Admin}), 1),
	} {
		err := newWalk(bare{}, position{tlog.Tree{N: 1}, firstEpoch}, Inspection{Tenant: ours}).entry(read(row))
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrTampered, says)
		require.ErrorContains(t, err, says)
	}
	require.ErrorContains(t, newWalk(bare{}, position{tlog.Tree{}, firstEpoch}, Inspection{Tenant: ours}).entry(read(good)), "n: beyond the signed head")
}

// A release comes after its own decision, and a retry after a first decision.
func TestWhatIsAskedBefore(t *testing.T) {
	trace, other := strings.Repeat("a", 32), strings.Repeat("b", 32)
	leaf := func(kind Kind, trace string, decided, retry int64) *Leaf {
		return &Leaf{Kind: kind, Trace: trace, Decided: decided, RetryOf: retry}
	}
	w := newWalk(bare{}, position{tlog.Tree{N: 9}, firstEpoch}, Inspection{Tenant: ours})
	for i, l := range []*Leaf{leaf(Decision, trace, -1, noRetry), leaf(Deny, trace, -1, noRetry), leaf(Decision, trace, -1, 0), leaf(Deny, trace, -1, 1), leaf(Admin, trace, -1, noRetry)} {
		require.NoError(t, w.follow(int64(i), l))
	}
	require.EqualValues(t, 2, w.report.Retries)
	for name, c := range map[string]struct {
		leaf *Leaf
		good bool
	}{
		"a release": {leaf(Release, trace, 0, noRetry), true}, "of a retry": {leaf(Release, trace, 2, noRetry), true},
		"of a denial": {leaf(Release, trace, 1, noRetry), false}, "of another trace": {leaf(Release, other, 0, noRetry), false},
		"of no decision": {leaf(Release, trace, 4, noRetry), false}, "of what is not there": {leaf(Release, trace, 8, noRetry), false},
		"a retry of a retry": {leaf(Decision, trace, -1, 2), false}, "a retry of no decision": {leaf(Decision, trace, -1, 4), false},
		"a retry of a denial": {leaf(Decision, trace, -1, 1), true},
	} {
		require.Equal(t, c.good, w.follow(7, c.leaf) == nil, name)
	}
}

// A row that is not the one that was asked for, or cannot be, gives no hash.
func TestHashesOfRows(t *testing.T) {
	good := rowOf(made(t, Entry{Kind: Admin}), 0)
	hashes, err := rowHashes{shown{rows: []Row{good}}}.ReadHashes([]int64{0})
	require.NoError(t, err)
	require.Equal(t, []tlog.Hash{tlog.RecordHash(good.Leaf)}, hashes)
	short, moved, bad := good, good, good
	short.Hashes, moved.Index, bad.Bad = good.Hashes[:31], 1, "hashes"
	for says, rows := range map[string][]Row{"hashes: too short": {short}, "n: no entry of this index": {moved}, "n: no entry of this index ": nil, "hashes: not of the column's type": {bad}} {
		_, err := rowHashes{shown{rows: rows}}.ReadHashes([]int64{0})
		require.ErrorIs(t, err, ErrTampered)
		require.ErrorContains(t, err, strings.TrimSpace(says))
	}
}
