package authzen

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/internal/identity"
)

// Paths of the API.
const (
	PathEvaluation    = "/access/v1/evaluation"
	PathEvaluations   = "/access/v1/evaluations"
	PathConfiguration = "/.well-known/authzen-configuration"
)

// problem is how an error is told (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

const anyProblem = "about:blank" // the title is that of the status

// requestID keeps an id, which is echoed, to plain signs.
var requestID = regexp.MustCompile(`^[ -~]{1,255}$`)

// host keeps what a URL is made of to the signs of a host and a port.
var host = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]{1,255}$`)

// ServeHTTP is an http.Handler, behind mutual TLS.
func (p *Point) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if ids := r.Header.Values("X-Request-ID"); len(ids) == 1 && requestID.MatchString(ids[0]) && !identity.LooksLikeBSN(ids[0]) {
		w.Header().Set("X-Request-ID", ids[0])
	} else if len(ids) > 0 { // what is not echoed is not answered: who asks would take it for the answer to another
		refuse(w, http.StatusBadRequest, "X-Request-ID stands once, has 1 to 255 plain signs and does not look like a burgerservicenummer")
		return
	}
	method := map[string]string{PathEvaluation: http.MethodPost, PathEvaluations: http.MethodPost, PathConfiguration: http.MethodGet}[r.URL.Path]
	switch {
	case method == "":
		refuse(w, http.StatusNotFound, "there are "+PathEvaluation+", "+PathEvaluations+" and "+PathConfiguration)
	case r.Method != method:
		w.Header().Set("Allow", method)
		refuse(w, http.StatusMethodNotAllowed, "use "+method)
	case r.URL.RawQuery != "":
		refuse(w, http.StatusBadRequest, "the URL has no query; put all of it in the body")
	case r.URL.Path == PathConfiguration:
		configuration(w, r)
	default:
		p.evaluate(w, r)
	}
}

// configuration says where the endpoints are (Authorization API 1.0, section 9).
func configuration(w http.ResponseWriter, r *http.Request) {
	if !host.MatchString(r.Host) {
		refuse(w, http.StatusBadRequest, "the Host header is no host and port")
		return
	}
	at := "https://" + r.Host
	write(w, http.StatusOK, "application/json", map[string]string{
		"policy_decision_point": at, "access_evaluation_endpoint": at + PathEvaluation, "access_evaluations_endpoint": at + PathEvaluations,
	})
}

// evaluate answers one evaluation or several.
func (p *Point) evaluate(w http.ResponseWriter, r *http.Request) {
	if kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		refuse(w, http.StatusRequestEntityTooLarge, "a body has at most "+strconv.Itoa(maxBody)+" bytes")
		return
	}
	if err != nil {
		return // who sent it is gone
	}
	do := p.one
	if r.URL.Path == PathEvaluations {
		do = p.all
	}
	said, err := p.Edge.Unary(shown(r), body, &grpc.UnaryServerInfo{FullMethod: r.URL.Path}, func(ctx context.Context, _ any) (any, error) {
		return do(ctx, body)
	})
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, "application/json", said)
}

func (p *Point) one(ctx context.Context, body []byte) (any, error) {
	client, err := p.admit(ctx)
	if err == nil {
		err = p.count(client, 1)
	}
	if err != nil {
		return nil, err
	}
	q, err := readOne(body)
	if err != nil {
		return nil, err
	}
	a, err := p.decide(ctx, p.engine(), q)
	if err != nil {
		return nil, err
	}
	admission.Logged(ctx, p.Log).Info("evaluated", "requests", 1)
	return a, nil
}

// all answers several by one revision. One that is not of the contract is a no that says
// so, and does not fail the others.
func (p *Point) all(ctx context.Context, body []byte) (any, error) {
	client, err := p.admit(ctx) // before anything of the body is looked at
	if err != nil {
		return nil, err
	}
	s, err := readSeveral(body)
	if err == nil {
		err = p.count(client, len(s.requests))
	}
	if err != nil {
		return nil, err
	}
	e := p.engine()
	var answers []any
	for _, q := range s.requests {
		a, err := p.decide(ctx, e, q)
		switch {
		case s.single && err != nil:
			return nil, err
		case s.single:
			answers = append(answers, a)
		case err != nil:
			answers = append(answers, wrong(err))
		default:
			answers = append(answers, a)
		}
		if s.ends(err == nil && a.Decision) {
			break
		}
	}
	admission.Logged(ctx, p.Log).Info("evaluated", "requests", len(answers))
	if s.single {
		return answers[0], nil
	}
	return map[string]any{"evaluations": answers}, nil
}

// wrong is the no to an evaluation that is not of the contract.
func wrong(err error) any {
	return map[string]any{"decision": false, "context": map[string]any{"error": map[string]any{"status": http.StatusBadRequest, "message": err.Error()}}}
}

// shown is the request as admission knows calls: certificate, token, trace.
func shown(r *http.Request) context.Context {
	md := metadata.MD{}
	for _, name := range []string{"authorization", "traceparent", "ontschot-case"} {
		if values := r.Header.Values(name); len(values) > 0 {
			md[name] = values
		}
	}
	ctx := metadata.NewIncomingContext(r.Context(), md)
	if r.TLS == nil {
		return ctx
	}
	return peer.NewContext(ctx, &peer.Peer{AuthInfo: credentials.TLSInfo{State: *r.TLS}})
}

// fail tells an error of the edge.
func fail(w http.ResponseWriter, err error) {
	s := status.Convert(err)
	code, known := map[codes.Code]int{
		codes.InvalidArgument: http.StatusBadRequest, codes.Unauthenticated: http.StatusUnauthorized, codes.PermissionDenied: http.StatusForbidden,
		codes.ResourceExhausted: http.StatusTooManyRequests, codes.Unavailable: http.StatusServiceUnavailable, codes.DeadlineExceeded: http.StatusGatewayTimeout,
	}[s.Code()]
	if !known {
		code = http.StatusInternalServerError
	}
	switch code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	refuse(w, code, s.Message())
}

func refuse(w http.ResponseWriter, code int, detail string) {
	write(w, code, "application/problem+json", problem{anyProblem, http.StatusText(code), code, detail})
}

func write(w http.ResponseWriter, code int, kind string, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		code, raw = http.StatusInternalServerError, nil // a struct of texts cannot fail to be JSON
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(append(raw, '\n')) // who does not listen does not hear it
}
