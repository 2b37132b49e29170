package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/adapters/host"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
)

// atAgency is the adapter of a party as a program that the agency runs itself.
type atAgency struct {
	t    *testing.T
	path string
	conf config.Adapter
	cmd  *exec.Cmd
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// moveOut takes an adapter out of a gateway's configuration, puts an address in its place, and
// gives it for the agency to run.
func moveOut(t *testing.T, conf *config.Gateway, party string) *atAgency {
	t.Helper()
	i := slices.IndexFunc(conf.Sources, func(s config.Source) bool { return s.Party == party })
	was := conf.Sources[i]
	at := freeAddress(t)
	conf.Sources[i] = config.Source{Party: party, Address: strings.Replace(at, "127.0.0.1", "localhost", 1)}
	a := &atAgency{t: t, path: conf.Path("adapter-" + party + ".yaml"), conf: config.Adapter{
		Settings: was.Settings, Listen: at, Gateways: []identity.OIN{"00000099000000119000"},
		TLS: config.TLS{Certificate: was.ConfigFiles["cert_pem"], Key: was.Secrets["tls_key"], CA: was.ConfigFiles["ca_pem"]},
	}}
	t.Cleanup(a.stop)
	return a
}

// start runs it, with its file as it is now.
func (a *atAgency) start(kind string) {
	a.t.Helper()
	raw, err := yaml.Marshal(a.conf)
	require.NoError(a.t, err)
	require.NoError(a.t, os.WriteFile(a.path, raw, 0o600))
	self, err := os.Executable()
	require.NoError(a.t, err)
	a.cmd = exec.Command(self, "adapter", "run", kind, "serve", "-c", a.path)
	a.cmd.Stderr = os.Stderr
	a.cmd.SysProcAttr = endsWithThis()
	require.NoError(a.t, a.cmd.Start())
}

func (a *atAgency) stop() {
	if a.cmd != nil && a.cmd.Process != nil {
		_ = a.cmd.Process.Signal(syscall.SIGTERM)
		_ = a.cmd.Wait()
		a.cmd = nil
	}
}

// comes waits until the adapter of a party is in a state.
func (h *house) comes(party string, state host.State) host.Status {
	h.t.Helper()
	var s host.Status
	require.Eventually(h.t, func() bool { s = h.server.Adapters[party].Status(); return s.State == state }, 20*time.Second, 5*time.Millisecond,
		"%s: %v", party, h.server.Adapters[party].Status())
	return s
}

// Our adapter, another program, an adapter at the agency: the same budget, to the cent. The
// one at the agency may come later than the gateway, go, come back, be another, and refuse.
func TestAnAdapterRunsWhereItsAgencyWants(t *testing.T) {
	var uwv *atAgency
	self, err := os.Executable()
	require.NoError(t, err)
	f := open(t, "meppel")
	h := play(t, f, options{change: func(c *config.Gateway) {
		uwv = moveOut(t, c, "UWV")
		i := slices.IndexFunc(c.Sources, func(s config.Source) bool { return s.Party == "SVB" })
		c.Sources[i].Command, c.Sources[i].Adapter = []string{self, "adapter", "run", "svb"}, ""
	}})
	require.Equal(t, host.Ready, h.server.Adapters["SVB"].Status().State)
	require.Equal(t, "svb", h.server.Adapters["SVB"].Status().Describe.GetId())

	missing := func(reason, code string) {
		t.Helper()
		b, err := h.ask()
		require.NoError(t, err)
		require.Equal(t, reason, gapOf(b, "A1", "UWV"))
		require.Equal(t, int64(11184437), b.GetCareTotalCents(), "the others stand")
		require.Zero(t, b.GetIncomeCents())
	}
	whole := func() {
		t.Helper()
		b, err := h.ask()
		require.NoError(t, err)
		require.Empty(t, gapOf(b, "A1", "UWV"))
		require.Equal(t, []int64{11184437, 2993760}, []int64{b.GetCareTotalCents(), b.GetIncomeCents()})
	}
	require.Equal(t, host.Starting, h.server.Adapters["UWV"].Status().State, "nobody is there yet, and the gateway runs")
	missing("SOURCE_UNAVAILABLE", "")

	uwv.start("uwv")
	require.Equal(t, "uwv", h.comes("UWV", host.Ready).Describe.GetId())
	whole()

	uwv.stop()
	missing("SOURCE_UNAVAILABLE", "")
	uwv.start("uwv")
	require.Eventually(t, func() bool {
		b, err := h.ask()
		return err == nil && gapOf(b, "A1", "UWV") == ""
	}, 20*time.Second, 50*time.Millisecond, "back by itself")
	whole()

	uwv.stop()
	uwv.conf.Gateways = []identity.OIN{"00000099000000109000"}
	uwv.start("uwv")
	h.refused("UWV", "does not let this gateway in")
	missing("SOURCE_UNAVAILABLE", "")
	uwv.stop()

	uwv.conf.Gateways = []identity.OIN{"00000099000000119000"}
	delete(uwv.conf.ConfigFiles, "signer_pem")
	uwv.start("svb") // an adapter of something else
	h.refused("UWV", "it is asked about")
	missing("SOURCE_UNAVAILABLE", "")
	require.NotContains(t, h.stderr.String(), f.Case.Household[0].BSN)
}

// refused waits until an adapter at the agency was looked at again and must not be asked.
func (h *house) refused(party, why string) {
	h.t.Helper()
	require.Eventually(h.t, func() bool {
		_, _ = h.ask() // it fails, which is a reason to look
		s := h.server.Adapters[party].Status()
		return s.State == host.Refused && strings.Contains(s.Why, why)
	}, 30*time.Second, 20*time.Millisecond, "%v", h.server.Adapters[party].Status())
}

// Who answers at an address must be who was named, whatever certificate it has otherwise.
func TestAnAdapterAtTheAgencyIsWhoWasNamed(t *testing.T) {
	var uwv *atAgency
	f := open(t, "meppel")
	h := play(t, f, options{change: func(c *config.Gateway) {
		uwv = moveOut(t, c, "UWV")
		svb := c.Sources[slices.IndexFunc(c.Sources, func(s config.Source) bool { return s.Party == "SVB" })]
		uwv.conf.TLS.Certificate, uwv.conf.TLS.Key = svb.ConfigFiles["cert_pem"], svb.Secrets["tls_key"] // of the same authority
		uwv.start("uwv")
	}})
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, "SOURCE_UNAVAILABLE", gapOf(b, "A1", "UWV"))
	require.Equal(t, host.Starting, h.server.Adapters["UWV"].Status().State)
}

// What an adapter cannot answer stops the start, with the place in the file.
func TestAnAdapterThatIsNotWhatIsAskedStopsTheStart(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	f := open(t, "meppel")
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, f.Write(dir, layout))
	path := filepath.Join(dir, "gateway.yaml")
	conf, err := config.ReadGateway(path)
	require.NoError(t, err)
	i := slices.IndexFunc(conf.Sources, func(s config.Source) bool { return s.Party == "SVB" })
	conf.Sources[i].Command, conf.Sources[i].Adapter = []string{self, "adapter", "run", "cak"}, ""
	raw, err := yaml.Marshal(conf)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, raw, 0o600))
	out, err := exec.Command(self, "serve", "--config", path).CombinedOutput()
	require.Error(t, err)
	require.Regexp(t, `sources\[\d\]: SVB: `, string(out))
}
