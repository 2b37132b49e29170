package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ways looks at the folders on the way to files, from the root of the machine on: whoever may
// write to one of them puts another file, or another folder, in the place of what is in it.
// Each folder is looked at once.
type ways struct {
	user    int                // who looks
	folders map[string]*folder // by path, without a dot or a double stroke in it
}

// finding is what is wrong, and what to do about it; the zero value: nothing is.
type finding struct{ what, do string }

// folder is one on the way.
type folder struct {
	finding             // of it, or of one above it
	is      fs.FileInfo // of where it leads to, when it is a link; nil: it is not there
}

// to says who else could put something else in the place of a path.
func (w *ways) to(path string) finding {
	path, err := filepath.Abs(path)
	if err != nil {
		return finding{}
	}
	is, err := os.Lstat(path)
	if err != nil {
		return finding{}
	}
	if f := w.replaced(path, is); f.what != "" || is.Mode()&fs.ModeSymlink == 0 {
		return f
	}
	return w.behind(path, w.to)
}

// replaced says who else could replace what has this name, link or not.
func (w *ways) replaced(path string, is fs.FileInfo) finding {
	above := filepath.Dir(path)
	if above == path {
		return finding{}
	}
	in := w.folder(above)
	if in.what != "" || in.is == nil || in.is.Mode().Perm()&othersWrite == 0 {
		return in.finding
	}
	if uid, known := owner(is); known && !w.ours(uid) { // such as /tmp: everybody's, and each has their own
		return finding{fmt.Sprintf("%s belongs to another user (%d), who can replace it: to its folder everybody may write", path, uid), "put it into a folder of the user of the gateway, or of root"}
	}
	return finding{}
}

// folder looks at a folder and at all above it.
func (w *ways) folder(path string) *folder {
	if known := w.folders[path]; known != nil {
		return known
	}
	f := new(folder)
	w.folders[path] = f // links that go round end here
	link, err := os.Lstat(path)
	if err != nil {
		return f
	}
	if f.is, err = os.Stat(path); err != nil {
		f.is = nil
		return f
	}
	if f.finding = w.replaced(path, link); f.what != "" {
		return f
	}
	if link.Mode()&fs.ModeSymlink != 0 {
		f.finding = w.behind(path, func(target string) finding { return w.folder(target).finding })
		return f
	}
	mode := f.is.Mode()
	uid, known := owner(f.is)
	switch {
	case known && !w.ours(uid):
		f.finding = finding{fmt.Sprintf("the folder %s belongs to another user (%d), who can replace what is in it", path, uid),
			fmt.Sprintf("chown it to the user of the gateway, or to root: chown %d %s", w.user, path)}
	case mode.Perm()&othersWrite != 0 && mode&fs.ModeSticky == 0:
		f.finding = finding{fmt.Sprintf("what is in the folder %s can be replaced by others, who may write to it (%04o)", path, mode.Perm()), "chmod go-w " + path}
	}
	return f
}

// behind looks at where a link leads to: at the next link, if that is one, and at the end.
func (w *ways) behind(link string, look func(string) finding) finding {
	target, err := os.Readlink(link)
	if err != nil {
		return finding{}
	}
	end, err := filepath.EvalSymlinks(link)
	if err != nil {
		return finding{}
	}
	if !filepath.IsAbs(target) {
		from, err := filepath.EvalSymlinks(filepath.Dir(link))
		if err != nil {
			return finding{}
		}
		target = filepath.Join(from, target)
	}
	if f := look(filepath.Clean(target)); f.what != "" {
		return f
	}
	return look(end)
}

// ours reports whether files of a user are as good as our own. Root looks for a user of its own.
func (w *ways) ours(uid uint32) bool { return uid == 0 || w.user == 0 || uid == uint32(w.user) }
