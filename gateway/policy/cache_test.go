package policy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/policies"
)

func TestTheCacheGivesWhatTheRulesGave(t *testing.T) {
	e := newEngine(t)
	for _, c := range readCases(t) {
		first := e.Evaluate(t.Context(), c.input())
		require.Equal(t, first, e.Evaluate(t.Context(), c.input()), c.Name)
	}
}

func TestTheCallerMayChangeAnOutcome(t *testing.T) {
	e := newEngine(t)
	for range 3 {
		o := e.Evaluate(t.Context(), request())
		require.Len(t, o.Fields, 2)
		require.Equal(t, "SYS-02", o.Checks[0])
		o.Fields["income"], o.Dropped["x"], o.Checks[0], o.Notify[0] = "none", "y", "z", "w"
	}
}

// Each list of a copy is its own: one that grows does not run into the next.
func TestACopyHoldsWhatItIsACopyOf(t *testing.T) {
	for _, o := range []Outcome{
		{},
		undecided(),
		{Reasons: []string{}, Checks: []string{"a", "b"}, Notify: []string{"c"}, Fields: map[string]string{}},
		{Reasons: []string{"a"}, Checks: []string{"b"}, Dropped: map[string]string{"x": "y"}, Fields: map[string]string{"f": "none"}, RetentionDays: 3},
	} {
		require.Equal(t, o, o.clone())
		grown := o.clone()
		grown.Reasons, grown.Checks = append(grown.Reasons, "z"), append(grown.Checks, "z")
		require.True(t, slices.Equal(o.Checks, grown.Checks[:len(o.Checks)]))
		require.Equal(t, o.Notify, grown.Notify)
	}
}

// Deciding looks at what is in the cache, and leaves it as the rules gave it.
func TestDecidingLeavesTheCacheAlone(t *testing.T) {
	e := newEngine(t)
	today, err := civil.Parse("2026-01-05")
	require.NoError(t, err)
	q := Access{Today: today, Purpose: "integral_budget.compose", Requester: "00000099000000119000", RequesterKind: "MUNICIPALITY", Source: "00000099000005503000", SourceKind: "careoffice", Laws: []string{"wlz"}}
	for range 2 {
		require.Contains(t, e.MayAsk(t.Context(), q), "ROL-01")
		require.False(t, e.RoleSuffices(t.Context(), q))
		q.NotAgreed, q.NotConsented = agreement.ErrNone, consent.ErrNone
		grant, gaps := e.Decide(t.Context(), q)
		require.False(t, grant.Allows())
		require.NotEmpty(t, gaps)
	}
	require.NotZero(t, e.cache.size())
	for _, o := range e.cache.outcomes {
		require.NotContains(t, o.Reasons, "")
		require.Subset(t, o.Checks, o.Reasons)
	}
}

func TestTheCacheIsForgottenAtAnotherDate(t *testing.T) {
	e := newEngine(t)
	e.Evaluate(t.Context(), request())
	require.Equal(t, 1, e.cache.size())
	in := request()
	in.Context.Date = "2026-01-06"
	e.Evaluate(t.Context(), in)
	require.Equal(t, 1, e.cache.size())
}

func TestTheCacheIsBounded(t *testing.T) {
	e, err := New(t.Context(), Config{FS: policies.FS, Timeout: patience, CacheSize: 4})
	require.NoError(t, err)
	for i := range 11 {
		in := request()
		in.Context.Consent.ID = fmt.Sprint(i + 1)
		require.True(t, e.Evaluate(t.Context(), in).Allow)
		require.LessOrEqual(t, e.cache.size(), 4)
	}
}

// As many as the limit are cached, of one date; one more and it starts anew with that one.
func TestWhatTheCacheHolds(t *testing.T) {
	c := newCache(3)
	put := func(date, key string) { c.put(date, []byte(key), Outcome{Reasons: []string{key}}) }
	for i := range 3 {
		put("d", fmt.Sprint(i))
		require.Equal(t, i+1, c.size())
	}
	o, ok := c.get([]byte("0"))
	require.True(t, ok)
	require.Equal(t, []string{"0"}, o.Reasons)
	put("d", "3")
	require.Equal(t, 1, c.size())
	_, ok = c.get([]byte("0"))
	require.False(t, ok)
	put("d", "4")
	put("e", "5")
	require.Equal(t, 1, c.size(), "another date")
	put("e", "6")
	require.Equal(t, 2, c.size())
}

// What is no number of outcomes or time is as if it was not said.
func TestDefaults(t *testing.T) {
	require.Equal(t, 7, orDefault(0, 7))
	require.Equal(t, 7, orDefault(-1, 7))
	require.Equal(t, 1, orDefault(1, 7))
}

// A judgement that is not finished is a no, and is asked anew the next time.
func TestNoTimeIsNo(t *testing.T) {
	e := newEngine(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	o := e.Evaluate(gone, request())
	require.False(t, o.Allow)
	require.Equal(t, []string{CodeUndecided}, o.Reasons)
	require.Zero(t, e.cache.size())
	require.True(t, e.Evaluate(t.Context(), request()).Allow)
}

func TestManyAskAtOnce(t *testing.T) {
	e := newEngine(t)
	var wg sync.WaitGroup
	allowed := make([]bool, 16)
	for i := range allowed {
		wg.Go(func() {
			in := request()
			in.Context.Consent.ID = fmt.Sprint(i%4 + 1)
			allowed[i] = e.Evaluate(context.Background(), in).Allow
		})
	}
	wg.Wait()
	require.NotContains(t, allowed, false)
}
