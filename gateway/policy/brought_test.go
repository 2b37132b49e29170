package policy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

// Brought are the officer's cases as somebody can bring them: of persons and sources, and
// at doors, by name. A case that rests on a statute of its own is none.
func Brought(t testing.TB) (map[string]Input, map[string]Work) {
	requests, doors := map[string]Input{}, map[string]Work{}
	for _, c := range readCases(t) {
		requests[c.Name] = c.input()
	}
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	set, problems := gatherCases(policies.FS)
	require.Empty(t, problems)
	var works map[string]map[string]Work
	require.NoError(t, tree.askCases(t.Context(), set, "data.cases_test.works", &works))
	for _, named := range works {
		for name, w := range named {
			doors[name] = w
		}
	}
	require.NotEmpty(t, doors)
	return requests, doors
}

// Judged is how many outcomes the engine has kept.
func (e *Engine) Judged() int { return e.cache.size() }
