package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/setup"
)

// folderUnit is the unit that init writes for a folder.
func folderUnit(t *testing.T, change func(*setup.Organisation)) (dir, path string) {
	t.Helper()
	o := setup.Organisation{
		OIN: "00000099000000119000", Name: "Gemeente Meppel", Code: "GM0119", Host: "localhost", WithdrawURL: "https://meppel.example/w", Officer: "fg@meppel.example", Dir: filepath.Join(t.TempDir(), "meppel"), User: "daemon", Program: "/usr/bin/env",
	}
	if change != nil {
		change(&o)
	}
	made, err := setup.Init(o)
	require.NoError(t, err)
	require.Contains(t, made.New, setup.UnitFile)
	dir, err = filepath.Abs(o.Dir)
	require.NoError(t, err)
	return dir, filepath.Join(dir, setup.UnitFile)
}

// What init writes for a folder is the unit of the packages but for where things are: every line
// that locks is the same, and nothing points at a place that a package makes.
func TestTheUnitOfAFolderIsThatOfThePackages(t *testing.T) {
	dir, path := folderUnit(t, nil)
	packaged, of := directives(t), directivesOf(t, path)
	fits := map[string][]string{
		"Documentation": {"https://github.com/ontschot/ontschot"}, "ConditionPathExists": {dir + "/gateway.yaml"},
		"ExecStart": {"/usr/bin/env serve --config " + dir + "/gateway.yaml"}, "User": {"daemon"}, "LoadCredential": {"keys:" + dir + "/keys"},
		"WorkingDirectory": {dir}, "ReadWritePaths": {dir + "/data", "-/sys/fs/cgroup/system.slice/%n"},
	}
	for key, values := range fits {
		require.Equal(t, values, of[key], key)
		delete(packaged, key)
		delete(of, key)
	}
	for _, key := range []string{"Group", "StateDirectory", "StateDirectoryMode"} { // of the user; of a folder that a package has made
		require.Contains(t, packaged, key)
		delete(packaged, key)
	}
	require.Equal(t, packaged, of)
	require.Greater(t, len(of), 35)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, elsewhere := range []string{"/etc/ontschot", "/var/lib", "/usr/share", "/usr/bin/ontschot", "=ontschot\n"} {
		require.NotContains(t, string(raw), elsewhere)
	}
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "data"), conf.Path(conf.Data), "the only place that the unit lets it write to")
	require.Equal(t, filepath.Join(dir, "data"), filepath.Dir(conf.HeadPath()))

	// The program is where a unit sees it, whoever ran init, and from wherever.
	for program, in := range map[string]string{"": "/usr/local/bin/ontschot", "/tmp/go-build1/ontschot": "/usr/local/bin/ontschot", "/home/a/ontschot": "/usr/local/bin/ontschot", "/opt/x y/ontschot": "/usr/local/bin/ontschot", "/opt/o/ontschot": "/opt/o/ontschot"} {
		_, path := folderUnit(t, func(o *setup.Organisation) { o.Program, o.User = program, "" })
		d := directivesOf(t, path)
		require.True(t, strings.HasPrefix(d["ExecStart"][0], in+" serve "), program)
		require.Equal(t, []string{"ontschot"}, d["User"])
	}
	_, path = folderUnit(t, func(o *setup.Organisation) { o.User = `DOMAIN\somebody` })
	require.Equal(t, []string{"ontschot"}, directivesOf(t, path)["User"])
	// What a unit cannot name gets none, rather than one that does something else.
	for _, odd := range []string{"a b", "50%", `q"`, "a:b", "a$b"} {
		made, err := setup.Init(setup.Organisation{OIN: "00000099000000119000", Name: "N", Code: "GM0119", Host: "localhost", Dir: filepath.Join(t.TempDir(), odd)})
		require.NoError(t, err)
		require.NotContains(t, made.New, setup.UnitFile, odd)
	}
}

// systemd takes it, and counts it as no more exposed than the unit of the packages.
func TestTheUnitOfAFolderIsLocked(t *testing.T) {
	needs(t, "systemd-analyze")
	_, path := folderUnit(t, nil)
	said := runs(t, "systemd-analyze", "verify", "--no-pager", path)
	require.Empty(t, strings.TrimSpace(said))
	said = runs(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", path)
	require.Contains(t, said, "Overall exposure level for ontschot.service: ")
	require.NotContains(t, said, "ignoring")
}
