package signed

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/stretchr/testify/require"
)

// jwkOf writes one key of a set.
func jwkOf(t testing.TB, key any, members ...string) string {
	t.Helper()
	k, err := jwk.FromRaw(key)
	require.NoError(t, err)
	for i := 0; i < len(members); i += 2 {
		require.NoError(t, k.Set(members[i], members[i+1]))
	}
	raw, err := json.Marshal(k)
	require.NoError(t, err)
	return string(raw)
}

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

// An issuer may publish more than we know: what does not count is passed over.
func TestWhatAKeySetMayHold(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	good := rsaKey(t, 2048)
	in := jwkOf(t, good.Public(), "kid", "good", "use", "sig", "alg", "RS256")
	for name, other := range map[string]string{
		"a type nobody knows":    `{"kty":"ML-DSA","kid":"x","use":"sig"}`,
		"for encryption":         jwkOf(t, good.Public(), "kid", "x", "use", "enc"),
		"for another algorithm":  jwkOf(t, good.Public(), "kid", "x", "alg", "RS512"),
		"for wrapping":           strings.Replace(jwkOf(t, good.Public(), "kid", "x"), `{`, `{"key_ops":["wrapKey"],`, 1),
		"private":                jwkOf(t, good, "kid", "x"),
		"weak":                   jwkOf(t, rsaKey(t, 1024).Public(), "kid", "x"),
		"without an id":          jwkOf(t, good.Public()),
		"symmetric":              `{"kty":"oct","kid":"x","k":"c2VjcmV0"}`,
		"of an elliptic curve":   jwkOf(t, ecKey(t, elliptic.P256()).Public(), "kid", "x"),
		"without a modulus":      `{"kty":"RSA","kid":"x","e":"AQAB"}`,
		"broken":                 `{"kty":"RSA","kid":"x","n":"!","e":"AQAB"}`,
		"no object":              `7`,
		"a use that is no text":  strings.Replace(jwkOf(t, good.Public(), "kid", "x"), `{`, `{"use":7,`, 1),
		"operations in no list":  strings.Replace(jwkOf(t, good.Public(), "kid", "x"), `{`, `{"key_ops":"verify",`, 1),
		"the id of another type": `{"kty":"RSA","kid":7}`,
	} {
		keys, err := parseSet([]byte(setOf(other, in)), "RS256")
		require.NoError(t, err, name)
		require.Len(t, keys, 1, name)
		require.True(t, good.PublicKey.Equal(keys["good"].Public), name)
		_, err = parseSet([]byte(setOf(other)), "RS256")
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestKeySetsThatAreRefused(t *testing.T) {
	good := jwkOf(t, ecKey(t, elliptic.P256()).Public(), "kid", "good")
	many := make([]string, maxSetKeys+1)
	for i := range many {
		many[i] = strings.Replace(good, "good", fmt.Sprintf("k%d", i), 1)
	}
	for name, raw := range map[string]string{
		"empty": "", "no keys": `{"keys":[]}`, "another shape": `{"keys":{}}`, "a list": `[]`, "two values": setOf(good) + setOf(good),
		"two of one id":    setOf(good, good),
		"too many":         setOf(many...),
		"too large":        setOf(good, `"`+strings.Repeat("x", maxSetBytes)+`"`),
		"a member twice":   strings.Replace(setOf(good), `{"keys"`, `{"keys":[],"keys"`, 1),
		"too deep":         setOf(good, strings.Repeat("[", 9)+strings.Repeat("]", 9)),
		"P-384":            setOf(jwkOf(t, ecKey(t, elliptic.P384()).Public(), "kid", "good")),
		"a page of errors": `<html>`,
	} {
		_, err := parseSet([]byte(raw), "ES256")
		require.ErrorIs(t, err, ErrMalformed, name)
	}
	keys, err := parseSet([]byte(setOf(many[:maxSetKeys]...)), "ES256")
	require.NoError(t, err)
	require.Len(t, keys, maxSetKeys)
}

// publisher is an issuer's place for its keys.
type publisher struct {
	*httptest.Server
	body  atomic.Value // string; empty: it fails
	asked atomic.Int32
}

func publish(t testing.TB, set string) *publisher {
	p := &publisher{}
	p.body.Store(set)
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "application/jwk-set+json, application/json" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		p.asked.Add(1)
		body := p.body.Load().(string)
		if body == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(p.Close)
	return p
}

// clock is a wall clock that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(c.at.Load(), 0) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d / time.Second)) }

func (p *publisher) keySet(t testing.TB, c *clock) *KeySet {
	c.at.Store(1_800_000_000)
	s, err := NewKeySet(KeySetConfig{URL: p.URL, Alg: "EdDSA", Client: p.Client(), Now: c.now})
	require.NoError(t, err)
	return s
}

func edKey(t testing.TB, kid string) (ed25519.PrivateKey, string) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key, jwkOf(t, key.Public(), "kid", kid)
}

// Keys are fetched when they are needed and five minutes old; what was fetched well
// is kept for a day when the issuer is silent, and then nothing is believed.
func TestAKeySetIsKeptForADay(t *testing.T) {
	_, one := edKey(t, "one")
	p, c := publish(t, setOf(one)), &clock{}
	s := p.keySet(t, c)
	asked := func(n int32) { t.Helper(); require.Equal(t, n, p.asked.Load()) }
	asked(0)
	first := s.current()
	require.Contains(t, first.keys, "one")
	c.pass(refreshAfter - time.Second)
	require.Same(t, first, s.current())
	asked(1)
	c.pass(time.Second)
	require.Same(t, first.seen, s.current().seen, "the same keys: what was seen stays seen")
	asked(2)

	p.body.Store("")
	c.pass(refreshAfter)
	kept := s.current()
	require.Contains(t, kept.keys, "one")
	asked(3)
	require.Same(t, kept, s.current())
	asked(3) // not again at once
	c.pass(retryAfter)
	require.Same(t, kept, s.current())
	asked(4)
	p.body.Store("<html>")
	c.pass(23 * time.Hour)
	require.Same(t, kept, s.current())
	c.pass(time.Hour)
	require.Nil(t, s.current())

	_, two := edKey(t, "two")
	p.body.Store(setOf(two))
	require.Nil(t, s.current(), "not again at once")
	c.pass(retryAfter)
	require.Contains(t, s.current().keys, "two")
	require.NotContains(t, s.current().keys, "one")
}

// A key id that is not there is looked for at once, by one of those who ask, and
// not again for half a minute.
func TestAnUnknownKeyIsLookedForOnce(t *testing.T) {
	_, one := edKey(t, "one")
	_, two := edKey(t, "two")
	p, c := publish(t, setOf(one)), &clock{}
	s := p.keySet(t, c)
	first := s.current()
	p.body.Store(setOf(one, two))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { require.Contains(t, s.renewed(first).keys, "two") })
	}
	all.Wait()
	require.Equal(t, int32(2), p.asked.Load())
	second := s.current()
	require.Same(t, second, s.renewed(second))
	c.pass(retryAfter - time.Second)
	require.Same(t, second, s.renewed(second))
	require.Equal(t, int32(2), p.asked.Load())
	c.pass(time.Second)
	s.renewed(second)
	require.Equal(t, int32(3), p.asked.Load())
	c.pass(retryAfter)
	require.NotSame(t, first, s.renewed(first), "somebody did since")
	require.Equal(t, int32(3), p.asked.Load())
}

