package signed

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const realm = "https://idp.example/realms/zorg"

// idp is an outside issuer with one RSA key, as most have.
type idp struct {
	key *rsa.PrivateKey
	out *Outside
}

func newIDP(t testing.TB) idp {
	key := rsaKey(t, 2048)
	set, err := ReadKeySet([]byte(setOf(jwkOf(t, key.Public(), "kid", "r1"))), "RS256")
	require.NoError(t, err)
	return idp{key, &Outside{Issuer: realm, Alg: "RS256", Types: []string{"JWT"}, Keys: set}}
}

func (i idp) sign(t testing.TB, head, payload string) string {
	input := b64(head) + "." + b64(payload)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

type outsideClaims struct {
	Issuer string `json:"iss"`
	Sub    string `json:"sub"`
}

const (
	outsideHead = `{"alg":"RS256","kid":"r1","typ":"JWT"}`
	outsideBody = `{"iss":"https://idp.example/realms/zorg","sub":"x","realm_access":{"roles":["a"]}}`
)

func TestAnOutsideTokenIsRead(t *testing.T) {
	i := newIDP(t)
	for _, head := range []string{outsideHead, strings.Replace(outsideHead, "JWT", "jwt", 1), strings.Replace(outsideHead, `{`, `{"x5t":"abc",`, 1)} {
		raw := []byte(i.sign(t, head, outsideBody))
		for range 2 { // the second time it was seen
			var got outsideClaims
			require.NoError(t, i.out.Compact(raw, &got), head)
			require.Equal(t, outsideClaims{realm, "x"}, got)
		}
		require.Equal(t, realm, IssuerOf(raw))
	}
}

// The salt of a PS256 signature is as long as the hash (RFC 7518 section 3.5), as every signer of
// such tokens makes it: another length is no signature.
func TestTheSaltIsAsLongAsTheHash(t *testing.T) {
	key := rsaKey(t, 2048)
	set, err := ReadKeySet([]byte(setOf(jwkOf(t, key.Public(), "kid", "r1"))), "PS256")
	require.NoError(t, err)
	out := &Outside{Issuer: realm, Alg: "PS256", Types: []string{"JWT"}, Keys: set}
	input := b64(strings.Replace(outsideHead, "RS256", "PS256", 1)) + "." + b64(outsideBody)
	sum := sha256.Sum256([]byte(input))
	for salt, want := range map[int]error{sha256.Size: nil, 20: ErrSignature, rsa.PSSSaltLengthAuto: ErrSignature} {
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
		require.NoError(t, err)
		require.ErrorIs(t, out.Compact([]byte(input+"."+base64.RawURLEncoding.EncodeToString(sig)), new(outsideClaims)), want, salt)
	}
}

// What is hostile in a document of ours is hostile in an outside token.
func TestHostileOutsideTokens(t *testing.T) {
	i := newIDP(t)
	with := func(member string) string { return strings.Replace(outsideHead, `{`, `{`+member+`,`, 1) }
	good := i.sign(t, outsideHead, outsideBody)
	parts := strings.Split(good, ".")
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	require.NoError(t, err)
	hs := b64(strings.Replace(outsideHead, "RS256", "HS256", 1)) + "." + parts[1]
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(hs))
	for name, raw := range map[string]string{
		"empty":                   "",
		"crit":                    i.sign(t, with(`"crit":["exp"]`), outsideBody),
		"jwk":                     i.sign(t, with(`"jwk":{}`), outsideBody),
		"jku":                     i.sign(t, with(`"jku":"https://idp.example/keys"`), outsideBody),
		"x5u":                     i.sign(t, with(`"x5u":"https://idp.example/cert"`), outsideBody),
		"x5c":                     i.sign(t, with(`"x5c":["x"]`), outsideBody),
		"b64":                     i.sign(t, with(`"b64":false`), outsideBody),
		"zip":                     i.sign(t, with(`"zip":"DEF"`), outsideBody),
		"cty":                     i.sign(t, with(`"cty":"JWT"`), outsideBody),
		"nonce":                   i.sign(t, with(`"nonce":"x"`), outsideBody),
		"x5t#S256":                i.sign(t, with(`"x5t#S256":"x"`), outsideBody),
		"a member twice":          i.sign(t, with(`"kid":"r1"`), outsideBody),
		"typ of another kind":     i.sign(t, strings.Replace(outsideHead, "JWT", "at+jwt", 1), outsideBody),
		"typ of a consent":        i.sign(t, strings.Replace(outsideHead, "JWT", string(Consent), 1), outsideBody),
		"no typ":                  i.sign(t, `{"alg":"RS256","kid":"r1"}`, outsideBody),
		"no kid":                  i.sign(t, `{"alg":"RS256","typ":"JWT"}`, outsideBody),
		"unknown kid":             i.sign(t, strings.Replace(outsideHead, "r1", "r2", 1), outsideBody),
		"another algorithm":       i.sign(t, strings.Replace(outsideHead, "RS256", "PS256", 1), outsideBody),
		"alg none":                b64(strings.Replace(outsideHead, "RS256", "none", 1)) + "." + parts[1] + ".",
		"HS256 with the key":      hs + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)),
		"another key":             newIDP(t).sign(t, outsideHead, outsideBody),
		"another realm":           i.sign(t, outsideHead, strings.Replace(outsideBody, "zorg", "werk", 1)),
		"no issuer":               i.sign(t, outsideHead, `{"sub":"x"}`),
		"an issuer with escapes":  i.sign(t, outsideHead, strings.Replace(outsideBody, "//", `\/\/`, 1)),
		"issuer in capitals":      i.sign(t, outsideHead, strings.Replace(outsideBody, `"iss"`, `"ISS"`, 1)),
		"issuer twice":            i.sign(t, outsideHead, strings.Replace(outsideBody, `{`, `{"iss":"`+realm+`",`, 1)),
		"a claim twice":           i.sign(t, outsideHead, strings.Replace(outsideBody, `{`, `{"x":1,"x":2,`, 1)),
		"near to a claim":         i.sign(t, outsideHead, strings.Replace(outsideBody, `"sub"`, `"Sub"`, 1)),
		"near to one beside it":   i.sign(t, outsideHead, strings.Replace(outsideBody, `{`, `{"SUB":"y",`, 1)),
		"another shape":           i.sign(t, outsideHead, strings.Replace(outsideBody, `"x"`, `7`, 1)),
		"too deep":                i.sign(t, outsideHead, `{"iss":"`+realm+`","d":`+strings.Repeat("[", 9)+strings.Repeat("]", 9)+`}`),
		"not JSON":                i.sign(t, outsideHead, `iss`),
		"larger than 16 KiB":      i.sign(t, outsideHead, `{"iss":"`+realm+`","d":"`+strings.Repeat("x", MaxBytes)+`"}`),
		"detached":                parts[0] + ".." + parts[2],
		"padded":                  good + "=",
		"four parts":              good + "." + parts[2],
		"changed afterwards":      parts[0] + "." + b64(strings.Replace(outsideBody, `"a"`, `"b"`, 1)) + "." + parts[2],
		"a signature for another": parts[0] + "." + parts[1] + "." + strings.Split(i.sign(t, outsideHead, `{}`), ".")[2],
	} {
		var got outsideClaims
		err := i.out.Compact([]byte(raw), &got)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, ErrKeySet, name)
	}
}

