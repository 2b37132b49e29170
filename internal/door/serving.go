package door

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// lastWord is how long whoever watches health has to hear that nobody is served any more.
const lastWord = time.Second

// Serving is a gRPC server that can be drained, with its health. Counted and Watched are the
// first interceptors of its server, and Serves takes that.
type Serving struct {
	*grpc.Server
	Health *health.Server
	ending context.Context // ends when watching health does
	end    func()
	calls  atomic.Int64 // under way
}

// NewServing makes one whose server is still to be made.
func NewServing(of *health.Server) *Serving {
	s := &Serving{Health: of}
	s.ending, s.end = context.WithCancel(context.Background())
	return s
}

// Serves takes the server, whose health it serves for these names.
func (s *Serving) Serves(server *grpc.Server, names ...string) {
	s.Server = server
	healthv1.RegisterHealthServer(server, s.Health)
	for _, name := range names {
		s.Health.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	}
}

// Counted is a grpc.UnaryServerInterceptor: it knows of each call while it is under way.
func (s *Serving) Counted(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	s.calls.Add(1)
	defer s.calls.Add(-1)
	return next(ctx, req)
}

// Watched is a grpc.StreamServerInterceptor, which knows of each call too. It ends the calls that
// watch health or read the services when the server ends: they would go on as long as their
// callers like.
func (s *Serving) Watched(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if !strings.HasPrefix(info.FullMethod, "/grpc.") {
		s.calls.Add(1)
		defer s.calls.Add(-1)
		return next(srv, stream)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	stop := context.AfterFunc(s.ending, func() { time.AfterFunc(lastWord, cancel) })
	defer stop()
	return next(srv, outlived{stream, ctx})
}

// outlived is a stream whose context may end before it.
type outlived struct {
	grpc.ServerStream
	ctx context.Context
}

func (o outlived) Context() context.Context { return o.ctx }

// Cut ends it at once, and reports whether no call was cut off.
func (s *Serving) Cut() (whole bool) {
	whole = s.calls.Load() == 0
	s.Stop()
	return whole
}

// Drain has health say NOT_SERVING, refuses new calls, and waits for those under way. When ctx
// ends before they have, they are cut off, and it reports that.
func (s *Serving) Drain(ctx context.Context) (whole bool) {
	s.Health.Shutdown()
	s.end()
	done := make(chan struct{})
	go func() { s.GracefulStop(); close(done) }()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return s.Cut()
	}
}
