package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/refusal"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// exchange stands for a gateway in the moments that are hard to bring about in one.
type exchange struct {
	ontschotv1.UnimplementedExchangeServiceServer
	after error
	ended chan error
	wait  bool
}

// AssembleBudget says of two sources that they are done, and then what it was told to.
func (e *exchange) AssembleBudget(_ *ontschotv1.AssembleBudgetRequest, s ontschotv1.ExchangeService_AssembleBudgetServer) error {
	if e.wait { // who has hung up by the second line is heard of too
		defer func() { <-s.Context().Done(); e.ended <- s.Context().Err() }()
	}
	for i := range int32(2) {
		if err := s.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Progress{Progress: &ontschotv1.Progress{Source: "UWV", Heard: i + 1, Asked: 3}}}); err != nil {
			return err
		}
	}
	if e.wait {
		<-s.Context().Done()
	}
	return refusal.Of(e.after)
}

func serve(t *testing.T, e *exchange) (*httptest.Server, *grpc.Server) {
	t.Helper()
	calls := grpc.NewServer()
	ontschotv1.RegisterExchangeServiceServer(calls, e)
	s := httptest.NewUnstartedServer(New(calls, slog.New(slog.DiscardHandler)))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(func() { s.Close(); calls.Stop() })
	return s, calls
}

func post(t *testing.T, ctx context.Context, s *httptest.Server, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(`{}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	got, err := s.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = got.Body.Close() })
	return got
}

// A stream that has begun cannot take its 200 back: its last line is the error, with all that an
// error says elsewhere.
func TestAStreamThatFailsSaysSoInItsLastLine(t *testing.T) {
	for name, after := range map[string]error{"refused": admission.Invalid("window", "is too long"), "unsaid": errors.New("internal"), "well": nil} {
		s, _ := serve(t, &exchange{after: after})
		got := post(t, t.Context(), s, "/v1/budgets")
		require.Equal(t, http.StatusOK, got.StatusCode, name)
		require.Equal(t, "application/x-ndjson", got.Header.Get("Content-Type"))
		raw, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		require.JSONEq(t, `{"progress":{"source":"UWV","heard":2,"asked":3}}`, lines[1])
		if after == nil {
			require.Len(t, lines, 2)
			continue
		}
		require.Len(t, lines, 3)
		require.Equal(t, string(lineOf(map[string]problem{"problem": problemOf(refusal.Of(after), &compiled()[1])})), lines[2]+"\n", name)
	}
}

// Who hangs up is asked no further: the call ends, at once.
func TestACallerWhoHangsUpEndsTheCall(t *testing.T) {
	e := &exchange{wait: true, ended: make(chan error, 1)}
	s, _ := serve(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	got := post(t, ctx, s, "/v1/budgets")
	first, err := bufio.NewReader(got.Body).ReadString('\n')
	require.NoError(t, err, "a line comes when it is there, and not at the end")
	require.Contains(t, first, `"heard":1`)
	cancel()
	select {
	case err := <-e.ended:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(20 * time.Second):
		t.Fatal("the call goes on")
	}
}

// A server that has ended, and a call that it does not know, are told as errors.
func TestAServerThatEndsIsNoAnswer(t *testing.T) {
	s, calls := serve(t, &exchange{})
	got := post(t, t.Context(), s, "/v1/consents")
	require.Equal(t, http.StatusNotImplemented, got.StatusCode)
	calls.Stop()
	got = post(t, t.Context(), s, "/v1/budgets")
	require.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
	var p problem
	require.NoError(t, json.NewDecoder(got.Body).Decode(&p))
	require.Equal(t, "UNAVAILABLE", p.Code)
}

// Whatever the server writes, in whichever pieces, is either whole messages or an error.
func TestAnAnswerInPiecesIsWhole(t *testing.T) {
	r := &compiled()[1]
	frame := []byte{0, 0, 0, 0, 4, 0x0a, 0x02, 0x20, 0x01} // progress {heard: 1}
	for cut := range len(frame) {
		w := httptest.NewRecorder()
		a := &answer{w: w, route: r, header: http.Header{"Grpc-Status": {"0"}}}
		for _, piece := range [][]byte{frame[:cut], frame[cut:], frame[:cut], frame[cut:]} {
			n, err := a.Write(piece)
			require.NoError(t, err)
			require.Equal(t, len(piece), n)
		}
		require.NoError(t, a.status())
		require.Equal(t, strings.Repeat("{\"progress\":{\"heard\":1}}\n", 2), w.Body.String())
	}
	a := &answer{w: httptest.NewRecorder(), route: r, header: http.Header{"Grpc-Status": {"0"}}}
	_, err := a.Write([]byte{0, 0, 0, 0, 1, 0xff})
	require.NoError(t, err)
	require.Equal(t, codes.Internal, status.Code(a.status()))
}
