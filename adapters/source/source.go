// Package source answers: how is a system of an agency reached? Over HTTPS,
// with a certificate or a token or both, one client per configuration.
package source

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
)

// Settings are the configuration keys that all reference adapters share.
type Settings struct {
	// Party is the code of the party that answers; it becomes the funder of each line.
	Party string `json:"party"`
	// SchemeCodes are the codes that the party has in its own field: CBS code, care
	// office code, UZOVI. A record with another one is not this party's.
	SchemeCodes []string `json:"scheme_codes"`
	// URL of the system, https.
	URL string `json:"url"`
	// CA that signed the system's certificate, PEM.
	CA string `json:"ca_pem"`
	// Certificate of ours, PEM; its key is the secret tls_key.
	Certificate string `json:"cert_pem"`
	// Signer are the certificates with which a system signs its answers, PEM; several while
	// one follows another. "none": its answers are not signed, and TLS alone says who answers.
	Signer string `json:"signer_pem"`
	// Numbers says how the system writes numbers in text: "nl" (1.234,5; the default) or
	// "point" (1234.5). In JSON numbers the point is decimal, always.
	Numbers money.Style `json:"numbers"`
	// TokenURL and ClientID for OAuth2 client credentials; the secret is client_secret.
	TokenURL string `json:"token_url"`
	ClientID string `json:"client_id"`
}

// Needs says which ways of identifying itself a kind of system asks for.
type Needs struct {
	Certificate bool
	Token       bool
	Signer      bool // its answers are signed, unless the configuration says that they are not
	// Offered: whichever of a certificate, a token and the secret bearer_token the
	// configuration has, and one of them at least.
	Offered bool
}

// Source is one system, configured.
type Source struct {
	settings    Settings
	client      *http.Client
	certificate tls.Certificate
	signers     []*x509.Certificate // nil when its answers are not signed
	tokens      *tokens             // nil when it needs none
	bearer      adapters.Secret     // a token that does not end; zero when there is none
}

// New reads the shared configuration of an adapter.
func New(c adapters.Config, needs Needs) (*Source, error) {
	var s Settings
	if err := c.Decode(&s); err != nil {
		return nil, err
	}
	if s.Party == "" || len(s.Party) > 32 {
		return nil, refused("party", "een code van 1 tot 32 tekens", "a code of 1 to 32 characters is needed")
	}
	if err := secure("url", s.URL); err != nil {
		return nil, err
	}
	if !s.Numbers.Known() {
		return nil, refused("numbers", "nl of point", "nl or point")
	}
	if needs.Offered {
		needs.Certificate, needs.Token = needs.Certificate || s.Certificate != "", s.TokenURL != ""
		if !needs.Certificate && !needs.Token && c.Secret("bearer_token").IsZero() {
			return nil, refused("cert_pem", "een certificaat, token_url of bearer_token is nodig", "a certificate, token_url or bearer_token is needed")
		}
	}
	config, err := s.tls(c.Secret("tls_key"), needs)
	if err != nil {
		return nil, err
	}
	src := &Source{settings: s, client: client(config)}
	if len(config.Certificates) > 0 {
		src.certificate = config.Certificates[0]
	}
	if needs.Signer {
		if src.signers, err = s.signedBy(); err != nil {
			return nil, err
		}
	}
	if !needs.Token {
		if needs.Offered {
			src.bearer = c.Secret("bearer_token")
		}
		return src, nil
	}
	if err := secure("token_url", s.TokenURL); err != nil {
		return nil, err
	}
	if s.ClientID == "" || c.Secret("client_secret").IsZero() {
		return nil, refused("client_id", "client_id en client_secret zijn nodig", "client_id and client_secret are needed")
	}
	src.tokens = newTokens(src.client, clientcredentials.Config{
		ClientID: s.ClientID, ClientSecret: c.Secret("client_secret").Reveal(),
		TokenURL: s.TokenURL, AuthStyle: oauth2.AuthStyleInHeader,
	})
	return src, nil
}

// Party is the code for the funder of each line.
func (s *Source) Party() string { return s.settings.Party }

// Numbers is how the system writes numbers in text.
func (s *Source) Numbers() money.Style { return s.settings.Numbers }

// URL is the address of the system.
func (s *Source) URL() string { return s.settings.URL }

// Certificate is the one with which the client identifies itself, with its key; the zero
// one when it has none.
func (s *Source) Certificate() tls.Certificate { return s.certificate }

// Signers are the certificates one of which signs each answer; none: answers are not signed.
func (s *Source) Signers() []*x509.Certificate { return s.signers }

// Codes are those of the party in its own field.
func (s *Source) Codes() []string { return slices.Clone(s.settings.SchemeCodes) }

// Ours reports whether a record's funder code is one of the party's.
func (s *Source) Ours(code string) bool { return slices.Contains(s.settings.SchemeCodes, code) }

func refused(path, nl, en string) error { return &adapters.ConfigError{Path: path, NL: nl, EN: en} }

func secure(path, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return refused(path, "een https-adres nodig, zonder vraagdeel", "an https address without a query is needed")
	}
	return nil
}

// tls trusts the configured authority alone, and nothing below TLS 1.2 (NCSC
// guidelines for TLS).
func (s Settings) tls(key adapters.Secret, needs Needs) (*tls.Config, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(s.CA)) {
		return nil, refused("ca_pem", "geen certificaat in PEM", "no certificate in PEM")
	}
	config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if s.Certificate == "" && !needs.Certificate {
		return config, nil
	}
	pair, err := tls.X509KeyPair([]byte(s.Certificate), []byte(key.Reveal()))
	if err != nil {
		return nil, refused("cert_pem", "certificaat en sleutel passen niet", "certificate and key do not fit")
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// signedBy reads the certificates that sign answers. One of an authority is refused: it
// vouches for others, and signs no answers.
func (s Settings) signedBy() (all []*x509.Certificate, err error) {
	if s.Signer == "none" {
		return nil, nil
	}
	bad := refused("signer_pem", "certificaten in PEM van wie de antwoorden tekent, of none", "certificates in PEM of who signs the answers, or none")
	for block, rest := pem.Decode([]byte(s.Signer)); block != nil; block, rest = pem.Decode(rest) {
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil || one.IsCA || block.Type != "CERTIFICATE" {
			return nil, bad
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, bad
	}
	return all, nil
}

func client(config *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // egress is the gateway's to arrange, not the environment's
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:        config,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: sameHost,
	}
}

// sameHost keeps a request, which holds a BSN, from being sent elsewhere.
func sameHost(next *http.Request, via []*http.Request) error {
	if len(via) > 3 || next.URL.Scheme != "https" || next.URL.Host != via[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}
