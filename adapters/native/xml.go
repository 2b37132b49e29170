package native

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/ontschot/ontschot/adapters"
)

// XML reads one document into a node for its root element. Prefixes and namespaces fall
// away: what counts is local names. An element with xsi:nil is null. The error is bad
// data at /, for what is not well-formed, has a document type, or is too deep or too large.
func XML(raw []byte) (Node, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	r := xmlReader{d: d, raw: raw}
	for {
		before := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return Node{}, errXML()
		}
		switch t := t.(type) {
		case xml.Directive:
			return Node{}, adapters.BadData("/", "no document type")
		case xml.StartElement:
			v, err := r.element(t, before, 0)
			if err != nil {
				return Node{}, err
			}
			return Node{v: v, at: adapters.Cursor{}.Field(t.Name.Local)}, r.end()
		}
	}
}

func errXML() error { return adapters.BadData("/", "well-formed XML") }

type xmlReader struct {
	d        *xml.Decoder
	raw      []byte
	elements int
}

// end refuses what stands behind the root element.
func (r *xmlReader) end() error {
	for {
		t, err := r.d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		_, another := t.(xml.StartElement)
		if err != nil || another {
			return errXML()
		}
	}
}

func (r *xmlReader) element(e xml.StartElement, start int64, depth int) (*value, error) {
	if r.elements++; depth > mostDepth || r.elements > mostElements {
		return nil, tooMuch()
	}
	v := &value{}
	for _, a := range e.Attr {
		if v.attrs == nil {
			v.attrs = map[string]string{}
		}
		v.attrs[a.Name.Local] = a.Value
		if a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1") {
			v.kind = null
		}
	}
	var text strings.Builder
	for {
		before := r.d.InputOffset()
		t, err := r.d.Token()
		if err != nil {
			return nil, errXML()
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, adapters.BadData("/", "no document type")
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			under, err := r.element(t, before, depth+1)
			if err != nil {
				return nil, err
			}
			v.kind, v.members = object, append(v.members, member{t.Name.Local, under})
		case xml.EndElement:
			v.text, v.raw = text.String(), r.raw[start:r.d.InputOffset()]
			return v, nil
		}
	}
}
