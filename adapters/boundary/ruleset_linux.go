package boundary

import (
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// Rights on files and folders.
const (
	readFile  = ll.AccessFSReadFile
	readAll   = ll.AccessFSReadFile | ll.AccessFSReadDir
	writeFile = readFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	writeAll  = readAll | writeFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeSym | ll.AccessFSRefer
)

// Versions of landlock from which it knows more.
const (
	withRefer    = 2
	withTruncate = 3
	withPorts    = 4
	withScopes   = 6
	withUnix     = 9
	withUDP      = 10
)

// dns is the port of name servers.
const dns = 53

// ruleset makes the rules of landlock, of the newest kind that the kernel has. They are a
// file that the stage enters. Without landlock the file is nil and the findings say so.
func (b *Box) ruleset(needs []need) (*os.File, stage.Rights, []stage.Finding) {
	if b.profile.without(stage.Files) {
		return nil, stage.Rights{}, absent(errOff.Error(), stage.Files, stage.Ports)
	}
	version, err := ll.LandlockGetABIVersion()
	if err != nil || version < 1 {
		return nil, stage.Rights{}, absent("the kernel has no landlock", stage.Files, stage.Ports)
	}
	fd, flags, err := landlock.V10.BestEffort().NewRulesetFD(b.rules(needs, version)...)
	if err != nil || fd < 0 {
		return nil, stage.Rights{}, absent("landlock takes no rules", stage.Files, stage.Ports)
	}
	rights := stage.Rights{Read: readAll, Write: known64(writeAll, version), Flags: flags}
	return os.NewFile(uintptr(fd), "ruleset"), rights, covered(version, b.profile.Ports)
}

// known64 leaves of rights those that the kernel knows.
func known64(rights uint64, version int) uint64 {
	if version < withRefer {
		rights &^= ll.AccessFSRefer
	}
	if version < withTruncate {
		rights &^= ll.AccessFSTruncate
	}
	if version < withUnix {
		rights &^= ll.AccessFSResolveUnix
	}
	return rights
}

func (b *Box) rules(needs []need, version int) []landlock.Rule {
	var all []landlock.Rule
	for _, n := range needs {
		all = append(all, landlock.PathAccess(landlock.AccessFSSet(known64(n.rights(), version)), n.real))
	}
	ports := b.profile.Ports
	for _, port := range ports {
		all = append(all, landlock.ConnectTCP(port))
	}
	if len(ports) > 0 { // names must be looked up, and a long answer comes over TCP
		all = append(all, landlock.ConnectTCP(dns), landlock.ConnectSendUDP(dns), landlock.BindUDP(0))
	}
	return all
}

func (n need) rights() uint64 {
	var r uint64 = readAll
	switch {
	case n.write && n.file:
		r = writeFile
	case n.write:
		r = writeAll
	case n.file:
		r = readFile
	}
	if n.execute {
		r |= ll.AccessFSExecute
	}
	if n.declared { // a socket that it was given to read, of a database on this machine
		r |= ll.AccessFSResolveUnix
	}
	return r
}

// covered says what landlock of a version does, and what it does not.
func covered(version int, ports []uint16) []stage.Finding {
	files := stage.Finding{Name: stage.Files, Active: true}
	if version < withScopes {
		files.Why = "the kernel does not keep it from abstract sockets"
	}
	p := stage.Finding{Name: stage.Ports, Active: version >= withPorts}
	switch {
	case !p.Active:
		p.Why = "the kernel's landlock knows no ports"
	case len(ports) > 0 && version < withUDP:
		p.Why = "by port and not by address; UDP is open"
	case len(ports) > 0:
		p.Why = "by port and not by address"
	}
	return []stage.Finding{files, p}
}

func absent(why string, names ...string) []stage.Finding {
	var all []stage.Finding
	for _, name := range names {
		all = append(all, stage.Finding{Name: name, Why: why})
	}
	return all
}
