package certificate

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func revokes(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }

// crl makes a list of an authority for an hour; its number is the given one.
func (a issued) crl(t testing.TB, number int64, edit func(*x509.RevocationList), revoked ...issued) []byte {
	now := time.Now().Truncate(time.Second)
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour), SignatureAlgorithm: a.cert.SignatureAlgorithm}
	for _, r := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.cert.SerialNumber, RevocationTime: now.Add(-time.Minute)})
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	require.NoError(t, err)
	return der
}

func extension(id asn1.ObjectIdentifier, critical bool, value any) func(*x509.RevocationList) {
	der, err := asn1.Marshal(value)
	if err != nil {
		panic(err)
	}
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: der})
	}
}

func during(from, until time.Duration) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ThisUpdate, l.NextUpdate = time.Now().Add(from), time.Now().Add(until)
	}
}

// clock is of a test.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time              { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration)     { c.ahead.Add(int64(d)) }
func (c *clock) rules(lists ...string) Rules { return Rules{Lists: lists, now: c.now} }

func put(t testing.TB, raw []byte) (path string) {
	path = filepath.Join(t.TempDir(), "list.crl")
	replace(t, path, raw)
	return path
}

// meet is one meeting of a peer with a holder: at our listener, at our dialling, and later.
func meet(t testing.TB, h *Holder, p issued) (calls, answers bool, recall error) {
	pair := p.tls(t)
	_, atServer, atClient := handshake(t, h.Server(), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}})
	require.Equal(t, atServer == nil, atClient == nil)
	_, _, dialled := handshake(t, &tls.Config{Certificates: []tls.Certificate{pair}}, h.Client("localhost"))
	recall = h.Check(p.chain(t), h.rules.clock())
	if dialled != nil {
		require.ErrorIs(t, dialled, recall)
	}
	return atServer == nil, dialled == nil, recall
}

func requireMet(t testing.TB, h *Holder, p issued, want error, why string) {
	t.Helper()
	calls, answers, recall := meet(t, h, p)
	require.ErrorIs(t, recall, want, why)
	require.Equal(t, want == nil, calls, why)
	require.Equal(t, want == nil, answers, why)
}

// Whoever is on a list of its authority, or stands under one that is, is met nowhere.
func TestRevoked(t *testing.T) {
	a := root(t, "CA", revokes)
	mid, spoiled := a.under(t, "Mid", revokes), a.under(t, "Spoiled", revokes)
	good, bad, under, direct := mid.leaf(t, theirs), mid.leaf(t, theirs), spoiled.leaf(t, theirs), a.leaf(t, theirs)
	other := root(t, "Other CA", revokes)
	f := newFiles(t, a.leaf(t, ours), a, other)
	block := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: mid.crl(t, 1, nil, bad)})
	h, err := Open(f, ours, Rules{Lists: []string{put(t, a.crl(t, 1, nil, spoiled)), put(t, block), put(t, spoiled.crl(t, 1, nil))}})
	require.NoError(t, err)
	require.False(t, h.State().Lists[1].Proven, "its authority was not met yet")
	requireMet(t, h, good, nil, "not on the list")
	require.True(t, h.State().Lists[1].Proven)
	requireMet(t, h, bad, ErrRevoked, "on the list of its authority")
	requireMet(t, h, under, ErrRevoked, "its authority is on the list of the root")
	requireMet(t, h, direct, nil, "under the root itself")
	requireMet(t, h, other.leaf(t, theirs), ErrNoList, "of an authority that has none")
	require.Equal(t, 1, h.State().Lists[0].Revoked)

	all := open(t, f)
	requireMet(t, all, bad, nil, "no list is asked for")
}

