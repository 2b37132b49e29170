package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// programName is under what name the test binary is the program.
const programName = "ontschot"

// TestMain makes the test binary the program too: a gateway starts its adapters
// by running itself, and the stories run it under its name.
func TestMain(m *testing.M) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES"} {
		os.Unsetenv(name)
	}
	os.Setenv("LANG", "nl_NL.UTF-8") // what tests read is Dutch, whatever this machine speaks
	if filepath.Base(os.Args[0]) == programName && !slices.Contains(os.Args, ahead) || len(os.Args) > 1 && slices.Contains([]string{"adapter", "bench", "sandbox", "serve"}, os.Args[1]) {
		main()
	}
	if len(os.Args) == 4 && os.Args[1] == ahead {
		if err := serveAhead(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitNo)
		}
		return
	}
	os.Exit(m.Run())
}

// house is a case that is being played: the parties' systems, a gateway with its
// adapters, and a client.
type house struct {
	t      *testing.T
	dir    string
	family *family.Family
	box    *sandbox.Sandbox
	server *server.Server
	stderr *buffer
}

// buffer collects what several goroutines write.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// options of a house.
type options struct {
	// documents replaces the case's own.
	documents []*ontschotv1.RegisterRequest
	// without sources: every permitted request ends in NO_ADAPTER, which is enough
	// to see what the checks say, and starts no process.
	without bool
	// change may alter the configuration.
	change func(*config.Gateway)
}

// play starts a house and ends it with the test.
func play(t *testing.T, f *family.Family, o options) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), family: f, stderr: new(buffer)}
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(h.dir, layout))
	if o.documents != nil {
		replaceDocuments(t, filepath.Join(h.dir, "documents"), o.documents)
	}
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	if o.without {
		conf.Sources = nil
	} else {
		h.box, err = startSandbox(f.Case, h.dir, nil, io.Discard)
		require.NoError(t, err)
		t.Cleanup(h.box.Close)
	}
	if o.change != nil {
		o.change(conf)
	}
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	t.Cleanup(func() { h.server.Close() })
	return h
}

func replaceDocuments(t *testing.T, dir string, documents []*ontschotv1.RegisterRequest) {
	t.Helper()
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for i, d := range documents {
		raw, err := protojson.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".json"), raw, 0o600))
	}
}

// client asks with a token that mint gives; nil is a good one.
func (h *house) client(mint func() (string, error)) *client.Client {
	h.t.Helper()
	if mint == nil {
		mint = func() (string, error) { return h.family.Token(time.Now(), nil) }
	}
	return openClient(h.t, filepath.Join(h.dir, "client.yaml"), mint)
}

// clientWith is a client of the same gateway that shows another certificate.
func (h *house) clientWith(leaf family.Leaf, mint func() (string, error)) *client.Client {
	h.t.Helper()
	conf, err := config.ReadClient(filepath.Join(h.dir, "client.yaml"))
	require.NoError(h.t, err)
	dir := h.t.TempDir()
	conf.Trust = conf.Path(conf.Trust)
	conf.TLS = config.TLS{Certificate: "cert.pem", Key: "key.pem", CA: conf.Path(conf.TLS.CA)}
	raw, err := yaml.Marshal(conf)
	require.NoError(h.t, err)
	for name, content := range map[string][]byte{"client.yaml": raw, "cert.pem": leaf.CertPEM, "key.pem": leaf.KeyPEM} {
		require.NoError(h.t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return openClient(h.t, filepath.Join(dir, "client.yaml"), mint)
}

// openClient opens a client until the end of the test.
func openClient(t testing.TB, path string, mint func() (string, error)) *client.Client {
	t.Helper()
	c, err := client.Open(path, func(context.Context) (string, error) { return mint() })
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// ask makes the whole request of the case.
func (h *house) ask() (*budgetv1.Budget, error) {
	return h.put(requestOf(h.family.Case))
}

// askDuring asks, and does something once the first of the other sources has answered:
// the decision is recorded by then, and the slow source still to answer.
func (h *house) askDuring(do func()) (*budgetv1.Budget, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	var once sync.Once
	return h.client(nil).AssembleBudget(ctx, requestOf(h.family.Case), func(*ontschotv1.Progress) { once.Do(do) })
}

func (h *house) put(r *ontschotv1.AssembleBudgetRequest) (*budgetv1.Budget, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	return h.client(nil).AssembleBudget(ctx, r, nil)
}

func open(t testing.TB, name string) *family.Family {
	t.Helper()
	cf, err := casefile.Open(name)
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	return f
}

// reason gives code and ErrorInfo reason of a gateway's error.
func reason(t *testing.T, err error) (codes.Code, string, map[string]string) {
	t.Helper()
	require.Error(t, err)
	s, ok := status.FromError(err)
	require.True(t, ok, "%v", err)
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			require.Equal(t, "ontschot.nl", info.GetDomain())
			return s.Code(), info.GetReason(), info.GetMetadata()
		}
	}
	return s.Code(), "", nil
}

// gapOf gives the reason of the gap of one person at one source; empty when there is none.
func gapOf(b *budgetv1.Budget, person identity.PersonRef, source string) string {
	for _, g := range b.GetGaps() {
		if g.GetPerson() == string(person) && g.GetSource() == source && len(g.GetCategories()) == 0 {
			return g.GetReason()
		}
	}
	return ""
}

func logKeys(t *testing.T, p *family.Organisation) audit.Keys {
	t.Helper()
	keys, err := audit.ParseKeys(p.LogPublic)
	require.NoError(t, err)
	return keys
}

// mintToken mints for all that the client of a development folder may ask.
func mintToken(dir string) (string, error) { return mintNarrow(dir, narrowing{}) }
