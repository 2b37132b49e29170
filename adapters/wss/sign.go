// Package wss answers: who signed this SOAP message, and what of it? It signs messages of
// SOAP 1.1 and opens signed ones, as the service descriptions of SuwiML ask of both sides
// (WS-Security 1.0 with an X.509 token; XML Signature with exclusive canonicalisation and
// SHA-2; every header, the time and the body are signed).
package wss

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ontschot/ontschot/adapters"
)

// Namespaces, and the algorithms that are used.
const (
	SOAP      = "http://schemas.xmlsoap.org/soap/envelope/"
	WSA       = "http://www.w3.org/2005/08/addressing"
	wsu       = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	Extension = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	xmlds     = "http://www.w3.org/2000/09/xmldsig#"

	exclusive   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	sha256URI   = "http://www.w3.org/2001/04/xmlenc#sha256"
	rsaSHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ecdsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	tokenType   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	base64Text  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

// Part is an element that is signed. It is written in the form that exclusive
// canonicalisation gives it, so that its bytes are what its digest is of: it declares the
// namespaces that it uses itself, in the order of their prefixes.
type Part struct{ name, id, spaces, inner string }

// String is the element as it is signed and sent.
func (p Part) String() string {
	return "<" + p.name + " " + p.spaces + ` wsu:Id="` + p.id + `">` + p.inner + "</" + p.name + ">"
}

// Holding gives the part with canonical XML in it.
func (p Part) Holding(inner string) Part {
	p.inner = inner
	return p
}

// Header is a header of WS-Addressing with a text.
func Header(name, id, text string) Part {
	return Part{"wsa:" + name, id, `xmlns:wsa="` + WSA + `" xmlns:wsu="` + wsu + `"`, canonical().Replace(text)}
}

// Sign gives a message whole: the headers, what is in the body (XML that declares the
// namespaces it uses), and a signature over each of them, with the certificate as a token.
// It is an error when the certificate has no key, or what is in the body is no XML.
func Sign(with tls.Certificate, now time.Time, headers []Part, inner string) ([]byte, error) {
	body := etree.NewDocument()
	err := body.ReadFromString(Part{"soap:Body", "body", `xmlns:soap="` + SOAP + `" xmlns:wsu="` + wsu + `"`, inner}.String())
	if err != nil {
		return nil, err
	}
	text, err := canonicalOf(body.Root(), "")
	if err != nil {
		return nil, err
	}
	signed := map[string]string{"body": string(text)}
	envelope := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soap:Envelope xmlns:soap="` + SOAP + `"><soap:Header>`
	for _, p := range headers {
		signed[p.id] = p.String()
		envelope += p.String()
	}
	security, err := secure(with, now, signed)
	if err != nil {
		return nil, err
	}
	return []byte(envelope + security + `</soap:Header>` + string(text) + `</soap:Envelope>`), nil
}

// canonical escapes text as canonical XML does.
func canonical() *strings.Replacer {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
}

// secure gives the Security header (WS-Security 1.0): the certificate as a binary token,
// the time, and a signature over the time and over what is
// signed, in canonical form by id.
func secure(with tls.Certificate, now time.Time, signed map[string]string) (string, error) {
	key, ok := with.PrivateKey.(crypto.Signer)
	if !ok || len(with.Certificate) == 0 {
		return "", adapters.Bug()
	}
	stamp := Part{"wsu:Timestamp", "time", `xmlns:wsu="` + wsu + `"`,
		"<wsu:Created>" + now.UTC().Format("2006-01-02T15:04:05.000Z") + "</wsu:Created>"}
	method := ecdsaSHA256
	if _, is := key.Public().(*rsa.PublicKey); is {
		method = rsaSHA256
	}
	info := `<ds:SignedInfo xmlns:ds="` + xmlds + `">` + empty("CanonicalizationMethod", exclusive) + empty("SignatureMethod", method)
	signed[stamp.id] = stamp.String()
	for _, id := range slices.Sorted(maps.Keys(signed)) {
		digest := sha256.Sum256([]byte(signed[id]))
		info += `<ds:Reference URI="#` + id + `"><ds:Transforms>` + empty("Transform", exclusive) + `</ds:Transforms>` +
			empty("DigestMethod", sha256URI) + `<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference>`
	}
	info += `</ds:SignedInfo>`
	value, err := sign(key, info)
	if err != nil {
		return "", adapters.Bug()
	}
	return `<wsse:Security xmlns:wsse="` + Extension + `" soap:mustUnderstand="1">` +
		`<wsse:BinarySecurityToken xmlns:wsu="` + wsu + `" EncodingType="` + base64Text + `" ValueType="` + tokenType + `" wsu:Id="token">` +
		base64.StdEncoding.EncodeToString(with.Certificate[0]) + `</wsse:BinarySecurityToken>` + stamp.String() +
		`<ds:Signature xmlns:ds="` + xmlds + `">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue>` +
		`<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#token" ValueType="` + tokenType + `"></wsse:Reference>` +
		`</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>`, nil
}

func empty(name, algorithm string) string {
	return `<ds:` + name + ` Algorithm="` + algorithm + `"></ds:` + name + `>`
}

// sign gives the value of a signature: of RSA as in PKCS #1, of ECDSA both numbers one
// after the other (XML Signature 1.1, section 6.4.3).
func sign(key crypto.Signer, text string) ([]byte, error) {
	digest := sha256.Sum256([]byte(text))
	private, is := key.(*ecdsa.PrivateKey)
	if !is {
		return key.Sign(rand.Reader, digest[:], crypto.SHA256)
	}
	r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
	if err != nil {
		return nil, err
	}
	size := (private.Curve.Params().BitSize + 7) / 8
	value := make([]byte, 2*size)
	r.FillBytes(value[:size])
	s.FillBytes(value[size:])
	return value, nil
}
