package signed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

const (
	alice = identity.OIN("00000099000000000001")
	bob   = identity.OIN("00000099000000000002")
)

type claims struct {
	Issuer identity.OIN `json:"iss"`
	Text   string       `json:"text"`
	More   []string     `json:"more,omitempty"`
}

func newSigner(t testing.TB, issuer identity.OIN, id string) Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	s, err := NewSigner(issuer, id, "ES256", key)
	require.NoError(t, err)
	return s
}

func pinned(t testing.TB, kinds []Kind, signers ...Signer) *Verifier {
	keys := map[identity.OIN][]Key{}
	for _, s := range signers {
		keys[s.Issuer] = append(keys[s.Issuer], Key{ID: s.KeyID, Alg: s.Alg, Public: s.Key.Public(), Kinds: kinds})
	}
	v, err := NewVerifier(keys)
	require.NoError(t, err)
	return v
}

func TestSignAndVerify(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), s)
	raw, err := s.Compact(Consent, claims{Issuer: alice, Text: "<&> é"})
	require.NoError(t, err)
	var got claims
	proof, err := v.Compact(Consent, raw, &got)
	require.NoError(t, err)
	require.Equal(t, claims{Issuer: alice, Text: "<&> é"}, got)
	digest, err := Key{Public: s.Key.Public()}.Digest()
	require.NoError(t, err)
	require.Equal(t, Verified{Issuer: alice, KeyID: "a1", Digest: sha256.Sum256(raw), SignedBy: []identity.OIN{alice}, Keys: []string{digest}}, proof)
}

// Every kind against every kind: only itself.
func TestAKindIsNeverTakenForAnother(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), s)
	for _, is := range Kinds() {
		raw, err := s.Compact(is, claims{Issuer: alice})
		require.NoError(t, err)
		together, err := Together(is, claims{Issuer: alice}, s)
		require.NoError(t, err)
		for _, want := range Kinds() {
			_, err = v.Compact(want, raw, new(claims))
			require.Equal(t, is == want, err == nil, "%s as %s: %v", is, want, err)
			_, err = v.All(want, together, new(claims), func() []identity.OIN { return []identity.OIN{alice} })
			require.Equal(t, is == want, err == nil, "%s as %s: %v", is, want, err)
		}
		_, err = v.Compact(is, together, new(claims))
		require.ErrorIs(t, err, ErrMalformed)
		_, err = v.All(is, raw, new(claims), nil)
		require.ErrorIs(t, err, ErrMalformed)
	}
}

func TestAKeySignsOnlyWhatItMay(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, []Kind{Token}, s)
	raw, err := s.Compact(Consent, claims{Issuer: alice})
	require.NoError(t, err)
	_, err = v.Compact(Consent, raw, new(claims))
	require.ErrorIs(t, err, ErrKey)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// by signs any header and payload with the ES256 key, to build what the library would not.
