package boundary

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// Every layer holds for an ordinary user too: the tests of the layers once more, by nobody.
func TestTheLayersOfAnOrdinaryUser(t *testing.T) {
	if !root() {
		return // they are that already
	}
	folder, err := os.MkdirTemp("/tmp", "ontschot-nobody-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	program := filepath.Join(folder, "boundary.test")
	raw, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, raw, 0o755))
	c := exec.Command(program, "-test.run=^Test(Layer|TheEnd|WithoutLayers|AProgram|BelowTheFloor|Namespaces)", "-test.v")
	c.Dir, c.Env = "/", []string{"PATH=/usr/bin:/bin"}
	const nobody = 65534
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
	require.Greater(t, bytes.Count(out, []byte("--- PASS")), 10)
}

// What the operator wants at least is not given up: nothing is started.
func TestBelowTheFloorNothingStarts(t *testing.T) {
	for _, missing := range []string{stage.View, stage.Files, stage.Syscalls, stage.Limits} {
		c := newCell(t, Profile{off: []string{missing}, Floor: []string{missing}}, Self())
		marker := filepath.Join(c.sockets, "started")
		_, err := c.start("adapter", "hostile", "write "+marker)
		require.ErrorIs(t, err, ErrFloor)
		require.ErrorContains(t, err, missing+" is missing: ")
		require.NoFileExists(t, marker)
	}
	_, err := New("x", Profile{Floor: []string{"walls"}}, Self(), t.TempDir())
	require.ErrorContains(t, err, `"walls" is no layer`)
	c := newCell(t, Profile{Floor: Floor()}, Self())
	c.allows("write /dev/null")
}

// A machine that gives no namespaces, or nothing that may be mounted in them: the other
// layers do what these did.
func TestNamespacesThatAreRefused(t *testing.T) {
	c := newCell(t, Profile{}, Self())
	c.box.spaces |= syscall.CLONE_THREAD // which the kernel refuses with these
	key := secret(t)
	said, layers := c.tries("read "+key, "write "+c.sockets+"/x", "write /tmp/left", "exec /bin/sh -c true")
	require.Equal(t, "done", said["write "+c.sockets+"/x"])
	for _, act := range []string{"read " + key, "write /tmp/left", "exec /bin/sh -c true"} {
		require.NotEqual(t, "done", said[act])
	}
	for name, want := range map[string]bool{stage.View: false, stage.Network: false, stage.Files: true, stage.Syscalls: true, stage.Processes: true, stage.User: root()} {
		require.Equal(t, want, layerOf(layers, name).Active, name)
		require.True(t, want == (layerOf(layers, name).Why == "") || name == stage.Processes, name)
	}

	c = newCell(t, Profile{}, Self())
	require.NoError(t, os.Remove(c.box.root()))
	said, layers = c.tries("write "+c.sockets+"/x", "read "+key)
	require.False(t, layerOf(layers, stage.View).Active)
	require.Equal(t, "done", said["write "+c.sockets+"/x"])
	require.NotEqual(t, "done", said["read "+key])
}

// A program of somebody else's runs from the copy that was looked at.
func TestAProgramRunsAsItWasRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "adapter")
	raw, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o755))
	program, err := Read(path)
	require.NoError(t, err)
	require.EqualValues(t, len(raw), program.Size())
	require.NoError(t, os.WriteFile(path+".new", []byte("#!/bin/sh\necho swapped\n"), 0o755))
	require.NoError(t, os.Rename(path+".new", path)) // after it was read, before it is started
	c := newCell(t, Profile{}, program)
	for range 2 { // a restart has the same
		c.allows("write /dev/null")
	}
	_, err = program.file.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, syscall.EPERM, "nobody changes it, not the gateway either")
	require.ErrorIs(t, program.file.Truncate(0), syscall.EPERM)
}

