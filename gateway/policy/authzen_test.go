package policy_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/authzen"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
)

// desk is a gateway that serves AuthZEN, and a system of its municipality.
type desk struct {
	testing.TB
	f      *family.Family
	url    string
	client *http.Client
	bearer string
	server *server.Server
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	c, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(c, time.Now())
	require.NoError(t, err)
	d, dir := &desk{TB: t, f: f}, t.TempDir()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	conf, err := config.ReadGateway(filepath.Join(dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources, conf.AuthZEN = nil, &config.AuthZEN{Listen: "127.0.0.1:0"}
	d.server, err = server.Start(t.Context(), conf, io.Discard)
	require.NoError(t, err)
	t.Cleanup(d.server.Close)
	d.url = "https://" + d.server.AuthZENAddr.String()
	d.client = d.with(f.Requester().Client.TLS)
	d.bearer = d.token(nil)
	return d
}

func (d *desk) with(shown ...tls.Certificate) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: d.f.CA, Certificates: shown}}
	d.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

func (d *desk) token(change func(*token.Claims)) string {
	raw, err := d.f.Token(time.Now(), change)
	require.NoError(d, err)
	return raw
}

// says posts a body, and reads what comes.
func (d *desk) says(path string, body any) (int, map[string]any) {
	d.Helper()
	raw, is := body.([]byte)
	if !is {
		var err error
		raw, err = json.Marshal(body)
		require.NoError(d, err)
	}
	status, _, said := d.sends(http.MethodPost, path, raw, map[string]string{"Content-Type": "application/json"})
	return status, said
}

func (d *desk) sends(method, path string, body []byte, header map[string]string) (int, http.Header, map[string]any) {
	d.Helper()
	r, err := http.NewRequestWithContext(d.Context(), method, d.url+path, bytes.NewReader(body))
	require.NoError(d, err)
	if d.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+d.bearer)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := d.client.Do(r)
	require.NoError(d, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(d, err)
	var said map[string]any
	require.NoError(d, json.Unmarshal(raw, &said), string(raw))
	if answer.StatusCode != http.StatusOK {
		require.Equal(d, "application/problem+json", answer.Header.Get("Content-Type"))
		require.EqualValues(d, answer.StatusCode, said["status"])
		require.NotEmpty(d, said["detail"])
	}
	return answer.StatusCode, answer.Header, said
}

// door is work with the resource that AuthZEN asks for.
func door(t testing.TB, w policy.Work) map[string]any {
	raw, err := json.Marshal(w)
	require.NoError(t, err)
	var body map[string]any
	require.NoError(t, json.Unmarshal(raw, &body))
	body["resource"] = map[string]any{"type": "operation", "id": w.Action.Name}
	return body
}

