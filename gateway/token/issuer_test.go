package token_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
)

func TestTokensOfOutsideIssuers(t *testing.T) {
	r := newRig(t)
	for name, s := range map[string]shape{"Keycloak": r.keycloak(), "Entra v1": r.entra1(), "Entra v2": r.entra2()} {
		c, err := r.checker.Check(r.outside(t, s))
		require.NoError(t, err, name)
		require.Equal(t, town, c.Organisation(), name)
		require.Equal(t, "consulent", c.Role(), name)
		require.Equal(t, map[string]string{"Keycloak": "substantieel"}[name]+map[bool]string{true: "laag"}[name != "Keycloak"], c.Assurance(), name)
		require.Equal(t, "case", c.Case(), name)
		require.True(t, c.Allows(purpose, other, "amount"), name)
		require.False(t, c.Reaches(purpose, town), "the scope names one source")
		require.False(t, c.May("integral_budget.account"), name)
	}
}

func TestOutsideTokensThatAreRefused(t *testing.T) {
	r := newRig(t)
	k, e1, e2 := r.keycloak(), r.entra1(), r.entra2()
	roles := func(names ...string) shape { return k.with("realm_access", shape{"roles": names}) }
	for name, c := range map[string]struct {
		claims shape
		want   error
	}{
		"another realm":                {k.with("iss", "https://idp.example/realms/werk"), token.ErrInvalid},
		"our own form's issuer":        {k.with("iss", string(town)), token.ErrInvalid},
		"an ID token of Keycloak":      {k.with("typ", "ID", "at_hash", "x"), token.ErrInvalid},
		"a refresh token":              {k.with("typ", "Refresh"), token.ErrInvalid},
		"a logout token":               {k.with("typ", "Logout"), token.ErrInvalid},
		"a DPoP token":                 {k.with("typ", "DPoP"), token.ErrInvalid},
		"bound by DPoP":                {k.with("cnf", shape{"x5t#S256": token.Thumbprint(r.leaf), "jkt": "x"}), token.ErrBinding},
		"a nonce":                      {k.with("nonce", "n"), token.ErrInvalid},
		"at_hash":                      {k.with("at_hash", "x"), token.ErrInvalid},
		"c_hash":                       {k.with("c_hash", "x"), token.ErrInvalid},
		"s_hash":                       {k.with("s_hash", "x"), token.ErrInvalid},
		"an ID token of Entra":         {e2.with("azp", nil, "azpacr", nil, "scp", nil), token.ErrInvalid},
		"v1 of v2":                     {e2.with("ver", "1.0"), token.ErrInvalid},
		"v2 of v1":                     {e1.with("ver", "2.0"), token.ErrInvalid},
		"both clients":                 {e1.with("azp", "entra-portal"), token.ErrInvalid},
		"both clients of v2":           {e2.with("appid", "entra-portal"), token.ErrInvalid},
		"v2 by its client_id":          {e2.with("azp", nil, "client_id", "entra-portal"), token.ErrInvalid},
		"v1 by its client_id":          {e1.with("appid", nil, "client_id", "entra-portal"), token.ErrInvalid},
		"a version nobody knows":       {e2.with("ver", "3.0"), token.ErrInvalid},
		"another audience":             {k.with("aud", "account"), token.ErrAudience},
		"no audience":                  {k.with("aud", nil), token.ErrAudience},
		"an empty list":                {k.with("aud", []string{}), token.ErrAudience},
		"us and another":               {k.with("aud", []string{"ontschot", "account"}), token.ErrAudience},
		"us twice":                     {k.with("aud", []string{"ontschot", "ontschot"}), token.ErrAudience},
		"an audience of numbers":       {k.with("aud", 7), token.ErrInvalid},
		"an unpinned client":           {k.with("azp", "another"), token.ErrInvalid},
		"no client":                    {k.with("azp", nil), token.ErrInvalid},
		"two clients":                  {k.with("client_id", "entra-portal"), token.ErrInvalid},
		"no subject":                   {k.with("sub", nil), token.ErrInvalid},
		"no id":                        {k.with("jti", nil), token.ErrInvalid},
		"bound to another":             {k.with("cnf", shape{"x5t#S256": token.Thumbprint(r.vendorLeaf)}), token.ErrBinding},
		"bound to nothing":             {k.with("cnf", shape{}), token.ErrBinding},
		"not bound, nothing pinned":    {k.with("cnf", nil), token.ErrBinding},
		"certificate of another's":     {k.with("azp", "strange", "cnf", nil), token.ErrBinding},
		"bound, and pinned to another": {k.with("azp", "strange"), token.ErrBinding},
		"pinned, and bound to another": {e2.with("cnf", shape{"x5t#S256": token.Thumbprint(r.vendorLeaf)}), token.ErrBinding},
		"no role":                      {k.with("realm_access", nil), token.ErrRole},
		"a role that maps to nothing":  {roles("offline_access", "admin"), token.ErrRole},
		"several roles":                {roles("zorg-consulent", "zorg-regisseur"), token.ErrRole},
		"several in several places":    {k.with("resource_access", shape{"ontschot": shape{"roles": []string{"zorg-regisseur"}}}), token.ErrRole},
		"a role that is no list":       {k.with("realm_access", nil, "roles", "zorg-consulent"), token.ErrInvalid},
		"expired":                      {k.with("iat", now.Unix()-331, "exp", now.Unix()-31), token.ErrExpired},
		"not valid yet":                {k.with("nbf", now.Unix()+31), token.ErrInvalid},
		"lives too long":               {k.with("exp", now.Unix()+3601), token.ErrInvalid},
		"no exp":                       {k.with("exp", nil), token.ErrInvalid},
		"no iat":                       {k.with("iat", nil), token.ErrInvalid},
		"half a second":                {k.with("exp", float64(now.Unix())+0.5), token.ErrInvalid},
		"no case":                      {k.with("case", nil), token.ErrInvalid},
		"scope and scp differ":         {k.with("scp", "account"), token.ErrInvalid},
		"a detail of more":             {k.with("authorization_details", []shape{{"type": "ontschot", "purposes": []string{purpose}, "actions": []string{"read"}}}), token.ErrInvalid},
		"an actor without a vendor":    {k.with("act", shape{"sub": "svc"}), token.ErrInvalid},
	} {
		call := r.outside(t, c.claims)
		call.Case = "case" // said by the call, which is not pinned here
		_, err := r.checker.Check(call)
		require.ErrorIs(t, err, c.want, name)
	}
	call := r.outside(t, k)
	call.Leaf = nil
	_, err := r.checker.Check(call)
	require.ErrorIs(t, err, token.ErrBinding)
}

