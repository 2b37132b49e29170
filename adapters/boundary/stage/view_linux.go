package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// view builds a root of its own and reports whether it is seen.
func (s *stage) view() bool {
	if s.Tree == nil {
		return false // the host has said why
	}
	if err := s.build(); err != nil {
		s.say(Finding{Name: View, Why: err.Error()})
		return false
	}
	s.say(Finding{Name: View, Active: true})
	return true
}

func (s *stage) build() error {
	const quiet = syscall.MS_NOSUID | syscall.MS_NODEV
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("no mounts of its own: %w", err)
	}
	root := s.Tree.Root
	if err := syscall.Mount("tmpfs", root, "tmpfs", quiet, "mode=0755,size=1m,nr_inodes=4096"); err != nil {
		return fmt.Errorf("no root of its own: %w", err)
	}
	owner := ""
	if s.User != 0 {
		owner = fmt.Sprintf(",uid=%d,gid=%d", s.User, s.User)
	}
	size := fmt.Sprintf("mode=0700,size=%d,nr_inodes=1024", s.Tree.TmpBytes)
	err := errors.Join(
		mounted(filepath.Join(root, "tmp"), "tmpfs", quiet|syscall.MS_NOEXEC, size+owner),
		os.MkdirAll(filepath.Join(root, "proc"), 0o755),
	)
	if err != nil {
		return fmt.Errorf("no /tmp of its own: %w", err)
	}
	for _, e := range s.Tree.Entries {
		if err := place(root, e); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	if s.Tree.Proc { // without it most programs do; Go and Python are among them
		_ = syscall.Mount("proc", filepath.Join(root, "proc"), "proc", quiet|syscall.MS_NOEXEC, "hidepid=2")
	}
	return enter(root)
}

func mounted(path, kind string, flags uintptr, options string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return syscall.Mount(kind, path, kind, flags, options)
}

// place has an entry seen under root where it is outside.
func place(root string, e Entry) error {
	to := filepath.Join(root, e.Path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case e.Link != "":
		return os.Symlink(e.Link, to)
	case e.File:
		f, err := os.OpenFile(to, os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		_ = f.Close()
	default:
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
	}
	if err := syscall.Mount(e.Path, to, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		return err
	}
	var set uint64 = syscall.MS_NOSUID
	if !e.Write && !e.Dev {
		set |= syscall.MS_RDONLY
	}
	if !e.Dev {
		set |= syscall.MS_NODEV
	}
	return attributes(to, set, true)
}

// attributes adds to those of a mount and, when deep, of those under it: MOUNT_ATTR_RDONLY,
// NOSUID and NODEV are the numbers of the MS_ flags.
func attributes(path string, set uint64, deep bool) error {
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	attr := struct{ set, clear, propagation, userns uint64 }{set: set}
	at, flags := ^uintptr(99), uintptr(0) // AT_FDCWD, -100
	if deep {
		flags = 0x8000 // AT_RECURSIVE
	}
	_, _, e := syscall.RawSyscall6(sysMountSetattr, at, uintptr(unsafe.Pointer(p)), flags, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	return errno(e)
}

// enter makes root the root, and lets go of the other.
func enter(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := syscall.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := syscall.Unmount(".", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("the gateway's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return attributes("/", syscall.MS_RDONLY, false)
}