// asJSON is a value as JSON has it.
func asJSON(t testing.TB, v any) (out any) {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

// requireSame holds an answer against an outcome.
func requireSame(t testing.TB, name string, o policy.Outcome, said map[string]any) {
	t.Helper()
	require.Equal(t, o.Allow, said["decision"], name)
	context := said["context"].(map[string]any)
	for member, want := range map[string]any{"reasons": o.Reasons, "checks": o.Checks} {
		if list := want.([]string); len(list) > 0 {
			require.Equal(t, asJSON(t, list), context[member], name)
		} else {
			require.Empty(t, context[member], name)
		}
	}
	for member, want := range map[string]map[string]string{"fields": o.Fields, "dropped": o.Dropped} {
		if want == nil {
			want = map[string]string{}
		}
		require.Equal(t, asJSON(t, want), context[member], name)
	}
	require.Equal(t, "ontschot.decision/1", context["contract"])
	obligations := context["obligations"].(map[string]any)
	if o.Allow && o.RetentionDays > 0 {
		require.EqualValues(t, o.RetentionDays, obligations["retention_days"])
		require.Equal(t, asJSON(t, o.Notify), obligations["notify"])
	} else {
		require.Empty(t, obligations)
	}
	if len(o.Reasons) > 0 {
		for _, reader := range []string{"reason_admin", "reason_user"} {
			words := context[reader].(map[string]any)
			require.NotEmpty(t, words["nl"], name)
			require.NotEqual(t, words["nl"], words["en"], name)
		}
		require.Contains(t, context["reason_admin"].(map[string]any)["nl"], o.Reasons[0])
	}
}

// Over HTTPS every case of an officer comes out as the engine says, alone and among others.
func TestEveryCaseComesOutTheSameOverHTTPS(t *testing.T) {
	d := newDesk(t)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	requests, doors := policy.Brought(t)
	require.Greater(t, len(requests), 50)
	require.Greater(t, len(doors), 20)
	bodies, outcomes, flips := map[string]any{}, map[string]policy.Outcome{}, 0
	for name, in := range requests {
		raw, err := json.Marshal(in)
		require.NoError(t, err)
		if _, err := policy.ParseInput(raw); err != nil { // not of the contract: refused, and not denied
			status, _ := d.says(authzen.PathEvaluation, in)
			require.Equal(t, http.StatusBadRequest, status, name)
			continue
		}
		bodies[name], outcomes[name] = in, engine.Evaluate(t.Context(), in)
		status, said := d.says(authzen.PathEvaluation, in)
		require.Equal(t, http.StatusOK, status, "%s: %v", name, said)
		requireSame(t, name, outcomes[name], said)
		way, _ := said["context"].(map[string]any)["way"].([]any)
		require.Len(t, way, len(engine.Way(t.Context(), in)), name)
		flips += len(way)
	}
	require.NotZero(t, flips)
	for name, w := range doors {
		bodies[name] = door(t, w)
		outcomes[name], _ = engine.EvaluateWork(t.Context(), w)
		status, said := d.says(authzen.PathEvaluation, bodies[name])
		require.Equal(t, http.StatusOK, status, "%s: %v", name, said)
		requireSame(t, name, outcomes[name], said)
	}
	var list []any
	var names []string
	for name, body := range bodies {
		if len(list) < 64 {
			list, names = append(list, body), append(names, name)
		}
	}
	status, said := d.says(authzen.PathEvaluations, map[string]any{"evaluations": list})
	require.Equal(t, http.StatusOK, status)
	for i, one := range said["evaluations"].([]any) {
		requireSame(t, names[i], outcomes[names[i]], one.(map[string]any))
	}
	entries := d.server.Log.Register().Size()
	d.says(authzen.PathEvaluation, list[0])
	require.Equal(t, entries, d.server.Log.Register().Size(), "nothing is released, and nothing recorded")
}

// good is a request that is a yes.
func good(t *testing.T) policy.Input {
	requests, _ := policy.Brought(t)
	engine, err := policy.New(t.Context(), policy.Config{FS: policies.FS, Timeout: time.Minute})
	require.NoError(t, err)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		if engine.Evaluate(t.Context(), requests[name]).Allow {
			return requests[name]
		}
	}
	t.Fatal("no case is a yes")
	return policy.Input{}
}

func TestSeveralEvaluations(t *testing.T) {
	d := newDesk(t)
	yes := asJSON(t, good(t)).(map[string]any)
	no := maps.Clone(yes)
	no["context"] = map[string]any{"contract": "ontschot.request/1", "date": "2026-01-05"}
	broken := map[string]any{"context": map[string]any{"contract": "ontschot.request/1", "date": "x"}}
	ask := func(semantic string, list ...any) []any {
		status, said := d.says(authzen.PathEvaluations, map[string]any{"evaluations": list, "options": map[string]any{"evaluations_semantic": semantic}})
		require.Equal(t, http.StatusOK, status, "%v", said)
		return said["evaluations"].([]any)
	}
	require.Len(t, ask("execute_all", yes, no, yes), 3)
	require.Len(t, ask("deny_on_first_deny", yes, no, yes), 2)
	require.Len(t, ask("permit_on_first_permit", no, yes, no), 2)
	require.Len(t, ask("deny_on_first_deny", broken, yes), 1, "what is not of the contract is a no")
	mixed := ask("execute_all", broken, yes)
	require.Equal(t, false, mixed[0].(map[string]any)["decision"])
	require.EqualValues(t, http.StatusBadRequest, mixed[0].(map[string]any)["context"].(map[string]any)["error"].(map[string]any)["status"])
	require.Equal(t, true, mixed[1].(map[string]any)["decision"])

	// What stands beside them holds for those that do not say it.
	beside := maps.Clone(yes)
	beside["evaluations"] = []any{map[string]any{}, map[string]any{"context": no["context"]}}
	_, said := d.says(authzen.PathEvaluations, beside)
	require.Equal(t, true, said["evaluations"].([]any)[0].(map[string]any)["decision"])
	require.Equal(t, false, said["evaluations"].([]any)[1].(map[string]any)["decision"])
	status, said := d.says(authzen.PathEvaluations, yes) // one, answered as one
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, true, said["decision"])
	for _, options := range []any{map[string]any{"evaluations_semantic": "x"}, map[string]any{"evaluations_semantic": 1}, 3} {
		status, _ = d.says(authzen.PathEvaluations, map[string]any{"evaluations": []any{yes}, "options": options})
		require.Equal(t, http.StatusBadRequest, status)
	}
	many := make([]any, 65)
	for i := range many {
		many[i] = map[string]any{}
	}
	status, _ = d.says(authzen.PathEvaluations, map[string]any{"evaluations": many})
	require.Equal(t, http.StatusBadRequest, status)
}

