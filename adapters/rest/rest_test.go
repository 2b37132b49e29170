package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/trial"
)

const mapped = `
mapping: 1
id: gm0193-rest
version: 1.0.0
laws: [WMO]
identifiers: [bsn]
source:
  kind: rest
  path: /rechten
  body: {bsn: "{person}", periode: {van: "{from}", tot: "{to}"}}
rows: rechten
person: r.bsn
fields:
  law: WMO
  kind: ENTITLEMENT
  form: PGB
  fungibility: POOLABLE
  product: {system: WMO020, code: r.product}
  period: {from: r.van}
  amount: {cents: cents(r.bedrag), basis: PER_YEAR}
tests:
  - name: a right
    answer: '{"rechten": [{"bsn": "999940004", "product": "02", "van": "2025-01-01", "bedrag": 12.5}]}'
    person: "999940004"
    lines: [{product: "02", cents: 1250}]
`

func right(product string) string {
	return `{"bsn": "` + trial.Number + `", "product": "` + product + `", "van": "2025-01-01", "bedrag": 12.5}`
}

func TestItsOwnTestsPass(t *testing.T) {
	_, err := mapping.Validate(rest.Kind{}, []byte(mapped))
	require.NoError(t, err)
}

// ask configures an adapter, and asks it about the person.
func ask(t *testing.T, text string, config []byte, secrets map[string]string) ([]string, error) {
	s := adapters.NewService(rest.New([]byte(text)))
	require.Empty(t, trial.Configure(t, s, config, secrets))
	a, err := s.Fetch(t.Context(), trial.Request(trial.Number, "WMO"))
	if err != nil {
		require.NotContains(t, err.Error()+adapters.Path(err), trial.Number)
		return nil, err
	}
	var all []string
	for _, l := range a.GetLines() {
		all = append(all, fmt.Sprint(l.GetProduct().GetCode(), " ", l.GetAmount().GetCents()))
	}
	return all, nil
}

func TestPagesOverMutualTLS(t *testing.T) {
	var bodies []string
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || strings.Contains(r.URL.String(), trial.Number) {
			t.Error("request", r.Method, err)
		}
		bodies = append(bodies, string(body))
		w.Header().Set("Content-Type", "application/hal+json")
		if r.URL.RawQuery == "" {
			fmt.Fprint(w, `{"rechten": [`+right("02")+`], "_links": {"next": {"href": "/rechten?page=2"}}}`)
			return
		}
		fmt.Fprint(w, `{"rechten": [`+right("07")+`], "page": {"totalElements": 2}}`)
	})
	got, err := ask(t, mapped, s.Config(t, nil), map[string]string{"tls_key": s.Key})
	require.NoError(t, err)
	require.Equal(t, []string{"02 1250", "07 1250"}, got)
	require.Equal(t, bodies[0], bodies[1])
	require.JSONEq(t, `{"bsn": "`+trial.Number+`", "periode": {"van": "2025-01-01", "tot": "2025-12-31"}}`, bodies[0])
}

