package deploy

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// files of both packages: mode, owner and group.
func files() map[string]string {
	return map[string]string{
		"/etc/ontschot":                                 "drwxr-x--- root/ontschot",
		"/etc/ontschot/keys":                            "drwx------ root/root",
		"/usr/bin/ontschot":                             "-rwxr-xr-x root/root",
		"/usr/lib/systemd/system/ontschot.service":      "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/CHANGELOG.md":          "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/copyright":             "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/gateway.example.yaml":  "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/grafana.json":          "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/prometheus.rules.yaml": "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/installing.md":         "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/operating.md":          "-rw-r--r-- root/root",
		"/usr/share/doc/ontschot/trust.example.yaml":    "-rw-r--r-- root/root",
	}
}

// largest is what the program may weigh, in bytes (docs/decisions/0022-one-binary.md): 62.1 million
// when this was written, and what another Go and a few features add. Beyond it, find out what came in.
const largest = 64_000_000

func TestTheProgramStaysItsSize(t *testing.T) {
	info, err := os.Stat(the(t, "_linux_amd64"))
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(largest))
}

func TestWhatTheDebHolds(t *testing.T) {
	needs(t, "dpkg-deb")
	found := map[string]string{}
	for line := range strings.Lines(runs(t, "dpkg-deb", "-c", the(t, ".deb"))) {
		f := strings.Fields(line)
		name := strings.TrimSuffix(strings.TrimPrefix(f[len(f)-1], "."), "/")
		if f[0] != "drwxr-xr-x" { // the folders that every system has
			found[name] = f[0] + " " + f[1]
		}
	}
	require.Equal(t, files(), found)
	require.Empty(t, strings.Fields(runs(t, "dpkg-deb", "-f", the(t, ".deb"), "Conffiles")), "what the operator writes is no file of the package")
}

func TestWhatTheRPMHolds(t *testing.T) {
	needs(t, "rpm")
	found := map[string]string{}
	for line := range strings.Lines(runs(t, "rpm", "-qlvp", the(t, ".rpm"))) {
		f := strings.Fields(line)
		found[f[len(f)-1]] = f[0] + " " + f[2] + "/" + f[3]
	}
	require.Equal(t, files(), found)
	scripts := runs(t, "rpm", "-qp", "--scripts", the(t, ".rpm"))
	require.Contains(t, scripts, "useradd --system")
	require.Contains(t, scripts, "preinstall scriptlet")
}
