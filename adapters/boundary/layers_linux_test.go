package boundary

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

func root() bool { return os.Geteuid() == 0 }

// What the layers keep it from, it can do without them: each of these tests can fail.
func TestWithoutLayersAHostileAdapterDoesAsItLikes(t *testing.T) {
	c := newCell(t, Profile{off: only()}, Self())
	pid := strconv.Itoa(os.Getpid())
	c.allows(ofGateway(t)...)
	c.allows("list /etc", "signal "+pid, "others", "exec /bin/sh -c true", "memfd")
}

func TestLayerEnvironment(t *testing.T) {
	t.Setenv("PGPASSWORD", "the gateway's")
	said, _ := newCell(t, Profile{}, Self()).tries("environ")
	require.Contains(t, said["environ"], `"ONLY=this"`)
	require.NotContains(t, said["environ"], "gateway")
	require.Equal(t, 2, strings.Count(said["environ"], "="), "that, and TMPDIR: %s", said["environ"])
}

// Its own user reads no file that is the gateway's alone, whatever else is missing.
func TestLayerUser(t *testing.T) {
	c := newCell(t, Profile{off: only(stage.User)}, Self())
	if !c.has(stage.User) {
		require.False(t, root())
		return
	}
	pid := strconv.Itoa(os.Getpid())
	c.refuses(ofGateway(t)[:4]...)
	c.refuses("read /proc/"+pid+"/environ", "mem "+pid, "list /proc/"+pid+"/fd", "ptrace "+pid, "signal "+pid, "list "+c.folder+"/root", "write /etc/x")
	other := newCell(t, Profile{off: only(stage.User)}, Self())
	require.NotEqual(t, c.box.user.user, other.box.user.user, "another adapter is another user")
	one, _ := c.tries("ids")
	require.Equal(t, fmt.Sprintf("uid %[1]d %[1]d gid %[1]d %[1]d groups []", c.box.user.user), one["ids"])
}

func TestLayerPrivilegesAndCapabilities(t *testing.T) {
	for name, off := range map[string][]string{"all layers": nil, "these alone": only()} {
		t.Run(name, func(t *testing.T) {
			said, layers := newCell(t, Profile{off: off}, Self()).tries("status NoNewPrivs CapInh CapPrm CapEff CapAmb CapBnd")
			none := strings.Repeat("0", 16)
			for _, want := range []string{"NoNewPrivs=1", "CapInh=" + none, "CapPrm=" + none, "CapEff=" + none, "CapAmb=" + none} {
				for _, what := range said {
					require.Contains(t, what, want)
				}
			}
			require.True(t, layerOf(layers, stage.Privileges).Active)
			require.True(t, layerOf(layers, stage.Capabilities).Active)
		})
	}
}

