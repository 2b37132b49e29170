// Package seen_test looks at a gateway as who runs it does: the built program, from outside.
package seen_test

import (
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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// built is the name of the variable that says where the program is.
const built = "ONTSCHOT_SEEN_PROGRAM"

// TestMain builds the program once.
func TestMain(m *testing.M) {
	os.Exit(tested(m))
}

func tested(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ontschot-seen-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ontschot")
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "../../cmd/ontschot").CombinedOutput()
	if err == nil {
		err = os.Setenv(built, path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err, string(out))
		return 1
	}
	return m.Run()
}

// lines collects what several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// patience is how long something that is on its way may take on a machine that is busy.
const patience = 60 * time.Second

// town is the gateway of a municipality, its sources, and a folder: all of it the built program.
type town struct {
	t     *testing.T
	dir   string
	of    *casefile.Case
	log   *lines
	serve *exec.Cmd
	admin string
}

// run runs the program to its end, and gives what it printed and its exit code.
func run(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	c := exec.Command(os.Getenv(built), args...)
	raw, err := c.CombinedOutput()
	if c.ProcessState == nil {
		require.NoError(t, err)
	}
	return string(raw), c.ProcessState.ExitCode()
}

// newTown plays a case whose gateway runs with these variables of the environment.
func newTown(t *testing.T, env ...string) *town {
	t.Helper()
	w := &town{t: t, dir: filepath.Join(t.TempDir(), "town"), log: new(lines)}
	out, code := run(t, "dev", "init", "--case", "meppel", "--dir", w.dir)
	require.Zero(t, code, out)
	var err error
	w.of, err = casefile.Open("meppel")
	require.NoError(t, err)
	conf, err := os.OpenFile(filepath.Join(w.dir, "gateway.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = conf.WriteString("admin: {listen: 127.0.0.1:0}\n")
	require.NoError(t, err)
	require.NoError(t, conf.Close())
	w.start(nil, "sandbox", "--case", filepath.Join(w.dir, "case.json"), "--dir", w.dir)
	w.serve = w.start(env, "serve", "--config", filepath.Join(w.dir, "gateway.yaml"))
	require.Eventually(t, func() bool {
		is, _ := w.status()
		for _, l := range is.GetListeners() {
			if l.GetName() == "admin" {
				w.admin = "http://" + l.GetAddress()
			}
		}
		return w.admin != "" && is.GetReady()
	}, patience, 100*time.Millisecond, "%s", w.log)
	return w
}

// start starts the program, until the end of the test.
func (w *town) start(env []string, args ...string) *exec.Cmd {
	w.t.Helper()
	c := exec.Command(os.Getenv(built), args...)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = w.log, w.log
	require.NoError(w.t, c.Start())
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	w.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = c.Process.Kill()
			w.t.Errorf("%s did not end", args[0])
		}
	})
	return c
}

// status asks the program how the gateway stands.
func (w *town) status() (*ontschotv1.GetStatusResponse, int) {
	w.t.Helper()
	c := exec.Command(os.Getenv(built), "status", "--format", "json", "--config", filepath.Join(w.dir, "gateway.yaml"))
	raw, _ := c.Output()
	is := new(ontschotv1.GetStatusResponse)
	_ = protojson.Unmarshal(raw, is)
	return is, c.ProcessState.ExitCode()
}

// get reads a page of the admin address.
func (w *town) get(path string) (code int, text string) {
	w.t.Helper()
	r, err := http.Get(w.admin + path) //nolint:noctx // on loopback
	require.NoError(w.t, err)
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	require.NoError(w.t, err)
	return r.StatusCode, string(raw)
}

// series are the lines of the metrics.
func (w *town) series() (all []string) {
	w.t.Helper()
	code, text := w.get("/metrics")
	require.Equal(w.t, http.StatusOK, code)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// dial connects with the certificate of the municipal system.
func (w *town) dial() *grpc.ClientConn {
	w.t.Helper()
	conf, err := config.ReadClient(filepath.Join(w.dir, "client.yaml"))
	require.NoError(w.t, err)
	leaf, err := tls.LoadX509KeyPair(conf.Path(conf.TLS.Certificate), conf.Path(conf.TLS.Key))
	require.NoError(w.t, err)
	raw, err := os.ReadFile(conf.Path(conf.TLS.CA))
	require.NoError(w.t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(raw)
	conn, err := grpc.NewClient(conf.Gateway, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{leaf}, RootCAs: pool, MinVersion: tls.VersionTLS13})))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// token that counts.
func (w *town) token() string {
	w.t.Helper()
	out, code := run(w.t, "dev", "token", "--dir", w.dir)
	require.Zero(w.t, code, out)
	return strings.TrimSpace(out)
}

// ask makes the whole request of the case.
func (w *town) ask(ctx context.Context, conn *grpc.ClientConn) (*budgetv1.Budget, error) {
	stream, err := ontschotv1.NewExchangeServiceClient(conn).AssembleBudget(ctx, w.request())
	if err != nil {
		return nil, err
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if b := event.GetBudget(); b != nil {
			_, err := stream.Recv()
			if err == io.EOF {
				err = nil
			}
			return b, err
		}
	}
}

func (w *town) request() *ontschotv1.AssembleBudgetRequest {
	r := &ontschotv1.AssembleBudgetRequest{Purpose: w.of.Purpose, Window: &budgetv1.Window{From: w.of.Window.From.String(), To: w.of.Window.To.String()}}
	for _, m := range w.of.Household {
		p := &ontschotv1.Person{
			Ref: string(m.Ref), Born: m.Born.String(),
			Identifiers: &budgetv1.Identifiers{Bsn: m.BSN, EducationNumber: m.IDs.Onderwijsnummer, PassNumber: m.IDs.Pasnummer},
		}
		for _, one := range m.Municipality {
			p.Residences = append(p.Residences, &ontschotv1.Residence{Municipality: one.Code, From: one.From.String(), To: one.To.String()})
		}
		r.Persons = append(r.Persons, p)
	}
	for _, pair := range w.of.Pairs() {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: string(pair.Person), Source: pair.Source})
	}
	return r
}