func by(t *testing.T, s Signer, head, payload string) string {
	input := b64(head) + "." + b64(payload)
	sum := sha256.Sum256([]byte(input))
	r, ss, err := ecdsa.Sign(rand.Reader, s.Key.(*ecdsa.PrivateKey), sum[:])
	require.NoError(t, err)
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	ss.FillBytes(sig[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func TestHostileDocuments(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), s)
	const head = `{"alg":"ES256","kid":"a1","typ":"ontschot-consent+jwt"}`
	const body = `{"iss":"00000099000000000001","text":"x"}`
	good := by(t, s, head, body)
	_, err := v.Compact(Consent, []byte(good), new(claims))
	require.NoError(t, err, "the builder builds what is accepted")

	der, err := x509.MarshalPKIXPublicKey(s.Key.Public())
	require.NoError(t, err)
	hs := b64(`{"alg":"HS256","kid":"a1","typ":"ontschot-consent+jwt"}`) + "." + b64(body)
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(hs))
	parts := strings.Split(good, ".")
	mallory := newSigner(t, alice, "a1")
	with := func(member string) string { return strings.Replace(head, `{`, `{`+member+`,`, 1) }

	for name, raw := range map[string]string{
		"empty":                           "",
		"alg none":                        b64(`{"alg":"none","kid":"a1","typ":"ontschot-consent+jwt"}`) + "." + b64(body) + ".",
		"alg none with signature":         b64(`{"alg":"none","kid":"a1","typ":"ontschot-consent+jwt"}`) + "." + b64(body) + "." + parts[2],
		"HS256 with the public key":       hs + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		"another's key under the same id": by(t, mallory, head, body),
		"unknown key id":                  by(t, s, strings.Replace(head, "a1", "a2", 1), body),
		"no key id":                       by(t, s, `{"alg":"ES256","typ":"ontschot-consent+jwt"}`, body),
		"no typ":                          by(t, s, `{"alg":"ES256","kid":"a1"}`, body),
		"typ in other case":               by(t, s, strings.Replace(head, "ontschot-c", "ontschot-C", 1), body),
		"crit":                            by(t, s, with(`"crit":["exp"],"exp":1`), body),
		"jwk":                             by(t, s, with(`"jwk":{"kty":"EC"}`), body),
		"jku":                             by(t, s, with(`"jku":"https://127.0.0.1/keys"`), body),
		"x5u":                             by(t, s, with(`"x5u":"https://127.0.0.1/c"`), body),
		"x5c":                             by(t, s, with(`"x5c":[]`), body),
		"b64 false":                       by(t, s, with(`"b64":false`), body),
		"zip":                             by(t, s, with(`"zip":"DEF"`), body),
		"cty":                             by(t, s, with(`"cty":"JWT"`), body),
		"alg twice":                       by(t, s, with(`"alg":"ES256"`), body),
		"alg in other case":               by(t, s, strings.Replace(head, `"alg"`, `"ALG"`, 1), body),
		"header twice":                    by(t, s, head+head, body),
		"claim twice":                     by(t, s, head, `{"iss":"00000099000000000001","text":"x","text":"y"}`),
		"claim twice, other case":         by(t, s, head, `{"Text":"y","iss":"00000099000000000001","text":"x"}`),
		"claim twice, long s":             by(t, s, head, `{"iſs":"00000099000000000002","iss":"00000099000000000001","text":"x"}`),
		"unknown claim":                   by(t, s, head, `{"iss":"00000099000000000001","text":"x","z":1}`),
		"not canonical":                   by(t, s, head, `{"iss":"00000099000000000001", "text":"x"}`),
		"other issuer":                    by(t, s, head, `{"iss":"00000099000000000002","text":"x"}`),
		"no issuer":                       by(t, s, head, `{"text":"x"}`),
		"two values":                      by(t, s, head, body+"{}"),
		"too deep":                        by(t, s, head, `{"iss":"00000099000000000001","more":`+strings.Repeat("[", 99)+strings.Repeat("]", 99)+`,"text":"x"}`),
		"padding":                         parts[0] + "=." + parts[1] + "." + parts[2],
		"line break":                      parts[0] + ".\n" + parts[1] + "." + parts[2],
		"detached":                        parts[0] + ".." + parts[2],
		"no signature":                    parts[0] + "." + parts[1] + ".",
		"four parts":                      good + ".x",
		"leading space":                   " " + good,
		"stray bits":                      good[:len(good)-1] + string(good[len(good)-1]+1),
		"a byte of the payload":           parts[0] + "." + b64(`{"iss":"00000099000000000001","text":"y"}`) + "." + parts[2],
		"ASN.1 signature":                 parts[0] + "." + parts[1] + "." + b64("0\x06\x02\x01\x01\x02\x01\x01"),
		"too large":                       by(t, s, head, `{"iss":"00000099000000000001","text":"`+strings.Repeat("x", MaxBytes)+`"}`),
	} {
		_, err := v.Compact(Consent, []byte(raw), new(claims))
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "00000099", name)
	}
}

func TestTokensOfOutsideIssuersMayHoldMore(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v := pinned(t, Kinds(), s)
	const head = `{"alg":"ES256","kid":"a1","typ":"at+jwt"}`
	_, err := v.Compact(Token, []byte(by(t, s, head, `{"iss":"00000099000000000001","text":"x","azp":"y"}`)), new(claims))
	require.NoError(t, err)
	_, err = v.Compact(Token, []byte(by(t, s, head, `{"iss":"00000099000000000001","text":"x","text":"y"}`)), new(claims))
	require.ErrorIs(t, err, ErrMalformed)
}

