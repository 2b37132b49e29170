package directory

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

const (
	operator = identity.OIN("00000099000000000001")
	own      = identity.OIN("00000099000000000002")
	known    = identity.OIN("00000099000000000003")
	stranger = identity.OIN("00000099000000000004")
)

func signer(t testing.TB, oin identity.OIN, id string) signed.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	s, err := signed.NewSigner(oin, id, "ES256", key)
	require.NoError(t, err)
	return s
}

func pemOf(t testing.TB, s signed.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.Key.Public())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func documents() []signed.Kind {
	return []signed.Kind{signed.Agreement, signed.Statement}
}

func keyOf(t testing.TB, s signed.Signer) Key {
	return Key{Alg: "ES256", ID: s.KeyID, Kinds: documents(), PEM: pemOf(t, s)}
}

// vouchedBy is the key with the word of one before it.
func vouchedBy(t testing.TB, by signed.Signer, k Key, at time.Time) Key {
	t.Helper()
	one, err := k.key()
	require.NoError(t, err)
	raw, err := Vouch(by, one, at)
	require.NoError(t, err)
	k.Vouched = string(raw)
	return k
}

func party(oin identity.OIN, code string, keys ...Key) Listing {
	return Listing{Code: code, OIN: oin, Kind: "UWV", Name: "Naam", Laws: []string{}, LogKeys: []string{}, Keys: append([]Key{}, keys...), Gateway: "gateway.example:8443"}
}

func claims(version int64, parties ...Listing) Claims {
	return Claims{IssuedAt: time.Now().Unix(), Issuer: operator, ID: "01900000-0000-7000-8000-00000000000a", Version: version, Parties: parties}
}

// pinned is the operator's key as a gateway has it.
func pinned(s signed.Signer) Operator {
	return Operator{operator, []signed.Key{{ID: s.KeyID, Alg: "ES256", Public: s.Key.Public(), Kinds: []signed.Kind{signed.Directory}}}}
}

func made(t testing.TB, by signed.Signer, c Claims) *Directory {
	t.Helper()
	raw, err := by.Compact(signed.Directory, c)
	require.NoError(t, err)
	d, err := Verify(raw, pinned(by), time.Now())
	require.NoError(t, err)
	return d
}

func TestWhatIsNoDirectory(t *testing.T) {
	by, other := signer(t, operator, "d-1"), signer(t, operator, "d-1")
	good := claims(1, party(known, "UWV", keyOf(t, signer(t, known, "sign-1"))))
	made(t, by, good)
	refused := func(name string, by signed.Signer, kind signed.Kind, c any, keys Operator) {
		t.Helper()
		raw, err := by.Compact(kind, c)
		require.NoError(t, err, name)
		_, err = Verify(raw, keys, time.Now())
		require.ErrorIs(t, err, ErrDirectory, name)
	}
	refused("signed with another key", other, signed.Directory, good, pinned(by))
	for _, kind := range signed.Kinds() {
		if kind != signed.Directory {
			refused("of another kind", by, kind, good, pinned(by))
			k := pinned(by)
			k.Keys[0].Kinds = []signed.Kind{kind}
			refused("by a key for another kind", by, signed.Directory, good, k)
		}
	}
	for name, change := range map[string]func(*Claims){
		"another's":         func(c *Claims) { c.Issuer = stranger },
		"no id":             func(c *Claims) { c.ID = "" },
		"no version":        func(c *Claims) { c.Version = 0 },
		"of time to come":   func(c *Claims) { c.IssuedAt = time.Now().Add(time.Hour).Unix() },
		"nobody in it":      func(c *Claims) { c.Parties = []Listing{} },
		"an OIN twice":      func(c *Claims) { c.Parties = append(c.Parties, party(known, "B2")) },
		"a code twice":      func(c *Claims) { c.Parties = append(c.Parties, party(stranger, "UWV")) },
		"no OIN":            func(c *Claims) { c.Parties[0].OIN = "1" },
		"no code":           func(c *Claims) { c.Parties[0].Code = "../x" },
		"no kind":           func(c *Claims) { c.Parties[0].Kind = "BANK" },
		"no law":            func(c *Claims) { c.Parties[0].Laws = []string{"XX"} },
		"an unclean name":   func(c *Claims) { c.Parties[0].Name = "\x1b[1m" },
		"no address":        func(c *Claims) { c.Parties[0].Gateway = "gateway" },
		"no authorities":    func(c *Claims) { c.Parties[0].CA = c.Parties[0].Keys[0].PEM },
		"a key for tokens":  func(c *Claims) { c.Parties[0].Keys[0].Kinds = []signed.Kind{signed.Token} },
		"a key for it all":  func(c *Claims) { c.Parties[0].Keys[0].Kinds = []signed.Kind{signed.Directory} },
		"an id twice":       func(c *Claims) { c.Parties[0].Keys = append(c.Parties[0].Keys, c.Parties[0].Keys[0]) },
		"no time of retire": func(c *Claims) { c.Parties[0].Keys[0].Retired = "yesterday" },
		"no key":            func(c *Claims) { c.Parties[0].Keys[0].PEM = "" },
	} {
		c := claims(1, party(known, "UWV", keyOf(t, signer(t, known, "sign-1"))))
		change(&c)
		refused(name, by, signed.Directory, c, pinned(by))
	}
	_, err := Verify([]byte(strings.Repeat("x", signed.MaxDirectory+1)), pinned(by), time.Now())
	require.ErrorIs(t, err, ErrDirectory)
}

