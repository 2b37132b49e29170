package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
)

// errPanicked is told as Internal, and no more is said.
var errPanicked = errors.New("a call panicked")

// trail is what is known of a call while it is under way, so that one that fails half-way
// leaves a trace in the record.
type trail struct {
	trace string // under which its entries are found
	link  string // the trace id that the caller sent along; for the request log alone
	// caller and purpose, once they are known.
	caller  token.Caller
	purpose string
}

type trailKey struct{}

// begin gives a call its trail.
func begin(ctx context.Context) context.Context {
	return context.WithValue(ctx, trailKey{}, &trail{trace: newTrace(), link: linkOf(ctx)})
}

// trailOf is nil where no call is under way, as when the operator's documents are read.
func trailOf(ctx context.Context) *trail {
	t, _ := ctx.Value(trailKey{}).(*trail)
	return t
}

// asks notes who calls and for what.
func (t *trail) asks(caller token.Caller, purpose string) {
	if t != nil {
		t.caller, t.purpose = caller, purpose
	}
}

// GuardUnary and GuardStream stand before every call. A panic is a bug: it fails one
// call, stands in the record before the caller hears of it, and never ends the process.
func (g *Gateway) GuardUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	ctx = begin(ctx)
	defer func() {
		if what := recover(); what != nil {
			answer, err = nil, g.failed(ctx, info.FullMethod, what)
		}
	}()
	return next(ctx, req)
}

// GuardStream: see GuardUnary.
func (g *Gateway) GuardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	ctx := begin(stream.Context())
	defer func() {
		if what := recover(); what != nil {
			err = g.failed(ctx, info.FullMethod, what)
		}
	}()
	return next(srv, guarded{stream, ctx})
}

// guarded is a stream whose call has a trail.
type guarded struct {
	grpc.ServerStream
	ctx context.Context
}

func (s guarded) Context() context.Context { return s.ctx }

// failed records a call that panicked. What the panic said is not written down: it may
// hold anything.
func (g *Gateway) failed(ctx context.Context, method string, what any) error {
	t := trailOf(ctx)
	g.Log.Error("a call panicked", "trace", t.trace, "method", method, "kind", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
	if err := g.recordFailure(ctx, t, method); err != nil {
		g.Log.Error("a failed call is not in the record", "trace", t.trace, "kind", fmt.Sprintf("%T", err))
	}
	return outward(errPanicked)
}

// recordFailure writes that a call failed: whose it was and for what, when that is known.
func (g *Gateway) recordFailure(ctx context.Context, t *trail, method string) (err error) {
	defer func() {
		if recover() != nil { // the record itself is what is broken
			err = errPanicked
		}
	}()
	e := audit.Entry{Kind: audit.Admin, Trace: t.trace, Activity: method, Organisations: []identity.OIN{g.Own}, Decision: "failed", Status: "failed"}
	if t.purpose != "" {
		asked := e
		asked.Kind, asked.Activity, asked.PolicyRevision = audit.Deny, t.purpose, g.Policy.Revision()
		if actor := t.caller.Actor(); actor != "" { // it rests on nothing: a delegation may have ended
			asked.Organisations = appendNew(asked.Organisations, actor)
		}
		if _, err = g.append(ctx, asked); err == nil {
			return nil
		}
	}
	_, err = g.append(ctx, e)
	return err
}
