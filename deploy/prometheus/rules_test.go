package prometheus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/internal/telemetry"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// metric is what a gateway shows of one: its labels, and the values that they have.
type metric map[string]map[string]bool

// shown are the metrics of a gateway in which everything happens at once.
func shown(t *testing.T) map[string]metric {
	t.Helper()
	t.Setenv("OTEL_SDK_DISABLED", "true")
	g, err := telemetry.New(t.Context(), telemetry.Config{
		Stderr: io.Discard, Methods: []string{"/s/M"}, Reasons: refusal.Reasons(), Reason: refusal.Reason, Parties: func(string) bool { return true }, State: everything,
	})
	require.NoError(t, err)
	for c := range codes.Unauthenticated + 1 {
		_, end := g.Watch(t.Context(), "/s/M")
		end(admission.Ended{Code: c})
	}
	for _, err := range []error{nil, audit.ErrUnavailable, audit.ErrEnded, audit.ErrInvalid} {
		_, _ = g.Recorded(log{err: err}).Append(t.Context(), audit.Entry{Kind: audit.Decision})
	}
	_, _ = g.Recorded(log{again: true}).Append(t.Context(), audit.Entry{Kind: audit.Deny})
	_, _ = g.Asked("P", silent{}).Fetch(t.Context(), nil)
	for _, signal := range []string{"traces", "logs"} {
		g.NotTaken(signal)
	}
	families, err := g.Gather().Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	all := map[string]metric{}
	for _, f := range families {
		names := []string{f.GetName()}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			names = []string{f.GetName() + "_bucket", f.GetName() + "_sum", f.GetName() + "_count"}
		}
		m := metric{}
		for _, one := range f.GetMetric() {
			for _, l := range one.GetLabel() {
				if m[l.GetName()] == nil {
					m[l.GetName()] = map[string]bool{}
				}
				m[l.GetName()][l.GetValue()] = true
			}
		}
		for _, name := range names {
			all[name] = m
		}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			with := metric{"le": {}}
			for l, values := range m {
				with[l] = values
			}
			all[f.GetName()+"_bucket"] = with
		}
	}
	require.Greater(t, len(all), 30)
	return all
}

// everything is the state of a gateway that has one of each.
func everything() telemetry.State {
	return telemetry.State{
		Adapters: []telemetry.Adapter{{Party: "P"}}, Peers: map[string]bool{"P": true}, Directory: new(telemetry.Directory),
		Ends:        map[telemetry.Ending]time.Time{telemetry.OwnCertificate: time.Now(), telemetry.Authority: time.Now(), telemetry.RevocationList: time.Now()},
		Connections: telemetry.Connections{Open: map[string]int64{"callers": 1}, Refused: map[string]int64{"full": 1, "left": 1}},
	}
}

type log struct {
	err   error
	again bool
}

func (l log) Append(context.Context, audit.Entry) (audit.Proof, error) {
	return audit.Proof{Again: l.again}, l.err
}
func (log) Erase(context.Context, audit.Entry) (audit.Erased, error) { return audit.Erased{}, nil }

type silent struct{}

func (silent) Fetch(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return nil, context.DeadlineExceeded
}

// rules are the alerts, as Prometheus reads them.
type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func readRules(t *testing.T) rules {
	t.Helper()
	f, err := os.Open("ontschot.rules.yaml")
	require.NoError(t, err)
	defer f.Close()
	var r rules
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	require.NoError(t, d.Decode(&r))
	return r
}

// check reads an expression as Prometheus does, and holds each metric, label and value in it
// against what a gateway shows. It gives the labels of what it selects.
func check(all map[string]metric, expr string) (labels map[string]bool, err error) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(expr, "$__rate_interval", "5m"))
	if err != nil {
		return nil, err
	}
	labels = map[string]bool{}
	selected := 0
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			selected++
			err = errors.Join(err, selects(all, s))
			for l := range all[s.Name] {
				labels[l] = true
			}
		}
		return nil
	})
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if a, ok := n.(*parser.AggregateExpr); ok {
			for _, by := range a.Grouping {
				if !labels[by] {
					err = errors.Join(err, fmt.Errorf("nothing in it has the label %s", by))
				}
			}
		}
		return nil
	})
	if selected == 0 {
		err = errors.Join(err, errors.New("it asks for nothing of ours"))
	}
	return labels, err
}

