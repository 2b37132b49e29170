package seen_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	coltraces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// collector takes traces and logs, as OTLP over gRPC has them.
type collector struct {
	coltraces.UnimplementedTraceServiceServer
	collogs.UnimplementedLogsServiceServer
	address string

	mu    sync.Mutex
	spans []*otlp.Span
	texts strings.Builder // all that came, as text
}

type logsOf struct {
	collogs.UnimplementedLogsServiceServer
	*collector
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c, s := &collector{address: l.Addr().String()}, grpc.NewServer()
	coltraces.RegisterTraceServiceServer(s, c)
	collogs.RegisterLogsServiceServer(s, logsOf{collector: c})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return c
}

func (c *collector) took(m proto.Message) {
	c.texts.WriteString(prototext.Format(m))
}

func (c *collector) Export(_ context.Context, r *coltraces.ExportTraceServiceRequest) (*coltraces.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took(r)
	for _, of := range r.GetResourceSpans() {
		for _, scope := range of.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return new(coltraces.ExportTraceServiceResponse), nil
}

func (l logsOf) Export(_ context.Context, r *collogs.ExportLogsServiceRequest) (*collogs.ExportLogsServiceResponse, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took(r)
	return new(collogs.ExportLogsServiceResponse), nil
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.texts.String()
}

// of gives the spans of a trace.
func (c *collector) of(trace string) (all []*otlp.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if hex.EncodeToString(s.GetTraceId()) == trace {
			all = append(all, s)
		}
	}
	return all
}

// secrets are what may be in no sink: numbers and names of persons, and amounts.
func secrets(of *casefile.Case) (all []string) {
	for _, m := range of.Household {
		all = append(all, m.BSN, m.Name, m.IDs.Onderwijsnummer, m.IDs.Pasnummer)
		all = append(all, strings.Fields(m.Name)...)
	}
	for _, cents := range of.Expected.Lines {
		if cents != nil {
			all = append(all, fmt.Sprint(*cents), fmt.Sprintf("%d,%02d", *cents/100, *cents%100), fmt.Sprintf("%d.%02d", *cents/100, *cents%100))
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < 6 }) // a shorter one turns up by chance
}

// search fails the test when something of a person is in a text.
func search(t *testing.T, where, text string, all []string) {
	t.Helper()
	for _, s := range all {
		if holds(text, s) {
			t.Errorf("%s holds something of a person (%d characters)", where, len(s))
		}
	}
}

// holds reports whether a text holds something; of a number, unless it is within a longer one:
// times in nanoseconds have any.
func holds(text, s string) bool {
	if strings.Trim(s, "0123456789.,") != "" {
		return strings.Contains(text, s)
	}
	return regexp.MustCompile(`(?:^|[^0-9a-f])` + regexp.QuoteMeta(s) + `(?:[^0-9a-f]|$)`).MatchString(text)
}

// What is searched for is found where it is.
func TestTheSearchFinds(t *testing.T) {
	of, err := casefile.Open("meppel")
	require.NoError(t, err)
	all := secrets(of)
	require.Greater(t, len(all), 20)
	for _, s := range all {
		require.True(t, holds(`{"reason":"`+s+`"}`, s))
	}
	require.False(t, holds("1764523999990019888", "999990019"))
}

