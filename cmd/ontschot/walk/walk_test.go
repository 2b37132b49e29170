// Package walk_test walks the first page of docs/operating.md with the program as a user builds it.
package walk_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain builds the program once, and puts it on the path.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "walk")
	if err == nil {
		var out []byte
		out, err = exec.Command("go", "build", "-o", filepath.Join(dir, "ontschot"), "..").CombinedOutput()
		fmt.Fprint(os.Stderr, string(out))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// shell runs a script in a folder of its own, and ends what it started.
func shell(t *testing.T, dir, script string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	source, err := filepath.Abs("../../..")
	require.NoError(t, err)
	c := exec.CommandContext(ctx, "bash", "-c", "set -e\numask 022\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n"+script)
	c.Dir, c.WaitDelay = dir, 5*time.Second
	c.Env = append(os.Environ(), "LC_ALL=", "LC_MESSAGES=", "LANG=nl_NL.UTF-8", "ONTSCHOT="+source, "GOPROXY=off", "GOFLAGS=")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

func blocks(page, language string) []string {
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

// free gives two ports of this machine, below those that outgoing connections get.
func free(t *testing.T) (ports [2]string) {
	t.Helper()
	for i := range ports {
		require.Eventually(t, func() bool {
			ports[i] = fmt.Sprint(20_000 + rand.IntN(10_000))
			l, err := net.Listen("tcp", "127.0.0.1:"+ports[i])
			if err == nil {
				err = l.Close()
			}
			return err == nil && ports[0] != ports[len(ports)-1]
		}, time.Minute, time.Millisecond)
	}
	return ports
}

// Two organisations begin with nothing: after the first page of the operator's manual, as it
// stands there, each has a gateway in production, and a person's budget came of both.
func TestFromNothingToAFirstBudget(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/operating.md")
	require.NoError(t, err)
	ports := free(t)
	page := strings.NewReplacer("127.0.0.1:8443", "127.0.0.1:"+ports[0], "127.0.0.1:8444", "127.0.0.1:"+ports[1]).Replace(string(raw))
	dir := t.TempDir()
	out, errs, err := shell(t, dir, strings.Join(blocks(page, "bash"), ""))
	require.NoError(t, err, "%s\n%s", out, errs)
	shown := strings.Join(blocks(page, "text"), "")
	require.NotEmpty(t, shown)
	for line := range strings.Lines(shown) {
		require.Contains(t, out, strings.TrimSuffix(line, "\n"), errs)
	}
	require.Contains(t, out, "1 decisions, 1 releases")
	require.NotContains(t, out, "FOUT", "every hop of the peer check")
	require.Contains(t, errs, "adapters ready: ZK5503\n")

	for _, folder := range []string{"meppel", "drenthe"} { // nothing is open to others, and nobody was made to open it
		conf, err := os.ReadFile(filepath.Join(dir, folder, "gateway.yaml"))
		require.NoError(t, err)
		require.NotRegexp(t, `(?m)^dev: true`, string(conf), "in production")
	}
}

// Ctrl-C ends a command that is at work: it says so, and nothing of it is left behind.
func TestCtrlCStops(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	c := exec.Command("ontschot", "demo")
	c.Dir, c.Stderr, c.SysProcAttr = t.TempDir(), w, &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, c.Start())
	require.NoError(t, w.Close())
	defer r.Close()
	lines := bufio.NewReader(r)
	first, err := lines.ReadString('\n')
	require.NoError(t, err, first)
	require.NoError(t, c.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, c.Wait(), &exit)
	require.Equal(t, 130, exit.ExitCode(), first+string(rest))
	require.Contains(t, string(rest), "ontschot: stopped\n")
}