// G4: the lists are signed with RSASSA-PSS as well.
func TestRevokedUnderPSS(t *testing.T) {
	p := fourthGeneration(t)
	good, bad := p.of(t, newKey(t), theirs), p.of(t, made(t, rsa3072), theirs)
	pss := p.provider.crl(t, 7, func(l *x509.RevocationList) { l.SignatureAlgorithm = x509.SHA384WithRSAPSS }, bad)
	h, err := Open(newFiles(t, p.of(t, newKey(t), ours), p.root), ours, Rules{Lists: []string{put(t, pss)}})
	require.NoError(t, err)
	require.True(t, h.State().Lists[0].Proven, "its authority is in our own chain")
	requireMet(t, h, good, nil, "not on the list")
	requireMet(t, h, bad, ErrRevoked, "on the list")
}

// A list is for the certificates that it says, and for no others.
func TestWhatAListIsFor(t *testing.T) {
	type point = issuingDistributionPoint
	const here = "http://crl.example.nl/1.crl"
	at := func(uri string) distributionPointName {
		return distributionPointName{Full: []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(uri)}}}
	}
	naming := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{here} }
	a := root(t, "CA", revokes)
	mid := a.under(t, "Mid", revokes)
	leaf, named := a.leaf(t, theirs), a.leaf(t, theirs, naming)
	below := mid.leaf(t, theirs)
	ofMid := put(t, mid.crl(t, 1, nil))
	for name, c := range map[string]struct {
		scope              point
		leaf, named, below error
	}{
		"leaves":                  {point{Leaves: true}, ErrRevoked, ErrRevoked, nil},
		"authorities":             {point{Authorities: true}, ErrNoList, ErrNoList, ErrRevoked},
		"who names the point":     {point{Point: at(here)}, ErrNoList, ErrRevoked, nil},
		"who names another point": {point{Point: at("http://crl.example.nl/2.crl")}, ErrNoList, ErrNoList, nil},
	} {
		raw := a.crl(t, 1, extension(distributionPoint, true, c.scope), leaf, named, mid)
		h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{put(t, raw), ofMid}})
		require.NoError(t, err, name)
		for want, p := range map[*error]issued{&c.leaf: leaf, &c.named: named, &c.below: below} {
			require.ErrorIs(t, h.Check(p.chain(t), time.Now()), *want, name)
		}
	}
}

