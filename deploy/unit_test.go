package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const unit = "systemd/ontschot.service"

// directives of the unit, each with its values in order.
func directives(t *testing.T) map[string][]string {
	t.Helper()
	return directivesOf(t, unit)
}

func directivesOf(t *testing.T, path string) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(raw)) {
		if key, value, is := strings.Cut(strings.TrimSpace(line), "="); is && !strings.HasPrefix(key, "#") {
			all[key] = append(all[key], value)
		}
	}
	require.Greater(t, len(all), 35)
	return all
}

// What systemd counts as exposed is at most 2.0 of 10.
func TestTheUnitIsLocked(t *testing.T) {
	needs(t, "systemd-analyze")
	said := runs(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)
	require.Contains(t, said, "Overall exposure level for ontschot.service: ")
	require.NotContains(t, said, "ignoring") // a directive that is not known
}

// calls that the unit allows: its lines add and take away, in order.
func calls(t *testing.T) []string {
	t.Helper()
	var allowed []string
	for _, line := range directives(t)["SystemCallFilter"] {
		line, takes := strings.CutPrefix(line, "~")
		for name := range strings.FieldsSeq(line) {
			names := expand(t, name)
			if takes {
				allowed = slices.DeleteFunc(allowed, func(c string) bool { return slices.Contains(names, c) })
			} else {
				allowed = append(allowed, names...)
			}
		}
	}
	return append(allowed, expand(t, "@default")...) // always
}

// expand gives the calls of a group of systemd's.
func expand(t *testing.T, name string) []string {
	t.Helper()
	if !strings.HasPrefix(name, "@") {
		return []string{name}
	}
	var all []string
	for line := range strings.Lines(runs(t, "systemd-analyze", "--no-pager", "syscall-filter", name)) {
		if line = strings.TrimSpace(line); line != "" && line != name && !strings.HasPrefix(line, "#") {
			all = append(all, expand(t, line)...)
		}
	}
	require.NotEmpty(t, all, name)
	return all
}

// Each layer of the boundary around adapters, and what it asks of the kernel as an ordinary user:
// no directive of the unit forbids it. The layer that needs root (user) is not there under the unit.
func TestTheUnitLeavesTheBoundaryWhatItNeeds(t *testing.T) {
	needs(t, "systemd-analyze")
	d, allowed := directives(t), calls(t)
	for layer, needed := range map[string]struct {
		calls, namespaces []string
	}{
		"all":          {[]string{"clone", "execve", "execveat", "prctl", "pipe2", "socketpair", "kill", "waitid", "setpgid", "fcntl"}, []string{"user", "ipc"}},
		"privileges":   {[]string{"prctl"}, nil},
		"capabilities": {[]string{"prctl", "capset"}, nil},
		"view":         {[]string{"mount", "umount2", "pivot_root", "mount_setattr", "mkdirat", "symlinkat", "chdir"}, []string{"mnt"}},
		"files, ports": {[]string{"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "openat"}, nil},
		"network":      {nil, []string{"net"}},
		"syscalls":     {[]string{"prctl"}, nil},
		"processes":    {[]string{"kill"}, []string{"pid"}},
		"limits":       {[]string{"prlimit64"}, nil},
		"cgroup":       {[]string{"openat", "write"}, nil},
		"a program":    {[]string{"memfd_create", "fchmod", "fcntl"}, nil},
	} {
		for _, call := range needed.calls {
			require.Contains(t, allowed, call, layer)
		}
		for _, space := range needed.namespaces {
			require.Contains(t, strings.Fields(d["RestrictNamespaces"][0]), space, layer)
		}
	}
	for _, refused := range []string{"ptrace", "bpf", "init_module", "kexec_load", "reboot", "swapon", "add_key", "setuid", "chroot"} {
		require.NotContains(t, allowed, refused)
	}
	require.ElementsMatch(t, []string{"AF_UNIX", "AF_INET", "AF_INET6"}, strings.Fields(d["RestrictAddressFamilies"][0]))
	require.Equal(t, []string{"memory pids"}, d["Delegate"], "or there is no cgroup for each adapter")
	require.Equal(t, []string{"-/sys/fs/cgroup/system.slice/%n"}, d["ReadWritePaths"], "or its files cannot be written")
	require.Equal(t, []string{""}, d["CapabilityBoundingSet"], "a user namespace has its own")
}
