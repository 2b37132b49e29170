package main

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/web"
)

// object is one of JSON; both encoders write its members in the order of their names.
type object map[string]any

// document is all of it, in the order in which people read it.
type document struct {
	OpenAPI    string   `yaml:"openapi" json:"openapi"`
	Info       object   `yaml:"info" json:"info"`
	Servers    []object `yaml:"servers" json:"servers"`
	Security   []object `yaml:"security" json:"security"`
	Tags       []object `yaml:"tags" json:"tags"`
	Paths      object   `yaml:"paths" json:"paths"`
	Components object   `yaml:"components" json:"components"`
}

const about = `The gateway of an organisation, in JSON over HTTPS, for systems without gRPC. Every request is the gRPC call
of the same name (operationId), with the same checks and the same answer.

TLS 1.3 with a client certificate (mutual TLS), and an access token (RFC 9068) that is bound to it (RFC 8705). Who a
question is about stands in the body only, and never in an address.

Members are lowerCamelCase, a member that nobody knows is refused, and what is empty is left out. Whole numbers of 64
bits, such as amounts in cents, are texts. An error is application/problem+json (RFC 9457) with the gRPC status code,
the reason and its metadata; in a stream of lines (application/x-ndjson) that has begun it is the last line.`

// writer makes a document.
type writer struct {
	words   map[protoreflect.FullName]string
	schemas map[string]object
	answers map[protoreflect.FullName]bool // messages that are in some answer
}

func (w *writer) document() document {
	d := document{
		OpenAPI: "3.0.3",
		Info: object{
			"title": "Ontschot gateway", "version": web.Version, "description": about,
			"contact": object{"name": "Ontschot", "url": "https://github.com/ontschot/ontschot", "email": "ontschot@example.nl"},
			"license": object{"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
		},
		Servers:  []object{{"url": "https://{gateway}/v1", "description": "The gateway of your own organisation", "variables": object{"gateway": object{"default": "gateway.example.nl:8445", "description": "Host and port of https.listen"}}}},
		Security: []object{{"token": []string{}}},
		Paths:    object{"/openapi.json": object{"get": w.description()}},
	}
	tags := map[string]string{"Description": "What can be asked here."}
	for _, r := range web.Routes() {
		path := strings.TrimPrefix(r.Path, "/v1")
		if d.Paths[path] == nil {
			d.Paths[path] = object{}
		}
		d.Paths[path].(object)[strings.ToLower(r.Verb)] = w.operation(r)
		service := r.Method().Parent()
		tags[tagOf(r)] = w.words[service.FullName()]
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		d.Tags = append(d.Tags, object{"name": name, "description": tags[name]})
	}
	w.schemas["Problem"], w.schemas["FieldError"] = problem(), fieldError()
	schemas := object{}
	for name, s := range w.schemas {
		schemas[name] = s
	}
	d.Components = object{
		"schemas": schemas, "responses": w.errors(), "headers": object{"API-Version": object{"description": "The version of this API in full.", "schema": object{"type": "string", "example": web.Version}}},
		"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token (RFC 9068), bound to the client certificate of the connection (RFC 8705)."}},
	}
	return d
}

func tagOf(r web.Route) string {
	return strings.TrimSuffix(string(r.Method().Parent().Name()), "Service")
}

// description is the operation that gives this very document.
func (*writer) description() object {
	return object{
		"operationId": "getDescription", "tags": []string{"Description"}, "summary": "This description.", "security": []object{},
		"responses": withErrors(object{"200": answered("This document.", "application/json", object{"type": "object"})}, http.StatusForbidden, http.StatusNotAcceptable),
	}
}

func answered(description, kind string, schema object) object {
	return object{"description": description, "headers": version(), "content": object{kind: object{"schema": schema}}}
}

func version() object {
	return object{"API-Version": object{"$ref": "#/components/headers/API-Version"}}
}

