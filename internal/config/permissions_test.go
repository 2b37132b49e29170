package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What others on the machine could read or change who must not, is found; in production it keeps
// a gateway from starting.
func TestWhoCanReadAndChangeTheFilesThatCount(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(dir string) error
		says  string
	}{
		"a key for the group":   {func(d string) error { return os.Chmod(d+"/sign.pem", 0o660) }, "sign.pem can be changed by others (0660)"},
		"a key for all to read": {func(d string) error { return os.Chmod(d+"/sign.pem", 0o604) }, "sign.pem is secret, and can be read by others (0604)"},
		"the trust file":        {func(d string) error { return os.Chmod(d+"/trust.yaml", 0o666) }, "trust.yaml can be changed by others (0666)"},
		"the file itself":       {func(d string) error { return os.Chmod(d+"/gateway.yaml", 0o646) }, "gateway.yaml can be changed by others (0646)"},
		"its folder":            {func(d string) error { return os.Chmod(d, 0o777) }, "can be replaced by others, who may write to it (0777)"},
		"a rule":                {func(d string) error { return os.Chmod(d+"/own/rules/x.rego", 0o666) }, "x.rego can be changed by others (0666)"},
		"a folder of rules":     {func(d string) error { return os.Chmod(d+"/own/rules", 0o777) }, "rules can be changed by others (0777)"},
		"an approval":           {func(d string) error { return os.Chmod(d+"/anna.json", 0o662) }, "anna.json can be changed by others (0662)"},
		"the folder of a link": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/sub", 0o700), os.Rename(d+"/sign.pem", d+"/sub/sign.pem"), os.Symlink("sub/sign.pem", d+"/sign.pem"), os.Chmod(d, 0o777))
		}, "can be replaced by others"},
		"the data folder":         {func(d string) error { return os.Chmod(d+"/data", 0o750) }, "is open to others (0750)"},
		"a link to another place": {func(d string) error { return elsewhere(d + "/sign.pem") }, "sign.pem is a symbolic link to somewhere else"},
		"a link in the folder": {func(d string) error {
			return os.Rename(d+"/sign.pem", d+"/sign-1.pem")
		}, ""},
	} {
		dir := t.TempDir()
		for _, file := range []string{"sign.pem", "gateway.yaml", "trust.yaml", "anna.json", "own/rules/x.rego"} {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte("x"), 0o600))
		}
		require.NoError(t, os.Mkdir(filepath.Join(dir, "data"), 0o700))
		conf := &Gateway{path: filepath.Join(dir, "gateway.yaml"), Trust: "trust.yaml", Data: "data", Policies: "own", PolicyApprovals: []string{"anna.json"}, Keys: Keys{Signing: []SigningKey{{ID: "sign-1", File: "sign.pem"}}}}
		require.Empty(t, conf.Permissions(nil), name)
		require.NoError(t, c.spoil(dir), name)
		if c.says == "" {
			require.NoError(t, os.Symlink("sign-1.pem", dir+"/sign.pem"))
			require.Empty(t, conf.Permissions(nil), name)
			continue
		}
		all := conf.Permissions(nil)
		require.NotEmpty(t, all, name)
		require.ErrorContains(t, Refuse(all), c.says, name)
		conf.Dev = true
		warned := conf.Permissions(nil)
		require.Len(t, warned, len(all), name)
		require.NoError(t, Refuse(warned), "%s: development warns", name)
		require.True(t, strings.Contains(warned[0].String(), "; "), "%s: it says what to do", name)
	}
}

// elsewhere moves a file out of its folder and leaves a link.
func elsewhere(path string) error {
	to := filepath.Join(filepath.Dir(filepath.Dir(path)), "moved")
	if err := os.Rename(path, to); err != nil {
		return err
	}
	return os.Symlink(to, path)
}
