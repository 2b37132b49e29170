package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/peercheck"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// relay is a gateway of UWV that says what the true one does, but for what a test changes.
type relay struct {
	ontschotv1.UnimplementedPeerServiceServer
	says   *ontschotv1.DescribeResponse
	change func(*ontschotv1.DescribeResponse)
}

func (s *relay) Describe(context.Context, *ontschotv1.DescribeRequest) (*ontschotv1.DescribeResponse, error) {
	answer := proto.CloneOf(s.says)
	answer.NowMs = time.Now().UnixMilli()
	s.change(answer)
	return answer, nil
}

// serveAs listens on loopback with a certificate.
func serveAs(t *testing.T, leaf family.Leaf, s ontschotv1.PeerServiceServer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{leaf.TLS}, ClientAuth: tls.RequireAnyClientCert})))
	if s != nil {
		ontschotv1.RegisterPeerServiceServer(g, s)
	}
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	return l.Addr().String()
}

// peerCheck runs the command and gives what it found.
func (h *house) peerCheck(code string) (peercheck.Report, int) {
	h.t.Helper()
	var out, said bytes.Buffer
	exit := run(h.t.Context(), []string{"peer", "check", code, "--config", filepath.Join(h.dir, "gateway.yaml"), "--format", "json"}, &out, &said)
	var r peercheck.Report
	require.NoError(h.t, json.Unmarshal(out.Bytes(), &r), "%s%s", out.String(), said.String())
	return r, exit
}

func faults(r peercheck.Report) []string {
	var all []string
	for _, f := range r.Findings {
		if f.State == peercheck.Fault {
			all = append(all, f.Hop+": "+f.Cause+" "+f.Repair)
		}
	}
	return all
}

// retrusted rewrites the trust file of this gateway and has it taken over.
func (h *house) retrusted(change func(*config.Organisation)) {
	h.t.Helper()
	trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(h.t, err)
	for i := range trust.Parties {
		if trust.Parties[i].Code == "UWV" {
			change(&trust.Parties[i])
		}
	}
	raw, err := yaml.Marshal(trust)
	require.NoError(h.t, err)
	h.replace("trust.yaml", raw)
	h.takeOver()
}

