package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Named is a file that gateway.yaml or a file of its names.
type Named struct {
	Key  string // of gateway.yaml, for example keys.signing[0].file
	Path string // absolute, or relative to where the program was started
	// Secret says that nobody else may read it. Nobody else may ever write one.
	Secret bool
}

// Files are the files that count when a gateway starts, of those that gateway.yaml names: what
// somebody else has changed in one of them is what the gateway believes.
func (c *Gateway) Files() []Named {
	var all []Named
	add := func(secret bool, key, name string) {
		if name != "" {
			all = append(all, Named{key, c.Path(name), secret})
		}
	}
	all = append(all, Named{"", c.path, false})
	add(false, "trust", c.Trust)
	add(false, "tls.certificate", c.TLS.Certificate)
	add(true, "tls.key", c.TLS.Key)
	add(false, "tls.ca", c.TLS.CA)
	for i, k := range c.Keys.Signing {
		add(true, fmt.Sprintf("keys.signing[%d].file", i), k.File)
	}
	add(true, "keys.log", c.Keys.Log)
	for i, file := range c.Keys.Pseudonym {
		add(true, fmt.Sprintf("keys.pseudonym[%d]", i), file)
	}
	for _, file := range c.policyFiles() {
		add(false, "policies", file)
	}
	for i, file := range c.PolicyApprovals {
		add(false, fmt.Sprintf("policy_approvals[%d]", i), file)
	}
	for i, o := range c.Officers {
		add(false, fmt.Sprintf("officers[%d].key", i), o.Key)
	}
	if c.Directory != nil {
		for i, k := range c.Directory.Keys {
			add(false, fmt.Sprintf("directory.keys[%d].file", i), k.File)
		}
	}
	for i, s := range c.Sources {
		for name, file := range s.Secrets {
			add(true, fmt.Sprintf("sources[%d].secrets.%s", i, name), file)
		}
		add(false, fmt.Sprintf("sources[%d].manifest", i), s.Manifest)
		if len(s.Command) > 0 {
			add(false, fmt.Sprintf("sources[%d].command", i), s.Command[0])
		}
	}
	return all
}

// mostPolicyFiles is how many of a folder are looked at; its readers take fewer.
const mostPolicyFiles = 10_000

// policyFiles are the bundle of the policies, or their folder with all that is in it.
func (c *Gateway) policyFiles() (all []string) {
	if c.Policies == "" {
		return nil
	}
	_ = filepath.WalkDir(c.Path(c.Policies), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || len(all) == mostPolicyFiles {
			return fs.SkipAll // what cannot be read does not come into force
		}
		all = append(all, path)
		return nil
	})
	return all
}

// Permissions says which of the files, and of the data folder, somebody else on this machine can
// read, change or replace who must not, by any folder on the way to it. With dev: true each is a
// warning. A file that is not there is somebody else's problem.
func (c *Gateway) Permissions(trust *Trust) []Problem { return c.permissions(trust, os.Geteuid()) }

// permissions is what a user sees, 0: root.
func (c *Gateway) permissions(trust *Trust, user int) []Problem {
	var all []Problem
	w := ways{user: user, folders: map[string]*folder{}}
	said := map[string]bool{} // a folder has many files, and is said once
	note := func(key string, f finding) {
		if f.what == "" || said[f.what] {
			return
		}
		said[f.what] = true
		p := c.Problem(key, f.what)
		p.Do, p.Warning = f.do, c.Dev
		all = append(all, p)
	}
	files := c.Files()
	if trust != nil {
		for _, file := range trust.KeyFiles() {
			files = append(files, Named{"trust", file, false})
		}
	}
	for _, f := range files {
		note(f.Key, w.open(f))
	}
	data := c.Path(c.Data)
	is, err := os.Stat(data)
	if err != nil {
		return all
	}
	if is.Mode().Perm()&0o077 != 0 {
		note("data", finding{fmt.Sprintf("data: the folder %s is open to others (%04o)", data, is.Mode().Perm()), "chmod 0700 " + data})
	}
	note("data", w.to(data))
	return all
}

// Refuse is nil when nothing keeps a gateway from starting. Errors: ErrConfig, with all that does.
func Refuse(all []Problem) error { return asError(all) }

// Modes that a file must not have: what others could do with it.
const (
	othersWrite fs.FileMode = 0o022
	othersRead  fs.FileMode = 0o044
	groupReads  fs.FileMode = 0o040
)

// open says to whom a file is open who must not have it, or who could put another in its place.
func (w *ways) open(f Named) finding {
	path := f.Path
	if link, err := os.Lstat(path); err != nil {
		return finding{}
	} else if link.Mode()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(path)
		if err != nil || !beside(path, target) {
			return finding{fmt.Sprintf("%s is a symbolic link to somewhere else: whoever owns that place has it", path), "name the file itself"}
		}
		path = target // within one folder, as a mounted secret is
	}
	is, err := os.Stat(path)
	if err != nil {
		return finding{}
	}
	mode := is.Mode().Perm()
	if uid, known := owner(is); known && !w.ours(uid) {
		return finding{fmt.Sprintf("%s belongs to another user (%d)", path, uid), fmt.Sprintf("chown it to the user of the gateway, or to root: chown %d %s", w.user, path)}
	}
	if mode&othersWrite != 0 {
		return finding{fmt.Sprintf("%s can be changed by others (%04o)", path, mode), "chmod go-w " + path}
	}
	if f.Secret && mode&othersRead != 0 && !groupOfRoot(is) {
		return finding{fmt.Sprintf("%s is secret, and can be read by others (%04o)", path, mode), "chmod 0600 " + path}
	}
	return w.to(f.Path)
}

// groupOfRoot reports whether a file is root's and only its group may read it beside root: so a
// secret is given to the user of a service.
func groupOfRoot(is fs.FileInfo) bool {
	uid, known := owner(is)
	return known && uid == 0 && is.Mode().Perm()&othersRead == groupReads
}

// beside reports whether a link leads to something in its own folder or below.
func beside(link, target string) bool {
	folder, err := filepath.EvalSymlinks(filepath.Dir(link))
	if err != nil {
		return false
	}
	way, err := filepath.Rel(folder, target)
	return err == nil && way != ".." && !strings.HasPrefix(way, ".."+string(filepath.Separator))
}

func owner(is fs.FileInfo) (uint32, bool) {
	if is == nil {
		return 0, false
	}
	sys, ok := is.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return sys.Uid, true
}

// Exists says in words what is wrong with a file that must be there; empty: nothing.
func Exists(path string) string {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path + " is not there"
	case errors.Is(err, fs.ErrPermission):
		return path + " may not be read by this user"
	case err != nil:
		return path + " cannot be read"
	}
	defer f.Close()
	is, err := f.Stat()
	if err != nil || !is.Mode().IsRegular() {
		return path + " is no file"
	}
	if is.Size() == 0 {
		return path + " is empty"
	}
	return ""
}