// A directory of many is larger than any other document may be.
func TestADirectoryOfMany(t *testing.T) {
	by := signer(t, operator, "d-1")
	key := keyOf(t, signer(t, known, "sign-1"))
	c := claims(1)
	for i := range 900 {
		c.Parties = append(c.Parties, party(identity.OIN("0000009900000000"+number(i)), "P"+number(i), key))
	}
	d := made(t, by, c)
	require.Len(t, d.Parties, 900)
	require.Greater(t, len(d.raw), 10*signed.MaxBytes)
}

func number(i int) string {
	const digits = "0123456789"
	return string([]byte{digits[i/1000%10], digits[i/100%10], digits[i/10%10], digits[i%10]})
}

// trustOf is a trust file with us and one party, which has one key.
func trustOf(s signed.Signer, pem string) *config.Trust {
	return &config.Trust{Parties: []config.Organisation{
		{Code: "GM1", OIN: own, Kind: "MUNICIPALITY", Name: "Own"},
		{Code: "UWV", OIN: known, Kind: "UWV", Name: "UWV", Keys: []config.Key{{ID: s.KeyID, Alg: "ES256", Kinds: documents(), PEM: pem}}},
	}}
}

func under(t *testing.T, d *Directory, trust *config.Trust, change func(*Terms)) map[string]config.Organisation {
	t.Helper()
	by := Terms{Own: own, Fresh: true, Now: time.Now()}
	if change != nil {
		change(&by)
	}
	out, err := d.Under(trust, by)
	require.NoError(t, err)
	all := map[string]config.Organisation{}
	for _, p := range out.Parties {
		all[p.Code] = p
	}
	require.Len(t, all, len(out.Parties))
	return all
}

func ids(p config.Organisation) []string {
	all := []string{}
	for _, k := range p.Keys {
		all = append(all, k.ID)
	}
	return all
}

// The trust file wins; the directory fills what it leaves open.
func TestTheTrustFileWins(t *testing.T) {
	by, first := signer(t, operator, "d-1"), signer(t, known, "sign-1")
	trust := trustOf(first, pemOf(t, first))
	other := signer(t, known, "sign-1")
	usurped := party(own, "GM1", keyOf(t, signer(t, own, "sign-9")))
	d := made(t, by, claims(1, party(known, "UWV", keyOf(t, other)), usurped, party(stranger, "NEW", keyOf(t, signer(t, stranger, "sign-1")))))
	got := under(t, d, trust, nil)
	require.Equal(t, "gateway.example:8443", got["UWV"].Gateway)
	require.Equal(t, trust.Parties[1].Keys, got["UWV"].Keys, "the key of the trust file")
	require.Equal(t, trust.Parties[0], got["GM1"], "of us it says nothing")
	require.Equal(t, "gateway.example:8443", got["NEW"].Gateway)
	require.Empty(t, got["NEW"].Keys, "known and reached, and nothing of it counts")
	require.Equal(t, []string{"sign-1"}, ids(under(t, d, trust, func(by *Terms) { by.TrustNew = true })["NEW"]))

	trust.Parties[1].Gateway = "here:1"
	require.Equal(t, "here:1", under(t, d, trust, nil)["UWV"].Gateway)

	// A code that the trust file has for another organisation stays that one's.
	d = made(t, by, claims(1, party(stranger, "UWV")))
	require.Equal(t, known, under(t, d, trust, nil)["UWV"].OIN)

	// After a day nobody is reached by it, and its keys stay.
	d = made(t, by, claims(1, party(known, "UWV"), party(stranger, "NEW", keyOf(t, signer(t, stranger, "sign-1")))))
	trust.Parties[1].Gateway = ""
	got = under(t, d, trust, func(by *Terms) { by.Fresh, by.TrustNew = false, true })
	require.Empty(t, got["UWV"].Gateway)
	require.True(t, got["NEW"].Unlisted)
	require.Equal(t, []string{"sign-1"}, ids(got["NEW"]))
}

