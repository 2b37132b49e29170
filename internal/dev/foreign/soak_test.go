package foreign_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/dev/foreign"
)

// soakTime is how long clients ask: ten seconds, or what ONTSCHOT_SOAK says ("10m").
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	long := os.Getenv("ONTSCHOT_SOAK")
	if long == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(long)
	require.NoError(t, err, "ONTSCHOT_SOAK")
	return d
}

// Clients in every language ask one gateway for as long as is said. When they have warmed up,
// neither the gateway nor any of them takes more descriptors, threads or memory; and when they
// have gone, the gateway has as many goroutines as one that was asked once.
func costNothingThatStays(t *testing.T, programs []foreign.Program) {
	t.Helper()
	once := foreign.Start(t, program, false)
	before := goroutines(t, once)
	w := foreign.Start(t, program, false)
	long := soakTime(t)
	watched := []*watch{{name: "the gateway", pid: w.Gateway.Process.Pid}}
	var clients []*exec.Cmd
	outputs := map[*exec.Cmd]*strings.Builder{}
	for _, p := range programs {
		c := p.Command("ask", w.Config(), w.Token(), w.RequestFile(), strconv.Itoa(int(long.Seconds())))
		out := new(strings.Builder)
		c.Stdout, c.Stderr = out, out
		require.NoError(t, c.Start(), p.Language)
		clients, outputs[c] = append(clients, c), out
		watched = append(watched, &watch{name: p.Language, pid: c.Process.Pid})
	}
	every := max(long/60, 250*time.Millisecond)
	minted := time.Now()
	for until := time.Now().Add(long - every); time.Now().Before(until); time.Sleep(every) {
		for _, one := range watched {
			one.look()
		}
		if time.Since(minted) > time.Minute {
			w.Mint(t)
			minted = time.Now()
		}
	}
	for _, c := range clients {
		require.NoError(t, c.Wait(), outputs[c].String())
		require.Contains(t, outputs[c].String(), "keer gevraagd en gecontroleerd.")
		t.Log(lastLine(outputs[c].String()))
	}
	for _, one := range watched {
		one.flat(t)
	}
	after := goroutines(t, w)
	t.Logf("goroutines of the gateway: %d after one question, %d when all clients have gone", before, after)
	require.LessOrEqual(t, after, before+8)
}

// goroutines ends a gateway with SIGQUIT, on which Go's runtime writes down every goroutine, and
// counts them.
func goroutines(t *testing.T, w *foreign.Town) int {
	t.Helper()
	require.NoError(t, w.Gateway.Process.Signal(syscall.SIGQUIT))
	_ = w.Gateway.Wait()
	raw, err := os.ReadFile(w.Said)
	require.NoError(t, err)
	n := strings.Count("\n"+string(raw), "\ngoroutine ")
	require.Greater(t, n, 5, "%.300s", raw)
	return n
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// watch is what a process takes, at each look.
type watch struct {
	name string
	pid  int
	seen [3][]int // descriptors, threads, KiB in memory
}

// what says which figures are watched, and how much more the end may be than the middle: by a
// share of it, and by so many.
var what = [3]struct {
	name  string
	share float64
	more  int
}{{"descriptors", 0, 8}, {"threads", 0, 8}, {"KiB", 0.25, 48 << 10}}

func (w *watch) look() {
	dir := fmt.Sprintf("/proc/%d", w.pid)
	open, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return // it has ended
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return
	}
	w.seen[0] = append(w.seen[0], len(open))
	w.seen[1] = append(w.seen[1], field(string(status), "Threads:"))
	w.seen[2] = append(w.seen[2], field(string(status), "VmRSS:"))
}

// field is a figure of /proc/PID/status.
func field(status, name string) int {
	_, rest, _ := strings.Cut(status, "\n"+name)
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.Atoi(strings.Fields(line + " 0")[0])
	return n
}

// flat holds the last quarter of the looks against the second: what is higher there grows. The
// median is compared, as a collector of garbage comes and goes.
func (w *watch) flat(t *testing.T) {
	t.Helper()
	n := len(w.seen[0])
	require.GreaterOrEqual(t, n, 12, w.name)
	for i, one := range what {
		middle, end := median(w.seen[i][n/4:n/2]), median(w.seen[i][n-n/4:])
		t.Logf("%s: %s %d, then %d", w.name, one.name, middle, end)
		require.LessOrEqual(t, float64(end), float64(middle)*(1+one.share)+float64(one.more), "%s: %s %v", w.name, one.name, w.seen[i])
	}
}

func median(all []int) int {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
