//go:build !linux

package host

import "syscall"

// attributes give the adapter a process group of its own. Without Linux's
// parent-death signal the lifeline alone ends an adapter whose host was killed.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
