package host_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/host"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

func startHostile(t *testing.T, change func(*host.Config)) (*host.Process, string) {
	t.Helper()
	c := config(newJournal())
	marker := fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
	c.Args = []string{"adapter", "hostile", marker}
	if change != nil {
		change(&c)
	}
	p, err := host.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p, marker
}

// having are the processes that were started with a marker.
func having(marker string) []int {
	var all []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && strings.Contains(string(raw), "\x00"+marker+"\x00") && pid != os.Getpid() {
			all = append(all, pid)
		}
	}
	return all
}

func gone(t *testing.T, marker string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(having(marker)) == 0 }, 20*time.Second, time.Millisecond)
}

// An adapter is started at the floor of production, says which layers are around it, and
// reads nothing of the gateway's.
func TestAnAdapterBehindItsBoundary(t *testing.T) {
	folder, err := os.MkdirTemp("/tmp", "") // a short name: a purpose is short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	key := filepath.Join(folder, "sign-1.pem")
	require.NoError(t, os.WriteFile(key, []byte("a key"), 0o600))
	p, _ := startHostile(t, func(c *host.Config) { c.Boundary.Floor = boundary.Floor() })
	active := 0
	for _, l := range p.Status().Layers {
		t.Logf("%-13s %v %s", l.Name, l.Active, l.Why)
		if l.Active {
			active++
		}
	}
	require.GreaterOrEqual(t, active, len(boundary.Floor()))
	for _, path := range []string{key, fmt.Sprintf("/proc/%d/environ", os.Getpid())} {
		_, err := p.Fetch(t.Context(), ask("read "+path))
		require.NoError(t, err, path)
	}
	_, err = p.Fetch(t.Context(), ask("read /etc/hosts"))
	require.Equal(t, adapters.ReasonAdapterBug, adapters.Reason(err), "that it can read anything at all")

	c := config(newJournal())
	c.Boundary.Floor = []string{"cgroup", "user", "view", "network", "walls"}
	_, err = host.Start(t.Context(), c)
	require.ErrorIs(t, err, boundary.ErrFloor)
	require.ErrorIs(t, err, host.ErrStart)
}

// What an adapter starts ends with it: when it is closed, killed, and replaced.
func TestNothingOutlivesAnAdapter(t *testing.T) {
	for name, end := range map[string]func(*host.Process){
		"closed": func(p *host.Process) { p.Close() },
		"killed": func(p *host.Process) { _ = syscall.Kill(p.PID(), syscall.SIGKILL) },
		"frozen": func(p *host.Process) { _ = syscall.Kill(p.PID(), syscall.SIGSTOP); p.Close() },
		"reload": func(p *host.Process) { _ = p.Reload(context.Background(), config(newJournal())) },
	} {
		t.Run(name, func(t *testing.T) {
			p, marker := startHostile(t, nil)
			_, err := p.Fetch(t.Context(), ask("outlive"))
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(having(marker)), 2, "it and what it started")
			before := p.PID()
			end(p)
			if name != "killed" {
				gone(t, marker)
				return
			}
			require.Eventually(t, func() bool { pid := p.PID(); return pid != 0 && pid != before && len(having(marker)) == 1 }, 20*time.Second, time.Millisecond, "one, that was started again")
			works(t, p)
			p.Close()
			gone(t, marker)
		})
	}
}

// The gateway is killed: no adapter stays behind, and nothing that one started.
func TestNothingOutlivesAHostThatIsKilled(t *testing.T) {
	marker := fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
	c := exec.Command("/proc/self/exe", "host", marker)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Regexp(t, `^runs \d+ <nil>\n$`, line)
	require.GreaterOrEqual(t, len(having(marker)), 3, "the host, the adapter, and what that started")
	require.NoError(t, c.Process.Kill())
	_ = c.Wait()
	gone(t, marker)
}

// counter counts what is written to it.
type counter struct{ n atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

// 500 MiB offered to the log: at most one is written, 64 KiB are kept, the rest is counted,
// and the adapter answers.
func TestALogThatIsFlooded(t *testing.T) {
	const offered = 500
	log := new(counter)
	p, _ := startHostile(t, func(c *host.Config) { c.Log = log })
	for range offered / 50 { // a call at a time, each within its deadline on a slow machine
		_, err := p.Fetch(t.Context(), ask("flood 50"))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		_, dropped := p.LastWords()
		return dropped > (offered-2)<<20
	}, time.Minute, 10*time.Millisecond)
	text, dropped := p.LastWords()
	t.Logf("written %d bytes, kept %d, dropped %d of %d", log.n.Load(), len(text), dropped, offered<<20)
	require.LessOrEqual(t, log.n.Load(), int64(1<<20))
	require.Len(t, text, 64<<10)
	works(t, p)
}

// An adapter that takes all memory ends itself, and not the gateway.
func TestAnAdapterThatTakesAllMemory(t *testing.T) {
	log := newJournal()
	p, _ := startHostile(t, func(c *host.Config) { c.Log, c.Boundary.MemoryMiB = log, 256 })
	before := p.PID()
	_, err := p.Fetch(t.Context(), ask("hog"))
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	log.await("out of memory")
	works(t, p)
	require.NotEqual(t, before, p.PID())
}

// An adapter that starts processes without end has as many as it may, whatever becomes of it;
// the gateway and other adapters go on, and nothing is left of it.
func TestAForkBombGoesOffInItsOwnBoundary(t *testing.T) {
	const processes = 60
	other, _ := start(t)
	p, marker := startHostile(t, func(c *host.Config) { c.Boundary.Processes = processes })
	ended := make(chan struct{})
	go func() {
		_, _ = p.Fetch(context.Background(), ask("bomb")) // it answers, or ends of it
		close(ended)
	}()
	most := 0
	for going := true; going; {
		select {
		case <-ended:
			going = false
		case <-time.After(time.Millisecond):
		}
		most = max(most, len(having(marker)))
	}
	require.Greater(t, most, 3, "it went off")
	require.LessOrEqual(t, most, processes, "of 300, with their threads")
	works(t, other)
	p.Close()
	gone(t, marker)
	works(t, other)
}

// What an adapter says of itself is looked at before it is given its secrets.
func TestAnAdapterIsAcceptedBeforeItIsConfigured(t *testing.T) {
	c := config(newJournal())
	c.ConfigJSON = []byte(`{"parti":"refused if it got there"}`)
	c.Accept = func(what *adapterv1.DescribeResponse) error {
		require.Equal(t, "fake", what.GetId())
		return io.ErrUnexpectedEOF
	}
	_, err := host.Start(t.Context(), c)
	require.ErrorIs(t, err, host.ErrKind)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}
