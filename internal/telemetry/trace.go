package telemetry

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/stats"

	"github.com/ontschot/ontschot/gateway/admission"
)

// parentKey is the name under which the trace of a call travels (W3C Trace Context).
const parentKey = "traceparent"

// parents takes the trace of who calls out of a call, when it is well formed and can hold no
// burgerservicenummer. A tracestate and baggage from outside are not looked at, so that they
// are passed on to nobody.
type parents struct{}

// Extract is propagation.TextMapPropagator's. The carrier is not read: admission knows what
// came with the call.
func (parents) Extract(ctx context.Context, _ propagation.TextMapCarrier) context.Context {
	parent := admission.Parent(ctx)
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{parentKey: parent})
}

// Inject is propagation.TextMapPropagator's.
func (parents) Inject(ctx context.Context, carrier propagation.TextMapCarrier) {
	propagation.TraceContext{}.Inject(ctx, carrier)
}

// Fields is propagation.TextMapPropagator's.
func (parents) Fields() []string { return []string{parentKey} }

// traceparent is what goes along with a question to a source: the trace that the call is of,
// ours when it came with none. Empty outside of a call.
func traceparent(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-" + sc.TraceFlags().String()
	}
	known := admission.KnownOf(ctx)
	of := cmp.Or(known.Link, known.Trace)
	if of == "" {
		return ""
	}
	var span trace.SpanID
	draw(span[:])
	return "00-" + of + "-" + span.String() + "-00"
}

// ids draws the ids of traces and spans.
type ids struct{}

// NewIDs is sdktrace.IDGenerator's.
func (ids) NewIDs(context.Context) (t trace.TraceID, s trace.SpanID) {
	draw(t[:])
	draw(s[:])
	return t, s
}

// NewSpanID is sdktrace.IDGenerator's.
func (ids) NewSpanID(context.Context, trace.TraceID) (s trace.SpanID) {
	draw(s[:])
	return s
}

// draw draws until no nine digits stand together: who looks through traces for
// burgerservicenummers must not find one that is none.
func draw(id []byte) {
	for {
		_, _ = rand.Read(id) // never fails (crypto/rand)
		digits := 0
		for _, c := range hex.AppendEncode(make([]byte, 0, 32), id) {
			if digits++; c > '9' {
				digits = 0
			}
			if digits == 9 {
				break
			}
		}
		if digits < 9 {
			return
		}
	}
}

// Handler begins and ends the spans of calls that come over gRPC; nil when nothing is traced.
// Only of what can be called: a method that there is none of leaves nothing, its name is a
// stranger's.
func (t *Telemetry) Handler() stats.Handler {
	if t.tracer == nil {
		return nil
	}
	return otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(t.traces), otelgrpc.WithPropagators(parents{}), otelgrpc.WithMeterProvider(noop.NewMeterProvider()),
		otelgrpc.WithFilter(func(i *stats.RPCTagInfo) bool { _, ok := t.methods[i.FullMethodName]; return ok }))
}
