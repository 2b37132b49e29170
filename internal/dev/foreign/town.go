package foreign

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Town is the case of Meppel, in processes: the parties' own systems, and gateways that serve.
type Town struct {
	Dir     string
	Request *ontschotv1.AssembleBudgetRequest
	// Gateway is the process of the gateway that is asked, and Said what it wrote to its log.
	Gateway *exec.Cmd
	Said    string
	program string
}

// Start starts one, with a gateway for each organisation or for the municipality alone, until the
// end of the test. It serves when it has answered.
func Start(t testing.TB, program string, federated bool) *Town {
	t.Helper()
	w := &Town{Dir: filepath.Join(t.TempDir(), "town"), program: program}
	init := []string{"dev", "init", "--case", "meppel", "--dir", w.Dir}
	if federated {
		init = append(init, "--federated")
	}
	done(t, exec.CommandContext(t.Context(), program, init...))
	w.start(t, "sandbox", "--case", "meppel", "--dir", w.Dir)
	peers, err := filepath.Glob(filepath.Join(w.Dir, "peers", "*", "gateway.yaml"))
	require.NoError(t, err)
	for _, peer := range peers {
		w.start(t, "serve", "--config", peer)
	}
	w.Gateway = w.start(t, "serve", "--config", filepath.Join(w.Dir, "gateway.yaml"))
	w.Said = w.Gateway.Stderr.(*os.File).Name()
	w.Request = request(t)
	raw, err := protojson.Marshal(w.Request)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(w.Dir, "request.json"), raw, 0o600))
	w.Mint(t)
	conf, err := config.ReadClient(w.Config())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", conf.Gateway)
		if err != nil {
			return false
		}
		c.Close()
		b, err := w.ask(t.Context())
		return err == nil && len(b.GetGaps()) == 1 // the one that the case has
	}, time.Minute, 200*time.Millisecond)
	return w
}

// start starts a process of the program, which ends with the test.
func (w *Town) start(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	require.NoError(t, err)
	c := exec.Command(w.program, args...)
	c.Stdout, c.Stderr = log, log
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
		}
		log.Close()
	})
	return c
}

// Config is the client.yaml of the municipal system.
func (w *Town) Config() string { return filepath.Join(w.Dir, "client.yaml") }

// Token is the file with its access token.
func (w *Town) Token() string { return filepath.Join(w.Dir, "client", "token") }

// RequestFile is the question, JSON.
func (w *Town) RequestFile() string { return filepath.Join(w.Dir, "request.json") }

// Mint writes a token that is good for five minutes in the place of the one that is there.
func (w *Town) Mint(t testing.TB) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), w.program, "dev", "token", "--dir", w.Dir).Output()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.Token()+".new", out, 0o600))
	require.NoError(t, os.Rename(w.Token()+".new", w.Token()))
}

func (w *Town) ask(ctx context.Context) (*budgetv1.Budget, error) {
	c, err := client.Open(w.Config(), func(context.Context) (string, error) {
		raw, err := os.ReadFile(w.Token())
		return strings.TrimSpace(string(raw)), err
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return c.AssembleBudget(ctx, w.Request, nil)
}

// request is that of the case.
func request(t testing.TB) *ontschotv1.AssembleBudgetRequest {
	t.Helper()
	cf, err := casefile.Open("meppel")
	require.NoError(t, err)
	r := &ontschotv1.AssembleBudgetRequest{Purpose: cf.Purpose, Window: &budgetv1.Window{From: cf.Window.From.String(), To: cf.Window.To.String()}}
	for _, m := range cf.Household {
		r.Persons = append(r.Persons, &ontschotv1.Person{Ref: string(m.Ref), Identifiers: &budgetv1.Identifiers{Bsn: m.BSN}})
	}
	for _, pair := range cf.Pairs() {
		r.Asks = append(r.Asks, &ontschotv1.Ask{Person: string(pair.Person), Source: pair.Source})
	}
	return r
}
