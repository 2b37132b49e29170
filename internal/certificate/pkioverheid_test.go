package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// RSA keys take long to make: one of each size for all tests, leaves and authorities alike.
var (
	rsa2048 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	rsa3072 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 3072) })
	rsa4096 = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 4096) })
)

func made(t testing.TB, key func() (*rsa.PrivateKey, error)) *rsa.PrivateKey {
	k, err := key()
	require.NoError(t, err)
	return k
}

func ecKey(t testing.TB, curve elliptic.Curve) crypto.Signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func signedBy(a x509.SignatureAlgorithm) edit {
	return func(c *x509.Certificate) { c.SignatureAlgorithm = a }
}

// pkio is a chain in the manner of PKIoverheid: root, domain authority, authority of the
// provider.
type pkio struct {
	root, domain, provider issued
	alg                    x509.SignatureAlgorithm
}

// firstGeneration is in the manner of the private root G1: RSA with PKCS #1 v1.5 signatures.
func firstGeneration(t testing.TB) pkio {
	return generation(t, "G1", x509.SHA256WithRSA, x509.SHA256WithRSA)
}

// fourthGeneration is in the manner of G4: RSASSA-PSS from the root on.
func fourthGeneration(t testing.TB) pkio {
	return generation(t, "G4", x509.SHA512WithRSAPSS, x509.SHA384WithRSAPSS)
}

func generation(t testing.TB, name string, above, below x509.SignatureAlgorithm) pkio {
	key := made(t, rsa4096)
	revokes := func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }
	p := pkio{alg: below}
	p.root = issue(t, authority("Root CA - "+name), nil, key, []edit{revokes, signedBy(above)})
	p.domain = issue(t, authority("Private Services CA - "+name), &p.root, made(t, rsa3072), []edit{revokes, signedBy(above)})
	p.domain.above = asPEM(p.domain.cert)
	p.provider = issue(t, authority("Provider Private Services CA - "+name), &p.domain, key, []edit{revokes, signedBy(below)})
	p.provider.above = append(asPEM(p.provider.cert), p.domain.above...)
	return p
}

// of makes a leaf of an organisation, as its generation words a subject.
func (p pkio) of(t testing.TB, key crypto.Signer, oin identity.OIN, edits ...edit) issued {
	subject := func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"NL"}, Organization: []string{"Gemeente Meerstad"}, CommonName: "localhost", SerialNumber: string(oin)}
		if p.alg == x509.SHA256WithRSA {
			c.Subject.OrganizationalUnit = []string{"Sociaal domein"}
			return
		}
		c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: "OI:NL-" + string(oin)}}
	}
	return p.provider.leafWith(t, key, oin, append([]edit{subject, signedBy(p.alg)}, edits...)...)
}

// Organisations whose certificates are of the generations that are in use side by side meet
// over TLS 1.3, each way, and know each other by their OIN.
func TestGenerationsOfPKIoverheid(t *testing.T) {
	first, fourth := firstGeneration(t), fourthGeneration(t)
	require.Equal(t, x509.SHA512WithRSAPSS, fourth.root.cert.SignatureAlgorithm)
	require.Equal(t, x509.SHA384WithRSAPSS, fourth.provider.cert.SignatureAlgorithm)
	leaves := map[string]func(oin identity.OIN) issued{
		"G1, RSA of 2048 bits": func(oin identity.OIN) issued { return first.of(t, made(t, rsa2048), oin) },
		"G1, RSA of 4096 bits": func(oin identity.OIN) issued { return first.of(t, made(t, rsa4096), oin) },
		"G4, RSA of 3072 bits": func(oin identity.OIN) issued { return fourth.of(t, made(t, rsa3072), oin) },
		"G4, RSA of 4096 bits": func(oin identity.OIN) issued { return fourth.of(t, made(t, rsa4096), oin) },
		"G4, P-256":            func(oin identity.OIN) issued { return fourth.of(t, ecKey(t, elliptic.P256()), oin) },
		"G4, P-384":            func(oin identity.OIN) issued { return fourth.of(t, ecKey(t, elliptic.P384()), oin) },
		"G4, as its test certificates are": func(oin identity.OIN) issued {
			return fourth.of(t, made(t, rsa3072), oin, func(c *x509.Certificate) {
				c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: organizationIdentifier, Value: "NTRNL-99999991"}}
				c.KeyUsage |= x509.KeyUsageKeyEncipherment
			})
		},
	}
	holders := map[string]*Holder{}
	for name, leaf := range leaves {
		h, err := Open(newFiles(t, leaf(ours), first.root, fourth.root), ours, Rules{})
		require.NoError(t, err, name)
		holders[name] = h
	}
	for name, h := range holders {
		for other, leaf := range leaves {
			peer, err := Open(newFiles(t, leaf(theirs), first.root, fourth.root), theirs, Rules{})
			require.NoError(t, err, other)
			state, atServer, atClient := handshake(t, h.Server(), peer.Client("localhost"))
			require.NoError(t, atServer, "%s at %s", other, name)
			require.NoError(t, atClient, "%s at %s", other, name)
			require.Equal(t, uint16(tls.VersionTLS13), state.Version)
			oin, err := Peer(state.PeerCertificates[0])
			require.NoError(t, err)
			require.Equal(t, ours, oin)
			require.NoError(t, h.Check(leaf(theirs).chain(t), time.Now()))
		}
	}
	alone := open(t, newFiles(t, first.of(t, made(t, rsa2048), ours), first.root))
	_, atServer, atClient := handshake(t, alone.Server(), holders["G4, P-256"].Client("localhost"))
	require.Error(t, atServer, "who does not believe the new root yet")
	require.Error(t, atClient)
	_, _, atClient = handshake(t, holders["G4, P-256"].Server(), alone.Client("localhost"))
	require.ErrorIs(t, atClient, ErrUnknownAuthority)
}

// A certificate that names two organisations is of neither, also when each is well formed.
func TestAnOrganisationThatContradictsItself(t *testing.T) {
	p := fourthGeneration(t)
	two := p.of(t, newKey(t), ours, func(c *x509.Certificate) { c.Subject.SerialNumber = string(theirs) })
	for _, own := range []identity.OIN{ours, theirs} {
		_, err := Open(newFiles(t, two, p.root), own, Rules{})
		require.ErrorIs(t, err, ErrIdentity)
	}
	_, err := Peer(two.cert)
	require.ErrorIs(t, err, ErrIdentity)
}