// Each of these is refused, and the list that was in use stays in use.
func TestListsThatAreRefused(t *testing.T) {
	a, other := root(t, "CA", revokes), root(t, "Other CA", revokes)
	namesake := root(t, "CA", revokes)
	mute := issue(t, authority("CA"), nil, a.key, nil) // the same key, and it may not sign lists
	bad, good := a.leaf(t, theirs), a.leaf(t, theirs)
	type point = issuingDistributionPoint
	scope := func(p any) []byte { return a.crl(t, 9, extension(distributionPoint, true, p)) }
	entry := func(id asn1.ObjectIdentifier, critical bool) []byte {
		return a.crl(t, 9, func(l *x509.RevocationList) {
			l.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: time.Now(),
				ExtraExtensions: []pkix.Extension{{Id: id, Critical: critical, Value: []byte{5, 0}}}}}
		})
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.crl(t, 9, nil)})
	whole := a.crl(t, 9, nil)
	flipped := slices.Clone(whole)
	flipped[len(flipped)-1] ^= 1
	for name, c := range map[string]struct {
		raw []byte
		why string
	}{
		"nothing":                        {nil, "not a revocation list"},
		"a certificate":                  {asPEM(a.cert), "not one list"},
		"cut short":                      {whole[:len(whole)-1], "cut short"},
		"bytes after it":                 {append(slices.Clone(whole), 0), "not a revocation list"},
		"two of them":                    {slices.Concat(block, block), "not one list"},
		"larger than 10 MiB":             {make([]byte, maxList+1), "larger than 10 MiB"},
		"a delta list":                   {a.crl(t, 9, extension(deltaIndicator, true, big.NewInt(4))), "delta"},
		"a delta list that does not say": {a.crl(t, 9, extension(deltaIndicator, false, big.NewInt(4))), "delta"},
		"an indirect list":               {scope(point{Indirect: true}), "indirect"},
		"an entry of another authority":  {entry(certificateIssuer, true), "indirect"},
		"an entry with more to it":       {entry(asn1.ObjectIdentifier{1, 2, 3}, true), "critical"},
		"some reasons":                   {scope(point{Reasons: asn1.BitString{Bytes: []byte{0x40}, BitLength: 2}}), "some"},
		"attributes":                     {scope(point{Attributes: true}), "some"},
		"leaves alone, and authorities":  {scope(point{Leaves: true, Authorities: true}), "some"},
		"a scope that cannot be read":    {scope("x"), "cannot be read"},
		"more to it":                     {a.crl(t, 9, extension(asn1.ObjectIdentifier{1, 2, 3}, true, 1)), "critical"},
		"of a time to come":              {a.crl(t, 9, during(time.Hour, 2*time.Hour)), "time to come"},
		"one bit changed":                {flipped, "signature"},
		"of another of the same name":    {namesake.crl(t, 9, nil), "signature"},
		"of an authority not known":      {other.crl(t, 9, nil), "not known"},
		"an older number":                {a.crl(t, 4, during(0, time.Hour)), "older"},
		"an older time":                  {a.crl(t, 9, during(-2*time.Minute, time.Hour)), "older"},
	} {
		t.Run(name, func(t *testing.T) {
			path := put(t, a.crl(t, 5, nil, bad))
			h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{path}})
			require.NoError(t, err)
			before := h.State().Lists[0]
			require.NoError(t, h.Check(good.chain(t), time.Now()))
			replace(t, path, c.raw)
			for range 2 { // it is said for as long as it lasts
				err = h.Refresh(t.Context())
				require.ErrorIs(t, err, ErrList)
				require.ErrorContains(t, err, c.why)
				require.ErrorContains(t, err, path)
				require.NotContains(t, err.Error(), "CN=")
			}
			after := h.State().Lists[0]
			require.NotEmpty(t, after.Problem)
			after.Problem = ""
			require.Equal(t, before, after)
			require.ErrorIs(t, h.Check(bad.chain(t), time.Now()), ErrRevoked)
			require.NoError(t, h.Check(good.chain(t), time.Now()))
			replace(t, path, a.crl(t, 6, nil, good))
			require.NoError(t, h.Refresh(t.Context()))
			require.ErrorIs(t, h.Check(good.chain(t), time.Now()), ErrRevoked, "and a newer one heals it")
			require.Empty(t, h.State().Lists[0].Problem)
		})
	}
	_, err := Open(newFiles(t, mute.leaf(t, ours), mute), ours, Rules{Lists: []string{put(t, whole)}})
	require.ErrorIs(t, err, ErrList, "an authority that may not sign lists")
	_, err = Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{filepath.Join(t.TempDir(), "none")}})
	require.ErrorIs(t, err, ErrList, "no file")
	_, err = Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: slices.Repeat([]string{put(t, whole)}, maxLists+1)})
	require.ErrorIs(t, err, ErrList, "too many")
}

