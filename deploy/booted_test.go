package deploy

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/boundary/stage"
	"github.com/ontschot/ontschot/adapters/trial"
)

// machine is a systemd of its own, over a copy of this machine's files.
type machine struct {
	t     *testing.T
	pid   string // its process 1
	share string // seen there as /x
}

func boot(t *testing.T) *machine {
	t.Helper()
	for _, tool := range []string{"unshare", "nsenter", "dpkg"} {
		needs(t, tool)
	}
	if _, err := os.Stat("/lib/systemd/systemd"); err != nil || os.Geteuid() != 0 {
		trial.Lacking(t, "systemd, and root to start one in namespaces of its own")
	}
	m := &machine{t: t, share: t.TempDir()}
	require.NoError(t, os.Chmod(m.share, 0o755))
	var said bytes.Buffer
	c := exec.Command("unshare", "-m", "-p", "-f", "-C", "-i", "-u", "--kill-child", "bash", "testdata/boot.sh", t.TempDir(), m.share)
	c.Stdout, c.Stderr = &said, &said
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() }) // and with it all that runs there
	require.Eventually(t, func() bool {
		children, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.Process.Pid), "task", strconv.Itoa(c.Process.Pid), "children"))
		m.pid = strings.TrimSpace(string(children))
		if err != nil || m.pid == "" {
			return false
		}
		state, _ := m.try("systemctl is-system-running")
		return strings.TrimSpace(state) == "running" || strings.TrimSpace(state) == "degraded"
	}, time.Minute, 100*time.Millisecond, "%s", &said)
	return m
}

// try runs a script there.
func (m *machine) try(script string) (string, error) {
	c := exec.Command("nsenter", "-t", m.pid, "-a", "bash", "-c", script)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"}
	said, err := c.CombinedOutput()
	return string(said), err
}

func (m *machine) run(script string) string {
	m.t.Helper()
	said, err := m.try("set -e\n" + script)
	require.NoError(m.t, err, "%s\n%s\n%s", script, said, m.journal())
	return strings.TrimSpace(said)
}

func (m *machine) journal() string {
	said, _ := m.try("journalctl --no-pager -n 30 -o cat")
	return said
}

// put has a file of this machine be /x/NAME there.
func (m *machine) put(from, name string) {
	m.t.Helper()
	raw, err := os.ReadFile(from)
	require.NoError(m.t, err)
	require.NoError(m.t, os.WriteFile(filepath.Join(m.share, name), raw, 0o755))
}

// configure makes a gateway in /etc/ontschot as the page of installation says: keys for root
// alone, handed over by systemd. In its configuration the floor is that of production, and more.
const configure = `
ontschot dev init --case meppel --dir /x/family >/dev/null
cp -r /x/family/. /etc/ontschot/
mv /etc/ontschot/gateway/* /etc/ontschot/keys/
cd /etc/ontschot
sed -i -e 's#^data: .*#data: /var/lib/ontschot#' \
  -e 's#gateway/\(.*\)$#$CREDENTIALS_DIRECTORY/keys_\1#' gateway.yaml
printf 'adapters:\n    floor: [environment, privileges, capabilities, view, files, syscalls, processes, limits, log]\n' >>gateway.yaml
chown -R root:ontschot /etc/ontschot
chmod -R u=rwX,g=rX,o= /etc/ontschot
chown -R root:root keys
chmod -R go= keys
`