// As the Authorization API 1.0 has it: what is unknown is ignored wherever it stands, what is
// required is asked for, and what may be left out makes a no.
func TestWhatIsUnknownIsIgnored(t *testing.T) {
	d := newDesk(t)
	yes := asJSON(t, good(t)).(map[string]any)
	more := asJSON(t, yes).(map[string]any)
	for _, name := range []string{"subject", "action", "resource", "context"} {
		more[name].(map[string]any)["later"] = map[string]any{"x": 1}
	}
	more["later"] = []any{1}
	status, said := d.says(authzen.PathEvaluation, more)
	require.Equal(t, http.StatusOK, status, "%v", said)
	require.Equal(t, true, said["decision"])
	status, said = d.says(authzen.PathEvaluations, map[string]any{"later": 1, "options": map[string]any{"another_option": "x"}, "evaluations": []any{more, map[string]any{}, yes}})
	require.Equal(t, http.StatusOK, status, "%v", said)
	var decisions []any
	for _, one := range said["evaluations"].([]any) {
		decisions = append(decisions, one.(map[string]any)["decision"])
	}
	require.Equal(t, []any{true, false, true}, decisions)

	least := map[string]any{"subject": map[string]any{"type": "organisation", "id": "x"}, "action": map[string]any{"name": "read"}, "resource": map[string]any{"type": "person", "id": "p"}}
	status, said = d.says(authzen.PathEvaluation, least)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, false, said["decision"])
	for path, names := range map[string][]string{"subject": {"type", "id"}, "action": {"name"}, "resource": {"type", "id"}} {
		for _, name := range append(names, "") {
			less := asJSON(t, least).(map[string]any)
			if delete(less[path].(map[string]any), name); name == "" {
				delete(less, path)
			}
			status, said = d.says(authzen.PathEvaluation, less)
			require.Equal(t, http.StatusBadRequest, status, path+"."+name)
			require.NotEmpty(t, said["detail"])
		}
	}
}

func TestWhoMayAskWhatThePolicyWouldSay(t *testing.T) {
	d := newDesk(t)
	in := good(t)
	status, _ := d.says(authzen.PathEvaluation, in)
	require.Equal(t, http.StatusOK, status)
	for name, c := range map[string]struct {
		bearer string
		status int
	}{
		"no token":        {"", http.StatusUnauthorized},
		"no token at all": {"x", http.StatusUnauthorized},
		"another purpose": {d.token(func(c *token.Claims) { c.Details[0].Purposes = []string{"consents.keep"} }), http.StatusForbidden},
		"a cleaner":       {d.token(func(c *token.Claims) { c.Role = "schoonmaker" }), http.StatusForbidden},
		"too low":         {d.token(func(c *token.Claims) { c.Assurance = "laag" }), http.StatusForbidden},
		"too old":         {d.token(func(c *token.Claims) { c.Expires = time.Now().Add(-time.Hour).Unix() }), http.StatusUnauthorized},
		"quality":         {d.token(func(c *token.Claims) { c.Role = "kwaliteitsmedewerker" }), http.StatusOK},
	} {
		other := *d
		other.bearer = c.bearer
		status, _ := other.says(authzen.PathEvaluation, in)
		require.Equal(t, c.status, status, name)
	}
	other := *d
	other.client = d.with(d.f.Parties["UWV"].Client.TLS) // a certificate that is good, of somebody else
	status, _ = other.says(authzen.PathEvaluation, in)
	require.Equal(t, http.StatusUnauthorized, status)
	for name, client := range map[string]*http.Client{"no certificate": d.with(), "of a stranger": d.with(strange(t))} {
		_, err := client.Get(d.url + authzen.PathConfiguration)
		require.Error(t, err, name)
	}
}

// strange is a certificate of an authority that nobody believes.
func strange(t *testing.T) tls.Certificate {
	c, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(c, time.Now())
	require.NoError(t, err)
	return f.Requester().Client.TLS
}

