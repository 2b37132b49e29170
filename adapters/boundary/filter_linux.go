package boundary

import (
	"encoding/binary"
	"fmt"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are system calls that no adapter needs and that reach into other processes, the
// kernel or the machine. Those that an architecture does not have are left out.
func refused() []string {
	return []string{
		// other processes
		"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
		// to leave its process group is to outlive it where there is no process namespace
		"setsid", "setpgid",
		// namespaces and mounts
		"unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "open_tree_attr",
		"fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "listmount", "statmount",
		// the kernel
		"kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "bpf", "perf_event_open",
		"userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "modify_ldt", "iopl", "ioperm", "lookup_dcookie",
		"syslog", "acct", "quotactl", "quotactl_fd", "nfsservctl", "personality", "uselib", "ustat", "sysfs", "_sysctl", "vm86", "vm86old",
		"name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark",
		// keys
		"add_key", "request_key", "keyctl",
		// the machine
		"reboot", "swapon", "swapoff", "settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64",
		"adjtimex", "sethostname", "setdomainname", "vhangup", "mknod", "mknodat",
		// memory that no limit of a process counts
		"memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "shmdt", "msgget", "msgsnd", "msgrcv", "msgctl",
		"semget", "semop", "semctl", "semtimedop", "mq_open", "mq_unlink",
	}
}

// What arguments make a call another one.
const (
	namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
		unix.CLONE_NEWPID | unix.CLONE_NEWNET
	fastOpen = unix.MSG_FASTOPEN // connects, past landlock
)

func never(argument uint32, values ...uint64) (all seccomp.ArgumentConditions) {
	for _, v := range values {
		all = append(all, seccomp.Condition{Argument: argument, Operation: seccomp.NotEqual, Value: v})
	}
	return all
}

func bits(name string, argument uint32, value uint64) seccomp.NameWithConditions {
	return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: argument, Operation: seccomp.BitsSet, Value: value}}}
}

// withArguments are calls that are refused for what they ask. A socket is of this machine
// or of the Internet, or tells what networks there are; and of a protocol that landlock
// knows (it knows no MPTCP).
func withArguments(network bool) []seccomp.NameWithConditions {
	families := []uint64{unix.AF_UNIX}
	if network {
		families = append(families, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK)
	}
	return []seccomp.NameWithConditions{
		{Name: "socket", Conditions: never(0, families...)},
		{Name: "socket", Conditions: never(2, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP)},
		bits("sendto", 3, fastOpen), bits("sendmsg", 2, fastOpen), bits("sendmmsg", 3, fastOpen),
		bits("clone", 0, namespaces),
	}
}

// filter is the program of seccomp. What it does not name is allowed, so another
// architecture's calls, which have other numbers, end the process.
func filter(network bool) ([]byte, error) {
	instructions, err := assembled(network)
	if err != nil {
		return nil, err
	}
	raw, err := bpf.Assemble(instructions)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, i := range raw { // struct sock_filter
		out = binary.NativeEndian.AppendUint16(out, i.Op)
		out = append(out, i.Jt, i.Jf)
		out = binary.NativeEndian.AppendUint32(out, i.K)
	}
	return out, nil
}

func assembled(network bool) ([]bpf.Instruction, error) {
	here, err := arch.GetInfo("")
	if err != nil {
		return nil, fmt.Errorf("no system calls are known of this architecture: %w", err)
	}
	var names []string
	for _, name := range refused() {
		if _, there := here.SyscallNames[name]; there {
			names = append(names, name)
		}
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
		// Its flags cannot be looked at: a program is told that it is not there and calls clone.
		{Names: []string{"clone3"}, Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		{Names: names, Action: seccomp.ActionErrno},
		{NamesWithCondtions: withArguments(network), Action: seccomp.ActionErrno},
	}}
	instructions, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	// The library lets other architectures pass by the default.
	return append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 4, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(here.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(seccomp.ActionKillProcess)},
	}, instructions...), nil
}
