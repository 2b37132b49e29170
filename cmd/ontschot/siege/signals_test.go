package siege_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

func dial(g *gateway) (*tls.Conn, error) {
	d := tls.Dialer{Config: g.certificate(), NetDialer: &net.Dialer{Timeout: patience}}
	c, err := d.Dial("tcp", g.layout.Gateways[g.family.Case.Requester])
	if err != nil {
		return nil, err
	}
	return c.(*tls.Conn), nil
}

// left are the folders of sockets that a process has, or has left.
func (g *gateway) left() []string {
	g.t.Helper()
	all, err := filepath.Glob(filepath.Join(g.tmp, "*"))
	require.NoError(g.t, err)
	return all
}

func (g *gateway) socket() string { return filepath.Join(g.dir, "data", config.OperatorSocket) }

// leavesNothing looks at what is there after an end.
func (g *gateway) leavesNothing() {
	g.t.Helper()
	require.Empty(g.t, g.left(), "folders of sockets")
	require.NoFileExists(g.t, g.socket())
}

// underWay begins a call over each door, which wait for a source that says nothing, and gives
// what becomes of them.
func (g *gateway) underWay(source *mute) (overGRPC, inJSON <-chan error) {
	g.t.Helper()
	begin := func(ask func(context.Context) error) <-chan error {
		result := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			result <- ask(ctx)
		}()
		return result
	}
	await := func(result <-chan error, what <-chan struct{}) {
		g.t.Helper()
		select {
		case <-what:
		case err := <-result:
			g.t.Fatalf("the call ended: %v\n%s", err, tail(g.stderr.String()))
		case <-time.After(patience):
			g.t.Fatal("the call did not begin")
		}
	}
	inJSON = begin(g.askInJSON)
	await(inJSON, source.came)
	heard := make(chan struct{}, 100) // of other sources
	overGRPC = begin(func(ctx context.Context) error {
		_, err := g.ask(ctx, func(*ontschotv1.Progress) { heard <- struct{}{} })
		return err
	})
	await(overGRPC, heard)
	return overGRPC, inJSON
}

// waits lays out a gateway that asks a gateway that says nothing, and has an adapter of its own.
// What it asks of that one ends when the test has it go, and otherwise with the time of a caller.
func waits(t *testing.T) (*gateway, *mute) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer free.Close() // so that no other port drawn is this one
	g := lay(t, true, func(g *gateway, c *config.Gateway) {
		g.https = free.Addr().String()
		c.SourceTimeout, c.HTTPS = "5m", &config.HTTPS{Listen: g.https}
		c.Limits.Drain = "5m"
	})
	of := ""
	for code, p := range g.family.Parties {
		if p.Kind == budgetv1.KindUWV {
			of = code
		}
	}
	return g, silent(t, g.layout.Gateways[of])
}

// The first SIGTERM lets calls under way end: health says so first, and no new call is taken, not even
// over a connection that is open.
func TestSIGTERMDrains(t *testing.T) {
	g, source := waits(t)
	g.start()
	require.NotEmpty(t, g.left(), "an adapter has its folder")
	require.FileExists(t, g.socket())
	c, err := grpc.NewClient(g.layout.Gateways[g.family.Case.Requester], grpc.WithTransportCredentials(credentials.NewTLS(g.certificate())))
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	watch, err := healthv1.NewHealthClient(c).Watch(ctx, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	r, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, r.GetStatus())

	call, inJSON := g.underWay(source)
	g.signal(syscall.SIGTERM)
	r, err = watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, r.GetStatus())
	select {
	case err := <-call:
		t.Fatalf("the call ended before health said so: %v", err)
	default:
	}
	require.True(t, assertEventually(func() bool {
		c, err := net.Dial("tcp", g.layout.Gateways[g.family.Case.Requester])
		if err == nil {
			c.Close()
		}
		return err != nil
	}), "nobody new")
	_, err = ontschotv1.NewAgreementServiceClient(c).ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	require.ErrorContains(t, err, "the gateway is ending; try again", "over a connection of before")
	source.goes()
	require.NoError(t, <-call, "a call under way ends, with a gap for the source that says nothing")
	require.NoError(t, <-inJSON, "also one in JSON")
	require.NoError(t, g.end())
	g.leavesNothing()
}

// A second one ends it at once: what is under way is cut off, and nothing is left behind.
func TestASecondSIGTERMEndsAtOnce(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			g, source := waits(t)
			g.start()
			call, inJSON := g.underWay(source)
			g.signal(syscall.SIGTERM)
			g.says("a second signal ends it at once")
			g.signal(second)
			require.Equal(t, codes.Unavailable, status.Code(<-call), "it was cut off, long before its source's time was over")
			require.Error(t, <-inJSON)
			require.Error(t, g.end())
			require.Equal(t, 3, g.cmd.ProcessState.ExitCode())
			g.says("those were cut off")
			require.NotContains(t, g.stderr.String(), "panic")
			g.leavesNothing()
		})
	}
}

