package manifest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

const (
	agency   = identity.OIN("00000099000005503000")
	operator = identity.OIN("00000099000000119000")
	third    = identity.OIN("00000099000000777000")
)

func signer(t testing.TB, oin identity.OIN) signed.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	s, err := signed.NewSigner(oin, "sign-1", "ES256", key)
	require.NoError(t, err)
	return s
}

func pinned(t testing.TB, kinds []signed.Kind, signers ...signed.Signer) *signed.Verifier {
	t.Helper()
	keys := map[identity.OIN][]signed.Key{}
	for _, s := range signers {
		keys[s.Issuer] = append(keys[s.Issuer], signed.Key{ID: s.KeyID, Alg: s.Alg, Public: s.Key.Public(), Kinds: kinds})
	}
	v, err := signed.NewVerifier(keys)
	require.NoError(t, err)
	return v
}

func describe() *adapterv1.DescribeResponse {
	return &adapterv1.DescribeResponse{
		Id: "swv", Version: "2.1.0", Laws: []string{"WLZ"}, Categories: []string{"entitlement", "amount"}, Identifiers: []string{"bsn"},
		Secrets: []string{"db"}, Egress: []string{"source.url"}, Capabilities: []string{"probe"}, ConfigSchema: []byte(`{}`),
	}
}

func example(now time.Time) Manifest {
	m := Of(describe())
	m.Issuer, m.Issued, m.Expires = agency, now.Unix(), now.Add(24*time.Hour).Unix()
	m.Size, m.SHA256 = 4, strings.Repeat("0f", 32)
	m.Sandbox.Read = []string{"/srv/export"}
	return m
}

func TestAManifestCountsWhenBothHaveSignedIt(t *testing.T) {
	now := time.Now()
	a, o, x := signer(t, agency), signer(t, operator), signer(t, third)
	v := pinned(t, []signed.Kind{signed.Manifest}, a, o, x)
	raw, err := example(now).Sign(a, now)
	require.NoError(t, err)
	got, err := Offered(v, raw, operator, now)
	require.NoError(t, err)
	require.Equal(t, example(now), got)
	_, err = Verify(v, raw, operator, now)
	require.ErrorIs(t, err, ErrManifest, "the operator has not")
	got, err = Unverified(raw, now)
	require.NoError(t, err, "but for who made it, it is read")
	require.Equal(t, example(now), got)
	both, err := o.Countersign(signed.Manifest, raw)
	require.NoError(t, err)
	got, err = Verify(v, both, operator, now)
	require.NoError(t, err)
	require.Equal(t, example(now), got)

	own := example(now)
	raw, err = own.Sign(o, now) // of its own program one signature is both
	require.NoError(t, err)
	got, err = Verify(v, raw, operator, now)
	require.NoError(t, err)
	require.Equal(t, operator, got.Issuer)
}

