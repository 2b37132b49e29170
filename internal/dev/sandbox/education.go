package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// support is a partnership of schools: POST /toekenningen {onderwijsnummer}. It
// knows no BSN and refuses a request that holds anything beside the number.
func (h *host) support(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Onderwijsnummer string `json:"onderwijsnummer"`
	}
	if !exactly(body, &q) || q.Onderwijsnummer == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/toekenningen"})
	replyJSON(w, map[string]any{
		"toekenningen": of(h.store.lists["education"], q.Onderwijsnummer, "onderwijsnummer"),
	})
}

// exactly reads a request with no more in it than the interface has.
func exactly(body []byte, q any) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(q) == nil && !d.More()
}
