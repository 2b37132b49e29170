package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// town is a gateway in a folder of its own, without sources.
type town struct {
	t      *testing.T
	dir    string
	family *family.Family
	server *Server
	log    *lines
}

// lines collects what several goroutines write.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

func newTown(t *testing.T, change func(*config.Gateway)) *town {
	t.Helper()
	c, err := casefile.Open("meppel")
	require.NoError(t, err)
	f, err := family.New(c, time.Now())
	require.NoError(t, err)
	layout, err := f.FreeLayout()
	require.NoError(t, err)
	h := &town{t: t, dir: t.TempDir(), family: f, log: new(lines)}
	require.NoError(t, f.Write(h.dir, layout))
	path := filepath.Join(h.dir, "gateway.yaml")
	conf, err := config.ReadGateway(path)
	require.NoError(t, err)
	conf.Sources = nil
	if change != nil {
		change(conf)
	}
	h.yaml("gateway.yaml", conf)
	h.start()
	return h
}

func (h *town) start() {
	h.t.Helper()
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(h.t, err)
	h.server, err = Start(h.t.Context(), conf, h.log)
	require.NoError(h.t, err)
	h.t.Cleanup(h.server.Close)
}

func (h *town) yaml(name string, v any) {
	h.t.Helper()
	raw, err := yaml.Marshal(v)
	require.NoError(h.t, err)
	h.put(name, raw)
}

func (h *town) put(name string, raw []byte) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	require.NoError(h.t, os.WriteFile(path+".new", raw, 0o600))
	require.NoError(h.t, os.Rename(path+".new", path))
}

// trust rewrites the trust file.
func (h *town) trust(change func(*config.Trust)) {
	h.t.Helper()
	trust, err := config.ReadTrust(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(h.t, err)
	change(trust)
	h.yaml("trust.yaml", trust)
}

// party of a trust file.
func party(t *config.Trust, code string) *config.Organisation {
	for i := range t.Parties {
		if t.Parties[i].Code == code {
			return &t.Parties[i]
		}
	}
	return nil
}

// neighbour is a stand-in for the gateway of another organisation.
type neighbour struct {
	ontschotv1.UnimplementedPeerServiceServer
	address              string
	calls, opened, ended atomic.Int64
	slow                 time.Duration
}

func (n *neighbour) Holds(context.Context, *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	time.Sleep(n.slow)
	n.calls.Add(1)
	return &ontschotv1.HoldsResponse{}, nil
}

func (*neighbour) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*neighbour) HandleRPC(context.Context, stats.RPCStats)                         {}
func (*neighbour) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (n *neighbour) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		n.opened.Add(1)
	case *stats.ConnEnd:
		n.ended.Add(1)
	}
}

func neighbourWith(t *testing.T, leaf family.Leaf, slow time.Duration) *neighbour {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &neighbour{address: l.Addr().String(), slow: slow}
	s := grpc.NewServer(grpc.StatsHandler(n), grpc.Creds(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{leaf.TLS}, ClientAuth: tls.RequireAnyClientCert,
	})))
	ontschotv1.RegisterPeerServiceServer(s, n)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return n
}

// holds asks a party's gateway, as the documents do.
func (h *town) holds(code string) error { return h.within(5*time.Second, code) }

// refuses is that of who is expected not to be reached.
func (h *town) refuses(code string) error { return h.within(time.Second, code) }