// Every cause has its own line, over real TLS, and says who repairs it.
func TestPeerCheckNamesTheCause(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	n := h.neighbour("UWV")
	f := h.family

	// UWV's own gateway has the agreement, and no adapter.
	r, exit := h.peerCheck("UWV")
	require.Equal(t, exitNo, exit)
	require.Equal(t, []string{"adapter: NO_ADAPTER they"}, faults(r))
	require.Len(t, r.Findings, 16, "every hop")

	// What the true one says, as if it had one.
	theirs := describedTo(t, h, "", n.server.Addr.String(), "")
	theirs.AdapterReady = true
	require.NotEmpty(t, theirs.Agreements)
	require.NotEmpty(t, theirs.Passes)

	stranger := f.Parties["ZK5503"].Server
	require.NoError(t, f.Replace())
	require.NoError(t, f.Renew("UWV"))
	foreign := f.Parties["UWV"].Server // of an authority that we do not know
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			conn, err := silent.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			conn.Close()
		}
	}()
	t.Cleanup(func() { _ = silent.Close() })
	saying := func(change func(*ontschotv1.DescribeResponse)) string {
		return serveAs(t, leafIn(t, h, "peers/UWV"), &relay{says: theirs, change: change})
	}
	for name, c := range map[string]struct {
		at   string
		want []string
	}{
		"all is well":                 {saying(func(*ontschotv1.DescribeResponse) {}), nil},
		"a name that does not exist":  {"gateway.invalid:1", []string{"name: NAME_UNKNOWN you"}},
		"a stopped gateway":           {"127.0.0.1:1", []string{"tcp: NOT_LISTENING they"}},
		"something else listens":      {silent.Addr().String(), []string{"tls: NO_TLS they"}},
		"another organisation":        {serveAs(t, stranger, nil), []string{"oin: OTHER_ORGANISATION you"}},
		"an authority not known":      {serveAs(t, foreign, nil), []string{"authority: AUTHORITY_UNKNOWN you"}},
		"too old":                     {serveAs(t, leafIn(t, h, "peers/UWV"), ontschotv1.UnimplementedPeerServiceServer{}), []string{"version: PEER_TOO_OLD they"}},
		"too new":                     {saying(func(r *ontschotv1.DescribeResponse) { r.Versions = []int32{9} }), []string{"version: PEER_VERSION both"}},
		"a clock a minute ahead":      {saying(func(r *ontschotv1.DescribeResponse) { r.NowMs += 60_000 }), []string{"clock: CLOCK both"}},
		"a clock a minute behind":     {saying(func(r *ontschotv1.DescribeResponse) { r.NowMs -= 60_000 }), []string{"clock: CLOCK both"}},
		"our key is not pinned there": {saying(func(r *ontschotv1.DescribeResponse) { r.Pinned = nil }), []string{"our key: OUR_KEY_NOT_PINNED they"}},
		"our key is lost there":       {saying(func(r *ontschotv1.DescribeResponse) { r.Pinned[0].State = "LOST" }), []string{"our key: OUR_KEY_NOT_IN_USE both"}},
		"their key is not pinned": {saying(func(r *ontschotv1.DescribeResponse) { r.Signing.Digest = r.Pinned[0].Digest }),
			[]string{"their key: THEIR_KEY_NOT_PINNED you"}},
		"no agreement there": {saying(func(r *ontschotv1.DescribeResponse) { r.Agreements = nil }), []string{"agreement: AGREEMENT_ONE_SIDED both"}},
		"revoked there":      {saying(func(r *ontschotv1.DescribeResponse) { r.Agreements[0].Status = "ENDED" }), []string{"agreement: AGREEMENT_ENDED both"}},
		"other terms there":  {saying(func(r *ontschotv1.DescribeResponse) { r.Agreements[0].TermsSha256 = "x" }), []string{"agreement: AGREEMENT_DIFFERS both"}},
		"their policy denies": {saying(func(r *ontschotv1.DescribeResponse) { r.Passes = nil }),
			[]string{"their policy: POLICY_DENIES they"}},
		"no adapter": {saying(func(r *ontschotv1.DescribeResponse) { r.AdapterReady = false }), []string{"adapter: NO_ADAPTER they"}},
		"several": {saying(func(r *ontschotv1.DescribeResponse) { r.AdapterReady, r.NowMs, r.Pinned = false, 0, nil }),
			[]string{"clock: CLOCK both", "our key: OUR_KEY_NOT_PINNED they", "adapter: NO_ADAPTER they"}},
	} {
		h.retrusted(func(p *config.Organisation) { p.Gateway = c.at })
		r, exit := h.peerCheck("UWV")
		require.Equal(t, c.want, faults(r), name)
		require.Equal(t, len(c.want) > 0, exit == exitNo, name)
		for _, one := range r.Findings {
			require.NotEmpty(t, one.TextNL, name)
			require.NotEmpty(t, one.TextEN, name)
			require.NotContains(t, one.TextNL+one.TextEN, "%!", name)
		}
	}

	// What their overlay keeps back is said, and is nobody's fault.
	h.retrusted(func(p *config.Organisation) {
		p.Gateway = saying(func(r *ontschotv1.DescribeResponse) {
			r.Withheld = []*budgetv1.Withheld{{Reason: "POLICY_DENIED", Code: "VELD-01", Laws: []string{"WW"}, Categories: []string{"income"}}}
		})
	})
	r, exit = h.peerCheck("UWV")
	require.Equal(t, exitDone, exit)
	i := slices.IndexFunc(r.Findings, func(f peercheck.Finding) bool { return f.Hop == "their policy" })
	require.Equal(t, peercheck.Notice, r.Findings[i].State)
	require.Equal(t, "POLICY_WITHHOLDS", r.Findings[i].Cause)
	require.Contains(t, r.Findings[i].TextNL, "POLICY_DENIED VELD-01 WW income")

	// What lies at our end.
	r, _ = h.peerCheck("NONE")
	require.Equal(t, []string{"trust: NO_PARTY you"}, faults(r))
	h.retrusted(func(p *config.Organisation) { p.Gateway = "" })
	r, _ = h.peerCheck("UWV")
	require.Equal(t, []string{"trust: NO_ADDRESS you"}, faults(r))

	// Truly revoked.
	h.retrusted(func(p *config.Organisation) { p.Gateway = n.server.Addr.String() })
	_, err = h.officer(h.family.Case.Requester).RevokeAgreement(bounded(t), &ontschotv1.RevokeAgreementRequest{Id: theirs.Agreements[0].Id, Reason: "Klaar."})
	require.NoError(t, err)
	r, _ = h.peerCheck("UWV")
	require.Equal(t, []string{"agreement: AGREEMENT_ENDED both", "adapter: NO_ADAPTER they"}, faults(r))

	// A gateway that does not know our authority, and one that does not know us.
	h.retrusted(func(p *config.Organisation) { p.Gateway = n.server.Addr.String() })
	h.replace("trust/other.pem", f.CAPEM)
	trusting := func(change func(*config.Trust)) {
		trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
		require.NoError(t, err)
		change(trust)
		raw, err := yaml.Marshal(trust)
		require.NoError(t, err)
		h.replace("trust-uwv.yaml", raw)
		_, err = n.server.ReloadKeys(t.Context())
		require.NoError(t, err)
	}
	n.server.Close()
	conf, err := config.ReadGateway(filepath.Join(h.dir, "peers/UWV/gateway.yaml"))
	require.NoError(t, err)
	conf.Trust = "../../trust-uwv.yaml"
	raw, err := yaml.Marshal(conf)
	require.NoError(t, err)
	h.replace("peers/UWV/gateway.yaml", raw)
	raw, err = os.ReadFile(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	h.replace("trust-uwv.yaml", raw)
	n.start()
	trusting(func(trust *config.Trust) { trust.Parties[0].CA = "trust/other.pem" })
	r, _ = h.peerCheck("UWV")
	require.Equal(t, []string{"our certificate: OURS_REFUSED they"}, faults(r))
	trusting(func(trust *config.Trust) { trust.Parties[0].OIN = "00000099000000000001" })
	r, _ = h.peerCheck("UWV")
	require.Equal(t, []string{"our certificate: OURS_UNKNOWN they"}, faults(r))

	// Our own gateway is stopped.
	h.retrusted(func(p *config.Organisation) { p.Gateway = saying(func(*ontschotv1.DescribeResponse) {}) })
	h.server.Close()
	r, _ = h.peerCheck("UWV")
	require.Equal(t, []string{"own gateway: OWN_GATEWAY you"}, faults(r))

	var out, said bytes.Buffer
	require.Equal(t, exitUsage, run(t.Context(), []string{"peer", "check"}, &out, &said))
	require.Equal(t, exitNo, run(t.Context(), []string{"peer", "check", "UWV", "--lang", "en", "--config", filepath.Join(h.dir, "gateway.yaml")}, &out, &said))
	require.Contains(t, out.String(), "Start it with ontschot serve.")
}