// A question is seen in four places, under one trace, and nothing of a person is in any of
// them; nor after a thousand calls that mean harm, which make no more series than a few.
func TestAThousandOddCallsLeaveNothingOfAPerson(t *testing.T) {
	c := newCollector(t)
	w := newTown(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+c.address, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_BLRP_SCHEDULE_DELAY=100")
	conn, token := w.dial(), w.token()
	const sent = "0af7651916cd43dd8448eb211c80319c"
	good := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token,
		"traceparent", "00-"+sent+"-b7ad6b716920ab31-01", "tracestate", "vendor=hidden-state", "baggage", "name=hidden-baggage")
	b, err := w.ask(good, conn)
	require.NoError(t, err, "%s", w.log)
	require.NotEmpty(t, b.GetLines())

	line := w.line(sent)
	require.Equal(t, "ontschot.v1.ExchangeService/AssembleBudget", line["method"])
	require.Equal(t, "OK", line["code"])
	require.Regexp(t, `^[0-9]{20}$`, line["who"])
	require.Positive(t, line["ms"])
	require.Eventually(t, func() bool { return len(c.of(sent)) > 5 }, patience, 50*time.Millisecond)
	parties := map[string]bool{}
	for _, s := range c.of(sent) {
		require.Empty(t, s.GetTraceState())
		require.Empty(t, s.GetEvents())
		for _, a := range s.GetAttributes() {
			switch a.GetKey() {
			case "ontschot.party":
				parties[a.GetValue().GetStringValue()] = true
			case "ontschot.trace":
				require.Equal(t, line["trace"], a.GetValue().GetStringValue(), "the log has it under this one")
			}
			require.NotContains(t, a.GetKey(), "address")
		}
	}
	require.Contains(t, parties, "UWV")
	w.wellSeen(conn)

	before := len(w.series())
	require.Less(t, before, 700)
	odd(w, conn, token, 500)
	half := len(w.series())
	odd(w, conn, token, 500)
	all := w.series()
	require.Equal(t, half, len(all), "the second half makes no series that the first did not")
	require.Less(t, len(all)-before, 500)
	// What was on its way has come: the last call of all is in each of the places.
	_, err = w.ask(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token, "traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b716920ab31-01"), conn)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return len(c.of("1af7651916cd43dd8448eb211c80319c")) > 5 && strings.Contains(c.text(), "ontschot.v1.ExchangeService/AssembleBudget")
	}, patience, 50*time.Millisecond)
	hidden := append(secrets(w.of), "hidden", "123456782", token, token[len(token)-40:])
	search(t, "/metrics", strings.Join(all, "\n"), hidden)
	search(t, "the request log", w.log.String(), hidden)
	search(t, "what a collector gets", c.text(), hidden)
	require.Contains(t, w.log.String(), `"reason":"INVALID_FIELD"`, "there was something to leak it in")
	require.Contains(t, c.text(), "INVALID_FIELD")
}

// line finds the line of a call by the trace that was sent along.
func (w *town) line(sent string) (found map[string]any) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		for one := range strings.Lines(w.log.String()) {
			line := map[string]any{}
			if json.Unmarshal([]byte(one), &line) == nil && line["msg"] == "call" && line["link"] == sent {
				found = line
			}
		}
		return found != nil
	}, patience, 50*time.Millisecond)
	return found
}

// wellSeen looks at the other places in which a gateway shows how it stands.
func (w *town) wellSeen(conn *grpc.ClientConn) {
	t := w.t
	t.Helper()
	for _, path := range []string{"/livez", "/readyz"} {
		code, text := w.get(path)
		require.Equal(t, 200, code)
		require.Equal(t, "ok\n", text)
	}
	all := strings.Join(w.series(), "\n")
	require.Contains(t, all, `ontschot_calls_total{code="OK",method="ontschot.v1.ExchangeService/AssembleBudget",reason=""} 1`)
	require.Contains(t, all, `ontschot_source_questions_total{outcome="OK",party="UWV"}`)
	require.Contains(t, all, `ontschot_decisions_total{outcome="allowed"} 1`)
	require.Contains(t, all, `ontschot_adapter_up{party="ZK5503"} 1`)
	health := healthv1.NewHealthClient(conn)
	for _, name := range []string{"", "ontschot.v1.ExchangeService", "source/UWV"} {
		require.Eventually(t, func() bool {
			is, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: name})
			return err == nil && is.GetStatus() == healthv1.HealthCheckResponse_SERVING
		}, patience, 50*time.Millisecond, name)
	}
	is, code := w.status()
	require.Zero(t, code)
	require.Empty(t, is.GetAttention())
	require.Positive(t, is.GetLog().GetEntries())
	require.NotEmpty(t, is.GetLog().GetHead())
	require.NotEmpty(t, is.GetKeys())
	require.True(t, is.GetDev())
}

