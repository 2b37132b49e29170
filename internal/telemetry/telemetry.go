// Package telemetry answers: what can an operator see from outside? Metrics for Prometheus,
// and, where the standard variables of OpenTelemetry say so, traces and logs over OTLP. Every
// label is of a closed list and nothing of a person is in any of it; what goes out costs a call
// nothing when nobody takes it.
package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/status"
)

// Config of a Telemetry. Every field is required.
type Config struct {
	// Stderr gets the request log, one JSON object on each line.
	Stderr io.Writer
	// Methods are the full names of what can be called, as "/ontschot.v1.ExchangeService/AssembleBudget".
	Methods []string
	// Reasons are those of refusals.
	Reasons []string
	// Reason is the one in an error of a source; empty: none.
	Reason func(*status.Status) string
	// Parties reports whether there is an organisation of this code.
	Parties func(code string) bool
	// State is how the gateway stands; it is asked at each look at the metrics.
	State func() State
}

// Telemetry is what one gateway shows. It is safe for concurrent use.
type Telemetry struct {
	Config
	// Log is the request log: standard error, and OTLP where that is asked for.
	Log *slog.Logger

	registry *prometheus.Registry
	metrics  *metrics
	methods  map[string]string // the label of each
	reasons  map[string]bool
	tracer   trace.Tracer // nil: no traces
	traces   trace.TracerProvider
	ends     []func(context.Context) error
	record   record
	stderr   *slog.Logger   // without OTLP
	failing  [2]atomic.Bool // whether the last batch of traces, and of logs, was not taken
}

// longestEnd bounds how long what was not sent yet holds up the end of the program.
const longestEnd = 2 * time.Second

// New reads the variables of the environment. Nothing is exported, and nothing connects to
// anything, when they say nothing. Errors: ErrVariable.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	for name, missing := range map[string]bool{
		"Stderr": c.Stderr == nil, "Methods": len(c.Methods) == 0, "Reasons": len(c.Reasons) == 0, "Parties": c.Parties == nil, "State": c.State == nil,
	} {
		if missing {
			return nil, errors.New("telemetry: " + name + " is missing")
		}
	}
	t := &Telemetry{Config: c, methods: labelsOf(c.Methods), reasons: map[string]bool{"": true}, registry: prometheus.NewRegistry(), metrics: newMetrics()}
	for _, r := range c.Reasons {
		t.reasons[r] = true
	}
	lines := slog.Handler(slog.NewJSONHandler(c.Stderr, nil))
	t.stderr = slog.New(lines)
	t.Log = t.stderr
	logs, err := t.export(ctx)
	if err != nil {
		return nil, err
	}
	if logs != nil {
		t.Log = slog.New(slog.NewMultiHandler(lines, logs))
	}
	return t, t.register()
}

// Close sends what was not sent yet, for two seconds at most.
func (t *Telemetry) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestEnd)
	defer cancel()
	var all sync.WaitGroup
	for _, end := range t.ends {
		all.Go(func() { _ = end(ctx) }) // nobody is left to say it to
	}
	all.Wait()
}
