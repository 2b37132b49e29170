package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

const (
	town   = identity.OIN("00000099000000000001")
	vendor = identity.OIN("00000099000000000002")
	other  = identity.OIN("00000099000000000003")

	purpose = "integral_budget.compose"
	realm   = "https://idp.example/realms/zorg"
)

var (
	now   = time.Unix(1_800_000_000, 0) // 2027-01-15
	today = civil.MustParse("2027-01-15")
)

// rig is a town with its keys and certificates, its own identity provider, and a
// vendor that acts for it.
type rig struct {
	sign, tokens, vendorSign signed.Signer
	signKey, key, idpKey     ed25519.PrivateKey
	keys                     *signed.Verifier
	leaf, vendorLeaf         *x509.Certificate
	checker                  token.Checker
	issuer                   token.Issuer
}

func newRig(t testing.TB) *rig {
	r := &rig{leaf: certificate(t, town), vendorLeaf: certificate(t, vendor)}
	signer := func(oin identity.OIN, id string) (signed.Signer, ed25519.PrivateKey) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		s, err := signed.NewSigner(oin, id, "EdDSA", key)
		require.NoError(t, err)
		return s, key
	}
	r.sign, r.signKey = signer(town, "sign-1")
	r.vendorSign, _ = signer(vendor, "sign-1")
	r.tokens, r.key = signer(town, "token-1")
	var err error
	r.keys, err = signed.NewVerifier(r.pins(time.Time{}))
	require.NoError(t, err)
	_, r.idpKey = signer(town, "idp-1")
	x := base64.RawURLEncoding.EncodeToString(r.idpKey.Public().(ed25519.PublicKey))
	set, err := signed.ReadKeySet([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"idp-1","x":"`+x+`"}]}`), "EdDSA")
	require.NoError(t, err)
	r.issuer = token.Issuer{
		Organisation: town, Audience: "ontschot", MaxLife: time.Hour,
		Tokens:     &signed.Outside{Issuer: realm, Alg: "EdDSA", Types: []string{"JWT", "at+jwt"}, Keys: set},
		Clients:    map[string][]string{"portal": nil, "entra-portal": {token.Thumbprint(r.leaf)}, "strange": {token.Thumbprint(r.vendorLeaf)}},
		Roles:      map[string]string{"zorg-consulent": "consulent", "Zorg.Consulent": "consulent", "zorg-regisseur": "regisseur"},
		Assurances: map[string]string{"2": "substantieel", "3": "hoog"},
		Scopes: map[string]token.Detail{
			"budget":  {Type: token.DetailType, Purposes: []string{purpose}, Sources: []string{string(other)}, Categories: []string{"*"}},
			"account": {Type: token.DetailType, Purposes: []string{"integral_budget.account"}, Sources: []string{"*"}, Categories: []string{"*"}},
		},
	}
	r.checker = token.Checker{
		Keys: r.keys, Audience: string(town), Now: func() time.Time { return now },
		Issuers: func() []token.Issuer { return []token.Issuer{r.issuer} },
	}
	return r
}

// pins trusts the keys, those of the town's tokens until a time.
func (r *rig) pins(retired time.Time) map[identity.OIN][]signed.Key {
	statements := []signed.Kind{signed.Consent, signed.Agreement, signed.Statement}
	return map[identity.OIN][]signed.Key{
		town: {
			{ID: "sign-1", Alg: "EdDSA", Public: r.sign.Key.Public(), Kinds: statements},
			{ID: "token-1", Alg: "EdDSA", Public: r.tokens.Key.Public(), Kinds: []signed.Kind{signed.Token}, Retired: retired},
		},
		vendor: {{ID: "sign-1", Alg: "EdDSA", Public: r.vendorSign.Key.Public(), Kinds: statements}},
	}
}

func certificate(t testing.TB, oin identity.OIN) *x509.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost", SerialNumber: string(oin)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return leaf
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// raw signs any bytes as a payload.
func raw(key ed25519.PrivateKey, kid, typ string, payload []byte) string {
	input := b64([]byte(`{"alg":"EdDSA","kid":"`+kid+`","typ":"`+typ+`"}`)) + "." + b64(payload)
	return input + "." + b64(ed25519.Sign(key, []byte(input)))
}

// claims are those of a good token of our own form.
func (r *rig) claims() token.Claims {
	return token.Claims{
		Issuer: town, Subject: "worker-1", Client: "portal", Audience: string(town), Organisation: town,
		IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Unix() + 300, ID: "id-1",
		Confirmation: token.Confirmation{X5T: token.Thumbprint(r.leaf)}, Case: "case", Role: "consulent", Assurance: "substantieel",
		Details: []token.Detail{{Type: token.DetailType, Purposes: []string{purpose}, Sources: []string{"*"}, Categories: []string{"*"}}},
	}
}

// own signs a token of our own form.
func (r *rig) own(t testing.TB, change func(*token.Claims)) token.Call {
	c := r.claims()
	if change != nil {
		change(&c)
	}
	bearer, err := r.tokens.Compact(signed.Token, c)
	require.NoError(t, err)
	return token.Call{Bearer: string(bearer), Leaf: r.leaf, Purpose: purpose, Today: today}
}

// shape is the claims of an outside token.
type shape map[string]any

// outside signs an outside token.
func (r *rig) outside(t testing.TB, s shape) token.Call {
	payload, err := json.Marshal(s)
	require.NoError(t, err)
	return token.Call{Bearer: raw(r.idpKey, "idp-1", "JWT", payload), Leaf: r.leaf, Purpose: purpose, Today: today}
}

// with gives a shape with some claims replaced; nil takes one out.
func (s shape) with(pairs ...any) shape {
	out := shape{}
	for name, value := range s {
		out[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(out, pairs[i].(string))
			continue
		}
		out[pairs[i].(string)] = pairs[i+1]
	}
	return out
}

// keycloak, entra1 and entra2 are access tokens as these write them.
func (r *rig) keycloak() shape {
	return shape{
		"exp": now.Unix() + 300, "iat": now.Unix(), "auth_time": now.Unix() - 60, "jti": "onrtac:2f0c5a3e-8f7d-4d0c-9a53-6d9a4be3a1c7",
		"iss": realm, "aud": []string{"ontschot"}, "sub": "9b2f3a52-0f1e-4f7c-8d43-1f6d2c1f7e55", "typ": "Bearer", "azp": "portal",
		"sid": "0f9f6e0c", "acr": "2", "allowed-origins": []string{"https://portal.example"}, "email_verified": false,
		"realm_access":    shape{"roles": []string{"default-roles-zorg", "offline_access", "uma_authorization", "zorg-consulent"}},
		"resource_access": shape{"account": shape{"roles": []string{"manage-account", "zorg-regisseur"}}},
		"scope":           "openid email budget", "cnf": shape{"x5t#S256": token.Thumbprint(r.leaf)}, "case": "case",
	}
}

func (r *rig) entra2() shape {
	return shape{
		"aud": "ontschot", "iss": realm, "iat": now.Unix() - 300, "nbf": now.Unix() - 300, "exp": now.Unix() + 3000, "aio": "AWQAm/8UAAAA",
		"azp": "entra-portal", "azpacr": "2", "name": "A. Worker", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "rh": "0.AX0A", "roles": []string{"Zorg.Consulent"},
		"scp": "budget", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": "7d31e1f2", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0", "case": "case",
	}
}

func (r *rig) entra1() shape {
	return r.entra2().with("azp", nil, "azpacr", nil, "ver", "1.0", "appid", "entra-portal", "appidacr", "2", "acr", "1", "amr", []string{"pwd", "mfa"}, "upn", "worker@town.example")
}
