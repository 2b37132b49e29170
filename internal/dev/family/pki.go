package family

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/ontschot/ontschot/internal/identity"
)

// authority is a certificate authority for development.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

// lifetime of everything made for development.
const lifetime = 90 * 24 * time.Hour

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Ontschot development CA", Organization: []string{"Ontschot development"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(lifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return sign(template, nil, key, key)
}

// sign makes a certificate of the template, by itself when parent is nil.
func sign(template *x509.Certificate, parent *x509.Certificate, public, by crypto.Signer) (*authority, error) {
	if parent == nil {
		parent = template
	}
	cert, err := signPublic(template, parent, public.Public(), by)
	if err != nil {
		return nil, err
	}
	return &authority{cert, public, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})}, nil
}

func signPublic(template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Leaf is a certificate with its key, as files hold them and as TLS wants them.
type Leaf struct {
	CertPEM, KeyPEM []byte
	TLS             tls.Certificate
}

// leaf makes a certificate for client and server use on loopback. The OIN is
// in Subject.serialNumber, the name in O.
func (a *authority) leaf(oin identity.OIN, name string, now time.Time) (Leaf, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Leaf{}, err
	}
	made, err := sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost", SerialNumber: string(oin), Organization: []string{name}},
		NotBefore:   now.Add(-time.Hour),
		NotAfter:    now.Add(lifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, a.cert, key, a.key)
	if err != nil {
		return Leaf{}, err
	}
	keyPEM, err := privatePEM(key)
	if err != nil {
		return Leaf{}, err
	}
	pair, err := tls.X509KeyPair(made.pem, keyPEM)
	return Leaf{made.pem, keyPEM, pair}, err
}

// SignRequest signs a certificate request, PEM, with the authority of a folder, and gives the
// certificate, PEM. When the folder has no authority one is made there: ca.pem, and ca.key. Every
// certificate is for servers and clients, whatever the request says. Fit for development only.
func SignRequest(dir string, request []byte, now time.Time) ([]byte, error) {
	ca, err := openAuthority(dir, now)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(request)
	if block == nil {
		return nil, errNoRequest
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || r.CheckSignature() != nil {
		return nil, errNoRequest
	}
	made, err := signPublic(&x509.Certificate{
		RawSubject: r.RawSubject, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames: r.DNSNames, IPAddresses: r.IPAddresses,
	}, ca.cert, r.PublicKey, ca.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Raw}), nil
}

var errNoRequest = errors.New("no certificate request (PEM) whose signature holds")

// openAuthority reads the authority of a folder, or makes one.
func openAuthority(dir string, now time.Time) (*authority, error) {
	keyPath, certPath := filepath.Join(dir, "ca.key"), filepath.Join(dir, "ca.pem")
	if _, err := os.Stat(keyPath); errors.Is(err, fs.ErrNotExist) {
		ca, err := newAuthority(now)
		if err != nil {
			return nil, err
		}
		raw, err := privatePEM(ca.key)
		if err != nil {
			return nil, err
		}
		w := &folder{dir: dir}
		w.put("ca.pem", ca.pem)
		w.put("ca.key", raw)
		return ca, w.err
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return nil, fmt.Errorf("the authority in %s: %w", dir, err)
	}
	return &authority{cert: pair.Leaf, key: pair.PrivateKey.(crypto.Signer)}, nil
}

func privatePEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func publicPEM(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
