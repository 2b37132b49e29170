package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

const (
	ours   identity.OIN = "00000099000000119000"
	theirs identity.OIN = "00000099000000193000"
)

// issued is a certificate with its key, and what comes after it in a file.
type issued struct {
	cert  *x509.Certificate
	key   crypto.Signer
	above []byte // PEM of the intermediates
}

type edit func(*x509.Certificate)

func newKey(t testing.TB) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// root makes an authority that signs itself.
func root(t testing.TB, name string, edits ...edit) issued {
	return issue(t, authority(name), nil, newKey(t), edits)
}

// under makes an intermediate authority.
func (a issued) under(t testing.TB, name string, edits ...edit) issued {
	made := issue(t, authority(name), &a, newKey(t), edits)
	made.above = append(asPEM(made.cert), a.above...)
	return made
}

// leaf makes a certificate for both uses on loopback.
func (a issued) leaf(t testing.TB, oin identity.OIN, edits ...edit) issued {
	return a.leafWith(t, newKey(t), oin, edits...)
}

func (a issued) leafWith(t testing.TB, key crypto.Signer, oin identity.OIN, edits ...edit) issued {
	made := issue(t, x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost", SerialNumber: string(oin), Organization: []string{"Gemeente Meerstad"}},
		NotBefore:   time.Now().Add(-time.Hour),
		NotAfter:    time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, &a, key, edits)
	made.above = a.above
	return made
}

func authority(name string) x509.Certificate {
	return x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
}

func issue(t testing.TB, template x509.Certificate, by *issued, key crypto.Signer, edits []edit) issued {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template.SerialNumber, template.PublicKey = serial, nil
	for _, e := range edits {
		e(&template)
	}
	if by == nil {
		by = &issued{cert: &template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.cert, key.Public(), by.key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return issued{cert: cert, key: key}
}

func asPEM(certs ...*x509.Certificate) (all []byte) {
	for _, c := range certs {
		all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return all
}

func (i issued) chainPEM() []byte { return slices.Concat(asPEM(i.cert), i.above) }

func (i issued) keyPEM(t testing.TB) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (i issued) tls(t testing.TB) tls.Certificate {
	pair, err := tls.X509KeyPair(i.chainPEM(), i.keyPEM(t))
	require.NoError(t, err)
	return pair
}

func (i issued) chain(t testing.TB) []*x509.Certificate {
	all, err := certificates(i.chainPEM(), maxAuthorities)
	require.NoError(t, err)
	return all
}

// newFiles makes files of a leaf and the authorities.
func newFiles(t testing.TB, leaf issued, cas ...issued) Files {
	dir := t.TempDir()
	f := Files{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "ca.pem")}
	f.show(t, leaf)
	f.believe(t, cas...)
	return f
}

func (f Files) show(t testing.TB, leaf issued) {
	replace(t, f.Certificate, leaf.chainPEM())
	replace(t, f.Key, leaf.keyPEM(t))
}

func (f Files) believe(t testing.TB, cas ...issued) {
	var all []byte
	for _, a := range cas {
		all = append(all, asPEM(a.cert)...)
	}
	replace(t, f.CA, all)
}

// replace renames a whole file over an old one, as the package asks for.
func replace(t testing.TB, path string, data []byte) {
	require.NoError(t, os.WriteFile(path+".new", data, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func open(t testing.TB, f Files) *Holder {
	h, err := Open(f, "", Rules{})
	require.NoError(t, err)
	return h
}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
}

func notYet(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }

func serverOnly(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
func clientOnly(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }

func onlyFor(domain string) edit {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{domain}, true
	}
}
