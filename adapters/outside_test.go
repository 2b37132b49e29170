package adapters_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/zip"

	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/internal/scaffold"
)

func references() []string {
	return []string{"municipality", "careoffice", "uwv", "insurer", "svb", "cak", "education", "transport"}
}

// The reference adapters are what an agency starts from: neither they nor their tests may
// use what a module of its own cannot.
func TestReferenceAdaptersImportNothingInternal(t *testing.T) {
	list := exec.Command("go", "list", "-f", `{{range .Imports}}{{.}} {{end}}{{range .TestImports}}{{.}} {{end}}{{range .XTestImports}}{{.}} {{end}}`)
	for _, name := range references() {
		list.Args = append(list.Args, "./"+name)
	}
	out, err := list.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, len(references()))
	for i, line := range lines {
		require.Contains(t, strings.Fields(line), "github.com/ontschot/ontschot/adapters", references()[i])
		for _, path := range strings.Fields(line) {
			require.NotContains(t, "/"+path+"/", "/internal/", "adapters/%s", references()[i])
		}
	}
}

// Each reference adapter compiles in a module of an agency's own, with its tests and a main
// function, as it stands here. The compiler refuses an import of our internal packages there.
func TestReferenceAdaptersCompileInAModuleOfTheirOwn(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	here, err := filepath.Abs("..")
	require.NoError(t, err)
	module, err := os.ReadFile("../go.mod") // with the versions that are here already: nothing is fetched
	require.NoError(t, err)
	text := strings.Replace(string(module), "module github.com/ontschot/ontschot", "module agency.example/adapter", 1)
	text += "\nrequire github.com/ontschot/ontschot v0.0.0\n\nreplace github.com/ontschot/ontschot => " + strconv.Quote(here) + "\n"
	write(t, filepath.Join(dir, "go.mod"), text)
	sums, err := os.ReadFile("../go.sum")
	require.NoError(t, err)
	write(t, filepath.Join(dir, "go.sum"), string(sums))
	imports, adapter := "", ""
	for _, name := range references() {
		files, err := filepath.Glob(name + "/*.go")
		require.NoError(t, err)
		require.NotEmpty(t, files, name)
		mappings, err := filepath.Glob(name + "/*.yaml")
		require.NoError(t, err)
		for _, file := range append(files, mappings...) {
			code, err := os.ReadFile(file)
			require.NoError(t, err)
			write(t, filepath.Join(dir, file), string(code))
		}
		imports += "\t\"agency.example/adapter/" + name + "\"\n"
		adapter += "\t\t\"" + name + "\": " + name + ".New,\n"
	}
	write(t, filepath.Join(dir, "main.go"), "package main\n\nimport (\n\t\"os\"\n\n"+imports+"\t\"github.com/ontschot/ontschot/adapters\"\n\t\"github.com/ontschot/ontschot/adapters/program\"\n)\n\n"+
		"func main() {\n\tprogram.Main(map[string]func() adapters.Adapter{\n"+adapter+"\t}[os.Args[1]])\n}\n")
	for _, args := range [][]string{{"build", "-o", "adapter", "."}, {"vet", "./..."}} { // vet is for the tests
		out, err := outside(dir, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	// That it can fail: what this module may import, that one may not.
	write(t, filepath.Join(dir, "refused", "refused.go"), "package refused\n\nimport _ \"github.com/ontschot/ontschot/internal/civil\"\n")
	out, err := outside(dir, "build", "./refused").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "use of internal package")
}

// What "adapter new" makes, of each kind and of each law: a module outside this one whose own
// tests pass at once, those of its mapping and the exam with its own source behind it.
func TestScaffoldsWorkInAModuleOfTheirOwn(t *testing.T) {
	here, err := filepath.Abs("..")
	require.NoError(t, err)
	laws := map[string]string{"csv": "WLZ", "sql": "JW", "rest": "WMO", "graphql": "ZVW", "soap": "WLZ"}
	for _, kind := range scaffold.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // most of an exam is waiting
			dir, err := filepath.EvalSymlinks(t.TempDir())
			require.NoError(t, err)
			_, err = scaffold.Write(scaffold.Options{Kind: kind, Agency: "Coöperatie 't Veer & Zn. (NL)", Law: laws[kind], Dir: dir, Replace: here})
			require.NoError(t, err)
			out, err := outside(dir, "test", "-v", ".").CombinedOutput()
			require.NoError(t, err, "%s", out)
			if strings.Contains(string(out), "NOT TESTED") { // it lacks a server, and said so
				trial.Lacking(t, "what the source of "+kind+" needs")
			}
			require.Contains(t, string(out), "Passed: all that must be so is so.")
			require.Contains(t, string(out), ", 0 failed, 0 not reached, ")
			require.Contains(t, string(out), "ok   fetch.golden")
			unformatted, err := exec.Command("gofmt", "-l", dir).CombinedOutput()
			require.NoError(t, err, "%s", unformatted)
			require.Empty(t, string(unformatted))
		})
	}
	require.Len(t, laws, len(scaffold.Kinds()))
}

// The module can be published: a proxy refuses one with a file that some machine cannot have.
func TestTheModuleCanBePublished(t *testing.T) {
	files, err := zip.CheckDir("..")
	require.NoError(t, err)
	require.NoError(t, files.Err())
	for _, name := range []string{"../adapters/program/main.go", "../internal/scaffold/files/all/go.mod.tmpl", "../internal/scaffold/files/all/.gitignore.tmpl"} {
		require.True(t, slices.Contains(files.Valid, name), name)
	}
}

// outside runs go in another module, without a network.
func outside(dir string, args ...string) *exec.Cmd {
	c := exec.Command("go", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOSUMDB=off", "GOTOOLCHAIN=local", "GOWORK=off")
	return c
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
