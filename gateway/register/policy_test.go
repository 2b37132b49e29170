package register

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Which policies were in force is a fold too: at every size, and after it was written down.
// A register without any is written as before there could be any.
func TestPoliciesInForce(t *testing.T) {
	one, two, three := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	r := New()
	for i := range int64(3) {
		r.Apply(Entry{Index: i})
	}
	bare := r.Encode()
	require.True(t, r.Head().KnowsPolicy(three), "the log does not say")
	require.Empty(t, r.Head().Policies())
	apply := func(revision, parent string, status PolicyStatus) {
		t.Helper()
		e := Entry{Index: r.Size(), Time: 1000 + r.Size(), Policy: &PolicyChange{Revision: revision, Parent: parent, Status: status}}
		require.NoError(t, r.Refuse(e))
		r.Apply(e)
	}
	apply(two, one, PolicyActivated)
	require.ErrorIs(t, r.Refuse(Entry{Index: 4, Policy: &PolicyChange{Revision: three, Parent: one, Status: PolicyActivated}}), ErrPolicy)
	r.Apply(Entry{Index: r.Size()})
	apply(one, two, PolicyRolledBack)
	require.Equal(t, []PolicyChange{{3, two, one, PolicyActivated, 1003}, {5, one, two, PolicyRolledBack, 1005}}, r.Head().Policies())
	require.Len(t, r.At(5).Policies(), 1)
	require.Empty(t, r.At(3).Policies())
	require.True(t, r.At(3).KnowsPolicy(three))
	require.False(t, r.At(4).KnowsPolicy(three))
	require.True(t, r.At(4).KnowsPolicy(one), "what has begun ends on the one before")
	require.True(t, r.At(4).KnowsPolicy(two))

	raw := r.Encode()
	again, err := Decode(raw)
	require.NoError(t, err)
	require.Equal(t, r.Head().Policies(), again.Head().Policies())
	for at := range raw {
		if other, err := Decode(raw[:at]); err == nil {
			require.Empty(t, other.Head().Policies(), "cut off at %d", at)
		}
	}
	old, err := Decode(bare)
	require.NoError(t, err)
	require.Equal(t, bare, old.Encode())
	for _, wrong := range []string{"never", ""} {
		r.changes[1].Status = PolicyStatus(wrong)
		_, err = Decode(r.Encode())
		require.ErrorIs(t, err, ErrSnapshot)
	}
}
