package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
)

// To the second: a skew of thirty either way, and a life of three hundred.
func TestATokenToTheSecond(t *testing.T) {
	f := open(t, "meppel")
	keys, err := f.Verifier()
	require.NoError(t, err)
	now := time.Unix(f.Now.Unix(), 0)
	k := token.Checker{Keys: keys, Audience: string(f.Requester().OIN), Now: func() time.Time { return now }}
	for name, c := range map[string]struct {
		iat, nbf, exp int64 // seconds from now
		want          error
	}{
		"as it is minted":        {0, 0, 300, nil},
		"a life of 301":          {0, 0, 301, token.ErrInvalid},
		"expired 30 seconds ago": {-200, -200, -30, nil},
		"expired 31 seconds ago": {-200, -200, -31, token.ErrExpired},
		"nbf in 30 seconds":      {0, 30, 300, nil},
		"nbf in 31 seconds":      {0, 31, 300, token.ErrInvalid},
		"iat in 30 seconds":      {30, 0, 330, nil},
		"iat in 31 seconds":      {31, 0, 330, token.ErrInvalid},
		"a life of a second":     {0, 0, 1, nil},
		"a life of none":         {0, 0, 0, token.ErrInvalid},
	} {
		raw, err := f.Token(now, func(claims *token.Claims) {
			claims.IssuedAt, claims.NotBefore, claims.Expires = now.Unix()+c.iat, now.Unix()+c.nbf, now.Unix()+c.exp
		})
		require.NoError(t, err)
		_, err = k.Check(token.Call{Bearer: raw, Leaf: f.Requester().Client.TLS.Leaf, Purpose: f.Case.Purpose, Today: f.Case.Today.Date})
		require.ErrorIs(t, err, c.want, name)
	}
}

// A consent for longer than twelve months counts for twelve.
func TestAConsentOfThirteenMonthsCountsForTwelve(t *testing.T) {
	f := open(t, "meppel")
	keys, err := f.Verifier()
	require.NoError(t, err)
	r := given(t, f, f.Case.Consents[0], func(c *consent.Claims) { c.From, c.Until = "2025-01-01", "2026-01-31" })
	d, err := consent.Verify(keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	require.NoError(t, err)
	require.Equal(t, "2025-12-31", d.Span().To.String())
	require.True(t, d.InForce(civil.MustParse("2025-12-31")))
	require.False(t, d.InForce(civil.MustParse("2026-01-01")))
}