// A peer whose list comes, ends, is renewed and lets it go again, without a restart; the
// same with the other setting.
func TestListsInTheCourseOfTime(t *testing.T) {
	a := root(t, "CA", revokes, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(1000 * time.Hour) })
	long := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(900 * time.Hour) }
	peer := a.leaf(t, theirs, long)
	for _, accept := range []bool{false, true} {
		var c clock
		path := put(t, a.crl(t, 1, nil))
		rules := c.rules(path)
		rules.AcceptOld = accept
		var said []string
		rules.Warn = func(m string, _ ...any) { said = append(said, m) }
		h, err := Open(newFiles(t, a.leaf(t, ours, long), a), ours, rules)
		require.NoError(t, err)
		then := func(number int64, revoked ...issued) {
			replace(t, path, a.crl(t, number, func(l *x509.RevocationList) {
				l.ThisUpdate, l.NextUpdate = c.now(), c.now().Add(time.Hour)
			}, revoked...))
			require.NoError(t, h.Refresh(t.Context()))
		}
		late := ErrNoList
		if accept {
			late = nil
		}
		requireMet(t, h, peer, nil, "in date")
		c.advance(50 * time.Minute)
		require.NoError(t, h.Refresh(t.Context()))
		require.NoError(t, h.Refresh(t.Context()))
		require.Equal(t, []string{"a revocation list nears its next update"}, said, "once, and before it ends")
		requireMet(t, h, peer, nil, "still in date")
		c.advance(time.Hour)
		requireMet(t, h, peer, late, "after its next update, also who was found good before")
		then(2)
		requireMet(t, h, peer, nil, "renewed")
		then(3, peer)
		requireMet(t, h, peer, ErrRevoked, "revoked")
		c.advance(2 * time.Hour)
		requireMet(t, h, peer, ErrRevoked, "an old list revokes as well, whatever the setting")
		then(4)
		requireMet(t, h, peer, nil, "it was on hold, and is free again")
		c.advance(-3 * time.Hour)
		requireMet(t, h, peer, nil, "a clock that is set back")
	}
}

// publisher publishes a list over plain http.
type publisher struct {
	*httptest.Server
	raw   atomic.Pointer[[]byte]
	asked atomic.Int64
}

func publish(t testing.TB, raw []byte) *publisher {
	p := &publisher{}
	p.raw.Store(&raw)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		if raw := *p.raw.Load(); raw != nil {
			_, _ = w.Write(raw)
			return
		}
		http.Error(w, "gone", http.StatusNotFound)
	}))
	t.Cleanup(p.Close)
	return p
}

// A list from a URL is fetched well before it ends, outlives the process in the cache, and
// is not put back by whoever sits on the wire.
func TestAListFromAURL(t *testing.T) {
	a := root(t, "CA", revokes)
	good, bad := a.leaf(t, theirs), a.leaf(t, theirs)
	older, newer := a.crl(t, 1, nil), a.crl(t, 2, nil, bad)
	p := publish(t, newer)
	f := newFiles(t, a.leaf(t, ours), a)
	var c clock
	rules := c.rules(p.URL + "/list.crl")
	rules.Cache = filepath.Join(t.TempDir(), "crl")
	h, err := Open(f, ours, rules)
	require.NoError(t, err)
	requireMet(t, h, good, nil, "not on it")
	requireMet(t, h, bad, ErrRevoked, "on it")
	require.NoError(t, h.Refresh(t.Context()))
	require.EqualValues(t, 1, p.asked.Load(), "not yet its time")
	c.advance(31 * time.Minute)
	require.NoError(t, h.Refresh(t.Context()))
	require.EqualValues(t, 2, p.asked.Load(), "half of it has passed")

	p.raw.Store(&older)
	c.advance(-31 * time.Minute)
	again, err := Open(f, ours, rules) // restarted
	require.NoError(t, err)
	require.ErrorContains(t, again.Refresh(t.Context()), "older")
	requireMet(t, again, bad, ErrRevoked, "put back before the start")
	p.raw.Store(ptr([]byte(nil)))
	c.advance(2 * time.Minute)
	require.ErrorContains(t, again.Refresh(t.Context()), "status 404")
	p.Close()
	again, err = Open(f, ours, rules)
	require.NoError(t, err)
	requireMet(t, again, good, nil, "its place is down, and it is in the cache")
	requireMet(t, again, bad, ErrRevoked, "the same")
	require.ErrorContains(t, again.Refresh(t.Context()), "connection refused")

	entries, err := os.ReadDir(rules.Cache)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, os.WriteFile(filepath.Join(rules.Cache, entries[0].Name()), older, 0o600))
	rules.Cache = ""
	none, err := Open(f, ours, rules)
	require.NoError(t, err, "it starts, and lets nobody in")
	requireMet(t, none, good, ErrNoList, "no list at all")
	rules.AcceptOld = true
	none, err = Open(f, ours, rules)
	require.NoError(t, err)
	requireMet(t, none, good, nil, "as configured")
}

