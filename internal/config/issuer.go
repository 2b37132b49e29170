package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Issuer is a party's own identity provider, such as Keycloak or Entra, as far as
// its access tokens are believed: docs/decisions/0008-outside-token-issuers.md.
type Issuer struct {
	// Issuer is exactly the iss of its tokens, an https URL; of one party only.
	Issuer string `yaml:"issuer"`
	// Audience is exactly their aud.
	Audience string `yaml:"audience"`
	// JWKS is a file with its keys, JWKSURL where it publishes them (https); one of
	// the two. JWKSCA is a file with the authorities of that place, PEM; empty: the system's.
	JWKS    string `yaml:"jwks,omitempty"`
	JWKSURL string `yaml:"jwks_url,omitempty"`
	JWKSCA  string `yaml:"jwks_ca,omitempty"`
	// Alg is ES256, PS256, RS256 or EdDSA.
	Alg string `yaml:"alg"`
	// Types are the typ headers it writes: at+jwt, JWT.
	Types []string `yaml:"types"`
	// MaxLife is how long a token may live, exp less iat, at most 95m; empty means 5m.
	MaxLife string `yaml:"max_life,omitempty"`
	// Clients that may present its tokens.
	Clients []IssuerClient `yaml:"clients"`
	// Roles by its role: ours.
	Roles map[string]string `yaml:"roles"`
	// Assurances by its acr: laag, substantieel, hoog. Any other acr is laag.
	Assurances map[string]string `yaml:"assurances,omitempty"`
	// Scopes by name: what they mean.
	Scopes map[string]IssuerScope `yaml:"scopes,omitempty"`
	// Case says where the case commitment is: claim (the default), or metadata of
	// the call, for an issuer that knows nothing of cases.
	Case string `yaml:"case,omitempty"`
}

// IssuerClient is a system of the party that gets tokens from its issuer.
type IssuerClient struct {
	ID string `yaml:"id"`
	// Certificates it may use, by x5t#S256: needed where the issuer puts no cnf in
	// its tokens.
	Certificates []string `yaml:"certificates,omitempty"`
}

// IssuerScope is what a scope means. Sources are OINs; "*" is all of them, and
// all categories.
type IssuerScope struct {
	Purposes   []string `yaml:"purposes"`
	Sources    []string `yaml:"sources,omitempty"`
	Categories []string `yaml:"categories,omitempty"`
}

// Bounds of an issuer.
const (
	defaultLife = 5 * time.Minute
	longestLife = 95 * time.Minute // Entra's 90, and the five by which it sets iat back
	maxEntries  = 64
)

const caseMetadata = "metadata"

// word is the form of our roles and categories.
var word = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// dotted reports whether a text is a purpose of two words or more.
func dotted(s string) bool { return strings.Contains(s, ".") && ontschotv1.IsPurpose(s) }

// Life is how long a token may live.
func (i Issuer) Life() (time.Duration, error) {
	if i.MaxLife == "" {
		return defaultLife, nil
	}
	return time.ParseDuration(i.MaxLife)
}

// CaseInMetadata reports whether the case commitment is in the call.
func (i Issuer) CaseInMetadata() bool { return i.Case == caseMetadata }

// checkIssuers names what is wrong with the issuers of the parties.
func (t *Trust) checkIssuers() []string {
	var all []string
	seen := map[string]bool{}
	for p, party := range t.Parties {
		all = append(all, broken(rule{len(party.Issuers) > mostIssuers, fmt.Sprintf("parties[%d].issuers: at most %d", p, mostIssuers)})...)
		for n, i := range party.Issuers[:min(len(party.Issuers), mostIssuers)] {
			says := append(i.check(), broken(rule{i.Issuer != "" && seen[i.Issuer], "issuer is listed twice; a URL belongs to one party"})...)
			all = append(all, under(fmt.Sprintf("parties[%d].issuers[%d]", p, n), ".", says)...)
			seen[i.Issuer] = true
		}
	}
	return all
}

const mostIssuers = 8 // of one party

