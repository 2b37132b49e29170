package web_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/admission"
)

// What is wrong with a request is told as a problem, whatever it is, in either version of HTTP, and
// nothing of it is written down.
func TestAHostileRequestIsToldWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	bsn := h.bsn("A1")
	const find, list = "/v1/consent-searches", "/v1/agreements"
	good := fmt.Sprintf(`{"identifiers":{"bsn":%q},"purpose":%q}`, bsn, h.family.Purpose)
	token := "Bearer " + h.token
	type header = map[string][]string
	before := h.tls.Clone()
	before.NextProtos = []string{"http/1.1"}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: before}, Timeout: 30 * time.Second}
	for _, c := range []struct {
		name, verb, path, body string
		header                 header
		status                 int
		reason                 string
	}{
		{"as it should be", "POST", find, good, nil, 200, ""},
		{"with a character set", "POST", find, good, header{"Content-Type": {"application/json; charset=UTF-8"}}, 200, ""},
		{"accepting it", "POST", find, good, header{"Accept": {"text/html;q=0.9, application/json"}}, 200, ""},
		{"accepting anything", "POST", find, good, header{"Accept": {"*/*"}}, 200, ""},
		{"with a cookie", "POST", find, good, header{"Cookie": {"a=b"}}, 200, ""},
		{"with headers that mean nothing", "POST", find, good, header{"Grpc-Timeout": {"1n"}, "X-Http-Method-Override": {"DELETE"}, "X-Forwarded-Client-Cert": {"x"}, "Grpc-Encoding": {"gzip"}, "Traceparent": {"00-" + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 16) + "-01"}}, 200, ""},
		{"of the same origin", "POST", find, good, header{"Origin": {"https://" + h.web}}, 200, ""},
		{"another path", "GET", "/", "", nil, 404, "NO_SUCH_PATH"},
		{"a slash at the end", "GET", list + "/", "", nil, 404, "NO_SUCH_PATH"},
		{"two slashes", "GET", "/v1//agreements", "", nil, 404, "NO_SUCH_PATH"},
		{"dots", "GET", "/v1/x/../agreements", "", nil, 404, "NO_SUCH_PATH"},
		{"in capitals", "GET", "/V1/agreements", "", nil, 404, "NO_SUCH_PATH"},
		{"escaped", "GET", "/v1/%61greements", "", nil, 404, "NO_SUCH_PATH"},
		{"an id of nothing", "GET", list + "/", "", nil, 404, "NO_SUCH_PATH"},
		{"a call of another gateway", "POST", "/v1/permits", good, nil, 404, "NO_SUCH_PATH"},
		{"the call itself", "POST", "/ontschot.v1.PeerService/Fetch", good, nil, 404, "NO_SUCH_PATH"},
		{"another method", "PUT", list, "", nil, 405, "METHOD_NOT_ALLOWED"},
		{"DELETE", "DELETE", list + "/x", "", nil, 405, "METHOD_NOT_ALLOWED"},
		{"GET of what is asked", "GET", find, "", nil, 405, "METHOD_NOT_ALLOWED"},
		{"HEAD", "HEAD", list, "", nil, 405, ""},
		{"OPTIONS", "OPTIONS", list, "", header{"Origin": {"https://example.nl"}, "Access-Control-Request-Method": {"POST"}}, 405, "METHOD_NOT_ALLOWED"},
		{"a made-up method", "FETCH", list, "", nil, 405, "METHOD_NOT_ALLOWED"},
		{"a page of another site", "POST", find, good, header{"Origin": {"https://example.nl"}}, 403, "CROSS_ORIGIN"},
		{"what a browser says of it", "POST", find, good, header{"Sec-Fetch-Site": {"cross-site"}}, 403, "CROSS_ORIGIN"},
		{"accepting text", "POST", find, good, header{"Accept": {"text/html"}}, 406, "NOT_ACCEPTABLE"},
		{"accepting it not at all", "POST", find, good, header{"Accept": {"application/json;q=0"}}, 406, "NOT_ACCEPTABLE"},
		{"accepting no lines", "POST", "/v1/budgets", good, header{"Accept": {"application/json"}}, 406, "NOT_ACCEPTABLE"},
		{"a form", "POST", find, good, header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415, "NOT_JSON"},
		{"no type", "POST", find, good, header{"Content-Type": {""}}, 415, "NOT_JSON"},
		{"two types", "POST", find, good, header{"Content-Type": {"application/json", "text/html"}}, 415, "NOT_JSON"},
		{"another character set", "POST", find, good, header{"Content-Type": {"application/json; charset=latin1"}}, 415, "NOT_JSON"},
		{"compressed", "POST", find, good, header{"Content-Encoding": {"gzip"}}, 415, "NOT_JSON"},
		{"a question in the address", "POST", find + "?bsn=" + bsn, good, nil, 400, "INVALID_FIELD"},
		{"an empty question in the address", "POST", find + "?", good, nil, 400, "INVALID_FIELD"},
		{"a parameter that nobody knows", "GET", list + "?bsn=" + bsn, "", nil, 400, "INVALID_FIELD"},
		{"one in another case", "GET", list + "?page_size=1", "", nil, 400, "INVALID_FIELD"},
		{"one twice", "GET", list + "?pageSize=1&pageSize=2", "", nil, 400, "INVALID_FIELD"},
		{"one that is no number", "GET", list + "?pageSize=1e3", "", nil, 400, "INVALID_FIELD"},
		{"one that is no UTF-8", "GET", list + "?with=%ff", "", nil, 400, "INVALID_FIELD"},
		{"one that is not escaped", "GET", list + "?with=%zz", "", nil, 400, "INVALID_FIELD"},
		{"a path that is no UTF-8", "GET", list + "/%ff", "", nil, 400, "INVALID_FIELD"},
		{"GET with a body", "GET", list, `{}`, nil, 400, "INVALID_FIELD"},
		{"what is in the path as well", "POST", "/v1/consents/x/withdrawals", `{"id":"y"}`, nil, 400, "INVALID_FIELD"},
		{"another field", "POST", find, `{"identifiers":{"bsn":"` + bsn + `","` + bsn + `":1}}`, nil, 400, "INVALID_FIELD"},
		{"a body that is too large", "POST", find, `{"purpose":"` + strings.Repeat("x", 4*admission.MaxRequest) + `"}`, nil, 413, "BODY_TOO_LARGE"},
		{"a message that is too large", "POST", find, `{"purpose":"` + strings.Repeat("x", admission.MaxRequest) + `"}`, nil, 413, "BODY_TOO_LARGE"},
		{"no body", "POST", find, "", nil, 400, "INVALID_FIELD"},
		{"no body, and a type", "POST", "/v1/consents/x/withdrawals", "", header{"Content-Type": {"application/json"}}, 404, "NO_DOCUMENT"},
		{"no token", "POST", find, good, header{"Authorization": nil, "Traceparent": {"00-" + strings.Repeat("c", 32) + "-" + strings.Repeat("b", 16) + "-01"}}, 401, "TOKEN_MISSING"},
		{"a token in the address", "GET", list + "?access_token=" + h.token, "", header{"Authorization": nil}, 400, "INVALID_FIELD"},
	} {
		also := header{"Authorization": {token}}
		for name, values := range c.header {
			also[name] = values
		}
		for version, client := range map[int]*http.Client{2: h.client, 1: old} {
			got := h.do(client, c.verb, c.path, c.body, also)
			require.Equal(t, version, got.ProtoMajor, c.name)
			h.sound(got)
			require.Equal(t, c.status, got.StatusCode, "%s: %s", c.name, got.body)
			require.NotContains(t, string(got.body), bsn, c.name)
			if c.status == http.StatusOK || c.verb == "HEAD" {
				continue
			}
			_ = h.problem(got)
			var p told
			require.NoError(t, json.Unmarshal(got.body, &p))
			require.Equal(t, c.reason, p.Reason, c.name)
			require.Equal(t, "tag:ontschot.nl,2026:"+c.reason, p.Type)
			require.Equal(t, c.status == 405, got.Header.Get("Allow") != "", c.name)
			require.Equal(t, c.status == 401, got.Header.Get("WWW-Authenticate") != "", c.name)
		}
	}
	for name, c := range map[string]struct{ body, in, pointer, field string }{
		"a field of the message":    {`{"identifiers":{"bsn":"` + bsn + `"},"purpose":"` + h.family.Purpose + `","pageSize":501}`, "body", "/pageSize", "page_size"},
		"a field that nobody knows": {`{"identifiers":{"bsm":"1"}}`, "body", "/identifiers/bsm", "identifiers.bsm"},
		"no JSON":                   {`x`, "body", "", "body"},
	} {
		got := h.do(h.client, "POST", find, c.body, header{"Authorization": {token}})
		var p told
		require.NoError(t, json.Unmarshal(got.body, &p))
		require.Len(t, p.Errors, 1, name)
		require.Equal(t, []string{c.in, c.pointer, c.field}, []string{p.Errors[0].In, p.Errors[0].Pointer, p.Errors[0].Field}, name)
	}
	h.oneKeyIsOneKey()
	described := h.do(h.client, "GET", "/v1/openapi.json", "", nil)
	want, err := os.ReadFile("openapi.json")
	require.NoError(t, err)
	require.Equal(t, want, described.body)
	for _, config := range []*tls.Config{{RootCAs: h.tls.RootCAs, ServerName: "localhost"}, {RootCAs: h.tls.RootCAs, ServerName: "localhost", Certificates: h.tls.Certificates, MaxVersion: tls.VersionTLS12}} {
		_, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: config}}).Get("https://" + h.web + "/v1/openapi.json")
		require.Error(t, err, "no certificate, or an old TLS")
	}
	require.NoError(t, h.gateway.Process.Signal(syscall.SIGTERM))
	require.NoError(t, h.gateway.Wait())
	require.NotContains(t, h.said(), bsn)
	require.Contains(t, h.said(), `"reason":"METHOD_NOT_ALLOWED"`)
	require.Contains(t, h.said(), strings.Repeat("c", 32), "the trace of the caller")
}

// A key is one key, whether it comes as metadata, as a header, or quoted as RFC 8941 has it.
func (h *house) oneKeyIsOneKey() {
	h.t.Helper()
	key := uuid.NewString()
	ask := func(purpose, key string) response {
		return h.do(h.client, "POST", "/v1/delegations", `{"to":"00000099000005503000","purposes":["`+purpose+`"],"from":"2025-06-30","until":"2025-12-31"}`,
			map[string][]string{"Authorization": {"Bearer " + h.token}, "Idempotency-Key": {key}})
	}
	first, again, other := ask(h.family.Purpose, key), ask(h.family.Purpose, `"`+key+`"`), ask("consents.keep", key)
	require.Equal(h.t, http.StatusOK, first.StatusCode, string(first.body))
	var one, two struct{ ID string }
	require.NoError(h.t, json.Unmarshal(first.body, &one))
	require.NoError(h.t, json.Unmarshal(again.body, &two))
	require.NotEmpty(h.t, one.ID)
	require.Equal(h.t, one.ID, two.ID)
	require.Equal(h.t, http.StatusConflict, other.StatusCode)
	require.Contains(h.t, string(other.body), `"reason":"IDEMPOTENCY_KEY_REUSED"`)
}