func (w *writer) operation(r web.Route) object {
	m := r.Method()
	text := w.words[m.FullName()]
	first, _, _ := strings.Cut(text, ". ")
	o := object{"operationId": string(m.Name()), "tags": []string{tagOf(r)}, "summary": strings.TrimSuffix(first, ".") + ".", "description": text}
	inPath := fieldsIn(r.Path)
	parameters := w.parameters(r, inPath)
	if r.Verb == http.MethodPost {
		name, required := w.request(m.Input(), inPath)
		o["requestBody"] = object{"required": required, "content": object{"application/json": object{"schema": ref(name)}}}
		parameters = append(parameters, headers()...)
	}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	kind, schema := "application/json", ref(w.message(m.Output()))
	if m.IsStreamingServer() {
		kind, schema = "application/x-ndjson", ref(w.line(m.Output()))
	}
	failures := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusNotAcceptable, http.StatusRequestTimeout, http.StatusConflict,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusNotImplemented, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
	if r.Verb == http.MethodPost {
		failures = append(failures, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	o["responses"] = withErrors(object{"200": answered("The answer.", kind, schema)}, failures...)
	return o
}

var field = regexp.MustCompile(`\{(\w+)\}`)

func fieldsIn(path string) (names []string) {
	for _, m := range field.FindAllStringSubmatch(path, -1) {
		names = append(names, m[1])
	}
	return names
}

// headers that a call with a body may have; the token is a matter of security.
func headers() []any {
	return []any{
		object{"name": "Idempotency-Key", "in": "header", "description": "A key of 16 to 128 characters, such as a UUID. The same request under the same key is recognised for a day, another is refused.", "schema": object{"type": "string", "maxLength": 130}},
		object{"name": "traceparent", "in": "header", "description": "W3C trace context: by it your log and the gateway's request log can be laid side by side.", "schema": object{"type": "string"}},
	}
}

// parameters are the fields of a request in its path and, without a body, its query.
func (w *writer) parameters(r web.Route, inPath []string) (all []any) {
	fields := r.Method().Input().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		at := "query"
		if slices.Contains(inPath, string(f.Name())) {
			at = "path"
		} else if r.Verb == http.MethodPost {
			continue
		}
		p := object{"name": f.JSONName(), "in": at, "required": at == "path", "schema": w.scalar(f)}
		if text := w.words[f.FullName()]; text != "" {
			p["description"] = text
		}
		all = append(all, p)
	}
	return all
}

// request is the schema of what is in a body; not required when nothing has to be.
func (w *writer) request(md protoreflect.MessageDescriptor, inPath []string) (name string, required bool) {
	name = w.message(md)
	s := w.schemas[name]
	s["additionalProperties"] = false // an answer may have more one day, and a request may not
	if len(inPath) > 0 {              // no other call has this message
		for _, f := range inPath {
			delete(s["properties"].(object), f)
		}
		if left := slices.DeleteFunc(slices.Clone(listOf(s["required"])), func(f string) bool { return slices.Contains(inPath, f) }); len(left) > 0 {
			s["required"] = left
		} else {
			delete(s, "required")
		}
	}
	return name, len(listOf(s["required"])) > 0
}

func listOf(v any) []string {
	list, _ := v.([]string)
	return list
}

// line is the schema of one line of a stream.
func (w *writer) line(md protoreflect.MessageDescriptor) string {
	name := w.message(md)
	w.schemas[name]["properties"].(object)["problem"] = object{"allOf": []object{ref("Problem")}, "description": "Only in the last line, of a stream that does not end well."}
	return name
}

// withErrors adds the errors that are told by each status.
func withErrors(responses object, statuses ...int) object {
	for _, s := range statuses {
		responses[strconv.Itoa(s)] = object{"$ref": "#/components/responses/" + nameOf(s)}
	}
	return responses
}

func nameOf(status int) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(status))
}

// ofDoor are the reasons of what is no call.
func ofDoor() map[int][]string {
	return map[int][]string{
		http.StatusForbidden: {"CROSS_ORIGIN"}, http.StatusNotFound: {"NO_SUCH_PATH"}, http.StatusNotAcceptable: {"NOT_ACCEPTABLE"},
		http.StatusRequestTimeout: {"BODY_INCOMPLETE"}, http.StatusRequestEntityTooLarge: {"BODY_TOO_LARGE"}, http.StatusUnsupportedMediaType: {"NOT_JSON"},
		http.StatusNotImplemented: nil, // of another version of the gateway
	}
}

// errors are the answers that are none, each with the reasons it can have.
func (*writer) errors() object {
	reasons := ofDoor()
	for code, all := range refusal.ReasonsByCode() {
		at, known := web.Statuses()[code]
		if !known {
			at = http.StatusInternalServerError
		}
		reasons[at] = append(reasons[at], all...)
	}
	responses := object{}
	for at, all := range reasons {
		text := http.StatusText(at) + "."
		if slices.Sort(all); len(all) > 0 {
			text = fmt.Sprintf("%s; the reason is one of: %s.", http.StatusText(at), strings.Join(slices.Compact(all), ", "))
		}
		r := answered(text, "application/problem+json", ref("Problem"))
		headers := r["headers"].(object)
		switch at {
		case http.StatusUnauthorized:
			headers["WWW-Authenticate"] = object{"schema": object{"type": "string"}}
		case http.StatusTooManyRequests:
			headers["Retry-After"] = object{"description": "Seconds.", "schema": object{"type": "integer"}}
		}
		responses[nameOf(at)] = r
	}
	return responses
}

func problem() object {
	var names []string
	for c := codes.Canceled; c <= codes.Unauthenticated; c++ {
		names = append(names, web.NameOf(c))
	}
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type": "object", "description": "An error (RFC 9457): all that a caller over gRPC reads of it.", "required": []string{"type", "title", "status", "detail", "code"},
		"properties": object{
			"type": object{"type": "string", "format": "uri", "description": "A tag (RFC 4151) with the reason; about:blank without one."}, "title": text("The reason in words."),
			"status": object{"type": "integer", "description": "The HTTP status."}, "detail": text("What is wrong, and what to do next. It never repeats a value."),
			"code":   object{"type": "string", "enum": names, "description": "The gRPC status code."},
			"reason": text("By what a program tells errors apart; the reasons are listed at each status, and there can come more."),
			"metadata": object{"type": "object", "additionalProperties": object{"type": "string"},
				"description": "Of the reason, for example way: the acts that would turn the no; codes: those of the rules; field."},
			"errors": object{"type": "array", "items": ref("FieldError"), "description": "What is wrong with which field."},
		},
	}
}

func fieldError() object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	return object{
		"type": "object", "description": "What is wrong with one field.", "required": []string{"in", "field", "detail"},
		"properties": object{
			"in":      object{"type": "string", "enum": []string{"body", "path", "query", "header"}},
			"pointer": text("Where in the body (RFC 6901); none: all of it."), "name": text("Of the parameter or the header."),
			"field": text("As gRPC names it."), "detail": text("What is wrong with it."),
		},
	}
}