func TestEverySignatureMustHold(t *testing.T) {
	a, b, mallory := newSigner(t, alice, "k"), newSigner(t, bob, "k"), newSigner(t, bob, "k")
	v := pinned(t, Kinds(), a, b)
	both := func() []identity.OIN { return []identity.OIN{alice, bob} }
	sign := func(by ...Signer) []byte {
		raw, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, by...)
		require.NoError(t, err)
		return raw
	}
	all := func(raw []byte) error {
		_, err := v.All(Agreement, raw, new(claims), both)
		return err
	}
	require.NoError(t, all(sign(a, b)))
	require.NoError(t, all(sign(b, a)))
	require.ErrorIs(t, all(sign(a)), ErrSignature, "signed by one party only")
	require.Error(t, all(sign(a, a)), "the same party twice")
	require.ErrorIs(t, all(sign(a, mallory)), ErrSignature, "one bad")
	require.ErrorIs(t, all(sign(a, b, mallory)), ErrKey, "one too many")
	whole := sign(a, b)
	for i := range whole {
		raw := slices.Clone(whole)
		raw[i] ^= 1
		require.Error(t, all(raw), "byte %d", i)
	}
}

func TestKeysMustFit(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, k := range map[string]Key{
		"RSA below 3072 for PS256": {ID: "k", Alg: "PS256", Public: small.Public(), Kinds: []Kind{Token}},
		"RS256 for a consent":      {ID: "k", Alg: "RS256", Public: small.Public(), Kinds: []Kind{Token, Consent}},
		"P-384 for ES256":          {ID: "k", Alg: "ES256", Public: p384.Public(), Kinds: []Kind{Token}},
		"Ed25519 for ES256":        {ID: "k", Alg: "ES256", Public: ed.Public(), Kinds: []Kind{Token}},
		"HS256":                    {ID: "k", Alg: "HS256", Public: ed.Public(), Kinds: []Kind{Token}},
		"none":                     {ID: "k", Alg: "none", Public: ed.Public(), Kinds: []Kind{Token}},
		"may sign nothing":         {ID: "k", Alg: "EdDSA", Public: ed.Public(), Kinds: nil},
		"no id":                    {ID: "", Alg: "EdDSA", Public: ed.Public(), Kinds: []Kind{Token}},
	} {
		_, err := NewVerifier(map[identity.OIN][]Key{alice: {k}})
		require.Error(t, err, name)
	}
	_, err = NewVerifier(map[identity.OIN][]Key{alice: {{ID: "k", Alg: "RS256", Public: small.Public(), Kinds: []Kind{Token}}}})
	require.NoError(t, err, "RS256 where it is pinned for an outside token issuer")
	s, err := NewSigner(alice, "k", "EdDSA", ed)
	require.NoError(t, err)
	raw, err := s.Compact(Permit, claims{Issuer: alice})
	require.NoError(t, err)
	_, err = pinned(t, Kinds(), s).Compact(Permit, raw, new(claims))
	require.NoError(t, err)
}

func FuzzVerify(f *testing.F) {
	s := newSigner(f, alice, "a1")
	v := pinned(f, Kinds(), s)
	raw, err := s.Compact(Consent, claims{Issuer: alice, Text: "x"})
	require.NoError(f, err)
	both, err := Together(Agreement, claims{Issuer: alice}, s)
	require.NoError(f, err)
	hostileSeeds(f, raw, both)
	f.Fuzz(func(t *testing.T, doc string) {
		if _, err := v.Compact(Consent, []byte(doc), new(claims)); err == nil && doc != string(raw) {
			t.Fatal("accepted what was never signed")
		}
		_, err := v.All(Agreement, []byte(doc), new(claims), func() []identity.OIN { return []identity.OIN{alice} })
		if err == nil && doc != string(both) {
			t.Fatal("accepted what was never signed together")
		}
	})
}

func TestCanonicalIsSortedAndUnescaped(t *testing.T) {
	raw, err := Canonical(map[string]any{"b": "<&>", "a": json.Number("1")})
	require.NoError(t, err)
	require.Equal(t, `{"a":1,"b":"<&>"}`, string(raw))
	_, err = Canonical(func() {})
	require.Error(t, err)
}

