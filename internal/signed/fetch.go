package signed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Remote is a file that somebody publishes over HTTPS. It is read within bounds of time and
// size, and never from another host than is configured.
type Remote struct {
	URL    string // https
	Accept string // media types
	Most   int64  // bytes
	// Client fetches; nil means one that trusts the system's authorities.
	Client *http.Client
	// Loopback allows http to a loopback address; for development.
	Loopback bool
}

// Errors of fetching; they hold nothing of what was fetched.
var (
	errNoURL     = errors.New("its URL is none")
	errNotHTTPS  = errors.New("its URL must begin with https://")
	errRedirects = errors.New("redirected to another host, or too often")
)

// NewRemote checks the URL; nothing is fetched yet.
func NewRemote(r Remote) (*Remote, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errNoURL
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && r.Loopback && isLoopback(u.Hostname())) {
		return nil, errNotHTTPS
	}
	client := http.Client{}
	if r.Client != nil {
		client = *r.Client
	}
	client.CheckRedirect = sameHost
	r.Client = &client
	return &r, nil
}

// Get reads it, in five seconds at most.
func (r *Remote) Get(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", r.Accept)
	answer, err := r.Client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", http.StatusText(answer.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, r.Most+1))
	if err == nil && int64(len(raw)) > r.Most {
		err = malformed("larger than %d bytes", r.Most)
	}
	return raw, err
}