// check says which keys are wrong and what they must be.
func (i Issuer) check() []string {
	life, err := i.Life()
	return append(broken(
		rule{!isURL(i.Issuer, false), "issuer must be an https URL without query and fragment"},
		rule{i.Audience == "" || len(i.Audience) > 512, "audience is needed"},
		rule{(i.JWKS == "") == (i.JWKSURL == ""), "jwks or jwks_url is needed, one of the two"},
		rule{i.JWKSURL != "" && !isURL(i.JWKSURL, true), "jwks_url must be an https URL"},
		rule{i.JWKSCA != "" && i.JWKSURL == "", "jwks_ca goes with jwks_url"},
		rule{!slices.Contains([]string{"ES256", "PS256", "RS256", "EdDSA"}, i.Alg), "alg must be ES256, PS256, RS256 or EdDSA"},
		rule{!listOf(i.Types, func(s string) bool { return s == "at+jwt" || s == "JWT" }), "types must be a list of at+jwt, JWT"},
		rule{err != nil || life <= 0 || life > longestLife, "max_life must be a duration such as 5m, at most 95m"},
		rule{i.Case != "" && i.Case != "claim" && i.Case != caseMetadata, "case must be claim or metadata"},
	), i.checkWords()...)
}

func (i Issuer) checkWords() []string {
	ids := map[string]bool{}
	unclear := slices.ContainsFunc(i.Clients, func(c IssuerClient) bool {
		twice := ids[c.ID]
		ids[c.ID] = true
		return c.ID == "" || twice || len(c.Certificates) > 0 && !listOf(c.Certificates, isThumbprint)
	})
	return broken(
		rule{len(i.Clients) == 0 || len(i.Clients) > maxEntries, "clients: one is needed, at most 64"},
		rule{unclear, "clients: each needs an id of its own, and certificates as x5t#S256 (43 characters of base64url) or none"},
		rule{len(i.Roles) == 0 || !allOf(i.Roles, word.MatchString), "roles must name a role of ours for each of the issuer's"},
		rule{!allOf(i.Assurances, func(s string) bool { return slices.Contains(ontschotv1.Assurances(), s) }), "assurances must be laag, substantieel or hoog"},
		rule{!allOf(i.Scopes, IssuerScope.inOrder), "scopes: each needs purposes, and sources (OINs) and categories, or \"*\", or none"},
	)
}

func (s IssuerScope) inOrder() bool {
	return listOf(s.Purposes, dotted) &&
		(len(s.Sources) == 0 || listOf(s.Sources, func(one string) bool { return one == "*" || identity.IsOIN(identity.OIN(one)) })) &&
		(len(s.Categories) == 0 || listOf(s.Categories, func(one string) bool { return one == "*" || word.MatchString(one) }))
}

// listOf reports whether there are some, all different and all in order.
func listOf(list []string, inOrder func(string) bool) bool {
	for at, one := range list {
		if !inOrder(one) || slices.Contains(list[:at], one) {
			return false
		}
	}
	return len(list) > 0 && len(list) <= maxEntries
}

func allOf[T any](table map[string]T, inOrder func(T) bool) bool {
	for name, one := range table {
		if name == "" || !inOrder(one) {
			return false
		}
	}
	return len(table) <= maxEntries
}

func isThumbprint(s string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(raw) == 32
}

// isURL reports whether it is https; where keys are fetched http may be tried, which
// only development allows, and a query is allowed.
func isURL(s string, fetched bool) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(s) > 512 {
		return false
	}
	return u.Scheme == "https" && (fetched || u.RawQuery == "") || fetched && u.Scheme == "http"
}

// Outside makes what verifies an issuer's tokens. dev allows keys to be fetched over
// http from a loopback address; failed is called when they cannot be.
func (t *Trust) Outside(i Issuer, dev bool, failed func(error)) (*signed.Outside, error) {
	keys, err := t.keySet(i, dev, failed)
	if err != nil {
		return nil, fmt.Errorf("%w: issuer %s: %w", ErrConfig, i.Issuer, err)
	}
	return &signed.Outside{Issuer: i.Issuer, Alg: i.Alg, Types: i.Types, Keys: keys}, nil
}

func (t *Trust) keySet(i Issuer, dev bool, failed func(error)) (*signed.KeySet, error) {
	if i.JWKS != "" {
		raw, err := ReadFile(join(t.dir, i.JWKS))
		if err != nil {
			return nil, err
		}
		return signed.ReadKeySet(raw, i.Alg)
	}
	roots := &tls.Config{MinVersion: tls.VersionTLS12}
	if i.JWKSCA != "" {
		raw, err := ReadFile(join(t.dir, i.JWKSCA))
		if err != nil {
			return nil, err
		}
		roots.RootCAs = x509.NewCertPool()
		if !roots.RootCAs.AppendCertsFromPEM(raw) {
			return nil, fmt.Errorf("%s: no certificate in it", i.JWKSCA)
		}
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: roots, DisableKeepAlives: true}}
	return signed.NewKeySet(signed.KeySetConfig{URL: i.JWKSURL, Alg: i.Alg, Client: client, Loopback: dev, Failed: failed})
}