func ptr[T any](v T) *T { return &v }

func TestURLsThatGiveNoList(t *testing.T) {
	a := root(t, "CA", revokes)
	list := a.crl(t, 1, nil)
	elsewhere := publish(t, list)
	there := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for name, c := range map[string]struct {
		do  http.HandlerFunc
		why string
	}{
		"status 500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); _, _ = w.Write(list) }, "status 500"},
		"too much":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxList+1)) }, "10 MiB"},
		"without an end": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write(list)
		}, "cannot be read"},
		"another host":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, there, http.StatusFound) }, "another place"},
		"round and round": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, "another place"},
		"a page":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "not a revocation list"},
	} {
		s := httptest.NewServer(c.do)
		h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{s.URL}})
		require.NoError(t, err, name)
		require.Contains(t, h.State().Lists[0].Problem, c.why, name)
		require.ErrorIs(t, h.Check(a.leaf(t, theirs).chain(t), time.Now()), ErrNoList, name)
		s.Close()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/latest", http.StatusFound)
			return
		}
		_, _ = w.Write(list)
	}))
	defer s.Close()
	h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{s.URL}})
	require.NoError(t, err)
	require.Empty(t, h.State().Lists[0].Problem, "the same host")
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	_, err = fetch(ctx, silent.URL)
	require.ErrorContains(t, err, "no answer in time")
}

// A forged list of an authority that was not met yet counts for nothing, keeps whom it
// concerns out, and gives way to the true one.
func TestAForgedListOfAnAuthorityNotMetYet(t *testing.T) {
	a := root(t, "CA")
	mid := a.under(t, "Mid", revokes)
	good, bad := mid.leaf(t, theirs), mid.leaf(t, theirs)
	forged := root(t, "Mid", revokes).crl(t, 1<<40, nil)
	p := publish(t, forged)
	var c clock
	rules := c.rules(p.URL)
	rules.Cache = t.TempDir()
	h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, rules)
	require.NoError(t, err)
	requireMet(t, h, good, ErrNoList, "nothing rests on it")
	entries, err := os.ReadDir(rules.Cache)
	require.NoError(t, err)
	require.Empty(t, entries, "nor is it kept")
	p.raw.Store(ptr(mid.crl(t, 1, nil, bad)))
	c.advance(2 * time.Minute)
	require.NoError(t, h.Refresh(t.Context()))
	requireMet(t, h, good, nil, "the true one")
	requireMet(t, h, bad, ErrRevoked, "the true one")
	c.advance(2 * time.Minute)
	require.NoError(t, h.Refresh(t.Context()))
	entries, err = os.ReadDir(rules.Cache)
	require.NoError(t, err)
	require.Len(t, entries, 1, "kept, now that it is known to be true")
	p.raw.Store(&forged)
	c.advance(time.Hour)
	require.ErrorContains(t, h.Refresh(t.Context()), "signature")
}

// The certificate files change while a list is in use, and the list while they do.
func TestListsOutliveAChangeOfCertificates(t *testing.T) {
	a, next := root(t, "CA", revokes), root(t, "Next CA", revokes)
	bad := a.leaf(t, theirs)
	f := newFiles(t, a.leaf(t, ours), a)
	path, other := put(t, a.crl(t, 1, nil, bad)), put(t, next.crl(t, 1, nil))
	h, err := Open(f, ours, Rules{Lists: []string{path, other}})
	require.NoError(t, err)
	f.believe(t, a, next)
	_, err = h.Reload()
	require.NoError(t, err)
	requireMet(t, h, bad, ErrRevoked, "after a reload")
	requireMet(t, h, next.leaf(t, theirs), nil, "of the new authority")
	require.NoError(t, h.Refresh(t.Context()))
	requireMet(t, h, bad, ErrRevoked, "and after a refresh")
	require.Equal(t, ours, h.State().OIN)
}