// What was seen before is the signature alone: for another kind, and by other keys,
// it counts for nothing.
func TestSeenBeforeIsTheSignatureAlone(t *testing.T) {
	s := newSigner(t, alice, "a1")
	v, others := pinned(t, Kinds(), s), pinned(t, Kinds(), newSigner(t, alice, "a1"))
	raw, err := s.Compact(Consent, claims{Issuer: alice})
	require.NoError(t, err)
	both, err := Together(Agreement, claims{Issuer: alice}, s)
	require.NoError(t, err)
	one := func() []identity.OIN { return []identity.OIN{alice} }
	for range 2 {
		_, err = v.Compact(Consent, raw, new(claims))
		require.NoError(t, err)
		_, err = v.All(Agreement, both, new(claims), one)
		require.NoError(t, err)
		_, err = v.Compact(Token, raw, new(claims))
		require.ErrorIs(t, err, ErrMalformed)
		_, err = v.All(Consent, both, new(claims), one)
		require.Error(t, err)
		_, err = v.Compact(Agreement, both, new(claims))
		require.ErrorIs(t, err, ErrMalformed, "by the other entry")
		_, err = others.Compact(Consent, raw, new(claims))
		require.ErrorIs(t, err, ErrSignature)
	}
	for i := range mostSeen + 1 {
		v.pins.Load().seen.add(mark{sum: [32]byte{byte(i), byte(i >> 8), 1}}, sighting{}, 1)
	}
	require.LessOrEqual(t, len(v.pins.Load().seen.set), mostSeen)
}

// typical is a document of the size of a consent, its members in the order of their names.
type typical struct {
	Case       string       `json:"case"`
	Controller identity.OIN `json:"controller"`
	GivenBy    struct {
		Proof struct {
			Hash string `json:"hash"`
			Kind string `json:"kind"`
		} `json:"proof"`
		Role string `json:"role"`
	} `json:"given_by"`
	Grants  []string     `json:"grants"`
	Issued  int64        `json:"iat"`
	Issuer  identity.OIN `json:"iss"`
	ID      string       `json:"jti"`
	Purpose string       `json:"purpose"`
	Subject string       `json:"subject_commitment"`
	Until   string       `json:"until"`
}

func aTypical() typical {
	h := strings.Repeat("a", 43)
	d := typical{Case: h, Controller: alice, Grants: []string{h, h, h, h, h}, Issued: 1767225600, Issuer: alice,
		ID: "0190", Purpose: "integral_budget.compose", Subject: h, Until: "2026-12-31"}
	d.GivenBy.Proof.Hash, d.GivenBy.Role = h, "self"
	return d
}