func TestWhatHTTPAsks(t *testing.T) {
	d := newDesk(t)
	body, err := json.Marshal(good(t))
	require.NoError(t, err)
	kind := map[string]string{"Content-Type": "application/json"}
	status, header, said := d.sends(http.MethodGet, authzen.PathConfiguration, nil, nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, d.url, said["policy_decision_point"])
	require.Equal(t, d.url+authzen.PathEvaluation, said["access_evaluation_endpoint"])
	require.Equal(t, d.url+authzen.PathEvaluations, said["access_evaluations_endpoint"])
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	for name, c := range map[string]struct {
		method, path string
		body         []byte
		header       map[string]string
		status       int
	}{
		"method":       {http.MethodPut, authzen.PathEvaluation, body, kind, http.StatusMethodNotAllowed},
		"path":         {http.MethodPost, "/access/v1/search/subject", body, kind, http.StatusNotFound},
		"query":        {http.MethodPost, authzen.PathEvaluation + "?x=1", body, kind, http.StatusBadRequest},
		"no type":      {http.MethodPost, authzen.PathEvaluation, body, nil, http.StatusUnsupportedMediaType},
		"other type":   {http.MethodPost, authzen.PathEvaluation, body, map[string]string{"Content-Type": "text/json"}, http.StatusUnsupportedMediaType},
		"charset":      {http.MethodPost, authzen.PathEvaluation, body, map[string]string{"Content-Type": "application/json; charset=latin1"}, http.StatusUnsupportedMediaType},
		"utf-8":        {http.MethodPost, authzen.PathEvaluation, body, map[string]string{"Content-Type": "application/json; charset=UTF-8"}, http.StatusOK},
		"too large":    {http.MethodPost, authzen.PathEvaluation, bytes.Repeat([]byte(" "), 257<<10), kind, http.StatusRequestEntityTooLarge},
		"empty":        {http.MethodPost, authzen.PathEvaluation, nil, kind, http.StatusBadRequest},
		"a list":       {http.MethodPost, authzen.PathEvaluation, []byte("[]"), kind, http.StatusBadRequest},
		"two":          {http.MethodPost, authzen.PathEvaluation, append(bytes.Clone(body), body...), kind, http.StatusBadRequest},
		"twice":        {http.MethodPost, authzen.PathEvaluation, []byte(strings.Replace(string(body), `{"subject"`, `{"subject":{},"subject"`, 1)), kind, http.StatusBadRequest},
		"twice inside": {http.MethodPost, authzen.PathEvaluation, []byte(strings.Replace(string(body), `"role":`, `"role":"x","role":`, 1)), kind, http.StatusBadRequest},
		"in two cases": {http.MethodPost, authzen.PathEvaluation, []byte(strings.Replace(string(body), `"role":`, `"Role":"x","role":`, 1)), kind, http.StatusBadRequest},
		"more":         {http.MethodPost, authzen.PathEvaluation, []byte(strings.Replace(string(body), `{"subject"`, `{"more":1,"subject"`, 1)), kind, http.StatusOK},
		"no subject":   {http.MethodPost, authzen.PathEvaluation, []byte(strings.Replace(string(body), `"subject"`, `"Subject"`, 1)), kind, http.StatusBadRequest},
		"deep":         {http.MethodPost, authzen.PathEvaluation, []byte(strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)), kind, http.StatusBadRequest},
	} {
		status, _, said := d.sends(c.method, c.path, c.body, c.header)
		require.Equal(t, c.status, status, "%s: %v", name, said)
	}
	for id, echoed := range map[string]bool{
		"abc-1.2_3": true, "with space": true, strings.Repeat("a", 255): true, "bfe9eb29-ab87-4ca3-be83-a1d5d8305716": true, "01234567-8212-4345-a789-123456782000": true,
		strings.Repeat("a", 256): false, "x-123456782": false, "é": false,
	} {
		status, header, _ := d.sends(http.MethodPost, authzen.PathEvaluation, body, map[string]string{"Content-Type": "application/json", "X-Request-ID": id})
		require.Equal(t, map[bool]string{true: id}[echoed], header.Get("X-Request-ID"))
		require.Equal(t, map[bool]int{true: http.StatusOK, false: http.StatusBadRequest}[echoed], status, id)
	}
	in := good(t)
	in.Resource.ID = "123456782"
	in.Context.Consent.Subject = in.Resource.ID
	status, said = d.says(authzen.PathEvaluation, in)
	require.Equal(t, http.StatusBadRequest, status)
	require.NotContains(t, said["detail"], "123456782")
	require.Contains(t, said["detail"], "resource.id")
}

// Whatever comes, the answer is a decision or a problem, and it says nothing back of it.
func FuzzAuthZEN(f *testing.F) {
	requests, doors := policy.Brought(f)
	for _, in := range requests {
		raw, err := json.Marshal(in)
		require.NoError(f, err)
		f.Add(raw, false)
	}
	for _, w := range doors {
		raw, err := json.Marshal(map[string]any{"evaluations": []any{door(f, w)}})
		require.NoError(f, err)
		f.Add(raw, true)
	}
	for _, odd := range []string{"", "null", "{}", `{"evaluations":null}`, `{"evaluations":[null]}`, `{"evaluations":{}}`, `{"options":null}`, "{\"subject\":\x00}", `{"context":{"contract":"ontschot.operation/1"}}`} {
		f.Add([]byte(odd), true)
	}
	d := newDesk(f)
	f.Fuzz(func(t *testing.T, body []byte, several bool) {
		at := *d
		at.TB = t
		at.bearer = at.token(nil) // they live for five minutes
		path := authzen.PathEvaluation
		if several {
			path = authzen.PathEvaluations
		}
		status, _ := at.says(path, body)
		require.Contains(t, []int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests}, status)
	})
}