func (h *town) within(d time.Duration, code string) error {
	p, ok := h.server.network.peer(code)
	if !ok {
		return errGone
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	_, err := p.Holds(ctx, &ontschotv1.HoldsRequest{Id: "1", TermsSha256: strings.Repeat("a", 64)})
	return err
}

// asking asks a party without pause until it is ended, which gives the first failure.
func (h *town) asking(code string) (end func() error) {
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := h.holds(code); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	return func() error {
		close(stop)
		all.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}

func (h *town) takeOver() {
	h.t.Helper()
	_, err := h.server.ReloadKeys(h.t.Context())
	require.NoError(h.t, err)
}

// A party's gateway moves while it is asked: no question fails, the old connection is closed
// when its questions are answered, and the connection to another party stays.
func TestAPeerMovesWhileItIsAsked(t *testing.T) {
	h := newTown(t, nil)
	uwv, other := h.family.Parties["UWV"], h.family.Parties["ZK5503"]
	first, second, stays := neighbourWith(t, uwv.Server, 20*time.Millisecond), neighbourWith(t, uwv.Server, 0), neighbourWith(t, other.Server, 0)
	at := func(uwv string) {
		h.trust(func(trust *config.Trust) {
			party(trust, "UWV").Gateway, party(trust, "ZK5503").Gateway = uwv, stays.address
		})
		h.takeOver()
	}
	at(first.address)
	end, endOther := h.asking("UWV"), h.asking("ZK5503")
	for range 3 {
		for _, n := range []*neighbour{second, first} {
			before := n.calls.Load()
			at(n.address)
			require.Eventually(t, func() bool { return n.calls.Load() > before+4 }, 10*time.Second, time.Millisecond)
		}
	}
	require.NoError(t, end())
	require.NoError(t, endOther())
	at(second.address)
	require.Eventually(t, func() bool { return first.opened.Load() == first.ended.Load() }, 10*time.Second, time.Millisecond, "closed")
	require.EqualValues(t, 1, stays.opened.Load(), "one connection for all of it")
}

// A trust file with one fault is refused as a whole, said once, and what was there stays.
func TestABadTrustFileChangesNothing(t *testing.T) {
	h := newTown(t, nil)
	n := neighbourWith(t, h.family.Parties["UWV"].Server, 0)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = n.address })
	h.takeOver()
	require.NoError(t, h.holds("UWV"))
	good, err := os.ReadFile(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	for name, change := range map[string]func(*config.Trust){
		"no host and port":    func(trust *config.Trust) { party(trust, "ZK5503").Gateway = "nowhere" },
		"a code twice":        func(trust *config.Trust) { party(trust, "ZK5503").Code = "UWV" },
		"an OIN twice":        func(trust *config.Trust) { party(trust, "ZK5503").OIN = party(trust, "UWV").OIN },
		"no authorities":      func(trust *config.Trust) { party(trust, "ZK5503").CA = "trust/UWV-sign.pem" },
		"no such file":        func(trust *config.Trust) { party(trust, "ZK5503").CA = "trust/none.pem" },
		"a log key of nobody": func(trust *config.Trust) { party(trust, "ZK5503").LogKeys = []string{"x"} },
		"a key is gone":       func(trust *config.Trust) { party(trust, "ZK5503").Keys = party(trust, "ZK5503").Keys[1:] },
		"itself is gone":      func(trust *config.Trust) { party(trust, "GM0119").OIN = "00000099000000000001" },
	} {
		said := len(h.log.String())
		h.trust(func(trust *config.Trust) {
			party(trust, "UWV").Gateway = "127.0.0.1:1"
			change(trust)
		})
		changed := 0
		for range 3 {
			if did, err := h.server.ReloadKeys(t.Context()); did {
				require.Error(t, err, name)
				report(h.server.logger, "keys", err)
				changed++
			}
		}
		require.LessOrEqual(t, changed, 1, name)
		require.Equal(t, 1, strings.Count(h.log.String()[said:], "not taken over"), name)
		require.NoError(t, h.holds("UWV"), name)
		_, known := h.server.organisations.ByCode("ZK5503")
		require.True(t, known, name)
		h.put("trust.yaml", good)
		h.takeOver()
	}
}

// A party comes and goes without a restart.
func TestAPartyComesAndGoes(t *testing.T) {
	h := newTown(t, nil)
	const oin = identity.OIN("00000099000000777000")
	guest := *h.family.Parties["UWV"]
	_, known := h.server.organisations.ByOIN(guest.OIN)
	require.True(t, known)
	n := neighbourWith(t, guest.Server, 0)
	h.trust(func(trust *config.Trust) { // another party, which has no keys yet
		trust.Parties = append(trust.Parties, config.Organisation{Code: "NEW", OIN: oin, Kind: "SVB", Name: "New", Gateway: n.address})
	})
	h.takeOver()
	_, known = h.server.organisations.ByCode("NEW")
	require.True(t, known)
	require.Error(t, h.refuses("NEW"), "the certificate is of another organisation")
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = n.address })
	h.takeOver()
	require.NoError(t, h.holds("UWV"))

	h.trust(func(trust *config.Trust) { trust.Parties = trust.Parties[:len(trust.Parties)-1] })
	h.takeOver()
	_, known = h.server.organisations.ByCode("NEW")
	require.False(t, known)
	require.ErrorIs(t, h.holds("NEW"), errGone)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = "" })
	h.takeOver()
	require.ErrorIs(t, h.holds("UWV"), errGone)
	require.Eventually(t, func() bool { return n.opened.Load() == n.ended.Load() }, 10*time.Second, time.Millisecond, "closed")

	// One whose keys are known can go when none of them counts any more.
	h.trust(func(trust *config.Trust) {
		for i := range party(trust, "UWV").Keys {
			party(trust, "UWV").Keys[i].Lost = true
		}
	})
	h.takeOver()
	h.trust(func(trust *config.Trust) {
		kept := trust.Parties[:0]
		for _, p := range trust.Parties {
			if p.Code != "UWV" {
				kept = append(kept, p)
			}
		}
		trust.Parties = kept
	})
	h.takeOver()
	_, known = h.server.organisations.ByOIN(guest.OIN)
	require.False(t, known)
	require.Equal(t, "UNKNOWN_PEER", h.knocks(guest.Server), "nor is it let in")
}

