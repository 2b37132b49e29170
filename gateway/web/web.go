// Package web answers: how does a system without gRPC ask the same? It turns a request over HTTPS
// with JSON into the call of the gRPC server that it stands for, and the answer back into JSON. It
// decides nothing and admits nobody: every call goes through the server itself, with its edge.
package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
)

// Version of the API in full; its first number stands in every path. A change that an existing
// client does not notice raises the second.
const Version = "1.0.0"

// Kinds of body.
const (
	jsonKind    = "application/json"
	linesKind   = "application/x-ndjson"
	problemKind = "application/problem+json"
)

// Longest is how long a call may take.
const Longest = 2 * time.Minute

// maxBody bounds a request, in bytes. The message in it is bounded as that of every other call
// (admission.MaxRequest); in JSON a budget is less than twice as long.
const maxBody = 4 * admission.MaxRequest

// Door is an http.Handler, behind mutual TLS.
type Door struct {
	calls  http.Handler
	log    *slog.Logger
	routes []route
	cross  *http.CrossOriginProtection
}

// New makes a Door to a *grpc.Server. The request log gets a line for what is refused before it is
// a call; it holds no personal data.
func New(calls http.Handler, log *slog.Logger) *Door {
	return &Door{calls: calls, log: log, routes: compiled(), cross: http.NewCrossOriginProtection()}
}

// ServeHTTP is http.Handler's.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, value := range map[string]string{
		"API-Version": Version, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
		"Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		h.Set(name, value)
	}
	if d.cross.Check(r) != nil {
		d.refuse(w, http.StatusForbidden, "CROSS_ORIGIN", "a page of another site may not ask this; ask from a server")
		return
	}
	route, values, allow := d.match(r)
	switch {
	case len(allow) == 0:
		d.refuse(w, http.StatusNotFound, "NO_SUCH_PATH", "there is nothing at this path; "+PathOpenAPI+" has those that there are, without a slash at the end")
	case route == nil:
		h.Set("Allow", strings.Join(allow, ", "))
		d.refuse(w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this path takes "+strings.Join(allow, " and "))
	case !acceptable(r, route.kind()):
		d.refuse(w, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "the answer is "+route.kind()+"; accept that, or send no Accept")
	case route.method == nil:
		h.Set("Content-Type", jsonKind)
		_, _ = w.Write(openAPI) // who does not listen does not hear it
	default:
		d.serve(w, r, route, values)
	}
}

// serve reads what is asked, and has it answered.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, route *route, values map[string]string) {
	in, err := d.read(w, r, route, values)
	var long *http.MaxBytesError
	switch violation := new(admission.Violation); {
	case err == nil:
		d.call(w, r, route, in)
	case errors.Is(err, errKind):
		d.refuse(w, http.StatusUnsupportedMediaType, "NOT_JSON", "send the body as "+jsonKind+", in UTF-8 and not compressed")
	case errors.As(err, &long):
		d.tooLarge(w)
	case errors.As(err, &violation):
		d.refused(w, route.violated(violation))
	default: // who sent it is gone, or too slow
		d.refuse(w, http.StatusRequestTimeout, "BODY_INCOMPLETE", "the body did not come whole, or not in time")
	}
}

func (d *Door) tooLarge(w http.ResponseWriter) {
	d.refuse(w, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE",
		fmt.Sprintf("a body has at most %d bytes, and its message at most %d", maxBody, admission.MaxRequest))
}

// errKind means that the body is of another kind.
var errKind = errors.New("the body is no JSON by its headers")

// read gives the message that is asked. Errors: errKind, *http.MaxBytesError, *admission.Violation,
// or that of the connection.
func (d *Door) read(w http.ResponseWriter, r *http.Request, route *route, values map[string]string) (proto.Message, error) {
	in := route.in.New()
	if r.Method == http.MethodGet {
		if r.ContentLength != 0 {
			return nil, admission.Invalid("body", "GET has none")
		}
		if err := route.query(r.URL.RawQuery, in); err != nil {
			return nil, err
		}
		return route.fill(in, values)
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return nil, admission.Invalid("query", "there is none here: an address is written down on its way, so all of it goes in the body")
	}
	if r.ContentLength != 0 && !sendsJSON(r) {
		return nil, errKind
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil && len(body) > 0 { // no body is a request of which nothing is said
		err = readMessage(body, in, route.inPath)
	}
	if err != nil {
		return nil, err
	}
	return route.fill(in, values)
}

// sendsJSON reports whether the body is JSON by its headers.
func sendsJSON(r *http.Request) bool {
	if len(r.Header.Values("Content-Type")) != 1 || !slices.Contains([]string{"", "identity"}, r.Header.Get("Content-Encoding")) {
		return false
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, named := params["charset"]
	return err == nil && kind == jsonKind && (!named || strings.EqualFold(charset, "utf-8"))
}

// acceptable reports whether the caller takes an answer of that kind.
func acceptable(r *http.Request, kind string) bool {
	values := r.Header.Values("Accept")
	if len(values) == 0 {
		return true
	}
	for one := range strings.SplitSeq(strings.Join(values, ","), ",") {
		is, params, err := mime.ParseMediaType(one)
		if err != nil || !slices.Contains([]string{kind, "application/*", "*/*"}, is) {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err != nil || q > 0 {
			return true
		}
	}
	return false
}
