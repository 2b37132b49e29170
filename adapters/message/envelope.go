// Package message answers: which awards and allocations do these messages hold?
// It reads iPgb 501, iWmo 301 and iJw 301 messages out of an organisation's own
// archive of the messages it sent.
//
// The messages travel in batches and have no query interface. The archive's
// envelope is therefore ours, and the element names of the 501 message are
// assumed from the terms of the iPgb data dictionary; those of the 301 messages
// follow iWmo and iJw 3.2.
package message

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strconv"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/source"
)

// Kind of message.
type Kind string

// The kinds that are read.
const (
	Award Kind = "IPGB501"
	Wmo   Kind = "WMO301"
	Jeugd Kind = "JW301"
)

// Search is what an archive is asked for: messages about one person.
type Search struct {
	BSN    adapters.BSN
	Kinds  []Kind
	Awards []string // the acts whose awards are asked for: Wmo, Jw, Wlz
}

// Found is one message, and where it stands in the archive's answer: a native record
// begins with it.
type Found struct {
	Kind Kind
	adapters.Cursor
}

// mostMessages, mostDepth and mostElements bound an archive's answer.
const (
	mostMessages = 1000
	mostDepth    = 16
	mostElements = 100_000
)

// Ask gets messages out of the archive of src, in the order of the archive. Its errors
// are those of package adapters.
func Ask(ctx context.Context, src *source.Source, s Search) ([]Found, error) {
	body, err := json.Marshal(map[string]any{"bsn": s.BSN.Reveal(), "soorten": s.Kinds, "wetten": s.Awards})
	if err != nil {
		return nil, adapters.Bug()
	}
	answer, err := src.Post(ctx, source.Message{
		Path: "/berichten/zoeken", Type: "application/json", Body: body,
		Accept: []string{"application/xml", "text/xml"},
	})
	if err != nil {
		return nil, err
	}
	return Open(answer)
}

// Open takes the messages out of their envelope:
// <berichten><bericht soort="IPGB501">...</bericht>...</berichten>
func Open(raw []byte) ([]Found, error) {
	if err := Bounded(raw); err != nil {
		return nil, err
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	root, err := element(d)
	if err != nil || root.Name.Local != "berichten" {
		return nil, adapters.BadData("/", "element berichten")
	}
	var found []Found
	for {
		e, err := element(d)
		switch {
		case errors.Is(err, errEnd):
			return found, nil
		case err != nil || e.Name.Local != "bericht":
			return nil, adapters.BadData("/berichten", "elements bericht")
		case len(found) == mostMessages:
			return nil, adapters.BadData("/berichten", "at most "+strconv.Itoa(mostMessages))
		}
		start := d.InputOffset()
		if err := d.Skip(); err != nil {
			return nil, adapters.BadData("/berichten", "well-formed XML")
		}
		inner := raw[start:d.InputOffset()]
		inner = inner[:max(0, bytes.LastIndex(inner, []byte("</")))]
		at := adapters.Cursor{}.Field("berichten").Item(len(found)).Begin(bytes.TrimSpace(inner))
		found = append(found, Found{Kind(attribute(e, "soort")), at})
	}
}

var errEnd = errors.New("end of element")

// element gives the next child element; errEnd when there is none left.
func element(d *xml.Decoder) (xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.EndElement:
			return xml.StartElement{}, errEnd
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Bounded refuses XML that is not well-formed, has a document type, or is deeper
// or has more elements than any message has.
func Bounded(raw []byte) error {
	d := xml.NewDecoder(bytes.NewReader(raw))
	depth, elements := 0, 0
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && elements > 0:
			return nil
		case err != nil:
			return adapters.BadData("/", "well-formed XML")
		}
		switch t.(type) {
		case xml.Directive:
			return adapters.BadData("/", "no document type")
		case xml.StartElement:
			depth, elements = depth+1, elements+1
		case xml.EndElement:
			depth--
		}
		if depth > mostDepth || elements > mostElements {
			return adapters.BadData("/", "within the bounds of a message")
		}
	}
}
