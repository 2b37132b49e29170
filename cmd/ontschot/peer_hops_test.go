package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/peercheck"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// reconfigured rewrites this gateway's own file; what runs goes on as it is.
func (h *house) reconfigured(change func(*config.Gateway)) {
	h.t.Helper()
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(h.t, err)
	change(conf)
	raw, err := yaml.Marshal(conf)
	require.NoError(h.t, err)
	h.replace("gateway.yaml", raw)
}

// hop is what was found at one.
func hop(t *testing.T, r peercheck.Report, name string) peercheck.Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f peercheck.Finding) bool { return f.Hop == name })
	require.GreaterOrEqual(t, i, 0, "%v", r.Findings)
	return r.Findings[i]
}

// serverOf is a template of the certificate of a party's gateway on loopback.
func serverOf(p *family.Organisation) x509.Certificate {
	return with(leafOf(p.OIN), func(c *x509.Certificate) {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	})
}

// presenting is a gateway of UWV, with a certificate of an authority that counts for it alone.
func (h *house) presenting(authority issued, leaf x509.Certificate) (address string, made issued) {
	h.t.Helper()
	h.replace("trust/uwv.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.cert.Raw}))
	made = issue(h.t, &authority, leaf)
	return serveAs(h.t, family.Leaf{TLS: made.tls()}, ontschotv1.UnimplementedPeerServiceServer{}), made
}

// What a revocation list says, or that there is none in date, stops a check at the authority, as
// it stops the gateway; and which of both is said.
func TestPeerCheckReadsRevocationLists(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	ca := issue(t, nil, with(issuing("Authority of UWV"), func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }))
	address, leaf := h.presenting(ca, serverOf(h.family.Parties["UWV"]))
	another := issue(t, &ca, serverOf(h.family.Parties["UWV"]))
	h.retrusted(func(p *config.Organisation) { p.Gateway, p.CA = address, "trust/uwv.pem" })
	lists := http.NewServeMux()
	published := httptest.NewServer(lists)
	t.Cleanup(published.Close)
	lists.HandleFunc("/revoked.crl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(ca.crl(t, 3, time.Hour, leaf)) })
	gone := httptest.NewServer(nil)
	gone.Close()
	none, revoked := []string{"authority: NO_REVOCATION_LIST you"}, []string{"authority: CERTIFICATE_REVOKED they"}
	past := []string{"version: PEER_TOO_OLD they"} // the authority was good, and this gateway knows no more
	for i, c := range []struct {
		name, list, rule string
		raw              []byte
		want             []string
	}{
		{"no list is asked for", "", "", nil, past},
		{"a list without it", "lists/uwv.crl", "", ca.crl(t, 1, time.Hour, another), past},
		{"it is on the list", "lists/uwv.crl", "", ca.crl(t, 2, time.Hour, another, leaf), revoked},
		{"the list is out of date", "lists/uwv.crl", "", ca.crl(t, 1, -time.Second), none},
		{"out of date, and it is on it", "lists/uwv.crl", "", ca.crl(t, 1, -time.Second, leaf), revoked},
		{"out of date, which is accepted", "lists/uwv.crl", "accept", ca.crl(t, 1, -time.Second), past},
		{"out of date, which is accepted, and it is on it", "lists/uwv.crl", "accept", ca.crl(t, 1, -time.Second, leaf), revoked},
		{"nobody publishes it", gone.URL + "/uwv.crl", "", nil, none},
		{"nobody publishes it, which is accepted", gone.URL + "/uwv.crl", "accept", nil, past},
		{"it is not there", published.URL + "/none.crl", "", nil, none},
		{"it is published", published.URL + "/revoked.crl", "", nil, revoked},
	} {
		h.reconfigured(func(conf *config.Gateway) {
			conf.TLS.CRLs, conf.TLS.CRLAfterNextUpdate = nil, ""
			if c.list != "" {
				conf.TLS.CRLs, conf.TLS.CRLAfterNextUpdate = []string{c.list}, c.rule
			}
		})
		if c.raw != nil {
			require.NoError(t, os.MkdirAll(filepath.Join(h.dir, "lists"), 0o700))
			h.replace("lists/uwv.crl", c.raw)
		}
		require.NoError(t, os.RemoveAll(filepath.Join(h.dir, "data/crl")))
		r, exit := h.peerCheck("UWV")
		require.Equal(t, c.want, faults(r), "%d: %s", i, c.name)
		require.Equal(t, exitNo, exit, c.name)
		require.NotContains(t, hop(t, r, "tls").TextEN, "%!")
	}
}

// A certificate can be wrong in other ways too, theirs and ours.
func TestPeerCheckReadsCertificates(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	ca, uwv := issue(t, nil, issuing("Authority of UWV")), h.family.Parties["UWV"]
	for name, c := range map[string]struct {
		leaf x509.Certificate
		want string
	}{
		"expired":           {with(serverOf(uwv), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), "authority: CERTIFICATE_EXPIRED they"},
		"of a time to come": {with(serverOf(uwv), func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), "authority: CERTIFICATE_EXPIRED they"},
		"of another name":   {with(serverOf(uwv), func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"gateway.example"}, nil }), "authority: CERTIFICATE_UNFIT they"},
		"of no server":      {leafOf(uwv.OIN), "authority: CERTIFICATE_UNFIT they"},
		"of nobody":         {with(leafOf(), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "oin: OTHER_ORGANISATION you"},
	} {
		address, _ := h.presenting(ca, c.leaf)
		h.retrusted(func(p *config.Organisation) { p.Gateway, p.CA = address, "trust/uwv.pem" })
		r, _ := h.peerCheck("UWV")
		require.Equal(t, []string{c.want}, faults(r), name)
	}
	h.reconfigured(func(conf *config.Gateway) { conf.TLS.Certificate = "trust/uwv.pem" })
	r, _ := h.peerCheck("UWV")
	require.Equal(t, []string{"tls: OWN_CERTIFICATE you"}, faults(r))
}

