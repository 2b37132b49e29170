package boundary

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hostile" {
		hostile(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// cell is one box with what it takes to start a program in it.
type cell struct {
	t       *testing.T
	box     *Box
	folder  string
	sockets string
}

func newCell(t *testing.T, p Profile, program *Program) *cell {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "ontschot-boundary-")
	require.NoError(t, err)
	box, err := New(t.Name(), p, program, folder)
	require.NoError(t, err)
	c := &cell{t: t, box: box, folder: folder, sockets: filepath.Join(folder, "sockets")}
	require.NoError(t, os.Mkdir(c.sockets, 0o700))
	t.Cleanup(func() {
		box.End()
		require.NoError(t, os.RemoveAll(folder))
	})
	return c
}

// prisoner is one process in a cell.
type prisoner struct {
	cmd      *exec.Cmd
	layers   []Layer
	out, err *os.File
	lifeline *os.File
	box      *Box
}

func (c *cell) start(args ...string) (*prisoner, error) {
	c.t.Helper()
	p := &prisoner{box: c.box}
	pipe := func() (*os.File, *os.File) {
		r, w, err := os.Pipe()
		require.NoError(c.t, err)
		c.t.Cleanup(func() { _, _ = r.Close(), w.Close() })
		return r, w
	}
	var out, errs, line *os.File
	p.out, out = pipe()
	p.err, errs = pipe()
	line, p.lifeline = pipe()
	ready := make(chan error)
	go func() { // the thread that the process's life hangs on lives as long as the test's program
		runtime.LockOSThread()
		var err error
		p.cmd, p.layers, err = c.box.Start(Launch{
			Args: args, Env: []string{"ONLY=this"}, Sockets: c.sockets, Stdout: out, Stderr: errs, Lifeline: line, Run: func(f func()) { f() },
		})
		ready <- err
		if err == nil {
			select {}
		}
	}()
	err := <-ready
	_, _, _ = out.Close(), errs.Close(), line.Close()
	if err == nil {
		c.t.Cleanup(p.end)
	}
	return p, err
}

// end ends a process as the host does.
func (p *prisoner) end() {
	if p.cmd.ProcessState == nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		_ = p.cmd.Wait()
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		p.box.Sweep()
	}
}

// tries has a hostile adapter try acts, and gives what came of each.
func (c *cell) tries(acts ...string) (map[string]string, []Layer) {
	c.t.Helper()
	p, err := c.start(append([]string{"adapter", "hostile"}, acts...)...)
	require.NoError(c.t, err)
	_ = p.out.SetReadDeadline(time.Now().Add(time.Minute))
	said := map[string]string{}
	for lines := bufio.NewScanner(p.out); len(said) < len(acts) && lines.Scan(); {
		for _, act := range acts {
			if what, ok := strings.CutPrefix(lines.Text(), act+": "); ok {
				said[act] = what
			}
		}
	}
	if len(said) < len(acts) {
		p.end()
		rest, _ := io.ReadAll(p.err)
		require.Failf(c.t, "it ended", "%v of %v; %s", said, acts, bytes.TrimSpace(rest[:min(len(rest), 2000)]))
	}
	for act, what := range said {
		c.t.Logf("%s: %s", act, what)
	}
	return said, p.layers
}

// refuses has every act fail.
func (c *cell) refuses(acts ...string) {
	c.t.Helper()
	said, _ := c.tries(acts...)
	for act, what := range said {
		require.NotEqual(c.t, "done", what, act)
		require.NotEqual(c.t, "no such act", what, act)
	}
}

// allows has every act succeed: what refuses them elsewhere is what was left out here.
func (c *cell) allows(acts ...string) {
	c.t.Helper()
	said, _ := c.tries(acts...)
	for act, what := range said {
		require.Equal(c.t, "done", what, act)
	}
}

func layerOf(layers []Layer, name string) Layer {
	for _, l := range layers {
		if l.Name == name {
			return l
		}
	}
	return Layer{}
}

// has reports whether this machine gives a layer; when it does not, the layer says why.
func (c *cell) has(name string) bool {
	c.t.Helper()
	p, err := c.start("adapter", "hostile")
	require.NoError(c.t, err)
	p.end()
	l := layerOf(p.layers, name)
	if !l.Active {
		require.NotEmpty(c.t, l.Why)
		c.t.Logf("this machine does not give %s: %s", name, l.Why)
	}
	return l.Active
}

// all the layers that can be left out, but for these.
func only(layers ...string) []string {
	var off []string
	for _, name := range []string{stage.User, stage.View, stage.Files, stage.Network, stage.Syscalls, stage.Processes, stage.Limits} {
		keep := false
		for _, l := range layers {
			keep = keep || l == name
		}
		if !keep {
			off = append(off, name)
		}
	}
	return off
}

// secret is a file as the gateway keeps its keys: its owner alone reads it.
func secret(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/var/tmp", "ontschot-gateway-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	for _, name := range []string{"record.db", "client_secret", "sign-1.pem"} { // as the gateway keeps each of them
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte("the gateway's"), 0o600))
	}
	return filepath.Join(folder, "sign-1.pem")
}

// ofGateway are acts on the files of a gateway: its key, its record, another source's secret.
func ofGateway(t *testing.T) []string {
	t.Helper()
	key := secret(t)
	folder := filepath.Dir(key)
	return []string{"read " + key, "read " + folder + "/record.db", "write " + folder + "/record.db", "read " + folder + "/client_secret", "list " + folder, "write " + folder + "/left"}
}
