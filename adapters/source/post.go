package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/ontschot/ontschot/adapters"
)

// maxAnswer bounds what a system may answer, in bytes.
const maxAnswer = 4 << 20

// Message is one request to a system. What identifies a person is in the body:
// addresses end up in the logs of every machine on the way.
type Message struct {
	Method string // POST when empty
	Path   string // behind the configured URL
	Type   string // content type of the body
	Body   []byte
	Header map[string]string
	// Accept lists the media types that an answer may have.
	Accept []string
	// AlsoFaults lets answers with status 400 and 500 through: SOAP faults have those.
	AlsoFaults bool
}

// Post sends a request and gives the body of the answer. Its errors are those of
// package adapters.
func (s *Source) Post(ctx context.Context, m Message) ([]byte, error) {
	token, err := s.token(ctx, "")
	if err != nil {
		return nil, err
	}
	body, status, err := s.send(ctx, m, token)
	if status == http.StatusUnauthorized && s.tokens != nil { // withdrawn before its end
		if token, err = s.token(ctx, token); err != nil {
			return nil, err
		}
		body, _, err = s.send(ctx, m, token)
	}
	return body, err
}

// Messages searches an archive of messages: JSON in, XML out.
func (s *Source) Messages(ctx context.Context, search []byte) ([]byte, error) {
	return s.Post(ctx, Message{Path: "/berichten/zoeken", Type: "application/json", Body: search, Accept: []string{"application/xml", "text/xml"}})
}

func (s *Source) token(ctx context.Context, refused string) (string, error) {
	if s.tokens == nil {
		return s.bearer.Reveal(), nil
	}
	return s.tokens.get(ctx, refused)
}

func (s *Source) send(ctx context.Context, m Message, token string) ([]byte, int, error) {
	r, err := http.NewRequestWithContext(ctx, cmp.Or(m.Method, http.MethodPost), s.settings.URL+m.Path, bytes.NewReader(m.Body))
	if err != nil {
		return nil, 0, adapters.Bug()
	}
	if m.Type != "" {
		r.Header.Set("Content-Type", m.Type)
	}
	if len(m.Accept) > 0 {
		r.Header.Set("Accept", strings.Join(m.Accept, ", "))
	}
	for key, value := range m.Header {
		r.Header.Set(key, value)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, 0, adapters.FromTransport(ctx, err)
	}
	defer answer.Body.Close()
	if err := statusFault(answer.StatusCode, m.AlsoFaults); err != nil {
		return nil, answer.StatusCode, err
	}
	body, err := read(ctx, answer, m.Accept)
	return body, answer.StatusCode, err
}

func read(ctx context.Context, answer *http.Response, accept []string) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || !contains(accept, kind) {
		return nil, adapters.BadData("Content-Type", "as documented for this interface")
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, adapters.FromTransport(ctx, err)
	case len(body) > maxAnswer:
		return nil, adapters.BadData(".", "at most "+strconv.Itoa(maxAnswer)+" bytes")
	}
	return body, nil
}

func contains(accept []string, kind string) bool {
	for _, a := range accept {
		if a == kind {
			return true
		}
	}
	return false
}

// statusFault maps a status. 404 is no "nothing there": a wrong address must not
// look like a person without rights.
func statusFault(status int, alsoFaults bool) error {
	switch {
	case status == http.StatusOK, alsoFaults && (status == http.StatusInternalServerError || status == http.StatusBadRequest):
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return adapters.NotAuthorised()
	case status == http.StatusTooManyRequests:
		return adapters.RateLimited()
	case status == http.StatusGatewayTimeout, status == http.StatusRequestTimeout:
		return adapters.Timeout()
	default:
		return adapters.Unavailable()
	}
}

// tokenFault maps a failure to get a token. The text of the error quotes the
// answer of the token endpoint and is not kept.
func tokenFault(ctx context.Context, err error) error {
	var retrieve *oauth2.RetrieveError
	if errors.As(err, &retrieve) && retrieve.Response != nil {
		switch status := retrieve.Response.StatusCode; status {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden: // RFC 6749 section 5.2: the client is refused
			return adapters.LoginRefused()
		case http.StatusOK:
			return adapters.BadData("access_token", "an answer as in RFC 6749 section 5.1")
		default:
			return statusFault(status, false)
		}
	}
	return adapters.FromTransport(ctx, err)
}