// knocks calls the gateway as a peer, and gives the reason for which it is refused.
func (h *town) knocks(leaf family.Leaf) string {
	h.t.Helper()
	conn, err := grpc.NewClient(h.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: h.family.CA, Certificates: []tls.Certificate{leaf.TLS},
	})))
	require.NoError(h.t, err)
	defer conn.Close()
	_, err = ontschotv1.NewPeerServiceClient(conn).Holds(h.t.Context(), &ontschotv1.HoldsRequest{Id: "1", TermsSha256: strings.Repeat("a", 64)})
	if status.Code(err) == codes.Unavailable {
		return "HANDSHAKE"
	}
	return refusal.Reason(status.Convert(err))
}

// An authority of one party alone speaks for that party, in both directions, and the common
// ones do so no more. All of it while the gateway runs.
func TestAnAuthorityOfOnePartyAlone(t *testing.T) {
	h := newTown(t, nil)
	f := h.family
	before := f.Parties["UWV"].Server
	old := neighbourWith(t, before, 0)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = old.address })
	h.takeOver()
	require.NoError(t, h.holds("UWV"))
	require.Equal(t, "NO_AGREEMENT", h.knocks(before), "let in")

	require.NoError(t, f.Replace())
	require.NoError(t, f.Renew("UWV"))
	require.NoError(t, f.Renew("ZK5503"))
	uwv, stranger := f.Parties["UWV"].Server, f.Parties["ZK5503"].Server
	require.Equal(t, "HANDSHAKE", h.knocks(uwv), "not yet")
	h.put("trust/UWV-ca.pem", f.CAPEM)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").CA = "trust/UWV-ca.pem" })
	h.takeOver()
	require.Equal(t, "NO_AGREEMENT", h.knocks(uwv))
	require.Equal(t, "HANDSHAKE", h.knocks(before), "the common authority speaks for it no more")
	require.Equal(t, "HANDSHAKE", h.knocks(stranger), "nor its own for others")
	require.Error(t, h.refuses("UWV"), "a connection of before is not used")

	moved := neighbourWith(t, uwv, 0)
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = moved.address })
	h.takeOver()
	require.NoError(t, h.holds("UWV"))
	other := neighbourWith(t, stranger, 0)
	h.trust(func(trust *config.Trust) { party(trust, "ZK5503").Gateway = other.address })
	h.takeOver()
	require.Error(t, h.refuses("ZK5503"))
}

// published is a directory over HTTPS on loopback.
type published struct {
	*httptest.Server
	by   signed.Signer
	raw  atomic.Pointer[[]byte]
	down atomic.Bool
}

func publish(t *testing.T) *published {
	t.Helper()
	by, _, _, err := family.NewSigningKey("00000099000000000001", "directory-1")
	require.NoError(t, err)
	p := &published{by: by}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if p.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(*p.raw.Load())
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *published) says(t *testing.T, version int64, parties ...directory.Listing) {
	t.Helper()
	raw, err := p.by.Compact(signed.Directory, directory.Claims{IssuedAt: time.Now().Unix(), Issuer: p.by.Issuer, ID: uuid.Must(uuid.NewV7()).String(), Version: version, Parties: parties})
	require.NoError(t, err)
	p.raw.Store(&raw)
}

// configure has a gateway read it.
func (p *published) configure(t *testing.T, trustNew bool) func(*config.Gateway) {
	return func(conf *config.Gateway) {
		der, err := x509.MarshalPKIXPublicKey(p.by.Key.Public())
		require.NoError(t, err)
		files := map[string][]byte{
			"operator.pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
			"host.pem":     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}),
		}
		for name, raw := range files {
			require.NoError(t, os.WriteFile(conf.Path(name), raw, 0o600))
		}
		conf.Directory = &config.Directory{
			URL: p.URL, CA: "host.pem", Operator: p.by.Issuer, Keys: []config.DirectoryKey{{ID: "directory-1", File: "operator.pem"}}, TrustNewParties: trustNew, Refresh: "24h",
		}
	}
}

func listed(oin identity.OIN, code, gateway string, keys ...directory.Key) directory.Listing {
	return directory.Listing{Code: code, OIN: oin, Kind: "SVB", Name: "Naam", Laws: []string{}, LogKeys: []string{}, Keys: append([]directory.Key{}, keys...), Gateway: gateway}
}