// A set is young until it has the age to the nanosecond.
func TestHowOldASetIs(t *testing.T) {
	h := &held{at: time.Unix(1_800_000_000, 0)}
	require.True(t, h.younger(refreshAfter, h.at.Add(refreshAfter-1)))
	require.False(t, h.younger(refreshAfter, h.at.Add(refreshAfter)))
	require.False(t, (*held)(nil).younger(refreshAfter, h.at))
}

// What nobody may believe any more is not used while another fetches: who asks waits.
func TestWithoutAGoodSetOneWaits(t *testing.T) {
	_, one := edKey(t, "one")
	p, c := publish(t, setOf(one)), &clock{}
	s := p.keySet(t, c)
	s.fetching.Lock() // somebody is at it
	got := make(chan *held)
	const many = 8
	for range many {
		go func() { got <- s.current() }()
	}
	time.Sleep(20 * time.Millisecond) // that they come to the lock; without it the test holds too
	s.fetching.Unlock()
	for range many {
		require.NotNil(t, <-got)
	}
	require.Equal(t, int32(1), p.asked.Load())
}

// Why a set could not be fetched is reported once each time, whatever the reason.
func TestWhyFetchingFailedIsReported(t *testing.T) {
	_, one := edKey(t, "one")
	set := setOf(one)
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		want   error
	}{
		"another status, with a good set": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted); _, _ = io.WriteString(w, set) }, ErrKeySet},
		"cut off behind a good set": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(len(set)+1))
			_, _ = io.WriteString(w, set)
		}, ErrKeySet},
		"hung up":            {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, ErrKeySet},
		"no set":             {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") }, ErrMalformed},
		"a byte larger":      {func(w http.ResponseWriter) { _, _ = io.WriteString(w, set+strings.Repeat(" ", maxSetBytes-len(set)+1)) }, ErrMalformed},
		"as large as may be": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, set+strings.Repeat(" ", maxSetBytes-len(set))) }, nil},
	} {
		p := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) }))
		var reported []error
		s, err := NewKeySet(KeySetConfig{URL: p.URL, Alg: "EdDSA", Client: p.Client(), Failed: func(err error) { reported = append(reported, err) }})
		require.NoError(t, err, name)
		require.Equal(t, c.want == nil, s.current() != nil, name)
		p.Close()
		if c.want == nil {
			require.Empty(t, reported, name)
			continue
		}
		require.Len(t, reported, 1, name)
		require.ErrorIs(t, reported[0], c.want, name)
	}
}