// odd makes calls that no client of ours makes.
func odd(w *town, conn *grpc.ClientConn, token string, n int) {
	w.t.Helper()
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < n; i += 8 {
				oddCall(w, conn, token, i)
			}
		})
	}
	all.Wait()
}

// oddCall makes one. It is answered or refused: what it must not do is leave something.
func oddCall(w *town, conn *grpc.ClientConn, token string, i int) {
	someone := w.of.Household[i%len(w.of.Household)]
	parents := []string{
		"00-00000000000000000000000" + someone.BSN + "-b7ad6b7169203331-01", "00-" + strings.Repeat("f", 5000), "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", someone.Name, "00-00000000000000000000000000000000-0000000000000000-00",
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", parents[i%len(parents)], "tracestate", "a="+someone.BSN+strings.Repeat("x", 2000),
		"baggage", "bsn="+someone.BSN+",name="+hex.EncodeToString([]byte(someone.Name)), "x-forwarded-for", someone.BSN, "user-agent", someone.BSN)
	bad := w.request()
	method := ontschotv1.BudgetService_CheckPlan_FullMethodName
	var in proto.Message = &ontschotv1.CheckPlanRequest{Budget: &budgetv1.Budget{Purpose: someone.BSN}}
	switch i % 5 {
	case 0: // a number that is none, of a person, by who may ask
		bad.Persons[0].Identifiers.Bsn, bad.Persons[0].Ref = "123456782", someone.BSN
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		if stream, err := ontschotv1.NewExchangeServiceClient(conn).AssembleBudget(ctx, bad); err == nil {
			for err == nil {
				_, err = stream.Recv()
			}
		}
		return
	case 1:
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+someone.BSN+token[:40])
	case 2:
		method = fmt.Sprintf("/ontschot.v1.BudgetService/%s-%d", someone.BSN, i)
	case 3:
		method = fmt.Sprintf("/%s/%d", someone.BSN, i)
	default:
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token, "ontschot-case", someone.BSN)
	}
	_ = conn.Invoke(ctx, method, in, new(ontschotv1.CheckPlanResponse))
}

// A collector that hangs, and one that is away, cost no call anything; the gateway says so once,
// and ends.
func TestACollectorThatDoesNotTakeCostsNothing(t *testing.T) {
	hangs, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer hangs.Close()
	away, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, away.Close())
	w := newTown(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://"+hangs.Addr().String()+"/v1/traces", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://"+away.Addr().String()+"/v1/logs",
		"OTEL_EXPORTER_OTLP_TIMEOUT=300", "OTEL_BSP_SCHEDULE_DELAY=50", "OTEL_BLRP_SCHEDULE_DELAY=50", "OTEL_BSP_EXPORT_TIMEOUT=500", "OTEL_BLRP_EXPORT_TIMEOUT=500", "OTEL_BSP_MAX_QUEUE_SIZE=16", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=8")
	conn, token := w.dial(), w.token()
	for range 20 {
		_, err := w.ask(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token), conn)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		all := strings.Join(w.series(), "\n")
		return strings.Contains(all, `ontschot_export_failures_total{signal="traces"}`) && strings.Contains(all, `ontschot_export_failures_total{signal="logs"}`)
	}, 2*patience, 100*time.Millisecond)
	require.LessOrEqual(t, strings.Count(w.log.String(), "a collector does not take"), 2, "once for each")
	is, code := w.status()
	require.Equal(t, 1, code)
	require.Equal(t, "EXPORT", is.GetAttention()[0].GetCode())
	out, code := run(t, "status", "--config", filepath.Join(w.dir, "gateway.yaml"))
	require.Equal(t, 1, code)
	require.Contains(t, out, "OTEL_EXPORTER_OTLP_ENDPOINT", "what to do")
	require.NoError(t, w.serve.Process.Signal(syscall.SIGTERM)) // that it ends is looked at by the cleanup
}
