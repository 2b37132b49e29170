package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// issued is a certificate with its key, and those above it that are shown with it.
type issued struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	above [][]byte
}

// issue makes a certificate, under itself when by is nil.
func issue(t *testing.T, by *issued, template x509.Certificate) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	require.NoError(t, err)
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	made := issued{key: key}
	if by == nil {
		by = &issued{cert: &template, key: key}
	} else if by.cert.CheckSignatureFrom(by.cert) != nil { // an authority that is not a root is shown too
		made.above = append([][]byte{by.cert.Raw}, by.above...)
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.cert, key.Public(), by.key)
	require.NoError(t, err)
	made.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return made
}

func (i issued) tls() tls.Certificate {
	return tls.Certificate{Certificate: append([][]byte{i.cert.Raw}, i.above...), PrivateKey: i.key, Leaf: i.cert}
}

func issuing(name string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
}

// leafOf is a template with these numbers of an organisation.
func leafOf(numbers ...identity.OIN) x509.Certificate {
	leaf := x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, DNSNames: []string{"localhost"}}
	leaf.Subject.CommonName = "localhost"
	for _, n := range numbers {
		leaf.Subject.ExtraNames = append(leaf.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 5}, Value: string(n)})
	}
	return leaf
}

// alsoIn adds an organizationIdentifier, as PKIoverheid G4 has.
func alsoIn(text string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: text})
	}
}

func with(c x509.Certificate, change func(*x509.Certificate)) x509.Certificate {
	change(&c)
	return c
}

func longPast(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Minute)
}

// besiegeTrusting starts a gateway that believes one authority more.
func besiegeTrusting(t *testing.T, root issued) *siege {
	t.Helper()
	f := open(t, "meppel")
	h := play(t, f, options{without: true, change: func(conf *config.Gateway) {
		more := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw})
		require.NoError(t, os.WriteFile(conf.Path(conf.TLS.CA), append(f.CAPEM, more...), 0o600))
	}})
	return &siege{house: h}
}

// knock asks and delivers over a connection with a certificate. The token is honest and
// bound to it.
func (s *siege) knock(t *testing.T, shown tls.Certificate, header ...string) (asked, delivered error) {
	t.Helper()
	f := s.family
	conn, err := grpc.NewClient(s.server.Addr.String(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: f.CA, Certificates: []tls.Certificate{shown}})))
	require.NoError(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	token, err := family.MintToken(f.Requester().Token, shown.Leaf, f.CaseCommitment, f.Case.Purpose, time.Now(), nil)
	require.NoError(t, err)
	ctx = metadata.AppendToOutgoingContext(ctx, append(header, "authorization", "Bearer "+token)...)
	stream, err := ontschotv1.NewExchangeServiceClient(conn).AssembleBudget(ctx, requestOf(f.Case))
	for asked = err; asked == nil; {
		var event *ontschotv1.AssembleBudgetResponse
		if event, asked = stream.Recv(); event.GetBudget() != nil {
			break
		}
	}
	proposal, err := f.Agreement("UWV", nil, f.Parties["UWV"].Sign)
	require.NoError(t, err)
	_, delivered = ontschotv1.NewPeerServiceClient(conn).Deliver(ctx, &ontschotv1.DeliverRequest{Document: proposal})
	return asked, delivered
}

