package audit_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
)

// BenchmarkAppend measures durable appends with so many writers in a closed loop.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			bench := newBench(b)
			bench.append(consent("c-1"))
			b.ReportAllocs()
			before := cpu(b)
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for i := w; i < b.N; i += writers {
						e := decision(bench.trace())
						e.Rests = restsOn("c-1")
						if _, err := bench.log.Append(context.Background(), e); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/append")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			report, err := bench.verify()
			require.NoError(b, err)
			require.EqualValues(b, b.N+1, report.Size)
		})
	}
}

// cpu is what this process has used of the processor, in user and system time. It
// is steadier than the clock on a machine that does other things too.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestAllocations gates what one append costs in allocations, the writer's part
// of it and SQLite's included.
func TestAllocations(t *testing.T) {
	b := newBench(t)
	b.append(consent("c-1"))
	got := testing.AllocsPerRun(50, func() {
		e := decision(b.trace())
		e.Rests = restsOn("c-1")
		b.append(e)
	})
	require.LessOrEqual(t, got, 400.0)
}

// long writes a log of so many entries, one in ten a consent.
func (b *bench) long(entries int) {
	b.t.Helper()
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < entries; i += 64 {
				e := decision(b.trace())
				if i%10 == 0 {
					e = consent(fmt.Sprintf("c-%d", i))
				}
				if _, err := b.log.Append(context.Background(), e); err != nil {
					b.t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkStart measures how long a log of so many entries takes to open, which makes the
// register, and to verify.
func BenchmarkStart(b *testing.B) {
	const entries = 20000
	bench := newBench(b)
	bench.long(entries)
	bench.log.Close()
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			l, err := audit.Open(context.Background(), bench.config(bench.store))
			require.NoError(b, err)
			l.Close()
		}
		b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			_, err := bench.verify()
			require.NoError(b, err)
		}
		b.ReportMetric(entries*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}
