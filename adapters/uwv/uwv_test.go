package uwv

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/wss"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// sealed gives an answer as the service signs it; what is no answer stays as it is.
func sealed(t *testing.T, with tls.Certificate, question, body string) string {
	inner := regexp.MustCompile(`(?s)<s:Body>(.*)</s:Body></s:Envelope>$`).FindStringSubmatch(body)
	if inner == nil {
		return body
	}
	raw, err := wss.Sign(with, time.Now(), []wss.Part{wss.Header("RelatesTo", "about", question)}, inner[1])
	require.NoError(t, err)
	return string(raw)
}

// connected gives the adapter with a service that answers one thing.
func connected(t *testing.T, status int, kind, body string) adapters.Adapter {
	ca := trial.NewCA(t)
	pair := ca.Pair("uwv")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Contains(t, string(raw), "<Burgerservicenr>"+trial.Number+"<")
		require.Equal(t, `""`, r.Header.Get("SOAPAction"))
		require.Empty(t, r.URL.RawQuery)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		question := regexp.MustCompile(">(urn:uuid:[^<]*)<").FindStringSubmatch(string(raw))[1]
		_, _ = io.WriteString(w, sealed(t, pair, question, body))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	server.StartTLS()
	t.Cleanup(server.Close)
	certificate, key := ca.Issue("gateway")
	settings, err := json.Marshal(map[string]any{"party": "UWV", "url": server.URL, "ca_pem": ca.PEM(), "cert_pem": certificate, "signer_pem": trial.PEM(pair)})
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

// An answer counts when UWV signed it, now, in answer to this question; so does one that says
// that there is nothing. A fault is one by whomever.
func TestAnswersAreOfUWVAndOfThisQuestion(t *testing.T) {
	ca := trial.NewCA(t)
	pair, stranger := ca.Pair("uwv"), ca.Pair("uwv")
	signers := []*x509.Certificate{pair.Leaf}
	const question = "urn:uuid:1"
	nothing := before + "<NietsGevonden/>" + after
	fault := `<s:Envelope xmlns:s="` + wss.SOAP + `"><s:Body><s:Fault><faultcode>s:Server</faultcode></s:Fault></s:Body></s:Envelope>`
	for name, c := range map[string]struct {
		raw   string
		sound bool
	}{
		"signed":                {sealed(t, pair, question, answer), true},
		"nothing, signed":       {sealed(t, pair, question, nothing), true},
		"a fault":               {fault, true},
		"unsigned":              {answer, false},
		"nothing, unsigned":     {nothing, false},
		"by a stranger":         {sealed(t, stranger, question, answer), false},
		"of another question":   {sealed(t, pair, "urn:uuid:2", nothing), false},
		"of no question":        {strings.Replace(sealed(t, pair, "", nothing), question, "", 1), false},
		"a fault and an answer": {strings.Replace(fault, "</s:Body>", "</s:Body>"+answer[strings.Index(answer, "<s:Body>"):strings.Index(answer, "</s:Envelope>")], 1), false},
		"no XML":                {"null", false},
	} {
		_, err := soap.Genuine([]byte(c.raw), question, signers)
		require.Equal(t, c.sound, err == nil, name)
		if err != nil {
			require.Equal(t, adapters.ReasonBadData, adapters.Reason(err), name)
			require.NotContains(t, err.Error()+adapters.Path(err), trial.Number, name)
		}
		same, err := soap.Genuine([]byte(c.raw), question, nil)
		require.NoError(t, err, "where answers are not signed")
		require.Equal(t, c.raw, string(same))
	}
}
