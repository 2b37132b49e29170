// Package bench answers: what does a question cost, beside what it must cost? It runs the
// product, a bare call and a bare hop with a policy and a record side by side on one
// machine, in turns, and says what they took. Only figures of one run compare.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Config says what to measure.
type Config struct {
	Rounds int           // in turns; the median counts
	During time.Duration // each system, in each round
	Rate   float64       // questions a second in the open loop; 0: none
	Soak   time.Duration // 0: none
	// Clients of the closed loop, one load after another.
	Clients []int
	// Against is the program of another build, whose gateway has its turns as well, with
	// the adapter from memory; empty: none.
	Against string
	// Short leaves out the care office and the two gateways.
	Short bool
	Log   io.Writer // what the parts say
	Say   func(format string, args ...any)
}

// Names of the systems.
const (
	Direct  = "direct"
	Floor   = "floor"
	FromMem = "memory"
	HTTPS   = "https"
	Peers   = "peers"   // two gateways, the second with the source from memory
	Another = "another" // the gateway of another build, with the source from memory
)

// Figures are those of one system under one load.
type Figures struct {
	System string `json:"system"`
	// Load is how many clients ask in a closed loop, or a rate a second in an open one.
	Load       string  `json:"load"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	PerSecond  float64 `json:"per_second"`
	CPU        float64 `json:"cpu_us"`         // of the system's own process, a question
	AdapterCPU float64 `json:"adapter_cpu_us"` // of its adapter, or of the gateway and the adapter behind it
	Allocs     float64 `json:"allocations"`    // in the system's own process, a question
	Bytes      float64 `json:"bytes_allocated"`
	// TimesDirect is P50 against that of the bare call under the same load; TimesFloor the
	// processor of both processes against that of the bare hop.
	TimesDirect float64 `json:"p50_times_direct"`
	TimesFloor  float64 `json:"cpu_times_floor,omitempty"`
}

// Report is what one run measured.
type Report struct {
	Figures []Figures `json:"figures"`
	// DiskBytes a question leaves in the record.
	DiskBytes float64 `json:"disk_bytes"`
	// Memory that the gateway with the adapter from memory takes, right after the loads and
	// when it has rested.
	Busy  Footprint `json:"memory_busy"`
	Idle  Footprint `json:"memory_idle"`
	Soaks []*Soak   `json:"soaks,omitempty"`
}

// Footprint is what a gateway and its adapter take: the proportional set size in MiB.
type Footprint struct {
	Gateway float64 `json:"gateway_pss_mib"`
	Adapter float64 `json:"adapter_pss_mib"`
}

// Soak is how things stood before a long load and after it.
type Soak struct {
	System      string     `json:"system"`
	Questions   int        `json:"questions"`
	P50         [2]float64 `json:"p50_ms"`
	PSS         [2]float64 `json:"pss_mib"`
	Goroutines  [2]int     `json:"goroutines"`
	Descriptors [2]int     `json:"descriptors"`
}

// Run measures. It works in a folder of its own and leaves nothing.
func Run(ctx context.Context, c Config) (*Report, error) {
	dir, err := os.MkdirTemp("", "ontschot-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Config: c, dir: dir}
	defer r.end()
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	report := &Report{}
	if err := r.compare(ctx, report); err != nil {
		return nil, err
	}
	for _, s := range r.systems {
		if c.Soak <= 0 || s.name != FromMem && s.name != Peers {
			continue
		}
		one, err := r.soak(ctx, s)
		if err != nil {
			return nil, err
		}
		report.Soaks = append(report.Soaks, one)
	}
	return report, nil
}

type run struct {
	Config
	dir     string
	systems []*system
	memory  *house
	stops   []func()
	asked   int // questions of the gateway that asks from memory
}

func (r *run) end() {
	for _, s := range r.systems {
		s.conn.Close()
		s.process.end()
		for _, p := range s.others {
			p.end()
		}
	}
	for _, stop := range r.stops {
		stop()
	}
}

// compare puts every load to every system in turns, after a warm-up.
func (r *run) compare(ctx context.Context, report *Report) error {
	for _, s := range r.systems {
		if _, err := s.load(ctx, 16, 0, r.During); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	r.Say("everything is warm")
	before := r.disk()
	for _, clients := range r.Clients {
		all, err := r.rounds(ctx, fmt.Sprintf("c=%d", clients), clients, 0)
		if err != nil {
			return err
		}
		report.Figures = append(report.Figures, all...)
	}
	if r.Rate > 0 {
		all, err := r.rounds(ctx, fmt.Sprintf("%g/s", r.Rate), 0, r.Rate)
		if err != nil {
			return err
		}
		report.Figures = append(report.Figures, all...)
	}
	report.DiskBytes = ratio(float64(r.disk()-before), float64(r.asked))
	var err error
	if report.Busy, err = r.systems[2].memory(); err != nil {
		return err
	}
	time.Sleep(r.rest())
	report.Idle, err = r.systems[2].memory()
	return err
}

// rounds measures one load, each system once in each round, and gives the medians.
func (r *run) rounds(ctx context.Context, load string, clients int, rate float64) ([]Figures, error) {
	all := make([][]Figures, len(r.systems))
	for range r.Rounds {
		for i, s := range r.systems {
			got, err := s.load(ctx, clients, rate, r.During)
			if err != nil {
				return nil, fmt.Errorf("%s at %s: %w", s.name, load, err)
			}
			if s.name == FromMem {
				r.asked += len(got.took)
			}
			all[i] = append(all[i], figuresOf(s.name, load, got))
		}
	}
	var out []Figures
	for _, one := range all {
		out = append(out, middle(one))
	}
	for i := range out {
		out[i].TimesDirect = ratio(out[i].P50, out[0].P50)
		if out[i].System != Direct {
			out[i].TimesFloor = ratio(out[i].CPU+out[i].AdapterCPU, out[1].CPU)
		}
	}
	r.Say("%s measured", load)
	return out, nil
}

func figuresOf(name, load string, s sample) Figures {
	n := float64(max(len(s.took), 1))
	f := Figures{
		System: name, Load: load, P50: ms(s.percentile(0.5)), P99: ms(s.percentile(0.99)), PerSecond: n / s.elapsed.Seconds(),
		Allocs: float64(s.mallocs) / n, Bytes: float64(s.bytes) / n,
	}
	for i, cpu := range s.cpu {
		each := float64(cpu.Microseconds()) / n
		if i == 0 {
			f.CPU = each
		} else {
			f.AdapterCPU += each
		}
	}
	return f
}

// middle is the median of each figure.
func middle(all []Figures) Figures {
	m := all[0]
	for _, of := range []func(*Figures) *float64{
		func(f *Figures) *float64 { return &f.P50 }, func(f *Figures) *float64 { return &f.P99 },
		func(f *Figures) *float64 { return &f.PerSecond }, func(f *Figures) *float64 { return &f.CPU },
		func(f *Figures) *float64 { return &f.AdapterCPU }, func(f *Figures) *float64 { return &f.Allocs },
		func(f *Figures) *float64 { return &f.Bytes },
	} {
		var values []float64
		for i := range all {
			values = append(values, *of(&all[i]))
		}
		slices.Sort(values)
		*of(&m) = values[len(values)/2]
	}
	return m
}

// rest is how long a system is left alone before it is looked at, for what it put off:
// gateways and adapters give back after twenty seconds of quiet what they took for speed.
const rest = 22 * time.Second

// rest is shorter where a measurement is one of moments, and says nothing of memory.
func (r *run) rest() time.Duration {
	if r.During < time.Second {
		return r.During
	}
	return rest
}

// soak loads a system for long, and looks whether it is as it was.
func (r *run) soak(ctx context.Context, s *system) (*Soak, error) {
	out := &Soak{System: s.name}
	state := func(i int) error {
		quiet, err := s.load(ctx, 1, 0, r.During)
		if err != nil {
			return err
		}
		time.Sleep(r.rest())
		used, t, err := s.measure()
		if err != nil {
			return err
		}
		out.P50[i], out.Goroutines[i] = ms(quiet.percentile(0.5)), t.Goroutines
		for _, u := range used {
			out.PSS[i] += mib(u.PSS)
			out.Descriptors[i] += u.Descriptors
		}
		return nil
	}
	if err := state(0); err != nil {
		return nil, err
	}
	long, err := s.load(ctx, 16, 0, r.Soak)
	if err != nil {
		return nil, err
	}
	out.Questions = len(long.took)
	return out, state(1)
}

// disk is how many bytes the record of the gateway that asks from memory holds.
func (r *run) disk() (n int64) {
	found, _ := filepath.Glob(filepath.Join(r.memory.dir, "data", "*.db"))
	for _, path := range found {
		if info, err := os.Stat(path); err == nil {
			n += info.Size()
		}
	}
	return n
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
