package boundary

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// tree is a folder with the files of a cgroup. It stands in for a kernel with one to divide,
// which the machines that run these tests do not all have: what it cannot show is that the
// kernel keeps the limits.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestACgroupOfItsOwn(t *testing.T) {
	own := tree(t, map[string]string{"cgroup.controllers": "cpu memory pids\n", "cgroup.procs": strconv.Itoa(os.Getpid()) + "\n"})
	g, err := newGroupIn(own, 256, 60)
	require.NoError(t, err)
	require.Equal(t, own, filepath.Dir(g.path))
	for file, want := range map[string]string{"memory.max": "268435456", "memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "60", "../cgroup.subtree_control": "+memory +pids"} {
		raw, err := os.ReadFile(filepath.Join(g.path, file))
		require.NoError(t, err)
		require.Equal(t, want, string(raw), file)
	}
	g.kill()
	raw, err := os.ReadFile(filepath.Join(g.path, "cgroup.kill"))
	require.NoError(t, err)
	require.Equal(t, "1", string(raw))

	for name, files := range map[string]map[string]string{
		"no controllers": {"cgroup.controllers": "hugetlb\n"},
		"no cgroup":      {},
	} {
		_, err := newGroupIn(tree(t, files), 256, 60)
		require.ErrorIs(t, err, errNoCgroup, name)
	}
}

// What a gateway that was killed leaves is removed, and what one has that lives is not.
func TestACgroupOfWhoWasKilledIsSwept(t *testing.T) {
	own := tree(t, map[string]string{"cgroup.controllers": "memory pids"})
	living, held, err := claimedGroup(own)
	require.NoError(t, err)
	defer held.Close()
	killed, lost, err := claimedGroup(own)
	require.NoError(t, err)
	require.NoError(t, lost.Close()) // as the kernel does
	sweepGroups(own)
	require.DirExists(t, living)
	require.NoDirExists(t, killed)
	_, err = Claim(killed)
	require.ErrorIs(t, err, ErrClaimed)
	_, err = Claim(living)
	require.ErrorIs(t, err, ErrClaimed)
}

// A process that is in its cgroup before it has its orders starts nothing outside of it. One that
// cannot be is said to be in none, so that a floor with cgroup in it holds.
func TestAProcessIsPutIntoItsCgroup(t *testing.T) {
	own := t.TempDir()
	b := &Box{group: &group{path: own}}
	plan := stage.Plan{Known: b.known()}
	require.Contains(t, plan.Known, stage.Finding{Name: stage.Cgroup, Active: true})
	require.NoError(t, os.WriteFile(filepath.Join(own, "cgroup.procs"), nil, 0o600))
	b.join(&plan, 4242)
	raw, err := os.ReadFile(filepath.Join(own, "cgroup.procs"))
	require.NoError(t, err)
	require.Equal(t, "4242", string(raw))
	require.Contains(t, plan.Known, stage.Finding{Name: stage.Cgroup, Active: true})

	b.group.path = filepath.Join(own, "gone")
	b.join(&plan, 4242)
	for _, f := range plan.Known {
		require.False(t, f.Name == stage.Cgroup && f.Active, f)
	}
	require.Len(t, plan.Known, len(b.known()))
}

// A cgroup with processes in it gives nothing to those below it: the gateway moves when it
// is alone there, and leaves it when it is not.
func TestACgroupWithOthersInIt(t *testing.T) {
	busy := func(procs string) string {
		dir := tree(t, map[string]string{"cgroup.controllers": "memory pids", "cgroup.procs": procs})
		require.NoError(t, os.Mkdir(filepath.Join(dir, "cgroup.subtree_control"), 0o700)) // which cannot be written
		return dir
	}
	own := busy(strconv.Itoa(os.Getpid()) + "\n")
	require.ErrorIs(t, divide(own), errNoCgroup, "this one cannot be written to at all")
	raw, err := os.ReadFile(filepath.Join(own, "gateway", "cgroup.procs"))
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(os.Getpid()), string(raw))
	own = busy("1\n" + strconv.Itoa(os.Getpid()) + "\n")
	require.ErrorContains(t, divide(own), "others are in it")
	require.NoDirExists(t, filepath.Join(own, "gateway"))
}

func TestWhereTheOwnCgroupIs(t *testing.T) {
	mounts := tree(t, map[string]string{
		"v2":     "24 1 0:21 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"hybrid": "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 24 0:27 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw\n",
		"inside": "31 24 0:27 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
		"v1":     "30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "broken": "x\n - cgroup2\n",
	})
	groups := tree(t, map[string]string{"a": "4:memory:/x\n0::/system.slice/ontschot.service\n", "moved": "0::/system.slice/ontschot.service/gateway\n", "pod": "0::/pod/app\n", "none": "4:memory:/x\n"})
	for _, c := range []struct{ mounts, groups, want string }{
		{"v2", "a", "/sys/fs/cgroup/system.slice/ontschot.service"},
		{"v2", "moved", "/sys/fs/cgroup/system.slice/ontschot.service"},
		{"hybrid", "a", "/sys/fs/cgroup/unified/system.slice/ontschot.service"},
		{"inside", "pod", "/sys/fs/cgroup/app"},
		{"inside", "a", ""}, {"v2", "none", ""}, {"v1", "a", ""}, {"broken", "a", ""}, {"gone", "a", ""},
	} {
		got, err := ownGroup(filepath.Join(mounts, c.mounts), filepath.Join(groups, c.groups))
		require.Equal(t, c.want, got, "%s %s", c.mounts, c.groups)
		require.Equal(t, c.want == "", err != nil)
	}
}
