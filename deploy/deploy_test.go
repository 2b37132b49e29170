// Package deploy holds nothing but tests: of what operators install, and of the papers beside the code.
package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/trial"
)

// root of the repository.
const root = ".."

// release makes one, once, in a folder that TestMain makes and removes.
var (
	folder  string
	release = sync.OnceValues(func() (string, error) { return folder + "/out", firstRelease(folder) })
)

func firstRelease(dir string) error {
	if said, err := exec.Command("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", dir+"/key.pem").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	at, err := exec.Command("git", "log", "-1", "--format=%ct").Output()
	if err != nil {
		return err
	}
	if err := os.Setenv("SOURCE_DATE_EPOCH", strings.TrimSpace(string(at))); err != nil { // the same for all that is made here
		return err
	}
	return makeRelease(root, dir+"/out", dir+"/key.pem")
}

func makeRelease(from, out, key string) error {
	c := exec.Command("go", "run", "-buildvcs=false", "./deploy/release", "--out", out, "--key", key)
	changed, err := exec.Command("git", "-C", root, "status", "--porcelain").Output()
	if err != nil {
		return err
	}
	if len(changed) > 0 { // while somebody works on it
		c.Args = append(c.Args, "--dirty")
	}
	c.Dir = from
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, said)
	}
	return nil
}

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "ontschot-release-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// made is the folder of a release, which is made once.
func made(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"openssl", "nfpm", "cyclonedx-gomod"} {
		needs(t, tool)
	}
	dir, err := release()
	require.NoError(t, err)
	return dir
}

// the one file of a release with this end.
func the(t *testing.T, end string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(made(t), "*"+end))
	require.NoError(t, err)
	require.Len(t, found, 1, end)
	return found[0]
}

// needs a program that is no part of Go.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		trial.Lacking(t, tool+" (see the tools in .ci/run)")
	}
}

func runs(t *testing.T, name string, args ...string) string {
	t.Helper()
	said, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), said)
	return string(said)
}
