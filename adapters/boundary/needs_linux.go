package boundary

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// need is a file or folder that a process may reach.
type need struct {
	path     string // as it is named
	real     string // where it is
	file     bool
	write    bool
	execute  bool
	device   bool
	declared bool // by the operator
}

// system is what any program reads: libraries, certificates, names, the time zone. Not
// there: programs, users, and everything of this machine's own.
func system() []string {
	all := []string{
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
		"/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted", "/etc/crypto-policies",
		"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
		"/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo",
		"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/sys/devices/system/cpu",
	}
	python, _ := filepath.Glob("/etc/python3*") // the pattern is well formed
	return append(all, python...)
}

func devices() []string {
	return []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}
}

// needs are those of a program under a profile, of those that are there.
func (b *Box) needs(sockets string) []need {
	var all []need
	add := func(n need) {
		real, err := filepath.EvalSymlinks(n.path)
		if err != nil {
			return // not on this machine
		}
		info, err := os.Stat(real)
		if err != nil {
			return
		}
		n.real, n.file = real, !info.IsDir()
		all = append(all, n)
	}
	for _, path := range system() {
		add(need{path: path})
	}
	for _, path := range b.profile.Read {
		add(need{path: path, declared: true})
	}
	for _, path := range devices() {
		add(need{path: path, write: true, device: true})
	}
	for _, path := range b.program.runs() {
		add(need{path: path, execute: true})
	}
	add(need{path: sockets, write: true})
	return all
}

// entries has them seen: each where it is, and by the name it was asked for.
func entries(needs []need) []stage.Entry {
	all := []stage.Entry{{Path: "/dev/fd", Link: "/proc/self/fd"}} // by which an interpreter opens its script
	var there []string
	for _, n := range needs {
		if n.path == "/proc/self/exe" {
			continue // opened before, and out of sight
		}
		if !within(there, n.real) || n.write { // what is in a folder that is seen, is seen
			all = append(all, stage.Entry{Path: n.real, File: n.file, Write: n.write && !n.device, Dev: n.device})
			there = append(there, n.real)
		}
		if n.path != n.real && !within(there, n.path) {
			all = append(all, stage.Entry{Path: n.path, Link: n.real})
			there = append(there, n.path)
		}
	}
	return all
}

func within(folders []string, path string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}
