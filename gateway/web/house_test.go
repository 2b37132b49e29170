package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/web"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
)

// built is where the program is.
var built string

// TestMain makes a folder for the program, which is built when the first test needs it.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ontschot-web-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = filepath.Join(dir, "ontschot")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// house is a family with its gateway as an operator runs it, and both of its doors.
type house struct {
	t        *testing.T
	dir      string
	web      string // host:port
	conn     *grpc.ClientConn
	tls      *tls.Config
	client   *http.Client // HTTP/2
	token    string
	gateway  *exec.Cmd
	family   *casefile.Case
	mu       sync.Mutex
	log      bytes.Buffer
	finished chan struct{}
	api      *jsonschema.Compiler // with the description
	store    *sqlite.Store        // of the gateway's log
	entered  int64                // how long it was when it was last looked at
}

func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseOf(t, "meppel")
}

// newHouseOf is newHouse of a case of its own.
func newHouseOf(t *testing.T, name string) *house {
	t.Helper()
	if _, err := os.Stat(built); err != nil {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", built, "../../cmd/ontschot").CombinedOutput()
		require.NoError(t, err, string(out))
	}
	h := &house{t: t, dir: filepath.Join(t.TempDir(), "meppel"), finished: make(chan struct{})}
	h.run("dev", "init", "--case", name, "--dir", h.dir)
	conf, err := os.OpenFile(filepath.Join(h.dir, "gateway.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = conf.WriteString("https: {listen: 127.0.0.1:0}\n")
	require.NoError(t, err)
	require.NoError(t, conf.Close())
	trust, err := os.ReadFile(filepath.Join(h.dir, "trust.yaml")) // nobody waits for gateways that do not run here
	require.NoError(t, err)
	trust = regexp.MustCompile(`(?m)^ +gateway: .*\n`).ReplaceAll(trust, nil)
	require.NoError(t, os.WriteFile(filepath.Join(h.dir, "trust.yaml"), trust, 0o600))
	h.family, err = casefile.Open(name)
	require.NoError(t, err)
	h.start(io.Discard, "sandbox", "--case", filepath.Join(h.dir, "case.json"), "--dir", h.dir)
	r, w := io.Pipe()
	h.gateway = h.start(w, "serve", "--config", filepath.Join(h.dir, "gateway.yaml"))
	said := make(chan [2]string, 1)
	go h.listen(r, said)
	var at [2]string
	select {
	case at = <-said:
	case <-time.After(time.Minute):
		t.Fatal("the gateway does not say where it listens:\n" + h.said())
	}
	h.web = at[1]
	h.tls = h.certificate("client")
	h.conn, err = grpc.NewClient(at[0], grpc.WithTransportCredentials(credentials.NewTLS(h.tls)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.conn.Close() })
	h.client = &http.Client{Transport: &http.Transport{TLSClientConfig: h.tls.Clone(), ForceAttemptHTTP2: true}, Timeout: 30 * time.Second}
	h.token = h.mint()
	return h
}

// listen keeps what the gateway says, and finds where it listens.
func (h *house) listen(r io.Reader, said chan<- [2]string) {
	defer close(h.finished)
	first, second := regexp.MustCompile(`gateway of \S+ on ([^ ,]+),`), regexp.MustCompile(`JSON over HTTPS on (\S+)`)
	var at [2]string
	for lines := bufio.NewScanner(r); lines.Scan(); {
		h.mu.Lock()
		h.log.WriteString(lines.Text() + "\n")
		h.mu.Unlock()
		if m := first.FindStringSubmatch(lines.Text()); m != nil {
			at[0] = m[1]
		}
		if m := second.FindStringSubmatch(lines.Text()); m != nil {
			at[1] = m[1]
			said <- at
		}
	}
}

func (h *house) said() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

// run runs the program to its end.
func (h *house) run(args ...string) string {
	h.t.Helper()
	var problems bytes.Buffer
	c := exec.CommandContext(h.t.Context(), built, args...)
	c.Stderr = &problems
	out, err := c.Output()
	require.NoError(h.t, err, problems.String())
	return strings.TrimSpace(string(out))
}

// start runs it until the end of the test.
func (h *house) start(stderr io.Writer, args ...string) *exec.Cmd {
	h.t.Helper()
	c := exec.Command(built, args...)
	c.Stderr = stderr
	require.NoError(h.t, c.Start())
	h.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		if w, ok := stderr.(*io.PipeWriter); ok {
			_ = w.Close()
			<-h.finished
		}
	})
	return c
}

