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
	URL    string
	accept string
	most   int64 // bytes
	client *http.Client
}

// Errors of fetching; they hold nothing of what was fetched.
var (
	errNoURL     = errors.New("its URL is none")
	errNotHTTPS  = errors.New("its URL must begin with https://")
	errRedirects = errors.New("redirected to another host, or too often")
)

// NewRemote checks the URL; nothing is fetched yet. Nil for a client means one that trusts the
// system's authorities. Loopback allows http to a loopback address, for development.
func NewRemote(address, accept string, most int64, client *http.Client, loopback bool) (*Remote, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errNoURL
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback && isLoopback(u.Hostname())) {
		return nil, errNotHTTPS
	}
	own := http.Client{}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = sameHost
	return &Remote{address, accept, most, &own}, nil
}

// Get reads it, in five seconds at most.
func (r *Remote) Get(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Accept", r.accept)
	answer, err := r.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", http.StatusText(answer.StatusCode))
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, r.most+1))
	if err == nil && int64(len(raw)) > r.most {
		err = malformed("larger than %d bytes", r.most)
	}
	return raw, err
}
