package boundary

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// This test's program is the hostile adapter as well: called with "hostile", it tries each
// act that follows and says what came of it, a line for each. "done" is what no act but
// those that are allowed may come to.

// hostile tries acts, each a name and its arguments with spaces between.
func hostile(lines []string) {
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		said, err := "done", errors.New("no such act")
		if act := acts()[name]; act != nil {
			err = act(strings.Fields(rest))
		}
		if err != nil {
			said = err.Error()
		}
		fmt.Printf("%s: %s\n", line, strings.ReplaceAll(said, "\n", " "))
	}
}

func acts() map[string]func(args []string) error {
	return map[string]func([]string) error{
		"read": readIt, "list": listIt, "write": writeIt, "mem": memory, "vm": vm, "ptrace": ptrace, "signal": signalIt, "others": others,
		"call": call, "status": status, "environ": environ, "ids": ids, "seize": seize,
		"connect": connect, "mptcp": mptcp, "fastopen": fastOpened, "listen": listen, "udp": udp, "abstract": abstract, "unix": unixSocket,
		"exec": execute, "loader": byLoader, "memfd": fromMemory, "fromtmp": fromTmp,
		"outlive": outlive, "bomb": bomb, "hog": hog, "files": files, "core": core, "big": big, "flood": flood, "wait": wait,
	}
}

func readIt(a []string) error { _, err := os.ReadFile(a[0]); return err }
func listIt(a []string) error { _, err := os.ReadDir(a[0]); return err }
func writeIt(a []string) error {
	return os.WriteFile(a[0], []byte("left behind"), 0o600)
}

// memory of another process: read where its stack is, and then the stack.
func memory(a []string) error {
	maps, err := os.ReadFile("/proc/" + a[0] + "/maps")
	if err != nil {
		return err
	}
	from, _, _ := strings.Cut(string(maps), "-")
	at, err := strconv.ParseInt(from, 16, 64)
	if err != nil {
		return err
	}
	f, err := os.Open("/proc/" + a[0] + "/mem")
	if err != nil {
		return err
	}
	_, err = f.ReadAt(make([]byte, 16), at)
	return err
}

func vm(a []string) error {
	pid, _ := strconv.Atoi(a[0])
	at, _ := strconv.ParseUint(a[1], 16, 64)
	into := make([]byte, 8)
	_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &into[0], Len: 8}}, []unix.RemoteIovec{{Base: uintptr(at), Len: 8}}, 0)
	return err
}

func ptrace(a []string) error {
	runtime.LockOSThread()
	pid, _ := strconv.Atoi(a[0])
	err := syscall.PtraceAttach(pid)
	if err == nil {
		_ = syscall.PtraceDetach(pid)
	}
	return err
}

// seize has the other process do a call of its own: nothing but the right to do so.
func seize(a []string) error {
	pid, _ := strconv.Atoi(a[0])
	_, _, e := syscall.RawSyscall6(syscall.SYS_PTRACE, 0x4206, uintptr(pid), 0, 0, 0, 0)
	return errnoOf(e)
}

func signalIt(a []string) error {
	pid, _ := strconv.Atoi(a[0])
	return syscall.Kill(pid, 0)
}

// others fails unless there is a process to be seen that is not of this one.
func others([]string) error {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range all {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() {
			return nil
		}
	}
	return errors.New("sees nobody")
}

func errnoOf(e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

// call is a system call with harmless arguments: was it refused before it began? EPERM says
// so, which none of them gives with these.
func call(a []string) error {
	for _, name := range a {
		number, _ := strconv.Atoi(name)
		_, _, e := syscall.RawSyscall6(uintptr(number), ^uintptr(0), 0, 0, 0, 0, 0)
		if e == syscall.EPERM || e == syscall.ENOSYS {
			continue
		}
		return nil
	}
	return syscall.EPERM
}

func status(a []string) error {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	var said []string
	for _, line := range strings.Split(string(raw), "\n") {
		if name, value, _ := strings.Cut(line, ":"); slices.Contains(a, name) {
			said = append(said, name+"="+strings.Join(strings.Fields(value), ","))
		}
	}
	return errors.New(strings.Join(said, " "))
}

func environ([]string) error { return fmt.Errorf("%q", os.Environ()) }

func ids([]string) error {
	groups, _ := os.Getgroups()
	return fmt.Errorf("uid %d %d gid %d %d groups %v", os.Getuid(), os.Geteuid(), os.Getgid(), os.Getegid(), groups)
}

func connect(a []string) error {
	c, err := net.DialTimeout("tcp", a[0], 2*time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err
}

func address(a string) *unix.SockaddrInet4 {
	_, port, _ := net.SplitHostPort(a)
	n, _ := strconv.Atoi(port)
	return &unix.SockaddrInet4{Port: n, Addr: [4]byte{127, 0, 0, 1}}
}

func mptcp(a []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, address(a[0]))
}

func fastOpened(a []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, address(a[0]))
}