// The issuer's own members say more, less or otherwise; what is left is never more.
func TestWhatAnOutsideTokenComesTo(t *testing.T) {
	r := newRig(t)
	k := r.keycloak()
	check := func(s shape) token.Caller {
		t.Helper()
		c, err := r.checker.Check(r.outside(t, s))
		require.NoError(t, err)
		return c
	}
	require.Equal(t, "laag", check(k.with("acr", nil)).Assurance())
	require.Equal(t, "laag", check(k.with("acr", "9")).Assurance())
	require.Equal(t, "hoog", check(k.with("acr", "3")).Assurance())
	require.Equal(t, "regisseur", check(k.with("realm_access", nil, "resource_access", shape{"ontschot": shape{"roles": []string{"zorg-regisseur"}}})).Role())
	require.Equal(t, "consulent", check(k.with("roles", []string{"Zorg.Consulent"})).Role(), "two names for one role of ours")
	require.Equal(t, "consulent", check(k.with("roles", []string{"Zorg.Consulent", "offline_access"})).Role(), "and one that comes to nothing behind it")
	require.Equal(t, town, check(k.with("aud", "ontschot")).Organisation())
	require.Equal(t, town, check(k.with("client_id", "portal", "typ", nil)).Organisation())

	require.False(t, check(k.with("scope", "openid budgets")).May(purpose))
	require.False(t, check(k.with("scope", nil)).May(purpose))
	require.True(t, check(k.with("scope", "budget account")).May("integral_budget.account"))
	require.True(t, check(k.with("scp", "openid email budget")).May(purpose))
	detail := shape{"type": "ontschot", "purposes": []string{purpose}, "sources": []string{string(vendor)}, "categories": []string{"product"}}
	c := check(k.with("authorization_details", []shape{detail}, "scope", "budget account"))
	require.True(t, c.Allows(purpose, vendor, "product"))
	require.False(t, c.Reaches(purpose, other), "details take the place of scopes")
	require.False(t, c.May("integral_budget.account"))
	require.False(t, check(k.with("authorization_details", []shape{})).May(purpose))
}