// leafIn reads the certificate of a gateway's folder.
func leafIn(t *testing.T, h *house, dir string) family.Leaf {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(h.dir, dir, "gateway/cert.pem"), filepath.Join(h.dir, dir, "gateway/key.pem"))
	require.NoError(t, err)
	return family.Leaf{TLS: pair}
}

// describedTo asks a gateway how it stands to the organisation of a folder.
func describedTo(t *testing.T, h *house, dir, address, about string) *ontschotv1.DescribeResponse {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: h.family.CA, Certificates: []tls.Certificate{leafIn(t, h, dir).TLS},
	})))
	require.NoError(t, err)
	defer conn.Close()
	r, err := ontschotv1.NewPeerServiceClient(conn).Describe(t.Context(), &ontschotv1.DescribeRequest{About: about, Purpose: "integral_budget.compose"})
	require.NoError(t, err)
	return r
}

// Who asks how things stand hears of itself alone, knows nobody else by it, and cannot ask
// without end.
func TestDescribeSpeaksOfWhoAsks(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	f := h.family
	of := func(code string) string {
		digest, err := signed.Key{Public: f.Parties[code].Sign.Key.Public()}.Digest()
		require.NoError(t, err)
		return digest
	}
	conn := func(code string) ontschotv1.PeerServiceClient {
		c, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: f.CA, Certificates: []tls.Certificate{f.Parties[code].Server.TLS},
		})))
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return ontschotv1.NewPeerServiceClient(c)
	}
	uwv, own := conn("UWV"), conn(h.family.Case.Requester)
	pinned := func(c ontschotv1.PeerServiceClient, about string) []string {
		r, err := c.Describe(t.Context(), &ontschotv1.DescribeRequest{About: about, Purpose: f.Case.Purpose})
		require.NoError(t, err)
		require.Equal(t, of(f.Case.Requester), r.GetSigning().GetDigest())
		var all []string
		for _, k := range r.GetPinned() {
			all = append(all, k.GetDigest())
		}
		return all
	}
	require.Equal(t, []string{of("UWV")}, pinned(uwv, ""))
	require.Equal(t, []string{of("UWV")}, pinned(uwv, string(f.Parties["ZK5503"].OIN)), "not of another")
	require.Equal(t, []string{of("ZK5503")}, pinned(own, string(f.Parties["ZK5503"].OIN)))
	require.Empty(t, pinned(own, ""))
	require.Empty(t, pinned(own, "00000099000000000404"))
	_, err := uwv.Describe(t.Context(), &ontschotv1.DescribeRequest{About: "1"})
	_, why, _ := reason(t, err)
	require.Equal(t, "INVALID_FIELD", why)
	before := h.server.Log.Register().Size()
	refused := false
	for range 130 { // a minute may begin in between
		if _, err := uwv.Describe(t.Context(), &ontschotv1.DescribeRequest{}); err != nil {
			_, why, _ := reason(t, err)
			require.Equal(t, "TOO_MANY_QUESTIONS", why)
			refused = true
		}
	}
	require.True(t, refused)
	require.NotNil(t, pinned(own, string(f.Parties["UWV"].OIN)), "others can still ask")
	require.Equal(t, before, h.server.Log.Register().Size(), "it leaves nothing in the log")
}
