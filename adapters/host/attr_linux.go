package host

import "syscall"

// attributes give the adapter a process group of its own, which is killed as a
// whole, and let the kernel kill it when this process is killed.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
