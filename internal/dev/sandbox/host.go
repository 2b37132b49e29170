package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ontschot/ontschot/internal/dev/casefile"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Fault is what is wrong with a system.
type Fault struct {
	kind                    string
	delay                   time.Duration
	path, contentType, body string
}

// None is a system that works.
func None() Fault { return Fault{} }

// Down breaks each connection off without an answer.
func Down() Fault { return Fault{kind: "down"} }

// Slow answers, but only after a while.
func Slow(d time.Duration) Fault { return Fault{kind: "slow", delay: d} }

// Garbage answers with something that is no message of the interface.
func Garbage() Fault { return Fault{kind: "garbage"} }

// Deny answers that the client is not allowed.
func Deny() Fault { return Fault{kind: "deny"} }

// Says answers each request at a path with this body, whatever was asked: a page, an
// error with status 200, a record that is odd in a way that no case file can be.
func Says(path, contentType, body string) Fault {
	return Fault{kind: "says", path: path, contentType: contentType, body: body}
}

// SetFault makes the system of a party fail from the next request on.
func (s *Sandbox) SetFault(party string, f Fault) {
	h := s.hosts[party]
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = f
}

// Request is what a system was asked, without the person.
type Request struct {
	// Operation is the path, or the name of the GraphQL operation.
	Operation string
	// Values that narrow the request: schemes, kinds of message, acts. Sorted.
	Values []string
	// Fields that were selected, in GraphQL. Sorted.
	Fields []string
	// Trace: the request carried trace headers.
	Trace bool
}

// Asked lists what a party's system was asked, oldest first.
func (s *Sandbox) Asked(party string) []Request {
	h := s.hosts[party]
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.asked)
}

// ReceivedBSN reports whether the BSN of anybody in the household ever reached a party's
// system, anywhere in a request: in its address, its headers or its body.
func (s *Sandbox) ReceivedBSN(party string) bool {
	h := s.hosts[party]
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.receivedBSN
}

// watch looks for the household's numbers in a request, whatever becomes of it.
func (h *host) watch(r *http.Request, body []byte) {
	var all strings.Builder
	all.WriteString(r.RequestURI + "\n")
	_ = r.Header.Write(&all) // a Builder takes everything
	all.Write(body)
	for _, bsn := range h.numbers {
		if strings.Contains(all.String(), bsn) {
			h.mu.Lock()
			h.receivedBSN = true
			h.mu.Unlock()
		}
	}
}

// mostAsked bounds what is remembered.
const mostAsked = 10_000

func (h *host) note(r *http.Request, q Request) {
	q.Trace = r.Header.Get("X-B3-TraceId") != "" && r.Header.Get("X-B3-SpanId") != ""
	slices.Sort(q.Values)
	slices.Sort(q.Fields)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.asked) < mostAsked {
		h.asked = append(h.asked, q)
	}
}

// handler answers a request; its status is logged.
type handler func(w http.ResponseWriter, r *http.Request, body []byte)

// routes gives the interface of a kind of party, by path; nil when it has none.
func (h *host) routes() map[string]handler {
	switch h.party.Kind {
	case budgetv1.KindMunicipality:
		return map[string]handler{"/aanvragen": h.applications, "/berichten/zoeken": h.archive}
	case budgetv1.KindCareOffice:
		return map[string]handler{
			"/indicatieregister/graphql": h.graphql(indications()), "/bemiddelingsregister/graphql": h.graphql(mediations()),
			"/berichten/zoeken": h.archive,
		}
	case budgetv1.KindUWV:
		return map[string]handler{"/": h.soap}
	case budgetv1.KindInsurer:
		return map[string]handler{"/toekenningen": h.awards}
	case budgetv1.KindSVB:
		return map[string]handler{"/berichten/zoeken": h.archive}
	case budgetv1.KindCAK:
		return map[string]handler{"/eigenbijdragen": h.contributions}
	case budgetv1.KindEducation:
		return map[string]handler{"/toekenningen": h.support}
	case budgetv1.KindTransport:
		return map[string]handler{"/passen": h.passes}
	}
	return nil
}

