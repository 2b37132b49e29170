//go:build !race

package telemetry

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/refusal"
)

// To be seen costs a call few allocations, and each of its questions few.
func TestSeeingACallAllocatesLittle(t *testing.T) {
	g := made(t)
	ctx := asking(t)
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		_, end := g.Watch(ctx, method)
		end(admission.Ended{Code: grpccodes.OK})
	}), 2.0)
	s := g.Asked("UWV", source(func(context.Context) error { return nil }))
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = s.Fetch(ctx, nil) }), 6.0)
	r := g.Recorded(willing{})
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = r.Append(ctx, audit.Entry{Kind: audit.Decision}) }), 1.0)
	log := refusal.Edge{Log: g.Log, Answered: g.Log}
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		_, _ = log.Unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method}, func(context.Context, any) (any, error) { return nil, nil })
	}), 5.0)
}
