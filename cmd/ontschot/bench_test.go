package main

import (
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
	program := builtFor(b)
	for name, only := range map[string]bool{"adapters=5": false, "adapters=1": true} {
		b.Run(name, func(b *testing.B) {
			f := open(b, "meppel")
			if only {
				f = ownSourceOnly(b)
			}
			g := laidOut(b, program, f)
			var sum start
			for b.Loop() {
				sum.add(g.firstAnswer(b, nil))
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

// builtFor builds the program.
func builtFor(b *testing.B) string {
	program := filepath.Join(b.TempDir(), "ontschot")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(b, err, string(out))
	return program
}

// measured is a built program with the folder of a family, whose systems answer.
type measured struct {
	program, dir string
	f            *family.Family
}

func laidOut(b *testing.B, program string, f *family.Family) measured {
	dir := b.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(b, err)
	require.NoError(b, f.Write(dir, layout))
	box, err := startSandbox(f.Case, dir, nil, io.Discard)
	require.NoError(b, err)
	b.Cleanup(box.Close)
	return measured{program, dir, f}
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

// firstAnswer starts the program, asks, and stops it; look sees it in between, and may be nil.
func (m measured) firstAnswer(b *testing.B, look func(gateway int)) (s start) {
	conf, err := config.ReadGateway(filepath.Join(m.dir, "gateway.yaml"))
	require.NoError(b, err)
	require.NoError(b, os.RemoveAll(filepath.Join(m.dir, "data")))
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, m.program, "serve", "--config", filepath.Join(m.dir, "gateway.yaml"))
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
	cl := openClient(b, filepath.Join(m.dir, "client.yaml"), func() (string, error) { return m.f.Token(time.Now(), nil) })
	defer cl.Close()
	_, err = cl.AssembleBudget(ctx, requestOf(m.f.Case), nil)
	s.took = time.Since(began)
	require.NoError(b, err)
	s.gatewayCPU, s.gateway = cpu(fmt.Sprint(c.Process.Pid)), pss(b, fmt.Sprint(c.Process.Pid))
	for _, pid := range childrenOf(c.Process.Pid) {
		s.adaptersCPU, s.adapter = s.adaptersCPU+cpu(pid), max(s.adapter, pss(b, pid))
	}
	if look != nil {
		look(c.Process.Pid)
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
func pss(b *testing.B, pid string) float64 { return rollup(b, pid, "Pss") }

// rollup is what a process has of some kinds of memory together, in MiB.
func rollup(b *testing.B, pid string, kinds ...string) (sum float64) {
	raw, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0 // not on this system
	}
	for _, kind := range kinds {
		var kib float64
		_, rest, found := strings.Cut(string(raw), "\n"+kind+":")
		require.True(b, found, kind)
		_, err := fmt.Sscan(rest, &kib)
		require.NoError(b, err)
		sum += kib / 1024
	}
	return sum
}

// benchOf runs bench as a program, and gives what it prints as JSON, or what it says is wrong.
func benchOf(t *testing.T, into any, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	link := filepath.Join(t.TempDir(), programName)
	require.NoError(t, os.Symlink(self, link))
	var errs strings.Builder
	c := exec.CommandContext(t.Context(), link, append([]string{"bench", "--json"}, args...)...)
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return errs.String()
	}
	require.NoError(t, json.Unmarshal(out, into))
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "ontschot-bench-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	return ""
}

// A question on a record that holds much already costs what it does on an empty one, in
// allocations, and the record holds what was asked for.
func TestBenchComparesRecordsThatHoldMuchAlready(t *testing.T) {
	var all []*bench.Grown
	require.Empty(t, benchOf(t, &all, "--rounds", "1", "--during", "300ms", "--grown", "1/0/10,300/20/2000"))
	require.Len(t, all, 2)
	require.Equal(t, bench.Size{Consents: 300, Agreements: 20, Entries: 2000}, all[1].Size)
	require.Greater(t, all[1].DiskBytes, all[0].DiskBytes+2000*100)
	for _, one := range all {
		require.Positive(t, one.Start)
		require.Len(t, one.Figures, 2)
		require.Positive(t, one.Figures[0].P50)
	}
	require.InDelta(t, all[0].Figures[1].Allocs, all[1].Figures[1].Allocs, all[0].Figures[1].Allocs/2)
	for _, wrong := range []string{"1", "5/5/9", "-1/0/3", "1/2/3x", "1/ 2/3"} {
		require.Contains(t, benchOf(t, &all, "--grown", wrong), "give CONSENTS/AGREEMENTS/ENTRIES", wrong)
	}
}

// A short run of everything that bench compares. Times are nobody's here; bytes on disk are
// gated where the audit log is.
func TestBenchComparesWhatItSays(t *testing.T) {
	var report bench.Report
	require.Empty(t, benchOf(t, &report, "--rounds", "1", "--during", "300ms", "--rate", "20"))
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
}
