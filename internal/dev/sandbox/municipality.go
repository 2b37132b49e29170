package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// applications is the case system: POST /aanvragen {bsn, regelingen}.
func (h *host) applications(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn        string   `json:"bsn"`
		Regelingen []string `json:"regelingen"`
	}
	if json.Unmarshal(body, &q) != nil || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/aanvragen", Values: slices.Clone(q.Regelingen)})
	found := slices.DeleteFunc(of(h.store.lists["case_system"], q.Bsn, "bsn"), func(raw json.RawMessage) bool {
		law := text(raw, "regeling", "identificatie")
		return !slices.ContainsFunc(q.Regelingen, func(asked string) bool { return strings.EqualFold(asked, law) })
	})
	replyJSON(w, map[string]any{"_embedded": map[string]any{"aanvraag": found}})
}

// archive is an organisation's own archive of the messages it sent:
// POST /berichten/zoeken {bsn, soorten, wetten}. The envelope is ours: the
// messages really travel in batches and have no query interface.
func (h *host) archive(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn     string   `json:"bsn"`
		Soorten []string `json:"soorten"`
		Wetten  []string `json:"wetten"`
	}
	if json.Unmarshal(body, &q) != nil || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/berichten/zoeken", Values: slices.Concat(q.Soorten, q.Wetten)})
	e := newElement()
	e.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<berichten>")
	for _, kind := range q.Soorten {
		switch kind {
		case "IPGB501":
			h.award501(e, q.Bsn, q.Wetten)
		case "WMO301":
			h.allocation301(e, standard{kind, "iwmo"}, q.Bsn)
		case "JW301":
			h.allocation301(e, standard{kind, "ijw"}, q.Bsn)
		}
	}
	e.raw("</berichten>\n")
	reply(w, "application/xml; charset=utf-8", e.to.Bytes())
}

func (h *host) award501(e *element, bsn string, acts []string) {
	for _, raw := range of(h.store.lists["award"], bsn, "Bsn") {
		act := text(raw, "Wet")
		if !slices.ContainsFunc(acts, func(asked string) bool { return strings.EqualFold(asked, act) }) {
			continue
		}
		e.raw(`<bericht soort="IPGB501">`)
		e.write("Toekenningsbericht", raw)
		e.raw("</bericht>")
	}
}

// standard is a kind of message, for example WMO301, and the standard it is of.
type standard struct{ kind, name string }

// allocation301 writes the messages of a standard in the shape of iWmo or iJw 3.2: what the case
// has beside the client goes to the header, what was allocated into the client.
func (h *host) allocation301(e *element, s standard, bsn string) {
	list := strings.ToLower(s.kind)
	for _, raw := range of(h.store.lists[list], bsn, "Client", "Bsn") {
		e.raw(`<bericht soort="` + s.kind + `"><Bericht xmlns="http://www.istandaarden.nl/` + s.name +
			`/3_2/` + list + `/schema"><Header>`)
		var client, products json.RawMessage
		eachField(raw, func(name string, value json.RawMessage) {
			switch name {
			case "Client":
				client = value
			case "ToegewezenProducten":
				products = value
			default:
				e.write(name, value)
			}
		})
		e.raw("</Header><Client>")
		eachField(client, e.write)
		e.write("ToegewezenProducten", products)
		e.raw("</Client></Bericht></bericht>")
	}
}
