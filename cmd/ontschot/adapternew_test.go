package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
)

// The commands of docs/adapter.md are run as they are, with what that page says comes out:
// from nothing to an exam that is passed and a line in a budget, in fewer than ten.
func TestTheCommandsOfTheAdapterPage(t *testing.T) {
	script := blocksOf(t, "docs/adapter.md", "sh")[0]
	require.Less(t, strings.Count(script, "\n"), 10)
	for _, line := range blocksOf(t, "docs/adapter.md", "console") {
		script += strings.ReplaceAll(line, "$ ", "")
	}
	out, errs, err := shell(t, t.TempDir(), built(t), "set -e\ntrap 'kill $(jobs -p)' EXIT\n"+script)
	require.NoError(t, err, errs+out)
	for line := range strings.Lines(blocksOf(t, "docs/adapter.md", "text")[0]) {
		require.Contains(t, out, strings.TrimRight(line, "\n"))
	}
	require.Contains(t, out, `"id": "zorgkantoor-drenthe"`)
	require.Contains(t, out, `"cents": "9125000"`)
	require.Contains(t, errs, "adapters ready: CAK GM0119 SVB UWV ZK5503")
	require.NotContains(t, errs, "999940041")
}

func TestAdapterNewSaysWhatIsWrong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--agency", "Gemeente Utrecht"}, "--kind is one of"},
		{[]string{"--kind", "csv"}, "--agency is a name"},
		{[]string{"--kind", "csv", "--agency", "../x"}, "--agency is a name"},
		{[]string{"--kind", "csv", "--agency", "Gemeente Utrecht"}, "--replace"}, // a test is no published version
		{[]string{"--kind", "csv", "--agency", "Gemeente Utrecht", "--replace", dir}, "--replace is a folder with the module"},
		{[]string{"--kind", "csv", "--agency", "Gemeente Utrecht", "--law", "WIA"}, "begin with the reference adapter"},
		{[]string{"--kind", "csv", "x"}, "takes no arguments"},
	} {
		code, _, errs := cli(t, append([]string{"adapter", "new", "--dir", dir}, c.args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says)
		require.NoDirExists(t, dir)
	}
	args := []string{"adapter", "new", "--dir", dir, "--kind", "sql", "--agency", "Gemeente Utrecht", "--replace", checkout(t)}
	code, out, errs := cli(t, args...)
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "mapping.yaml")
	code, _, errs = cli(t, args...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "is not empty")
}

// A program without a signature is for development alone; the others of the file stay.
func TestDevSourceIsForDevelopment(t *testing.T) {
	f := open(t, "meppel")
	dir := t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	path := filepath.Join(dir, "gateway.yaml")
	before, err := config.ReadGateway(path)
	require.NoError(t, err)
	own := filepath.Join(t.TempDir(), "adapter.yaml")
	require.NoError(t, os.WriteFile(own, []byte("config: {party: X}\nsecrets: {record_key: key}\n"), 0o600))
	self, err := os.Executable()
	require.NoError(t, err)
	put := func(party, program string, more ...string) (int, string) {
		code, _, errs := cli(t, append([]string{"dev", "source", "--dir", dir, "--party", party, "--exec", program, "-c", own}, more...)...)
		return code, errs
	}

	code, errs := put("ZK5503", self, "--read", "somewhere")
	require.Equal(t, exitDone, code, errs)
	code, errs = put("GM9999", self)
	require.Equal(t, exitDone, code, errs)
	after, err := config.ReadGateway(path)
	require.NoError(t, err)
	require.Len(t, after.Sources, len(before.Sources)+1)
	for i, s := range after.Sources {
		if s.Party != "ZK5503" && s.Party != "GM9999" {
			require.Equal(t, before.Sources[i], s)
			continue
		}
		require.Equal(t, []string{self}, s.Command)
		require.Empty(t, s.Adapter)
		require.Equal(t, map[string]any{"party": "X"}, s.Config)
		require.Equal(t, filepath.Join(filepath.Dir(own), "key"), s.Secrets["record_key"], "of its own file")
	}
	require.True(t, filepath.IsAbs(after.Sources[1].Allow.Read[0]))

	code, errs = put("SVB", filepath.Join(dir, "nothing"))
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "is not there")
	code, errs = put("", self)
	require.Equal(t, exitUsage, code, errs)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	real := strings.Replace(string(raw), "dev: true\n", "", 1)
	require.NoError(t, os.WriteFile(path, []byte(real), 0o600))
	code, errs = put("SVB", self)
	require.NotEqual(t, exitDone, code, errs)
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, real, string(left))
}
