package policy_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// shadowed is an engine, and what is asked of it.
func shadowed(t *testing.T) (*policy.Engine, policy.Access) {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	e, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	return e, access(t, f, budgetv1.Categories(), budgetv1.Categories(), nil)
}

// Whatever a candidate does, no answer is another one, and nobody waits.
func TestAShadowChangesNoAnswer(t *testing.T) {
	e, q := shadowed(t)
	want, gaps := e.Decide(t.Context(), q)
	require.True(t, want.Allows())
	yes := func(in *policy.Input, _ policy.Outcome) policy.Outcome {
		all := policy.Outcome{Allow: true, Fields: map[string]string{}}
		for _, f := range in.Resource.Properties.Fields {
			all.Fields[f] = "none"
		}
		return all
	}
	for name, judge := range map[string]func(*policy.Input, policy.Outcome) policy.Outcome{
		"says yes to all": yes,
		"says no to all":  func(*policy.Input, policy.Outcome) policy.Outcome { return policy.Outcome{Reasons: []string{"ROL-01"}} },
		"panics":          func(*policy.Input, policy.Outcome) policy.Outcome { panic("a bug") },
		"answers nothing": func(*policy.Input, policy.Outcome) policy.Outcome { return policy.Outcome{} },
		"is undecided": func(*policy.Input, policy.Outcome) policy.Outcome {
			return policy.Outcome{Reasons: []string{policy.CodeUndecided}}
		},
	} {
		s := policy.Watch(e, judge)
		for range 3 {
			got, missing := e.Decide(t.Context(), q)
			require.Equal(t, want.Scopes(), got.Scopes(), name)
			require.Equal(t, gaps, missing, name)
			require.Equal(t, len(q.Laws), s.Drain(), name)
		}
		require.EqualValues(t, 3*len(q.Laws), s.Counts().Judged, name)
	}
	// It is gone, or stands still: what does not fit is dropped.
	s := policy.Watch(e, yes)
	for range policy.Room {
		_, _ = e.Decide(t.Context(), q)
	}
	require.EqualValues(t, (len(q.Laws)-1)*policy.Room, s.Counts().Dropped)
	require.Equal(t, policy.Room, s.Drain())
	require.EqualValues(t, policy.Room, s.Counts().Judged)
	_, _ = e.Suppose(t.Context(), q, "consulent", "substantieel")
	require.Zero(t, s.Drain(), "what nobody asks")
}

// Its own goroutine judges by another revision, and is told apart by source, purpose, effect
// and reason.
func TestAShadowCountsDifferences(t *testing.T) {
	e, q := shadowed(t)
	rules := policy.NewRules(e)
	files := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, path)
		files[path] = &fstest.MapFile{Data: raw}
		return err
	}))
	const matrix = "rules/matrix/integral_budget.compose/data.yaml"
	files[matrix].Data = []byte(strings.ReplaceAll(string(files[matrix].Data), "roles: [consulent, regisseur]", "roles: [regisseur]"))
	other, err := policy.New(t.Context(), policy.Config{FS: files, Timeout: time.Minute})
	require.NoError(t, err)
	s := policy.NewShadow(other, time.Unix(1, 0))
	require.Nil(t, rules.Beside(s))
	require.Same(t, s, rules.Shadow())
	_, _ = rules.Now().Decide(t.Context(), q)
	require.Eventually(t, func() bool { return s.Counts().Judged >= 1 }, 30*time.Second, time.Millisecond)
	c := s.Counts()
	require.Equal(t, other.Revision(), c.Revision)
	require.EqualValues(t, c.Judged, c.Different)
	require.Equal(t, policy.EffectDenied, c.Differences[0].Effect)
	require.Equal(t, "ROL-01", c.Differences[0].Reason)
	require.Equal(t, string(q.Source), c.Differences[0].Source)
	require.Equal(t, q.Purpose, c.Differences[0].Purpose)

	next := policy.NewShadow(other, time.Unix(2, 0))
	require.Same(t, s, rules.Beside(next))
	rules.Replace(other)
	require.Nil(t, rules.Shadow(), "an activation ends it")
	rules.Replace(e)
	require.Nil(t, rules.Shadow())
}
