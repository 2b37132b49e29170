package telemetry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/refusal"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const method = "/ontschot.v1.ExchangeService/AssembleBudget"

// made is one that exports nothing.
func made(t testing.TB) *Telemetry {
	t.Helper()
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"} {
		t.Setenv(name, "")
	}
	g, err := New(t.Context(), Config{
		Stderr: io.Discard, Methods: []string{method}, Reasons: refusal.Reasons(), Reason: refusal.Reason, Parties: func(code string) bool { return code == "UWV" }, State: func() State { return State{} },
	})
	require.NoError(t, err)
	t.Cleanup(g.Close)
	return g
}

func series(t *testing.T, g prometheus.Gatherer, prefix string) (all []string) {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), prefix) {
			for _, m := range f.GetMetric() {
				all = append(all, f.GetName()+m.String())
			}
		}
	}
	return all
}

type source func(context.Context) error

func (s source) Fetch(ctx context.Context, _ *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return nil, s(ctx)
}

// What is in no list is counted as other, whatever comes.
func TestLabelsAreClosed(t *testing.T) {
	g := made(t)
	for i := range 1000 {
		_, end := g.Watch(t.Context(), fmt.Sprintf("/999990019/%d", i))
		end(admission.Ended{Code: grpccodes.Code(i), Reason: fmt.Sprintf("999990019-%d", i)})
		_, err := g.Asked(fmt.Sprintf("999990019-%d", i), source(func(context.Context) error { return status.Errorf(grpccodes.Code(i), "999990019 %d", i) })).Fetch(t.Context(), nil)
		require.Equal(t, i == 0, err == nil)
		_, _ = g.Recorded(willing{}).Append(t.Context(), audit.Entry{Kind: audit.Kind(fmt.Sprintf("999990019-%d", i))})
	}
	all := series(t, g.Gather(), "ontschot_")
	require.Less(t, len(all), 60)
	require.NotContains(t, strings.Join(all, "\n"), "999990019")
	require.Contains(t, strings.Join(all, "\n"), `value:"other"`)
}

type willing struct{}

func (willing) Append(context.Context, audit.Entry) (audit.Proof, error) { return audit.Proof{}, nil }
func (willing) Erase(context.Context, audit.Entry) (audit.Erased, error) { return audit.Erased{}, nil }

// What is known is counted under its name.
func TestWhatIsKnownHasItsName(t *testing.T) {
	g := made(t)
	_, end := g.Watch(t.Context(), method)
	require.Contains(t, series(t, g.Gather(), "ontschot_calls_in_flight")[0], "value:1")
	end(admission.Ended{Code: grpccodes.PermissionDenied, Reason: budgetv1.ReasonPolicyDenied})
	_, _ = g.Asked("UWV", source(func(context.Context) error { return context.DeadlineExceeded })).Fetch(t.Context(), nil)
	_, _ = g.Asked("UWV", source(func(context.Context) error { return nil })).Fetch(t.Context(), nil)
	all := strings.Join(series(t, g.Gather(), "ontschot_"), "\n")
	for _, word := range []string{"ontschot.v1.ExchangeService/AssembleBudget", "PermissionDenied", budgetv1.ReasonPolicyDenied, "UWV", budgetv1.StatusOK, budgetv1.ReasonSourceUnavailable} {
		require.Contains(t, all, `value:"`+word+`"`)
	}
	w := httptest.NewRecorder()
	g.Metrics().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	require.Contains(t, w.Body.String(), "ontschot_calls_total{")
}

// A log that cannot be written keeps the gateway from being ready, until it can.
func TestALogThatFailsIsNotReady(t *testing.T) {
	g := made(t)
	require.False(t, g.RecordFails())
	_, err := g.Recorded(failing{}).Append(t.Context(), audit.Entry{Kind: audit.Decision})
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.True(t, g.RecordFails())
	_, err = g.Recorded(willing{}).Append(t.Context(), audit.Entry{Kind: audit.Deny})
	require.NoError(t, err)
	require.False(t, g.RecordFails())
	_, _ = g.Recorded(failing{}).Append(t.Context(), audit.Entry{Kind: audit.Decision})
	g.record.failed.Store(time.Now().Add(-time.Minute).UnixNano())
	require.False(t, g.RecordFails(), "then it is tried again")
	all := strings.Join(series(t, g.Gather(), "ontschot_decisions"), "\n")
	require.Contains(t, all, `value:"denied"`)
	require.NotContains(t, all, `value:"allowed"`, "none was recorded")
}

type failing struct{ willing }

func (failing) Append(context.Context, audit.Entry) (audit.Proof, error) {
	return audit.Proof{}, fmt.Errorf("disk: %w", audit.ErrUnavailable)
}

// asking is a call that came with these values.
func asking(t testing.TB, values ...string) context.Context {
	return admission.Begin(metadata.NewIncomingContext(t.Context(), metadata.Pairs(values...)))
}

// The trace of who calls goes along with the question; what else they sent does not.
func TestTheTraceGoesAlongAndNothingElse(t *testing.T) {
	g := made(t)
	const sent = "4bf92f3577b34da6a3ce929d0e0e4736"
	var out metadata.MD
	keep := source(func(ctx context.Context) error { out, _ = metadata.FromOutgoingContext(ctx); return nil })
	ctx := asking(t, "traceparent", "00-"+sent+"-00f067aa0ba902b7-01", "tracestate", "a=b", "baggage", "name=x", "authorization", "Bearer x")
	_, _ = g.Asked("UWV", keep).Fetch(ctx, nil)
	require.Len(t, out, 1)
	require.Regexp(t, "^00-"+sent+"-[0-9a-f]{16}-00$", out.Get(parentKey)[0])
	require.NotContains(t, out.Get(parentKey)[0], "00f067aa0ba902b7", "a span of our own")
	ctx = asking(t, "traceparent", "00-00000000000000000000000999940004-00f067aa0ba902b7-01")
	_, _ = g.Asked("UWV", keep).Fetch(ctx, nil)
	require.Equal(t, admission.KnownOf(ctx).Trace, strings.Split(out.Get(parentKey)[0], "-")[1], "a stranger's number does not: ours does")
	_, _ = g.Asked("UWV", keep).Fetch(t.Context(), nil)
	require.Empty(t, out, "outside of a call there is none")
}