// We are on the list ourselves: that is said, and does not end the gateway.
func TestOurselvesRevoked(t *testing.T) {
	a := root(t, "CA", revokes)
	own := a.leaf(t, ours)
	var said []string
	_, err := Open(newFiles(t, own, a), ours, Rules{Lists: []string{put(t, a.crl(t, 1, nil, own))}, Warn: func(m string, _ ...any) { said = append(said, m) }})
	require.NoError(t, err)
	require.Equal(t, []string{"our own certificate is on a revocation list"}, said)
}

// A client keeps a gRPC connection; the server's certificate is revoked, and replaced.
func TestAServerThatIsRevokedInTheMeantime(t *testing.T) {
	a := root(t, "CA", revokes)
	first := a.leaf(t, ours)
	atServer := newFiles(t, first, a)
	server := open(t, atServer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var asked atomic.Int64
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(server.Server())), grpc.UnaryInterceptor(
		func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			asked.Add(1)
			return next(ctx, r)
		}))
	healthv1.RegisterHealthServer(s, health.NewServer())
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) }) // ends with Stop
	t.Cleanup(func() { s.Stop(); serving.Wait() })

	path := put(t, a.crl(t, 1, nil))
	client, err := Open(newFiles(t, a.leaf(t, theirs), a), theirs, Rules{Lists: []string{path}})
	require.NoError(t, err)
	conn, err := grpc.NewClient(l.Addr().String(), client.Dial(credentials.NewTLS(client.Client("localhost")))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ask := func(options ...grpc.CallOption) error {
		_, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}, options...)
		return err
	}
	require.NoError(t, ask())
	require.NoError(t, ask())
	require.EqualValues(t, 2, asked.Load())
	replace(t, path, a.crl(t, 2, nil, first))
	require.NoError(t, client.Refresh(t.Context()))
	for range 3 { // on the old connection, then on attempts at a new one
		err = ask()
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, ErrRevoked.Error())
	}
	require.EqualValues(t, 2, asked.Load(), "nothing was sent")
	atServer.show(t, a.leaf(t, ours))
	_, err = server.Reload()
	require.NoError(t, err)
	conn.ResetConnectBackoff()
	require.NoError(t, ask(grpc.WaitForReady(true)), "renewed")
}

// Watch finds a new list by itself, and says of one that cannot be used once.
func TestWatchLooksAtLists(t *testing.T) {
	a := root(t, "CA", revokes)
	peer := a.leaf(t, theirs)
	path := put(t, a.crl(t, 1, nil))
	h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{path}})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	reports := make(chan error, 64)
	var watching sync.WaitGroup
	watching.Go(func() { h.Watch(ctx, time.Millisecond, func(err error) { reports <- err }) })
	defer watching.Wait()
	defer stop()
	require.NoError(t, h.Check(peer.chain(t), time.Now()))
	replace(t, path, a.crl(t, 2, nil, peer))
	require.NoError(t, <-reports)
	require.ErrorIs(t, h.Check(peer.chain(t), time.Now()), ErrRevoked)
	replace(t, path, []byte("x"))
	require.ErrorIs(t, <-reports, ErrList)
	replace(t, path, a.crl(t, 3, nil))
	require.NoError(t, <-reports, "and nothing in between")
	require.NoError(t, h.Check(peer.chain(t), time.Now()))
}

