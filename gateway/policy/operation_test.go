package policy

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Every operation that a door asks about has a cell, and every cell a door.
func TestEveryOperationHasACell(t *testing.T) {
	tree, err := load(t.Context(), folder(t))
	require.NoError(t, err)
	cells := member(member(tree.data, "catalog"), "operations")
	require.Len(t, cells, len(ontschotv1.Operations()))
	for _, operation := range ontschotv1.Operations() {
		require.Equal(t, string(operation), member(cells, string(operation))["code"])
	}
}

// A caller that nobody checked may do nothing, and nothing that has no cell is allowed.
func TestNobodyMayDoAnything(t *testing.T) {
	e := newEngine(t)
	for _, operation := range append(ontschotv1.Operations(), "budget.delete", "", ontschotv1.Operation(strings.Repeat("x", 1000))) {
		var no *RefusedError
		require.ErrorAs(t, e.MayDo(t.Context(), "", token.Caller{}, token.Caller{}, operation), &no)
		require.NotEmpty(t, no.Codes)
	}
}

// A table without the cell, and a folder without the table, are a no; what cannot be
// judged is one too.
func TestAnOperationWithoutACellIsNo(t *testing.T) {
	work := doing{organisation: asker, operation: "consents.give", worker: worker{"consulent", "hoog"}}
	require.True(t, newEngine(t).operation(t.Context(), work).Allow)

	m := folder(t)
	edit(t, m, doorsFile, "consents.give:\n", "log.read:\n")
	edit(t, m, doorsFile, "\nlog.read:\n  {code: log.read", "\nconsents.narrow:\n  {code: log.read")
	require.ErrorIs(t, func() error { _, err := New(t.Context(), Config{FS: m}); return err }(), ErrRules, "a cell that is listed twice")

	m = folder(t)
	delete(m, doorsFile)
	e := engineOf(t, m)
	require.Equal(t, []string{"ROL-01", "ROL-02"}, e.operation(t.Context(), work).Reasons)
	require.True(t, e.Evaluate(t.Context(), request()).Allow, "budgets have a table of their own")

	m = folder(t)
	m["rules/core/operation.rego"] = &fstest.MapFile{Data: []byte("package core\n\noperation := {} if input.action.name == \"x\"\n")}
	_, err := New(t.Context(), Config{FS: m})
	require.ErrorContains(t, err, "who may do nothing at all")
	m["rules/core/operation.rego"] = &fstest.MapFile{Data: []byte("package core\n\noperation := {\"contract\": \"ontschot.decision/1\", \"decision\": true, \"reasons\": [], \"checks\": [\"ROL-01\"]}\n")}
	_, err = New(t.Context(), Config{FS: m})
	require.ErrorContains(t, err, "allows what nobody does")
}

// What was judged is cached under all that the rules see.
func TestTheKeyOfAnOperationHoldsAllOfIt(t *testing.T) {
	second := &worker{"consulent", "hoog"}
	keys := map[string]bool{}
	all := []doing{
		{}, {organisation: "a"}, {operation: "a"}, {worker: worker{role: "a"}}, {worker: worker{assurance: "a"}},
		{second: second}, {second: &worker{}}, {contract: "a"}, {organisation: "a", second: second},
	}
	for _, d := range all {
		keys[string(d.key())] = true
	}
	require.Len(t, keys, len(all))
	e := newEngine(t)
	for range 2 { // the second time from the cache
		require.False(t, e.operation(t.Context(), doing{organisation: asker, operation: "consents.give", worker: worker{"schoonmaker", "laag"}}).Allow)
		require.True(t, e.operation(t.Context(), doing{organisation: asker, operation: "consents.give", worker: worker{"consulent", "hoog"}}).Allow)
		require.Equal(t, []string{"SYS-02"}, e.operation(t.Context(), doing{contract: "x", organisation: asker, operation: "consents.give", worker: worker{"consulent", "hoog"}}).Reasons)
	}
}

// The longest texts that are judged at a door; longer ones never reach the rules.
func TestTheBoundsOfAnOperation(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	work := func(change func(*doing)) doing {
		d := doing{organisation: asker, operation: "consents.give", worker: worker{"consulent", "hoog"}, second: &worker{"consulent", "hoog"}}
		change(&d)
		return d
	}
	e := newEngine(t)
	for name, c := range map[string]struct {
		most   int
		change func(int) doing
	}{
		"organisation":     {128, func(n int) doing { return work(func(d *doing) { d.organisation = x(n) }) }},
		"operation":        {64, func(n int) doing { return work(func(d *doing) { d.operation = x(n) }) }},
		"role":             {128, func(n int) doing { return work(func(d *doing) { d.role = x(n) }) }},
		"second assurance": {128, func(n int) doing { return work(func(d *doing) { d.second.assurance = x(n) }) }},
	} {
		require.NotEmpty(t, e.operation(t.Context(), c.change(c.most)).Checks, name)
		require.Equal(t, undecided(), e.operation(t.Context(), c.change(c.most+1)), name)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	d := work(func(d *doing) { d.second = nil })
	require.Equal(t, undecided(), e.operation(gone, d))
	require.True(t, e.operation(t.Context(), d).Allow, "not cached")
	cached := e.doors.size()
	d.assurance = "laag"
	first := e.operation(t.Context(), d)
	require.Equal(t, cached+1, e.doors.size())
	first.Reasons[0], first.Checks[0] = "x", "y"
	require.NotContains(t, e.operation(t.Context(), d).Reasons, "x", "what is given out is a copy")
	require.Equal(t, cached+1, e.doors.size())
}

// What is no decision of the contract is no answer, at a door too.
func TestAnswersAtADoorThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{
		"another contract":     `{"contract": "ontschot.decision/2", "decision": false, "reasons": ["ROL-01"], "checks": ["ROL-01"]}`,
		"a no without reason":  `{"contract": "ontschot.decision/1", "decision": false, "reasons": [], "checks": ["ROL-01"]}`,
		"a no without checks":  `{"contract": "ontschot.decision/1", "decision": false, "reasons": ["ROL-01"], "checks": []}`,
		"a yes with a reason":  `{"contract": "ontschot.decision/1", "decision": true, "reasons": ["ROL-01"], "checks": ["ROL-01"]}`,
		"an unknown code":      `{"contract": "ontschot.decision/1", "decision": false, "reasons": ["ROL-99"], "checks": ["ROL-01"]}`,
		"a member more":        `{"contract": "ontschot.decision/1", "decision": false, "reasons": ["ROL-01"], "checks": ["ROL-01"], "x": 1}`,
		"a decision in a text": `{"contract": "ontschot.decision/1", "decision": "false", "reasons": ["ROL-01"], "checks": ["ROL-01"]}`,
	} {
		m := folder(t)
		m["rules/core/operation.rego"] = &fstest.MapFile{Data: []byte("package core\n\noperation := " + answer + "\n")}
		_, err := New(t.Context(), Config{FS: m, Timeout: patience})
		require.ErrorIs(t, err, ErrRules, name)
		require.ErrorContains(t, err, "who may do nothing at all", name)
	}
}
