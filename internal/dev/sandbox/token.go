package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// lifetime of an access token.
const lifetime = 5 * time.Minute

// mostTokens bounds what is remembered; beyond it the old ones are void.
const mostTokens = 1000

// tokens is the token endpoint of a party: OAuth2 client credentials (RFC 6749
// section 4.4) with the secret in the Authorization header.
type tokens struct {
	secret string
	now    func() time.Time

	mu    sync.Mutex
	until map[string]time.Time
}

func newTokens(secret string, now func() time.Time) *tokens {
	return &tokens{secret: secret, now: now, until: map[string]time.Time{}}
}

func (t *tokens) issue(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost || form.Get("grant_type") != "client_credentials" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"unsupported_grant_type"}`))
		return
	}
	id, secret, ok := r.BasicAuth()
	if !ok || id == "" || subtle.ConstantTimeCompare([]byte(unescaped(secret)), []byte(t.secret)) != 1 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_client"}`))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	replyJSON(w, map[string]any{
		"access_token": t.mint(), "token_type": "Bearer", "expires_in": int(lifetime / time.Second),
	})
}

// unescaped undoes the form encoding that RFC 6749 section 2.3.1 asks for.
func unescaped(secret string) string {
	plain, err := url.QueryUnescape(secret)
	if err != nil {
		return secret
	}
	return plain
}

func (t *tokens) mint() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.until) >= mostTokens {
		clear(t.until)
	}
	token := rand.Text()
	t.until[token] = t.now().Add(lifetime)
	return token
}

func (t *tokens) good(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	until, ok := t.until[token]
	return ok && t.now().Before(until)
}
