package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// town is a gateway that serves, without adapters: what may be asked becomes a gap.
type town struct {
	t      testing.TB
	dir    string
	family *family.Family
}

func newTown(t testing.TB) *town {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	w := &town{t: t, dir: t.TempDir(), family: f}
	require.NoError(t, f.Write(w.dir, layout))
	conf, err := config.ReadGateway(filepath.Join(w.dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources = nil
	s, err := server.Start(t.Context(), conf, t.Output())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return w
}

func (w *town) token(context.Context) (string, error) { return w.family.Token(time.Now(), nil) }

// with writes a client.yaml beside the good one, with something else in it.
func (w *town) with(from, to string) string {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, "client.yaml"))
	require.NoError(w.t, err)
	changed := strings.Replace(string(raw), from, to, 1)
	require.NotEqual(w.t, string(raw), changed)
	path := filepath.Join(w.dir, "other.yaml")
	require.NoError(w.t, os.WriteFile(path, []byte(changed), 0o600))
	return path
}

func (w *town) open(path string) *client.Client {
	w.t.Helper()
	c, err := client.Open(path, w.token)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { c.Close() })
	return c
}

// request asks one person at one source.
func (w *town) request() *ontschotv1.AssembleBudgetRequest {
	m := w.family.Case.Household[0]
	return &ontschotv1.AssembleBudgetRequest{
		Purpose: w.family.Case.Purpose,
		Window:  &budgetv1.Window{From: w.family.Case.Window.From.String(), To: w.family.Case.Window.To.String()},
		Persons: []*ontschotv1.Person{{Ref: string(m.Ref), Identifiers: &budgetv1.Identifiers{Bsn: m.BSN}}},
		Asks:    []*ontschotv1.Ask{{Person: string(m.Ref), Source: "UWV"}},
	}
}

func TestAClientAsksAndVerifies(t *testing.T) {
	w := newTown(t)
	c := w.open(filepath.Join(w.dir, "client.yaml"))
	var progress []string
	b, err := c.AssembleBudget(t.Context(), w.request(), func(p *ontschotv1.Progress) { progress = append(progress, p.GetSource()) })
	require.NoError(t, err)
	require.Len(t, b.GetGaps(), 1)
	require.Equal(t, "NO_ADAPTER", b.GetGaps()[0].GetReason())
	trust, err := client.ReadTrust(filepath.Join(w.dir, "client.yaml"))
	require.NoError(t, err)
	v, err := trust.Verify(b)
	require.NoError(t, err)
	require.Equal(t, string(w.family.Requester().OIN), v.Releaser)
	require.True(t, v.BuildUntil.After(v.Released) && !v.KeepUntil.Before(v.BuildUntil))
	view, err := c.View(t.Context(), &ontschotv1.ViewRequest{Budget: b, Person: b.GetMatrix()[0].GetPerson()})
	require.NoError(t, err, "the token goes along with a call that is no stream")
	require.Equal(t, b.GetMatrix()[0].GetPerson(), view.GetViewOf())

	// Who believes another organisation gets nothing to work with.
	other := w.open(w.with("releaser: GM0119", "releaser: UWV"))
	b, err = other.AssembleBudget(t.Context(), w.request(), nil)
	require.ErrorIs(t, err, result.ErrMismatch)
	require.Nil(t, b)
}

func TestWithoutATokenNothingIsAsked(t *testing.T) {
	w := newTown(t)
	errNone := errors.New("the issuer is away")
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "of this call")
	c, err := client.Open(filepath.Join(w.dir, "client.yaml"), func(ctx context.Context) (string, error) {
		require.Equal(t, "of this call", ctx.Value(key{}))
		return "", errNone
	})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.AssembleBudget(ctx, w.request(), nil)
	require.ErrorIs(t, err, errNone)
	_, err = c.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{})
	require.ErrorIs(t, err, errNone)
	c, err = client.Open(filepath.Join(w.dir, "client.yaml"), func(context.Context) (string, error) { return "no.token.atall", nil })
	require.NoError(t, err)
	defer c.Close()
	_, err = c.AssembleBudget(ctx, w.request(), nil)
	require.Equal(t, codes.Unauthenticated, status.Code(err))
}

