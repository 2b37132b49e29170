package host

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// socketRoom is the longest path of a directory that leaves room for the name
// of a socket in it: a Unix address holds 104 bytes on some systems, and
// go-plugin adds up to 38.
const socketRoom = 60

const directoryPrefix = "ontschot-host-"

// directory is one of our own for sockets, open to nobody else. It is locked for
// as long as its owner lives, so that what a killed host leaves can be recognised.
type directory struct {
	path string
	lock *os.File
}

// newDirectory makes a directory, and sweeps away those of hosts that are gone.
func newDirectory() (*directory, error) {
	parent := os.TempDir()
	if len(filepath.Join(parent, directoryPrefix+"0000000000")) > socketRoom {
		parent = "/tmp"
	}
	sweep(parent)
	path, err := os.MkdirTemp(parent, directoryPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return &directory{path, lock}, nil
}

func (d *directory) remove() {
	_ = os.RemoveAll(d.path)
	_ = d.lock.Close()
}

// young is the age below which a directory is left alone: its owner may not
// have come to locking it.
const young = time.Minute

func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < young {
			continue
		}
		f, err := os.Open(path) // fails for those of other users
		if err != nil {
			continue
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = f.Close()
	}
}