// selects says what there is not of what a selector asks for.
func selects(all map[string]metric, s *parser.VectorSelector) (err error) {
	open := []string{"party", "method", "revision", "reason"} // values that are not words of ours
	m, there := all[s.Name]
	if !there {
		return fmt.Errorf("no gateway shows %s", s.Name)
	}
	for _, by := range s.LabelMatchers {
		if by.Name == "__name__" {
			continue
		}
		values, there := m[by.Name]
		switch fault := slices.Contains(append(budgetv1.Faults(), budgetv1.StatusOK), by.Value); {
		case !there:
			err = errors.Join(err, fmt.Errorf("%s has no label %s", s.Name, by.Name))
		case !values[by.Value] && !fault && !slices.Contains(open, by.Name):
			err = errors.Join(err, fmt.Errorf("%s of %s is never %q", by.Name, s.Name, by.Value))
		}
	}
	return err
}

// Each alert asks for what a gateway shows, and says where what to do about it is written.
func TestEveryAlertAsksForWhatThereIs(t *testing.T) {
	all, r := shown(t), readRules(t)
	pages, err := os.ReadFile("../../docs/operating.md")
	require.NoError(t, err)
	used := regexp.MustCompile(`\$labels\.(\w+)`)
	seen := map[string]bool{}
	for _, g := range r.Groups {
		for _, one := range g.Rules {
			labels, err := check(all, one.Expr)
			require.NoError(t, err, one.Alert)
			require.False(t, seen[one.Alert], one.Alert)
			seen[one.Alert] = true
			for _, m := range used.FindAllStringSubmatch(one.Annotations["summary"], -1) {
				require.True(t, labels[m[1]], "%s says a label that it has not: %s", one.Alert, m[1])
			}
			require.Contains(t, []string{"page", "ticket"}, one.Labels["severity"], one.Alert)
			require.NotEmpty(t, one.Annotations["summary"], one.Alert)
			require.Equal(t, "docs/operating.md#"+strings.ToLower(one.Alert), one.Annotations["runbook"])
			_, section, found := strings.Cut(string(pages), "\n### "+one.Alert+"\n")
			require.True(t, found, "docs/operating.md says nowhere what to do about %s", one.Alert)
			section, _, _ = strings.Cut(section, "\n#")
			require.Greater(t, len(strings.TrimSpace(section)), 60, one.Alert)
			if one.For != "" {
				_, err := time.ParseDuration(one.For)
				require.NoError(t, err, one.Alert)
			}
		}
	}
	require.Greater(t, len(seen), 15)
	for _, m := range regexp.MustCompile(`\n### (Ontschot\w+)\n`).FindAllStringSubmatch(string(pages), -1) {
		require.True(t, seen[m[1]], "%s is no alert any more", m[1])
	}
}

// Each panel of the dashboard asks for what a gateway shows.
func TestEveryPanelAsksForWhatThereIs(t *testing.T) {
	all := shown(t)
	raw, err := os.ReadFile("../grafana/ontschot.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &dashboard))
	require.Greater(t, len(dashboard.Panels), 10)
	named := regexp.MustCompile(`{{(\w+)}}`)
	for _, p := range dashboard.Panels {
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			labels, err := check(all, target.Expr)
			require.NoError(t, err, p.Title)
			for _, m := range named.FindAllStringSubmatch(target.LegendFormat, -1) {
				require.True(t, labels[m[1]], "%s: no label %s", p.Title, m[1])
			}
		}
	}
}

// A metric, a label or a value that there is none of is found.
func TestWhatThereIsNotIsFound(t *testing.T) {
	all := shown(t)
	for expr, says := range map[string]string{
		"ontschot_call_total > 0":                                         "no gateway shows",
		"rate(ontschot_calls_total)":                                      "range vector",
		`ontschot_ready{person="x"} == 0`:                                 "has no label person",
		`ontschot_not_after_timestamp_seconds{what="cert"} < 1`:           "is never",
		`sum by (party) (rate(ontschot_calls_total[5m]))`:                 "nothing in it has the label party",
		`increase(ontschot_log_appends_total{outcome="failed"}[5m]) > 0`:  "is never",
		`histogram_quantile(0.9, rate(ontschot_call_duration_seconds[5m]`: "unclosed",
		`vector(1)`: "nothing of ours",
	} {
		_, err := check(all, expr)
		require.ErrorContains(t, err, says, expr)
	}
}
