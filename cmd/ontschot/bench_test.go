package main

import (
	"bufio"
	"context"
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
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
)

// BenchmarkFirstAnswer starts the built gateway with its adapters and asks for a
// budget as soon as it listens: the whole Meppel case with five adapters, and what
// the municipality itself holds, with one. It reports milliseconds from exec to the
// verified budget, and the proportional set size of gateway and one adapter.
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
			var took time.Duration
			var gateway, adapter float64
			for b.Loop() {
				t, g, a := firstAnswer(b, program, dir, f)
				took, gateway, adapter = took+t, gateway+g, adapter+a
			}
			n := float64(b.N)
			b.ReportMetric(took.Seconds()*1000/n, "ms-to-first-answer")
			b.ReportMetric(gateway/n, "MiB-PSS-gateway")
			b.ReportMetric(adapter/n, "MiB-PSS-adapter")
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

func firstAnswer(b *testing.B, program, dir string, f *family.Family) (took time.Duration, gateway, adapter float64) {
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(b, err)
	require.NoError(b, os.RemoveAll(filepath.Join(dir, "data")))
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, "serve", "--config", filepath.Join(dir, "gateway.yaml"))
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	start := time.Now()
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
	took = time.Since(start)
	require.NoError(b, err)
	gateway = pss(b, fmt.Sprint(c.Process.Pid))
	for _, pid := range childrenOf(c.Process.Pid) {
		adapter = max(adapter, pss(b, pid))
	}
	require.NoError(b, c.Process.Signal(os.Interrupt))
	_ = c.Wait()
	return took, gateway, adapter
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
