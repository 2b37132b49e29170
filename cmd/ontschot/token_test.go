package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
)

// Who calls must be proven; every way of not proving it ends at the front door.
func TestTokensThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	mint := func(change func(*token.Claims)) func() (string, error) {
		return func() (string, error) { return f.Token(time.Now(), change) }
	}
	b64 := base64.RawURLEncoding.EncodeToString
	good, err := f.Token(time.Now(), nil)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	header := func(alg string) string {
		return b64([]byte(`{"alg":"` + alg + `","kid":"token-1","typ":"at+jwt"}`))
	}
	der, err := x509.MarshalPKIXPublicKey(f.Requester().Token.Key.Public())
	require.NoError(t, err)
	hs := header("HS256") + "." + parts[1]
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(hs))
	consent, _, err := f.Consent(f.Case.Consents[0], nil)
	require.NoError(t, err)
	text := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	long := func(c *token.Claims) { c.Expires = c.IssuedAt + 3600 }

	for name, c := range map[string]struct {
		mint   func() (string, error)
		reason string
	}{
		"no token":                   {text(""), "TOKEN_MISSING"},
		"expired":                    {func() (string, error) { return f.Token(time.Now().Add(-10*time.Minute), nil) }, "TOKEN_EXPIRED"},
		"not valid yet":              {func() (string, error) { return f.Token(time.Now().Add(10*time.Minute), nil) }, "TOKEN_INVALID"},
		"lives too long":             {mint(long), "TOKEN_INVALID"},
		"bound to another":           {mint(func(c *token.Claims) { c.Confirmation.X5T = token.Thumbprint(f.Parties["UWV"].Server.TLS.Leaf) }), "TOKEN_NOT_BOUND"},
		"bound to nothing":           {mint(func(c *token.Claims) { c.Confirmation.X5T = "" }), "TOKEN_NOT_BOUND"},
		"another organisation":       {mint(func(c *token.Claims) { c.Organisation = f.Parties["UWV"].OIN }), "TOKEN_NOT_BOUND"},
		"another audience":           {mint(func(c *token.Claims) { c.Audience = string(f.Parties["UWV"].OIN) }), "TOKEN_AUDIENCE"},
		"unknown issuer":             {mint(func(c *token.Claims) { c.Issuer = "00000099000000999000" }), "TOKEN_INVALID"},
		"no case":                    {mint(func(c *token.Claims) { c.Case = "" }), "TOKEN_INVALID"},
		"alg none":                   {text(header("none") + "." + parts[1] + "."), "TOKEN_INVALID"},
		"alg none, signature kept":   {text(header("none") + "." + parts[1] + "." + parts[2]), "TOKEN_INVALID"},
		"HS256 with the public key":  {text(hs + "." + b64(mac.Sum(nil))), "TOKEN_INVALID"},
		"a consent used as a token":  {text(string(consent.GetDocument())), "TOKEN_INVALID"},
		"signed with a document key": {func() (string, error) { return signedBy(f.Requester().Sign, parts[1]) }, "TOKEN_INVALID"},
		"not a token":                {text("x"), "TOKEN_INVALID"},
	} {
		_, err := h.client(c.mint).AssembleBudget(t.Context(), requestOf(f.Case), nil)
		code, got, _ := reason(t, err)
		require.Equal(t, codes.Unauthenticated, code, name)
		require.Equal(t, c.reason, got, name)
	}
	_, err = h.ask()
	require.NoError(t, err, "and a good one passes")
}

func signedBy(s signed.Signer, payload string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return "", err
	}
	out, err := s.Compact(signed.Token, rawJSON(raw))
	return string(out), err
}

type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// A token for one purpose is no token for another, and a purpose that the matrix
// does not know is refused even to who has a token for it.
func TestPurposesThatAreRefused(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	r := requestOf(f.Case)
	r.Purpose = "tax.audit"
	_, err := h.put(r)
	code, got, _ := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", got)

	c := h.client(func() (string, error) {
		return f.Token(time.Now(), func(c *token.Claims) { c.Details[0].Purposes = []string{"tax.audit"} })
	})
	_, err = c.AssembleBudget(t.Context(), r, nil)
	code, got, meta := reason(t, err)
	require.Equal(t, codes.PermissionDenied, code)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", got)
	require.Contains(t, meta["codes"], "DOEL-01")
}
