package telemetry

import (
	"errors"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/audit"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// other stands for every value of a label that is in no list.
const other = "other"

// labelsOf gives the label of each method.
func labelsOf(methods []string) map[string]string {
	labels := make(map[string]string, len(methods))
	for _, m := range methods {
		labels[m] = strings.TrimPrefix(m, "/")
	}
	return labels
}

// metrics are what is counted where it happens. What can be looked up is gathered at each look,
// see gathered.
type metrics struct {
	calls     *prometheus.CounterVec
	took      *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	questions *prometheus.CounterVec
	asking    *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	appends   *prometheus.CounterVec
	appending prometheus.Histogram
	exports   *prometheus.CounterVec
}

// seconds are the buckets of what a caller waits for: from a millisecond to the longest deadline.
func seconds() []float64 {
	return []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ontschot_" + name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "ontschot_" + name, Help: help, Buckets: seconds()}, labels)
	}
	return &metrics{
		calls:     counter("calls_total", "Calls that ended, by what came of them. The reason is empty for those that were answered.", "method", "code", "reason"),
		took:      histogram("call_duration_seconds", "From a call to its end.", "method"),
		inFlight:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "ontschot_calls_in_flight", Help: "Calls under way."}),
		questions: counter("source_questions_total", "Questions to a source, by what came of them.", "party", "outcome"),
		asking:    histogram("source_duration_seconds", "From a question to a source to its answer.", "party"),
		decisions: counter("decisions_total", "Decisions of the policy that were recorded.", "outcome"),
		appends:   counter("log_appends_total", "Entries that were handed to the audit log, by what came of them. Outcome again: it was done before, as an idempotency key showed.", "kind", "outcome"),
		appending: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "ontschot_log_append_duration_seconds", Help: "From an entry to the moment that it is durable.", Buckets: seconds()}),
		exports:   counter("export_failures_total", "Batches of traces or logs that no collector took.", "signal"),
	}
}

// register makes all of it one.
func (t *Telemetry) register() error {
	m := t.metrics
	var failed []error
	for _, c := range []prometheus.Collector{
		m.calls, m.took, m.inFlight, m.questions, m.asking, m.decisions, m.appends, m.appending, m.exports, gathered{t.State},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	} {
		failed = append(failed, t.registry.Register(c))
	}
	return errors.Join(failed...)
}

// Metrics serves them in the text format of Prometheus.
func (t *Telemetry) Metrics() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Gather gives them all.
func (t *Telemetry) Gather() prometheus.Gatherer { return t.registry }

// method is the label of one.
func (t *Telemetry) method(name string) string {
	if label, ok := t.methods[name]; ok {
		return label
	}
	return other
}

// reason is the label of one.
func (t *Telemetry) reason(r string) string {
	if t.reasons[r] {
		return r
	}
	return other
}

// codeOf is the label of a code.
func codeOf(c codes.Code) string {
	if c > codes.Unauthenticated { // the last that gRPC has
		return other
	}
	return c.String()
}

// kindOf is the label of a kind of entry.
func kindOf(k audit.Kind) string {
	if k.Known() {
		return string(k)
	}
	return other
}

// party is the label of one.
func (t *Telemetry) party(code string) string {
	if t.Parties(code) {
		return code
	}
	return other
}

// What a decision came to.
const (
	allowed = "allowed"
	denied  = "denied"
)

// answered is the outcome of a question that a source answered.
const answered = budgetv1.StatusOK
