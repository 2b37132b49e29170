package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// repository is one with a file that is committed, and a file that is to be ignored.
func repository(t *testing.T) (dir string, git func(args ...string)) {
	t.Helper()
	dir = t.TempDir()
	git = func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		said, err := c.CombinedOutput()
		require.NoError(t, err, string(said))
	}
	git("init", "-q")
	write(t, dir, "main.go", "package main")
	write(t, dir, ".gitignore", "*.log\n")
	git("add", "-A")
	git("commit", "-qm", "first")
	write(t, dir, "a.log", "ignored")
	return dir, git
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
}

// Whatever is in no commit is found, whoever would not look at it; a source archive has none.
func TestWhatIsNotCommittedIsFound(t *testing.T) {
	dir, _ := repository(t)
	require.NoError(t, committed(dir))
	for name, change := range map[string]func(dir string, git func(...string)){
		"main.go": func(dir string, _ func(...string)) { write(t, dir, "main.go", "package other") },
		"new.go":  func(dir string, _ func(...string)) { write(t, dir, "new.go", "package main") },
		"sub/":    func(dir string, _ func(...string)) { write(t, dir, "sub/x.go", "package sub") },
		"staged.go": func(dir string, git func(...string)) {
			write(t, dir, "staged.go", "package main")
			git("add", "staged.go")
		},
		"a.log": func(dir string, git func(...string)) { git("add", "-f", "a.log") },
		"not.go": func(dir string, git func(...string)) {
			write(t, dir, "not.go", "package main")
			git("config", "status.showUntrackedFiles", "no")
		},
		"unseen.go": func(dir string, git func(...string)) {
			write(t, dir, ".git/mine", "*.go\n")
			git("config", "core.excludesFile", filepath.Join(dir, ".git/mine"))
			write(t, dir, "unseen.go", "package main")
		},
		".gitignore": func(dir string, _ func(...string)) { require.NoError(t, os.Remove(filepath.Join(dir, ".gitignore"))) },
	} {
		dir, git := repository(t)
		change(dir, git)
		err := committed(dir)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "--dirty", name)
	}
	dir, _ = repository(t)
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		write(t, dir, name, "")
	}
	require.ErrorContains(t, committed(dir), "and 2 more")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git")))
	require.NoError(t, committed(dir), "a source archive")
	write(t, dir, ".git", "nothing that git reads")
	require.ErrorContains(t, committed(dir), "git cannot say")
}

// A release of what is not committed is refused before anything is made, and so is one with tools
// of another version.
func TestAReleaseIsRefusedFirst(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir, git := repository(t)
	pemFile := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
	write(t, dir, "go.mod", "module example.org/x\n")
	t.Chdir(dir)
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOWORK", "off")
	out := filepath.Join(t.TempDir(), "out")
	args := []string{"--out", out, "--key", pemFile}
	require.ErrorContains(t, run(args), "go.mod; commit it")

	tools := t.TempDir()
	write(t, tools, "nfpm", "#!/bin/sh\necho 2.45.2\n")
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	install := "nfpm does not say which version it is; v2.45.2 is what a release is made with: go install " + nfpm
	require.ErrorContains(t, run(append(args, "--dirty")), install)
	git("add", "-A")
	git("commit", "-qm", "second")
	require.ErrorContains(t, run(args), install, "a clean tree comes as far")
	require.NoDirExists(t, out)
}

// A tool of another version, or another program of its name, is not used; one that is not installed
// is fetched at its version.
func TestToolsArePinned(t *testing.T) {
	empty, whole := t.TempDir(), os.Getenv("PATH")
	t.Setenv("PATH", empty)
	require.NoError(t, pinned(nfpm))

	self, err := os.Executable()
	require.NoError(t, err)
	program, err := os.ReadFile(self)
	require.NoError(t, err)
	write(t, empty, "cyclonedx-gomod", string(program))
	err = pinned(cyclonedx)
	require.ErrorContains(t, err, "is github.com/ontschot/ontschot/deploy/release")
	require.ErrorContains(t, err, "go install "+cyclonedx)

	t.Setenv("PATH", empty+string(os.PathListSeparator)+whole)
	dir, git := repository(t)
	module, _, _ := strings.Cut(nfpm, "/cmd/")
	write(t, dir, "go.mod", "module "+module+"\n\ngo 1.24\n")
	write(t, dir, "cmd/nfpm/main.go", "package main\n\nfunc main() {}\n")
	build := func(more ...func()) error {
		t.Helper()
		git("add", "-A")
		git("commit", "-qm", "a version", "--allow-empty")
		for _, do := range more {
			do()
		}
		c := exec.Command("go", "build", "-buildvcs=true", "-o", filepath.Join(empty, "nfpm"), "./cmd/nfpm")
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		said, err := c.CombinedOutput()
		require.NoError(t, err, string(said))
		return pinned(nfpm)
	}
	tag := func(version string) func() { return func() { git("tag", version) } }
	require.NoError(t, build(tag("v2.45.2")), "as go install makes it")
	err = build(tag("v2.45.3"))
	require.ErrorContains(t, err, "nfpm is "+module+"/cmd/nfpm@v2.45.3; v2.45.2 is what a release is made with: go install "+nfpm)
	require.ErrorContains(t, build(tag("v2.45.4"), func() { write(t, dir, "cmd/nfpm/main.go", "package main\n\nfunc main() { println() }\n") }), "+dirty")
}
