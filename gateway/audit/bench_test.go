package audit_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
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
			require.EqualValues(b, b.N+1, report.Size-report.Kinds[audit.Snapshotted])
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

// mostHeap looks at the heap until it is asked how much it was at most: what is in use and
// what was not collected yet, in bytes.
func mostHeap(b *testing.B) func() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		highest := uint64(0)
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-tick.C:
				metrics.Read(sample)
				highest = max(highest, sample[0].Value.Uint64())
			case <-stop:
				tick.Stop()
				most <- highest
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
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
	require.LessOrEqual(t, got, 150.0)
}

// TestAllocationsOfAnAuditor gates what verifying costs in allocations and in memory that has to
// be collected again, an entry: speed and memory follow from it.
func TestAllocationsOfAnAuditor(t *testing.T) {
	const entries = 6000
	b := newBench(t)
	b.long(entries)
	b.log.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := b.verify()
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.LessOrEqual(t, float64(after.Mallocs-before.Mallocs)/entries, 14.0)
	require.LessOrEqual(t, float64(after.TotalAlloc-before.TotalAlloc)/entries, 3500.0)
}

// long writes a log of so many entries, one in ten a consent.
func (b *bench) long(entries int) {
	b.t.Helper()
	const writers = 512 // as many as one transaction takes
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < entries; i += writers {
				e := decision(b.trace())
				if i%10 == 0 {
					e = consent(fmt.Sprintf("01890a5d-ac96-474b-bcce-%012x", i))
					sum := sha256.Sum256(fmt.Append(nil, i))
					about := sha256.Sum256(fmt.Append(nil, "case ", i/40)) // of a household of four
					e.Put.Subjects, e.Put.Case = []string{string(sum[:])}, base64.RawURLEncoding.EncodeToString(about[:])
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

// BenchmarkStart measures how long a log of so many entries takes to open, from all of them
// and from a snapshot, and to verify. ONTSCHOT_ENTRIES sets how many; a tenth are consents.
func BenchmarkStart(b *testing.B) {
	entries := 20000
	if text := os.Getenv("ONTSCHOT_ENTRIES"); text != "" {
		var err error
		entries, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	bench := newBench(b)
	bench.log.Close()
	c := bench.config(bench.store)
	c.SnapshotEvery = int64(entries - min(entries/2, 32768)) // one, and as many after it as a gateway lets come
	var err error
	bench.log, err = audit.Open(context.Background(), c)
	require.NoError(b, err)
	bench.long(entries)
	bench.log.Close()
	open := func(b *testing.B) {
		for b.Loop() {
			l, err := audit.Open(context.Background(), bench.config(bench.store))
			require.NoError(b, err)
			l.Close()
		}
		b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
	}
	b.Run("open", open)
	b.Run("verify", func(b *testing.B) {
		bench.log = nil // what a gateway knows is not what an auditor needs
		runtime.GC()
		most := mostHeap(b)
		before := cpu(b)
		for b.Loop() {
			_, err := bench.verify()
			require.NoError(b, err)
		}
		b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(entries*b.N), "cpu-µs/entry")
		b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
		b.ReportMetric(float64(most())/(1<<20), "MiB-heap")
	})
	bench.log, err = audit.Open(context.Background(), bench.config(bench.store))
	require.NoError(b, err)
	bench.log.Close()
	require.NoError(b, bench.store.Close())
	db, err := sql.Open("sqlite", bench.path)
	require.NoError(b, err)
	_, err = db.Exec("DELETE FROM snapshots")
	require.NoError(b, err)
	require.NoError(b, db.Close())
	bench.store, err = sqlite.Open(context.Background(), bench.path)
	require.NoError(b, err)
	b.Run("open without a snapshot", open)
}
