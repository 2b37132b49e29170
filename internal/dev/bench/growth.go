package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ontschot/ontschot/internal/config"
)

// Grown is a gateway with a record of some size, before the loads and after.
type Grown struct {
	Size Size `json:"size"`
	// Start is the time from its exec to its first answer.
	Start float64 `json:"start_ms"`
	// PSS in MiB of the gateway alone, after its first answer and after the loads.
	PSS       [2]float64 `json:"pss_mib"`
	DiskBytes int64      `json:"disk_bytes"`
	// Figures under one client and under 16, the ratios against the first size.
	Figures []Figures `json:"figures"`
	system  *system
}

// Growth fills a record to each size, starts a gateway on each with the adapter that answers
// from memory, and puts the same question to all in turns. It works in a folder of its own
// and leaves nothing.
func Growth(ctx context.Context, c Config, sizes []Size, open OpenLog) ([]*Grown, error) {
	dir, err := os.MkdirTemp("", "ontschot-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Config: c, dir: dir}
	defer r.end()
	var all []*Grown
	for i, size := range sizes {
		one, err := r.grown(ctx, filepath.Join(dir, fmt.Sprint(i)), size, open)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", size, err)
		}
		all = append(all, one)
		c.Say("%v is there, and answered", size)
	}
	for _, clients := range []int{1, 16} {
		if err := r.turns(ctx, all, clients); err != nil {
			return nil, err
		}
	}
	for _, one := range all {
		if one.PSS[1], err = one.system.pss(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// grown fills the record of one gateway and starts it.
func (r *run) grown(ctx context.Context, dir string, size Size, open OpenLog) (*Grown, error) {
	h, err := newHouse(dir, true)
	if err != nil {
		return nil, err
	}
	if err := h.fill(ctx, size, open); err != nil {
		return nil, err
	}
	one := &Grown{Size: size}
	begun := time.Now()
	if one.system, err = h.gateway(ctx, &system{name: size.String()}, r.Log); err != nil {
		return nil, err
	}
	one.Start = ms(time.Since(begun))
	r.systems = append(r.systems, one.system)
	if one.PSS[0], err = one.system.pss(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Join(dir, "data", "record.db")); err == nil {
		one.DiskBytes = info.Size()
	}
	_, err = one.system.load(ctx, 16, 0, r.During)
	return one, err
}

func (h *house) fill(ctx context.Context, size Size, open OpenLog) error {
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	if err != nil {
		return err
	}
	to, done, err := open(ctx, conf)
	if err != nil {
		return err
	}
	if err := size.Fill(ctx, to); err != nil {
		_ = done()
		return err
	}
	return done()
}

// turns puts one load to every gateway in turns, as often as there are rounds.
func (r *run) turns(ctx context.Context, all []*Grown, clients int) error {
	load := fmt.Sprintf("c=%d", clients)
	got := make([][]Figures, len(all))
	for range r.Rounds {
		for i, one := range all {
			s, err := one.system.load(ctx, clients, 0, r.During)
			if err != nil {
				return fmt.Errorf("%v at %s: %w", one.Size, load, err)
			}
			got[i] = append(got[i], figuresOf(one.Size.String(), load, s))
		}
	}
	for i, one := range all {
		f := middle(got[i])
		f.TimesDirect = ratio(f.P50, middle(got[0]).P50)
		one.Figures = append(one.Figures, f)
	}
	r.Say("%s measured", load)
	return nil
}

func (s *system) pss() (float64, error) {
	used, err := s.process.used()
	if err != nil {
		return 0, err
	}
	return mib(used[0].PSS), nil
}

// PrintGrowth writes what Growth measured for people.
func PrintGrowth(w io.Writer, all []*Grown) {
	fmt.Fprintf(w, "%-26s %-5s %8s %8s %8s %8s %8s %8s %8s\n", "consents/agreements/all", "load", "p50 ms", "x first", "p99 ms", "cpu us", "adapter", "allocs", "KB")
	for i := range 2 {
		for _, one := range all {
			f := one.Figures[i]
			fmt.Fprintf(w, "%-26s %-5s %8.2f %8.2f %8.2f %8.0f %8.0f %8.0f %8.1f\n",
				f.System, f.Load, f.P50, f.TimesDirect, f.P99, f.CPU, f.AdapterCPU, f.Allocs, f.Bytes/1000)
		}
	}
	fmt.Fprintf(w, "\n%-26s %9s %18s %9s\n", "", "start ms", "PSS MiB, and after", "disk MiB")
	for _, one := range all {
		fmt.Fprintf(w, "%-26s %9.0f %9.1f %8.1f %9.1f\n", one.Size, one.Start, one.PSS[0], one.PSS[1], mib(one.DiskBytes))
	}
}
