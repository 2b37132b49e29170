package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The house stays as easy to enter as it became: what the figures may be at most.
func TestTheHouseCanBeEntered(t *testing.T) {
	t.Chdir("../../..")
	packages, err := list()
	require.NoError(t, err)
	code, err := read()
	require.NoError(t, err)
	require.Greater(t, code.functions, 2000)
	require.Greater(t, len(packages), 40)

	root := code.of("gateway")
	require.Positive(t, root.methods)
	require.LessOrEqual(t, root.lines, 1600)
	require.LessOrEqual(t, root.methods, 60)
	require.LessOrEqual(t, depth(withoutAdapters(packages))-1, 6)
	require.LessOrEqual(t, depth(packages)-1, 8)
	require.Empty(t, upward(packages))
	require.LessOrEqual(t, len(code.long), 1, code.long)
	require.LessOrEqual(t, len(code.wide), 8, code.wide)
	require.Empty(t, code.silent)

	if os.Getenv("ONTSCHOT_LONG") == "" { // the journeys are compiled to be counted
		return
	}
	for _, test := range []string{"TestJourneyOfARequest", "TestJourneyOfAConsent"} {
		files, err := entered(test)
		require.NoError(t, err)
		require.NotEmpty(t, files, test)
		require.LessOrEqual(t, len(files), 12, "%s: %v", test, files)
	}
}

// A package on one floor that imports one of a higher floor is found.
func TestAnImportThatRunsUpwardIsFound(t *testing.T) {
	at := func(room string, imports ...string) pack {
		p := pack{ImportPath: module + "/" + room}
		for _, i := range imports {
			p.Imports = append(p.Imports, module+"/"+i)
		}
		return p
	}
	all := map[string]pack{}
	for _, p := range []pack{at("proto/x"), at("gateway/token", "proto/x"), at("internal/y", "gateway/token"), at("gateway", "gateway/token", "fmt")} {
		all[p.ImportPath] = p
	}
	require.Equal(t, []string{"internal/y -> gateway/token"}, upward(all))
	require.Equal(t, 3, depth(all))
}
