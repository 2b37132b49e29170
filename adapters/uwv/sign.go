package uwv

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"time"

	"github.com/ontschot/ontschot/adapters"
)

// Algorithms: exclusive canonicalisation and SHA-2, as the service descriptions of SuwiML
// ask.
const (
	exclusive   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	digestWith  = "http://www.w3.org/2001/04/xmlenc#sha256"
	rsaSHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ecdsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	tokenType   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	base64Text  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)

// canonical escapes text as canonical XML does.
func canonical() *strings.Replacer {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
}

// secure gives the Security header (WS-Security 1.0): the certificate as a binary token,
// the time, and a signature over the time and over each part. That the certificate is the
// one of the connection is assumed. What UWV signs of its answers is not checked: TLS says
// who answers.
func secure(with tls.Certificate, now time.Time, parts []part) (string, error) {
	key, ok := with.PrivateKey.(crypto.Signer)
	if !ok || len(with.Certificate) == 0 {
		return "", adapters.Bug() // the adapter asks for a certificate
	}
	stamp := part{"wsu:Timestamp", "time", `xmlns:wsu="` + wsuSpace + `"`,
		"<wsu:Created>" + now.UTC().Format("2006-01-02T15:04:05.000Z") + "</wsu:Created>"}
	method := ecdsaSHA256
	if _, is := key.Public().(*rsa.PublicKey); is {
		method = rsaSHA256
	}
	info := `<ds:SignedInfo xmlns:ds="` + dsSpace + `">` + empty("CanonicalizationMethod", exclusive) + empty("SignatureMethod", method)
	for _, p := range append(parts, stamp) {
		digest := sha256.Sum256([]byte(p.String()))
		info += `<ds:Reference URI="#` + p.id + `"><ds:Transforms>` + empty("Transform", exclusive) + `</ds:Transforms>` +
			empty("DigestMethod", digestWith) + `<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference>`
	}
	info += `</ds:SignedInfo>`
	value, err := sign(key, info)
	if err != nil {
		return "", adapters.Bug()
	}
	return `<wsse:Security xmlns:wsse="` + wsseSpace + `" soap:mustUnderstand="1">` +
		`<wsse:BinarySecurityToken xmlns:wsu="` + wsuSpace + `" EncodingType="` + base64Text + `" ValueType="` + tokenType + `" wsu:Id="token">` +
		base64.StdEncoding.EncodeToString(with.Certificate[0]) + `</wsse:BinarySecurityToken>` + stamp.String() +
		`<ds:Signature xmlns:ds="` + dsSpace + `">` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue>` +
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