func TestSizesOfRSAKeys(t *testing.T) {
	a := root(t, "CA")
	small, large := a.leafWith(t, made(t, rsa2048), theirs), a.leafWith(t, made(t, rsa3072), theirs)
	var said []string
	warn := func(m string, args ...any) { said = append(said, fmt.Sprint(append([]any{m}, args...)...)) }
	h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Warn: warn})
	require.NoError(t, err)
	requireMet(t, h, large, nil, "3072 bits")
	require.Empty(t, said)
	requireMet(t, h, small, nil, "2048 bits")
	requireMet(t, h, small, nil, "2048 bits")
	require.Len(t, said, 1, "once")
	require.Contains(t, said[0], "2048")
	require.Contains(t, said[0], string(theirs))
	h, err = Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{MinRSABits: 3072, Warn: warn})
	require.NoError(t, err)
	requireMet(t, h, large, nil, "3072 bits")
	requireMet(t, h, small, ErrUnfit, "2048 bits")
	_, err = Open(newFiles(t, small, a), theirs, Rules{MinRSABits: 3072})
	require.ErrorIs(t, err, ErrUnfit, "our own")
	_, err = Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{MinRSABits: 1024})
	require.NoError(t, err)
	require.Len(t, said, 1)
	weak, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{MinRSABits: 1024})
	require.NoError(t, err)
	requireMet(t, weak, a.leafWith(t, rsaKey(t, 1024), theirs), ErrUnfit, "less than 2048 is never taken")
}

func TestAPeerHeldAgainstAListCostsNoMemoryTheSecondTime(t *testing.T) {
	a := root(t, "CA", revokes)
	h, err := Open(newFiles(t, a.leaf(t, ours), a), ours, Rules{Lists: []string{put(t, a.crl(t, 1, nil))}})
	require.NoError(t, err)
	peer, now := a.leaf(t, theirs).chain(t), time.Now()
	require.NoError(t, h.Check(peer, now))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = h.Check(peer, now) }))
}

// Whatever comes as a list: no panic, and an error that is ours or a list that is whole.
func FuzzList(f *testing.F) {
	a := root(f, "CA", revokes)
	leaf := a.leaf(f, theirs)
	f.Add(a.crl(f, 1, nil, leaf))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: a.crl(f, 1, nil)}))
	f.Add(a.crl(f, 2, extension(distributionPoint, true, issuingDistributionPoint{Leaves: true})))
	f.Add(a.crl(f, 2, extension(distributionPoint, true, issuingDistributionPoint{Indirect: true})))
	f.Add(a.crl(f, 2, extension(deltaIndicator, true, big.NewInt(1))))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parseList(raw)
		if err != nil {
			if l != nil || !errors.Is(err, ErrList) {
				t.Fatalf("not an error of this room: %v", err)
			}
			return
		}
		if l.revoked == nil || l.signed.NextUpdate.Before(l.signed.ThisUpdate) || !l.leaves && !l.authorities {
			t.Fatal("a list that is not whole")
		}
		_ = l.covers(leaf.cert, a.cert)
		_ = l.has(leaf.cert.SerialNumber)
		if !l.follows(l) {
			t.Fatal("a list follows itself")
		}
	})
}

// Whatever a subject holds, there is one OIN or none.
func FuzzPeer(f *testing.F) {
	f.Add(string(ours), "OI:NL-"+string(ours), "NTRNL-1")
	f.Add("", "OI:"+string(ours), "")
	f.Add(string(ours), "", "OI:NL-"+string(theirs))
	f.Fuzz(func(t *testing.T, number, id, more string) {
		leaf := &x509.Certificate{}
		for _, a := range []pkix.AttributeTypeAndValue{{Type: serialNumber, Value: number}, {Type: organizationIdentifier, Value: id}, {Type: organizationIdentifier, Value: more}} {
			if a.Value != "" {
				leaf.Subject.Names = append(leaf.Subject.Names, a)
			}
		}
		oin, err := Peer(leaf)
		if err != nil {
			if oin != "" || !errors.Is(err, ErrIdentity) {
				t.Fatalf("%q and %v", oin, err)
			}
			return
		}
		// Nothing of the scheme of the OIN says otherwise.
		if number != "" && number != string(oin) || len(oin) != 20 {
			t.Fatalf("%q of %q", oin, number)
		}
		for _, v := range []string{id, more} {
			if strings.HasPrefix(v, "OI:") && !strings.HasSuffix(v, string(oin)) {
				t.Fatalf("%q of %q", oin, v)
			}
		}
	})
}