// FuzzParent: whatever comes as traceparent is taken over as it is, or not at all.
func FuzzParent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1", "name=x")
	f.Add("00-00000000000000000000000999940004-00f067aa0ba902b7-01", strings.Repeat("a=1,", 500), "")
	f.Add("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", "", "\x00")
	form := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	f.Fuzz(func(t *testing.T, parent, state, baggage string) {
		ctx := asking(t, "traceparent", parent, "tracestate", state, "baggage", baggage)
		sc := trace.SpanContextFromContext(parents{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent, "tracestate": state}))
		if sc.IsValid() {
			require.Regexp(t, form, parent)
			require.Equal(t, strings.Split(parent, "-")[1], sc.TraceID().String())
		}
		require.Empty(t, sc.TraceState().String())
		sent := traceparent(ctx)
		require.Regexp(t, form, sent)
	})
}

// An id that we draw holds nothing that could be a burgerservicenummer.
func TestIdsHaveNoNineDigits(t *testing.T) {
	nine := regexp.MustCompile(`[0-9]{9}`)
	for range 20_000 {
		tr, span := ids{}.NewIDs(t.Context())
		require.NotRegexp(t, nine, tr.String())
		require.NotRegexp(t, nine, span.String())
	}
	all := nine.MatchString(hex.EncodeToString([]byte{0x12, 0x34, 0x56, 0x78, 0x90}))
	require.True(t, all, "the form is one that can be found")
}

// Of a span nothing goes out but what is listed.
func TestASpanSaysNothingElse(t *testing.T) {
	g := made(t)
	out := tracetest.NewInMemoryExporter()
	by := sdktrace.NewTracerProvider(sdktrace.WithSyncer(closed{out, g}))
	_, span := by.Tracer("x").Start(t.Context(), "source", trace.WithAttributes(attribute.String("net.peer.addr", "10.0.0.1"), attribute.String(attrParty, "UWV")))
	span.AddEvent("999990019")
	span.RecordError(errors.New("999990019"))
	span.SetStatus(codes.Error, "999990019")
	span.End()
	require.Len(t, out.GetSpans(), 1)
	one := out.GetSpans()[0]
	require.Equal(t, []attribute.KeyValue{attribute.String(attrParty, "UWV")}, one.Attributes)
	require.Empty(t, one.Events)
	require.Equal(t, codes.Error, one.Status.Code)
	require.Empty(t, one.Status.Description)
}

// Which variables ask for what.
func TestTheVariablesSayWhatIsExported(t *testing.T) {
	for _, one := range []struct {
		set       map[string]string
		protocol  string
		complains bool
	}{
		{map[string]string{}, "", false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, overHTTP, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, overGRPC, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://127.0.0.1:1"}, "", false},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, overHTTP, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, "", false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, "", false},
		{map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, "", true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "", true},
	} {
		t.Run(fmt.Sprint(one.set), func(t *testing.T) {
			made(t)
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "")
			t.Setenv("OTEL_SDK_DISABLED", "")
			for name, value := range one.set {
				t.Setenv(name, value)
			}
			protocol, err := asksFor(traces)
			require.Equal(t, one.complains, errors.Is(err, ErrVariable), "%v", err)
			require.Equal(t, one.protocol, protocol)
		})
	}
}

// Without variables nobody is called, and with them the end waits for nobody who hangs.
func TestTheEndWaitsForNobodyWhoHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	g := made(t)
	require.Nil(t, g.Handler())
	require.Empty(t, g.ends)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	g, err = New(t.Context(), g.Config)
	require.NoError(t, err)
	require.NotNil(t, g.Handler())
	_, end := g.Watch(asking(t), method)
	end(admission.Ended{})
	g.Log.Info("x")
	done := make(chan struct{})
	go func() { g.Close(); close(done) }()
	require.Eventually(t, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, 20*time.Second, 10*time.Millisecond)
}

// BenchmarkCall is what a call costs to be seen; TestSeeingACallAllocatesLittle gates it.
func BenchmarkCall(b *testing.B) {
	g := made(b)
	ctx := asking(b)
	b.ReportAllocs()
	for b.Loop() {
		_, end := g.Watch(ctx, method)
		end(admission.Ended{Code: grpccodes.OK})
	}
}

// BenchmarkAsked is of one question to a source.
func BenchmarkAsked(b *testing.B) {
	g := made(b)
	ctx := asking(b)
	s := g.Asked("UWV", source(func(context.Context) error { return nil }))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Fetch(ctx, nil)
	}
}

// BenchmarkLine is of the line of one call, and of all that the edge does beside.
func BenchmarkLine(b *testing.B) {
	g := made(b)
	for name, edge := range map[string]refusal.Edge{"with": {Log: g.Log, Answered: g.Log}, "without": {Log: g.Log}} {
		b.Run(name, func(b *testing.B) {
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				_, _ = edge.Unary(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method}, func(context.Context, any) (any, error) { return nil, nil })
			}
		})
	}
}
