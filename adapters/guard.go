package adapters

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"google.golang.org/grpc"
)

// parallel is how many calls run at once; the others wait until their deadline.
const parallel = 64

// Guard is what every call to an adapter passes: a panic ends its own call alone, and no more
// than 64 run at once.
func Guard() grpc.UnaryServerInterceptor {
	limit := newLimit(parallel)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		return recovered(ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return limit.intercept(ctx, req, info, next)
		})
	}
}

// recovered keeps a panic to the call in which it happened. The trace goes to
// standard error without the panic's own text, which may quote a record.
func recovered(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	defer func() {
		if recover() != nil {
			fmt.Fprintf(os.Stderr, "adapter: panic in a call\n%s", debug.Stack())
			answer, err = nil, Bug()
		}
	}()
	return next(ctx, req)
}

// limit lets so many calls through at once.
type limit chan struct{}

func newLimit(n int) limit { return make(limit, n) }

func (l limit) intercept(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	select {
	case l <- struct{}{}:
		defer func() { <-l }()
		return next(ctx, req)
	case <-ctx.Done():
		return nil, Timeout()
	}
}
