package signed

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/internal/identity"
)

// A key signs documents when it may sign one of the kinds that are registered.
func TestWhichKeysSignDocuments(t *testing.T) {
	registered := []Kind{Consent, Agreement, Statement}
	for _, kind := range Kinds() {
		want := kind == registered[0] || kind == registered[1] || kind == registered[2]
		require.Equal(t, want, Key{Kinds: []Kind{kind}}.SignsDocuments(), kind)
		require.Equal(t, want, Key{Kinds: []Kind{Token, kind, Result}}.SignsDocuments(), kind)
	}
	require.False(t, Key{}.SignsDocuments())
	require.False(t, Key{Kinds: []Kind{Token, Result, Permit}}.SignsDocuments())
}

// What has no public form has no digest, and no verifier pins it.
func TestAKeyWithoutAPublicForm(t *testing.T) {
	digest, err := Key{Public: "text"}.Digest()
	require.ErrorIs(t, err, ErrKey)
	require.Empty(t, digest)
}

// One id is one key of an issuer; two issuers may use the same.
func TestTwoKeysOfOneID(t *testing.T) {
	a := newSigner(t, alice, "k")
	key := Key{ID: "k", Alg: a.Alg, Public: a.Key.Public(), Kinds: Kinds()}
	_, err := NewVerifier(map[identity.OIN][]Key{alice: {key, key}})
	require.EqualError(t, err, `key "k" of 00000099000000000001: ids must be there and unique`)
	v, err := NewVerifier(map[identity.OIN][]Key{alice: {key}, bob: {key}})
	require.NoError(t, err)
	before := v.Generation()
	require.Error(t, v.Pin(map[identity.OIN][]Key{alice: {key, key}}))
	require.Equal(t, before, v.Generation(), "nothing has changed")
	require.NoError(t, v.Pin(nil))
	require.Equal(t, before+1, v.Generation())
}

// What is remembered is bounded in number and in bytes; when it is full it starts anew
// with what came last.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	at := func(i int) mark { return mark{sum: sha256.Sum256([]byte{byte(i), byte(i >> 8)})} }
	var s seen
	for i := range mostSeen {
		s.add(at(i), sighting{}, 1)
	}
	require.Len(t, s.set, mostSeen)
	s.add(at(mostSeen), sighting{}, 1)
	require.Len(t, s.set, 1)
	_, ok := s.find(at(mostSeen))
	require.True(t, ok)

	s = seen{}
	s.add(at(1), sighting{}, mostBytes-1)
	s.add(at(2), sighting{}, 1)
	require.Len(t, s.set, 2, "as many as may be")
	s.add(at(3), sighting{}, 1)
	require.Len(t, s.set, 1)
	s.add(at(4), sighting{}, mostBytes-1)
	require.Len(t, s.set, 2, "counted anew")
}

// A sighting fills claims of its own type alone.
func TestASightingFillsItsOwnType(t *testing.T) {
	var one sighting
	require.False(t, one.fill(new(claims)), "nothing was remembered")
	one.remember(&claims{Text: "x"})
	var got claims
	require.True(t, one.fill(&got))
	require.Equal(t, "x", got.Text)
	require.False(t, one.fill(new(outsideClaims)))
}

// How large an RSA key must be for what it signs, and that a key of a type that signs
// nothing is none, whatever its algorithm is said to be.
func TestWhichKeysFit(t *testing.T) {
	ofBits := func(n int) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), n-1, 1), E: 65537}
	}
	agrees, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		key  Key
		good bool
	}{
		"RS256 of 2048 bits":            {Key{Alg: "RS256", Public: ofBits(2048), Kinds: []Kind{Token}}, true},
		"RS256 of 2047 bits":            {Key{Alg: "RS256", Public: ofBits(2047), Kinds: []Kind{Token}}, false},
		"PS256 of 3072 bits":            {Key{Alg: "PS256", Public: ofBits(3072), Kinds: Kinds()}, true},
		"PS256 of 3071 bits":            {Key{Alg: "PS256", Public: ofBits(3071), Kinds: Kinds()}, false},
		"RS256 of 3072 bits for others": {Key{Alg: "RS256", Public: ofBits(3072), Kinds: Kinds()}, false},
		"ES256 of an RSA key":           {Key{Alg: "ES256", Public: ofBits(3072), Kinds: Kinds()}, false},
		"a key that agrees on another":  {Key{Alg: "ES256", Public: agrees.PublicKey(), Kinds: Kinds()}, false},
	} {
		c.key.ID = "k"
		_, err := NewVerifier(map[identity.OIN][]Key{alice: {c.key}})
		require.Equal(t, c.good, err == nil, name)
		if !c.good {
			require.ErrorIs(t, err, ErrKey, name)
		}
	}
}
