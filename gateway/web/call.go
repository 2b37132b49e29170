package web

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
)

// passed are the headers that a call takes along, each with the name it has in the metadata of a
// call. No other header means anything.
func passed() []string {
	return []string{"Authorization", "Idempotency-Key", "Ontschot-Case", "Ontschot-Second", "Traceparent"}
}

// prefix of a message in a call: a flag, and its length.
const prefix = 5

// call has the server answer a message, as if it had come over gRPC on this very connection: its
// certificate, its caller's token, its interceptors, its end when the caller hangs up.
func (d *Door) call(w http.ResponseWriter, r *http.Request, route *route, in proto.Message) {
	body, err := proto.MarshalOptions{}.MarshalAppend(make([]byte, prefix), in)
	if err != nil {
		d.tell(w, problemOf(status.Error(codes.Internal, "the request cannot be passed on"), route))
		return
	}
	if len(body)-prefix > admission.MaxRequest {
		d.tooLarge(w)
		return
	}
	binary.BigEndian.PutUint32(body[1:prefix], uint32(len(body)-prefix))
	header := http.Header{"Content-Type": {"application/grpc"}, "Grpc-Timeout": {fmt.Sprintf("%dS", int(Longest.Seconds()))}}
	for _, name := range passed() {
		if values := r.Header.Values(name); len(values) > 0 {
			header[name] = values
		}
	}
	if keys := header["Idempotency-Key"]; len(keys) == 1 {
		header["Idempotency-Key"] = []string{unquoted(keys[0])}
	}
	a := &answer{w: w, route: route, header: http.Header{}}
	d.calls.ServeHTTP(a, (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: route.RPC}, Proto: "HTTP/2.0", ProtoMajor: 2, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), RemoteAddr: r.RemoteAddr, TLS: r.TLS,
	}).WithContext(r.Context()))
	d.end(w, a)
}

// unquoted takes the quotes off a key that is written as a structured field (RFC 8941).
func unquoted(key string) string {
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok && !strings.ContainsAny(inner, `"\`) {
			return inner
		}
	}
	return key
}

// end writes what is to be written when a call is over.
func (d *Door) end(w http.ResponseWriter, a *answer) {
	err := a.status()
	switch {
	case err != nil && a.lines > 0: // it has begun to answer: the last line says so
		_, _ = w.Write(lineOf(map[string]problem{"problem": problemOf(err, a.route)}))
	case err != nil:
		d.tell(w, problemOf(err, a.route))
	case !a.route.method.IsStreamingServer():
		w.Header().Set("Content-Type", jsonKind)
		_, _ = w.Write(append(a.last, '\n'))
	}
}

// answer is the http.ResponseWriter to which the server writes messages and a status.
type answer struct {
	w      http.ResponseWriter
	route  *route
	header http.Header
	code   int
	frame  []byte // what has come of a message
	last   []byte // the last message, in JSON
	lines  int    // that have been written
	failed error
}

// Header is http.ResponseWriter's.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader is http.ResponseWriter's.
func (a *answer) WriteHeader(code int) { a.code = code }

// Flush is http.Flusher's, which the server asks for.
func (*answer) Flush() {}

// Write takes a piece of the messages.
func (a *answer) Write(p []byte) (int, error) {
	if a.failed != nil || a.code > http.StatusOK {
		return len(p), nil
	}
	a.frame = append(a.frame, p...)
	for len(a.frame) >= prefix {
		size := int(binary.BigEndian.Uint32(a.frame[1:prefix]))
		if len(a.frame)-prefix < size {
			break
		}
		a.failed = a.message(a.frame[prefix : prefix+size])
		a.frame = a.frame[prefix+size:]
	}
	return len(p), nil
}

// message takes one whole message; of a stream it writes a line.
func (a *answer) message(raw []byte) error {
	out := a.route.out.New().Interface()
	if err := proto.Unmarshal(raw, out); err != nil {
		return err
	}
	text, err := protojson.Marshal(out)
	if err != nil {
		return err
	}
	var plain bytes.Buffer // protojson puts in spaces as it likes
	if err := json.Compact(&plain, text); err != nil {
		return err
	}
	a.last = plain.Bytes()
	if !a.route.method.IsStreamingServer() {
		return nil
	}
	a.w.Header().Set("Content-Type", linesKind)
	a.lines++
	if _, err := a.w.Write(append(a.last, '\n')); err != nil {
		return err
	}
	return http.NewResponseController(a.w).Flush()
}

// status is how the call ended; nil: well.
func (a *answer) status() error {
	if a.failed != nil {
		return status.Error(codes.Internal, "the answer cannot be written")
	}
	n, err := strconv.ParseUint(a.header.Get("Grpc-Status"), 10, 32)
	if err != nil { // the server is ending, or the caller hung up
		return status.Error(codes.Unavailable, "the gateway is ending; try again")
	}
	s := &spb.Status{Code: int32(n)}
	if raw, err := base64.RawStdEncoding.DecodeString(a.header.Get("Grpc-Status-Details-Bin")); err == nil && len(raw) > 0 && proto.Unmarshal(raw, s) == nil {
		return status.ErrorProto(s)
	}
	if s.Message, err = url.PathUnescape(a.header.Get("Grpc-Message")); err != nil {
		s.Message = ""
	}
	if s.GetCode() == int32(codes.OK) && a.last == nil && !a.route.method.IsStreamingServer() {
		return status.Error(codes.Internal, "the call was not answered")
	}
	return status.ErrorProto(s)
}
