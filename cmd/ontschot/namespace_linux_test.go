package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/peercheck"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Addresses of the two ends of a link between two machines. A gateway for development listens on
// loopback alone, so the link is a part of loopback that lies between them.
const (
	hereAddress  = "127.9.0.1"
	thereAddress = "127.9.0.2"
)

// link is two network namespaces, each with a loopback of its own, joined by one wire.
type link struct {
	t           *testing.T
	here, there string // names of the namespaces
}

// newLink makes them; nil, and says so, where this machine or this user cannot.
func newLink(t *testing.T) *link {
	t.Helper()
	l := &link{t, fmt.Sprintf("ontschot-%d-a", os.Getpid()), fmt.Sprintf("ontschot-%d-b", os.Getpid())}
	t.Cleanup(func() {
		_ = exec.Command("ip", "netns", "del", l.here).Run()
		_ = exec.Command("ip", "netns", "del", l.there).Run()
	})
	for _, line := range []string{
		"ip netns add A", "ip netns add B", "ip -n A link add wire type veth peer name wire netns B",
		"ip -n A link set lo up", "ip -n B link set lo up", "ip -n A addr del 127.0.0.1/8 dev lo", "ip -n B addr del 127.0.0.1/8 dev lo",
		"ip -n A addr add 127.0.0.1/32 dev lo", "ip -n B addr add 127.0.0.1/32 dev lo",
		"ip netns exec A sysctl -qw net.ipv4.conf.all.route_localnet=1", "ip netns exec B sysctl -qw net.ipv4.conf.all.route_localnet=1",
		"ip -n A addr add " + hereAddress + "/24 dev wire", "ip -n B addr add " + thereAddress + "/24 dev wire",
		"ip -n A link set wire up", "ip -n B link set wire up",
	} {
		if out, err := l.try(line); err != nil {
			fmt.Fprintf(os.Stderr, "\nNOT TESTED: %s: this machine makes no network namespaces for this user: %s: %v %s\n\n", t.Name(), line, err, out)
			return nil
		}
	}
	return l
}

// try runs a line in which A and B are the namespaces.
func (l *link) try(line string) ([]byte, error) {
	args := strings.Fields(line)
	for i, a := range args {
		switch a {
		case "A":
			args[i] = l.here
		case "B":
			args[i] = l.there
		}
	}
	return exec.Command(args[0], args[1:]...).CombinedOutput()
}

func (l *link) do(line string) {
	l.t.Helper()
	out, err := l.try(line)
	require.NoError(l.t, err, "%s: %s", line, out)
}

// program is this program in a namespace.
func (l *link) program(ctx context.Context, at string, args ...string) *exec.Cmd {
	l.t.Helper()
	self, err := os.Executable()
	require.NoError(l.t, err)
	named := filepath.Join(l.t.TempDir(), programName) // under its own name it is the program
	require.NoError(l.t, os.Symlink(self, named))
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", at, named}, args...)...)
}

// starts runs a part in a namespace until the end of the test, and waits for what it says then.
func (l *link) starts(at, says string, args ...string) (stop func()) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := l.program(ctx, at, args...)
	said := new(buffer)
	c.Stdout, c.Stderr = said, said
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(os.Interrupt) }, toEnd
	require.NoError(l.t, c.Start())
	stop = func() { cancel(); _ = c.Wait() }
	l.t.Cleanup(stop)
	require.Eventually(l.t, func() bool { return strings.Contains(said.String(), says) }, toStart, 5*time.Millisecond, "%s", said)
	return stop
}