// A new key of a party counts when that party says so with one before it.
func TestAPartyVouchesForItsNextKey(t *testing.T) {
	by := signer(t, operator, "d-1")
	first, second, third, foreign := signer(t, known, "sign-1"), signer(t, known, "sign-2"), signer(t, known, "sign-3"), signer(t, stranger, "sign-1")
	now := time.Now()
	keys := func(all ...Key) []string {
		d := made(t, by, claims(1, party(known, "UWV", all...)))
		return ids(under(t, d, trustOf(first, pemOf(t, first)), nil)["UWV"])
	}
	two := vouchedBy(t, first, keyOf(t, second), now)
	require.Equal(t, []string{"sign-1", "sign-2"}, keys(two))
	require.Equal(t, []string{"sign-1", "sign-2", "sign-3"}, keys(vouchedBy(t, second, keyOf(t, third), now), two), "one after the other, in any order")
	require.Equal(t, []string{"sign-1"}, keys(keyOf(t, second)), "without a word")
	require.Equal(t, []string{"sign-1"}, keys(vouchedBy(t, second, keyOf(t, second), now)), "its own word")
	require.Equal(t, []string{"sign-1"}, keys(vouchedBy(t, foreign, keyOf(t, second), now)), "another's word")
	impostor := keyOf(t, third)
	impostor.ID, impostor.Vouched = "sign-2", two.Vouched
	require.Equal(t, []string{"sign-1"}, keys(impostor), "a word about another key")
	wider := two
	wider.Kinds = []signed.Kind{signed.Agreement, signed.Statement, signed.Consent}
	require.Equal(t, []string{"sign-1"}, keys(wider), "for more than was said")
	later := two
	later.From = now.Add(time.Hour).Format(time.RFC3339)
	require.Equal(t, []string{"sign-1"}, keys(later), "announced")
	lost := two
	lost.Lost = true
	require.Equal(t, []string{"sign-1", "sign-2"}, keys(vouchedBy(t, second, keyOf(t, third), now), lost), "a key that was lost vouches for none")
	past := two
	past.Retired = now.Add(-time.Hour).Format(time.RFC3339)
	require.Equal(t, []string{"sign-1", "sign-2"}, keys(vouchedBy(t, second, keyOf(t, third), now), past), "nor one that was retired then")
	require.Equal(t, []string{"sign-1", "sign-2", "sign-3"}, keys(vouchedBy(t, second, keyOf(t, third), now.Add(-2*time.Hour)), past))
}

// The version rises, and a key of a party that was there is not slipped in.
func TestWhatMayFollow(t *testing.T) {
	by, first, second := signer(t, operator, "d-1"), signer(t, known, "sign-1"), signer(t, known, "sign-2")
	one := party(known, "UWV", keyOf(t, first))
	d := made(t, by, claims(5, one))
	follows := func(version int64, parties ...Listing) error {
		return made(t, by, claims(version, parties...)).follows(d)
	}
	require.NoError(t, d.follows(nil))
	require.NoError(t, d.follows(d))
	require.NoError(t, follows(6, one))
	require.NoError(t, follows(9, one, party(stranger, "NEW", keyOf(t, second))))
	require.ErrorIs(t, follows(4, one), ErrVersion)
	moved := one
	moved.Gateway = "elsewhere:1"
	require.ErrorIs(t, follows(5, moved), ErrVersion, "the same version with other content")
	require.NoError(t, follows(6, moved))
	require.ErrorIs(t, follows(6, party(known, "UWV", keyOf(t, first), keyOf(t, second))), ErrDirectory)
	require.NoError(t, follows(6, party(known, "UWV", keyOf(t, first), vouchedBy(t, first, keyOf(t, second), time.Now()))))
	require.ErrorIs(t, follows(6, party(known, "UWV", keyOf(t, signer(t, known, "sign-1")))), ErrDirectory, "another key under the id")
	lost := keyOf(t, first)
	lost.Lost = true
	require.ErrorIs(t, follows(6, party(known, "UWV", lost, vouchedBy(t, first, keyOf(t, second), time.Now()))), ErrDirectory, "a key that was lost vouches for none")
	require.NoError(t, follows(6, party(known, "UWV", lost)))
}

