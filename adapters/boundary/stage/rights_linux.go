package stage

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// Numbers of the kernel that the standard library does not have, the same on every
// architecture unless said otherwise.
const (
	prSetPdeathsig  = 1
	prSetSeccomp    = 22
	prCapbsetDrop   = 24
	prSetNoNewPrivs = 38
	prCapAmbient    = 47
	ambientClearAll = 4
	seccompFilter   = 2

	sysMountSetattr     = 442
	sysLandlockAddRule  = 445
	sysLandlockRestrict = 446
)

func sysExecveat() uintptr {
	if runtime.GOARCH == "amd64" {
		return 322
	}
	return 281 // arm64, riscv64, loong64
}

func prctl(option int, a, b uintptr) error {
	_, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, uintptr(option), a, b, 0, 0, 0)
	return errno(e)
}

func errno(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// again has the kernel end this process with its host: taking another user undid that.
func again() { _ = prctl(prSetPdeathsig, uintptr(syscall.SIGKILL), 0) }

// become takes a user and the group of the same number, and no other groups. The thread
// alone: the library's own calls would go on to all, of which one is left.
func become(user uint32) error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SETGROUPS, 0, 0, 0); e != 0 {
		return e
	}
	id := uintptr(user)
	if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESGID, id, id, id); e != 0 {
		return e
	}
	_, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, id, id, id)
	return errno(e)
}

type capabilityHeader struct {
	version uint32
	pid     int32
}

// drop gives up all capabilities, and the user that has them when there is another to be.
func (s *stage) drop() error {
	for c := uintptr(0); c < 64; c++ {
		if err := prctl(prCapbsetDrop, c, 0); errors.Is(err, syscall.EINVAL) {
			break // there are no more
		} // EPERM: without CAP_SETPCAP; they are given up below, and no_new_privs keeps them away
	}
	if s.User != 0 {
		err := become(s.User)
		s.is(User, err, "")
	}
	_ = prctl(prCapAmbient, ambientClearAll, 0)
	header := capabilityHeader{version: 0x20080522} // the third
	var none [2][3]uint32                           // effective, permitted, inheritable; the lower half and the upper
	_, _, e := syscall.RawSyscall(syscall.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	return errno(e)
}

// limits sets the rlimits. One that is lower already stays: nobody may raise it.
func (s *stage) limits() {
	if len(s.Limits) == 0 {
		return
	}
	var failed error
	for _, l := range s.Limits {
		var now [2]uint64 // soft, hard
		_, _, e := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, uintptr(l.Resource), 0, uintptr(unsafe.Pointer(&now)), 0, 0)
		most := min(l.Most, now[1])
		both := [2]uint64{most, most}
		if e == 0 {
			_, _, e = syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, uintptr(l.Resource), uintptr(unsafe.Pointer(&both)), 0, 0, 0)
		}
		if e != 0 {
			failed = e
		}
	}
	s.is(Limits, failed, "")
}

// pathRule is landlock's struct landlock_path_beneath_attr, which is packed.
type pathRule struct{ bytes [12]byte }

// restrict enters landlock's domain. What the view made is not of the host, so it is added
// to the rules here.
func (s *stage) restrict(seen bool) {
	if s.Rights.Read == 0 {
		return // the host has said why
	}
	if seen {
		s.allow("/tmp", s.Rights.Write)
		s.allow("/proc", s.Rights.Read)
	}
	_, _, e := syscall.RawSyscall(sysLandlockRestrict, Ruleset, uintptr(s.Rights.Flags), 0)
	for i, f := range s.found { // the host knows what the kernel can, and not yet whether it did
		if (f.Name == Files || f.Name == Ports) && e != 0 {
			s.found[i].Active = false
			s.say(Finding{Name: f.Name, Why: e.Error()})
		}
	}
}

func (s *stage) allow(path string, rights uint64) {
	f, err := os.Open(path)
	if err != nil {
		return // then it is not allowed
	}
	defer f.Close()
	var r pathRule
	*(*[8]byte)(r.bytes[:8]) = *(*[8]byte)(unsafe.Pointer(&rights))
	fd := int32(f.Fd())
	*(*[4]byte)(r.bytes[8:]) = *(*[4]byte)(unsafe.Pointer(&fd))
	_, _, _ = syscall.RawSyscall6(sysLandlockAddRule, Ruleset, 1, uintptr(unsafe.Pointer(&r)), 0, 0, 0)
}

// program of seccomp, struct sock_fprog.
type program struct {
	length uint16
	first  *byte
}

// filter installs the seccomp filter on this thread, which is all that is left soon.
func (s *stage) filter() {
	if len(s.Filter) < 8 {
		return // the host has said why
	}
	p := program{length: uint16(len(s.Filter) / 8), first: &s.Filter[0]}
	err := prctl(prSetSeccomp, seccompFilter, uintptr(unsafe.Pointer(&p)))
	runtime.KeepAlive(s.Filter)
	s.is(Syscalls, err, "")
}

// become is the program from here on: nothing of this one is left but the descriptors that
// an adapter has. It returns only an error.
func (s *stage) become() error {
	path, err := syscall.BytePtrFromString("")
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(s.Argv)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return err
	}
	for fd := Orders; fd <= Ruleset; fd++ {
		if !s.Script || fd != Program {
			syscall.CloseOnExec(fd)
		}
	}
	syscall.CloseOnExec(s.program)
	if s.Script {
		_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(s.program), syscall.F_SETFD, 0)
	}
	const emptyPath = 0x1000 // AT_EMPTY_PATH: the descriptor itself
	_, _, e := syscall.RawSyscall6(sysExecveat(), uintptr(s.program), uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])), emptyPath, 0)
	return e
}
