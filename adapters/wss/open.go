package wss

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// mostAge is how much the clock of who signs may differ from ours, the way included.
const mostAge = 5 * time.Minute

// Open gives a message anew, of nothing but what one of the certificates signed: each header
// but Security itself, the time among them, and the body, in canonical form. Whoever reads
// that reads no element that was put beside a signed one. Refused as bad data is a message
// of which a part is not signed, or by somebody else, or more than five minutes from now.
func Open(raw []byte, signers []*x509.Certificate, now time.Time) ([]byte, error) {
	if _, err := native.XML(raw); err != nil { // bounded, without a document type
		return nil, err
	}
	document := etree.NewDocument()
	if document.ReadFromBytes(raw) != nil {
		return nil, adapters.BadData("/", "well-formed XML")
	}
	envelope := document.Root()
	header, body := only(envelope, SOAP, "Header"), only(envelope, SOAP, "Body")
	security := only(header, Extension, "Security")
	stamp, signature := only(security, wsu, "Timestamp"), only(security, xmlds, "Signature")
	info := only(signature, xmlds, "SignedInfo")
	value, err := base64.StdEncoding.DecodeString(words(only(signature, xmlds, "SignatureValue")))
	if err != nil || header == nil || body == nil || stamp == nil || info == nil || only(&document.Element, SOAP, "Envelope") != envelope || len(envelope.ChildElements()) != 2 {
		return nil, adapters.BadData("/Envelope/Header/Security", "one signature over a header and a body")
	}
	sealed, err := by(only(info, xmlds, "CanonicalizationMethod"), info)
	if err != nil || !slices.ContainsFunc(signers, func(c *x509.Certificate) bool {
		return !now.Before(c.NotBefore) && !now.After(c.NotAfter) && signedBy(c, only(info, xmlds, "SignatureMethod"), sealed, value)
	}) {
		return nil, adapters.BadData("/Envelope/Header/Security/Signature", "the signature of a configured certificate")
	}
	parts := []*etree.Element{stamp}
	for _, one := range header.ChildElements() {
		if one != security {
			parts = append(parts, one)
		}
	}
	whole := []byte("<Envelope><Header>")
	for _, part := range append(parts, body) {
		text, err := covered(document, info, part)
		if err != nil {
			return nil, err
		}
		if part == body {
			whole = append(whole, "</Header>"...)
		}
		whole = append(whole, text...)
	}
	return lately(append(whole, "</Envelope>"...), now)
}

// lately gives the message when its signed time is one of now.
func lately(whole []byte, now time.Time) ([]byte, error) {
	n, err := native.XML(whole)
	if err != nil {
		return nil, err
	}
	at := n.Get("Header/Timestamp")
	created, err := time.Parse(time.RFC3339, at.Text("Created"))
	if err != nil || now.Sub(created).Abs() > mostAge {
		return nil, adapters.BadData("/Envelope/Header/Security/Timestamp/Created", "a time of now")
	}
	if until := at.Get("Expires"); until.Has() {
		end, err := time.Parse(time.RFC3339, at.Text("Expires"))
		if err != nil || now.After(end) {
			return nil, adapters.BadData("/Envelope/Header/Security/Timestamp/Expires", "a time to come")
		}
	}
	return whole, nil
}

// only is the one child of that name; nil when there is none, or another of that local name.
func only(of *etree.Element, space, name string) (found *etree.Element) {
	if of == nil {
		return nil
	}
	for _, child := range of.ChildElements() {
		if child.Tag != name {
			continue
		}
		if found != nil || child.NamespaceURI() != space {
			return nil
		}
		found = child
	}
	return found
}

// words is the text of an element without white space, wherever it is broken off.
func words(of *etree.Element) string {
	if of == nil {
		return ""
	}
	return strings.Join(strings.Fields(of.Text()), "")
}

// covered gives an element in canonical form, when the signature is over it: it has an id
// that no other element has, and a reference to that id has its digest.
func covered(document *etree.Document, info, part *etree.Element) ([]byte, error) {
	refused := adapters.BadData("/Envelope/Header/Security/Signature", "each header, the time and the body signed, each with an id of its own")
	id := idOf(part)
	if id == "" || bearers(document.Root(), id) != 1 {
		return nil, refused
	}
	for _, r := range info.ChildElements() {
		if r.Tag != "Reference" || r.SelectAttrValue("URI", "") != "#"+id {
			continue
		}
		transforms := only(r, xmlds, "Transforms")
		text, err := by(only(transforms, xmlds, "Transform"), part)
		method := only(r, xmlds, "DigestMethod")
		if err != nil || len(transforms.ChildElements()) != 1 || method == nil || method.SelectAttrValue("Algorithm", "") != sha256URI {
			return nil, refused
		}
		want, err := base64.StdEncoding.DecodeString(words(only(r, xmlds, "DigestValue")))
		digest := sha256.Sum256(text)
		if err != nil || subtle.ConstantTimeCompare(digest[:], want) != 1 {
			return nil, refused
		}
		return text, nil
	}
	return nil, refused
}

// idOf is what references call an element by (WS-Security 1.0, section 4.2).
func idOf(e *etree.Element) string {
	for _, a := range e.Attr {
		if a.Key == "Id" && a.NamespaceURI() == wsu {
			return a.Value
		}
	}
	return ""
}

// bearers counts the elements that have an id by any of the names that an id can have.
func bearers(e *etree.Element, id string) int {
	count := 0
	for _, a := range e.Attr {
		if strings.EqualFold(a.Key, "id") && a.Value == id {
			count++
		}
	}
	for _, child := range e.ChildElements() {
		count += bearers(child, id)
	}
	return count
}

// by gives an element in the canonical form that a method says: exclusive, which is all that
// it may be, with the prefixes that it names as inclusive.
func by(method, e *etree.Element) ([]byte, error) {
	if method == nil || method.SelectAttrValue("Algorithm", "") != exclusive {
		return nil, adapters.BadData("/Envelope/Header/Security/Signature", "exclusive canonicalisation")
	}
	inclusive := ""
	for _, one := range method.ChildElements() {
		inclusive = one.SelectAttrValue("PrefixList", "")
	}
	return canonicalOf(e, inclusive)
}

// canonicalOf gives an element in exclusive canonical form, wherever it stands.
func canonicalOf(e *etree.Element, inclusive string) ([]byte, error) {
	context, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		return nil, err
	}
	alone := e.Copy()
	for prefix, space := range context.Prefixes() {
		name := "xmlns:" + prefix
		if prefix == "" {
			name = "xmlns"
		}
		reserved := prefix == "xml" || prefix == "xmlns" || space == etreeutils.XMLNamespace
		if !reserved && alone.SelectAttr(name) == nil {
			alone.CreateAttr(name, space)
		}
	}
	return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(inclusive).Canonicalize(alone)
}

// signedBy reports whether the key of a certificate made a signature: of RSA as in PKCS #1,
// of ECDSA both numbers one after the other (XML Signature 1.1, section 6.4.3).
func signedBy(by *x509.Certificate, method *etree.Element, text, value []byte) bool {
	digest := sha256.Sum256(text)
	algorithm := ""
	if method != nil {
		algorithm = method.SelectAttrValue("Algorithm", "")
	}
	switch key := by.PublicKey.(type) {
	case *rsa.PublicKey:
		return algorithm == rsaSHA256 && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], value) == nil
	case *ecdsa.PublicKey:
		half := (key.Params().BitSize + 7) / 8
		return algorithm == ecdsaSHA256 && len(value) == 2*half &&
			ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:]))
	}
	return false
}
