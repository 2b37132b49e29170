package sandbox

import (
	"encoding/json"
	"net/http"
)

// awards is an insurer's own interface: POST /toekenningen {bsn}.
func (h *host) awards(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn string `json:"bsn"`
	}
	if json.Unmarshal(body, &q) != nil || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/toekenningen"})
	replyJSON(w, map[string]any{"toekenningen": of(h.store.lists["zvw"], q.Bsn, "bsn")})
}
