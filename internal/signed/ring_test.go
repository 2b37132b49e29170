package signed

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestARingSignsWithTheLastWhoseTimeHasCome(t *testing.T) {
	one, two, three := newSigner(t, alice, "1"), newSigner(t, alice, "2"), newSigner(t, alice, "3")
	now := time.Now()
	r, err := NewRing(Timed{Signer: one}, Timed{two, now.Add(-time.Minute)}, Timed{three, now.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, "2", r.Signer().KeyID)
	require.ErrorIs(t, r.Set(Timed{three, now.Add(time.Hour)}), ErrKey, "announced only")
	require.Equal(t, "2", r.Signer().KeyID, "nothing has changed")
	_, err = NewRing(Timed{three, now.Add(time.Hour)})
	require.ErrorIs(t, err, ErrKey, "announced only")
	_, err = NewRing()
	require.ErrorIs(t, err, ErrKey)
	require.NoError(t, r.Set(Timed{Signer: three}))
	require.Equal(t, "3", r.Signer().KeyID)
}