// mint gives an access token; what it is for can be narrowed.
func (h *house) mint(args ...string) string {
	h.t.Helper()
	return h.run(append([]string{"dev", "token", "--dir", h.dir}, args...)...)
}

// certificate is how the owner of a folder with cert.pem and key.pem dials.
func (h *house) certificate(folder string) *tls.Config {
	h.t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(h.dir, folder, "cert.pem"), filepath.Join(h.dir, folder, "key.pem"))
	require.NoError(h.t, err)
	ca, err := os.ReadFile(filepath.Join(h.dir, "ca.pem"))
	require.NoError(h.t, err)
	pool := x509.NewCertPool()
	require.True(h.t, pool.AppendCertsFromPEM(ca))
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: pool, ServerName: "localhost"}
}

// entries are those of the log from an index on, as far as two of the same kind are equal.
func (h *house) entries(from int64) (all []string) {
	h.t.Helper()
	if h.store == nil {
		var err error
		h.store, err = sqlite.Open(h.t.Context(), filepath.Join(h.dir, "data", "record.db"))
		require.NoError(h.t, err)
		h.t.Cleanup(func() { h.store.Close() })
	}
	own, ok := h.family.Party(h.family.Requester)
	require.True(h.t, ok)
	require.NoError(h.t, h.store.View(h.t.Context(), own.OIN, func(v audit.Snapshot) error {
		rows, err := v.Rows(from, 1000)
		for _, row := range rows {
			leaf, err := audit.ParseLeaf(row.Leaf)
			if err != nil {
				return err
			}
			all = append(all, fmt.Sprintf("%s %s %s %s subjects=%d consents=%d agreements=%d rests=%d organisations=%d", leaf.Kind, leaf.Activity, leaf.Decision, leaf.Status,
				len(leaf.Subjects), len(leaf.Consents), len(leaf.Agreements), len(leaf.Rests), len(leaf.Organisations)))
		}
		return err
	}))
	return all
}

// bsn of a member of the family.
func (h *house) bsn(ref string) string {
	h.t.Helper()
	m, ok := h.family.Member(identity.PersonRef(ref))
	require.True(h.t, ok)
	return m.BSN
}

// said is what a call says beside its message.
type said map[string][]string

func (h *house) with(token string) said { return said{"authorization": {"Bearer " + token}} }

// grpc calls over gRPC; of a stream it gives the last message.
func (h *house) grpc(r web.Route, in proto.Message, also said) (proto.Message, error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD(also))
	kind, err := protoregistry.GlobalTypes.FindMessageByName(r.Method().Output().FullName())
	require.NoError(h.t, err)
	out := kind.New().Interface()
	if !r.Method().IsStreamingServer() {
		return out, h.conn.Invoke(ctx, r.RPC, in, out)
	}
	stream, err := h.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, r.RPC)
	require.NoError(h.t, err)
	require.NoError(h.t, stream.SendMsg(in))
	require.NoError(h.t, stream.CloseSend())
	for {
		next := kind.New().Interface()
		if err := stream.RecvMsg(next); err != nil {
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		out = next
	}
}

// response is what the JSON door answered.
type response struct {
	*http.Response
	body []byte
}

// do sends one request as it is.
func (h *house) do(client *http.Client, verb, path, body string, header map[string][]string) response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), verb, "https://"+h.web+path, strings.NewReader(body))
	require.NoError(h.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		r.Header.Del(name)
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	got, err := client.Do(r)
	require.NoError(h.t, err, "%s %s %v %d bytes", verb, path, header, len(body))
	defer got.Body.Close()
	raw, err := io.ReadAll(got.Body)
	require.NoError(h.t, err)
	return response{got, raw}
}
