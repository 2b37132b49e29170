package host

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Bounds of what one adapter may hold up.
const (
	// longestFetch bounds a call of which the caller set no deadline.
	longestFetch = 15 * time.Second
	// mostCalls is how many calls an adapter gets at one moment, unless it declares that it
	// takes fewer; the others wait, and no other adapter waits with them.
	mostCalls = 64
	// After so many failures in a row of a source that is gone or late, nobody waits for it
	// for a while; then one call finds out how it is.
	openAfter = 10
	openFor   = 2 * time.Second
)

// gate is what every call to one adapter passes: so many at once, and none to a source that
// was found to be down a moment ago. It counts.
type gate struct {
	room    atomic.Pointer[chan struct{}] // one place for each call there may be
	inside  atomic.Int64
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	calls   atomic.Uint64
	failed  atomic.Uint64
}

func newGate() *gate {
	g := &gate{
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			MaxRequests: 1, Timeout: openFor,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= openAfter },
			IsSuccessful: func(err error) bool { return !down(err) },
		}),
	}
	g.admits(nil)
	return g
}

// admits says how many calls there may be at one moment from now on: what the adapter
// declares. Calls that are under way stay where they are.
func (g *gate) admits(limits *adapterv1.Limits) {
	most := mostCalls
	if n := limits.GetParallel(); n > 0 {
		most = int(min(n, mostCalls))
	}
	if before := g.room.Load(); before == nil || cap(*before) != most {
		room := make(chan struct{}, most)
		g.room.Store(&room)
	}
}

// down reports whether an error says that a source is gone or late. That it does not know
// somebody, may not tell, or has bad data says nothing of the next question.
func down(err error) bool {
	switch adapters.Reason(err) {
	case adapters.ReasonSourceUnavailable, adapters.ReasonSourceTimeout, adapters.ReasonRateLimited:
		return true
	}
	return false
}

// pass makes one call. It never takes longer than ctx allows.
func (g *gate) pass(ctx context.Context, call func(context.Context) (*budgetv1.FetchResponse, error)) (*budgetv1.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, longestFetch)
	defer cancel()
	g.calls.Add(1)
	answer, err := g.through(ctx, call)
	if err != nil {
		g.failed.Add(1)
	}
	return answer, err
}

func (g *gate) through(ctx context.Context, call func(context.Context) (*budgetv1.FetchResponse, error)) (*budgetv1.FetchResponse, error) {
	room := *g.room.Load()
	select {
	case room <- struct{}{}:
		g.inside.Add(1)
		defer func() { g.inside.Add(-1); <-room }()
	case <-ctx.Done():
		return nil, adapters.Timeout()
	}
	done, err := g.breaker.Allow()
	if err != nil {
		return nil, adapters.Unavailable()
	}
	answer, err := call(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		done(nil) // who hung up says nothing of the source
	} else {
		done(err)
	}
	return answer, err
}

// inFlight is how many calls there are at this moment.
func (g *gate) inFlight() int { return int(g.inside.Load()) }

// open reports whether calls are refused, as the source was down a moment ago.
func (g *gate) open() bool { return g.breaker.State() == gobreaker.StateOpen }
