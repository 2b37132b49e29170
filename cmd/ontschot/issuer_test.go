package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

const (
	keycloakURL = "https://login.meppel.example/realms/zorg"
	entraV2     = "https://login.microsoftonline.example/7d31e1f2-0000-4000-8000-000000000000/v2.0"
	entraV1     = "https://sts.windows.example/7d31e1f2-0000-4000-8000-000000000000/"
)

// provider is an identity provider that publishes its keys over HTTPS.
type provider struct {
	t       *testing.T
	server  *httptest.Server
	keys    map[string]*rsa.PrivateKey
	set     atomic.Value // []byte
	fetches atomic.Int32
}

func newProvider(t *testing.T, f *family.Family, kids ...string) *provider {
	t.Helper()
	p := &provider{t: t, keys: map[string]*rsa.PrivateKey{}}
	for _, kid := range kids {
		p.generate(kid)
	}
	p.publish(kids...)
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		_, _ = w.Write(p.set.Load().([]byte))
	}))
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{f.Parties["UWV"].Server.TLS}} // any for loopback
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) generate(kid string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(p.t, err)
	p.keys[kid] = key
}

// publish writes the keys as identity providers do, one for encryption beside them.
func (p *provider) publish(kids ...string) {
	b64 := base64.RawURLEncoding.EncodeToString
	list := []map[string]any{{"kid": "enc-1", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": b64([]byte("no key of ours")), "e": "AQAB"}}
	for _, kid := range kids {
		public := p.keys[kid].PublicKey
		list = append(list, map[string]any{
			"kid": kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": b64(public.N.Bytes()), "e": b64(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	raw, err := json.Marshal(map[string]any{"keys": list})
	require.NoError(p.t, err)
	p.set.Store(raw)
}

// sign writes a token under a header of the provider's.
func (p *provider) sign(kid string, head, claims map[string]any) func() (string, error) {
	return func() (string, error) {
		h := maps.Clone(head)
		h["kid"], h["alg"] = kid, "RS256"
		one, err := json.Marshal(h)
		require.NoError(p.t, err)
		two, err := json.Marshal(claims)
		require.NoError(p.t, err)
		b64 := base64.RawURLEncoding.EncodeToString
		input := b64(one) + "." + b64(two)
		sum := sha256.Sum256([]byte(input))
		sig, err := rsa.SignPKCS1v15(rand.Reader, p.keys[kid], crypto.SHA256, sum[:])
		return input + "." + b64(sig), err
	}
}

// withIssuers adds identity providers of the requester to the trust file.
func withIssuers(t *testing.T, f *family.Family, issuers ...config.Issuer) func(*config.Gateway) {
	return func(conf *config.Gateway) {
		path := conf.Path(conf.Trust)
		trust, err := config.ReadTrust(path)
		require.NoError(t, err)
		for i, p := range trust.Parties {
			if p.OIN == f.Requester().OIN {
				trust.Parties[i].Issuers = issuers
			}
		}
		raw, err := yaml.Marshal(trust)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, raw, 0o600))
	}
}

func keycloakOf(f *family.Family, url string) config.Issuer {
	return config.Issuer{
		Issuer: keycloakURL, Audience: "ontschot", JWKSURL: url, JWKSCA: "ca.pem", Alg: "RS256", Types: []string{"JWT"},
		Clients: []config.IssuerClient{{ID: "zaaksysteem"}, {ID: "elders", Certificates: []string{token.Thumbprint(f.Parties["SVB"].Client.TLS.Leaf)}}},
		Roles:   map[string]string{"wmo-consulent": "consulent", "wmo-regisseur": "regisseur"}, Assurances: map[string]string{"2": "substantieel"},
		Scopes: map[string]config.IssuerScope{
			"integraal-budget": {Purposes: []string{f.Case.Purpose}, Sources: []string{"*"}, Categories: []string{"*"}},
			"inkomen":          {Purposes: []string{f.Case.Purpose}, Sources: []string{string(f.Parties["UWV"].OIN)}, Categories: []string{"entitlement", "product"}},
		},
	}
}

func entraOf(f *family.Family, issuer, url string) config.Issuer {
	i := keycloakOf(f, url)
	i.Issuer, i.Audience, i.MaxLife, i.Case = issuer, "api://ontschot", "95m", "metadata"
	i.Clients = []config.IssuerClient{{ID: "5f1c3a52", Certificates: []string{token.Thumbprint(f.Requester().Client.TLS.Leaf)}}}
	i.Roles, i.Assurances = map[string]string{"Wmo.Consulent": "consulent"}, map[string]string{"c2": "substantieel"}
	return i
}

func keycloakClaims(f *family.Family) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"iss": keycloakURL, "aud": "ontschot", "azp": "zaaksysteem", "sub": "9b2f3a52-0f1e-4f7c-8d43-1f6d2c1f7e55", "typ": "Bearer",
		"iat": now, "exp": now + 300, "auth_time": now - 60, "jti": "onrtac:2f0c5a3e-8f7d-4d0c-9a53-6d9a4be3a1c7", "sid": "0f9f6e0c", "acr": "2",
		"allowed-origins": []string{"https://zaken.meppel.example"}, "realm_access": map[string]any{"roles": []string{"offline_access", "wmo-consulent", "uma_authorization"}},
		"resource_access": map[string]any{"account": map[string]any{"roles": []string{"manage-account"}}}, "scope": "openid integraal-budget",
		"cnf": map[string]any{"x5t#S256": token.Thumbprint(f.Requester().Client.TLS.Leaf)}, "case": f.CaseCommitment, "email_verified": true,
	}
}

func entraClaims(issuer string) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{
		"iss": issuer, "aud": "api://ontschot", "iat": now - 300, "nbf": now - 300, "exp": now + 5300, "aio": "AWQAm/8UAAAA", "rh": "0.AX0A",
		"roles": []string{"Wmo.Consulent"}, "scp": "integraal-budget", "sub": "HKZpfaHyWadeOouYlitjrI", "oid": "690222be", "tid": "7d31e1f2", "uti": "fqiBqXLPj0eQa82S",
	}
	if issuer == entraV1 {
		c["ver"], c["appid"], c["appidacr"], c["acr"], c["amr"] = "1.0", "5f1c3a52", "2", "c2", []string{"pwd", "mfa"}
	} else {
		c["ver"], c["azp"], c["azpacr"], c["acr"] = "2.0", "5f1c3a52", "2", "c2"
	}
	return c
}

