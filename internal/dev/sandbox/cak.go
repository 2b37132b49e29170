package sandbox

import "net/http"

// contributions is the CAK: POST /eigenbijdragen {bsn}.
func (h *host) contributions(w http.ResponseWriter, r *http.Request, body []byte) {
	var q struct {
		Bsn string `json:"bsn"`
	}
	if !exactly(body, &q) || q.Bsn == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.note(r, Request{Operation: "/eigenbijdragen"})
	replyJSON(w, map[string]any{"eigenbijdragen": of(h.store.lists["own_contribution"], q.Bsn, "Bsn")})
}
