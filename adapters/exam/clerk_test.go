package exam_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// clerk is an adapter that does as it should, of a source that the test plays; what is broken
// about it stands in broken_test.go.
type clerk struct {
	broken
	settings atomic.Pointer[settings]
}

type settings struct {
	Party string `json:"party"`
	URL   string `json:"url"`
	Port  int    `json:"port"`
	token string
	http  *http.Client
}

const clerkSchema = `{"type":"object","additionalProperties":false,"required":["party","url"],"properties":{
"party":{"type":"string","minLength":1,"maxLength":32},"url":{"type":"string","pattern":"^https?://"},"port":{"type":"integer","minimum":1,"maximum":65535}}}`

// Describe implements adapters.Adapter.
func (c *clerk) Describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "clerk", Version: "1.0.0", Laws: []string{"WMO", "JW"}, Identifiers: []string{"bsn"},
		Categories:   []string{"entitlement", "product", "period", "amount", "reference"},
		ConfigSchema: []byte(clerkSchema), Secrets: []string{"token"}, Egress: []string{"url"},
	}
}

// Configure implements adapters.Adapter.
func (c *clerk) Configure(_ context.Context, conf adapters.Config) error {
	s, err := c.read(conf)
	if err == nil {
		c.settings.Store(s)
	}
	return err
}

// Validate implements adapters.Validator.
func (c *clerk) Validate(_ context.Context, conf adapters.Config) error {
	_, err := c.read(conf)
	return err
}

func (c *clerk) read(conf adapters.Config) (*settings, error) {
	s := &settings{token: conf.Secret("token").Reveal()}
	if err := conf.Decode(s); err != nil {
		return nil, err
	}
	if s.token == "" {
		return nil, &adapters.ConfigError{Path: "secrets.token", NL: "is nodig", EN: "is needed"}
	}
	s.http = &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Second,
		DisableKeepAlives: c.broken == "keeps its connections",
	}}
	return s, nil
}

// row is a record of the source.
type row struct {
	Law, Code, Label, Start, End, Number string
	Cents                                int64
}

// Fetch implements adapters.Adapter.
func (c *clerk) Fetch(ctx context.Context, r *budgetv1.FetchRequest, out *adapters.Writer) error {
	s := c.settings.Load()
	if s == nil {
		return adapters.NotConfigured()
	}
	bsn, err := adapters.TakeBSN(r)
	if err != nil {
		return err
	}
	rows, err := c.ask(ctx, s, bsn.Reveal())
	if err != nil {
		return err
	}
	for i, row := range rows {
		raw, err := json.Marshal(row)
		if err != nil {
			return adapters.Bug()
		}
		l := &budgetv1.BudgetLine{
			Law: row.Law, Funder: s.Party, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
			Product: &budgetv1.Product{System: "WMO020", Code: row.Code, Label: row.Label},
			Period:  &budgetv1.Period{Start: row.Start, End: proto.String(row.End)}, Decision: &budgetv1.Decision{Number: row.Number},
		}
		if row.Cents > 0 {
			l.Amount = &budgetv1.Amount{Cents: row.Cents, Basis: "PERIOD_TOTAL"}
		}
		out.Line(l, adapters.Record{Native: raw, Type: "case_system", ID: row.Number, Pointer: fmt.Sprintf("/%d", i)})
	}
	return nil
}

func (c *clerk) ask(ctx context.Context, s *settings, number string) ([]row, error) {
	body, err := json.Marshal(map[string]string{"number": number})
	if err != nil {
		return nil, adapters.Bug()
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/rows", bytes.NewReader(body))
	if err != nil {
		return nil, adapters.Bug()
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	a, err := s.http.Do(q)
	if err != nil {
		return nil, adapters.FromTransport(ctx, err)
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(a.Body, 1<<20))
	if err != nil {
		return nil, adapters.FromTransport(ctx, err)
	}
	if a.StatusCode != http.StatusOK {
		return nil, adapters.NotAuthorised()
	}
	var answer struct{ Rows []row }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, adapters.BadData("/", "JSON")
	}
	return answer.Rows, nil
}

// The persons that the source knows. The second has a record that is no good.
const (
	anna, bert, chris = "999940016", "999940028", "999940041"
	annasName         = "Anna Kanarie-Vogelzang"
	token             = "zeer-geheim-token-9"
)

// source plays the system behind the clerk.
func source(t testing.TB) string {
	rows := map[string][]row{
		anna: {
			{"WMO", "02", "begeleiding", "2025-01-01", "2025-12-31", "A-1", 1248000},
			{"JW", "45", "jeugdhulp ambulant", "2025-02-01", "2025-07-31", "A-2", 421200},
			{"WMO", "07", "kortdurend verblijf", "2024-02-01", "2024-07-31", "A-3", 100},
		},
		chris: {{"WMO", "07", "kortdurend verblijf", "2025-03-01", "2025-12-31", "C-1", 55500}},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Number string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if q.Number == bert {
			_, _ = io.WriteString(w, "{\"Rows\":[{")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": annasName, "Rows": rows[q.Number]})
	}))
	t.Cleanup(s.Close)
	return s.URL
}
