package source_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/trial"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// system is an agency's system that a test plays.
type system struct {
	t      *testing.T
	ca     *trial.CA
	server *httptest.Server
}

func newSystem(t *testing.T, answer http.HandlerFunc) *system {
	s := &system{t: t, ca: trial.NewCA(t), server: httptest.NewUnstartedServer(answer)}
	s.server.TLS = &tls.Config{
		Certificates: []tls.Certificate{s.ca.Pair("server")}, ClientCAs: s.ca.Pool(), ClientAuth: tls.VerifyClientCertIfGiven,
	}
	s.server.Config.ErrorLog = nil
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

func (s *system) config(change func(m map[string]any)) adapters.Config {
	certificate, key := s.ca.Issue("gateway")
	m := map[string]any{
		"party": "P", "scheme_codes": []string{"0119"}, "url": s.server.URL, "ca_pem": s.ca.PEM(),
		"cert_pem": certificate, "token_url": s.server.URL + "/token", "client_id": "gateway",
	}
	change(m)
	raw, err := json.Marshal(m)
	require.NoError(s.t, err)
	return adapters.NewConfig(raw, map[string]string{"tls_key": key, "client_secret": "s"})
}

func (s *system) source(needs source.Needs) *source.Source {
	src, err := source.New(s.config(func(map[string]any) {}), needs)
	require.NoError(s.t, err)
	return src
}

func request() source.Message {
	return source.Message{Path: "/ask", Type: "application/json", Body: []byte(`{"bsn":"999940004"}`), Accept: []string{"application/json"}}
}

func TestStatusHasItsReason(t *testing.T) {
	var status atomic.Int64
	s := newSystem(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
	})
	src := s.source(source.Needs{})
	for code, want := range map[int]string{
		200: "", 401: adapters.ReasonNotAuthorised, 403: adapters.ReasonNotAuthorised,
		404: adapters.ReasonSourceUnavailable, 429: adapters.ReasonRateLimited, 500: adapters.ReasonSourceUnavailable,
		503: adapters.ReasonSourceUnavailable, 504: adapters.ReasonSourceTimeout, 204: adapters.ReasonSourceUnavailable,
	} {
		status.Store(int64(code))
		_, err := src.Post(t.Context(), request())
		require.Equal(t, want, adapters.Reason(err), code)
	}
}

func TestRequestIsNotCarriedToAnotherHost(t *testing.T) {
	var elsewhere atomic.Bool
	other := newSystem(t, func(http.ResponseWriter, *http.Request) { elsewhere.Store(true) })
	s := newSystem(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.server.URL+"/ask", http.StatusTemporaryRedirect)
	})
	_, err := s.source(source.Needs{}).Post(t.Context(), request())
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	require.False(t, elsewhere.Load())
}

func TestAnswerHasItsBoundsAndItsType(t *testing.T) {
	s := newSystem(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strings.Repeat(" ", 4<<20+1)))
	})
	_, err := s.source(source.Needs{}).Post(t.Context(), request())
	require.Equal(t, adapters.ReasonBadData, adapters.Reason(err))
	m := request()
	m.Accept = []string{"text/xml"}
	_, err = s.source(source.Needs{}).Post(t.Context(), m)
	require.Equal(t, "Content-Type", adapters.Path(err))
}

func TestServerOfAnotherAuthorityIsNotTrusted(t *testing.T) {
	s := newSystem(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	strange := trial.NewCA(t)
	src, err := source.New(s.config(func(m map[string]any) { m["ca_pem"] = strange.PEM() }), source.Needs{})
	require.NoError(t, err)
	_, err = src.Post(t.Context(), request())
	require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
	require.Equal(t, budgetv1.GapSourceCertificate, adapters.Cause(err))
	require.NotContains(t, err.Error(), "127.0.0.1")
}

// Who can repair it: the source, we, or whoever wrote down the address.
func TestFailuresAreToldApartByWhoCanRepairThem(t *testing.T) {
	s := newSystem(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	s.server.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	ask := func(change func(m map[string]any)) error {
		src, err := source.New(s.config(change), source.Needs{})
		require.NoError(t, err)
		_, err = src.Post(t.Context(), request())
		require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
		return err
	}
	require.Equal(t, budgetv1.GapCertificateRefused, adapters.Cause(ask(func(m map[string]any) { m["cert_pem"] = "" })))
	gone := &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true, Name: "nowhere.invalid"}}
	require.Equal(t, budgetv1.GapNameNotFound, adapters.Cause(adapters.FromTransport(t.Context(), gone)))
	s.server.Close()
	require.Empty(t, adapters.Cause(ask(func(map[string]any) {})), "nobody listens: try again later")
}

