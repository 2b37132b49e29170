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
	certificates "github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
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

// A permit is bound to the certificate itself, and to whose it is.
func TestAPermitOnEachWordingOfASubject(t *testing.T) {
	r := newRig(t)
	pins := r.pins(time.Time{})
	pins[town][0].Kinds = append(pins[town][0].Kinds, signed.Permit)
	keys, err := signed.NewVerifier(pins)
	require.NoError(t, err)
	source := token.Checker{Keys: keys, Audience: string(vendor), Now: func() time.Time { return now }}
	for name, leaf := range map[string]*x509.Certificate{
		"serialNumber":           subjectOf(t, town),
		"both":                   subjectOf(t, town, "OI:NL-"+string(town)),
		"organizationIdentifier": subjectOf(t, "", "OI:NL-"+string(town)),
	} {
		permit, err := r.sign.Compact(signed.Permit, token.PermitClaims{
			Audience: vendor, Issuer: town, IssuedAt: now.Unix(), Expires: now.Unix() + 10, ID: "0192a2f0-7a3b-7c4d-8e5f-0123456789ab",
			Case: "case", Role: "consulent", Assurance: "substantieel", Purpose: purpose, Request: "r", Consent: "c", Confirmation: token.Confirmation{X5T: token.Thumbprint(leaf)},
		})
		require.NoError(t, err)
		ask := func(shown *x509.Certificate) error {
			issuer, err := certificates.Peer(shown)
			if err != nil {
				return err
			}
			_, _, err = source.Permit(token.PermitCall{Permit: string(permit), Leaf: shown, Issuer: issuer, Purpose: purpose, Request: "r", Consent: "c"})
			return err
		}
		require.NoError(t, ask(leaf), name)
		require.ErrorIs(t, ask(subjectOf(t, town, "OI:NL-"+string(town))), token.ErrBinding, "%s: another certificate of the same", name)
		require.ErrorIs(t, ask(subjectOf(t, "", "OI:NL-"+string(vendor))), token.ErrBinding, name)
		require.ErrorIs(t, ask(subjectOf(t, town, "OI:NL-"+string(vendor))), certificates.ErrIdentity, name)
	}
}
