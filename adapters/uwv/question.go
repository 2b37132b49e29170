package uwv

import (
	"crypto/tls"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/adapters"
)

// The service is the one at which benefits of UWV are to be expected: its name and its
// operation are published, the schema of its answer is not. What it holds is taken to be
// as in the published service of SVB, which has the same basic schema.
const (
	service   = "UWVDossierWerknemersverzekeringenGSD"
	operation = "UWVPersoonsWvInfo"
	space     = "http://bkwi.nl/SuwiML/Diensten/" + service + "/v0200"
	action    = "http://bkwi.nl/SuwiML/Diensten/" + service + "-v0200/" + operation
)

// Namespaces.
const (
	soapSpace = "http://schemas.xmlsoap.org/soap/envelope/"
	wsaSpace  = "http://www.w3.org/2005/08/addressing"
	wsuSpace  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	wsseSpace = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	dsSpace   = "http://www.w3.org/2000/09/xmldsig#"
)

// anonymous is where WS-Addressing wants the answer: on the connection of the request.
const anonymous = "http://www.w3.org/2005/08/addressing/anonymous"

// request is a question about one person, by number alone: that is all that the published
// questions name. Of what the answer holds of a law that was not asked for nothing is told.
type request struct {
	to   string // address of the service
	bsn  adapters.BSN
	now  time.Time
	with tls.Certificate
}

// write gives the envelope, with the headers of WS-Addressing and a signature over each of
// them and over the body.
func (q request) write() ([]byte, error) {
	parts := []part{
		header("Action", "action", action),
		header("MessageID", "message", "urn:uuid:"+uuid.NewString()),
		header("To", "to", q.to),
		header("ReplyTo", "reply", "").holding("<wsa:Address>" + anonymous + "</wsa:Address>"),
	}
	body := part{"soap:Body", "body", `xmlns:soap="` + soapSpace + `" xmlns:wsu="` + wsuSpace + `"`,
		`<smls:` + operation + ` xmlns:smls="` + space + `"><Burgerservicenr>` + q.bsn.Reveal() + `</Burgerservicenr></smls:` + operation + `>`}
	security, err := secure(q.with, q.now, append(parts, body))
	if err != nil {
		return nil, err
	}
	envelope := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soap:Envelope xmlns:soap="` + soapSpace + `"><soap:Header>`
	for _, p := range parts {
		envelope += p.String()
	}
	return []byte(envelope + security + `</soap:Header>` + body.String() + `</soap:Envelope>`), nil
}

// part is an element that is signed. It is written in the form that exclusive
// canonicalisation gives it, so that its bytes are what its digest is of: it declares the
// namespaces that it uses itself, in the order of their prefixes.
type part struct{ name, id, spaces, inner string }

func (p part) String() string {
	return "<" + p.name + " " + p.spaces + ` wsu:Id="` + p.id + `">` + p.inner + "</" + p.name + ">"
}

func (p part) holding(inner string) part {
	p.inner = inner
	return p
}

func header(name, id, text string) part {
	return part{"wsa:" + name, id, `xmlns:wsa="` + wsaSpace + `" xmlns:wsu="` + wsuSpace + `"`, canonical().Replace(text)}
}
