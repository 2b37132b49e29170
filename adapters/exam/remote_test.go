package exam_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/exam"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

const (
	agencyOIN  = "00000099000005503000"
	gatewayOIN = "00000099000000119000"
)

// authority signs certificates of organisations.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	der, key := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	var err error
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	a.key = key
	return a
}

func (a *authority) sign(template *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := a.cert
	if by == nil {
		by, parent = key, template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	require.NoError(a.t, err)
	return der, key
}

// leaf is a certificate of an organisation, with its files.
func (a *authority) leaf(dir, oin string) tls.Certificate {
	der, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: oin, SerialNumber: oin}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.key)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}, "ca.pem": {Type: "CERTIFICATE", Bytes: a.cert.Raw},
	} {
		require.NoError(a.t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	require.NoError(a.t, err)
	return pair
}

// side is how a gateway reaches an adapter at an agency.
func (a *authority) side() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.leaf(a.t.TempDir(), gatewayOIN)}, RootCAs: pool, ServerName: "localhost"}
}

// at is what an adapter at an address is examined with.
func (a *authority) at(address string) exam.Config {
	c := config(a.t)
	return exam.Config{Address: address, TLS: a.side(), OIN: agencyOIN, Persons: c.Persons, Parallel: 32, Soak: 50}
}

// An adapter that an agency serves itself passes what can be seen of it, and nothing else is
// called passed.
func TestAnAdapterAtAnAddressPasses(t *testing.T) {
	t.Parallel()
	a, dir := newAuthority(t), t.TempDir()
	a.leaf(dir, agencyOIN)
	for name, text := range map[string]string{"token": token, "record_key": strings.Repeat("5a", 32)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	file, err := json.Marshal(map[string]any{ // YAML is a superset
		"config": map[string]any{"party": "GM0119", "url": source(t)}, "secrets": map[string]string{"token": "token", "record_key": "record_key"},
		"tls": map[string]string{"certificate": "cert.pem", "key": "key.pem", "ca": "ca.pem"}, "gateways": []string{gatewayOIN},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter.yaml"), file, 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	self, err := os.Executable()
	require.NoError(t, err)
	serving := exec.CommandContext(t.Context(), self, "kit", "serve", "-c", filepath.Join(dir, "adapter.yaml"), "--listen", address)
	serving.Stderr = os.Stderr
	require.NoError(t, serving.Start())
	t.Cleanup(func() { _ = serving.Wait() })
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	r := examined(t, a.at(address))
	require.Empty(t, r.Failures(true), printed(t, r))
	require.Empty(t, r.Failures(false), printed(t, r))
	passed := 0
	for _, one := range r.Results {
		if one.Group() == "config" || one.Group() == "operation" || one.Group() == "lifecycle" && one.ID != "lifecycle.handshake" && one.ID != "lifecycle.health" {
			require.Equal(t, exam.NotApplicable, one.Outcome, one.ID)
		}
		if one.Outcome == exam.Passed {
			passed++
		}
	}
	require.Greater(t, passed, 30)
}

// loose is an adapter at an address that lets itself be configured.
type loose struct{ *adapters.Service }

// Of what only an adapter at an address can have wrong, each fails its check.
func TestEachBrokenAdapterAtAnAddressFailsItsCheck(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"asks no certificate": "remote.mutual-tls", "is of another organisation": "remote.certificate", "is configured by anybody": "remote.configured-there",
	} {
		a := newAuthority(t)
		oin, auth := agencyOIN, tls.RequireAndVerifyClientCert
		switch name {
		case "asks no certificate":
			auth = tls.VerifyClientCertIfGiven
		case "is of another organisation":
			oin = gatewayOIN
		}
		pool := x509.NewCertPool()
		pool.AddCert(a.cert)
		server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.leaf(t.TempDir(), oin)}, ClientAuth: auth, ClientCAs: pool,
		})))
		s := adapters.NewService(&clerk{})
		conf := config(t)
		told, err := s.Configure(t.Context(), &adapterv1.ConfigureRequest{Config: conf.JSON, Secrets: conf.Secrets})
		require.NoError(t, err)
		require.Empty(t, told.GetFindings())
		var served adapterv1.AdapterServiceServer = shut{s}
		if name == "is configured by anybody" {
			served = loose{s}
		}
		adapterv1.RegisterAdapterServiceServer(server, served)
		healthv1.RegisterHealthServer(server, health.NewServer())
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { _ = server.Serve(l) }()
		r := examined(t, a.at(l.Addr().String()))
		require.Equal(t, []string{want}, r.Failures(true), "%s\n%s", name, printed(t, r))
		server.Stop()
	}
}

// shut is an adapter at an address that no gateway configures.
type shut struct{ *adapters.Service }

// Configure is refused.
func (shut) Configure(context.Context, *adapterv1.ConfigureRequest) (*adapterv1.ConfigureResponse, error) {
	return nil, errShut
}

// ValidateConfig is refused.
func (shut) ValidateConfig(context.Context, *adapterv1.ValidateConfigRequest) (*adapterv1.ValidateConfigResponse, error) {
	return nil, errShut
}

var errShut = adapters.NotAuthorised()
