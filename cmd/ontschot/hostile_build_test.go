package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
)

// key signs under an id.
type key struct {
	id      string
	private crypto.Signer
}

// key gives a key of the family's by its name, PARTY/ID; nobody's is pinned nowhere.
func (s *siege) key(t *testing.T, name string) key {
	t.Helper()
	k, ok := s.extra[name]
	code, id, _ := strings.Cut(name, "/")
	if p := s.family.Parties[code]; !ok && p != nil {
		for _, signer := range []struct {
			id  string
			key crypto.Signer
		}{{p.Sign.KeyID, p.Sign.Key}, {p.Token.KeyID, p.Token.Key}} {
			if signer.id == id {
				k, ok = key{id, signer.key}, true
			}
		}
	}
	require.True(t, ok, "no key %q", name)
	return k
}

// part is one signature with its header.
type part struct {
	header    string
	by        key
	signature []byte
}

// draft is a document in its parts.
type draft struct {
	payload string
	parts   []part // one, but for agreements
}

func b64(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

func unb64(t testing.TB, text string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	return string(raw)
}

// general is the JSON serialisation (RFC 7515 section 7.2.1).
type general struct {
	Payload    string      `json:"payload"`
	Signatures []protected `json:"signatures"`
}

type protected struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// apart takes a good document apart.
func (s *siege) apart(t *testing.T, d document) draft {
	t.Helper()
	var out draft
	var doc general
	if !together(d.kind) {
		p := strings.Split(string(d.raw), ".")
		doc = general{p[1], []protected{{p[0], p[2]}}}
	} else {
		require.NoError(t, json.Unmarshal(d.raw, &doc))
	}
	out.payload = unb64(t, doc.Payload)
	for i, one := range doc.Signatures {
		out.parts = append(out.parts, part{header: unb64(t, one.Protected), by: s.key(t, signersOf(d.kind)[i])})
	}
	return out
}

// build makes the document of a case, signed for real whatever it says. What is done
// to a signature is done to the last one.
func (s *siege) build(t *testing.T, c hostile, kind string) document {
	t.Helper()
	fill := s.tools(t)
	d := s.good(t, kind)
	d.leaf = c.Leaf
	d.taken = slices.Contains(c.Taken, "register") || c.Told == "NO_DOCUMENT"
	s.spoilBeside(t, c.Beside, &d)
	if c.Raw != "" {
		d.raw = []byte(fill(c.Raw))
		d.secret = secretOf(d)
		return d
	}
	whole := s.apart(t, d)
	whole.payload = replaced(t, members(t, whole.payload, c.Claims, fill), c.Payload, fill)
	last := &whole.parts[len(whole.parts)-1]
	last.header = replaced(t, members(t, last.header, c.Head, fill), c.Header, fill)
	if c.By != "" {
		last.by = s.key(t, c.By)
	}
	for i := range whole.parts {
		whole.parts[i].sign(t, "", whole.payload)
	}
	last.sign(t, c.Alg, whole.payload)
	if c.Signature != "" {
		require.Contains(t, spoilers(), c.Signature)
		last.signature = spoilers()[c.Signature](t, last.signature)
	}
	form := c.Form
	if form == "" && together(kind) {
		form = "general"
	}
	require.Contains(t, s.forms(), form)
	d.raw = []byte(replaced(t, s.forms()[form](t, whole), c.Bytes, fill))
	d.payload = whole.payload
	d.secret = secretOf(d)
	s.seen = append(s.seen, d)
	return d
}

// tools gives what fills the templates of a case.
func (s *siege) tools(t *testing.T) func(string) string {
	now := time.Now().Unix()
	tools := template.FuncMap{
		"now":      func(plus int64) int64 { return now + plus },
		"oin":      func(code string) string { return string(s.family.Parties[code].OIN) },
		"thumb":    func(code string) string { return token.Thumbprint(s.family.Parties[code].Client.TLS.Leaf) },
		"repeat":   func(n int, text string) string { return strings.Repeat(text, n) },
		"bytes":    func(text string) (string, error) { raw, err := hex.DecodeString(text); return string(raw), err },
		"bsn":      func() string { return s.family.Case.Household[0].BSN },
		"person":   func() string { return s.family.Case.Household[0].Name },
		"case":     func() string { return s.family.CaseCommitment },
		"agreed":   func() string { return s.agreed.ID },
		"proposed": func() string { return s.proposed.ID },
		"consent":  func() string { return s.consents[len(s.consents)-1] },
		"members": func(n int) string {
			list := make([]string, n)
			for i := range list {
				list[i] = fmt.Sprintf(`"m%03d":0`, i)
			}
			return strings.Join(list, ",")
		},
		"id": func() string { return uuid.Must(uuid.NewV7()).String() },
	}
	return func(text string) string {
		var out strings.Builder
		page, err := template.New("").Funcs(tools).Parse(text)
		require.NoError(t, err, text)
		require.NoError(t, page.Execute(&out, nil))
		return out.String()
	}
}

// replaced makes each replacement once, and fails when there is nothing to replace.
func replaced(t *testing.T, text string, edits [][2]string, fill func(string) string) string {
	t.Helper()
	for _, e := range edits {
		from := fill(e[0])
		require.Contains(t, text, from)
		text = strings.Replace(text, from, fill(e[1]), 1)
	}
	return text
}

// members sets members of an object and writes them in the order of their names.
func members(t *testing.T, text string, set map[string]string, fill func(string) string) string {
	t.Helper()
	if len(set) == 0 {
		return text
	}
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	for name, value := range set {
		if value == "" {
			require.Contains(t, all, name)
			delete(all, name)
			continue
		}
		all[name] = json.RawMessage(fill(value))
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, `"`+name+`":`+string(all[name]))
	}
	return "{" + strings.Join(list, ",") + "}"
}