func TestHostileManifests(t *testing.T) {
	now := time.Now()
	a, o, x := signer(t, agency), signer(t, operator), signer(t, third)
	v := pinned(t, []signed.Kind{signed.Manifest}, a, o, x)
	sign := func(kind signed.Kind, m any, by ...signed.Signer) []byte {
		raw, err := signed.Together(kind, m, by...)
		require.NoError(t, err)
		return raw
	}
	good := sign(signed.Manifest, example(now), a, o)
	_, err := Verify(v, good, operator, now)
	require.NoError(t, err)
	with := func(change func(m *Manifest)) []byte {
		m := example(now)
		change(&m)
		return sign(signed.Manifest, m, a, o)
	}
	stranger := signer(t, agency) // another key under the same id
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"sign-1","typ":"ontschot-adapter+json"}`))
	var doc map[string]any
	require.NoError(t, json.Unmarshal(good, &doc))
	doc["signatures"].([]any)[0].(map[string]any)["protected"] = head
	none, err := json.Marshal(doc)
	require.NoError(t, err)
	for name, raw := range map[string][]byte{
		"nothing":                nil,
		"no JSON":                []byte("x"),
		"huge":                   append(slices.Clone(good), make([]byte, signed.MaxBytes)...),
		"truncated":              good[:len(good)-10],
		"something behind it":    append(slices.Clone(good), '\n', '{', '}'),
		"alg none":               none,
		"the operator alone":     sign(signed.Manifest, example(now), o),
		"the agency alone":       sign(signed.Manifest, example(now), a),
		"the agency twice":       sign(signed.Manifest, example(now), a, a),
		"of a third":             sign(signed.Manifest, example(now), a, o, x),
		"a third for the agency": sign(signed.Manifest, example(now), x, o),
		"a foreign key":          sign(signed.Manifest, example(now), stranger, o),
		"another kind":           sign(signed.Agreement, example(now), a, o),
		"an unknown member": sign(signed.Manifest, struct {
			Manifest
			More string `json:"more"`
		}{example(now), "x"}, a, o),
		"ended":               with(func(m *Manifest) { m.Expires = now.Unix() }),
		"not begun":           with(func(m *Manifest) { m.Issued = now.Add(time.Minute).Unix() }),
		"for ever":            with(func(m *Manifest) { m.Expires = now.AddDate(4, 0, 0).Unix() }),
		"no hash":             with(func(m *Manifest) { m.SHA256 = "" }),
		"a hash in capitals":  with(func(m *Manifest) { m.SHA256 = strings.ToUpper(m.SHA256) }),
		"another protocol":    with(func(m *Manifest) { m.Protocol = 2 }),
		"tricks on a screen":  with(func(m *Manifest) { m.Version = "1\x1b[2J" }),
		"tricks in a list":    with(func(m *Manifest) { m.Sandbox.Read = []string{"/srv\n/etc"} }),
		"all files":           with(func(m *Manifest) { m.Sandbox.Read = []string{"/"} }),
		"a relative file":     with(func(m *Manifest) { m.Sandbox.Read = []string{"srv"} }),
		"a file by way of ..": with(func(m *Manifest) { m.Sandbox.Read = []string{"/srv/../etc"} }),
		"memory below zero":   with(func(m *Manifest) { m.Sandbox.MemoryMiB = -1 }),
		"too much of a list":  with(func(m *Manifest) { m.Secrets = slices.Repeat([]string{"a"}, 65) }),
		"a list out of order": with(func(m *Manifest) { m.Categories = []string{"product", "amount"} }),
	} {
		_, err := Verify(v, raw, operator, now)
		require.ErrorIs(t, err, ErrManifest, name)
		require.NotContains(t, err.Error(), "\x1b", name)
		if slices.Contains([]string{"alg none", "of a third", "a third for the agency", "a foreign key", "the operator alone", "the agency alone", "the agency twice"}, name) {
			continue // its signatures are not looked at
		}
		_, err = Unverified(raw, now)
		require.ErrorIs(t, err, ErrManifest, name)
	}
	for name, keys := range map[string]*signed.Verifier{
		"a key for other documents": pinned(t, []signed.Kind{signed.Agreement}, a, o),
		"an agency nobody knows":    pinned(t, []signed.Kind{signed.Manifest}, o, x),
	} {
		_, err := Verify(keys, good, operator, now)
		require.ErrorIs(t, err, ErrManifest, name)
	}
	_, err = Verify(v, good, third, now)
	require.ErrorIs(t, err, ErrManifest, "another operator has not signed it")
}

func TestAProgramIsTheOneOfItsManifest(t *testing.T) {
	m := example(time.Now())
	require.NoError(t, m.Fits(m.Size, m.SHA256))
	require.ErrorIs(t, m.Fits(m.Size+1, m.SHA256), ErrProgram)
	require.ErrorIs(t, m.Fits(m.Size, strings.Repeat("0e", 32)), ErrProgram)
	other := m
	other.OS = "plan9"
	require.ErrorContains(t, other.Fits(m.Size, m.SHA256), "plan9/"+runtime.GOARCH)

	require.NoError(t, m.Describes(describe()))
	for name, change := range map[string]func(*adapterv1.DescribeResponse){
		"id":            func(d *adapterv1.DescribeResponse) { d.Id = "x" },
		"version":       func(d *adapterv1.DescribeResponse) { d.Version = "x" },
		"laws":          func(d *adapterv1.DescribeResponse) { d.Laws = append(d.Laws, "WMO") },
		"categories":    func(d *adapterv1.DescribeResponse) { d.Categories = nil },
		"identifiers":   func(d *adapterv1.DescribeResponse) { d.Identifiers = []string{"pass_number"} },
		"secrets":       func(d *adapterv1.DescribeResponse) { d.Secrets = append(d.Secrets, "more") },
		"egress":        func(d *adapterv1.DescribeResponse) { d.Egress = []string{"elsewhere"} },
		"capabilities":  func(d *adapterv1.DescribeResponse) { d.Capabilities = nil },
		"config_schema": func(d *adapterv1.DescribeResponse) { d.ConfigSchema = []byte(`{"a":1}`) },
	} {
		d := describe()
		change(d)
		require.ErrorIs(t, m.Describes(d), ErrProgram, name)
		require.ErrorContains(t, m.Describes(d), name)
	}
	require.NoError(t, m.Takes(map[string]string{"db": "", "record_key": ""}))
	require.ErrorIs(t, m.Takes(map[string]string{"tls_key": ""}), ErrManifest)
}

// An old program with its old manifest does not come back, unless the operator says so.
func TestAnOlderManifestDoesNotComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "manifests.json")
	now := time.Now()
	old, next := example(now.Add(-time.Hour)), example(now)
	require.NoError(t, NewMemory(path).Admit("SWV", old))
	require.NoError(t, NewMemory(path).Admit("SWV", next))
	require.NoError(t, NewMemory(path).Admit("SWV", next), "it starts again")
	require.NoError(t, NewMemory(path).Admit("UWV", old), "another party's")
	m := NewMemory(path)
	require.ErrorIs(t, m.Admit("SWV", old), ErrOlder)
	require.NoError(t, m.Older("SWV", old))
	require.NoError(t, NewMemory(path).Admit("SWV", old))
	for _, bad := range []string{"", "null", "[]", `{"SWV":"x"}`} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o600))
		require.ErrorIs(t, NewMemory(path).Admit("SWV", next), ErrManifest, "%q", bad)
	}
}

// FuzzVerify: whatever is in the file, nothing counts that was not signed so.
func FuzzVerify(f *testing.F) {
	now := time.Now()
	a, o := signer(f, agency), signer(f, operator)
	v := pinned(f, []signed.Kind{signed.Manifest}, a, o)
	raw, err := example(now).Sign(a, now)
	require.NoError(f, err)
	good, err := o.Countersign(signed.Manifest, raw)
	require.NoError(f, err)
	f.Add(string(good))
	f.Add(string(raw))
	f.Add(strings.Replace(string(good), "ey", "e", 1))
	f.Add(`{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Verify(v, []byte(text), operator, now)
		if err == nil {
			require.Equal(t, string(good), text)
			require.Equal(t, example(now), m)
		} else {
			require.ErrorIs(t, err, ErrManifest)
		}
	})
}