// sulking is a gateway that answers nothing as it should.
type sulking struct {
	ontschotv1.UnimplementedPeerServiceServer
}

func (sulking) Describe(context.Context, *ontschotv1.DescribeRequest) (*ontschotv1.DescribeResponse, error) {
	return nil, status.Error(codes.Internal, "999940004 is nobody's business")
}

// Who is silent at one hop or the other: a wall, a gateway that fails, a key of theirs that we took
// out of use, and nothing that was agreed.
func TestPeerCheckOfWhatIsMissing(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true, documents: []*ontschotv1.RegisterRequest{}})
	theirs := describedTo(t, h, "", h.neighbour("UWV").server.Addr.String(), "")
	theirs.AdapterReady, theirs.Agreements = true, nil
	saying := func(change func(*ontschotv1.DescribeResponse)) string {
		return serveAs(t, leafIn(t, h, "peers/UWV"), &relay{says: theirs, change: change})
	}
	as := func(*ontschotv1.DescribeResponse) {}
	for _, c := range []struct { // in this order: a key that was taken out of use stays so
		name   string
		at     string
		change func(*config.Organisation)
		want   []string
	}{
		{"a wall", wall(t), nil, []string{"tcp: NO_ROUTE both"}},
		{"it fails", serveAs(t, leafIn(t, h, "peers/UWV"), sulking{}), nil, []string{"answer: PEER_SILENT they"}},
		{"nothing was agreed", saying(as), nil, []string{"agreement: NO_AGREEMENT both"}},
		{"a key out of use here", saying(as), func(p *config.Organisation) {
			for i := range p.Keys {
				p.Keys[i].Retired = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
			}
		}, []string{"their key: THEIR_KEY_NOT_IN_USE both", "agreement: NO_AGREEMENT both"}},
	} {
		h.retrusted(func(p *config.Organisation) {
			p.Gateway = c.at
			if c.change != nil {
				c.change(p)
			}
		})
		r, exit := h.peerCheck("UWV")
		require.Equal(t, c.want, faults(r), c.name)
		require.Equal(t, exitNo, exit, c.name)
		for _, one := range r.Findings {
			require.NotContains(t, one.TextNL+one.TextEN, "999940004", c.name)
		}
	}
}

// wall is an address that takes no connection and refuses none: as of a firewall that drops.
func wall(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}).String()
	for { // until nobody else fits in its queue
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			require.True(t, strings.Contains(err.Error(), "timeout"), "%v", err)
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}
