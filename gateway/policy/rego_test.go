package policy

import (
	"bytes"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

func regoFiles(t *testing.T) map[string][]byte {
	files := map[string][]byte{}
	require.NoError(t, fs.WalkDir(policies.FS, "rules", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != ".rego" {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		files[file] = raw
		return err
	}))
	require.NotEmpty(t, files)
	return files
}

// As "opa fmt" does.
func TestRegoIsFormatted(t *testing.T) {
	for file, raw := range regoFiles(t) {
		formatted, err := format.SourceWithOpts(file, raw, format.Opts{RegoVersion: ast.RegoV1})
		require.NoError(t, err)
		require.True(t, bytes.Equal(raw, formatted), "opa fmt would write %s as:\n%s", file, formatted)
	}
}

// As "opa check --strict --capabilities" and "opa test" do.
func TestRegoTestsPass(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	modules := map[string]*ast.Module{}
	for file, raw := range regoFiles(t) {
		modules[file], err = ast.ParseModuleWithOpts(file, string(raw), ast.ParserOptions{Capabilities: tree.capabilities, RegoVersion: ast.RegoV1})
		require.NoError(t, err)
	}
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(tree.capabilities)
	compiler.Compile(maps.Clone(modules))
	require.False(t, compiler.Failed(), "%v", compiler.Errors)

	results, err := tester.NewRunner().SetTimeout(patience).
		SetStore(inmem.NewFromObject(tree.data)).SetModules(modules).RunTests(t.Context(), nil)
	require.NoError(t, err)
	var names []string
	for r := range results {
		require.NoError(t, r.Error)
		require.True(t, r.Pass(), r.Name)
		names = append(names, r.Name)
	}
	require.GreaterOrEqual(t, len(names), 8)
	require.True(t, slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "every_path_is_needed") }))
}

// The folder as the stock tool loads it, from disk: "opa test policies/rules".
func TestStockToolsWorkOnTheFolder(t *testing.T) {
	results, err := tester.Run(t.Context(), "../../policies/rules")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(results), 8)
	for _, r := range results {
		require.NoError(t, r.Error)
		require.True(t, r.Pass(), r.Name)
	}
}
