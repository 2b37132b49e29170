package boundary

import (
	"encoding/binary"
	"testing"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// verdict runs the filter as the kernel does, on a call of an architecture.
func verdict(t *testing.T, network bool, machine, call uint32, args ...uint64) seccomp.Action {
	t.Helper()
	instructions, err := assembled(network)
	require.NoError(t, err)
	vm, err := bpf.NewVM(instructions)
	require.NoError(t, err)
	data := make([]byte, 64) // struct seccomp_data, whose words the virtual machine reads as big-endian
	binary.BigEndian.PutUint32(data, call)
	binary.BigEndian.PutUint32(data[4:], machine)
	for i, a := range args {
		low, high := data[16+8*i:], data[20+8*i:]
		if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
			low, high = high, low
		}
		binary.BigEndian.PutUint32(low, uint32(a))
		binary.BigEndian.PutUint32(high, uint32(a>>32))
	}
	out, err := vm.Run(data)
	require.NoError(t, err)
	return seccomp.Action(uint32(out))
}

// Calls by another architecture's numbers end the process; arguments are looked at whole,
// and what the kernel would not look at does not help.
func TestTheFilterCannotBeGoneAround(t *testing.T) {
	here, err := arch.GetInfo("")
	require.NoError(t, err)
	machine := uint32(here.ID)
	number := func(name string) uint32 { return uint32(here.SyscallNames[name]) }
	const denied, allowed, above = seccomp.ActionErrno | seccomp.Action(unix.EPERM), seccomp.ActionAllow, uint64(1) << 32

	other := uint32(arch.I386.ID)
	require.NotEqual(t, machine, other)
	require.Equal(t, seccomp.ActionKillProcess, verdict(t, true, other, 26), "ptrace of i386")
	require.Equal(t, seccomp.ActionKillProcess, verdict(t, true, other, 3), "and everything else of it")
	if here.ID == arch.X86_64.ID {
		require.Equal(t, seccomp.ActionErrno|seccomp.Action(unix.ENOSYS), verdict(t, true, machine, 0x40000000|number("ptrace")), "x32")
	}
	require.Equal(t, seccomp.ActionErrno|seccomp.Action(unix.ENOSYS), verdict(t, true, machine, number("clone3")))
	for name, c := range map[string]struct {
		network bool
		call    string
		args    []uint64
		want    seccomp.Action
	}{
		"read":                          {true, "read", nil, allowed},
		"execve":                        {true, "execveat", nil, allowed},
		"ptrace":                        {true, "ptrace", nil, denied},
		"a thread":                      {true, "clone", []uint64{unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND}, allowed},
		"a namespace":                   {true, "clone", []uint64{unix.CLONE_NEWUSER | unix.CLONE_VM}, denied},
		"a namespace and more above it": {true, "clone", []uint64{unix.CLONE_NEWUSER | above}, denied},
		"a Unix socket":                 {false, "socket", []uint64{unix.AF_UNIX, unix.SOCK_STREAM, 0}, allowed},
		"TCP":                           {true, "socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, 0}, allowed},
		"TCP by name":                   {true, "socket", []uint64{unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP}, allowed},
		"UDP":                           {true, "socket", []uint64{unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP}, allowed},
		"networks":                      {true, "socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW, 0}, allowed},
		"audit":                         {true, "socket", []uint64{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT}, denied},
		"TCP without a network":         {false, "socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, 0}, denied},
		"the same with more above it":   {false, "socket", []uint64{unix.AF_INET | above, unix.SOCK_STREAM, 0}, denied},
		"MPTCP":                         {true, "socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}, denied},
		"MPTCP with more above it":      {true, "socket", []uint64{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP | above}, denied},
		"packets":                       {true, "socket", []uint64{unix.AF_PACKET, unix.SOCK_RAW, 0}, denied},
		"the kernel's ciphers":          {true, "socket", []uint64{unix.AF_ALG, unix.SOCK_SEQPACKET, 0}, denied},
		"the host of this machine":      {true, "socket", []uint64{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, denied},
		"sending":                       {true, "sendto", []uint64{3, 0, 0, unix.MSG_NOSIGNAL}, allowed},
		"sending that connects":         {true, "sendto", []uint64{3, 0, 0, unix.MSG_FASTOPEN | unix.MSG_NOSIGNAL}, denied},
		"a message that connects":       {true, "sendmsg", []uint64{3, 0, unix.MSG_FASTOPEN}, denied},
		"messages that connect":         {true, "sendmmsg", []uint64{3, 0, 1, unix.MSG_FASTOPEN | above}, denied},
	} {
		require.Contains(t, here.SyscallNames, c.call)
		require.Equal(t, c.want, verdict(t, c.network, machine, number(c.call), c.args...), name)
	}
}

// The list names calls that exist: a mistyped one would be left out in silence.
func TestEveryRefusedCallIsOne(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range refused() {
		require.False(t, seen[name], name)
		seen[name] = true
		known := false
		for _, a := range []*arch.Info{arch.X86_64, arch.AARCH64, arch.I386, arch.ARM} {
			_, there := a.SyscallNames[name]
			known = known || there
		}
		require.True(t, known, name)
	}
}