func TestTokenIsKeptAndReplacedWhenItIsRefused(t *testing.T) {
	var issued, valid atomic.Int64
	s := newSystem(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":300}`, issued.Add(1))
			return
		}
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", valid.Load()) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	src := s.source(source.Needs{Token: true})
	valid.Store(1)
	for range 3 {
		_, err := src.Post(t.Context(), request())
		require.NoError(t, err)
	}
	require.Equal(t, int64(1), issued.Load())
	valid.Store(2)
	_, err := src.Post(t.Context(), request())
	require.NoError(t, err)
	require.Equal(t, int64(2), issued.Load())
	valid.Store(99)
	_, err = src.Post(t.Context(), request())
	require.Equal(t, adapters.ReasonNotAuthorised, adapters.Reason(err))
}

func TestTokenEndpointThatFailsHasItsReason(t *testing.T) {
	var status atomic.Int64
	s := newSystem(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write([]byte(`{"error":"x","error_description":"999940004"}`))
	})
	for code, want := range map[int]string{
		400: adapters.ReasonNotAuthorised, 401: adapters.ReasonNotAuthorised, 403: adapters.ReasonNotAuthorised,
		500: adapters.ReasonSourceUnavailable, 200: adapters.ReasonBadData,
	} {
		status.Store(int64(code))
		_, err := s.source(source.Needs{Token: true}).Post(t.Context(), request())
		require.Equal(t, want, adapters.Reason(err), code)
		require.Equal(t, want == adapters.ReasonNotAuthorised, adapters.Cause(err) == budgetv1.GapLoginRefused, code)
		require.NotContains(t, err.Error(), "999940004")
	}
}

func TestSlowTokenEndpointEndsWithTheCall(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := newSystem(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server sees the client go
		asked <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := s.source(source.Needs{Token: true}).Post(ctx, request())
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err))
}

// Who signs the answers is said, or that nobody does; nothing passes for either.
func TestWhoSignsAnswers(t *testing.T) {
	s := newSystem(t, func(http.ResponseWriter, *http.Request) {})
	signer := trial.PEM(s.ca.Pair("signer"))
	for name, c := range map[string]struct {
		signer string
		want   int // certificates; -1: refused
	}{
		"nobody was asked": {"", -1}, "nobody signs": {"none", 0}, "one": {signer, 1}, "one follows another": {signer + signer, 2},
		"an authority": {signer + s.ca.PEM(), -1}, "no certificate": {"x", -1}, "a broken one": {strings.Replace(signer, "M", "A", 1), -1},
		"a key": {strings.ReplaceAll(signer, "CERTIFICATE", "PRIVATE KEY"), -1},
	} {
		src, err := source.New(s.config(func(m map[string]any) { m["signer_pem"] = c.signer }), source.Needs{Signer: true})
		if c.want < 0 {
			var at *adapters.ConfigError
			require.ErrorAs(t, err, &at, name)
			require.Equal(t, "signer_pem", at.Path)
			continue
		}
		require.NoError(t, err, name)
		require.Len(t, src.Signers(), c.want, name)
	}
}

func TestConfigurationIsRefusedAtItsKey(t *testing.T) {
	s := newSystem(t, func(http.ResponseWriter, *http.Request) {})
	for path, change := range map[string]func(m map[string]any){
		"party":     func(m map[string]any) { m["party"] = "" },
		"url":       func(m map[string]any) { m["url"] = "http://localhost" },
		"ca_pem":    func(m map[string]any) { m["ca_pem"] = "x" },
		"cert_pem":  func(m map[string]any) { m["cert_pem"] = s.ca.PEM() },
		"token_url": func(m map[string]any) { m["token_url"] = "https://u:p@localhost/token" },
		"client_id": func(m map[string]any) { m["client_id"] = "" },
		"numbers":   func(m map[string]any) { m["numbers"] = "us" },
		"urll":      func(m map[string]any) { m["urll"] = "" },
	} {
		_, err := source.New(s.config(change), source.Needs{Token: true, Certificate: true})
		var at *adapters.ConfigError
		require.ErrorAs(t, err, &at, path)
		require.Equal(t, path, at.Path)
		require.NotEmpty(t, at.NL)
	}
}
