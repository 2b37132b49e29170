// Package siege_test has the program itself, as a process, stand against whoever holds
// connections open, and end as it is told to.
package siege_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
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
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// program is where the program lies that TestMain has built.
const program = "ONTSCHOT_SIEGE_PROGRAM"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "siege")
	if err == nil {
		path := filepath.Join(dir, "ontschot")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", path, "..").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		_ = os.Setenv(program, path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// written is what a process writes.
type written struct {
	mu sync.Mutex
	bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Buffer.String()
}

// gateway is a folder, and a process that runs on it.
type gateway struct {
	t      *testing.T
	dir    string
	tmp    string // of the process
	files  int    // RLIMIT_NOFILE; 0: as it is
	family *family.Family
	layout family.Layout
	https  string // address of the JSON door; empty: none
	cmd    *exec.Cmd
	ended  chan error
	stderr *written
}

// lay lays a folder out, whose configuration may be altered.
func lay(t *testing.T, federated bool, change func(*gateway, *config.Gateway)) *gateway {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(cf, time.Now())
	require.NoError(t, err)
	tmp, err := os.MkdirTemp("/tmp", "siege") // short: sockets are in it
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(tmp)) })
	g := &gateway{t: t, dir: t.TempDir(), tmp: tmp, family: f}
	g.layout, err = f.FreeLayout()
	require.NoError(t, err)
	g.layout.Federated = federated
	require.NoError(t, f.Write(g.dir, g.layout))
	g.configure(func(c *config.Gateway) { change(g, c) })
	return g
}

// configure alters gateway.yaml.
func (g *gateway) configure(change func(*config.Gateway)) {
	g.t.Helper()
	path := filepath.Join(g.dir, "gateway.yaml")
	conf, err := config.ReadGateway(path)
	require.NoError(g.t, err)
	change(conf)
	raw, err := yaml.Marshal(conf)
	require.NoError(g.t, err)
	g.replace("gateway.yaml", raw)
}

// replace writes a file whole, by renaming.
func (g *gateway) replace(name string, content []byte) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	require.NoError(g.t, os.WriteFile(path+".new", content, 0o600))
	require.NoError(g.t, os.Rename(path+".new", path))
}

// start starts the program, and waits until it serves.
func (g *gateway) start() {
	g.t.Helper()
	g.run()
	require.Eventually(g.t, func() bool {
		select {
		case err := <-g.ended:
			g.t.Fatalf("it ended: %v\n%s", err, g.stderr)
		default:
		}
		return strings.Contains(g.stderr.String(), "ontschot: gateway of ")
	}, patience, 10*time.Millisecond)
}

func (g *gateway) run() {
	g.t.Helper()
	limit := ""
	if g.files > 0 {
		limit = fmt.Sprintf("ulimit -n %d && ", g.files)
	}
	g.cmd = exec.Command("sh", "-c", limit+`exec "$0" serve --config "$1"`, os.Getenv(program), filepath.Join(g.dir, "gateway.yaml"))
	g.cmd.Env = append(os.Environ(), "TMPDIR="+g.tmp)
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	g.stderr, g.ended = new(written), make(chan error, 1)
	g.cmd.Stderr = g.stderr
	require.NoError(g.t, g.cmd.Start())
	cmd, ended := g.cmd, g.ended
	go func() { ended <- cmd.Wait() }()
	g.t.Cleanup(func() { _ = cmd.Process.Kill() })
}

func (g *gateway) signal(s syscall.Signal) {
	g.t.Helper()
	require.NoError(g.t, g.cmd.Process.Signal(s))
}

// end waits for its end, and gives the error of the process.
func (g *gateway) end() error {
	g.t.Helper()
	select {
	case err := <-g.ended:
		return err
	case <-time.After(patience):
		g.t.Fatalf("it did not end\n%s", g.stderr)
		return nil
	}
}

// says waits until the process has written a text.
func (g *gateway) says(text string) {
	g.t.Helper()
	if !assertEventually(func() bool { return strings.Contains(g.stderr.String(), text) }) {
		g.t.Fatalf("it did not say %q\n%s", text, tail(g.stderr.String()))
	}
}

func tail(text string) string { return text[max(0, len(text)-4000):] }

func assertEventually(is func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if is() {
			return true
		}
	}
	return false
}

// client of a municipal system, with a connection of its own.
func (g *gateway) client() *client.Client {
	g.t.Helper()
	c, err := client.Open(filepath.Join(g.dir, "client.yaml"), func(context.Context) (string, error) { return g.family.Token(time.Now(), nil) })
	require.NoError(g.t, err)
	return c
}