// Why a token of its own form is refused; and one that is not of that form makes us
// fetch no keys, whichever key it names.
func TestWhatIsNoTokenFetchesNothing(t *testing.T) {
	key, one := edKey(t, "one")
	p := publish(t, setOf(one))
	o := &Outside{Issuer: realm, Alg: "EdDSA", Types: []string{"JWT"}, Keys: p.keySet(t, &clock{})}
	sign := func(head, body string) []byte {
		input := b64(head) + "." + b64(body)
		return []byte(input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(input))))
	}
	head := `{"alg":"EdDSA","kid":"two","typ":"JWT"}`
	require.NoError(t, o.Compact(sign(strings.Replace(head, "two", "one", 1), outsideBody), new(outsideClaims)))
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"no token":          {[]byte("x"), ErrMalformed},
		"another algorithm": {sign(strings.Replace(head, "EdDSA", "ES256", 1), outsideBody), ErrKey},
		"another type":      {sign(strings.Replace(head, "JWT", "at+jwt", 1), outsideBody), ErrMalformed},
		"another issuer":    {sign(head, strings.Replace(outsideBody, "zorg", "werk", 1)), ErrMalformed},
		"a claim twice":     {sign(head, strings.TrimSuffix(outsideBody, `}`)+`,"x":1,"x":2}`), ErrMalformed},
	} {
		require.ErrorIs(t, o.Compact(c.raw, new(outsideClaims)), c.want, name)
		require.Equal(t, int32(1), p.asked.Load(), name)
	}
	require.ErrorIs(t, o.Compact(sign(head, outsideBody), new(outsideClaims)), ErrKey)
	require.Equal(t, int32(2), p.asked.Load(), "of a key that is not there")
}

