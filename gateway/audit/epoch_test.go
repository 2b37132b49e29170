package audit_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/store/storetest"
)

// The entry that begins an epoch names both heads between which entries were lost.
func TestWhatBeginsAnEpoch(t *testing.T) {
	l := newLoss(t)
	outside, err := l.head.Read()
	require.NoError(t, err)
	s, err := sqlite.Inspect(t.Context(), l.earlier)
	require.NoError(t, err)
	var left audit.Head
	require.NoError(t, s.View(t.Context(), tenant, func(v audit.Snapshot) error { left, err = v.Head(); return err }))
	require.NoError(t, s.Close())
	_, err = audit.Recover(t.Context(), l.config(l.earlier), 0)
	require.NoError(t, err)
	row := storetest.Rows(t, l.earlier)[left.Size]
	leaf, err := audit.ParseLeaf(row.Leaf)
	require.NoError(t, err)
	require.Equal(t, "recovered", leaf.Status)
	var opening struct{ Payload []struct{ Value []byte } }
	require.NoError(t, json.Unmarshal(row.Opening, &opening))
	var named map[string]string
	require.NoError(t, json.Unmarshal(opening.Payload[0].Value, &named))
	require.Equal(t, map[string]string{"outside": outside, "store": left.Checkpoint}, named)
}

// What the entry that begins an epoch says is held against the entries before it.
func TestAnEpochThatBeginsWrongly(t *testing.T) {
	const (
		none   = "opening: the entry that begins an epoch names no heads"
		order  = "leaf: an epoch that does not follow"
		other  = "opening: the head outside the store is none of this log"
		before = "opening: the head of the store is not that of the entries before"
	)
	for name, c := range map[string]struct {
		epoch          int64
		outside, store string // "right", or as it is
		payload        string // in their place
		want           string
	}{
		"as it should":                  {3, "right", "right", "", ""},
		"much later":                    {9, "right", "right", "", ""},
		"without the head outside":      {3, "", "right", "", ""},
		"no payload":                    {3, "", "", "none", none},
		"another payload":               {3, "", "", `{"outside":"","more":""}`, none},
		"the same epoch":                {2, "", "right", "", order},
		"a head outside that is none":   {3, "x", "right", "", other},
		"a head outside of that epoch":  {3, "third", "right", "", other},
		"a head outside of a later one": {3, "ninth", "right", "", other},
		"no head of the store":          {3, "right", "", "", before},
		"one that is none":              {3, "right", "x", "", before},
		"one of before":                 {3, "right", "first", "", before},
		"one of another log":            {3, "right", "third", "", before},
	} {
		b := newBench(t)
		heads := map[string]string{"first": b.append(consent("c-1")).Checkpoint}
		right := b.append(audit.Begins(2, named("", heads["first"]))).Checkpoint
		heads["right"] = right
		for epoch, name := range map[int64]string{3: "third", 9: "ninth"} {
			s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
			require.NoError(t, err)
			l, err := audit.Open(t.Context(), b.config(s))
			require.NoError(t, err)
			p, err := l.Append(t.Context(), audit.Begins(epoch, named("", "")))
			require.NoError(t, err)
			heads[name] = p.Checkpoint
			l.Close()
			report, err := audit.Verify(t.Context(), s, b.inspection())
			require.NoError(t, err, "an empty store has no head")
			require.Equal(t, epoch, report.Epoch)
			s.Close()
		}
		text := func(s string) string {
			if head, ok := heads[s]; ok {
				return head
			}
			return s
		}
		payload := named(text(c.outside), text(c.store))
		if c.payload == "none" {
			payload = nil
		} else if c.payload != "" {
			payload = []byte(c.payload)
		}
		b.append(audit.Begins(c.epoch, payload))
		report, err := b.verify()
		if c.want == "" {
			require.NoError(t, err, name)
			require.Equal(t, c.epoch, report.Epoch, name)
			continue
		}
		var found *audit.TamperError
		require.ErrorAs(t, err, &found, name)
		require.Equal(t, c.want, found.What, name)
		require.EqualValues(t, 2, found.Index, name)
	}
}

func named(outside, store string) []byte {
	raw, _ := json.Marshal(map[string]string{"outside": outside, "store": store})
	return raw
}