func (h *host) needsToken() bool {
	return slices.Contains([]string{budgetv1.KindMunicipality, budgetv1.KindCareOffice, budgetv1.KindCAK}, h.party.Kind)
}

// maxRequest bounds a request, in bytes.
const maxRequest = 1 << 20

func (h *host) serve(routes map[string]handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		defer func() { h.log.Printf("%s %s %d", h.party.Code, known(routes, r.URL.Path), seen.status) }()
		body, err := io.ReadAll(http.MaxBytesReader(seen, r.Body, maxRequest))
		if err != nil {
			seen.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		h.watch(r, body)
		if !h.healthy(seen, r) {
			return
		}
		if r.URL.Path == "/token" && h.needsToken() {
			h.tokens.issue(seen, r, body)
			return
		}
		answer, ok := routes[r.URL.Path]
		switch {
		case !ok:
			seen.WriteHeader(http.StatusNotFound)
		case r.Method != http.MethodPost || !addressed(r): // a BSN has no place in an address
			seen.WriteHeader(http.StatusBadRequest)
		case h.needsToken() && !h.tokens.good(r):
			seen.Header().Set("WWW-Authenticate", "Bearer")
			seen.WriteHeader(http.StatusUnauthorized)
		case h.said(seen, r, body):
		default:
			answer(seen, r, body)
		}
	})
}

// said answers as the case has it, when it has an answer of its own at this address.
func (h *host) said(w http.ResponseWriter, r *http.Request, body []byte) bool {
	all := h.whole.Answers[h.party.Code]
	at := func(address string) int {
		return slices.IndexFunc(all, func(a casefile.Answer) bool { return a.Path == address })
	}
	i := at(r.URL.RequestURI())
	if i < 0 {
		i = at(r.URL.Path) // a source that does not look at the page that is asked for
	}
	if i < 0 {
		return false
	}
	h.note(r, Request{Operation: r.URL.Path})
	text := all[i].Bytes()
	if h.party.Kind == budgetv1.KindUWV {
		text = h.sealed(text, body)
	}
	w.Header().Set("Content-Type", all[i].Type)
	w.WriteHeader(cmp.Or(all[i].Status, http.StatusOK))
	_, _ = w.Write(text)
	return true
}

// addressed reports whether an address says no more than which page is asked for.
func addressed(r *http.Request) bool {
	q := r.URL.Query()
	return r.URL.RawQuery == "" || len(q) == 1 && len(q["page"]) == 1 && len(q.Get("page")) < 5
}

// known keeps addresses that nobody knows out of the log: anything may stand there.
func known(routes map[string]handler, path string) string {
	if _, ok := routes[path]; ok || path == "/token" {
		return path
	}
	return "(unknown path)"
}

// healthy plays the fault that was set; false when that is all there is to it.
func (h *host) healthy(w http.ResponseWriter, r *http.Request) bool {
	h.mu.Lock()
	fault := h.fault
	h.mu.Unlock()
	switch fault.kind {
	case "down":
		panic(http.ErrAbortHandler) // breaks the connection, silently
	case "slow":
		timer := time.NewTimer(fault.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return false
		case <-h.closed:
			return false
		}
	case "garbage":
		if r.URL.Path == "/token" {
			return true // so that it is the answer that is bad
		}
		w.Header().Set("Content-Type", garbageType(r))
		_, _ = w.Write([]byte("\x00{<[ dit is geen bericht"))
		return false
	case "says":
		if r.URL.RequestURI() != fault.path {
			return true
		}
		reply(w, fault.contentType, []byte(fault.body))
		return false
	case "deny":
		w.WriteHeader(http.StatusForbidden)
		return false
	}
	return true
}

func garbageType(r *http.Request) string {
	if slices.Contains([]string{"/", "/berichten/zoeken"}, r.URL.Path) {
		return "text/xml"
	}
	return "application/json"
}

type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func reply(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	_, _ = io.Copy(w, bytes.NewReader(body))
}

func replyJSON(w http.ResponseWriter, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	reply(w, "application/json", body)
}