// changed gives claims with some changed; nil takes one out.
func changed(claims map[string]any, pairs ...any) map[string]any {
	out := maps.Clone(claims)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(out, pairs[i].(string))
		}
	}
	return out
}

// asking makes the request of the case with a token, and says the case in metadata.
func (h *house) asking(mint func() (string, error), said ...string) (*budgetv1.Budget, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	for _, s := range said {
		ctx = metadata.AppendToOutgoingContext(ctx, "ontschot-case", s)
	}
	return h.client(mint).AssembleBudget(ctx, requestOf(h.family.Case), nil)
}

// An organisation's own Keycloak or Entra may issue its tokens; each way in which one
// is not what it must be ends at the front door.
func TestTokensOfKeycloakAndEntra(t *testing.T) {
	f := open(t, "meppel")
	keycloak, entra := newProvider(t, f, "kc-1"), newProvider(t, f, "en-1")
	h := play(t, f, options{without: true, change: withIssuers(t, f,
		keycloakOf(f, keycloak.server.URL), entraOf(f, entraV2, entra.server.URL), entraOf(f, entraV1, entra.server.URL))})
	plain, x5t := map[string]any{"typ": "JWT"}, map[string]any{"typ": "JWT", "x5t": "HS23b7Do7TcaU1RoLHwpIq24VYg"}
	k, e1, e2 := keycloakClaims(f), entraClaims(entraV1), entraClaims(entraV2)

	b, err := h.asking(keycloak.sign("kc-1", plain, k))
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A1", "UWV"), "all checks pass")
	for _, c := range []map[string]any{e1, e2} {
		b, err = h.asking(entra.sign("en-1", x5t, c), f.CaseCommitment)
		require.NoError(t, err)
		require.Equal(t, "NO_ADAPTER", gapOf(b, "A4", "ZK5503"))
	}
	b, err = h.asking(keycloak.sign("kc-1", plain, changed(k, "scope", "inkomen")))
	require.NoError(t, err)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", gapOf(b, "A4", "ZK5503"), "the scope is for one source")

	_, err = h.asking(keycloak.sign("kc-1", plain, changed(k, "acr", nil)))
	code, why, meta := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code, "no acr is the lowest level, which does not do")
	require.Equal(t, "POLICY_DENIED", why)
	require.Equal(t, "ROL-01", meta["codes"])

	stranger := newProvider(t, f, "kc-1", "en-1")
	realm := func(roles ...string) map[string]any { return map[string]any{"roles": roles} }
	bound := func(leaf tls.Certificate) map[string]any {
		return map[string]any{"x5t#S256": token.Thumbprint(leaf.Leaf)}
	}
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		mint   func() (string, error)
		said   string
		reason string
	}{
		"Keycloak: an ID token":                 {keycloak.sign("kc-1", plain, changed(k, "typ", "ID", "at_hash", "x", "aud", "ontschot")), "", "TOKEN_INVALID"},
		"Keycloak: a refresh token":             {keycloak.sign("kc-1", plain, changed(k, "typ", "Refresh")), "", "TOKEN_INVALID"},
		"Keycloak: another audience":            {keycloak.sign("kc-1", plain, changed(k, "aud", "account")), "", "TOKEN_AUDIENCE"},
		"Keycloak: two audiences":               {keycloak.sign("kc-1", plain, changed(k, "aud", []string{"ontschot", "account"})), "", "TOKEN_AUDIENCE"},
		"Keycloak: another realm":               {keycloak.sign("kc-1", plain, changed(k, "iss", strings.Replace(keycloakURL, "zorg", "werk", 1))), "", "TOKEN_INVALID"},
		"Keycloak: a token as Entra's":          {keycloak.sign("kc-1", plain, e2), f.CaseCommitment, "TOKEN_INVALID"},
		"Keycloak: an unpinned client":          {keycloak.sign("kc-1", plain, changed(k, "azp", "admin-cli")), "", "TOKEN_INVALID"},
		"Keycloak: certificate of another":      {keycloak.sign("kc-1", plain, changed(k, "cnf", bound(f.Parties["SVB"].Client.TLS))), "", "TOKEN_NOT_BOUND"},
		"Keycloak: the pin is of another":       {keycloak.sign("kc-1", plain, changed(k, "azp", "elders")), "", "TOKEN_NOT_BOUND"},
		"Keycloak: bound to nothing":            {keycloak.sign("kc-1", plain, changed(k, "cnf", nil)), "", "TOKEN_NOT_BOUND"},
		"Keycloak: a role that maps to nothing": {keycloak.sign("kc-1", plain, changed(k, "realm_access", realm("admin"))), "", "TOKEN_ROLE"},
		"Keycloak: two roles":                   {keycloak.sign("kc-1", plain, changed(k, "realm_access", realm("wmo-consulent", "wmo-regisseur"))), "", "TOKEN_ROLE"},
		"Keycloak: lives too long":              {keycloak.sign("kc-1", plain, changed(k, "exp", now+3600)), "", "TOKEN_INVALID"},
		"Keycloak: expired":                     {keycloak.sign("kc-1", plain, changed(k, "iat", now-400, "exp", now-100)), "", "TOKEN_EXPIRED"},
		"Keycloak: the case in metadata":        {keycloak.sign("kc-1", plain, changed(k, "case", nil)), f.CaseCommitment, "TOKEN_INVALID"},
		"Keycloak: a key inside the header":     {keycloak.sign("kc-1", map[string]any{"typ": "JWT", "jwk": map[string]any{}}, k), "", "TOKEN_INVALID"},
		"Keycloak: typ at+jwt, not pinned":      {keycloak.sign("kc-1", map[string]any{"typ": "at+jwt"}, k), "", "TOKEN_INVALID"},
		"Keycloak: signed by a stranger":        {stranger.sign("kc-1", plain, k), "", "TOKEN_INVALID"},
		"Keycloak: for a vendor":                {keycloak.sign("kc-1", plain, changed(k, "act", map[string]any{"sub": "x", "org": string(f.Parties["SVB"].OIN)})), "", "TOKEN_NOT_BOUND"},
		"Entra: an ID token":                    {entra.sign("en-1", x5t, changed(e2, "azp", nil, "azpacr", nil, "scp", nil, "nonce", "n")), f.CaseCommitment, "TOKEN_INVALID"},
		"Entra: no case":                        {entra.sign("en-1", x5t, e2), "", "TOKEN_INVALID"},
		"Entra: v1 by the v2 issuer":            {entra.sign("en-1", x5t, changed(e1, "iss", entraV2, "ver", "3.0")), f.CaseCommitment, "TOKEN_INVALID"},
		"Entra: lives longer than 95 minutes":   {entra.sign("en-1", x5t, changed(e2, "exp", now+5500)), f.CaseCommitment, "TOKEN_INVALID"},
		"Entra: another tenant":                 {entra.sign("en-1", x5t, changed(e2, "iss", strings.Replace(entraV2, "7d31", "8e42", 1))), f.CaseCommitment, "TOKEN_INVALID"},
		"Entra: bound elsewhere beside the pin": {entra.sign("en-1", x5t, changed(e2, "cnf", bound(f.Parties["SVB"].Client.TLS))), f.CaseCommitment, "TOKEN_NOT_BOUND"},
		"Entra: a token as Keycloak's":          {entra.sign("en-1", x5t, k), "", "TOKEN_INVALID"},
	} {
		var said []string
		if c.said != "" {
			said = append(said, c.said)
		}
		_, err := h.asking(c.mint, said...)
		code, got, _ := reason(t, err)
		require.Equal(t, codes.Unauthenticated, code, name)
		require.Equal(t, c.reason, got, name)
	}
	_, err = h.asking(entra.sign("en-1", x5t, e2), f.CaseCommitment, f.CaseCommitment)
	_, why, _ = reason(t, err)
	require.Equal(t, "TOKEN_INVALID", why, "said twice would be a choice")
	other, err := h.asking(entra.sign("en-1", x5t, e2), "another case")
	require.NoError(t, err)
	require.Equal(t, "OTHER_HOUSEHOLD", gapOf(other, "A1", "UWV"), "the consents are of their own case")
	require.Empty(t, other.GetLines())
	_, err = h.ask()
	require.NoError(t, err, "tokens of our own form go on")
	require.NotContains(t, h.stderr.String(), "onrtac", "no token is logged")
}