// Three times on the same host, and never from https to http.
func TestRedirects(t *testing.T) {
	to := func(url string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		require.NoError(t, err)
		return r
	}
	const url = "https://idp.example/keys"
	via := []*http.Request{to(url), to(url), to(url)}
	require.NoError(t, sameHost(to(url), via))
	require.Error(t, sameHost(to(url), append(via, to(url))))
	require.Error(t, sameHost(to("http://idp.example/keys"), via[:1]))
	require.Error(t, sameHost(to("https://other.example/keys"), via[:1]))
}

// The sizes of RSA keys of an outside issuer, and that a key is of its algorithm's type.
func TestWhichKeysFitOutside(t *testing.T) {
	ofBits := func(n uint) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(n)-1, 1), E: 65537}
	}
	for bits, want := range map[uint]bool{2047: false, 2048: true, 8192: true, 8193: false} {
		for _, alg := range []string{"RS256", "PS256"} {
			require.Equal(t, want, fitsOutside(Key{Alg: alg, Public: ofBits(bits)}), "%s, %d bits", alg, bits)
		}
	}
	_, ed := edKey(t, "k")
	for alg, set := range map[string]string{
		"EdDSA": jwkOf(t, rsaKey(t, 2048).Public(), "kid", "k"), "ES256": jwkOf(t, rsaKey(t, 2048).Public(), "kid", "k"), "RS256": ed,
	} {
		_, err := parseSet([]byte(setOf(set)), alg)
		require.ErrorIs(t, err, ErrMalformed, alg)
	}
	keys, err := parseSet([]byte(setOf(strings.Replace(ed, `{`, `{"key_ops":["verify"],`, 1))), "EdDSA")
	require.NoError(t, err)
	require.Len(t, keys, 1)
	_, err = ReadKeySet([]byte("<html>"), "EdDSA")
	require.ErrorIs(t, err, ErrMalformed)
}

// While one fetches, the others go on with what there is.
func TestNobodyWaitsForARefresh(t *testing.T) {
	_, one := edKey(t, "one")
	p, c := publish(t, setOf(one)), &clock{}
	s := p.keySet(t, c)
	first := s.current()
	c.pass(refreshAfter)
	s.fetching.Lock() // somebody is at it
	require.Same(t, first, s.current())
	s.fetching.Unlock()
	require.NotSame(t, first, s.current())
}

