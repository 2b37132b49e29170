package telemetry

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Source answers about one person: an adapter, or another gateway.
type Source interface {
	Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
}

// Asked is a source that is watched: how long it takes and what comes of it. What it is asked
// and what it answers is not looked at.
func (t *Telemetry) Asked(party string, s Source) Source { return asked{s, t.party(party), t} }

type asked struct {
	source Source
	party  string
	t      *Telemetry
}

// Fetch is Source's.
func (a asked) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	begun := time.Now()
	var span trace.Span
	if a.t.tracer != nil {
		ctx, span = a.t.tracer.Start(ctx, "source", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String(attrParty, a.party)))
		defer span.End()
	}
	if parent := traceparent(ctx); parent != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, parentKey, parent)
	}
	answer, err := a.source.Fetch(ctx, r)
	outcome := a.t.outcomeOf(ctx, err)
	a.t.metrics.questions.WithLabelValues(a.party, outcome).Inc()
	a.t.metrics.asking.WithLabelValues(a.party).Observe(time.Since(begun).Seconds())
	if span != nil {
		span.SetAttributes(attribute.String(attrOutcome, outcome))
	}
	return answer, err
}

// cancelled is the outcome of a question that nobody waits for any more.
const cancelled = "CANCELLED"

// outcomeOf is what came of a question, out of the closed lists of faults and of gaps.
func (t *Telemetry) outcomeOf(ctx context.Context, err error) string {
	if err == nil {
		return answered
	}
	s := status.Convert(err)
	said := t.Reason(s)
	switch {
	case slices.Contains(budgetv1.Faults(), said), slices.Contains(budgetv1.GapReasons(), said):
		return said
	case s.Code() == codes.DeadlineExceeded, ctx.Err() == context.DeadlineExceeded:
		return budgetv1.ReasonSourceTimeout
	case s.Code() == codes.Canceled:
		return cancelled
	}
	return budgetv1.ReasonSourceUnavailable
}