func listen([]string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet4{Port: 45679, Addr: [4]byte{127, 0, 0, 1}})
}

func udp(a []string) error {
	c, err := net.Dial("udp", a[0])
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte("x"))
	return err
}

func abstract(a []string) error { return unixSocket([]string{"@" + a[0]}) }

func unixSocket(a []string) error {
	c, err := net.Dial("unix", a[0])
	if err == nil {
		_ = c.Close()
	}
	return err
}

func execute(a []string) error { return exec.Command(a[0], a[1:]...).Run() }

// byLoader has the dynamic loader run a program that may not be executed itself.
func byLoader(a []string) error {
	loaders, _ := filepath.Glob("/lib*/ld-linux*.so.*")
	if len(loaders) == 0 {
		return errors.New("no loader to be seen")
	}
	return exec.Command(loaders[0], a...).Run()
}

func fromMemory([]string) error {
	fd, err := unix.MemfdCreate("x", 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func fromTmp([]string) error {
	path := filepath.Join(os.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit 0\n"), 0o700); err != nil {
		return err
	}
	return exec.Command(path).Run()
}

// outlive leaves processes behind that are nobody's children: one that stays in this group,
// and ones in a session and a group of their own.
func outlive(a []string) error {
	marker := a[0]
	var said []string
	for name, attr := range map[string]*syscall.SysProcAttr{"plain": {}, "session": {Setsid: true}, "group": {Setpgid: true}} {
		cmd := exec.Command("/proc/self/exe", "hostile", "wait "+marker)
		cmd.SysProcAttr = attr
		cmd.Stdout, cmd.Stderr = nil, nil
		if err := cmd.Start(); err != nil {
			said = append(said, name+" "+err.Error())
			continue
		}
		said = append(said, name+" runs")
	}
	slices.Sort(said)
	return errors.New(strings.Join(said, ", "))
}

// bomb starts processes until it may not, and says how many there were.
func bomb(a []string) error {
	for n := range 5000 {
		cmd := exec.Command("/proc/self/exe", "hostile", "wait "+a[0])
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("%d: %w", n, err)
		}
	}
	return nil
}

// hog touches memory until it may not.
func hog([]string) error {
	const piece = 16 << 20
	var all [][]byte
	for n := 0; n < 4096; n++ {
		b, err := unix.Mmap(-1, 0, piece, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			return fmt.Errorf("%d MiB: %w", n*16, err)
		}
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		all = append(all, b)
	}
	runtime.KeepAlive(all)
	return nil
}

// files opens the same file until it may not.
func files([]string) error {
	var all []*os.File
	for n := range 1 << 16 {
		f, err := os.Open("/dev/null")
		if err != nil {
			return fmt.Errorf("%d: %w", n, errors.Unwrap(err))
		}
		all = append(all, f)
	}
	runtime.KeepAlive(all)
	return nil
}

// core asks for cores of any size.
func core([]string) error {
	var was unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_CORE, &was)
	err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	if err == nil {
		return nil
	}
	return fmt.Errorf("%d of %d: %w", was.Cur, was.Max, err)
}

// big writes a file of 100 MiB.
func big([]string) error {
	signal.Ignore(syscall.SIGXFSZ)
	f, err := os.Create(filepath.Join(os.TempDir(), "big"))
	if err != nil {
		return err
	}
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for range 100 {
		if _, err := f.Write(piece); err != nil {
			return errors.Unwrap(err)
		}
	}
	return nil
}

// flood writes so many MiB to standard error.
func flood(a []string) error {
	n, _ := strconv.Atoi(a[0])
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	piece := bytes.Repeat(line, 1024)
	for range n {
		if _, err := os.Stderr.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

func wait([]string) error {
	time.Sleep(time.Hour) // a select would be seen to be dead
	return nil
}