// The identity provider changes its keys when it likes: a new one is picked up
// without a restart, and one that was taken out is believed no longer.
func TestTheProviderRotatesItsKeys(t *testing.T) {
	f := open(t, "meppel")
	p := newProvider(t, f, "old")
	h := play(t, f, options{without: true, change: withIssuers(t, f, keycloakOf(f, p.server.URL))})
	plain, k := map[string]any{"typ": "JWT"}, keycloakClaims(f)
	before := p.sign("old", plain, k)
	for range 3 {
		_, err := h.asking(before)
		require.NoError(t, err)
	}
	require.Equal(t, int32(1), p.fetches.Load())
	p.generate("new")
	p.publish("new")
	_, err := h.asking(p.sign("new", plain, k))
	require.NoError(t, err)
	require.Equal(t, int32(2), p.fetches.Load())
	for range 3 {
		_, err = h.asking(before)
		_, why, _ := reason(t, err)
		require.Equal(t, "TOKEN_INVALID", why)
	}
	require.Equal(t, int32(2), p.fetches.Load(), "an id that nobody knows is not looked for at will")
}

// While the provider cannot be reached nobody is let in on its word; who has a token
// of another issuer is.
func TestAProviderThatIsDown(t *testing.T) {
	f := open(t, "meppel")
	p := newProvider(t, f, "kc-1")
	p.server.Close()
	h := play(t, f, options{without: true, change: withIssuers(t, f, keycloakOf(f, p.server.URL))})
	_, err := h.asking(p.sign("kc-1", map[string]any{"typ": "JWT"}, keycloakClaims(f)))
	code, why, _ := reason(t, err)
	require.Equal(t, codes.Unavailable, code)
	require.Equal(t, "ISSUER_UNAVAILABLE", why)
	require.Contains(t, h.stderr.String(), "the keys of a token issuer could not be read", "the operator is informed")
	_, err = h.ask()
	require.NoError(t, err)
}