// BenchmarkVerify: a document seen before, a new one, and what a new one cannot do
// without: the signature, and reading its JSON.
func BenchmarkVerify(b *testing.B) {
	s := newSigner(b, alice, "a1")
	raw, err := s.Compact(Consent, aTypical())
	require.NoError(b, err)
	v := pinned(b, Kinds(), s)
	b.Run("seen", func(b *testing.B) {
		b.ReportAllocs()
		var got typical
		for b.Loop() {
			if _, err := v.Compact(Consent, raw, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.pins.Load().seen.set = nil
			if _, err := v.Compact(Consent, raw, new(typical)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		a, err := takeApart(raw, ownMembers(), MaxBytes)
		require.NoError(b, err)
		for b.Loop() {
			sum := sha256.Sum256(a.input)
			r, rest := new(big.Int).SetBytes(a.sig[:32]), new(big.Int).SetBytes(a.sig[32:])
			if !ecdsa.Verify(s.Key.Public().(*ecdsa.PublicKey), sum[:], r, rest) || json.Unmarshal(a.payload, new(typical)) != nil {
				b.Fatal("does not verify")
			}
		}
	})
}

// What was seen before costs no more than finding that it was.
func TestWhatWasSeenCostsLittle(t *testing.T) {
	s := newSigner(t, alice, "a1")
	raw, err := s.Compact(Consent, aTypical())
	require.NoError(t, err)
	v := pinned(t, Kinds(), s)
	var got typical
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := v.Compact(Consent, raw, &got); err != nil {
			t.Error(err)
		}
	})
	require.Equal(t, aTypical(), got)
	require.LessOrEqual(t, allocations, 10.0)
}

func TestRetiredKeysAreReported(t *testing.T) {
	s := newSigner(t, alice, "a1")
	raw, err := s.Compact(Consent, claims{Issuer: alice})
	require.NoError(t, err)
	v := pinned(t, Kinds(), s)
	for when, want := range map[time.Time]bool{{}: false, time.Now().Add(time.Hour): false, time.Now().Add(-time.Hour): true} {
		require.NoError(t, v.Pin(map[identity.OIN][]Key{alice: {{ID: "a1", Alg: "ES256", Public: s.Key.Public(), Kinds: Kinds(), Retired: when}}}))
		for range 2 { // new, and seen before
			_, err := v.Compact(Consent, raw, new(claims))
			require.NoError(t, err, "what was taken in before stays good")
			_, err = v.Fresh().Compact(Consent, raw, new(claims))
			require.Equal(t, want, err != nil, "it signs nothing new")
		}
	}
	require.NoError(t, v.Pin(nil))
	_, err = v.Compact(Consent, raw, new(claims))
	require.ErrorIs(t, err, ErrKey, "a key that was taken out")
	require.ErrorIs(t, v.Pin(map[identity.OIN][]Key{alice: {{ID: "a1", Alg: "none", Public: s.Key.Public(), Kinds: Kinds()}}}), ErrKey)
}

// opaque hides a private key, as a hardware module does.
type opaque struct{ crypto.Signer }

// liar says it has another key than it signs with.
type liar struct {
	crypto.Signer
	public crypto.PublicKey
}

func (l liar) Public() crypto.PublicKey { return l.public }

func TestKeysInHardware(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	s, err := NewSigner(alice, "a1", "ES256", opaque{key})
	require.NoError(t, err)
	raw, err := s.Compact(Consent, claims{Issuer: alice})
	require.NoError(t, err)
	_, err = pinned(t, Kinds(), s).Compact(Consent, raw, new(claims))
	require.NoError(t, err)

	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, err = NewSigner(alice, "a1", "ES256", liar{key, other.Public()})
	require.Error(t, err, "it signs with another key than it shows")
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	_, err = NewSigner(alice, "a1", "ES256", opaque{p384})
	require.Error(t, err, "a key of another curve")
}

func TestCountersigning(t *testing.T) {
	a, b := newSigner(t, alice, "k"), newSigner(t, bob, "k")
	v := pinned(t, Kinds(), a, b)
	both := func() []identity.OIN { return []identity.OIN{alice, bob} }
	raw, err := Together(Agreement, claims{Issuer: alice, Text: "x"}, a)
	require.NoError(t, err)
	proof, err := v.Some(Agreement, raw, new(claims), both)
	require.NoError(t, err)
	require.Equal(t, []identity.OIN{alice}, proof.SignedBy)
	_, err = v.All(Agreement, raw, new(claims), both)
	require.ErrorIs(t, err, ErrSignature, "seen before as a proposal, and still none")
	_, err = v.Some(Agreement, raw, new(claims), func() []identity.OIN { return []identity.OIN{bob} })
	require.ErrorIs(t, err, ErrSignature, "seen before, but signed by none of these")
	whole, err := b.Countersign(Agreement, raw)
	require.NoError(t, err)
	_, err = v.All(Agreement, whole, new(claims), both)
	require.NoError(t, err)
	twice, err := b.Countersign(Agreement, whole)
	require.NoError(t, err)
	_, err = v.All(Agreement, twice, new(claims), both)
	require.ErrorIs(t, err, ErrKey)
	_, err = b.Countersign(Agreement, []byte("{}"))
	require.ErrorIs(t, err, ErrMalformed)
}

// What is written is what the library makes of it, whether it has to or not.
func FuzzCanonicalOfAValue(f *testing.F) {
	for _, s := range []string{`{}`, `{"b":"<&>\u2028","a":[1,2.50,9007199254740993]}`, `{"a":{"z":null,"é":1}}`, `"\u0001\u001f/"`, `[1e3]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return
		}
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		want, errWant := jcs.Transform(raw)
		got, err := Canonical(v)
		require.Equal(t, errWant == nil, err == nil)
		require.Equal(t, string(want), string(got))
	})
}

// The scanner accepts as canonical exactly what the library makes canonical.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":[true,null,"\u000b\n\"é"]}`, `{"b":1,"a":1}`, `[-0]`, `[1.0]`, `["\/"]`, `["\u0041"]`, ` 1`, `1 `, `{"a":{"a":[]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if scan([]byte(text), true, func(int, string, []byte) {}) != nil {
			return
		}
		again, err := jcs.Transform([]byte("[" + text + "]"))
		if err != nil || string(again) != "["+text+"]" {
			t.Fatalf("%q is not canonical: %q %v", text, again, err)
		}
	})
}

// What is read without its signature must be of the kind all the same, and in the form
// in which it was taken in.
func TestUnverifiedReadsItsOwnKindOnly(t *testing.T) {
	s, want := newSigner(t, alice, "a1"), claims{Issuer: alice, Text: "text"}
	for _, is := range Kinds() {
		compact, err := s.Compact(is, want)
		require.NoError(t, err)
		together, err := Together(is, want, s)
		require.NoError(t, err)
		for _, as := range Kinds() {
			for form, raw := range map[string][]byte{"compact": compact, "together": together} {
				var got claims
				err := Unverified(as, raw, &got)
				if is == as && (form == "together") == (as == Agreement || as == Manifest || as == Approval) {
					require.NoError(t, err, "%s, %s", is, form)
					require.Equal(t, want, got)
					continue
				}
				require.Error(t, err, "%s as %s, %s", is, as, form)
				require.Empty(t, got, "%s as %s, %s", is, as, form)
			}
		}
	}
	raw, err := s.Compact(Consent, want)
	require.NoError(t, err)
	parts := strings.Split(string(raw), ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, spoilt := range map[string]string{
		"nothing":            "",
		"two parts":          parts[0] + "." + parts[1],
		"four parts":         string(raw) + ".x",
		"no header":          "." + parts[1] + "." + parts[2],
		"a header like none": encode(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2],
		"no payload":         parts[0] + ".." + parts[2],
		"no JSON":            parts[0] + "." + encode("text") + "." + parts[2],
		"a member twice":     parts[0] + "." + encode(`{"iss":"1","iss":"2","text":"x"}`) + "." + parts[2],
		"in another case":    parts[0] + "." + encode(`{"ISS":"1","Text":"x"}`) + "." + parts[2],
		"deep":               parts[0] + "." + encode(`{"iss":"1","more":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,"text":"x"}`) + "." + parts[2],
		"an unknown member":  parts[0] + "." + encode(`{"iss":"1","other":"x","text":"x"}`) + "." + parts[2],
		"no signature":       parts[0] + "." + parts[1] + ".",
		"too large":          parts[0] + "." + parts[1] + "." + strings.Repeat("A", MaxBytes),
	} {
		require.Error(t, Unverified(Consent, []byte(spoilt), new(claims)), name)
	}
	for name, spoilt := range map[string]string{
		"nothing": "", "no signatures": `{"payload":"` + parts[1] + `","signatures":[]}`, "compact": string(raw),
		"a header like none": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + encode(`{"alg":"none"}`) + `","signature":"` + parts[2] + `"}]}`,
	} {
		require.Error(t, Unverified(Agreement, []byte(spoilt), new(claims)), name)
	}
}

// What is written compactly is what the library writes, to the byte up to the signature, and
// the library verifies it.
func TestCompactIsThatOfTheLibrary(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	edwards, err := NewSigner(alice, "kid <&> é", "EdDSA", ed)
	require.NoError(t, err)
	for _, s := range []Signer{newSigner(t, alice, "a1"), edwards} {
		for _, kind := range Kinds() {
			raw, err := s.Compact(kind, claims{Issuer: alice, Text: "text"})
			require.NoError(t, err)
			alg := jwa.SignatureAlgorithm(s.Alg)
			payload, err := jws.Verify(raw, jws.WithKey(alg, s.Key.Public()))
			require.NoError(t, err)
			h := jws.NewHeaders()
			require.NoError(t, h.Set(jws.TypeKey, string(kind)))
			require.NoError(t, h.Set(jws.KeyIDKey, s.KeyID))
			want, err := jws.Sign(payload, jws.WithKey(alg, s.Key, jws.WithProtectedHeaders(h)))
			require.NoError(t, err)
			if s.Alg == "EdDSA" { // it signs the same bytes the same
				require.Equal(t, string(want), string(raw))
			}
			require.Equal(t, string(want[:bytes.LastIndexByte(want, '.')]), string(raw[:bytes.LastIndexByte(raw, '.')]))
		}
	}
}
