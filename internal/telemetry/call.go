package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	grpccodes "google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/admission"
)

// Attributes of spans. What is not here, and not one of those of gRPC in shown, leaves no
// process: see closed.
const (
	attrTrace   = "ontschot.trace" // under which the log has it
	attrWho     = "ontschot.who"   // OIN of who calls
	attrReason  = "ontschot.reason"
	attrParty   = "ontschot.party"
	attrOutcome = "ontschot.outcome"
)

// Watch is the refusal.Watch of a gateway.
func (t *Telemetry) Watch(ctx context.Context, method string) (context.Context, func(admission.Ended)) {
	begun, label := time.Now(), t.method(method)
	t.metrics.inFlight.Inc()
	ctx, span, own := t.begin(ctx, label)
	return ctx, func(c admission.Ended) {
		t.metrics.inFlight.Dec()
		t.metrics.calls.WithLabelValues(label, codeOf(c.Code), t.reason(c.Reason)).Inc()
		t.metrics.took.WithLabelValues(label).Observe(time.Since(begun).Seconds())
		if span == nil {
			return
		}
		span.SetAttributes(attribute.String(attrTrace, c.Trace), attribute.String(attrWho, string(c.Who)), attribute.String(attrReason, t.reason(c.Reason)))
		if own {
			span.SetAttributes(attribute.String("rpc.response.status_code", codeOf(c.Code)))
			if c.Code == grpccodes.Internal || c.Code == grpccodes.Unavailable {
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}
	}
}

// begin gives the span of a call: that which otelgrpc began, or, of a call that did not come
// over gRPC, one of our own. It is nil when nothing is traced.
func (t *Telemetry) begin(ctx context.Context, method string) (_ context.Context, _ trace.Span, own bool) {
	if t.tracer == nil {
		return ctx, nil, false
	}
	if span := trace.SpanFromContext(ctx); span.SpanContext().IsValid() && !span.SpanContext().IsRemote() {
		return ctx, span, false
	}
	ctx, span := t.tracer.Start(parents{}.Extract(ctx, nil), method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("rpc.method", method)))
	return ctx, span, true
}
