package server

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lastCalls is how long calls may take to end when nobody said how long.
const lastCalls = 5 * time.Second

// Drain has health say NOT_SERVING, waits as long as the limits say, refuses new calls at every
// door of callers, and returns when those under way have ended, or when ctx ends: then they are
// cut off, and it reports that not all of them ended.
func (s *Server) Drain(ctx context.Context) (whole bool) {
	first := s.serving.Swap(false)
	if s.grpc == nil {
		return true
	}
	s.grpc.Health.Shutdown()
	if first {
		select {
		case <-time.After(s.Conf.Limits.ForNotice()):
		case <-ctx.Done():
		}
	}
	s.Broker.gate.Shut()
	_ = s.listener.Close()
	if !s.drainHTTP(ctx) { // calls of it go through the gRPC server, which can only stop then
		return s.grpc.Cut()
	}
	return s.grpc.Drain(ctx)
}

// drainHTTP ends the servers of HTTP, and reports whether all of their calls have ended.
func (s *Server) drainHTTP(ctx context.Context) bool {
	var all sync.WaitGroup
	ended := make([]bool, len(s.web))
	for i, one := range s.web {
		all.Go(func() {
			ended[i] = one.Shutdown(ctx) == nil
			_ = one.Close()
		})
	}
	all.Wait()
	return !slices.Contains(ended, false)
}
