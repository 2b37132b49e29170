package source

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ontschot/ontschot/adapters"
)

// early is how long before its end a token is replaced.
const early = 10 * time.Second

// tokens keeps the access token. The token source of x/oauth2 holds on to one
// context for ever; here each request for a token ends with the call that needs it.
type tokens struct {
	client *http.Client
	config clientcredentials.Config
	turn   chan struct{} // holds one; whoever put it there may use token
	token  *oauth2.Token
}

func newTokens(client *http.Client, config clientcredentials.Config) *tokens {
	return &tokens{client: client, config: config, turn: make(chan struct{}, 1)}
}

// get gives a token that is good for a while; refused is one the source did not take.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", adapters.Timeout()
	}
	if t.token != nil && t.token.AccessToken != refused &&
		(t.token.Expiry.IsZero() || time.Until(t.token.Expiry) > early) {
		return t.token.AccessToken, nil
	}
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return "", tokenFault(ctx, err)
	}
	t.token = token
	return token.AccessToken, nil
}