// What the trust configuration should not hold widens nothing: a level for no level, and a
// scope that means a detail of another type.
func TestWhatIsPinnedAmiss(t *testing.T) {
	r := newRig(t)
	r.issuer.Assurances[""] = "hoog"
	r.issuer.Scopes["odd"] = token.Detail{Purposes: []string{purpose}, Sources: []string{"*"}, Categories: []string{"*"}}
	c, err := r.checker.Check(r.outside(t, r.keycloak().with("acr", nil, "scope", "odd")))
	require.NoError(t, err)
	require.Equal(t, "laag", c.Assurance())
	require.False(t, c.May(purpose))
}

// Without issuers of outside, or none at the moment, our own form is all there is.
func TestNoOutsideIssuers(t *testing.T) {
	r := newRig(t)
	for _, issuers := range []func() []token.Issuer{nil, func() []token.Issuer { return nil }} {
		r.checker.Issuers = issuers
		_, err := r.checker.Check(r.own(t, nil))
		require.NoError(t, err)
		_, err = r.checker.Check(r.outside(t, r.keycloak()))
		require.ErrorIs(t, err, token.ErrInvalid)
	}
}

// gone is an issuer that cannot be reached.
type gone struct{}

func (gone) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("gone") }

// That the keys of an issuer cannot be read is no fault of the token.
func TestAnIssuerThatIsGone(t *testing.T) {
	r := newRig(t)
	set, err := signed.NewKeySet(signed.KeySetConfig{URL: "https://idp.example/keys", Alg: "EdDSA", Client: &http.Client{Transport: gone{}}})
	require.NoError(t, err)
	r.issuer.Tokens.Keys = set
	_, err = r.checker.Check(r.outside(t, r.keycloak()))
	require.ErrorIs(t, err, token.ErrIssuer)
	require.NotErrorIs(t, err, token.ErrInvalid)
}

// Where it is pinned so, the case is what the call says.
func TestTheCaseInMetadata(t *testing.T) {
	r := newRig(t)
	r.issuer.CaseInMetadata = true
	for name, c := range map[string]struct {
		claim any
		said  string
		good  bool
	}{
		"said":            {nil, "a case", true},
		"said twice":      {"a case", "a case", true},
		"not said":        {nil, "", false},
		"in the token":    {"a case", "", false},
		"differently":     {"another", "a case", false},
		"of great length": {nil, strings.Repeat("x", 129), false},
	} {
		call := r.outside(t, r.entra2().with("case", c.claim))
		call.Case = c.said
		caller, err := r.checker.Check(call)
		require.Equal(t, c.good, err == nil, name)
		if c.good {
			require.Equal(t, c.said, caller.Case(), name)
		}
	}
	own := r.own(t, nil)
	own.Case = "another"
	c, err := r.checker.Check(own)
	require.NoError(t, err)
	require.Equal(t, "case", c.Case(), "a token of our own form says it itself")
}

// An outside token may be delegated too, on the same terms.
func TestAVendorWithAnOutsideToken(t *testing.T) {
	r := newRig(t)
	call := r.outside(t, r.keycloak().with("act", shape{"sub": "svc", "org": string(vendor)}, "cnf", shape{"x5t#S256": token.Thumbprint(r.vendorLeaf)}))
	call.Leaf = r.vendorLeaf
	_, err := r.checker.Check(call)
	require.ErrorIs(t, err, token.ErrDelegation)
	d := r.delegation(t, nil)
	call.Delegations = func(identity.OIN, identity.OIN) ([]token.Delegation, error) { return []token.Delegation{d}, nil }
	c, err := r.checker.Check(call)
	require.NoError(t, err)
	require.Equal(t, vendor, c.Actor())

	call = r.outside(t, r.keycloak().with("cnf", shape{"x5t#S256": token.Thumbprint(r.vendorLeaf)}))
	call.Leaf = r.vendorLeaf
	_, err = r.checker.Check(call)
	require.ErrorIs(t, err, token.ErrBinding, "the vendor's certificate without act")
}