// What is in the trust file is checked when the gateway starts.
func TestIssuersThatStopTheStart(t *testing.T) {
	f := open(t, "meppel")
	good := keycloakOf(f, "https://127.0.0.1:1/keys")
	change := func(do func(*config.Issuer)) config.Issuer {
		one := good
		one.Scopes = maps.Clone(good.Scopes)
		do(&one)
		return one
	}
	for name, i := range map[string]config.Issuer{
		"categories": change(func(i *config.Issuer) {
			i.Scopes["inkomen"] = config.IssuerScope{Purposes: []string{f.Case.Purpose}, Sources: []string{"*"}, Categories: []string{"incomes"}}
		}),
		"jwks_ca":  change(func(i *config.Issuer) { i.JWKSCA = "trust.yaml" }),
		"jwks":     change(func(i *config.Issuer) { i.JWKSURL, i.JWKSCA, i.JWKS = "", "", "trust.yaml" }),
		"nowhere":  change(func(i *config.Issuer) { i.JWKSURL, i.JWKSCA, i.JWKS = "", "", "nowhere.json" }),
		"http far": change(func(i *config.Issuer) { i.JWKSURL = "http://idp.example/keys" }),
	} {
		dir := t.TempDir()
		layout, err := f.FreeLayout()
		require.NoError(t, err)
		require.NoError(t, f.Write(dir, layout))
		conf, err := config.ReadGateway(dir + "/gateway.yaml")
		require.NoError(t, err)
		conf.Sources = nil
		withIssuers(t, f, i)(conf)
		_, err = server.Start(t.Context(), conf, new(buffer))
		require.ErrorIs(t, err, config.ErrConfig, name)
		require.ErrorContains(t, err, keycloakURL, name)
	}
}
