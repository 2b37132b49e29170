package refusal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
)

// errPanicked is Internal, and no more is said.
var errPanicked = errors.New("a call panicked")

// Edge stands around every call, as gRPC's interceptors. It gives the call its trail,
// maps its error and notes that in the request log. A panic is a bug: it fails one call,
// stands in the record before the caller gets the error, and never ends the process.
type Edge struct {
	Failures admission.Failures
	Log      *slog.Logger // request log; holds no personal data
}

// Unary is a grpc.UnaryServerInterceptor.
func (e Edge) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	ctx = admission.Begin(ctx)
	err = e.guard(ctx, info.FullMethod, func() (err error) {
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
	ctx := admission.Begin(stream.Context())
	return e.guard(ctx, info.FullMethod, func() error { return next(srv, begun{stream, ctx}) })
}

// begun is a stream whose call has a trail.
type begun struct {
	grpc.ServerStream
	ctx context.Context
}

func (s begun) Context() context.Context { return s.ctx }

func (e Edge) guard(ctx context.Context, method string, do func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			e.Failures.Failed(ctx, method, what)
			err = Of(errPanicked)
		}
	}()
	err = do()
	if err == nil {
		return nil
	}
	said := Of(err)
	s := status.Convert(said)
	log := admission.Logged(ctx, e.Log)
	log.Info("refused", "code", s.Code().String(), "reason", Reason(s))
	if s.Code() == codes.Internal {
		log.Error("internal error", "kind", fmt.Sprintf("%T", err)) // its text may hold anything
	}
	return said
}
