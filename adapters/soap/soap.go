// Package soap answers: what does an agency's XML service have on one person, by a
// mapping? SOAP 1.1 or 1.2, plain or signed (WS-Security, WS-Addressing), or XML without
// an envelope, as services for messages of the iStandaarden have it.
package soap

import (
	"bytes"
	"context"
	_ "embed" // the schema
	"encoding/xml"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/wss"
)

//go:embed config.schema.json
var schema []byte

// New gives an adapter by a mapping that belongs to the program; without one (nil) the
// configuration has it, as the key mapping.
func New(raw []byte) adapters.Adapter { return mapping.New(Kind{}, raw) }

// Kind is that of this package.
type Kind struct{}

// Facts implements mapping.Kind.
func (Kind) Facts() mapping.Facts {
	return mapping.Facts{Name: "soap", Schema: schema, Secrets: []string{"tls_key", "client_secret", "bearer_token"}, Egress: []string{"url", "token_url"}}
}

// Envelopes in which a question travels.
const (
	soap11 = "1.1"
	soap12 = "1.2"
	bare   = "none"
)

// plan is the section source of a mapping.
type plan struct {
	path, action, version string
	signed                bool
	body                  string
	rows, nothing         string
	around                []string
}

// Plan implements mapping.Kind.
func (Kind) Plan(s *mapping.Section, rows string) mapping.Plan {
	s.Known("kind", "path", "action", "envelope", "security", "body", "nothing", "around")
	s.Need("path", "body")
	p := &plan{
		path: s.Text("path"), action: s.Text("action"), version: s.Word("envelope", soap11, soap12, bare),
		signed: s.Word("security", "none", "signed") == "signed", body: s.Placed("body"), rows: rows, nothing: s.Text("nothing"), around: s.Words("around"),
	}
	if !strings.HasPrefix(p.path, "/") || strings.ContainsAny(p.path, "{}?#") {
		s.Problem("path", "begint met / en heeft geen vraagdeel", "starts with / and has no query")
	}
	if strings.ContainsAny(p.action, "\"\r\n") {
		s.Problem("action", "zonder aanhalingstekens", "without quotes")
	}
	if p.signed && p.version != soap11 {
		s.Problem("security", "signed is er voor SOAP 1.1", "signed is for SOAP 1.1")
	}
	if !strings.Contains(p.body, "{person}") {
		s.Problem("body", "{person} is nodig", "{person} is needed")
	}
	if !sound(p.body) {
		s.Problem("body", "een element, waarin {person} een tekst of een attribuut is; geen CDATA en geen commentaar", "one element, in which {person} is a text or an attribute; no CDATA and no comment")
	}
	if strings.Count(rows, "/") == 0 {
		s.Problem("", "rows is het pad van de records, vanaf het element in Body", "rows is the path of the records, from the element in Body on")
	}
	return p
}

// sound reports whether a body is XML whatever is asked: the question cannot be more in it
// than a text.
func sound(body string) bool {
	for _, forbidden := range []string{"<!", "<?"} {
		if strings.Contains(body, forbidden) {
			return false
		}
	}
	_, err := native.XML([]byte(filled(body, mapping.Question{Person: hostile{}})))
	return err == nil
}

// hostile is a person whose number would be markup.
type hostile struct{}

func (hostile) Reveal() string { return `a b="</c><d e='&f;` }

func (hostile) String() string { return "***" }

func filled(text string, q mapping.Question) string {
	return q.Fill(text, func(value string) string {
		var b bytes.Buffer
		_ = xml.EscapeText(&b, []byte(value)) // a Buffer takes everything
		return b.String()
	})
}

// Read implements mapping.Plan: an answer without a signature.
func (p *plan) Read(raw []byte, _ mapping.Person) (source.List, error) { return p.list(raw) }

// Connect implements mapping.Plan.
func (p *plan) Connect(c adapters.Config) (mapping.Asking, error) {
	src, err := source.New(c, source.Needs{Offered: true, Certificate: p.signed, Signer: p.signed})
	if err != nil {
		return nil, err
	}
	return &asking{p, src}, nil
}

type asking struct {
	*plan
	source *source.Source
}

// Us implements mapping.Asking.
func (a *asking) Us() mapping.Us { return mapping.UsOf(a.source) }

// Ask implements mapping.Asking.
func (a *asking) Ask(ctx context.Context, q mapping.Question) (mapping.Answer, error) {
	id := "urn:uuid:" + uuid.NewString()
	m, err := a.message(filled(a.body, q), id)
	if err != nil {
		return mapping.Answer{}, err
	}
	raw, err := a.source.Post(ctx, m)
	if err != nil {
		return mapping.Answer{}, err
	}
	if a.signed {
		if raw, err = Genuine(raw, id, a.source.Signers()); err != nil {
			return mapping.Answer{}, err
		}
	}
	list, err := a.list(raw)
	return mapping.Answer{List: list}, err
}

// message is the question in its envelope.
func (a *asking) message(body, id string) (source.Message, error) {
	m := source.Message{Path: a.path, Accept: []string{"text/xml", "application/xml", "application/soap+xml"}, AlsoFaults: a.version != bare}
	switch {
	case a.signed:
		signed, err := wss.Sign(a.source.Certificate(), time.Now(), []wss.Part{
			wss.Header("Action", "action", a.action), wss.Header("MessageID", "message", id), wss.Header("To", "to", a.source.URL()+a.path),
			wss.Header("ReplyTo", "reply", "").Holding("<wsa:Address>" + wss.WSA + "/anonymous</wsa:Address>"),
		}, body)
		if err != nil {
			return m, adapters.Bug()
		}
		m.Type, m.Body, m.Header = "text/xml; charset=utf-8", signed, map[string]string{"SOAPAction": `""`} // it is among the headers
	case a.version == soap11:
		m.Type, m.Body, m.Header = "text/xml; charset=utf-8", enveloped(wss.SOAP, body), map[string]string{"SOAPAction": `"` + a.action + `"`}
	case a.version == soap12:
		m.Type, m.Body = `application/soap+xml; charset=utf-8; action="`+a.action+`"`, enveloped("http://www.w3.org/2003/05/soap-envelope", body)
	default:
		m.Type, m.Body = "application/xml; charset=utf-8", []byte(body)
	}
	return m, nil
}

func enveloped(space, body string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<soap:Envelope xmlns:soap="` + space + `"><soap:Body>` + body + `</soap:Body></soap:Envelope>`)
}