// request is the whole question of the case.
func (g *gateway) request() *ontschotv1.AssembleBudgetRequest {
	cf := g.family.Case
	r := &ontschotv1.AssembleBudgetRequest{Purpose: cf.Purpose, Window: &budgetv1.Window{From: cf.Window.From.String(), To: cf.Window.To.String()}}
	for _, m := range cf.Household {
		p := &ontschotv1.Person{
			Ref: string(m.Ref), Born: m.Born.String(),
			Identifiers: &budgetv1.Identifiers{Bsn: m.BSN, EducationNumber: m.IDs.Onderwijsnummer, PassNumber: m.IDs.Pasnummer},
		}
		for _, at := range m.Municipality {
			p.Residences = append(p.Residences, &ontschotv1.Residence{Municipality: at.Code, From: at.From.String(), To: at.To.String()})
		}
		r.Persons = append(r.Persons, p)
	}
	for _, pair := range cf.Pairs() {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: string(pair.Person), Source: pair.Source})
	}
	return r
}

// ask asks it over gRPC, and the client verifies the budget.
func (g *gateway) ask(ctx context.Context, heard ...func(*ontschotv1.Progress)) (*budgetv1.Budget, error) {
	c := g.client()
	defer c.Close()
	return c.AssembleBudget(ctx, g.request(), func(p *ontschotv1.Progress) {
		for _, one := range heard {
			one(p)
		}
	})
}

// askInJSON asks it over HTTPS.
func (g *gateway) askInJSON(ctx context.Context) error {
	body, err := protojson.Marshal(g.request())
	if err != nil {
		return err
	}
	token, err := g.family.Token(time.Now(), nil)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+g.https+"/v1/budgets", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	conf := g.certificate()
	conf.NextProtos = nil
	by := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}}
	answer, err := by.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !bytes.Contains(raw, []byte(`"signature"`))) {
		err = fmt.Errorf("%s: %s", answer.Status, raw)
	}
	return err
}

// signer is the id of the key that signed a budget.
func signer(t *testing.T, b *budgetv1.Budget) string {
	t.Helper()
	head, _, _ := strings.Cut(b.GetSignature(), ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	require.NoError(t, err)
	var says struct {
		Key string `json:"kid"`
	}
	require.NoError(t, json.Unmarshal(raw, &says))
	return says.Key
}

// useAnotherKey announces a signing key in the trust file, and has the gateway sign with it.
func (g *gateway) useAnotherKey(id string) {
	g.t.Helper()
	own := g.family.Requester()
	_, private, public, err := family.NewSigningKey(own.OIN, id)
	require.NoError(g.t, err)
	g.replace("trust/"+id+".pem", public)
	g.replace("gateway/"+id+".pem", private)
	raw, err := os.ReadFile(filepath.Join(g.dir, "trust.yaml"))
	require.NoError(g.t, err)
	var trust config.Trust
	require.NoError(g.t, yaml.Unmarshal(raw, &trust))
	for i := range trust.Parties {
		if p := &trust.Parties[i]; p.OIN == own.OIN {
			p.Keys = append(p.Keys, config.Key{ID: id, Alg: "ES256", Kinds: family.DocumentKinds(), File: "trust/" + id + ".pem"})
		}
	}
	raw, err = yaml.Marshal(trust)
	require.NoError(g.t, err)
	g.replace("trust.yaml", raw)
	g.configure(func(c *config.Gateway) {
		c.Keys.Signing = append(c.Keys.Signing, config.SigningKey{ID: id, File: "gateway/" + id + ".pem"})
	})
}

// mute accepts connections and never says anything; it tells of each, until it is gone.
type mute struct {
	net.Listener
	came chan struct{}
	mu   sync.Mutex
	open []net.Conn
	gone bool
}

// silent is one at an address.
func silent(t *testing.T, address string) *mute {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	m := &mute{Listener: l, came: make(chan struct{}, 100)}
	t.Cleanup(m.goes)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.keep(c)
			m.came <- struct{}{}
		}
	}()
	return m
}

func (m *mute) keep(c net.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone {
		_ = c.Close()
	}
	m.open = append(m.open, c)
}

// goes closes all of it: whoever waits for it, waits no longer.
func (m *mute) goes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	_ = m.Close()
	for _, c := range m.open {
		_ = c.Close()
	}
}

// certificate of a caller, for TLS by hand.
func (g *gateway) certificate() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: g.family.CA, Certificates: []tls.Certificate{g.family.Requester().Client.TLS}, NextProtos: []string{"h2"}, ServerName: "127.0.0.1"}
}
