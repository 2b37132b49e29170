package host

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ontschot/ontschot/adapters/boundary"
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
	for {
		path, err := os.MkdirTemp(parent, directoryPrefix)
		if err != nil {
			return nil, err
		}
		// Somebody who sweeps may have come between: then it is theirs, and gone.
		switch lock, err := boundary.Claim(path); {
		case err == nil:
			return &directory{path, lock}, nil
		case !errors.Is(err, boundary.ErrClaimed):
			return nil, errors.Join(err, os.Remove(path))
		}
	}
}

func (d *directory) remove() {
	_ = os.RemoveAll(d.path)
	_ = d.lock.Close()
}

// sweep removes the directories of our user that nobody holds.
func sweep(parent string) {
	left, err := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || ownerOf(info) != os.Geteuid() {
			continue
		}
		if lock, err := boundary.Claim(path); err == nil {
			_ = os.RemoveAll(path)
			_ = lock.Close()
		}
	}
}

func ownerOf(info os.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}