// held are things that hold of a token that was accepted, read by another decoder.
func held(t *testing.T, payload []byte) map[string]any {
	var m map[string]any
	require.NoError(t, json.Unmarshal(payload, &m))
	exp, iat := m["exp"].(float64), m["iat"].(float64)
	require.Greater(t, exp, iat)
	require.GreaterOrEqual(t, exp+30, float64(now.Unix()))
	require.NotEmpty(t, m["case"])
	return m
}

// FuzzCheck: whatever the town's key signs, it is a token only if it says all it must.
func FuzzCheck(f *testing.F) {
	r := newRig(f)
	good, err := json.Marshal(r.claims())
	require.NoError(f, err)
	f.Add(string(good))
	for from, to := range map[string]string{
		`"case":"case"`: `"Case":"case"`, `"org"`: `"ORG"`, `"aud":"`: `"aud":["`, `"exp":`: `"exp":1,"exp":`, `"*"`: `"**"`, `{`: `[{`,
		`"jti"`: `"act":{"sub":"x","org":"00000099000000000002"},"jti"`, `"iat":`: `"iat":-`, `"x5t#S256"`: `"x5t"`,
	} {
		f.Add(strings.Replace(string(good), from, to, 1))
	}
	f.Fuzz(func(t *testing.T, payload string) {
		bearer := raw(r.key, "token-1", "at+jwt", []byte(payload))
		c, err := r.checker.Check(token.Call{Bearer: bearer, Leaf: r.leaf, Purpose: purpose, Today: today})
		if err != nil {
			require.False(t, c.May(purpose))
			return
		}
		m := held(t, []byte(payload))
		require.Equal(t, string(town), m["iss"])
		require.Equal(t, string(town), m["org"])
		require.Equal(t, string(town), m["aud"])
		require.Equal(t, token.Thumbprint(r.leaf), m["cnf"].(map[string]any)["x5t#S256"])
		require.Nil(t, m["act"])
		require.LessOrEqual(t, m["exp"].(float64)-m["iat"].(float64), 300.0)
	})
}

// FuzzCheckOutside: the same for what an identity provider signs.
func FuzzCheckOutside(f *testing.F) {
	r := newRig(f)
	for _, s := range []shape{
		r.keycloak(), r.entra1(), r.entra2(), r.keycloak().with("aud", []string{"ontschot", "x"}), r.keycloak().with("cnf", nil), r.keycloak().with("typ", "ID"),
		r.keycloak().with("Aud", "ontschot"), r.entra2().with("roles", []string{"Zorg.Consulent", "zorg-regisseur"}), {"iss": realm},
	} {
		payload, err := json.Marshal(s)
		require.NoError(f, err)
		f.Add(string(payload))
	}
	f.Fuzz(func(t *testing.T, payload string) {
		bearer := raw(r.idpKey, "idp-1", "JWT", []byte(payload))
		c, err := r.checker.Check(token.Call{Bearer: bearer, Leaf: r.leaf, Purpose: purpose, Today: today})
		if err != nil {
			require.False(t, c.May(purpose))
			return
		}
		m := held(t, []byte(payload))
		require.Equal(t, realm, m["iss"])
		if m["aud"] != "ontschot" {
			require.Equal(t, []any{"ontschot"}, m["aud"])
		}
		for _, claim := range []string{"nonce", "at_hash", "c_hash", "s_hash", "act"} {
			require.Nil(t, m[claim], claim)
		}
		require.LessOrEqual(t, m["exp"].(float64)-m["iat"].(float64), 3600.0)
		require.True(t, slices.Contains([]string{"consulent", "regisseur"}, c.Role()))
	})
}
