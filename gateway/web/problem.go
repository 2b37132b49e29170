package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/admission"
)

// problem is how an error is told (RFC 9457): all that a caller over gRPC reads of it.
type problem struct {
	Type   string `json:"type"` // a tag (RFC 4151) with the reason
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Code is the gRPC status code by its name, Reason and Metadata those of google.rpc.ErrorInfo.
	Code     string            `json:"code"`
	Reason   string            `json:"reason,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Errors   []fault           `json:"errors,omitempty"`
	grpc     codes.Code
}

// fault is what is wrong with one field.
type fault struct {
	In      string `json:"in"`                // body, path, query or header
	Pointer string `json:"pointer,omitempty"` // in the body (RFC 6901); empty: all of it
	Name    string `json:"name,omitempty"`    // in the path, the query or the header
	Field   string `json:"field"`             // as gRPC names it
	Detail  string `json:"detail"`
}

// Statuses are the HTTP status of each gRPC code; of others it is 500.
func Statuses() map[codes.Code]int {
	return map[codes.Code]int{
		codes.Canceled: http.StatusRequestTimeout, codes.InvalidArgument: http.StatusBadRequest, codes.OutOfRange: http.StatusBadRequest,
		codes.Unauthenticated: http.StatusUnauthorized, codes.PermissionDenied: http.StatusForbidden, codes.NotFound: http.StatusNotFound,
		codes.AlreadyExists: http.StatusConflict, codes.Aborted: http.StatusConflict, codes.FailedPrecondition: http.StatusConflict,
		codes.ResourceExhausted: http.StatusTooManyRequests, codes.Unimplemented: http.StatusNotImplemented,
		codes.Unavailable: http.StatusServiceUnavailable, codes.DeadlineExceeded: http.StatusGatewayTimeout,
	}
}

// NameOf a gRPC code as every language but Go writes it.
func NameOf(c codes.Code) string { return code.Code(c).String() }

// problemOf tells an error of a call.
func problemOf(err error, route *route) problem {
	s := status.Convert(err)
	p := problemWith(s.Code(), "", s.Message())
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			errors := p.Errors
			p = problemWith(s.Code(), d.GetReason(), s.Message())
			p.Metadata, p.Errors = d.GetMetadata(), errors
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				p.Errors = append(p.Errors, route.fault(v.GetField(), v.GetDescription()))
			}
		}
	}
	return p
}

func problemWith(c codes.Code, reason, detail string) problem {
	at, known := Statuses()[c]
	if !known {
		at = http.StatusInternalServerError
	}
	p := problem{Type: "about:blank", Title: http.StatusText(at), Status: at, Detail: detail, Code: NameOf(c), Reason: reason, grpc: c}
	if reason != "" {
		words := strings.ToLower(strings.ReplaceAll(reason, "_", " "))
		p.Type, p.Title = "tag:ontschot.nl,2026:"+reason, strings.ToUpper(words[:1])+words[1:]
	}
	return p
}

// violated tells which field is wrong, as the edge does of a call.
func (r *route) violated(v *admission.Violation) problem {
	p := problemWith(codes.InvalidArgument, "INVALID_FIELD", v.Error())
	p.Metadata, p.Errors = map[string]string{"field": v.Field}, []fault{r.fault(v.Field, v.What)}
	return p
}

// fault says where the field of a violation stands in the request.
func (r *route) fault(field, detail string) fault {
	f := fault{In: "body", Field: field, Detail: detail}
	first, _, _ := strings.Cut(field, ".")
	switch {
	case slices.Contains(r.inPath, field):
		f.In, f.Name = "path", field
	case slices.Contains(passed(), http.CanonicalHeaderKey(field)):
		f.In, f.Name = "header", field
	case r.Verb == http.MethodGet:
		f.In, f.Name = "query", first
		if known := r.method.Input().Fields().ByTextName(first); known != nil {
			f.Name = known.JSONName()
		}
	default:
		f.Pointer = r.pointer(field)
	}
	return f
}

var entry = regexp.MustCompile(`\[([^\]]*)\]`)

// pointer is the JSON pointer (RFC 6901) of a field of the body; empty: all of it.
func (r *route) pointer(field string) string {
	if field == "body" {
		return ""
	}
	var at strings.Builder
	md := r.method.Input()
	for segment := range strings.SplitSeq(field, ".") {
		name, _, _ := strings.Cut(segment, "[")
		var f protoreflect.FieldDescriptor
		if md != nil {
			f = md.Fields().ByTextName(name)
		}
		md = nil
		if f != nil {
			name = f.JSONName()
			md = f.Message()
		}
		at.WriteString("/" + name)
		for _, m := range entry.FindAllStringSubmatch(segment, -1) {
			at.WriteString("/" + strings.Trim(m[1], `"`))
		}
	}
	return at.String()
}

// refuse tells what is wrong with a request that is no call, and notes it.
func (d *Door) refuse(w http.ResponseWriter, at int, reason, detail string) {
	p := problemWith(map[int]codes.Code{
		http.StatusForbidden: codes.PermissionDenied, http.StatusNotFound: codes.NotFound, http.StatusMethodNotAllowed: codes.Unimplemented, http.StatusNotAcceptable: codes.InvalidArgument,
		http.StatusRequestTimeout: codes.Canceled, http.StatusRequestEntityTooLarge: codes.ResourceExhausted, http.StatusUnsupportedMediaType: codes.InvalidArgument,
	}[at], reason, detail)
	p.Status = at
	d.refused(w, p)
}

// refused notes of a request that came to no call what the edge notes of a call, and tells it.
func (d *Door) refused(w http.ResponseWriter, p problem) {
	d.log.Info("refused", "code", p.grpc.String(), "reason", p.Reason)
	d.tell(w, p)
}

// tell writes a problem.
func (d *Door) tell(w http.ResponseWriter, p problem) {
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Content-Type", problemKind)
	w.WriteHeader(p.Status)
	_, _ = w.Write(lineOf(p))
}

// lineOf writes what holds texts and numbers as a line of JSON.
func lineOf(v any) []byte {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // of such it does not fail
	return line.Bytes()
}
