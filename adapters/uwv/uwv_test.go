package uwv

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// connected gives the adapter with a service that answers one thing.
func connected(t *testing.T, status int, kind, body string) adapters.Adapter {
	ca := trial.NewCA(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Contains(t, string(raw), "<Burgerservicenr>"+trial.Number+"<")
		require.Equal(t, `""`, r.Header.Get("SOAPAction"))
		require.Empty(t, r.URL.RawQuery)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair("uwv")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate, key := ca.Issue("gateway")
	settings, err := json.Marshal(map[string]any{"party": "UWV", "url": server.URL, "ca_pem": ca.PEM(), "cert_pem": certificate})
	require.NoError(t, err)
	a := New()
	require.NoError(t, a.Configure(t.Context(), adapters.NewConfig(settings, map[string]string{"tls_key": key})))
	return a
}

// What a service may send, over the connection that it has.
func TestAnswersOverTheLine(t *testing.T) {
	fault := `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:CODE</e:Value></e:Code></e:Fault></e:Body></e:Envelope>`
	for name, c := range map[string]struct {
		status           int
		kind, body, want string
		lines            int
	}{
		"an answer":             {200, "text/xml; charset=utf-8", answer, "", 2},
		"nothing found":         {200, "text/xml", before + "<NietsGevonden/>" + after, "", 0},
		"not allowed":           {200, "text/xml", before + "<NietGerechtigd/>" + after, adapters.ReasonNotAuthorised, 0},
		"an error beside data":  {200, "text/xml", strings.Replace(answer, after, "<FWI><Fout><Code>1</Code></Fout></FWI>"+after, 1), adapters.ReasonSourceUnavailable, 0},
		"a fault":               {200, "application/soap+xml", strings.Replace(fault, "CODE", "Receiver", 1), adapters.ReasonSourceUnavailable, 0},
		"a fault, status 500":   {500, "application/soap+xml", strings.Replace(fault, "CODE", "Receiver", 1), adapters.ReasonSourceUnavailable, 0},
		"a fault, status 400":   {400, "application/soap+xml", strings.Replace(fault, "CODE", "Sender", 1), adapters.ReasonAdapterBug, 0},
		"a wrong type":          {200, "text/html", answer, adapters.ReasonBadData, 0},
		"JSON":                  {200, "text/xml", `{"errors": [{"code": "E1", "message": "x"}]}`, adapters.ReasonBadData, 0},
		"null":                  {200, "text/xml", "null", adapters.ReasonBadData, 0},
		"cut off":               {200, "text/xml", answer[:len(answer)-40], adapters.ReasonBadData, 0},
		"the door":              {403, "text/html", "", adapters.ReasonNotAuthorised, 0},
		"too long a time, over": {504, "text/html", "", adapters.ReasonSourceTimeout, 0},
	} {
		a := connected(t, c.status, c.kind, c.body)
		w := trial.Writer(t, laws()...)
		var scopes []*budgetv1.Scope
		for _, law := range laws() {
			scopes = append(scopes, &budgetv1.Scope{Law: law, Categories: []string{"entitlement"}})
		}
		err := a.Fetch(t.Context(), &budgetv1.FetchRequest{Identifiers: &budgetv1.Identifiers{Bsn: trial.Number}, Scopes: scopes}, w)
		require.Equal(t, c.want, adapters.Reason(err), name)
		if err == nil {
			r, err := w.Response()
			require.NoError(t, err)
			require.Len(t, r.GetLines(), c.lines, name)
		}
	}
}
