package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
)

// subjectOf is a certificate of which the subject is worded by the caller.
func subjectOf(t testing.TB, serialNumber identity.OIN, identifiers ...string) *x509.Certificate {
	subject := pkix.Name{CommonName: "localhost", SerialNumber: string(serialNumber)}
	for _, v := range identifiers {
		subject.ExtraNames = append(subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: v})
	}
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return leaf
}

// A token is of the organisation of the certificate, wherever that has its OIN.
func TestATokenOnEachWordingOfASubject(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		leaf *x509.Certificate
		err  error
	}{
		"serialNumber":                    {subjectOf(t, town), nil},
		"both":                            {subjectOf(t, town, "OI:NL-"+string(town)), nil},
		"organizationIdentifier":          {subjectOf(t, "", "OI:NL-"+string(town)), nil},
		"serialNumber and trade register": {subjectOf(t, town, "NTRNL-27365323"), nil},
		"trade register alone":            {subjectOf(t, "", "NTRNL-27365323"), token.ErrBinding},
		"another in serialNumber":         {subjectOf(t, vendor, "OI:NL-"+string(town)), token.ErrBinding},
		"another in the identifier":       {subjectOf(t, town, "OI:NL-"+string(vendor)), token.ErrBinding},
		"another in both":                 {subjectOf(t, vendor, "OI:NL-"+string(vendor)), token.ErrBinding},
	} {
		r.leaf = c.leaf
		_, err := r.checker.Check(r.own(t, nil))
		require.ErrorIs(t, err, c.err, name)
	}
}