// A token may be read into other claims after it was seen.
func TestASeenTokenIsReadIntoOtherClaims(t *testing.T) {
	i := newIDP(t)
	raw := []byte(i.sign(t, outsideHead, outsideBody))
	require.NoError(t, i.out.Compact(raw, new(outsideClaims)))
	var other struct {
		Sub string `json:"sub"`
	}
	require.NoError(t, i.out.Compact(raw, &other))
	require.Equal(t, "x", other.Sub)
	again := new(outsideClaims)
	require.NoError(t, i.out.Compact(raw, again))
	allocations := testing.AllocsPerRun(100, func() {
		if i.out.Compact(raw, again) != nil {
			t.Error("refused")
		}
	})
	require.LessOrEqual(t, allocations, 10.0)
}

// The issuer is read of what is whole, and of no more than a document may hold.
func TestIssuerOf(t *testing.T) {
	body, whole := b64(`{"iss":"x"}`), b64(`{"iss":"x"} `) // the second of whole threes
	pad := func(n int) string {                            // so many characters of payload
		empty := len(`{"iss":"x","p":""}`)
		return b64(`{"iss":"x","p":"` + strings.Repeat("y", n*3/4-empty) + `"}`)
	}
	require.Len(t, pad(MaxBytes), MaxBytes)
	require.Len(t, pad(MaxBytes+2), MaxBytes+2)
	for part, want := range map[string]string{
		body: "x", body + "!": "", whole: "x", whole + "!": "", b64(`{"iss":7}`): "", b64(`{"iss":"x"`): "", "": "", pad(MaxBytes): "x", pad(MaxBytes + 2): "",
	} {
		require.Equal(t, want, IssuerOf([]byte("."+part+".")), "%.40s", part)
	}
}

// A key that the issuer took out of its set is believed no longer, also for a token
// that was seen before.
func TestAKeyTakenOutIsGone(t *testing.T) {
	key, one := edKey(t, "one")
	next, two := edKey(t, "two")
	p, c := publish(t, setOf(one)), &clock{}
	o := &Outside{Issuer: realm, Alg: "EdDSA", Types: []string{"JWT"}, Keys: p.keySet(t, c)}
	sign := func(key ed25519.PrivateKey, kid string) []byte {
		input := b64(`{"alg":"EdDSA","kid":"`+kid+`","typ":"JWT"}`) + "." + b64(outsideBody)
		return []byte(input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(input))))
	}
	require.NoError(t, o.Compact(sign(key, "one"), new(outsideClaims)))
	p.body.Store(setOf(two))
	require.NoError(t, o.Compact(sign(key, "one"), new(outsideClaims)), "we do not know yet")
	require.NoError(t, o.Compact(sign(next, "two"), new(outsideClaims)), "a new key is looked for at once")
	require.ErrorIs(t, o.Compact(sign(key, "one"), new(outsideClaims)), ErrKey)

	p.body.Store("")
	c.pass(staleAfter + time.Second)
	require.ErrorIs(t, o.Compact(sign(next, "two"), new(outsideClaims)), ErrKeySet)
}

// The act of a statement is read of statements only.
func TestActOf(t *testing.T) {
	s := newSigner(t, alice, "a1")
	const head = `{"alg":"ES256","kid":"a1","typ":"ontschot-statement+jwt"}`
	for payload, want := range map[string]string{
		`{"act":"delegate","iss":"x"}`: "delegate",
		`{"act":"withdraw"}`:           "withdraw",
		`{"iss":"x"}`:                  "",
		`{"act":7}`:                    "",
		`{"x":{"act":"delegate"}}`:     "",
		`{"act":"a","act":"b"}`:        "",
		`{ "act":"a"}`:                 "",
		`x`:                            "",
	} {
		act, err := ActOf([]byte(by(t, s, head, payload)))
		require.Equal(t, want, act, payload)
		require.Equal(t, want == "", err != nil, payload)
	}
	_, err := ActOf([]byte(by(t, s, strings.Replace(head, "statement", "consent", 1), `{"act":"delegate"}`)))
	require.ErrorIs(t, err, ErrMalformed)
}

// FuzzRouting: what routes a document reads anything without harm.
func FuzzRouting(f *testing.F) {
	f.Add([]byte(b64(outsideHead) + "." + b64(outsideBody) + ".eA"))
	f.Add([]byte(b64(`{"alg":"ES256","kid":"a","typ":"ontschot-statement+jwt"}`) + "." + b64(`{"act":"delegate"}`) + ".eA"))
	f.Add([]byte(".."))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = IssuerOf(raw)
		act, err := ActOf(raw)
		require.Equal(t, err != nil, act == "")
	})
}
