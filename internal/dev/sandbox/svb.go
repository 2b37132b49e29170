package sandbox

import "net/http"

// spendings is the SVB: POST /bestedingen/zoeken {bsn}. The envelope is ours: the
// messages really travel in batches and have no query interface.
func (h *host) spendings(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn string `json:"bsn"`
	}
	if !exactly(body, &q) || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/bestedingen/zoeken"})
	e := newElement()
	e.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<Bestedingen xmlns="urn:ontschot:svb:1">`)
	for _, raw := range of(h.store.lists["payments"], q.Bsn, "Bsn") {
		e.write("Besteding", raw)
	}
	e.raw("</Bestedingen>\n")
	reply(w, "application/xml; charset=utf-8", e.to.Bytes())
}