// The deb is installed on a machine with systemd, its unit serves a question behind the boundary's
// floor, is watched, and goes again; what the operator made stays.
func TestThePackageIsInstalledServesAndGoes(t *testing.T) {
	deb := the(t, ".deb")
	m := boot(t)
	m.put(deb, "ontschot.deb")
	m.run("dpkg -i /x/ontschot.deb")
	require.Equal(t, "750 root ontschot\n700 root root\n755 root root", m.run("stat -c '%a %U %G' /etc/ontschot /etc/ontschot/keys /usr/bin/ontschot"))
	require.Contains(t, m.run("getent passwd ontschot"), ":/var/lib/ontschot:/usr/sbin/nologin")
	require.Equal(t, "inactive", m.run("systemctl is-active ontschot || true"), "there is nothing to serve yet")

	m.run(configure)
	m.run("mkdir -p /etc/systemd/system/ontschot.service.d && printf '[Service]\\nWatchdogSec=3s\\n' > /etc/systemd/system/ontschot.service.d/mine.conf && systemctl daemon-reload")
	m.run("systemd-run -q --unit=sources ontschot sandbox --case /x/family/case.json --dir /x/family")
	m.run("systemctl start ontschot") // comes back when the gateway has said that it is ready
	require.Equal(t, "active", m.run("systemctl is-active ontschot"))
	require.Contains(t, m.run("systemctl show -P StatusText ontschot"), "gateway of GM0119 on ")
	m.layers()
	m.asks()

	before := m.run("systemctl show -P MainPID ontschot")
	m.run("systemctl reload ontschot")
	require.Eventually(t, func() bool {
		state, _ := m.try("systemctl is-active ontschot")
		return strings.TrimSpace(state) == "active"
	}, time.Minute, 100*time.Millisecond)
	require.Equal(t, before, m.run("systemctl show -P MainPID ontschot"), "it took over what the files say, and went on")
	m.run("kill -STOP " + before) // a gateway that hangs
	require.Eventually(t, func() bool {
		now, _ := m.try("systemctl is-active -q ontschot && systemctl show -P MainPID ontschot")
		return strings.TrimSpace(now) != "" && strings.TrimSpace(now) != before
	}, 2*time.Minute, 200*time.Millisecond)
	m.asks()

	kept := m.run("sha256sum /etc/ontschot/gateway.yaml /etc/ontschot/keys/* /etc/systemd/system/ontschot.service.d/mine.conf")
	before = m.run("systemctl show -P MainPID ontschot")
	m.run("dpkg -i /x/ontschot.deb") // an upgrade
	require.NotEqual(t, before, m.run("systemctl show -P MainPID ontschot"), "the new program runs")
	for _, way := range []string{"--remove", "--purge"} {
		m.run("dpkg " + way + " ontschot")
		require.Equal(t, kept, m.run("sha256sum /etc/ontschot/gateway.yaml /etc/ontschot/keys/* /etc/systemd/system/ontschot.service.d/mine.conf"))
		require.Equal(t, "inactive", m.run("systemctl is-active ontschot || true"))
		m.run("test -s /var/lib/ontschot/record.db && test ! -e /usr/bin/ontschot && getent passwd ontschot")
	}
}

// layers are active under the unit, but for those that nobody can have there.
func (m *machine) layers() {
	m.t.Helper()
	said := m.run("setpriv --reuid=ontschot --regid=ontschot --clear-groups ontschot adapter status --config /etc/ontschot/gateway.yaml --format json || true")
	require.True(m.t, json.Valid([]byte(said)), said)
	table := m.run("setpriv --reuid=ontschot --regid=ontschot --clear-groups ontschot adapter status --config /etc/ontschot/gateway.yaml || true")
	require.Equal(m.t, 5, strings.Count(table, " ready "), table)
	for _, layer := range boundary.Layers() {
		missing := strings.Contains(table, "boundary "+layer+" is missing")
		switch layer {
		case stage.User, stage.Network: // the gateway is an ordinary user, and these adapters connect to something
			require.True(m.t, missing, layer)
		case stage.Cgroup: // is there where the machine has the controllers in cgroup v2
		default:
			require.False(m.t, missing, table)
		}
	}
}

// asks puts a question, which each adapter answers from its own system.
func (m *machine) asks() {
	m.t.Helper()
	said := m.run(`cd /x/family
ontschot dev token --dir . >client/token
ontschot budget get --config client.yaml --case case.json --format json`)
	require.NotContains(m.t, said, `"SOURCE_UNAVAILABLE"`)
	require.Contains(m.t, said, "11184437") // the whole of it, in cents
}
