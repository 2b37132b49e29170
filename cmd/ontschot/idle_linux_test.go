package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkIdleAdapters reports the private memory of each reference adapter's process after
// the first answer, in MiB: what is there once more for one adapter more. With ONTSCHOT_LONG it
// waits until each has been quiet for so long that it has given back what it can.
func BenchmarkIdleAdapters(b *testing.B) {
	g := laidOut(b, builtFor(b), open(b, "testdata/cases/10-family-of-eight.json"))
	var private map[string]float64
	for b.Loop() {
		private = map[string]float64{}
		g.firstAnswer(b, func(gateway int) {
			if os.Getenv("ONTSCHOT_LONG") != "" {
				time.Sleep(25 * time.Second)
			}
			for _, pid := range childrenOf(gateway) {
				line, err := os.ReadFile("/proc/" + pid + "/cmdline")
				require.NoError(b, err)
				_, kind, _ := strings.Cut(strings.Trim(string(line), "\x00"), "run\x00")
				private[kind] = rollup(b, pid, "Private_Clean", "Private_Dirty")
			}
		})
	}
	require.Len(b, private, len(referenceAdapters()))
	for kind, mib := range private {
		b.ReportMetric(mib, "MiB-private-"+kind)
	}
}
