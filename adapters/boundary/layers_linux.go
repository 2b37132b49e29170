package boundary

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// spaces are the namespaces to ask for: processes, mounts, System V, and, for who has no
// network, that; and, for who may not have those, users.
func (p Profile) spaces() uintptr {
	var flags uintptr = syscall.CLONE_NEWIPC
	if !p.without(stage.Processes) {
		flags |= syscall.CLONE_NEWPID
	}
	if !p.without(stage.View) {
		flags |= syscall.CLONE_NEWNS
	}
	if len(p.Ports) == 0 && !p.without(stage.Network) {
		flags |= syscall.CLONE_NEWNET
	}
	if os.Geteuid() != 0 {
		flags |= syscall.CLONE_NEWUSER
	}
	return flags
}

// known are the layers that the host puts in place, and why some are not there.
func (b *Box) known() []stage.Finding {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []stage.Finding{{Name: stage.Environment, Active: true}, {Name: stage.Log, Active: true}}
	if b.noUser != nil {
		all = append(all, stage.Finding{Name: stage.User, Why: b.noUser.Error()})
	}
	alone := stage.Finding{Name: stage.Processes, Active: true}
	if b.spaces&syscall.CLONE_NEWPID == 0 {
		alone.Why = "no namespace of its own; it cannot leave its process group, and is ended with it"
		alone.Active = b.noCalls == nil
	}
	if b.noView != nil {
		all = append(all, stage.Finding{Name: stage.View, Why: b.noView.Error()})
	}
	network := stage.Finding{Name: stage.Network, Active: b.spaces&syscall.CLONE_NEWNET != 0}
	if !network.Active {
		network.Why = "it has the gateway's: egress through the gateway is not offered yet"
	}
	cgroup := stage.Finding{Name: stage.Cgroup, Active: b.group != nil}
	if b.noGroup != nil {
		cgroup.Why = b.noGroup.Error()
	}
	if b.noCalls != nil {
		all = append(all, stage.Finding{Name: stage.Syscalls, Why: b.noCalls.Error()})
	}
	return append(all, alone, network, cgroup)
}

// mostAddresses is how much may be mapped beside what may be used: runtimes reserve.
const mostAddresses = 8 << 30

// limits of one process. Of them, memory and processes are counted for each process or each
// user; those of a cgroup for all together.
func (b *Box) limits() []stage.Limit {
	memory := uint64(b.profile.MemoryMiB) << 20
	if b.profile.without(stage.Limits) {
		return nil
	}
	return []stage.Limit{
		{Resource: unix.RLIMIT_CORE, Most: 1}, // less than any core, and 0 still starts a handler of cores
		{Resource: unix.RLIMIT_NOFILE, Most: 1024},
		{Resource: unix.RLIMIT_NPROC, Most: uint64(b.profile.Processes)},
		{Resource: unix.RLIMIT_DATA, Most: memory},
		{Resource: unix.RLIMIT_AS, Most: mostAddresses + memory},
		{Resource: unix.RLIMIT_FSIZE, Most: 64 << 20},
		{Resource: unix.RLIMIT_MEMLOCK, Most: 0},
		{Resource: unix.RLIMIT_MSGQUEUE, Most: 0},
		{Resource: unix.RLIMIT_STACK, Most: 8 << 20},
		{Resource: unix.RLIMIT_NICE, Most: 0},
		{Resource: unix.RLIMIT_RTPRIO, Most: 0},
		{Resource: unix.RLIMIT_SIGPENDING, Most: 1024},
	}
}

// attributes of the stage's process: a group of its own, an end with its host, and its
// namespaces.
func (b *Box) attributes() *syscall.SysProcAttr {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: b.spaces}
	if b.spaces&syscall.CLONE_NEWUSER != 0 {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getegid(), HostID: os.Getegid(), Size: 1}}
		a.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP} // in that namespace, and until the stage has done
	}
	return a
}

// join puts a stage into the adapter's cgroup before it has its orders: not with clone3, which
// systemd refuses to a service whose namespaces it restricts.
func (b *Box) join(plan *stage.Plan, pid int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.group == nil || b.group.take(pid) == nil {
		return
	}
	plan.Known = slices.DeleteFunc(plan.Known, func(f stage.Finding) bool { return f.Name == stage.Cgroup })
	plan.Known = append(plan.Known, stage.Finding{Name: stage.Cgroup, Why: "its process may not be put into it"})
}
