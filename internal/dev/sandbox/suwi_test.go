package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/trial"
	"github.com/ontschot/ontschot/adapters/uwv"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// question is what the adapter of UWV sends about somebody.
func question(t *testing.T, ca *trial.CA, certificate, key, bsn string) (raw []byte) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		raw, err = io.ReadAll(r.Body)
		require.NoError(t, err)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair("uwv")}}
	server.StartTLS()
	defer server.Close()
	settings, err := json.Marshal(map[string]any{"party": "UWV", "url": server.URL, "ca_pem": ca.PEM(), "cert_pem": certificate, "signer_pem": "none"})
	require.NoError(t, err)
	a := uwv.New()
	require.NoError(t, a.Configure(t.Context(), adapters.NewConfig(settings, map[string]string{"tls_key": key})))
	require.Error(t, a.Fetch(t.Context(), &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: bsn}, Scopes: []*budgetv1.Scope{{Law: "WIA", Categories: []string{"entitlement"}}},
	}, trial.Writer(t, "WIA")), "there is no answer")
	return raw
}

// What the adapter of UWV asks and what UWV answers here, of every case, is as published as
// far as anything is: the question is that of UWV's service for wages, which has a period
// beside it that need not be; the answer that of SVB's, and a provision is assumed.
func TestSuwiIsAsPublished(t *testing.T) {
	published := trial.NewSuwi(t, map[string]string{
		"suwi:UWVPersoonsWvInfo": "suwi:UWVPersoonsIkvInfo", "suwi:UWVPersoonsWvInfoResponse": "suwi:SVBPersoonsInfoResponse",
	}, "Voorziening", "CdPositiefNegatief")
	files, err := filepath.Glob("../../../cmd/ontschot/testdata/*/*.json")
	require.NoError(t, err)
	held := 0
	for _, name := range append(casefile.Names(), files...) {
		c, err := casefile.Open(name)
		if err != nil || len(c.Records["UWV"]) == 0 {
			continue // a vector
		}
		ca := trial.NewCA(t)
		box, err := sandbox.Start(sandbox.Config{
			Case: c, CA: ca.Pool(), Certificate: ca.Pair, ClientSecret: func(string) string { return secret },
		})
		require.NoError(t, err)
		for _, m := range c.Household {
			certificate, key := ca.Issue("gateway")
			pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
			require.NoError(t, err)
			asked := question(t, ca, certificate, key, m.BSN)
			published.Hold(t, asked)
			answer := post(t, ca, pair, box.URL("UWV"), asked)
			if strings.Contains(answer, "NietGerechtigd") || strings.Contains(answer, "Nieuw") {
				continue // declared, and not in the choice of an answer; what nobody knows
			}
			published.Hold(t, []byte(answer))
			held++
		}
		box.Close()
	}
	require.Greater(t, held, 20)
	published.Used(t)
}

func post(t *testing.T, ca *trial.CA, pair tls.Certificate, address string, body []byte) string {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("SOAPAction", `""`)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{pair}}}}
	defer client.CloseIdleConnections()
	got, err := client.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, http.StatusOK, got.StatusCode)
	text, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return string(text)
}
