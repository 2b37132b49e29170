// Package collector answers: how much garbage may lie about while a process is busy? The
// collector of Go lets as much lie as lives. A process of ours in which little lives would
// collect ten times a second under load; so while it is busy more may lie, up to a bound in
// bytes, and when it is quiet again all of it is given back.
package collector

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// every is how often Tend looks.
const every = 200 * time.Millisecond

// busy is from how many bytes allocated between two looks a process is busy. What a gateway
// that nobody asks does for itself stays well below it.
const busy = 1 << 20

// rests is how many looks it must be quiet before all is given back: twenty seconds.
const rests = 100

// usual is the percentage that Go itself starts with.
const usual = 100

// Tend lets so many bytes of garbage lie while the process is busy, and never less than as
// much as lives, until ctx ends. When nothing was going on for twenty seconds it collects and gives
// back to the system what is free. It is for the main function of a process, once. An operator who
// sets GOGC or GOMEMLIMIT decides instead.
func Tend(ctx context.Context, garbage int64) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	t := tender{garbage: garbage, set: func(percent int) { debug.SetGCPercent(percent) }, free: debug.FreeOSMemory}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			t.look(read())
		}
	}
}

// state is what the runtime says of the heap, in bytes.
type state struct{ allocated, live uint64 }

func read() state {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return state{s[0].Value.Uint64(), s[1].Value.Uint64()}
}

// tender holds what it saw at its last look.
type tender struct {
	garbage int64
	set     func(percent int)
	free    func()
	before  uint64
	percent int // 0: as Go has it
	quiet   int // looks since it was busy
}

func (t *tender) look(now state) {
	working := now.allocated-t.before > busy
	t.before = now.allocated
	if working {
		t.quiet = 0
		t.put(percentOf(t.garbage, now.live))
		return
	}
	if t.quiet++; t.quiet == rests && t.percent != 0 {
		t.set(usual)
		t.percent = 0
		t.free()
	}
}

// put sets another percentage when it differs enough to be worth stopping for.
func (t *tender) put(percent int) {
	if d := percent - t.percent; t.percent == 0 || d*d > t.percent*t.percent/16 {
		t.percent = percent
		t.set(percent)
	}
}

// percentOf lets an amount of garbage lie beside what lives, never less than usual.
func percentOf(garbage int64, live uint64) int {
	if live = max(live, 1<<20); uint64(garbage) > live {
		return int(uint64(garbage) * 100 / live)
	}
	return usual
}
