package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
)

// examRoom is a development folder with the systems of a case, and the file of one adapter.
func examRoom(t *testing.T, party string) string {
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	dir := t.TempDir()
	_, err = makeFolderWithoutCase(cf, dir, false)
	require.NoError(t, err)
	box, err := startSandbox(cf, dir, nil, &bytes.Buffer{})
	require.NoError(t, err)
	t.Cleanup(box.Close)
	gateway, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	i := slices.IndexFunc(gateway.Sources, func(s config.Source) bool { return s.Party == party })
	raw, err := yaml.Marshal(config.Adapter{Settings: gateway.Sources[i].Settings})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter.yaml"), raw, 0o600))
	people := "party: " + party + "\nfrom: 2025-01-01\nto: 2025-12-31\nhistory_from: 2024-01-01\npersons:\n"
	for _, m := range cf.Household {
		people += "  - {id: " + string(m.Ref) + ", name: " + m.Name + ", bsn: \"" + m.BSN + "\"}\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "persons.yaml"), []byte(people), 0o600))
	return dir
}

// An adapter is examined from the command line: what comes is recorded, holds, and no longer
// holds when the file says something else.
func TestAnAdapterIsExamined(t *testing.T) {
	dir := examRoom(t, "CAK")
	self, err := os.Executable()
	require.NoError(t, err)
	exam := func(more ...string) (string, string, int) {
		var out, errs bytes.Buffer
		args := append([]string{"adapter", "exam", "--exec", self, "--args", "adapter", "--args", "run", "--args", "cak", "-c", filepath.Join(dir, "adapter.yaml")}, more...)
		code := run(t.Context(), args, &out, &errs)
		return out.String(), errs.String(), code
	}
	persons := filepath.Join(dir, "persons.yaml")
	recorded, errs, code := exam("--persons", persons, "--record")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, recorded, "own_contributions")
	require.NoError(t, os.WriteFile(persons, []byte(recorded), 0o600))

	out, errs, code := exam("--persons", persons, "--format", "junit", "--lang", "en")
	require.Equal(t, exitDone, code, "%s%s", out, errs)
	require.NoError(t, xml.Unmarshal([]byte(out), new(struct{ XMLName xml.Name })))
	require.NotContains(t, out, "<failure")

	itself := exec.CommandContext(t.Context(), self, "adapter", "run", "cak", "exam", "-c", filepath.Join(dir, "adapter.yaml"), "--persons", persons)
	raw, err := itself.CombinedOutput()
	require.NoError(t, err, "%s", raw)
	require.Contains(t, string(raw), "Geslaagd", "by its own mode too")

	require.NoError(t, os.WriteFile(persons, []byte(strings.Replace(recorded, "2100", "2101", 1)), 0o600))
	out, errs, code = exam("--persons", persons, "--format", "json")
	require.Equal(t, exitNo, code)
	require.Contains(t, errs, "the exam is not passed")
	var report struct {
		Passed  bool
		Results []struct{ ID, Outcome string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report), "one object on stdout")
	require.False(t, report.Passed)
	for _, one := range report.Results {
		require.Equal(t, one.ID == "fetch.golden", one.Outcome == "failed", one.ID)
	}
}

// What an agency has is the manifest that it signed: the program is held against that, and
// what it says of itself. One of another program is not examined at all.
func TestAnAdapterIsExaminedAgainstItsManifest(t *testing.T) {
	dir := examRoom(t, "CAK")
	p := newOwnProgram(t, open(t, "meppel"), "ZK5503")
	manifestOf := func(kind string) string {
		file := filepath.Join(dir, kind+".json")
		code, _, errs := cli(t, "adapter", "sign", "--organisation", p.oin, "--key", p.key, "--key-id", p.id, "--out", file, "--", p.program, "adapter", "run", kind)
		require.Equal(t, exitDone, code, errs)
		return file
	}
	seen := func(file string) (string, string, int) {
		code, out, errs := cli(t, "adapter", "exam", "--exec", p.program, "--args", "adapter", "--args", "run", "--args", "cak", "-c", filepath.Join(dir, "adapter.yaml"), "--manifest", file, "--format", "json")
		var report struct {
			Results []struct{ ID, Outcome string }
		}
		if out != "" {
			require.NoError(t, json.Unmarshal([]byte(out), &report))
		}
		for _, one := range report.Results {
			if one.ID == "describe.manifest" {
				return one.Outcome, out + errs, code
			}
		}
		return "", errs, code
	}
	own, another := manifestOf("cak"), manifestOf("svb")
	outcome, said, code := seen(own)
	require.Equal(t, []any{"passed", exitDone}, []any{outcome, code}, said)
	outcome, said, code = seen(another)
	require.Equal(t, []any{"failed", exitNo}, []any{outcome, code})
	require.Contains(t, said, "id is not as in the manifest")

	raw, err := os.ReadFile(own)
	require.NoError(t, err)
	cut := filepath.Join(dir, "cut.json")
	require.NoError(t, os.WriteFile(cut, raw[:len(raw)-8], 0o600))
	_, said, code = seen(cut)
	require.Equal(t, exitCannot, code)
	require.Contains(t, said, "manifest")
	program, err := os.OpenFile(p.program, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = program.WriteString("x")
	require.NoError(t, err)
	require.NoError(t, program.Close())
	_, said, code = seen(own)
	require.Equal(t, exitCannot, code)
	require.Contains(t, said, "its SHA-256 is ")
}

func TestAnExamThatIsAskedWrongly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.yaml")
	require.NoError(t, os.WriteFile(file, []byte("{}\n"), 0o600))
	for args, want := range map[string]int{
		"":                    exitUsage,
		"--exec x --addr y:1": exitUsage,
		"--exec /bin/true":    exitUsage,
		"--exec /bin/true -c " + file + " --ca x":       exitUsage,
		"--exec /bin/true -c " + file + " --format xml": exitUsage,
		"--exec /bin/true -c " + file + " --lang fr":    exitUsage,
		"--exec /bin/true -c " + file + " --record":     exitUsage,
		"--exec /bin/true -c " + file + " --oin 1":      exitUsage,
		"--addr y":        exitUsage,
		"--addr y:1":      exitUsage,
		"--addr y:1 -c x": exitUsage,
		"--addr y:1 --cert a --key b --ca c --oin 1":         exitUsage,
		"--exec /nonexistent/adapter -c " + file:             exitCannot,
		"--exec /bin/true -c /nonexistent":                   exitUsage,
		"--exec /bin/true -c " + file + " --persons " + file: exitNo,
		"--exec /bin/true -c " + file:                        exitNo,
		"--addr y:1 --cert /n --key /n --ca /n":              exitUsage,
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"adapter", "exam"}, strings.Fields(args)...), &out, &errs)
		require.Equal(t, want, code, "%s: %s", args, errs.String())
		require.NotEmpty(t, errs.String(), args)
	}
}
