package host

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// What an adapter may write to the log, in bytes: so much each minute, and of what it wrote
// last so much is kept for the report of a crash.
const (
	logEachMinute = 256 << 10
	lastKept      = 64 << 10
)

// flood passes on what an adapter writes, within bounds. What is too much is counted, and
// the count is said once there is room again.
type flood struct {
	to   io.Writer
	name string
	now  func() time.Time

	mu      sync.Mutex
	since   time.Time // the beginning of this minute
	passed  int       // bytes in it
	dropped int64     // bytes since something was passed on
	inside  bool      // a line that is dropped goes on
	total   int64     // dropped in all
	kept    []byte    // the last that was written
}

func newFlood(to io.Writer, name string) *flood {
	return &flood{to: to, name: name, now: time.Now}
}

// Write never fails for being too much, for then the adapter would stand still.
func (f *flood) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keep(p)
	if now := f.now(); now.Sub(f.since) >= time.Minute {
		f.since, f.passed = now, 0
	}
	ends := len(p) > 0 && p[len(p)-1] == '\n'
	if f.inside || f.passed+len(p) > logEachMinute {
		f.dropped += int64(len(p))
		f.total += int64(len(p))
		f.inside = !ends // no half of a line, in which a number would not be seen to be one
		return len(p), nil
	}
	if f.dropped > 0 {
		n, _ := fmt.Fprintf(f.to, "ontschot: %s: %d bytes of its log were too much and are not here\n", f.name, f.dropped)
		f.passed, f.dropped = f.passed+n, 0
	}
	f.passed += len(p)
	return f.to.Write(p)
}

// keep holds on to the end of what was written.
func (f *flood) keep(p []byte) {
	if len(p) >= lastKept {
		f.kept = append(f.kept[:0], p[len(p)-lastKept:]...)
		return
	}
	if over := len(f.kept) + len(p) - lastKept; over > 0 {
		f.kept = append(f.kept[:0], f.kept[over:]...)
	}
	f.kept = append(f.kept, p...)
}

// last is what was written last, and how much was not passed on in all.
func (f *flood) last() (text []byte, dropped int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]byte(nil), f.kept...), f.total
}
