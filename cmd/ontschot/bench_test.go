package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/bench"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
)

// BenchmarkFirstAnswer starts the built gateway with its adapters and asks for a
// budget as soon as it listens: the whole Meppel case with five adapters, and what
// the municipality itself holds, with one. It reports milliseconds from exec to the
// verified budget, the processor time that the gateway and all adapters took for it,
// which depends less on who else uses the machine, and the proportional set size of the
// gateway and of one adapter.
func BenchmarkFirstAnswer(b *testing.B) {
	program := filepath.Join(b.TempDir(), "ontschot")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, string(out))
	for name, only := range map[string]bool{"adapters=5": false, "adapters=1": true} {
		b.Run(name, func(b *testing.B) {
			f := open(b, "meppel")
			if only {
				f = ownSourceOnly(b)
			}
			dir := b.TempDir()
			layout, err := f.FreeLayout()
			require.NoError(b, err)
			require.NoError(b, f.Write(dir, layout))
			box, err := startSandbox(f.Case, dir, nil, io.Discard)
			require.NoError(b, err)
			defer box.Close()
			var sum start
			for b.Loop() {
				sum.add(firstAnswer(b, program, dir, f))
			}
			n := float64(b.N)
			b.ReportMetric(sum.took.Seconds()*1000/n, "ms-to-first-answer")
			b.ReportMetric(sum.gatewayCPU.Seconds()*1000/n, "ms-CPU-gateway")
			b.ReportMetric(sum.adaptersCPU.Seconds()*1000/n, "ms-CPU-adapters")
			b.ReportMetric(sum.gateway/n, "MiB-PSS-gateway")
			b.ReportMetric(sum.adapter/n, "MiB-PSS-adapter")
		})
	}
}

// ownSourceOnly is the Meppel case with the municipality as its only party.
func ownSourceOnly(b *testing.B) *family.Family {
	cf, err := casefile.Open("meppel")
	require.NoError(b, err)
	cf.Parties, cf.Ask = cf.Parties[:1], nil
	var own []casefile.Consent
	for _, c := range cf.Consents {
		if slices.Contains(c.Sources, cf.Requester) {
			c.Sources = []string{cf.Requester}
			own = append(own, c)
		}
	}
	cf.Consents = own
	f, err := family.New(cf, time.Now())
	require.NoError(b, err)
	return f
}

// start is what it took from exec to the first answer.
type start struct {
	took, gatewayCPU, adaptersCPU time.Duration
	gateway, adapter              float64 // MiB; adapter is the largest
}

func (s *start) add(o start) {
	s.took, s.gatewayCPU, s.adaptersCPU = s.took+o.took, s.gatewayCPU+o.gatewayCPU, s.adaptersCPU+o.adaptersCPU
	s.gateway, s.adapter = s.gateway+o.gateway, s.adapter+o.adapter
}

func firstAnswer(b *testing.B, program, dir string, f *family.Family) (s start) {
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(b, err)
	require.NoError(b, os.RemoveAll(filepath.Join(dir, "data")))
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, "serve", "--config", filepath.Join(dir, "gateway.yaml"))
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	began := time.Now()
	require.NoError(b, c.Start())
	for range 5000 {
		conn, err := net.Dial("tcp", conf.Listen)
		if err == nil {
			conn.Close()
			break
		}
		time.Sleep(time.Millisecond)
	}
	cl := openClient(b, filepath.Join(dir, "client.yaml"), func() (string, error) { return f.Token(time.Now(), nil) })
	defer cl.Close()
	_, err = cl.AssembleBudget(ctx, requestOf(f.Case), nil)
	s.took = time.Since(began)
	require.NoError(b, err)
	s.gatewayCPU, s.gateway = cpu(fmt.Sprint(c.Process.Pid)), pss(b, fmt.Sprint(c.Process.Pid))
	for _, pid := range childrenOf(c.Process.Pid) {
		s.adaptersCPU, s.adapter = s.adaptersCPU+cpu(pid), max(s.adapter, pss(b, pid))
	}
	require.NoError(b, c.Process.Signal(os.Interrupt))
	_ = c.Wait()
	return s
}

// cpu is how long the threads of a process have run, in user mode and in the system.
func cpu(pid string) (sum time.Duration) {
	threads, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
	for _, path := range threads {
		raw, err := os.ReadFile(path)
		var ns int64
		if _, e := fmt.Sscan(string(raw), &ns); err == nil && e == nil {
			sum += time.Duration(ns)
		}
	}
	return sum
}

// childrenOf lists the processes that any thread of pid started.
func childrenOf(pid int) []string {
	var out []string
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		raw, err := os.ReadFile(path)
		if err == nil {
			out = append(out, strings.Fields(string(raw))...)
		}
	}
	return out
}

// pss is the proportional set size of a process in MiB.
func pss(b *testing.B, pid string) float64 {
	file, err := os.Open("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		var kib float64
		if _, err := fmt.Sscanf(s.Text(), "Pss: %f kB", &kib); err == nil {
			return kib / 1024
		}
	}
	b.Fatal("no Pss in smaps_rollup")
	return 0
}

// A short run of everything that bench compares. Times are nobody's here; bytes on disk are
// gated where the audit log is.
func TestBenchComparesWhatItSays(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	link := filepath.Join(dir, programName)
	require.NoError(t, os.Symlink(self, link))
	var errs strings.Builder
	c := exec.CommandContext(t.Context(), link, "bench", "--rounds", "1", "--during", "300ms", "--rate", "20", "--json")
	c.Stderr = &errs
	out, err := c.Output()
	require.NoError(t, err, errs.String())
	var report bench.Report
	require.NoError(t, json.Unmarshal(out, &report))
	require.Len(t, report.Figures, 5*4)
	for _, f := range report.Figures {
		require.Positive(t, f.P50, "%s %s", f.System, f.Load)
		require.Positive(t, f.Allocs)
		if f.System == bench.FromMem && f.Load == "c=16" {
			// A short run holds few questions beside what a gateway does every two seconds:
			// what a question takes is gated by TestAllocationsPerQuestion.
			require.LessOrEqual(t, f.Allocs, 4000.0)
			require.LessOrEqual(t, f.Bytes, 500_000.0)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "ontschot-bench-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
