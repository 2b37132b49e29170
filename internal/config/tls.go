package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
)

// What may become of a certificate without a revocation list in date.
const (
	crlRefuse = "refuse"
	crlAccept = "accept"
)

// mostRSABits is the largest key with which a handshake can be made (crypto/tls).
const mostRSABits = 8192

func (t TLS) check() []string {
	all := broken(
		rule{t.MinRSABits != 0 && (t.MinRSABits < certificate.LeastRSABits || t.MinRSABits > mostRSABits),
			fmt.Sprintf("tls.min_rsa_bits is a number of bits from %d to %d", certificate.LeastRSABits, mostRSABits)},
		rule{t.CRLAfterNextUpdate != "" && t.CRLAfterNextUpdate != crlRefuse && t.CRLAfterNextUpdate != crlAccept,
			fmt.Sprintf("tls.crl_after_next_update is %s or %s", crlRefuse, crlAccept)},
		rule{t.CRLAfterNextUpdate != "" && len(t.CRLs) == 0, "tls.crl_after_next_update says nothing without tls.crls"},
	)
	for i, list := range t.CRLs {
		all = append(all, broken(rule{list == "" || strings.Contains(list, "://") && !isURL(list, true), fmt.Sprintf("tls.crls[%d] is a file, or an http or https URL", i)})...)
	}
	return all
}

// Open reads what the section names; relative paths go through path, and the section has the
// last word in the rules.
func (t TLS) Open(path func(string) string, own identity.OIN, rules certificate.Rules) (*certificate.Holder, error) {
	rules.MinRSABits, rules.AcceptOld = t.MinRSABits, t.CRLAfterNextUpdate == crlAccept
	for _, list := range t.CRLs {
		if !strings.Contains(list, "://") {
			list = path(list)
		}
		rules.Lists = append(rules.Lists, list)
	}
	h, err := certificate.Open(certificate.Files{Certificate: path(t.Certificate), Key: path(t.Key), CA: path(t.CA)}, own, rules)
	if err != nil {
		return nil, fmt.Errorf("%w: tls: %w", ErrConfig, err)
	}
	return h, nil
}

// Load reads certificate, key and authorities.
func (t TLS) Load(path func(string) string) (tls.Certificate, *x509.CertPool, error) {
	pair, err := tls.LoadX509KeyPair(path(t.Certificate), path(t.Key))
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("%w: %s and %s: %w", ErrConfig, t.Certificate, t.Key, err)
	}
	raw, err := ReadFile(path(t.CA))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return tls.Certificate{}, nil, fmt.Errorf("%w: %s: no certificate in it", ErrConfig, t.CA)
	}
	return pair, pool, nil
}