func TestWhereAKeySetMayComeFrom(t *testing.T) {
	_, one := edKey(t, "one")
	for url, want := range map[string]bool{
		"https://idp.example/keys": true, "https://idp.example/keys?appid=1": true, "http://127.0.0.1:8080/keys": false, "http://idp.example/keys": false,
		"": false, "idp.example": false, "file:///etc/passwd": false, "https://user:word@idp.example/": false, "https://idp.example/#x": false, "https:///keys": false, "https://%zz": false,
	} {
		_, err := NewKeySet(KeySetConfig{URL: url, Alg: "ES256"})
		require.Equal(t, want, err == nil, url)
	}
	for url, want := range map[string]bool{
		"http://127.0.0.1:8080/keys": true, "http://[::1]/keys": true, "http://localhost/keys": true,
		"http://idp.example/keys": false, "http://10.0.0.1/keys": false, "http://127.0.0.1.example/": false,
		"ftp://127.0.0.1/keys": false,
	} {
		_, err := NewKeySet(KeySetConfig{URL: url, Alg: "ES256", Loopback: true})
		require.Equal(t, want, err == nil, url)
	}

	there := publish(t, setOf(one))
	away := httptest.NewTLSServer(http.RedirectHandler(there.URL, http.StatusFound))
	t.Cleanup(away.Close)
	mux := http.NewServeMux()
	mux.Handle("/old", http.RedirectHandler("/new", http.StatusMovedPermanently))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.HandleFunc("/new", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(setOf(one))) })
	within := httptest.NewUnstartedServer(mux)
	within.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not trust it hangs up
	within.StartTLS()
	t.Cleanup(within.Close)
	trusting := within.Client()
	for name, from := range map[string]struct {
		url    string
		client *http.Client
		good   bool
	}{
		"the same host":         {within.URL + "/old", trusting, true},
		"another host":          {away.URL, trusting, false},
		"round and round":       {within.URL + "/loop", trusting, false},
		"nothing there":         {within.URL + "/none", trusting, false},
		"an unknown authority":  {within.URL + "/new", &http.Client{}, false},
		"a host that is silent": {within.URL, &http.Client{Transport: silent{t}}, false},
	} {
		var reported error
		s, err := NewKeySet(KeySetConfig{URL: from.url, Alg: "EdDSA", Client: from.client, Failed: func(err error) { reported = err }})
		require.NoError(t, err, name)
		require.Equal(t, from.good, s.current() != nil, name)
		require.Equal(t, from.good, reported == nil, name)
	}
	require.Zero(t, there.asked.Load(), "who was redirected away did not go")
}

// silent is a host that answers after the caller has stopped waiting.
type silent struct{ t *testing.T }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	end, bounded := r.Context().Deadline()
	require.True(s.t, bounded)
	require.LessOrEqual(s.t, time.Until(end), fetchTimeout)
	return nil, context.DeadlineExceeded
}

// FuzzParseSet: whatever an issuer publishes, no key counts that does not fit.
func FuzzParseSet(f *testing.F) {
	_, one := edKey(f, "one")
	f.Add(setOf(one), "EdDSA")
	f.Add(setOf(jwkOf(f, rsaKey(f, 2048).Public(), "kid", "r")), "RS256")
	f.Add(setOf(jwkOf(f, ecKey(f, elliptic.P256()), "kid", "private")), "ES256")
	f.Add(`{"keys":[{"kty":"EC","crv":"P-256","kid":"off","x":"AAAA","y":"AAAA"}]}`, "ES256")
	f.Add(`{"keys":[{"kty":"oct","kid":"o","k":"AAAA"}]}`, "HS256")
	f.Add(`{"keys":[null,[],{}]}`, "none")
	f.Fuzz(func(t *testing.T, raw, alg string) {
		keys, err := parseSet([]byte(raw), alg)
		require.Equal(t, err != nil, len(keys) == 0)
		for id, k := range keys {
			require.Equal(t, id, k.ID)
			require.True(t, fitsOutside(*k))
			require.NotErrorIs(t, check(k, []byte("x"), []byte("y")), nil)
		}
	})
}
