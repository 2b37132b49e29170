package policy

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

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

// As "opa check --strict --capabilities" and "opa test" do, the officer's cases with it.
func TestRegoTestsPass(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	set, problems := gatherCases(policies.FS)
	require.Empty(t, problems)
	modules := map[string]*ast.Module{}
	for file, raw := range regoFiles(t) {
		modules[file], err = ast.ParseModuleWithOpts(file, string(raw), ast.ParserOptions{Capabilities: tree.capabilities, RegoVersion: ast.RegoV1})
		require.NoError(t, err)
	}
	compiler := ast.NewCompiler().WithStrict(true).WithCapabilities(tree.capabilities)
	compiler.Compile(maps.Clone(modules))
	require.False(t, compiler.Failed(), "%v", compiler.Errors)

	data := maps.Clone(tree.data)
	data["cases"] = set.data
	results, err := tester.NewRunner().SetTimeout(patience).
		SetStore(inmem.NewFromObject(data)).SetModules(modules).RunTests(t.Context(), nil)
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

// stock runs what the stock tool would: "opa test rules cases:cases" in a folder.
func stock(t *testing.T, folder string, paths ...string) map[string]*tester.Result {
	t.Helper()
	for i, p := range paths {
		prefix, rest, found := strings.Cut(p, ":")
		if !found {
			prefix, rest = "", p
		} else {
			prefix += ":"
		}
		paths[i] = prefix + filepath.Join(folder, rest)
	}
	modules, store, err := tester.Load(paths, nil)
	require.NoError(t, err)
	results, err := tester.NewRunner().SetTimeout(patience).SetStore(store).SetModules(modules).RunTests(t.Context(), nil)
	require.NoError(t, err)
	all := map[string]*tester.Result{}
	for r := range results {
		require.NoError(t, r.Error)
		all[r.Name] = r
	}
	require.GreaterOrEqual(t, len(all), 18)
	return all
}

// failed lists the names of what failed, and of cases within.
func failed(all map[string]*tester.Result) []string {
	var names []string
	for name, r := range all {
		if r.Pass() {
			continue
		}
		if len(r.SubResults) == 0 {
			names = append(names, name)
		}
		for group, named := range r.SubResults {
			for one, sub := range named.SubResults {
				if sub.Fail {
					names = append(names, group+"/"+one)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// The folder as the stock tool loads it, from disk.
func TestStockToolsWorkOnTheFolder(t *testing.T) {
	all := stock(t, "../../policies", "rules", "cases:cases")
	require.Empty(t, failed(all))
	cases := 0
	for _, named := range all["test_case"].SubResults {
		cases += len(named.SubResults)
	}
	require.Equal(t, len(runCases(t).Cases), cases, "each of them ran")
	require.Equal(t, []string{"test_there_are_cases"}, failed(stock(t, "../../policies", "rules")), "no cases at all")
}

// What is wrong with a case, or with a table, fails under the stock tool too, by the name of
// the case; and the program's own run names the same, with their places.
func TestAWrongWordFailsUnderTheStockToolToo(t *testing.T) {
	const asks = `{date: "2026-01-05", question: {source: careoffice, law: wlz, fields: [entitlement]}, expect: {decision: allow, fields: [entitlement]}}`
	wrong := map[string]struct{ old, changed, says string }{
		"outcome":       {"expect: {decision: allow, fields: [entitlement]}", "expect: {decision: deny, codes: [ROL-01]}", "comes out otherwise"},
		"key":           {"{source:", "{rol: regisseur, source:", "did you mean role?"},
		"a deeper key":  {"expect:", "consent: {mandate: {untill: x}}, expect:", "did you mean until?"},
		"a first key":   {"expect:", "consnt: {}, expect:", "did you mean consent?"},
		"role":          {"{source:", "{role: regiseur, source:", "did you mean regisseur?"},
		"source":        {"careoffice", "careofice", "did you mean careoffice?"},
		"law":           {"wlz", "wls", "did you mean wlz?"},
		"category":      {"fields: [entitlement]}, expect", "fields: [entitlment]}, expect", "did you mean entitlement?"},
		"code":          {"decision: allow", "codes: [OVK-9], decision: allow", "did you mean OVK-0"},
		"purpose":       {"{source:", "{purpose: integral_budget.compos, source:", "did you mean integral_budget.compose?"},
		"an OIN":        {"{source:", "{requester: \"12\", source:", "no word of oin"},
		"mask":          {"expect:", "masks: {product: groep}, expect:", "did you mean group?"},
		"no list":       {"fields: [entitlement]}, expect", "fields: entitlement}, expect", "Invalid type"},
		"no number":     {"decision: allow", "retention_days: veel, decision: allow", "Invalid type"},
		"a number":      {"source: careoffice", "source: 7", "Invalid type"},
		"nothing":       {"source: careoffice", "source: null", "source is required"},
		"needless":      {"expect:", "unknown: [wlz], expect:", "is known"},
		"of two kinds":  {"expect:", "work: {does: log.read}, expect:", "one of question"},
		"of no kind":    {"question:", "vraag:", "one of question"},
		"no date":       {"date: \"2026-01-05\", ", "", "date is required"},
		"of no outcome": {"decision: allow, ", "", "expect.decision is required"},
		"no expect":     {"expect:", "expects:", "expect.decision is required"},
		"beside":        {"question: {source: careoffice, law: wlz, fields: [entitlement]}", "work: {does: log.read}", "beside what the case is about"},
		"no cell":       {"law: wlz, fields", "law: pw, fields", ""},
		"a lost cell":   {"law: wlz, fields: [entitlement]}", "law: wmo, fields: [entitlement]}, masks: {product: none}", "was not judged"},
	}
	var file strings.Builder
	for name, c := range wrong {
		require.Contains(t, asks, c.old, name)
		fmt.Fprintf(&file, "%s: %s\n", name, strings.Replace(asks, c.old, c.changed, 1))
	}
	m := folder(t)
	maps.DeleteFunc(m, func(f string, _ *fstest.MapFile) bool { return strings.HasPrefix(f, "cases/") })
	m["cases/wrong/data.yaml"] = &fstest.MapFile{Data: []byte(file.String())}
	m["cases/right/data.yaml"] = &fstest.MapFile{Data: []byte("right: " + asks + "\n")}
	m["cases/table/data.yaml"] = &fstest.MapFile{Data: []byte("name: by the table\ndate: \"2026-01-05\"\nquestion: {role: regisseur, source: careoffice, law: wlz, fields: [entitlement]}\nexpect: {decision: allow, fields: [entitlement]}\n")}
	m[matrixFile] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(m[matrixFile].Data), "roles: [consulent, regisseur]", "roles: [consulent]"))}
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, m))

	want := []string{"table/by the table"}
	for name := range wrong {
		want = append(want, "wrong/"+name)
	}
	require.ElementsMatch(t, want, failed(stock(t, dir, "rules", "cases:cases")))
	report, err := RunCases(t.Context(), m)
	require.NoError(t, err)
	require.False(t, report.Passed)
	for _, r := range report.Cases {
		require.Equal(t, r.Name == "right", r.Passed, r.Name)
		if c, ok := wrong[r.Name]; ok {
			own := CaseReport{Cases: []CaseResult{r}}
			require.Contains(t, own.Failures().Error(), c.says, r.Name)
		}
	}
	for _, p := range report.Failures() {
		require.Regexp(t, `^cases/(wrong|table)/data.yaml:[1-9][0-9]*:[1-9][0-9]*: `, p.In("en"))
		require.NotEmpty(t, p.NL)
	}
}

// A folder may hold one case itself.
func TestAFolderMayBeOneCase(t *testing.T) {
	m := folder(t)
	for name, says := range map[string]string{"": "own", "name: In eigen woorden\n": "In eigen woorden"} {
		m["cases/own/data.yaml"] = &fstest.MapFile{Data: []byte(name + "work: {does: log.read}\nexpect: {decision: deny, codes: [ROL-01]}\n")}
		report, err := RunCases(t.Context(), m)
		require.NoError(t, err)
		require.True(t, report.Passed, "%v", report.Failures())
		require.True(t, slices.ContainsFunc(report.Cases, func(r CaseResult) bool { return r.Group == "own" && r.Name == says }))
	}
}

func TestNoCasesAreNoPass(t *testing.T) {
	for says, change := range map[string]func(fstest.MapFS){
		"there is no case at all": func(m fstest.MapFS) {
			maps.DeleteFunc(m, func(f string, _ *fstest.MapFile) bool { return strings.HasPrefix(f, "cases/") })
		},
		"cases/who/data.yaml:":      func(m fstest.MapFS) { m["cases/who/data.yaml"] = &fstest.MapFile{Data: []byte("- a\n")} },
		"there are no cases here":   func(m fstest.MapFS) { m["cases/who/data.yaml"] = &fstest.MapFile{} },
		"cases/who.yaml: cases are": func(m fstest.MapFS) { m["cases/who.yaml"] = m["cases/who/data.yaml"] },
		"a second document": func(m fstest.MapFS) {
			m["cases/who/data.yaml"].Data = append(slices.Clone(m["cases/who/data.yaml"].Data), "---\na: {}\n"...)
		},
		"write every case out": func(m fstest.MapFS) { m["cases/who/data.yaml"].Data = []byte("a: &a {b: {expect: {}}}\n<<: *a\n") },
		"already defined":      func(m fstest.MapFS) { m["cases/who/data.yaml"].Data = []byte("a: {}\na: {}\n") },
		casesRules:             func(m fstest.MapFS) { delete(m, casesRules) },
	} {
		m := folder(t)
		change(m)
		_, err := RunCases(t.Context(), m)
		require.ErrorIs(t, err, ErrRules, says)
		require.ErrorContains(t, err, says)
	}
}