// The last good one is kept, and counts for a day when it cannot be read.
func TestTheLastGoodOneIsKept(t *testing.T) {
	dir, by := t.TempDir(), signer(t, operator, "d-1")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "operator.pem"), []byte(pemOf(t, by)), 0o600))
	raw, err := by.Compact(signed.Directory, claims(3, party(known, "UWV")))
	require.NoError(t, err)
	published := filepath.Join(dir, "published.jwt")
	require.NoError(t, os.WriteFile(published, append(raw, '\n'), 0o600))
	conf := &config.Gateway{Data: dir, Directory: &config.Directory{File: published, Operator: operator, Keys: []config.DirectoryKey{{ID: "d-1", File: filepath.Join(dir, "operator.pem")}}}}
	now := time.Now()
	open := func() *Keeper {
		k, err := Open(conf, func() time.Time { return now })
		require.NoError(t, err)
		return k
	}
	k := open()
	d, fresh := k.Current()
	require.Nil(t, d)
	require.False(t, fresh)
	require.NoError(t, k.Keep())
	d, err = k.Fetch(t.Context())
	require.NoError(t, err)
	k.Adopt(d)
	require.NoError(t, k.Keep())
	require.NoError(t, os.Remove(published))
	for _, k := range []*Keeper{k, open()} { // and after a restart
		_, err = k.Fetch(t.Context())
		require.Error(t, err)
		now = time.Now().Add(staleAfter - time.Minute)
		d, fresh = k.Current()
		require.True(t, fresh)
		require.EqualValues(t, 3, d.Version)
		now = time.Now().Add(staleAfter + time.Minute)
		_, fresh = k.Current()
		require.False(t, fresh)
		now = time.Now()
	}
	raw, err = by.Compact(signed.Directory, claims(2, party(known, "UWV")))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(published, raw, 0o600))
	_, err = open().Fetch(t.Context())
	require.ErrorIs(t, err, ErrVersion, "an older one, after a restart too")
	require.NoError(t, os.WriteFile(filepath.Join(dir, File), []byte("x"), 0o600))
	d, _ = open().Current()
	require.Nil(t, d, "what was kept is verified")
}

// It is fetched over HTTPS from its own host, within bounds.
func TestItIsFetchedWithinBounds(t *testing.T) {
	dir, by := t.TempDir(), signer(t, operator, "d-1")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "operator.pem"), []byte(pemOf(t, by)), 0o600))
	raw, err := by.Compact(signed.Directory, claims(3, party(known, "UWV")))
	require.NoError(t, err)
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(raw) }
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(answer))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/good", answer)
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, signed.MaxDirectory+1)) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	host := httptest.NewTLSServer(mux)
	defer host.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: host.Certificate().Raw})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600))
	for path, good := range map[string]bool{"/good": true, "/large": false, "/away": false, "/none": false} {
		conf := &config.Gateway{Data: dir, Directory: &config.Directory{
			URL: host.URL + path, CA: filepath.Join(dir, "ca.pem"), Operator: operator, Keys: []config.DirectoryKey{{ID: "d-1", File: filepath.Join(dir, "operator.pem")}},
		}}
		k, err := Open(conf, time.Now)
		require.NoError(t, err)
		_, err = k.Fetch(t.Context())
		require.Equal(t, good, err == nil, "%s: %v", path, err)
	}
	conf := &config.Gateway{Data: dir, Directory: &config.Directory{URL: "http://127.0.0.1:1/x", Keys: []config.DirectoryKey{{ID: "d-1", File: filepath.Join(dir, "operator.pem")}}}}
	_, err = Open(conf, time.Now)
	require.ErrorIs(t, err, config.ErrConfig)
}

func FuzzVerify(f *testing.F) {
	by := signer(f, operator, "d-1")
	raw, err := by.Compact(signed.Directory, claims(1, party(known, "UWV")))
	require.NoError(f, err)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = Verify(raw, pinned(by), time.Now()) // must not panic
	})
}