// A directory adds a party and moves another while the gateway runs; what it may not say
// changes nothing, and after a day without it nobody is reached by it alone.
func TestADirectoryIsTakenOverWhileTheGatewayRuns(t *testing.T) {
	p := publish(t)
	p.says(t, 1, listed("00000099000000555000", "AA1", ""))
	h := newTown(t, p.configure(t, true))
	require.NotNil(t, h.server.directory)
	uwv, zk := h.family.Parties["UWV"], h.family.Parties["ZK5503"]
	first, second := neighbourWith(t, uwv.Server, 0), neighbourWith(t, uwv.Server, 0)
	h.trust(func(trust *config.Trust) { // left to the directory, and taken out
		party(trust, "UWV").Gateway, party(trust, "ZK5503").Gateway = "", "127.0.0.1:1"
	})
	h.takeOver()
	_, known := h.server.organisations.ByCode("AA1")
	require.True(t, known, "from the start")
	require.ErrorIs(t, h.refuses("UWV"), errGone)

	_, _, public, err := family.NewSigningKey("00000099000000555000", "sign-1")
	require.NoError(t, err)
	key := directory.Key{Alg: "ES256", ID: "sign-1", Kinds: family.DocumentKinds(), PEM: string(public)}
	p.says(t, 2, listed(uwv.OIN, "UWV", first.address), listed(zk.OIN, "ZK5503", second.address), listed("00000099000000666000", "BB1", second.address, key))
	require.NoError(t, h.server.ReloadDirectory(t.Context()))
	require.NoError(t, h.holds("UWV"))
	require.Error(t, h.refuses("ZK5503"), "the trust file wins")
	_, known = h.server.organisations.ByCode("BB1")
	require.True(t, known)
	_, known = h.server.organisations.ByCode("AA1")
	require.False(t, known)
	end := h.asking("UWV")
	p.says(t, 3, listed(uwv.OIN, "UWV", second.address), listed("00000099000000666000", "BB1", second.address, key))
	require.NoError(t, h.server.ReloadDirectory(t.Context()))
	require.Eventually(t, func() bool { return second.calls.Load() > 4 }, 10*time.Second, time.Millisecond)
	require.NoError(t, end())

	// What may not be is refused as a whole, and said once.
	for name, says := range map[string]func(){
		"a version that falls": func() { p.says(t, 2, listed(uwv.OIN, "UWV", first.address)) },
		"a key that is gone":   func() { p.says(t, 4, listed(uwv.OIN, "UWV", first.address)) },
		"a key under other ids": func() {
			p.says(t, 4, listed("00000099000000666000", "BB1", "", directory.Key{Alg: "ES256", ID: "sign-2", Kinds: family.DocumentKinds(), PEM: string(public)}))
		},
		"nothing signed":   func() { raw := []byte("x"); p.raw.Store(&raw) },
		"an answer of 503": func() { p.down.Store(true) },
	} {
		says()
		said := len(h.log.String())
		for range 3 {
			require.Error(t, h.server.ReloadDirectory(t.Context()), name)
		}
		require.Equal(t, 1, strings.Count(h.log.String()[said:], "not taken over"), name)
		require.NoError(t, h.holds("UWV"), name)
		p.down.Store(false)
	}

	// It is gone for a day, over a restart.
	p.down.Store(true)
	h.server.Close()
	h.start()
	require.NoError(t, h.holds("UWV"), "what was kept")
	day := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(h.server.Conf.Path(filepath.Join(h.server.Conf.Data, directory.File)), day, day))
	h.server.Close()
	h.start()
	require.ErrorIs(t, h.refuses("UWV"), errGone)
	_, known = h.server.organisations.ByCode("BB1")
	require.False(t, known)
	p.down.Store(false)
	p.says(t, 5, listed(uwv.OIN, "UWV", first.address), listed("00000099000000666000", "BB1", second.address, key))
	require.NoError(t, h.server.ReloadDirectory(t.Context()))
	require.NoError(t, h.holds("UWV"))
}

// Sources that are peers come and go with gateway.yaml and the trust file.
func TestAPeerBecomesASourceWhileTheGatewayRuns(t *testing.T) {
	h := newTown(t, nil)
	is := func(code string) bool {
		_, ok := h.server.network.source(code)
		return ok
	}
	set := func(sources ...config.Source) {
		conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
		require.NoError(t, err)
		conf.Sources = sources
		h.yaml("gateway.yaml", conf)
		h.takeOver()
	}
	require.False(t, is("UWV"))
	set(config.Source{Party: "UWV", Peer: true})
	require.True(t, is("UWV"))
	require.False(t, is("ZK5503"), "one that is not asked")
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = "" })
	h.takeOver()
	require.False(t, is("UWV"))
	h.trust(func(trust *config.Trust) { party(trust, "UWV").Gateway = "127.0.0.1:1" })
	h.takeOver()
	require.True(t, is("UWV"))
	set()
	require.False(t, is("UWV"))
	_, known := h.server.network.peer("UWV")
	require.True(t, known, "documents are still delivered to it")
}
