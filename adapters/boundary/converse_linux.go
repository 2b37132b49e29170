package boundary

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// pipes are ours to write orders and to read a report, and the stage's ends of both.
func pipes() (orders, report *os.File, theirs [2]*os.File, err error) {
	if theirs[0], orders, err = os.Pipe(); err != nil {
		return nil, nil, theirs, err
	}
	if report, theirs[1], err = os.Pipe(); err != nil {
		_, _ = theirs[0].Close(), orders.Close()
		return nil, nil, theirs, err
	}
	return orders, report, theirs, nil
}

// patience is how long the stage may take; it takes milliseconds.
const patience = 10 * time.Second

// converse gives the stage its orders and reads what it found, until the program runs.
func (b *Box) converse(plan stage.Plan, orders, report *os.File) ([]Layer, error) {
	_ = orders.SetWriteDeadline(time.Now().Add(patience))
	_ = report.SetReadDeadline(time.Now().Add(patience))
	err := json.NewEncoder(orders).Encode(plan)
	_ = orders.Close()
	var found []stage.Finding
	lines := bufio.NewScanner(io.LimitReader(report, 1<<16))
	for lines.Scan() {
		var f stage.Finding
		if json.Unmarshal(lines.Bytes(), &f) == nil {
			found = append(found, f)
		}
	}
	layers := known(found)
	for _, f := range found {
		switch {
		case f.Name == stage.View && !f.Active && plan.Tree != nil && plan.User != 0:
			return layers, fmt.Errorf("%w: %s", errNoView, f.Why)
		case f.Name == "program":
			return layers, fmt.Errorf("%w: %s", ErrProgram, f.Why)
		}
	}
	if missing := below(b.profile.Floor, layers); missing != nil {
		return layers, missing
	}
	if err != nil || lines.Err() != nil {
		return layers, fmt.Errorf("%w: its stage has ended", ErrProgram)
	}
	return layers, nil
}

// Sweep is told that a process has ended. With the last one it ends what they left behind:
// in their cgroup, and of their user. What was in a namespace of processes ended with it.
func (b *Box) Sweep() {
	b.mu.Lock()
	b.alive--
	last := b.alive == 0
	b.mu.Unlock()
	if last {
		b.purge()
	}
}

// purge ends everything that is left in the cgroup and of the user.
func (b *Box) purge() {
	b.mu.Lock()
	group, spaces := b.group, b.spaces
	b.mu.Unlock()
	group.kill()
	if b.user == nil || spaces&syscall.CLONE_NEWPID != 0 {
		return
	}
	theirs, orders, err := os.Pipe()
	if err != nil {
		return
	}
	defer orders.Close()
	defer theirs.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{stage.Name}, ExtraFiles: []*os.File{nil, theirs}}
	if cmd.Start() == nil {
		_ = json.NewEncoder(orders).Encode(stage.Plan{Sweep: true, User: b.user.user})
		_ = orders.Close()
		_ = cmd.Wait()
	}
}
