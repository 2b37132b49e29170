package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const trustExample = "../../docs/trust.example.yaml"

func TestTheTrustExampleIsRead(t *testing.T) {
	trust, err := ReadTrust(trustExample)
	require.NoError(t, err)
	issuers := trust.Parties[0].Issuers
	require.Len(t, issuers, 2)
	life, err := issuers[0].Life()
	require.NoError(t, err)
	require.Equal(t, 5*time.Minute, life)
	require.False(t, issuers[0].CaseInMetadata())
	require.True(t, issuers[1].CaseInMetadata())
	life, err = Issuer{}.Life()
	require.NoError(t, err)
	require.Equal(t, 5*time.Minute, life)
	// Every key there is is in the example.
	raw, err := os.ReadFile(trustExample)
	require.NoError(t, err)
	for _, key := range append(keysOf(reflect.TypeOf(trust), nil), keysOf(reflect.TypeOf(IssuerScope{}), nil)...) {
		require.Contains(t, string(raw), key+":", "undocumented key")
	}
}

// readTrust reads the example with something else in it.
func readTrust(t *testing.T, from, to string) error {
	t.Helper()
	raw, err := os.ReadFile(trustExample)
	require.NoError(t, err)
	changed := strings.Replace(string(raw), from, to, 1)
	require.NotEqual(t, string(raw), changed, from)
	path := filepath.Join(t.TempDir(), "trust.yaml")
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
	_, err = ReadTrust(path)
	return err
}

func TestIssuersThatAreRefused(t *testing.T) {
	const (
		issuer = "issuer: https://login.meppel.example/realms/zorg"
		keys   = "jwks_url: https://login.meppel.example/realms/zorg/protocol/openid-connect/certs"
		scope  = "sources: [\"00000001003214345999\"]"
		print  = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	)
	for name, c := range map[string]struct{ from, to, names string }{
		"http":                    {issuer, "issuer: http://login.meppel.example/realms/zorg", "issuers[0].issuer"},
		"no URL":                  {issuer, "issuer: zorg", "issuers[0].issuer"},
		"a query":                 {issuer, issuer + "?x=1", "issuers[0].issuer"},
		"a fragment":              {issuer, "issuer: https://login.meppel.example/x#y", "issuers[0].issuer"},
		"a password":              {issuer, "issuer: https://a:b@login.meppel.example/x", "issuers[0].issuer"},
		"one URL twice":           {issuer, "issuer: https://login.microsoftonline.com/00000000-0000-4000-8000-000000000000/v2.0", "issuers[1].issuer"},
		"no audience":             {"audience: ontschot", "audience: \"\"", "issuers[0].audience"},
		"no keys":                 {keys, "", "issuers[0].jwks"},
		"two places of keys":      {keys, keys + "\n        jwks: x.json", "issuers[0].jwks"},
		"keys over ftp":           {keys, "jwks_url: ftp://login.meppel.example/", "issuers[0].jwks_url"},
		"authorities of a file":   {"jwks: trust/entra.json", "jwks: trust/entra.json\n        jwks_ca: x.pem", "issuers[1].jwks_ca"},
		"HS256":                   {"alg: RS256 #", "alg: HS256 #", "issuers[0].alg"},
		"none":                    {"alg: RS256 #", "alg: none #", "issuers[0].alg"},
		"no type":                 {"types: [JWT] #", "types: [] #", "issuers[0].types"},
		"another type":            {"types: [JWT] #", "types: [ontschot-consent+jwt] #", "issuers[0].types"},
		"one type twice":          {"types: [JWT] #", "types: [JWT, JWT] #", "issuers[0].types"},
		"a life too long":         {"max_life: 95m", "max_life: 96m", "issuers[1].max_life"},
		"no life":                 {"max_life: 95m", "max_life: 0s", "issuers[1].max_life"},
		"a life of words":         {"max_life: 95m", "max_life: long", "issuers[1].max_life"},
		"no client":               {"clients:\n          - id: zaaksysteem", "clients: []", "issuers[0].clients"},
		"a client without an id":  {"- id: zaaksysteem", "- id: \"\"", "issuers[0].clients"},
		"a client twice":          {"- id: zaaksysteem", "- id: zaaksysteem\n          - id: zaaksysteem", "issuers[0].clients"},
		"a thumbprint too short":  {print, print[:42], "issuers[1].clients"},
		"a thumbprint in hex":     {print, strings.Repeat("ab", 32), "issuers[1].clients"},
		"a thumbprint twice":      {print, print + ", " + print, "issuers[1].clients"},
		"no role":                 {"          Wmo.Consulent: consulent", "          {}", "issuers[1].roles"},
		"a role of no word":       {"Wmo.Consulent: consulent", "Wmo.Consulent: \"*\"", "issuers[1].roles"},
		"a level nobody knows":    {`"2": substantieel`, `"2": high`, "issuers[0].assurances"},
		"a level of nothing":      {`"2": substantieel`, `"": hoog`, "issuers[0].assurances"},
		"a scope for nothing":     {"purposes: [integral_budget.compose]", "purposes: []", "issuers[0].scopes"},
		"every purpose":           {"purposes: [integral_budget.compose]", "purposes: [\"*\"]", "issuers[0].scopes"},
		"a source by its code":    {scope, "sources: [UWV]", "issuers[0].scopes"},
		"a category in capitals":  {"[entitlement, product, income]", "[Income]", "issuers[0].scopes"},
		"the case somewhere else": {"case: metadata", "case: header", "issuers[1].case"},
		"a key nobody knows":      {"audience: ontschot", "audeince: ontschot", `did you mean "audience"`},
	} {
		err := readTrust(t, c.from, c.to)
		require.ErrorIs(t, err, ErrConfig, name)
		require.ErrorContains(t, err, c.names, name)
	}
	require.NoError(t, readTrust(t, scope, ""), "a scope without sources allows nothing, and is accepted")
}

// The party of a client.yaml is found in the trust file that it names, or named as missing.
func TestATrustFileIsReadWithItsOwnParty(t *testing.T) {
	example, err := filepath.Abs(trustExample)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "client.yaml")
	client := func(releaser string) *Client {
		require.NoError(t, os.WriteFile(path, []byte("gateway: localhost:1\nreleaser: "+releaser+"\ntrust: "+example+"\n"), 0o600))
		c, err := ReadClient(path)
		require.NoError(t, err)
		return c
	}
	trust, own, err := client("GM0119").ReadTrust()
	require.NoError(t, err)
	require.Equal(t, trust.Parties[0], own)
	_, _, err = client("GM9999").ReadTrust()
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorContains(t, err, "GM9999")
}

// Keys over http are for development, from this machine.
func TestKeysOverHTTP(t *testing.T) {
	trust := &Trust{}
	i := Issuer{Issuer: "https://idp.example", Alg: "RS256", JWKSURL: "http://127.0.0.1:8080/keys"}
	_, err := trust.Outside(i, false, nil)
	require.ErrorIs(t, err, ErrConfig)
	_, err = trust.Outside(i, true, nil)
	require.NoError(t, err)
	i.JWKSURL = "http://idp.example/keys"
	_, err = trust.Outside(i, true, nil)
	require.ErrorIs(t, err, ErrConfig)
}

func FuzzReadTrust(f *testing.F) {
	raw, err := os.ReadFile(trustExample)
	require.NoError(f, err)
	f.Add(string(raw))
	path := filepath.Join(f.TempDir(), "trust.yaml")
	f.Fuzz(func(t *testing.T, s string) {
		if os.WriteFile(path, []byte(s), 0o600) == nil {
			_, _ = ReadTrust(path) // must not panic
		}
	})
}
