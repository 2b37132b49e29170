package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// endingText is what whoever calls a gateway that is ending hears.
const endingText = "the gateway is ending; try again at this address in a few seconds"

// held begins a search over HTTPS and gives how to send the rest of it, once it has been let in.
func (h *town) held(ctx context.Context, token string) (rest io.WriteCloser, answer <-chan *http.Response) {
	h.t.Helper()
	body, rest := io.Pipe()
	begun, said := make(chan struct{}), make(chan *http.Response, 1)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { close(begun) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+h.server.HTTPSAddr.String()+"/v1/consent-searches", body)
	require.NoError(h.t, err)
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Expect": {"100-continue"}}
	by := &http.Client{Transport: &http.Transport{TLSClientConfig: h.client(), ExpectContinueTimeout: time.Minute}}
	go func() {
		got, err := by.Do(r)
		if err != nil {
			h.t.Error(err)
		}
		said <- got
	}()
	select {
	case <-begun: // the gateway has begun to read it
	case <-ctx.Done():
		h.t.Fatal("the request was not let in")
	}
	return rest, said
}

// client is the TLS of the requester's own system.
func (h *town) client() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: h.family.CA, ServerName: "127.0.0.1", Certificates: []tls.Certificate{h.family.Requester().Client.TLS}}
}

// While a request in JSON is waited for, no door takes another call: neither one over a connection
// that was open before, nor one over HTTP; and that request is answered, by the same gRPC server.
func TestAGatewayThatEndsTakesNoNewCall(t *testing.T) {
	h := newTown(t, func(c *config.Gateway) {
		c.HTTPS, c.AuthZEN = &config.HTTPS{Listen: "127.0.0.1:0"}, &config.AuthZEN{Listen: "127.0.0.1:0"}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	token, err := h.family.Token(time.Now(), nil)
	require.NoError(t, err)
	conn, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(h.client())))
	require.NoError(t, err)
	defer conn.Close()
	call := func() error {
		_, err := ontschotv1.NewAgreementServiceClient(conn).ListAgreements(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), &ontschotv1.ListAgreementsRequest{})
		return err
	}
	require.NoError(t, call())
	rest, answer := h.held(ctx, token)

	whole := make(chan bool, 1)
	go func() { whole <- h.server.Drain(ctx) }()
	for err = call(); err == nil; err = call() {
	}
	require.Equal(t, codes.Unavailable, status.Code(err), "a new call over the connection of before")
	require.Contains(t, err.Error(), endingText)
	_, err = ontschotv1.NewPeerServiceClient(conn).Holds(ctx, &ontschotv1.HoldsRequest{})
	require.Contains(t, err.Error(), endingText, "before anything of it is looked at")
	is, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err, "health is no call")
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, is.GetStatus())

	for i, path := range []string{"/access/v1/evaluation", "/v1/consent-searches"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
		r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
		h.server.web[i].Handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusServiceUnavailable, w.Code, path)
		var told struct{ Detail string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &told))
		require.Equal(t, endingText, told.Detail, path)
	}

	body, err := json.Marshal(map[string]any{"purpose": h.family.Case.Purpose, "identifiers": map[string]string{"bsn": h.family.Case.Household[0].BSN}})
	require.NoError(t, err)
	_, err = rest.Write(body)
	require.NoError(t, err)
	require.NoError(t, rest.Close())
	got := <-answer
	require.NotNil(t, got)
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.StatusCode, string(raw))
	require.True(t, <-whole, "nothing was cut off")
	require.NotContains(t, h.log.String(), h.family.Case.Household[0].BSN)
}
