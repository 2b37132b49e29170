// Package door answers: who may connect, and how much may they hold open? Every listener of the
// program stands behind one door, which makes the TLS handshake itself: what listens behind it
// gets connections of callers that have shown a certificate, and nothing else. Strangers, who
// have not shown one yet, have few places, and little time; they never take that of a caller,
// nor the descriptors with which keys, certificates and the record are opened.
package door

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/ontschot/ontschot/internal/config"
)

// Reason is why a connection was not let in, or was ended before it was.
type Reason string

// The reasons.
const (
	Address      Reason = "address_full"      // its address has as many as it may
	Organisation Reason = "organisation_full" // likewise the organisation of its certificate
	Full         Reason = "full"              // all places of callers are taken
	Dropped      Reason = "dropped"           // the oldest stranger, for a newer one
	Late         Reason = "handshake_late"    // it showed no certificate in time
	Long         Reason = "handshake_long"    // it sent more than a handshake takes
	Untrusted    Reason = "handshake_failed"  // no TLS, or no certificate that is believed
	Left         Reason = "left"              // it went away by itself
	Pressed      Reason = "not_accepted"      // the system gave no descriptor
)

// Reasons are all of them, in the order in which they are told.
func Reasons() []Reason {
	return []Reason{Address, Organisation, Full, Dropped, Late, Long, Untrusted, Left, Pressed}
}

// Config of a door.
type Config struct {
	Limits config.Limits
	// Files is how many descriptors the process may have open; 0: what the system says.
	Files int
	// Log is told, once a minute at most, how many were turned away. Nothing of theirs is in
	// it, nor where they came from. Required.
	Log *slog.Logger
}

// Door is the one that all listeners of a process share. It is safe for concurrent use.
type Door struct {
	limits  config.Limits
	patient time.Duration // with a handshake
	log     *slog.Logger
	tell    rate.Sometimes
	counts  map[Reason]*atomic.Uint64 // never changed after New
	missed  atomic.Uint64             // lines of refused calls that were not written

	mu            sync.Mutex            // guards what follows
	places        map[netip.Addr]*place // where somebody is
	waiting       map[netip.Addr]*place // those of them where strangers are
	organisations map[string]int
	strangers     int
	callers       int
}

// Counts is what a door has counted since the start, and what is open now.
type Counts struct {
	Turned    map[Reason]uint64 // away, or out
	Strangers int               // open now: without a certificate
	Callers   int               // open now
	Places    int               // for callers
	Unwritten uint64            // lines about refused calls, since the start
}

// New makes a door. Errors: config.ErrConfig when the limits are more than there are descriptors for.
func New(c Config) (*Door, error) {
	if c.Log == nil {
		return nil, fmt.Errorf("%w: door: Log is needed", config.ErrConfig)
	}
	if c.Files == 0 {
		c.Files = files()
	}
	limits, p := fit(c.Limits, c.Files)
	if p != nil && !p.Warning {
		return nil, fmt.Errorf("%w: %s; %s", config.ErrConfig, p.What, p.Do)
	}
	d := &Door{
		limits: limits, patient: limits.ForHandshake(), log: c.Log, tell: rate.Sometimes{Interval: time.Minute},
		counts: map[Reason]*atomic.Uint64{}, places: map[netip.Addr]*place{}, waiting: map[netip.Addr]*place{}, organisations: map[string]int{},
	}
	for _, r := range Reasons() {
		d.counts[r] = new(atomic.Uint64)
	}
	return d, nil
}

// Limits are those in force, with every default.
func (d *Door) Limits() config.Limits { return d.limits }

// Counts is a snapshot.
func (d *Door) Counts() Counts {
	c := Counts{Turned: map[Reason]uint64{}, Places: d.limits.Connections, Unwritten: d.missed.Load()}
	for _, r := range Reasons() {
		c.Turned[r] = d.counts[r].Load()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c.Strangers, c.Callers = d.strangers, d.callers
	return c
}

// count counts, and now and then says what was counted. One that left by itself is nothing to
// say: whoever looks whether anybody listens does that.
func (d *Door) count(r Reason) {
	d.counts[r].Add(1)
	if r == Left {
		return
	}
	d.tell.Do(func() {
		said := []any{}
		for _, r := range Reasons() {
			if n := d.counts[r].Load(); n > 0 {
				said = append(said, string(r), n)
			}
		}
		d.log.Warn("connections are turned away; since the start", said...)
	})
}
