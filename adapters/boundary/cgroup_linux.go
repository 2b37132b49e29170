package boundary

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// groupPrefix begins the name of each of ours.
const groupPrefix = "ontschot-adapter-"

// group is a cgroup (version 2) of one adapter: all its processes, wherever they went.
type group struct {
	path   string
	folder *os.File
}

var errNoCgroup = errors.New("no cgroup (version 2) that the gateway may divide")

// newGroup makes a cgroup below that of the gateway, with these limits.
func newGroup(memoryMiB, processes int) (*group, error) {
	own, err := ownGroup("/proc/self/mountinfo", "/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	return newGroupIn(own, memoryMiB, processes)
}

func newGroupIn(own string, memoryMiB, processes int) (*group, error) {
	if err := divide(own); err != nil {
		return nil, err
	}
	sweepGroups(own)
	path, folder, err := claimedGroup(own)
	if err != nil {
		return nil, errNoCgroup
	}
	for file, value := range map[string]string{
		"memory.max": strconv.FormatInt(int64(memoryMiB)<<20, 10), "memory.swap.max": "0", "memory.oom.group": "1",
		"pids.max": strconv.Itoa(processes),
	} {
		err := os.WriteFile(filepath.Join(path, file), []byte(value), 0)
		if err != nil && !(file == "memory.swap.max" && errors.Is(err, os.ErrNotExist)) { // a kernel without swap
			_, _ = os.Remove(path), folder.Close()
			return nil, fmt.Errorf("cgroup: %s cannot be set", file)
		}
	}
	return &group{path, folder}, nil
}

// claimedGroup makes a cgroup that is held. Whoever sweeps may come between: then it is gone.
func claimedGroup(own string) (path string, folder *os.File, err error) {
	for {
		if path, err = os.MkdirTemp(own, groupPrefix); err != nil {
			return "", nil, err
		}
		if folder, err = Claim(path); !errors.Is(err, ErrClaimed) {
			return path, folder, err
		}
	}
}

// sweepGroups ends the cgroups, and what is left in them, of gateways that were killed.
func sweepGroups(own string) {
	left, err := filepath.Glob(filepath.Join(own, groupPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		folder, err := Claim(path)
		if err != nil {
			continue
		}
		if f, err := os.OpenFile(filepath.Join(path, "cgroup.kill"), os.O_WRONLY, 0); err == nil {
			_, _ = f.WriteString("1")
			_ = f.Close()
		}
		(&group{path, folder}).leave()
	}
}

// divide has a cgroup give memory and pids to those below it. A cgroup that has processes
// cannot; when the gateway is alone in it, it moves to one below.
func divide(own string) error {
	const both = "+memory +pids"
	has, err := os.ReadFile(filepath.Join(own, "cgroup.controllers"))
	if err != nil || !strings.Contains(string(has), "memory") || !strings.Contains(string(has), "pids") {
		return fmt.Errorf("%w: it has no memory and pids controllers", errNoCgroup)
	}
	control := filepath.Join(own, "cgroup.subtree_control")
	if os.WriteFile(control, []byte(both), 0) == nil {
		return nil
	}
	inside, err := os.ReadFile(filepath.Join(own, "cgroup.procs"))
	if err != nil || strings.TrimSpace(string(inside)) != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("%w: others are in it", errNoCgroup)
	}
	below := filepath.Join(own, "gateway")
	if err := os.MkdirAll(below, 0o755); err != nil {
		return errNoCgroup
	}
	if err := os.WriteFile(filepath.Join(below, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return errNoCgroup
	}
	if err := os.WriteFile(control, []byte(both), 0); err != nil {
		return errNoCgroup
	}
	return nil
}

// ownGroup is the folder of this process's cgroup of version 2.
func ownGroup(mounts, groups string) (string, error) {
	mount, root := "", ""
	err := eachLine(mounts, func(line string) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 && mount == "" {
			root, mount = fields[3], fields[4]
		}
	})
	if err != nil || mount == "" {
		return "", errNoCgroup
	}
	own := ""
	err = eachLine(groups, func(line string) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			own = path
		}
	})
	if err != nil || own == "" {
		return "", errNoCgroup
	}
	inside, err := filepath.Rel(root, own)
	if err != nil || strings.HasPrefix(inside, "..") {
		return "", errNoCgroup
	}
	if filepath.Base(own) == "gateway" { // moved there before
		inside = filepath.Dir(inside)
	}
	return filepath.Join(mount, inside), nil
}

func eachLine(path string, see func(string)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		see(lines.Text())
	}
	return lines.Err()
}

// take has a process be in it, and all that it starts from then on.
func (g *group) take(pid int) error {
	return os.WriteFile(filepath.Join(g.path, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// kill ends every process in it.
func (g *group) kill() {
	if g != nil {
		_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0)
	}
}

// end ends it; it goes when the last of its processes has.
func (g *group) end() {
	if g == nil {
		return
	}
	g.kill()
	g.leave()
}

// leave removes it when it is empty, which takes the kernel a moment, and lets it go.
func (g *group) leave() {
	defer g.folder.Close()
	for range 50 {
		if err := os.Remove(g.path); err == nil || errors.Is(err, os.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
