package boundary

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// Box is the boundary of one adapter, for each of its processes in turn, with the program as
// it was read.
type Box struct {
	profile Profile
	program *Program
	folder  string // for the root of its view
	user    *lease
	noUser  error
	filter  []byte
	noCalls error

	mu      sync.Mutex
	alive   int // processes that were started and not swept
	group   *group
	noGroup error
	// namespaces that this machine gives, and why it gives no more
	spaces           uintptr
	noSpaces, noView error
}

var errOff = errors.New("left out")

// errNoView: there are namespaces, and nothing may be mounted in them.
var errNoView = errors.New("no view of its own")

// New prepares the boundary around a program, under a name that is the same each time. The
// folder is empty and the host's own. The caller ends it. Errors: ErrFloor, ErrProgram.
func New(name string, p Profile, program *Program, folder string) (*Box, error) {
	p, err := p.complete()
	if err != nil {
		return nil, err
	}
	b := &Box{profile: p, program: program, folder: folder, spaces: p.spaces()}
	switch {
	case p.without(stage.User):
		b.noUser = errOff
	case os.Geteuid() == 0:
		b.user, b.noUser = leaseUser(p.Users, name)
	default:
		b.noUser = errors.New("the gateway may not switch users; the files of its own user are kept away by files and view")
	}
	if b.filter, b.noCalls = filter(len(p.Ports) > 0); p.without(stage.Syscalls) {
		b.filter, b.noCalls = nil, errOff
	}
	if err := os.MkdirAll(b.root(), 0o700); err != nil {
		return nil, fmt.Errorf("%w: no folder for its view", ErrProgram)
	}
	return b, nil
}

func (b *Box) root() string { return filepath.Join(b.folder, "root") }

// End ends what is left of its processes, and frees the box.
func (b *Box) End() {
	b.purge()
	b.mu.Lock()
	b.group.end()
	b.group = nil
	b.mu.Unlock()
	b.user.end()
	b.program.Close()
}

// Start starts the program, and returns when it runs behind every layer that this machine
// gives. Errors: ErrFloor with the layer that is missing, ErrProgram.
func (b *Box) Start(l Launch) (*exec.Cmd, []Layer, error) {
	b.divide()
	for {
		if err := b.admit(l.Sockets); err != nil {
			return nil, nil, fmt.Errorf("%w: its folder for a socket", ErrProgram)
		}
		cmd, found, err := b.try(l)
		switch {
		case err == nil:
			b.mu.Lock()
			b.alive++
			b.mu.Unlock()
			return cmd, found, nil
		case !b.less(err):
			return nil, found, err
		}
	}
}

// admit lets the adapter's user into its folder. Where it has a view of its own it is given
// that folder alone, and elsewhere it must come to it.
func (b *Box) admit(sockets string) error {
	if b.user == nil {
		return nil
	}
	if err := os.Chown(sockets, int(b.user.user), int(b.user.user)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spaces&syscall.CLONE_NEWNS != 0 {
		return nil
	}
	return os.Chmod(filepath.Dir(sockets), 0o711)
}

// divide asks for a cgroup, once.
func (b *Box) divide() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.group == nil && b.noGroup == nil {
		b.group, b.noGroup = newGroup(b.profile.MemoryMiB, b.profile.Processes)
	}
}

// less asks for fewer namespaces after a start that was refused, and reports whether there
// is something left to try.
func (b *Box) less(err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if errors.Is(err, errNoView) {
		b.spaces, b.noView = b.spaces&^syscall.CLONE_NEWNS, err
		return true
	}
	var no syscall.Errno
	if !errors.As(err, &no) || b.spaces == 0 {
		return false
	}
	switch no {
	case syscall.EPERM, syscall.EINVAL, syscall.ENOSPC, syscall.EACCES, syscall.EUSERS:
		b.spaces, b.noSpaces, b.noView = 0, no, no
		return true
	}
	return false
}

// try starts it once. An error of the system's start is in the chain.
func (b *Box) try(l Launch) (*exec.Cmd, []Layer, error) {
	needs := b.needs(l.Sockets)
	rules, rights, found := b.ruleset(needs)
	defer rules.Close()
	plan := b.plan(l, needs, rights)
	plan.Known = append(plan.Known, found...)
	orders, report, theirs, err := pipes()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	defer orders.Close()
	defer report.Close()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{stage.Name}, Env: append(slices.Clone(l.Env), "TMPDIR="+tmp(plan, l.Sockets)), Stdout: l.Stdout, Stderr: l.Stderr,
		ExtraFiles:  []*os.File{l.Lifeline, theirs[0], theirs[1], b.program.file, rules}, // nil: none
		SysProcAttr: b.attributes(),
	}
	l.Run(func() { err = cmd.Start() })
	_, _ = theirs[0].Close(), theirs[1].Close()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	b.join(&plan, cmd.Process.Pid)
	layers, err := b.converse(plan, orders, report)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, layers, err
	}
	return cmd, layers, nil
}

// tmp is where it may write: in a view of its own, and elsewhere beside its socket.
func tmp(p stage.Plan, sockets string) string {
	if p.Tree != nil {
		return "/tmp"
	}
	return sockets
}

func (b *Box) plan(l Launch, needs []need, rights stage.Rights) stage.Plan {
	p := stage.Plan{
		Self: b.program.self, Script: b.program.script != "", Argv: l.Args, Limits: b.limits(), Rights: rights,
		Filter: b.filter, Floor: b.profile.Floor, Known: b.known(),
	}
	if b.user != nil {
		p.User = b.user.user
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spaces&syscall.CLONE_NEWNS != 0 {
		p.Tree = &stage.Tree{Root: b.root(), Entries: entries(needs), TmpBytes: int64(b.profile.MemoryMiB) << 20 / 8, Proc: true}
	}
	return p
}