// Calls, handshakes and looks at the state go on while lists and certificates are replaced:
// who is revoked is refused from the refresh on, and nobody else ever.
func TestListsUnderTraffic(t *testing.T) {
	a := root(t, "CA", revokes)
	f := newFiles(t, a.leaf(t, ours), a)
	path := put(t, a.crl(t, 1, nil))
	h, err := Open(f, ours, Rules{Lists: []string{path}})
	require.NoError(t, err)
	good := a.under(t, "Mid").leaf(t, theirs) // no list: refused, and never for long
	plain, bad := a.leaf(t, theirs), a.leaf(t, theirs)
	var stop atomic.Bool
	var traffic sync.WaitGroup
	for range 4 {
		traffic.Go(func() {
			for !stop.Load() {
				if err := h.Check(plain.chain(t), time.Now()); err != nil {
					t.Errorf("refused: %v", err)
					return
				}
				if err := h.Check(good.chain(t), time.Now()); !errors.Is(err, ErrNoList) {
					t.Errorf("not refused: %v", err)
					return
				}
				_ = h.State()
			}
		})
	}
	for n := int64(2); n < 20; n++ {
		revoked, want := []issued{bad}, ErrRevoked
		if n%2 == 1 {
			revoked, want = nil, nil
		}
		replace(t, path, a.crl(t, n, nil, revoked...))
		require.NoError(t, h.Refresh(t.Context()))
		require.ErrorIs(t, h.Check(bad.chain(t), time.Now()), want)
		f.show(t, a.leaf(t, ours))
		_, err := h.Reload()
		require.NoError(t, err)
		require.ErrorIs(t, h.Check(bad.chain(t), time.Now()), want)
	}
	stop.Store(true)
	traffic.Wait()
}

// A list is of its authority by name and by key: one that has the key under another name
// speaks of its own certificates only.
func TestAnAuthorityWithTheKeyOfAnother(t *testing.T) {
	a := root(t, "CA", revokes)
	twin := issue(t, authority("Twin CA"), nil, a.key, []edit{revokes})
	peer := a.leaf(t, theirs)
	h, err := Open(newFiles(t, a.leaf(t, ours), a, twin), ours, Rules{Lists: []string{put(t, twin.crl(t, 1, nil, peer))}})
	require.NoError(t, err)
	requireMet(t, h, peer, ErrNoList, "its list is not there")
}

// Which list may follow which: neither its number nor its time goes back.
func TestWhichListFollows(t *testing.T) {
	of := func(number *big.Int, at int64) *list {
		return &list{signed: &x509.RevocationList{Number: number, ThisUpdate: time.Unix(at, 0)}}
	}
	five := big.NewInt(5)
	for name, c := range map[string]struct {
		next, old *list
		want      bool
	}{
		"the same":            {of(five, 10), of(five, 10), true},
		"a higher number":     {of(big.NewInt(6), 10), of(five, 10), true},
		"a lower number":      {of(big.NewInt(4), 11), of(five, 10), false},
		"an earlier time":     {of(big.NewInt(6), 9), of(five, 10), false},
		"a number from now":   {of(five, 11), of(nil, 10), true},
		"no number any more":  {of(nil, 11), of(five, 10), false},
		"never a number":      {of(nil, 11), of(nil, 10), true},
		"never, and too soon": {of(nil, 9), of(nil, 10), false},
	} {
		require.Equal(t, c.want, c.next.follows(c.old), name)
	}
}
