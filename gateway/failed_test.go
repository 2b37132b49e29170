package gateway_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

const composing = "/ontschot.v1.ExchangeService/AssembleBudget"

// guarded makes a request as the server does.
func (h *house) guarded(ctx context.Context, r *ontschotv1.AssembleBudgetRequest) (*budgetv1.Budget, error) {
	s := &stream{ctx: ctx, seams: h.seams}
	err := h.Edge.Stream(h.Gateway, s, &grpc.StreamServerInfo{FullMethod: composing}, func(_ any, under grpc.ServerStream) error {
		s.ctx = under.Context()
		return h.AssembleBudget(proto.CloneOf(r), s)
	})
	return s.budget, err
}

// Something panics at every point of a request. The process lives; what fails stands in
// the record, without a word of what was asked, before the caller gets the error.
func TestAPanicIsInTheRecord(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	answered, deny, admin := 0, 0, 0
	for k := int64(0); ; k += stride {
		fired, before := false, len(h.record.failed)
		p := h.seams.arm(k, func() { fired = true; panic("999940004 is in what a panic says") })
		_, err := h.guarded(h.municipality().call(), h.about(f))
		h.seams.disarm()
		if !fired {
			require.NoError(t, err)
			break
		}
		if err == nil {
			answered++ // it was the answer of a source that could not be read
			continue
		}
		require.Equal(t, codes.Internal, codeOf(err), p.where)
		require.Len(t, h.record.failed, before+1, p.where)
		e := h.record.failed[before]
		require.Equal(t, "failed", e.Decision)
		require.Len(t, e.Trace, 32)
		require.Contains(t, e.Organisations, h.family.Requester().OIN)
		require.Empty(t, e.Subjects)
		require.Empty(t, e.Payload)
		switch e.Kind {
		case audit.Deny:
			deny++
			require.Equal(t, h.family.Case.Purpose, e.Activity)
		case audit.Admin:
			admin++
			require.Equal(t, composing, e.Activity)
		default:
			require.Fail(t, "kind", e.Kind)
		}
	}
	seen(t, answered, deny, admin)
	require.NotContains(t, h.said.String(), "999940004")
	h.verify()
	t.Logf("answered %d, deny %d, admin %d", answered, deny, admin)
}

func TestAPanicOfAnotherCallIsInTheRecord(t *testing.T) {
	h := newHouse(t, nil)
	info := &grpc.UnaryServerInfo{FullMethod: "/ontschot.v1.BudgetService/View"}
	answer, err := h.Edge.Unary(h.municipality().call(), nil, info, func(context.Context, any) (any, error) { panic("x") })
	require.Nil(t, answer)
	require.Equal(t, codes.Internal, codeOf(err))
	require.Equal(t, audit.Admin, h.record.failed[0].Kind)

	h.seams.arm(9, func() { panic("x") }) // after the caller is known
	_, err = h.Edge.Unary(h.municipality().call(), nil, info, func(ctx context.Context, _ any) (any, error) {
		return h.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{})
	})
	require.Equal(t, codes.Internal, codeOf(err))
	require.Equal(t, audit.Deny, h.record.failed[1].Kind)
	require.Equal(t, "agreements.sign", h.record.failed[1].Activity)
	h.verify()
}

// A caller's trace id is never that of the record: it may be anything. It stands in the
// request log when it is well formed and holds no BSN.
func TestTheRecordHasItsOwnTrace(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	good := "4bf92f3577b34da6a3ce929d0e0e4736"
	for parent, link := range map[string]bool{
		"00-" + good + "-00f067aa0ba902b7-01": true, "00-00000000000000000000000999940004-00f067aa0ba902b7-01": false,
		"00-" + good + "-00f067aa0ba902b7": false, "00-" + strings.ToUpper(good) + "-00f067aa0ba902b7-01": false,
		"01-" + good + "-00f067aa0ba902b7-01": false, "00-" + good + "-0000000000000000-01": false, good: false, "": false,
	} {
		h.said.Reset()
		_, err := h.guarded(h.worker(cleaner).call("traceparent", parent), h.request([]person{p}, [2]string{"P", "GM0119"}))
		require.Equal(t, codes.PermissionDenied, codeOf(err)) // the role may ask nothing
		trace := h.record.traces[len(h.record.traces)-1]
		require.Len(t, trace, 32)
		require.NotContains(t, parent, trace)
		require.Contains(t, h.said.String(), "trace="+trace)
		require.Equal(t, link, strings.Contains(h.said.String(), "link="+good), parent)
		require.NotContains(t, h.said.String(), "999940004")
	}
}

// A trace stands in every line of the request log, and looks like nobody's number.
func TestATraceHoldsNoNumber(t *testing.T) {
	h := newHouse(t, nil)
	for range 300 {
		_, err := h.guarded(h.municipality().call(), &ontschotv1.AssembleBudgetRequest{Purpose: h.family.Case.Purpose})
		require.Equal(t, codes.InvalidArgument, codeOf(err))
	}
	require.Regexp(t, `trace=[0-9a-f]{32}`, h.said.String())
	require.NotRegexp(t, `trace=[0-9a-f]*[0-9]{9}`, h.said.String())
}
