package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
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
	h.page(w, r, "aanvraag", found)
}

// perPage is how many records a page of the case system holds.
const perPage = 20

// page answers with one page of a collection, as HAL has it: the number of the page in
// the address, from 0, and a link to the next. A collection without members is left out.
func (h *host) page(w http.ResponseWriter, r *http.Request, name string, all []json.RawMessage) {
	number, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("page"), "0"))
	pages := (len(all) + perPage - 1) / perPage
	if err != nil || number < 0 || number > max(0, pages-1) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	href := func(n int) any { return map[string]string{"href": r.URL.Path + "?page=" + strconv.Itoa(n)} }
	links := map[string]any{"self": href(number)}
	if number+1 < pages {
		links["next"] = href(number + 1)
	}
	answer := map[string]any{"_links": links, "page": map[string]int{
		"size": perPage, "totalElements": len(all), "totalPages": pages, "number": number,
	}}
	if len(all) > 0 {
		answer["_embedded"] = map[string]any{name: all[number*perPage : min(len(all), (number+1)*perPage)]}
	}
	replyJSON(w, answer)
}