// Programs in other languages: the shell that every machine has, and Python where it is.
func TestAProgramInAnotherLanguage(t *testing.T) {
	scripts := map[string]string{"/bin/sh": "#!/bin/sh\necho works $ONLY $*\n"}
	if _, err := os.Stat("/usr/bin/python3"); err == nil {
		scripts["/usr/bin/python3"] = `#!/usr/bin/python3
import ssl, socket, json, threading, tempfile, time, sys, os, hashlib, select, http.client
assert len(ssl.create_default_context().get_ca_certs()) >= 0
s = socket.socket(socket.AF_UNIX); s.bind(os.environ["TMPDIR"] + "/s"); s.listen()
t = threading.Thread(target=lambda: None); t.start(); t.join()
tempfile.TemporaryFile().write(b"x")
print("works", os.environ["ONLY"], *sys.argv[1:])
`
	}
	for name, text := range scripts {
		path := filepath.Join(t.TempDir(), "adapter")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
		program, err := Read(path)
		require.NoError(t, err)
		c := newCell(t, Profile{Floor: Floor()}, program)
		p, err := c.start("adapter", "one", "two")
		require.NoError(t, err)
		out, err := io.ReadAll(p.out)
		require.NoError(t, err)
		errs, _ := io.ReadAll(p.err)
		require.Equal(t, "works this one two", strings.TrimSpace(string(out)), "%s: %s", name, errs)
	}
}

// A Python program of several files, with data beside them, made one that can be signed.
func TestAProgramOfSeveralFiles(t *testing.T) {
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		return // nothing to try it with
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"__main__.py": "import pkgutil, other\nprint(other.works, pkgutil.get_data('other', 'data.txt').decode())\n", "other.py": "works = 'works'\n", "data.txt": "with data",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	path := filepath.Join(t.TempDir(), "adapter")
	out, err := exec.Command(python, "-m", "zipapp", folder, "-p", python, "-o", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	program, err := Read(path)
	require.NoError(t, err)
	p, err := newCell(t, Profile{Floor: Floor()}, program).start("adapter")
	require.NoError(t, err)
	said, err := io.ReadAll(p.out)
	require.NoError(t, err)
	errs, _ := io.ReadAll(p.err)
	require.Equal(t, "works with data", strings.TrimSpace(string(said)), "%s", errs)
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	for path, want := range map[string]string{
		folder + "/nothing":        "no such file",
		folder:                     "no file that can be executed",
		"/dev/null":                "no file that can be executed",
		write("plain", "x", 0o644): "no file that can be executed",
		write("env", "#!/usr/bin/env python3\n", 0o755):         "leaves the interpreter to env",
		write("relative", "#!python3\n", 0o755):                 "names no interpreter by an absolute path",
		write("endless", "#!/"+strings.Repeat("x", 600), 0o755): "names no interpreter by an absolute path",
	} {
		_, err := Read(path)
		require.ErrorIs(t, err, ErrProgram, path)
		require.ErrorContains(t, err, want)
	}
	for _, text := range []string{"no program at all", "", "\x7fELF", "#!/nonexistent/interpreter\n"} {
		program, err := Read(write("bad", text, 0o755))
		require.NoError(t, err)
		_, err = newCell(t, Profile{}, program).start("adapter")
		require.ErrorIs(t, err, ErrProgram, text)
	}
}

// Two processes of one box, as when one takes over from another: the end of the first does
// not end the second.
func TestTheEndOfOneProcessIsNotThatOfTheNext(t *testing.T) {
	for name, off := range map[string][]string{"all layers": nil, "its user alone": only(stage.User)} {
		c := newCell(t, Profile{off: off}, Self())
		first, err := c.start("adapter", "hostile", "wait")
		require.NoError(t, err)
		second, err := c.start("adapter", "hostile", "wait")
		require.NoError(t, err)
		first.end()
		require.NoError(t, syscall.Kill(second.cmd.Process.Pid, 0), name)
		state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(second.cmd.Process.Pid), "stat"))
		require.NoError(t, err)
		require.NotContains(t, string(state), ") Z ", name)
		second.end()
		require.ErrorIs(t, syscall.Kill(second.cmd.Process.Pid, 0), syscall.ESRCH, name)
	}
}