// It does not see what it was not given, and leaves nothing.
func TestLayerView(t *testing.T) {
	given := filepath.Dir(secret(t))
	require.NoError(t, os.Chmod(given, 0o755))
	require.NoError(t, os.WriteFile(given+"/nightly.csv", []byte("a;b\n"), 0o644))
	c := newCell(t, Profile{off: only(stage.View), Read: []string{given + "/nightly.csv"}}, Self())
	if !c.has(stage.View) {
		return
	}
	socket := filepath.Join(c.folder, "gateway.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close()
	c.refuses(ofGateway(t)...)
	c.refuses("read "+given+"/sign-1.pem", "list /home", "list /root", "list /etc/ssl/private", "read /etc/passwd",
		"unix "+socket, "unix /run/docker.sock", "write /x", "write /usr/lib/x", "write /etc/hosts", "write "+given+"/nightly.csv",
		"exec /bin/sh -c true", "loader /bin/sh -c true", "fromtmp")
	c.allows("read "+given+"/nightly.csv", "read /etc/hosts", "list /usr/lib", "write /tmp/left", "write /dev/null", "write "+c.sockets+"/x")
	require.NoFileExists(t, "/tmp/left")
	c.allows("write " + c.folder + "/x") // a folder of that name in its own /tmp
	require.NoFileExists(t, c.folder+"/x")
	c.refuses("read /tmp/left") // the next process has another
}

// Landlock alone: it opens nothing that it was not given.
func TestLayerFiles(t *testing.T) {
	c := newCell(t, Profile{off: only(stage.Files), Read: []string{"/etc/hostname"}}, Self())
	if !c.has(stage.Files) {
		return
	}
	l, err := net.Listen("unix", "@ontschot-test-"+strconv.Itoa(os.Getpid()))
	require.NoError(t, err)
	defer l.Close()
	pid := strconv.Itoa(os.Getpid())
	c.refuses(ofGateway(t)...)
	c.refuses("read /etc/passwd", "list /root", "list /tmp", "write /tmp/left",
		"read /proc/"+pid+"/environ", "mem "+pid, "vm "+pid+" 0", "ptrace "+pid, "others", "signal "+pid,
		"exec /bin/sh -c true", "loader /bin/sh -c true", "abstract ontschot-test-"+strconv.Itoa(os.Getpid()))
	c.allows("read /etc/hosts", "list /usr/lib", "write "+c.sockets+"/x")
}

// It connects to the ports it was given, by no protocol that landlock does not know, and
// listens to none.
func TestLayerPorts(t *testing.T) {
	given, other := listener(t), listener(t)
	port, err := strconv.ParseUint(given[strings.LastIndex(given, ":")+1:], 10, 16)
	require.NoError(t, err)
	c := newCell(t, Profile{off: only(stage.Files, stage.Syscalls), Ports: []uint16{uint16(port)}}, Self())
	if !c.has(stage.Ports) {
		return
	}
	c.allows("connect " + given)
	c.refuses("connect "+other, "mptcp "+other, "mptcp "+given, "fastopen "+other, "listen")
	newCell(t, Profile{off: only(), Ports: []uint16{uint16(port)}}, Self()).allows("connect "+other, "fastopen "+other, "listen")
}

func listener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// Whoever is given no port has no network at all: nothing goes out over UDP either.
func TestLayerNetwork(t *testing.T) {
	where := listener(t)
	for name, off := range map[string][]string{"namespace": only(stage.Network), "seccomp": only(stage.Syscalls)} {
		t.Run(name, func(t *testing.T) {
			c := newCell(t, Profile{off: off}, Self())
			if name == "seccomp" || c.has(stage.Network) {
				c.refuses("connect "+where, "udp 127.0.0.1:53", "mptcp "+where)
			}
		})
	}
	newCell(t, Profile{off: only()}, Self()).allows("connect "+where, "udp 127.0.0.1:53")
}

// No call that reaches into other processes, the kernel or the machine begins.
func TestLayerSyscalls(t *testing.T) {
	here, err := arch.GetInfo("")
	require.NoError(t, err)
	var acts []string
	for _, name := range refused() {
		number, there := here.SyscallNames[name]
		if there && name != "vhangup" && name != "setsid" { // these two mean what they do whatever they are given
			acts = append(acts, fmt.Sprintf("call %d", number))
		}
	}
	require.Greater(t, len(acts), 70)
	pid := strconv.Itoa(os.Getpid())
	c := newCell(t, Profile{off: only(stage.Syscalls)}, Self())
	c.refuses(append(acts, "ptrace "+pid, "seize "+pid, "vm "+pid+" 0", "memfd")...)
	said, _ := c.tries("status Seccomp Seccomp_filters")
	require.Contains(t, said["status Seccomp Seccomp_filters"], "Seccomp=2 Seccomp_filters=")
	newCell(t, Profile{off: only()}, Self()).allows("memfd")
}

// Nothing of it outlives it: neither what stays in its group nor what leaves it. Each of
// three ways does alone.
func TestLayerProcesses(t *testing.T) {
	ways := map[string][]string{"namespace": only(stage.Processes), "seccomp and its group": only(stage.Syscalls), "all": nil}
	if root() {
		ways["its user"] = only(stage.User)
	}
	for name, off := range ways {
		t.Run(name, func(t *testing.T) {
			c := newCell(t, Profile{off: off}, Self())
			marker := "outlives-" + strconv.Itoa(os.Getpid()) + "-" + strings.ReplaceAll(name, " ", "-")
			p, err := c.start("adapter", "hostile", "outlive "+marker, "wait")
			require.NoError(t, err)
			said := make([]byte, 1000)
			n, err := p.out.Read(said)
			require.NoError(t, err)
			t.Log(string(said[:n]))
			require.Contains(t, string(said[:n]), "plain runs")
			require.NotEmpty(t, having(marker), "they run while it does")
			p.end()
			require.Eventually(t, func() bool { return len(having(marker)) == 0 }, 10*time.Second, time.Millisecond, "they end with it")
		})
	}
	if c := newCell(t, Profile{}, Self()); c.has(stage.Processes) {
		pid := strconv.Itoa(os.Getpid())
		c.refuses("others", "signal "+pid, "read /proc/"+pid+"/environ", "mem "+pid, "ptrace "+pid, "vm "+pid+" 0")
	}
}

// Without any of them a process outlives it: the test above can fail.
func TestWithoutLayersSomethingOutlivesIt(t *testing.T) {
	c := newCell(t, Profile{off: only()}, Self())
	marker := "outlives-" + strconv.Itoa(os.Getpid()) + "-nothing"
	p, err := c.start("adapter", "hostile", "outlive "+marker, "wait")
	require.NoError(t, err)
	_, err = p.out.Read(make([]byte, 1000))
	require.NoError(t, err)
	p.end()
	left := having(marker)
	require.Len(t, left, 2, "in a session, and in a group of its own")
	for _, pid := range left {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
}

// having are the processes that were started with a text among their arguments.
func having(marker string) []int {
	var all []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		raw, err := os.ReadFile(path)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && strings.Contains(string(raw), "wait "+marker) {
			all = append(all, pid)
		}
	}
	return all
}

// Memory, processes, files and cores are bounded; the gateway goes on.
func TestLayerLimits(t *testing.T) {
	const processes = 60
	c := newCell(t, Profile{MemoryMiB: 256, Processes: processes}, Self())
	said, layers := c.tries("core", "big", "hog", "files")
	require.True(t, layerOf(layers, stage.Limits).Active)
	require.Regexp(t, `^10\d\d: too many open files$`, said["files"])
	require.Equal(t, "1 of 1: operation not permitted", said["core"])
	require.Regexp(t, "^(file too large|no space left on device)$", said["big"]) // of a file, and of its /tmp
	require.Contains(t, said["hog"], "cannot allocate memory")
	var mib int
	_, err := fmt.Sscanf(said["hog"], "%d MiB", &mib)
	require.NoError(t, err)
	require.LessOrEqual(t, mib, 256)

	marker := "bomb-" + strconv.Itoa(os.Getpid())
	said, _ = newCell(t, Profile{Processes: processes}, Self()).tries("bomb " + marker)
	var n int
	_, err = fmt.Sscanf(said["bomb "+marker], "%d:", &n)
	require.NoError(t, err)
	require.Less(t, n, processes)
	require.Contains(t, said["bomb "+marker], "resource temporarily unavailable")
}