// An epoch begins after all that is known to have been recorded: the last entry of the
// store, and the file with the head outside it.
func TestTheClockOfAnEpoch(t *testing.T) {
	last := time.UnixMilli(1_700_000_000_000)
	for name, c := range map[string]struct {
		entry, file time.Duration // after last
		empty       bool          // nothing is left in the store
		gone        bool          // the file is
		now         time.Duration
		want        error
	}{
		"the same":                     {now: 0},
		"a second before both":         {now: -time.Second},
		"more than that":               {now: -time.Second - time.Millisecond, want: audit.ErrClock},
		"before the file":              {entry: -time.Hour, now: -time.Minute, want: audit.ErrClock},
		"before the entry":             {file: -time.Hour, now: -time.Minute, want: audit.ErrClock},
		"after an older entry":         {entry: -time.Hour, now: 0},
		"after an older file":          {file: -time.Hour, now: 0},
		"without the file":             {gone: true, now: 0},
		"without it, before the entry": {gone: true, now: -time.Minute, want: audit.ErrClock},
		"an empty store":               {entry: time.Hour, empty: true, now: 0},
		"an empty one, before the file": {
			entry: time.Hour, empty: true, now: -time.Minute, want: audit.ErrClock,
		},
	} {
		b := newBench(t)
		head := &audit.HeadFile{Path: filepath.Join(t.TempDir(), "head")}
		path := filepath.Join(t.TempDir(), "record.db")
		config := func(path string, now time.Duration) audit.Config {
			s, err := sqlite.Open(t.Context(), path)
			require.NoError(t, err)
			t.Cleanup(func() { s.Close() })
			cfg := b.config(s)
			cfg.Head, cfg.Now = head, func() time.Time { return last.Add(now) }
			return cfg
		}
		l, err := audit.Open(t.Context(), config(path, c.entry))
		require.NoError(t, err)
		left := copyFiles(t, path)
		_, err = l.Append(t.Context(), consent("c-1"))
		require.NoError(t, err)
		if !c.empty {
			left = copyFiles(t, path)
		}
		_, err = l.Append(t.Context(), withdrawal("c-1"))
		require.NoError(t, err)
		l.Close()
		require.NoError(t, os.Chtimes(head.Path, last.Add(c.file), last.Add(c.file)))
		if c.gone {
			require.NoError(t, os.Remove(head.Path))
		}
		_, err = audit.Recover(t.Context(), config(left, c.now), 0)
		require.ErrorIs(t, err, c.want, name)
	}
}

// A head outside that cannot be read, or is of another log, is not taken for one that is
// behind; and one of a later epoch is not overwritten.
func TestAHeadOutsideThatIsNone(t *testing.T) {
	l := newLoss(t)
	right, err := l.head.Read()
	require.NoError(t, err)
	long := make([]byte, 8<<10)
	for name, c := range map[string]struct {
		text string
		want error
	}{"no checkpoint": {"x", audit.ErrTampered}, "too long": {string(long), audit.ErrUnavailable}} {
		require.NoError(t, l.head.Write(c.text))
		_, err := audit.Open(t.Context(), l.config(l.whole))
		require.ErrorIs(t, err, c.want, name)
		require.NotErrorIs(t, err, audit.ErrBehind, name)
		_, err = audit.Recover(t.Context(), l.config(l.whole), 0)
		require.ErrorIs(t, err, c.want, name)
	}
	require.NoError(t, l.head.Write(right))
	log := l.opened(l.whole)
	require.NoError(t, l.head.Write(string(long)))
	_, err = log.Append(t.Context(), withdrawal("c-2"))
	require.ErrorIs(t, err, audit.ErrUnavailable)
	got, err := os.ReadFile(l.head.Path)
	require.NoError(t, err)
	require.Equal(t, long, got, "what cannot be read is left as it is")

	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "record.db"))
	require.NoError(t, err)
	defer s.Close()
	later, err := audit.Open(t.Context(), l.bench.config(s))
	require.NoError(t, err)
	p := l.enter(later, audit.Begins(2, named("", "")))
	later.Close()
	require.NoError(t, l.head.Write(p.Checkpoint))
	l.enter(log, withdrawal("c-2"))
	text, err := l.head.Read()
	require.NoError(t, err)
	require.Equal(t, p.Checkpoint, text)

	c := l.config(filepath.Join(t.TempDir(), "record.db"))
	c.Head = &audit.HeadFile{Path: filepath.Join(t.TempDir(), "none", "head")}
	_, err = audit.Open(t.Context(), c)
	require.ErrorIs(t, err, audit.ErrUnavailable, "the first start writes that nothing was made")
	require.NoError(t, os.Remove(l.head.Path))
	var behind *audit.BehindError
	_, err = audit.Open(t.Context(), l.config(l.earlier))
	require.ErrorAs(t, err, &behind)
	require.Equal(t, audit.BehindError{Store: 5, Outside: -1}, *behind)
}
