package sandbox

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/adapters/wss"
)

// benefits is the SOAP body of a request to UWV, as far as it is read.
type benefits struct {
	Action string `xml:"Header>Action"`
	ID     string `xml:"Header>MessageID"`
	Bsn    string `xml:"Body>UWVPersoonsWvInfo>Burgerservicenr"`
}

// The service at which benefits of UWV are to be expected. Its answer is written as that of
// the published service of SVB, and with provisions beside it: both are assumed.
const (
	uwvSpace  = "http://bkwi.nl/SuwiML/Diensten/UWVDossierWerknemersverzekeringenGSD/v0200"
	uwvAction = "http://bkwi.nl/SuwiML/Diensten/UWVDossierWerknemersverzekeringenGSD-v0200/UWVPersoonsWvInfo"
	fwiSpace  = "http://bkwi.nl/SuwiML/FWI/v0205"
)

// soap is UWV: SOAP 1.1 with WS-Addressing and WS-Security, in messages of SuwiML.
func (h *host) soap(w http.ResponseWriter, r *http.Request, body []byte) {
	var q benefits
	if xml.Unmarshal(body, &q) != nil || q.Bsn == "" || q.Action != uwvAction || r.Header.Get("SOAPAction") != `""` {
		soapFault(w, "soap:Client")
		return
	}
	if !h.signed(r, body) {
		soapFault(w, "wsse:FailedCheck")
		return
	}
	h.note(r, Request{Operation: "UWVPersoonsWvInfo"})
	found := of(h.store.lists["suwi"], q.Bsn, "Burgerservicenr")
	e := newElement()
	e.order = []string{ // of the published elements
		"DatBUitkeringsverhouding", "DatEUitkeringsverhouding", "SzWet", "SpecifiekeGegevensRemigratiewet", "Uitkeringsperiode",
		"DatBUitkeringsperiode", "DatEUitkeringsperiode", "SpecifiekeGegevensAow", "BrutoUitkeringsbedr", "NettoUitkeringsbedr",
		"CdMunteenheid", "WaardeBedr", "CdUitkeringsperiode", "DatBBrutoUitkeringsbedr", "DatEBrutoUitkeringsbedr",
		"DatBNettoUitkeringsbedr", "DatENettoUitkeringsbedr", "Code", "Tekst", "Detail", "Bron",
	}
	e.raw(`<smls:UWVPersoonsWvInfoResponse xmlns:smls="` + uwvSpace + `">`)
	e.client(q.Bsn, found)
	if len(found) == 0 {
		e.result("NietsGevonden", nil)
	}
	for _, raw := range found {
		e.results(raw)
	}
	e.raw("</smls:UWVPersoonsWvInfoResponse>")
	answer, err := h.sign(q.ID, e.to.String())
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	reply(w, "text/xml; charset=utf-8", answer)
}

// sealed signs an answer of a case that has a body and no header yet. What is no such
// message stays as it is: a fault, an answer that breaks off, one that nobody signed.
func (h *host) sealed(answer, question []byte) []byte {
	var q benefits
	var envelope struct {
		Header *struct{}
		Body   struct {
			Fault *struct{}
			Inner string `xml:",innerxml"`
		}
	}
	if xml.Unmarshal(question, &q) != nil || xml.Unmarshal(answer, &envelope) != nil || envelope.Header != nil || envelope.Body.Fault != nil {
		return answer
	}
	signed, err := h.sign(q.ID, envelope.Body.Inner)
	if err != nil {
		return answer
	}
	return signed
}

// sign gives an answer to the question with that id, with the certificate of the server.
func (h *host) sign(id, inner string) ([]byte, error) {
	return wss.Sign(h.server.TLSConfig.Certificates[0], h.tokens.now(), []wss.Part{
		wss.Header("Action", "action", uwvAction+"Response"),
		wss.Header("MessageID", "message", "urn:uuid:"+uuid.NewString()),
		wss.Header("RelatesTo", "about", id),
	}, inner)
}

// signed reports whether a request is signed with the certificate of the connection, which
// was verified and goes along in it.
func (h *host) signed(r *http.Request, body []byte) bool {
	if len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	by := r.TLS.PeerCertificates[0]
	_, err := wss.Open(body, []*x509.Certificate{by}, h.tokens.now())
	return err == nil && strings.Contains(string(body), base64.StdEncoding.EncodeToString(by.Raw))
}

const (
	soapOpen = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>`
	soapClose = `</soap:Body></soap:Envelope>`
)

func soapFault(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write([]byte(soapOpen + `<soap:Fault><faultcode xmlns:wsse="` + wss.Extension + `">` + code + `</faultcode>` +
		`<faultstring>vraag geweigerd</faultstring></soap:Fault>` + soapClose))
}

// isResult reports whether a member of a case's record is a result of the infrastructure,
// which stands beside the person and not in it.
func isResult(name string) bool {
	return slices.Contains([]string{"FWI", "NietsGevonden", "NietGerechtigd", "NietVanToepassing"}, name)
}

// client writes the one ClientSuwi of an answer: all that the records of a case say of the
// person, each kind of element after the other. There is none when they hold results alone.
func (e *element) client(bsn string, records []json.RawMessage) {
	var names []string
	values := map[string][]json.RawMessage{}
	for _, raw := range records {
		eachField(raw, func(name string, value json.RawMessage) {
			if name == "Burgerservicenr" || isResult(name) {
				return
			}
			if values[name] == nil {
				names = append(names, name)
			}
			values[name] = append(values[name], value)
		})
	}
	if len(names) == 0 {
		return
	}
	e.raw("<ClientSuwi>")
	e.write("Burgerservicenr", json.RawMessage(`"`+bsn+`"`))
	for _, name := range names {
		for _, value := range values[name] {
			e.write(name, value)
		}
	}
	e.raw("</ClientSuwi>")
}

// results writes those of a record.
func (e *element) results(raw json.RawMessage) {
	eachField(raw, func(name string, value json.RawMessage) {
		if !isResult(name) {
			return
		}
		e.result(name, value)
	})
}

func (e *element) result(name string, value json.RawMessage) {
	e.raw("<fwi:" + name + ` xmlns:fwi="` + fwiSpace + `">`)
	eachField(value, e.write)
	e.raw("</fwi:" + name + ">")
}
