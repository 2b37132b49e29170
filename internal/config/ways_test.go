package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stranger is a user that has nothing here.
const stranger = 4343

// nested is a gateway's folder three below one of its own, and who looks at it: an ordinary user.
func nested(t *testing.T) (base string, user int) {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, file := range []string{"a/b/gw/gateway.yaml", "a/b/gw/trust.yaml", "a/b/gw/keys/sign.pem", "a/b/gw/keys/log.key", "a/b/gw/own/x.rego"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(base, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(base, file), []byte("x"), 0o600))
	}
	require.NoError(t, os.Mkdir(base+"/a/b/gw/data", 0o700))
	if user = os.Geteuid(); user == 0 {
		user = stranger - 1
	}
	return base, user
}

// gatewayIn is a gateway whose files are in a folder.
func gatewayIn(dir string) *Gateway {
	return &Gateway{path: filepath.Join(dir, "gateway.yaml"), Trust: "trust.yaml", Data: "data", Policies: "own", Keys: Keys{Log: "keys/log.key", Signing: []SigningKey{{ID: "sign-1", File: "keys/sign.pem"}}}}
}

// Whoever may write to any folder on the way to a file puts another in its place. Each such folder
// is said once, however many files are below it; links are looked at where they are and where they
// lead to.
func TestEveryFolderOnTheWayCounts(t *testing.T) {
	const direct = "a/b/gw"
	for name, c := range map[string]struct {
		spoil func(base string) error
		dir   string // by which it is named
		says  string // BASE is the folder; empty: nothing
		root  bool   // it takes root to make it
	}{
		"as it is":                {func(string) error { return nil }, direct, "", false},
		"for everybody":           {func(b string) error { return os.Chmod(b+"/a", 0o777) }, direct, "in the folder BASE/a can be replaced by others, who may write to it (0777)", false},
		"for a group":             {func(b string) error { return os.Chmod(b+"/a", 0o770) }, direct, "in the folder BASE/a can be replaced by others, who may write to it (0770)", false},
		"one up":                  {func(b string) error { return os.Chmod(b+"/a/b", 0o757) }, direct, "in the folder BASE/a/b can be replaced by others, who may write to it (0757)", false},
		"as /tmp is":              {func(b string) error { return os.Chmod(b+"/a", 0o777|os.ModeSticky) }, direct, "", false},
		"as /tmp is, and a link":  {func(b string) error { return sticky(b, b+"/a/b/gw") }, "open/gw", "", false},
		"of somebody else":        {func(b string) error { return os.Chown(b+"/a", stranger, 0) }, direct, "the folder BASE/a belongs to another user (4343)", true},
		"theirs, in one as /tmp":  {func(b string) error { return theirs(b + "/a/b") }, direct, "BASE/a/b belongs to another user (4343), who can replace it", true},
		"by a link":               {func(b string) error { return os.Symlink(b+"/a/b", b+"/link") }, "link/gw", "", false},
		"by a relative link":      {func(b string) error { return os.Symlink("a/../a/b", b+"/link") }, "link/gw", "", false},
		"where the link is":       {func(b string) error { return linked(b, b+"/a/b") }, "open/link/gw", "in the folder BASE/open can be replaced", false},
		"where a link leads to":   {func(b string) error { return linkedTo(b, "a/b") }, "link/gw", "in the folder BASE/a can be replaced", false},
		"in between of two links": {func(b string) error { return between(b) }, "link/gw", "in the folder BASE/open can be replaced", false},
		"a link of somebody else": {func(b string) error {
			if err := sticky(b, b+"/a/b/gw"); err != nil {
				return err
			}
			if err := os.Chmod(b+"/open", 0o775|os.ModeSticky); err != nil { // in one for all, Linux itself may refuse to follow it (fs.protected_symlinks)
				return err
			}
			return os.Lchown(b+"/open/gw", stranger, 0)
		}, "open/gw", "BASE/open/gw belongs to another user (4343), who can replace it", true},
		"links that go round": {func(b string) error {
			if err := os.Symlink(b+"/y", b+"/x"); err != nil {
				return err
			}
			return os.Symlink(b+"/x", b+"/y")
		}, "x/gw", "", false},
		"the data alone": {func(b string) error {
			if err := os.Rename(b+"/a/b/gw/data", b+"/data"); err != nil {
				return err
			}
			if err := linked(b, b+"/data"); err != nil {
				return err
			}
			return os.Symlink(b+"/open/link", b+"/a/b/gw/data")
		}, direct, "in the folder BASE/open can be replaced", false},
	} {
		if c.root && os.Geteuid() != 0 {
			continue
		}
		base, user := nested(t)
		require.NoError(t, c.spoil(base), name)
		conf := gatewayIn(filepath.Join(base, c.dir))
		all := conf.permissions(nil, user)
		if c.says == "" {
			require.Empty(t, all, name)
			continue
		}
		require.Len(t, all, 1, "%s: once", name)
		require.Contains(t, all[0].What, strings.ReplaceAll(c.says, "BASE", base), name)
		require.NotEmpty(t, all[0].Do, name)
		require.ErrorIs(t, Refuse(all), ErrConfig, name)
		conf.Dev = true
		require.NoError(t, Refuse(conf.permissions(nil, user)), "%s: development warns", name)
	}
}

// linked makes BASE/open, for everybody, with a link in it.
func linked(base, to string) error {
	if err := sticky(base, to); err != nil {
		return err
	}
	if err := os.Rename(base+"/open/"+filepath.Base(to), base+"/open/link"); err != nil {
		return err
	}
	return os.Chmod(base+"/open", 0o777)
}

// sticky makes BASE/open, for everybody to have their own in it, with a link in it.
func sticky(base, to string) error {
	if err := os.Mkdir(base+"/open", 0o755); err != nil {
		return err
	}
	if err := os.Symlink(to, base+"/open/"+filepath.Base(to)); err != nil {
		return err
	}
	return os.Chmod(base+"/open", 0o777|os.ModeSticky)
}

// theirs gives a folder away, in one that is as /tmp.
func theirs(path string) error {
	if err := os.Chown(path, stranger, 0); err != nil {
		return err
	}
	return os.Chmod(filepath.Dir(path), 0o777|os.ModeSticky)
}

// linkedTo makes a link to a folder below one that is for everybody.
func linkedTo(base, to string) error {
	if err := os.Symlink(to, base+"/link"); err != nil {
		return err
	}
	return os.Chmod(base+"/a", 0o777)
}

// between makes a link to a link, which is where everybody may write.
func between(base string) error {
	if err := linked(base, base+"/a/b"); err != nil {
		return err
	}
	return os.Symlink(base+"/open/link", base+"/link")
}

// To a user who has nothing here, all of it is of somebody else, up to the first folder that is.
func TestTheFolderOfAnotherUserIsFound(t *testing.T) {
	base, _ := nested(t)
	dir := base + "/a/b/gw"
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(base, stranger-2, 0))
	}
	all := gatewayIn(dir).permissions(nil, stranger+os.Geteuid())
	require.NotEmpty(t, all)
	require.Contains(t, all[0].What, "belongs to another user")
	require.Empty(t, gatewayIn(dir).permissions(nil, 0), "root looks for a user of its own")
}
