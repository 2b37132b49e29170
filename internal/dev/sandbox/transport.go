package sandbox

import "net/http"

// passes is Valys: POST /passen {pasnummer}. It knows no BSN and refuses a request
// that holds anything beside the number of the pass.
func (h *host) passes(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Pasnummer string `json:"pasnummer"`
	}
	if !exactly(body, &q) || q.Pasnummer == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/passen"})
	replyJSON(w, map[string]any{"passen": of(h.store.lists["valys"], q.Pasnummer, "pas")})
}