// Certificates that do not hold end in the handshake; those that hold and are of
// another than they must be, at the door. Neither is in the audit log.
func TestCertificatesAtTheFrontDoor(t *testing.T) {
	root, elsewhere := issue(t, nil, issuing("root")), issue(t, nil, issuing("elsewhere"))
	s := besiegeTrusting(t, root)
	own, uwv := s.family.Requester().OIN, s.family.Parties["UWV"].OIN
	between := issue(t, &root, issuing("between"))
	expired := issue(t, &root, with(issuing("between"), longPast))
	later := func(c *x509.Certificate) {
		c.NotBefore = time.Now().Add(time.Hour)
		c.NotAfter = time.Now().Add(2 * time.Hour)
	}
	alone := issue(t, &between, leafOf(own))
	alone.above = nil

	asked, delivered := s.knock(t, issue(t, &between, leafOf(own)).tls())
	require.NoError(t, asked, "a chain that holds")
	require.Equal(t, codes.Unauthenticated, status.Code(delivered), "from itself")
	_, delivered = s.knock(t, issue(t, &between, leafOf(uwv)).tls())
	require.NoError(t, delivered)
	// The same of G4: the OIN in both places, or in the new one alone.
	asked, _ = s.knock(t, issue(t, &between, with(leafOf(own), alsoIn("OI:NL-"+string(own)))).tls())
	require.NoError(t, asked)
	asked, _ = s.knock(t, issue(t, &between, with(leafOf(), alsoIn("OI:NL-"+string(own)))).tls())
	require.NoError(t, asked)
	_, delivered = s.knock(t, issue(t, &between, with(leafOf(), alsoIn("OI:NL-"+string(uwv)))).tls())
	require.NoError(t, delivered)
	before := s.entries()

	for name, leaf := range map[string]issued{
		"an intermediate that expired": issue(t, &expired, leafOf(own)),
		"an intermediate to come":      issue(t, ptr(issue(t, &root, with(issuing("between"), later))), leafOf(own)),
		"an intermediate left out":     alone,
		"an intermediate that is none": issue(t, ptr(issue(t, &root, leafOf(uwv))), leafOf(own)),
		"a leaf that expired":          issue(t, &between, with(leafOf(own), longPast)),
		"a leaf to come":               issue(t, &between, with(leafOf(own), later)),
		"self-signed":                  issue(t, nil, leafOf(own)),
		"of another authority":         issue(t, &elsewhere, leafOf(own)),
		"for servers only":             issue(t, &between, with(leafOf(own), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })),
		"an authority itself":          issue(t, &between, with(leafOf(own), func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })),
	} {
		asked, delivered := s.knock(t, leaf.tls())
		require.Equal(t, codes.Unavailable, status.Code(asked), "%s: %v", name, asked)
		require.Equal(t, codes.Unavailable, status.Code(delivered), "%s: %v", name, delivered)
	}
	for name, leaf := range map[string]x509.Certificate{
		"no OIN":                 leafOf(),
		"OIN of nobody":          leafOf("00000099000000999000"),
		"nineteen digits":        leafOf(own[:19]),
		"OIN and a space":        leafOf(own + " "),
		"OIN in the name alone":  with(leafOf(), func(c *x509.Certificate) { c.Subject.CommonName = string(own) }),
		"two OINs, ours last":    leafOf(uwv, own),
		"another beside ours":    with(leafOf(own), alsoIn("OI:NL-"+string(uwv))),
		"ours beside another":    with(leafOf(uwv), alsoIn("OI:NL-"+string(own))),
		"ours of another scheme": with(leafOf(), alsoIn("NTRNL-"+string(own))),
		"two OINs, ours first":   leafOf(own, uwv),
	} {
		asked, delivered := s.knock(t, issue(t, &between, leaf).tls())
		_, why, _ := reason(t, asked)
		require.Equal(t, "TOKEN_NOT_BOUND", why, name)
		_, why, _ = reason(t, delivered)
		require.Equal(t, "UNKNOWN_PEER", why, name)
	}
	// What a proxy says of a certificate counts for nothing.
	asked, _ = s.knock(t, issue(t, &between, leafOf("00000099000000999000")).tls(),
		"x-forwarded-client-cert", "Subject=serialNumber="+string(own), "x-ssl-client-serial", string(own), "ssl-client-subject-dn", "serialNumber="+string(own))
	_, why, _ := reason(t, asked)
	require.Equal(t, "TOKEN_NOT_BOUND", why)
	// Of two tokens one would have to be chosen.
	asked, _ = s.knock(t, issue(t, &between, leafOf(own)).tls(), "authorization", "Bearer x")
	_, why, _ = reason(t, asked)
	require.Equal(t, "TOKEN_MISSING", why)
	require.Equal(t, before, s.entries())
	require.NotContains(t, s.stderr.String(), "panic")
}

func ptr(i issued) *issued { return &i }
