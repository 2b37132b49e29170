package sandbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"math/big"
	"net/http"
	"strings"
	"time"

	"crypto"
)

const (
	wsseSpace = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	wsuSpace  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	dsSpace   = "http://www.w3.org/2000/09/xmldsig#"
)

// mostAge is how old a signed request may be.
const mostAge = 5 * time.Minute

// security is the Security header of a request, as far as it is read.
type security struct {
	Token   string    `xml:"Header>Security>BinarySecurityToken"`
	Created time.Time `xml:"Header>Security>Timestamp>Created"`
	Signed  []struct {
		URI    string `xml:"URI,attr"`
		Digest string `xml:"DigestValue"`
	} `xml:"Header>Security>Signature>SignedInfo>Reference"`
	Value string `xml:"Header>Security>Signature>SignatureValue"`
}

// signed reports whether the headers of WS-Addressing, the time and the body are signed
// with a certificate of ours, and lately. It canonicalises nothing: it takes elements that
// are written in the form that exclusive canonicalisation gives them, and no others.
func (h *host) signed(r *http.Request, body []byte) bool {
	var s security
	if xml.Unmarshal(body, &s) != nil || h.tokens.now().Sub(s.Created).Abs() > mostAge {
		return false
	}
	der, err := base64.StdEncoding.DecodeString(s.Token)
	if err != nil {
		return false
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil || len(r.TLS.PeerCertificates) == 0 || !certificate.Equal(r.TLS.PeerCertificates[0]) {
		return false // that of the connection was verified
	}
	elements, wanted := elementsOf(body)
	for _, one := range s.Signed {
		id := strings.TrimPrefix(one.URI, "#")
		digest := sha256.Sum256(elements[id].raw)
		if base64.StdEncoding.EncodeToString(digest[:]) != one.Digest {
			return false
		}
		delete(wanted, elements[id].name)
	}
	value, err := base64.StdEncoding.DecodeString(s.Value)
	return err == nil && len(wanted) == 0 && verify(certificate.PublicKey, elements[signedInfo].raw, value)
}

// signedInfo stands for the element that the signature itself is over.
const signedInfo = " SignedInfo"

type signedElement struct {
	name xml.Name
	raw  []byte
}

// elementsOf gives the elements that have an id, as they stand, and the names of those that
// have to be signed: what is in the header but the Security header itself, the time, and
// the body.
func elementsOf(body []byte) (map[string]signedElement, map[xml.Name]bool) {
	elements, wanted := map[string]signedElement{}, map[xml.Name]bool{}
	d := xml.NewDecoder(bytes.NewReader(body))
	type open struct {
		id    string
		name  xml.Name
		start int64
	}
	var stack []open
	for {
		start := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return elements, wanted
		}
		switch t := t.(type) {
		case xml.StartElement:
			one := open{name: t.Name, start: start}
			for _, a := range t.Attr {
				if a.Name == (xml.Name{Space: wsuSpace, Local: "Id"}) {
					one.id = a.Value
				}
			}
			if t.Name == (xml.Name{Space: dsSpace, Local: "SignedInfo"}) {
				one.id = signedInfo
			}
			inHeader := len(stack) == 2 && stack[1].name.Local == "Header" && t.Name.Local != "Security"
			if inHeader || t.Name.Local == "Body" && len(stack) == 1 || t.Name.Local == "Timestamp" {
				wanted[t.Name] = true
			}
			stack = append(stack, one)
		case xml.EndElement:
			one := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if one.id != "" {
				elements[one.id] = signedElement{one.name, body[one.start:d.InputOffset()]}
			}
		}
	}
}

func verify(public any, text, value []byte) bool {
	digest := sha256.Sum256(text)
	switch key := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], value) == nil
	case *ecdsa.PublicKey:
		half := len(value) / 2
		return half > 0 && ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:]))
	}
	return false
}
