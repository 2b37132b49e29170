package refusal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
)

// errPanicked is Internal, and no more is said.
var errPanicked = errors.New("a call panicked")

// Edge stands around every call, as gRPC's interceptors. It gives the call its trail,
// maps its error and writes its line in the request log. A panic is a bug: it fails one call,
// stands in the record before the caller gets the error, and never ends the process.
type Edge struct {
	Failures admission.Failures
	Log      *slog.Logger // request log; holds no personal data
	// Answered gets the line of each call that was answered; nil: there is none. Those of calls
	// that were refused go to Log.
	Answered *slog.Logger
	// Watch sees every call from its begin to its end; nil: nobody does. It decides nothing.
	Watch Watch
	// Late reports whether a call comes too late, as the gateway is ending; nil: none does.
	Late func(context.Context) bool
}

// Watch is told that a call begins, and gives what is told how it ended. Method is that of
// gRPC, or the path of a door of HTTP. It never waits and is safe for concurrent use.
type Watch func(ctx context.Context, method string) (context.Context, func(admission.Ended))

// Unary is a grpc.UnaryServerInterceptor.
func (e Edge) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	err = e.guard(admission.Begin(ctx), info.FullMethod, func(ctx context.Context) (err error) {
		answer, err = next(ctx, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Stream is a grpc.StreamServerInterceptor.
func (e Edge) Stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return e.guard(admission.Begin(stream.Context()), info.FullMethod, func(ctx context.Context) error { return next(srv, begun{stream, ctx}) })
}

// begun is a stream whose call has a trail.
type begun struct {
	grpc.ServerStream
	ctx context.Context
}

func (s begun) Context() context.Context { return s.ctx }

// probes are the methods by which programs look whether we are there: no calls.
const probes = "/grpc."

func (e Edge) guard(ctx context.Context, method string, do func(context.Context) error) (err error) {
	begun, ended := time.Now(), func(admission.Ended) {}
	if e.Watch != nil && !strings.HasPrefix(method, probes) {
		ctx, ended = e.Watch(ctx, method)
	}
	defer func() {
		if what := recover(); what != nil {
			e.Failures.Failed(ctx, method, what)
			err = Of(errPanicked)
		}
		s := status.Convert(err)
		call := admission.Ended{Known: admission.KnownOf(ctx), Code: s.Code(), Reason: Reason(s)}
		e.line(ctx, method, time.Since(begun), call)
		ended(call)
	}()
	if e.Late != nil && !strings.HasPrefix(method, probes) && e.Late(ctx) {
		return Of(admission.ErrEnding)
	}
	err = do(ctx)
	if err == nil {
		return nil
	}
	said := Of(err)
	if status.Code(said) == codes.Internal {
		admission.Logged(ctx, e.Log).Error("internal error", "kind", fmt.Sprintf("%T", err)) // its text may hold anything
	}
	return said
}

// line writes what came of a call in the request log: one line for each.
func (e Edge) line(ctx context.Context, method string, took time.Duration, c admission.Ended) {
	log := e.Log
	if c.Code == codes.OK {
		log = e.Answered
	}
	if log == nil || c.Code == codes.OK && strings.HasPrefix(method, probes) {
		return
	}
	log.LogAttrs(ctx, slog.LevelInfo, "call", slog.String("who", string(c.Who)), slog.String("method", strings.TrimPrefix(method, "/")),
		slog.String("code", c.Code.String()), slog.String("reason", c.Reason), slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("trace", c.Trace), slog.String("link", c.Link))
}