// What kill -9 leaves is swept by the next start; a gateway that lives is not disturbed.
func TestAfterKillNothingIsLeftThatAStartDoesNotSweep(t *testing.T) {
	g, _ := waits(t)
	g.start()
	had := g.left()
	require.NotEmpty(t, had)
	g.signal(syscall.SIGKILL)
	require.Error(t, g.end())
	require.Equal(t, had, g.left(), "killed, it cannot clean up")
	require.FileExists(t, g.socket())

	g.start()
	now := g.left()
	require.Len(t, now, len(had))
	for _, path := range had {
		require.NotContains(t, now, path)
	}

	// Another on the same data folder is refused, and takes nothing.
	other := *g
	other.configure(func(c *config.Gateway) { c.Listen = "127.0.0.1:0" })
	other.run()
	require.Error(t, other.end())
	require.Contains(t, other.stderr.String(), "another gateway runs on this data folder")
	require.Equal(t, now, g.left())
	status, err := exec.Command(os.Getenv(program), "adapter", "status", "--config", filepath.Join(g.dir, "gateway.yaml")).CombinedOutput()
	require.NoError(t, err, "the operator reaches the one that runs: %s", status)
	g.signal(syscall.SIGTERM)
	require.NoError(t, g.end())
	g.leavesNothing()
}

// SIGHUP takes over at once what the files say, the policies of the configuration with it; what
// cannot be used stays as it was.
func TestSIGHUPTakesOver(t *testing.T) {
	g := lay(t, false, func(_ *gateway, c *config.Gateway) { c.Sources, c.Limits.Drain = nil, "0s" })
	g.start()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b, err := g.ask(ctx)
	require.NoError(t, err)
	before := b.GetPolicyRevision()

	require.NoError(t, os.CopyFS(filepath.Join(g.dir, "own"), policies.FS))
	rego, err := filepath.Glob(filepath.Join(g.dir, "own/rules/*/*.rego"))
	require.NoError(t, err)
	require.NotEmpty(t, rego)
	raw, err := os.ReadFile(rego[0])
	require.NoError(t, err)
	g.replace(strings.TrimPrefix(rego[0], g.dir+"/"), append(raw, "\n# a comment makes another revision\n"...))
	g.configure(func(c *config.Gateway) { c.Policies = "own" })
	g.useAnotherKey("sign-2")
	require.NoError(t, g.family.Renew(g.family.Case.Requester))
	own := g.family.Requester()
	g.replace("gateway/key.pem", own.Server.KeyPEM)
	g.replace("gateway/cert.pem", own.Server.CertPEM)
	g.signal(syscall.SIGHUP)
	g.says(`"msg":"other policies are in force","how":"used"`)
	for _, what := range []string{"certificates", "keys", "policies"} {
		g.says(fmt.Sprintf(`"msg":"taken over","what":%q`, what))
	}
	require.Equal(t, string(own.Server.TLS.Leaf.Raw), g.shows())
	g.replace("client/key.pem", own.Client.KeyPEM)
	g.replace("client/cert.pem", own.Client.CertPEM)
	b, err = g.ask(ctx)
	require.NoError(t, err)
	require.Equal(t, "sign-2", signer(t, b))
	after := b.GetPolicyRevision()
	require.NotEqual(t, before, after)

	g.replace(strings.TrimPrefix(rego[0], g.dir+"/"), []byte("package nothing {"))
	g.signal(syscall.SIGHUP)
	g.says("policies not taken over; those in force stay")
	b, err = g.ask(ctx)
	require.NoError(t, err)
	require.Equal(t, after, b.GetPolicyRevision())
	refused := func() bool {
		out, _ := exec.Command(os.Getenv(program), "status", "--config", filepath.Join(g.dir, "gateway.yaml"), "--format", "json").Output()
		require.Contains(t, string(out), `"policy"`)
		return strings.Contains(string(out), server.AttentionPolicy)
	}
	require.True(t, refused())
	g.replace(strings.TrimPrefix(rego[0], g.dir+"/"), append(raw, "\n# a comment makes another revision\n"...))
	g.signal(syscall.SIGHUP)
	require.True(t, assertEventually(func() bool { return !refused() }), "what was refused is mended")
	g.signal(syscall.SIGTERM)
	require.NoError(t, g.end(), "nothing was under way that could be cut off")
	g.leavesNothing()

	// The log says which policies were in force, and is whole.
	out, err := exec.Command(os.Getenv(program), "audit", "verify", "--data", filepath.Join(g.dir, "data")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
