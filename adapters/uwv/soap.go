package uwv

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/ontschot/ontschot/adapters"
)

// The namespace of the request is assumed: there is no public service description.
const (
	soapSpace = "http://schemas.xmlsoap.org/soap/envelope/"
	ourSpace  = "urn:ontschot:uwv:1"
)

type (
	outgoing struct {
		XMLName xml.Name `xml:"soap:Envelope"`
		Soap    string   `xml:"xmlns:soap,attr"`
		Ask     ask      `xml:"soap:Body>VraagAan"`
	}
	ask struct {
		Space           string `xml:"xmlns,attr"`
		Burgerservicenr string `xml:"Burgerservicenr"`
		SzWet           []act  `xml:"SzWet"`
		IndVoorziening  string `xml:"IndVoorziening,omitempty"`
	}
	act struct {
		CdSzWet string `xml:"CdSzWet"`
	}
)

// codes are UWV's codes of the acts; the provisions rest on several and have none.
func codes() map[string]string {
	return map[string]string{"WIA": "WIA", "WAJONG": "WAJ", "WW": "WW", "ZW": "ZW"}
}

// request names the person in the body, and no act that was not asked for.
func request(bsn adapters.BSN, laws []string) ([]byte, error) {
	q := ask{Space: ourSpace, Burgerservicenr: bsn.Reveal()}
	for _, law := range laws {
		if code, ok := codes()[law]; ok {
			q.SzWet = append(q.SzWet, act{code})
		}
	}
	if slices.Contains(laws, "UWV_PROVISION") {
		q.IndVoorziening = "1"
	}
	body, err := xml.Marshal(outgoing{Soap: soapSpace, Ask: q})
	if err != nil {
		return nil, adapters.Bug()
	}
	return append([]byte(xml.Header), body...), nil
}

// client is one ClientSuwi element and where it stands.
type client struct {
	native []byte
	person person
}

// mostClients bounds what is accepted of one person.
const mostClients = 100

// parse takes the persons out of the envelope, or gives the fault in it as an error.
func parse(raw []byte) ([]client, error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	var clients []client
	answered := false
	for {
		at := d.InputOffset()
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, adapters.BadData("/", "well-formed XML")
		}
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "Fault" && e.Name.Space == soapSpace:
			return nil, fault(d, e)
		case e.Name.Local == "Antwoord":
			answered = true
		case e.Name.Local == "ClientSuwi" && answered:
			var p person
			if err := d.DecodeElement(&p, &e); err != nil || len(clients) == mostClients {
				return nil, adapters.BadData("/Antwoord/ClientSuwi", "elements of SuwiML")
			}
			clients = append(clients, client{bytes.TrimSpace(raw[at:d.InputOffset()]), p})
		}
	}
	if !answered {
		return nil, adapters.BadData("/Envelope/Body/Antwoord", "an answer")
	}
	return clients, nil
}

// fault maps a SOAP 1.1 fault (section 4.4): Client means that our request is
// wrong or that we are refused, Server that UWV does not work. The text of a
// fault may quote the request and is not kept.
func fault(d *xml.Decoder, e xml.StartElement) error {
	var f struct {
		Code string `xml:"faultcode"`
	}
	if err := d.DecodeElement(&f, &e); err != nil {
		return adapters.BadData("/Envelope/Body/Fault", "a fault of SOAP 1.1")
	}
	code := f.Code[strings.LastIndexByte(f.Code, ':')+1:]
	class, detail, _ := strings.Cut(code, ".")
	switch {
	case class == "Client" && (detail == "Authentication" || detail == "Authorization"):
		return adapters.NotAuthorised()
	case class == "Client":
		return adapters.Bug()
	case detail == "Timeout":
		return adapters.Timeout()
	default:
		return adapters.Unavailable()
	}
}