// sign makes the signature with an algorithm; empty: that of the key.
func (p *part) sign(t *testing.T, alg, payload string) {
	t.Helper()
	input := []byte(b64(p.header) + "." + b64(payload))
	sum := sha256.Sum256(input)
	var err error
	switch key := p.by.private.(type) {
	case *ecdsa.PrivateKey:
		p.signature, err = ecdsaOver(alg, key, input)
	case *rsa.PrivateKey:
		var how crypto.SignerOpts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		if alg == "RS256" {
			how = crypto.SHA256
		}
		p.signature, err = key.Sign(rand.Reader, sum[:], how)
	default: // Ed25519
		p.signature, err = key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	require.NoError(t, err)
}

// ecdsaOver signs as ES256, or takes the public key for the secret of a MAC.
func ecdsaOver(alg string, key *ecdsa.PrivateKey, input []byte) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	point, err := key.PublicKey.ECDH()
	if err != nil {
		return nil, err
	}
	secrets := map[string][]byte{
		"HS256 der": der, "HS256 raw": point.Bytes(), "HS256 empty": {},
		"HS256 pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}
	if secret, ok := secrets[alg]; ok {
		mac := hmac.New(sha256.New, secret)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	sum := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	return fixed(r, s), nil
}

// fixed is the form of a signature in JWS (RFC 7518 section 3.4).
func fixed(r, s *big.Int) []byte {
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

// spoilers of an ES256 signature.
func spoilers() map[string]func(*testing.T, []byte) []byte {
	order := elliptic.P256().Params().N
	with := func(change func(r, s *big.Int) []byte) func(*testing.T, []byte) []byte {
		return func(_ *testing.T, sig []byte) []byte {
			return change(new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		}
	}
	return map[string]func(*testing.T, []byte) []byte{
		"zero":    with(func(r, s *big.Int) []byte { return make([]byte, 64) }),
		"r zero":  with(func(r, s *big.Int) []byte { return fixed(new(big.Int), s) }),
		"s zero":  with(func(r, s *big.Int) []byte { return fixed(r, new(big.Int)) }),
		"r order": with(func(r, s *big.Int) []byte { return fixed(order, s) }),
		"s order": with(func(r, s *big.Int) []byte { return fixed(r, order) }),
		"s largest": with(func(r, s *big.Int) []byte {
			return fixed(r, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)))
		}),
		"swapped": with(func(r, s *big.Int) []byte { return fixed(s, r) }),
		"twin":    with(func(r, s *big.Int) []byte { return fixed(r, new(big.Int).Sub(order, s)) }),
		"der": func(t *testing.T, sig []byte) []byte {
			out, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])})
			require.NoError(t, err)
			return out
		},
		"none":    func(*testing.T, []byte) []byte { return nil },
		"short":   func(_ *testing.T, sig []byte) []byte { return sig[:63] },
		"long":    func(_ *testing.T, sig []byte) []byte { return append(sig, 0) },
		"widened": func(_ *testing.T, sig []byte) []byte { return slices.Concat([]byte{0}, sig[:32], []byte{0}, sig[32:]) },
		"flipped": func(_ *testing.T, sig []byte) []byte { sig[40] ^= 1; return sig },
	}
}