func TestWhatIsWrongWithTheFileIsNamed(t *testing.T) {
	w := newTown(t)
	for name, c := range map[string]struct{ from, to, names string }{
		"no address":            {"gateway: ", "gateway: nowhere #", "host:port"},
		"an unknown key":        {"releaser:", "releasor:", `did you mean "releaser"`},
		"no such party":         {"releaser: GM0119", "releaser: GM9999", "GM9999"},
		"no certificate":        {"client/cert.pem", "client/gone.pem", "gone.pem"},
		"another's key":         {"client/key.pem", "client/token.pem", "tls"},
		"no trust file":         {"trust: trust.yaml", "trust: gone.yaml", "gone.yaml"},
		"no releaser":           {"releaser: GM0119", "releaser: \"\"", "releaser"},
		"authorities of no use": {"ca.pem", "client/case", "tls"},
	} {
		_, err := client.Open(w.with(c.from, c.to), w.token)
		require.ErrorIs(t, err, client.ErrConfig, name)
		require.ErrorContains(t, err, c.names, name)
	}
	_, err := client.Open(filepath.Join(w.dir, "client.yaml"), nil)
	require.ErrorIs(t, err, client.ErrConfig)
	_, err = client.Open(filepath.Join(w.dir, "gone.yaml"), w.token)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = client.ReadTrust(w.with("releaser: GM0119", "releaser: GM9999"))
	require.ErrorIs(t, err, client.ErrConfig)
}

// again answers every request with one budget.
type again struct {
	ontschotv1.UnimplementedExchangeServiceServer
	budget *budgetv1.Budget
}

func (a again) AssembleBudget(_ *ontschotv1.AssembleBudgetRequest, stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) error {
	if a.budget == nil {
		return nil
	}
	return stream.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Budget{Budget: a.budget}})
}

// A budget that was released, and verifies, is no answer to another request.
func TestAnEarlierBudgetIsNoAnswer(t *testing.T) {
	w := newTown(t)
	r := w.request()
	b, err := w.open(filepath.Join(w.dir, "client.yaml")).AssembleBudget(t.Context(), r, nil)
	require.NoError(t, err)
	conf, err := config.ReadClient(filepath.Join(w.dir, "client.yaml"))
	require.NoError(t, err)
	serve := func(a again) *client.Client {
		l, err := net.Listen("tcp", "localhost:0")
		require.NoError(t, err)
		s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{w.family.Requester().Server.TLS}})))
		ontschotv1.RegisterExchangeServiceServer(s, a)
		go s.Serve(l)
		t.Cleanup(s.Stop)
		return w.open(w.with(conf.Gateway, l.Addr().String()))
	}
	c := serve(again{budget: b})
	got, err := c.AssembleBudget(t.Context(), r, nil)
	require.NoError(t, err)
	require.True(t, proto.Equal(b, got))
	for name, change := range map[string]func(*ontschotv1.AssembleBudgetRequest){
		"purpose": func(r *ontschotv1.AssembleBudgetRequest) { r.Purpose = "integral_budget.other" },
		"window":  func(r *ontschotv1.AssembleBudgetRequest) { r.Window.To = "2024-01-01" },
		"person":  func(r *ontschotv1.AssembleBudgetRequest) { r.Persons[0].Ref = "other" },
		"persons": func(r *ontschotv1.AssembleBudgetRequest) {
			r.Persons = append(r.Persons, &ontschotv1.Person{Ref: "more"})
		},
	} {
		other := proto.CloneOf(r)
		change(other)
		got, err := c.AssembleBudget(t.Context(), other, nil)
		require.ErrorIs(t, err, result.ErrMismatch, name)
		require.Nil(t, got, name)
	}
	_, err = serve(again{}).AssembleBudget(t.Context(), r, nil)
	require.ErrorIs(t, err, result.ErrMismatch, "a stream without a budget")
}

// A municipal system is a module of its own: all it needs of this one is public. The
// module cache suffices to build it.
func TestAModuleOfItsOwnUsesTheClient(t *testing.T) {
	w := newTown(t)
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for from, to := range map[string]string{"testdata/municipal/main.go": "main.go", "../../go.sum": "go.sum"} {
		raw, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), raw, 0o600))
	}
	ours, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(ours), "\ngo ")
	version, _, _ := strings.Cut(rest, "\n")
	mod := "module municipal.example/budget\n\ngo " + version + "\n\nrequire github.com/ontschot/ontschot v0.0.0\n\nreplace github.com/ontschot/ontschot => " + root + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "municipal", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	raw, err := protojson.Marshal(w.request())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "request.json"), raw, 0o600))
	token, err := w.token(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(token), 0o600))
	run := exec.CommandContext(t.Context(), "./municipal", filepath.Join(w.dir, "client.yaml"), "token", "request.json")
	run.Dir = dir
	out, err = run.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "verified: released by "+string(w.family.Requester().OIN)+", gaps: 1, complete: false")
}
