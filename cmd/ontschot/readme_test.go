package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// built is the program as a user builds it.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	c := exec.Command("go", "build", "-o", filepath.Join(dir, "ontschot"), ".")
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

// checkout is the folder of this repository.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	require.NoError(t, err)
	return dir
}

// shell runs a script with what is built, without a network.
func shell(t *testing.T, dir, path, script string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-c", script)
	c.Dir, c.WaitDelay = dir, 5*time.Second
	c.Env = append(os.Environ(), "ONTSCHOT="+checkout(t), "GOPROXY=off", "GOSUMDB=off", "GOFLAGS=", "PATH="+path+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// blocks gives the fenced blocks of a language in the README.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	return blocksOf(t, "README.md", language)
}

func blocksOf(t *testing.T, page, language string) []string {
	t.Helper()
	raw, err := os.ReadFile("../../" + page)
	require.NoError(t, err)
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		out = append(out, m[1])
	}
	require.NotEmpty(t, out, language)
	return out
}

// The README's first command is run as it is, and prints what the README says
// it prints.
func TestTheREADMEsDemo(t *testing.T) {
	console := strings.Join(blocks(t, "console"), "")
	require.Contains(t, console, "$ go run ./cmd/ontschot demo\n")
	require.Contains(t, console, "$ go test ./...\n", "this is that test")
	out, errs, err := shell(t, "../..", "", "go run ./cmd/ontschot demo")
	require.NoError(t, err, errs)
	for line := range strings.Lines(blocks(t, "text")[0]) {
		require.Contains(t, out, strings.TrimRight(line, "\n"))
	}
	require.Contains(t, errs, "signature and receipt verified")
}

// The commands by hand are run as they are, each part a process of its own.
func TestTheREADMEsCommandsByHand(t *testing.T) {
	script := strings.Join(blocks(t, "sh"), "")
	dir := t.TempDir()
	out, errs, err := shell(t, dir, built(t), "set -e\ntrap 'kill $(jobs -p)' EXIT\n"+script)
	require.NoError(t, err, errs)
	require.Contains(t, out, "€ 111.844,37")
	require.Contains(t, out, "4 releases")
	require.Contains(t, out, "Er verandert niets.", "a proposal against the draft it was made of")
	require.Regexp(t, `met +Zorgkantoor Drenthe .*\n +stand +van kracht\n.*\n +door +Gemeente Meppel\n +tot en met +31 december 2025\n +doorlooptijd +\d+ seconden`, out, "in force, and how long it took")
	require.Contains(t, out, "Mag Gemeente Meppel gegevens over u opvragen?")
	require.Regexp(t, `signing +GM0119 +sign-1 +in use`, out)
	require.Contains(t, out, "The budget is what GM0119 released")
	require.Contains(t, out, "Deel PA-1 van het plan kan zo niet")
	require.Contains(t, out, "begeleiding (Wmo 2015) van Bram Veldkamp, vanaf 1 januari 2025", "names in a plan, as in the demo")
	require.Contains(t, out, "1 januari 2025 tot en met 30 juni 2025")
	require.Contains(t, errs, "adapters ready: CAK GM0119 SVB UWV ZK5503")
}

// Two gateways by hand: the care office's own answers, and is asked nothing any more once the
// consent is withdrawn at the municipality.
func TestTheREADMEsTwoGateways(t *testing.T) {
	script := strings.Join(blocks(t, "bash"), "")
	out, errs, err := shell(t, t.TempDir(), built(t), "set -e\ntrap 'kill $(jobs -p)' EXIT\n"+script)
	require.NoError(t, err, errs)
	require.Contains(t, out, "€ 85.410,00")
	_, before, found := strings.Cut(out, "Handtekening en bewijs zijn gecontroleerd.")
	require.True(t, found)
	_, after, found := strings.Cut(before, "De toestemming is gestopt.")
	require.True(t, found)
	require.NotContains(t, after, "€ 85.410,00")
	require.Regexp(t, `Jurre Veldkamp, Zorgkantoor Drenthe .*\n.*\n? +ontbreken\. De toestemming is\s+ingetrokken`, after)
	const asked = "1 decisions, 1 releases, 1 documents of which 1 in force"
	require.Equal(t, 2, strings.Count(out, asked), "its log is as before: nobody could ask it")
	require.Contains(t, errs, "adapters ready: ZK5503\n")
	require.Contains(t, errs, "PEER_UNREACHABLE", "those that do not run")
}

// The built program: one JSON object on stdout, exit codes, help that helps.
func TestTheBuiltProgram(t *testing.T) {
	bin := built(t)
	dir := t.TempDir()
	out, errs, err := shell(t, dir, bin, "ontschot demo --case diemen-zwolle --format json")
	require.NoError(t, err, errs)
	d := json.NewDecoder(strings.NewReader(out))
	var b struct {
		Lines []struct {
			ID         string  `json:"id"`
			ValueCents *string `json:"value_cents"`
		} `json:"lines"`
		Care     string `json:"care_total_cents"`
		Complete bool   `json:"complete"`
	}
	require.NoError(t, d.Decode(&b))
	require.False(t, d.More(), "exactly one object")
	require.Equal(t, "8142423", b.Care)
	require.Len(t, b.Lines, 9)
	require.True(t, b.Complete)
	for _, l := range b.Lines {
		require.Equal(t, l.ID == "C4/WMO/11/2023-09-01", l.ValueCents == nil, l.ID)
	}

	for script, code := range map[string]int{
		"ontschot version":                                         0,
		"ontschot demo --case nowhere.json":                        2,
		"ontschot serve --config nowhere.yaml":                     2,
		"ontschot audit verify --data nowhere":                     2,
		"ontschot demo --frmat json":                               2,
		"ontschot demo extra":                                      2,
		"ontschot budget frobnicate":                               2,
		"ontschot budget plan --budget /dev/null --plan /dev/null": 1,
		"ontschot frobnicate":                                      2,
		"ontschot demo --format xml":                               2,
		"ontschot adapter run teapot":                              2,
		"ontschot dev init --case meppel --dir .":                  0,
		"ontschot dev init --case meppel --dir " + bin:             2,
	} {
		_, errs, err := shell(t, dir, bin, script)
		got := 0
		if exit, ok := err.(*exec.ExitError); ok {
			got = exit.ExitCode()
		}
		require.Equal(t, code, got, "%s: %s", script, errs)
		require.NotContains(t, errs, "goroutine", script)
		if code != 0 {
			require.NotEmpty(t, errs, script)
		}
	}
	// A gateway that is not there: cannot reach, 3. In development a token is minted as needed.
	_, errs, err = shell(t, dir, bin, "rm -f client/token && ontschot budget get --case case.json --timeout 300ms")
	require.Equal(t, 3, err.(*exec.ExitError).ExitCode(), errs)

	for _, command := range []string{"", "demo", "serve", "sandbox", "dev", "dev init", "dev token", "budget", "budget get", "budget plan", "budget account", "budget dissolve", "budget sunset", "budget view", "budget verify", "audit", "audit verify", "adapter", "adapter run", "version"} {
		out, _, err := shell(t, dir, bin, "ontschot "+command+" --help")
		require.NoError(t, err, command)
		require.Contains(t, out, "Usage:", command)
		if !strings.Contains(out, "Available Commands:") {
			require.Contains(t, out, "Examples:", "%s: an example to work from", command)
		}
	}
}
