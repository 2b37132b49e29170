package sandbox

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
)

// benefits is the SOAP body of a request to UWV, as far as it is read.
type benefits struct {
	Bsn        string   `xml:"Body>VraagAan>Burgerservicenr"`
	Acts       []string `xml:"Body>VraagAan>SzWet>CdSzWet"`
	Provisions string   `xml:"Body>VraagAan>IndVoorziening"`
}

// soap is UWV: SOAP 1.1 with elements of SuwiML.
func (h *host) soap(w http.ResponseWriter, r *http.Request, body []byte) {
	var q benefits
	if xml.Unmarshal(body, &q) != nil || q.Bsn == "" {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(soapOpen + `<soap:Fault><faultcode>soap:Client</faultcode>` +
			`<faultstring>vraag niet begrepen</faultstring></soap:Fault>` + soapClose))
		return
	}
	values := slices.Clone(q.Acts)
	if q.Provisions == "1" {
		values = append(values, "Voorziening")
	}
	h.note(r, Request{Operation: "Vraag", Values: values})
	e := newElement()
	e.raw(soapOpen + `<Antwoord xmlns="urn:ontschot:uwv:1">`)
	for _, raw := range of(h.store.lists["suwi"], q.Bsn, "Burgerservicenr") {
		e.raw("<ClientSuwi>")
		eachField(raw, func(name string, value json.RawMessage) {
			e.write(name, q.narrow(name, value))
		})
		e.raw("</ClientSuwi>")
	}
	e.raw("</Antwoord>" + soapClose)
	reply(w, "text/xml; charset=utf-8", e.to.Bytes())
}

const (
	soapOpen = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`
	soapClose = `</soap:Body></soap:Envelope>`
)

// narrow leaves out what was not asked for.
func (q benefits) narrow(name string, value json.RawMessage) json.RawMessage {
	switch {
	case name == "Voorziening" && q.Provisions != "1":
		return nil
	case name != "Uitkeringsverhouding":
		return value
	}
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		list = []json.RawMessage{value} // one, without a list around it
	}
	list = slices.DeleteFunc(list, func(raw json.RawMessage) bool {
		return !slices.Contains(q.Acts, text(raw, "SzWet", "CdSzWet"))
	})
	narrowed, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	return narrowed
}
