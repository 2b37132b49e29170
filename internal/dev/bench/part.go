package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/config"
)

// Parts of a measurement that run as processes of their own.
const (
	PartDirect  = "direct"
	PartFloor   = "floor"
	PartGateway = "gateway"
)

// tally is what a part says of itself, since it started.
type tally struct {
	Address    string `json:"address,omitempty"`
	Mallocs    uint64 `json:"mallocs"`
	Bytes      uint64 `json:"bytes"`
	Goroutines int    `json:"goroutines"`
}

// Start starts a gateway by its configuration, and says where it listens.
type Start func(ctx context.Context, conf *config.Gateway) (address string, stop func(), err error)

// Part is one process of a measurement.
type Part struct {
	Name    string // PartDirect, PartFloor or PartGateway
	Dir     string // the folder it works in
	Backend string // host:port that a floor asks
	Gateway Start
}

// Run runs it until in ends. It says where it listens on the first line of out, and its
// tally for every line of in.
func (p Part) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	address, stop, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	first := tally{Address: address}
	if err := json.NewEncoder(out).Encode(first); err != nil {
		return err
	}
	for s := bufio.NewScanner(in); s.Scan(); {
		samples := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(samples)
		t := tally{Mallocs: samples[0].Value.Uint64(), Bytes: samples[1].Value.Uint64(), Goroutines: runtime.NumGoroutine()}
		if err := json.NewEncoder(out).Encode(t); err != nil {
			return err
		}
	}
	return nil
}

func (p Part) begin(ctx context.Context) (address string, stop func(), err error) {
	switch p.Name {
	case PartDirect:
		return startDirect(p.Dir)
	case PartFloor:
		return startFloor(ctx, p.Dir, p.Backend)
	case PartGateway:
		conf, err := config.ReadGateway(filepath.Join(p.Dir, "gateway.yaml"))
		if err != nil {
			return "", nil, err
		}
		return p.Gateway(ctx, conf)
	}
	return "", nil, fmt.Errorf("no part %q", p.Name)
}

// process is a running part.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	first tally
}

// job says which part to start.
type job struct {
	program            string // empty: this one
	name, dir, backend string
}

// launch starts a part and waits until it listens.
func launch(ctx context.Context, j job, log io.Writer) (*process, error) {
	if j.program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		j.program = self
	}
	c := exec.CommandContext(ctx, j.program, "bench", "part", j.name, "--dir", j.dir, "--backend", j.backend)
	c.Stderr = log
	p := &process{cmd: c}
	var err error
	if p.in, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.out.Decode(&p.first); err != nil {
		_ = c.Wait()
		return nil, fmt.Errorf("the part %s did not start: %w", j.name, err)
	}
	return p, nil
}

func (p *process) tally() (tally, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return tally{}, err
	}
	var t tally
	return t, p.out.Decode(&t)
}

// end ends the part and waits for it.
func (p *process) end() {
	p.in.Close()
	_ = p.cmd.Wait()
}

// use is what processes have used so far or use now.
type use struct {
	CPU         time.Duration
	PSS         int64 // bytes
	Descriptors int
}

// pids are the part's process and the adapters it started.
func (p *process) pids() []int {
	pids := []int{p.cmd.Process.Pid}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pids[0]))
	for _, path := range tasks {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(raw)) {
			if pid, err := strconv.Atoi(child); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// ticksPerSecond is USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

var errNoProc = errors.New("processor time is read from /proc, which this system lacks")

// used reads what the part and its adapters use: the first is the part's own.
func (p *process) used() ([]use, error) {
	var all []use
	for _, pid := range p.pids() {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return nil, errNoProc
		}
		_, rest, _ := strings.Cut(string(raw), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return nil, errNoProc
		}
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		all = append(all, use{
			CPU: time.Duration(user+system) * time.Second / ticksPerSecond, PSS: pssOf(pid), Descriptors: len(open),
		})
	}
	return all, nil
}

// pssOf is the proportional set size of a process in bytes; 0 where it cannot be read.
func pssOf(pid int) int64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(raw)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "Pss: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// loopback listens on a free port.
func loopback() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