// TestTwoMachinesOverOneWire has two gateways on machines of their own, as their networks see it,
// and takes the wire between them away and back.
func TestTwoMachinesOverOneWire(t *testing.T) {
	if !campaign(t) {
		return
	}
	l := newLink(t)
	if l == nil {
		return
	}
	f, dir := open(t, "woerden"), t.TempDir()
	source := "UWV"
	layOut(t, f, dir, source)
	for _, at := range []string{l.here, l.there} {
		l.starts(at, source, "sandbox", "--case", "woerden", "--dir", dir)
	}
	stopSource := l.starts(l.there, announced, "serve", "--config", filepath.Join(dir, f.FolderOf(source), "gateway.yaml"))
	stopOwn := l.starts(l.here, announced, "serve", "--config", filepath.Join(dir, "gateway.yaml"))

	ask := func() *budgetv1.Budget {
		raw, err := mintToken(dir)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "client/token"), []byte(raw), 0o600))
		c := l.program(t.Context(), l.here, "budget", "get", "--config", filepath.Join(dir, "client.yaml"), "--case", "woerden", "--format", "json")
		var out, errs bytes.Buffer
		c.Stdout, c.Stderr = &out, &errs
		require.NoError(t, c.Run(), errs.String())
		b := new(budgetv1.Budget)
		require.NoError(t, protojson.Unmarshal(out.Bytes(), b))
		return b
	}
	gapsOf := func(b *budgetv1.Budget) (all []string) {
		for _, g := range b.GetGaps() {
			if g.GetSource() == source {
				all = append(all, strings.TrimSpace(g.GetReason()+" "+g.GetCode()))
			}
		}
		return slices.Compact(all)
	}
	check := func() []string {
		c := l.program(t.Context(), l.here, "peer", "check", source, "--config", filepath.Join(dir, "gateway.yaml"), "--format", "json")
		out, _ := c.Output()
		var r peercheck.Report
		require.NoError(t, json.Unmarshal(out, &r), "%s", out)
		return faults(r)
	}
	back := func(step string) {
		require.Eventually(t, func() bool { return !slices.ContainsFunc(gapsOf(ask()), unreachable) }, patience, 20*time.Millisecond, step)
		require.Empty(t, check(), step)
	}
	back("at first")
	whole := gapsOf(ask())
	steps := []struct{ name, down, up string }{
		{"our end is taken out", "ip -n A link set wire down", "ip -n A link set wire up"},
		{"their end is taken out", "ip -n B link set wire down", "ip -n B link set wire up"},
		{"nothing comes back", "ip -n B route add blackhole " + hereAddress + "/32", "ip -n B route del blackhole " + hereAddress + "/32"},
	}
	if os.Getenv("ONTSCHOT_LONG") != "1" { // the other end differs from ours in what the kernel says
		steps = slices.Delete(steps, 1, 2)
	}
	for _, step := range steps {
		l.do(step.down)
		first := gapsOf(ask())
		require.True(t, slices.ContainsFunc(first, unreachable), "%s: %v", step.name, first)
		require.Eventually(t, func() bool { return slices.Contains(gapsOf(ask()), "SOURCE_UNAVAILABLE PEER_UNREACHABLE") }, patience, 20*time.Millisecond, step.name)
		require.Equal(t, []string{"tcp: NO_ROUTE both"}, check(), step.name)
		l.do(step.up)
		back(step.name)
		require.Equal(t, whole, gapsOf(ask()), step.name)
	}
	stopOwn()
	stopSource()
	for _, code := range []string{f.Case.Requester, source} {
		exit, out, errs := cli(t, "audit", "verify", "--data", filepath.Join(dir, f.FolderOf(code), "data"))
		require.Equal(t, exitDone, exit, "%s%s", out, errs)
	}
}

// unreachable reports whether a gap says that the way is not there.
func unreachable(gap string) bool {
	return slices.Contains([]string{
		"SOURCE_TIMEOUT PEER_SILENT", "SOURCE_UNAVAILABLE PEER_UNREACHABLE", "SOURCE_UNAVAILABLE PEER_CUT", "SOURCE_TIMEOUT",
	}, gap)
}

// layOut writes the folders of a case, with the gateway of a source at the far end of the wire.
func layOut(t *testing.T, f *family.Family, dir, source string) {
	t.Helper()
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	layout.Federated = true
	require.NoError(t, f.Write(dir, layout))
	_, port, err := net.SplitHostPort(layout.Gateways[source])
	require.NoError(t, err)
	far := net.JoinHostPort(thereAddress, port)
	put := func(name string, raw []byte) { require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600)) }
	write := func(name string, v any) {
		raw, err := yaml.Marshal(v)
		require.NoError(t, err)
		put(name, raw)
	}
	trust, err := config.ReadTrust(filepath.Join(dir, "trust.yaml"))
	require.NoError(t, err)
	party := &trust.Parties[slices.IndexFunc(trust.Parties, func(p config.Organisation) bool { return p.Code == source })]
	party.Gateway, party.CA = far, "trust/far.pem"
	write("trust.yaml", trust)

	ca := issue(t, nil, issuing("Authority of "+source))
	made := issue(t, &ca, with(serverOf(f.Parties[source]), func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(thereAddress), net.IPv4(127, 0, 0, 1)} }))
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
	put("trust/far.pem", root)
	files := made.files(t, append(slices.Clone(f.CAPEM), root...))
	at := filepath.Join(dir, f.FolderOf(source), "gateway.yaml")
	conf, err := config.ReadGateway(at)
	require.NoError(t, err)
	conf.Listen, conf.TLS = far, config.TLS{Certificate: files.Certificate, Key: files.Key, CA: files.CA}
	write(filepath.Join(f.FolderOf(source), "gateway.yaml"), conf)
}