func TestTokens(t *testing.T) {
	s := trial.NewSystem(t, false, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		name, secret, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && name == "us" && secret == "geheim":
			fmt.Fprint(w, `{"access_token": "fresh", "token_type": "Bearer", "expires_in": 300}`)
		case r.URL.Path == "/token", r.Header.Get("Authorization") != "Bearer fresh":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			fmt.Fprint(w, `{"rechten": [`+right("02")+`]}`)
		}
	})
	oauth := map[string]any{"cert_pem": nil, "token_url": s.URL + "/token", "client_id": "us"}
	for name, c := range map[string]struct {
		config  map[string]any
		secrets map[string]string
		reason  string
	}{
		"client credentials": {oauth, map[string]string{"client_secret": "geheim"}, ""},
		"another secret":     {oauth, map[string]string{"client_secret": "ander"}, adapters.ReasonNotAuthorised},
		"a fixed token":      {map[string]any{"cert_pem": nil}, map[string]string{"bearer_token": "fresh"}, ""},
		"another token":      {map[string]any{"cert_pem": nil}, map[string]string{"bearer_token": "old"}, adapters.ReasonNotAuthorised},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, mapped, s.Config(t, c.config), c.secrets)
			require.Equal(t, c.reason, adapters.Reason(err))
			require.Equal(t, c.reason == "", len(got) == 1)
		})
	}
	service := adapters.NewService(rest.New([]byte(mapped)))
	require.Equal(t, "cert_pem", trial.Configure(t, service, s.Config(t, map[string]any{"cert_pem": nil}), nil)[0].GetPath(), "nobody is asked without saying who asks")
	strict := adapters.NewService(rest.New([]byte(strings.Replace(mapped, "  path:", "  auth: [certificate]\n  path:", 1))))
	require.Equal(t, "cert_pem", trial.Configure(t, strict, s.Config(t, map[string]any{"cert_pem": nil}), map[string]string{"bearer_token": "fresh"})[0].GetPath())
}

// A person in a header cannot be another header, and one in a body not another member.
func TestPersonIsAValue(t *testing.T) {
	var seen []string
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.Header.Get("X-Pas")+" "+r.Header.Get("X-Evil")+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[]`)
	})
	byHeader := strings.NewReplacer(`  body: {bsn: "{person}", periode: {van: "{from}", tot: "{to}"}}`, "  method: GET\n  headers: {X-Pas: \"p-{person}\"}",
		"rows: rechten\n", "", "identifiers: [bsn]", "identifiers: [pass_number]").Replace(mapped)
	byBody := strings.Replace(mapped, "identifiers: [bsn]", "identifiers: [pass_number]", 1)
	for _, text := range []string{byHeader, strings.Replace(byBody, "rows: rechten\n", "", 1)} {
		service := adapters.NewService(rest.New([]byte(text)))
		require.Empty(t, trial.Configure(t, service, s.Config(t, nil), map[string]string{"tls_key": s.Key}))
		r := trial.Request("", "WMO")
		r.Identifiers.PassNumber = "1\r\nX-Evil: 1\", \"a\": \"b"
		_, err := service.Fetch(t.Context(), r)
		require.NoError(t, err)
	}
	require.Equal(t, `GET p-1X-Evil: 1", "a": "b  `, seen[0])
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(seen[1], "POST   ")), &body))
	require.Equal(t, "1\r\nX-Evil: 1\", \"a\": \"b", body["bsn"])
	require.Len(t, body, 2)
}

func TestAnswersThatAreNotAll(t *testing.T) {
	for answer, reason := range map[string]string{
		`200 application/json {"rechten": []}`:                            "",
		`200 application/json {}`:                                         adapters.ReasonBadData,
		`200 application/json {"rechten": [], "errors": ["x"]}`:           adapters.ReasonBadData,
		`200 application/json {"rechten": [], "total": 3}`:                adapters.ReasonBadData,
		`200 text/html <html>`:                                            adapters.ReasonBadData,
		`404 application/json {"rechten": []}`:                            adapters.ReasonSourceUnavailable,
		`403 application/json {}`:                                         adapters.ReasonNotAuthorised,
		`500 application/json {"rechten": []}`:                            adapters.ReasonSourceUnavailable,
		`504 application/json {}`:                                         adapters.ReasonSourceTimeout,
		`200 application/json ` + "{\"rechten\": [" + trial.Number + "]}": "",
	} {
		s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
			part := strings.SplitN(answer, " ", 3)
			w.Header().Set("Content-Type", part[1])
			status := 0
			_, _ = fmt.Sscan(part[0], &status)
			w.WriteHeader(status)
			fmt.Fprint(w, part[2])
		})
		got, err := ask(t, mapped, s.Config(t, nil), map[string]string{"tls_key": s.Key})
		require.Equal(t, reason, adapters.Reason(err), answer)
		require.Empty(t, got)
	}
}
