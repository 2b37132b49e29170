package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/status"
)

// ErrVariable means that a variable of the environment says what we do not do.
var ErrVariable = errors.New("environment")

// Signals that are exported, as the variables call them.
const (
	traces = "TRACES"
	logs   = "LOGS"
)

// protocols of OTLP. Without a variable it is the one that the specification says.
const (
	overGRPC = "grpc"
	overHTTP = "http/protobuf"
)

// asksFor says over which protocol a signal is to be exported; empty: it is not.
func asksFor(signal string) (protocol string, err error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return "", nil
	}
	by := "OTEL_" + signal + "_EXPORTER"
	exporter := os.Getenv(by)
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	switch {
	case exporter == "none", exporter == "" && endpoint == "":
		return "", nil
	case exporter != "" && exporter != "otlp":
		return "", fmt.Errorf("%w: %s: there is otlp, and none", ErrVariable, by)
	}
	protocol = cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), overHTTP)
	if protocol != overGRPC && protocol != overHTTP {
		return "", fmt.Errorf("%w: OTEL_EXPORTER_OTLP_PROTOCOL: there are %s and %s", ErrVariable, overGRPC, overHTTP)
	}
	return protocol, nil
}

// export begins to export what the variables ask for. logs is nil when none are.
func (t *Telemetry) export(ctx context.Context) (logs slog.Handler, err error) {
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "ontschot")), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("%w: OTEL_RESOURCE_ATTRIBUTES is no list of key=value", ErrVariable)
	}
	if err := t.exportTraces(ctx, about); err != nil {
		return nil, err
	}
	return t.exportLogs(ctx, about)
}

func (t *Telemetry) exportTraces(ctx context.Context, about *resource.Resource) error {
	protocol, err := asksFor(traces)
	if err != nil || protocol == "" {
		return err
	}
	var to sdktrace.SpanExporter
	if protocol == overGRPC {
		to, err = otlptracegrpc.New(ctx)
	} else {
		to, err = otlptracehttp.New(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: OTEL_EXPORTER_OTLP_ENDPOINT, or another of the variables for traces, cannot be used", ErrVariable)
	}
	by := sdktrace.NewTracerProvider(sdktrace.WithBatcher(closed{to, t}), sdktrace.WithResource(about), sdktrace.WithIDGenerator(ids{}))
	t.traces, t.tracer = by, by.Tracer("github.com/ontschot/ontschot")
	t.ends = append(t.ends, by.Shutdown)
	return nil
}

func (t *Telemetry) exportLogs(ctx context.Context, about *resource.Resource) (slog.Handler, error) {
	protocol, err := asksFor(logs)
	if err != nil || protocol == "" {
		return nil, err
	}
	var to sdklog.Exporter
	if protocol == overGRPC {
		to, err = otlploggrpc.New(ctx)
	} else {
		to, err = otlploghttp.New(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: OTEL_EXPORTER_OTLP_ENDPOINT, or another of the variables for logs, cannot be used", ErrVariable)
	}
	by := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(counted{to, t})), sdklog.WithResource(about))
	t.ends = append(t.ends, by.Shutdown)
	return otelslog.NewHandler("github.com/ontschot/ontschot", otelslog.WithLoggerProvider(by)), nil
}

// closed lets nothing of a span out but what is listed: no event, no text of an error, no
// address of who calls.
type closed struct {
	sdktrace.SpanExporter
	t *Telemetry
}

// ExportSpans is sdktrace.SpanExporter's.
func (c closed) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	out := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		out[i] = shown{s}
	}
	return c.t.exported(traces, c.SpanExporter.ExportSpans(ctx, out))
}

// shown is what others see of a span.
type shown struct{ sdktrace.ReadOnlySpan }

// Attributes are those that are listed.
func (s shown) Attributes() (all []attribute.KeyValue) {
	for _, a := range s.ReadOnlySpan.Attributes() {
		switch a.Key {
		case "rpc.system.name", "rpc.method", "rpc.response.status_code", attrTrace, attrWho, attrReason, attrParty, attrOutcome:
			all = append(all, a)
		}
	}
	return all
}

// Events are none.
func (shown) Events() []sdktrace.Event { return nil }

// Links are none.
func (shown) Links() []sdktrace.Link { return nil }

// Status is without its text.
func (s shown) Status() sdktrace.Status { return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code} }

// counted counts what no collector took.
type counted struct {
	sdklog.Exporter
	t *Telemetry
}

// Export is sdklog.Exporter's.
func (c counted) Export(ctx context.Context, records []sdklog.Record) error {
	return c.t.exported(logs, c.Exporter.Export(ctx, records))
}

// exported counts a batch that failed, and says so once for as long as that lasts. The error
// goes no further: it would be said on standard error for every batch, in a collector's words.
func (t *Telemetry) exported(signal string, err error) error {
	failing := &t.failing[0]
	if signal == logs {
		failing = &t.failing[1]
	}
	before := failing.Swap(err != nil)
	if err == nil {
		return nil
	}
	name := strings.ToLower(signal)
	t.NotTaken(name)
	if !before {
		t.stderr.Warn("a collector does not take what is exported to it; no call waits for that", "signal", name, "code", status.Code(err).String())
	}
	return nil
}

// NotTaken counts a batch of a signal, traces or logs, that no collector took.
func (t *Telemetry) NotTaken(signal string) { t.metrics.exports.WithLabelValues(signal).Inc() }

// ExportFails reports whether the last batch of traces or of logs was not taken.
func (t *Telemetry) ExportFails() bool { return t.failing[0].Load() || t.failing[1].Load() }
