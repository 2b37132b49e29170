package trial

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// System is a system of an agency over HTTPS, which a test plays.
type System struct {
	URL              string
	CA               string // authority of its certificate and of ours, PEM
	Certificate, Key string // of ours, PEM
	Pair             tls.Certificate
}

// NewSystem serves a handler until the test ends. With mutual the client must show the
// certificate.
func NewSystem(t testing.TB, mutual bool, h http.HandlerFunc) System {
	ca := NewCA(t)
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair("system")}, ClientCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	if mutual {
		server.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	s := System{URL: server.URL, CA: ca.PEM(), Pair: server.TLS.Certificates[0]}
	s.Certificate, s.Key = ca.Issue("gateway")
	return s
}

// Config is the configuration of an adapter of the system, with keys changed or, by nil,
// left out.
func (s System) Config(t testing.TB, change map[string]any) []byte {
	all := map[string]any{
		"party": "GM0193", "scheme_codes": []string{"0193"}, "url": s.URL, "ca_pem": s.CA, "cert_pem": s.Certificate,
	}
	for key, value := range change {
		all[key] = value
		if value == nil {
			delete(all, key)
		}
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return raw
}
