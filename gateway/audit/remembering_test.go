package audit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/ontschot/ontschot/gateway/audit"
)

// askedKey is a key that counts how often it is asked.
type askedKey struct {
	note.Verifier
	times atomic.Int64
}

func (c *askedKey) Verify(message, signature []byte) bool {
	c.times.Add(1)
	return c.Verifier.Verify(message, signature)
}

// A signature that was good is not verified again; another one, or one of something else, always
// is, and a bad one each time. What is remembered is bounded.
func TestKeysThatRemember(t *testing.T) {
	secret, public, err := audit.GenerateKey("ontschot.example/log")
	require.NoError(t, err)
	key, err := audit.ParseKey(secret)
	require.NoError(t, err)
	plain, err := audit.ParseKeys(public)
	require.NoError(t, err)
	of := &askedKey{Verifier: plain[0]}
	keys := audit.Keys{of}.Remembering()
	require.Equal(t, plain.Origin(), keys.Origin())
	require.True(t, keys.Hold(key))

	message := []byte("a checkpoint")
	sig, err := key.Signer.Sign(message)
	require.NoError(t, err)
	for range 3 {
		require.True(t, keys[0].Verify(message, sig))
	}
	require.EqualValues(t, 1, of.times.Load())
	for i := range sig {
		bad := append([]byte{}, sig...)
		bad[i] ^= 1
		require.False(t, keys[0].Verify(message, bad))
		require.False(t, keys[0].Verify(message, bad), "nor is a bad one good the second time")
	}
	require.False(t, keys[0].Verify(message[:len(message)-1], append(message[len(message)-1:], sig...)), "the same bytes, parted elsewhere")
	require.False(t, keys[0].Verify(nil, nil))
	require.True(t, keys[0].Verify(message, sig))

	before := of.times.Load()
	var all sync.WaitGroup
	for i := range 64 { // more than it remembers, at once
		all.Go(func() {
			other := fmt.Append(nil, "checkpoint ", i)
			sig, err := key.Signer.Sign(other)
			if err != nil || !keys[0].Verify(other, sig) {
				t.Error(i, err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 64, of.times.Load()-before)
	require.True(t, keys[0].Verify(message, sig))
	require.EqualValues(t, 65, of.times.Load()-before, "forgotten")
}
