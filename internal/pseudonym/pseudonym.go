// Package pseudonym answers: what stands for a person where no number may stand? It
// holds the secret keys of one organisation; what is made with them says nothing to
// anybody else.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/ontschot/ontschot/internal/identity"
)

// Keys are the pseudonym keys of an organisation, the newest first: it makes new
// pseudonyms, the older ones find what was registered under them.
type Keys struct {
	own  identity.OIN
	keys [][]byte
}

// NewKeys takes keys of 32 bytes each that only this organisation has, the newest first.
func NewKeys(own identity.OIN, keys [][]byte) (Keys, error) {
	if len(keys) == 0 || slices.ContainsFunc(keys, func(k []byte) bool { return len(k) != 32 }) {
		return Keys{}, errors.New("pseudonym: keys of 32 bytes are needed, one at least")
	}
	return Keys{own, keys}, nil
}

// IsZero reports whether there are no keys.
func (k Keys) IsZero() bool { return len(k.keys) == 0 }

// Of are the pseudonyms of a person for a purpose under every version of the key, the
// newest first: 32 bytes each.
func (k Keys) Of(bsn identity.BSN, purpose string) [][]byte {
	all := make([][]byte, len(k.keys))
	for i, key := range k.keys {
		sum := bsn.Pseudonym(key, k.own, purpose)
		all[i] = sum[:]
	}
	return all
}

// Text is how a pseudonym is written: base64url without padding.
func Text(pseudonym []byte) string { return base64.RawURLEncoding.EncodeToString(pseudonym) }

// Hash is one that only this organisation can make: a request holds numbers that could be
// guessed. The text begins with what it is for.
func (k Keys) Hash(text string) (sum [32]byte) {
	h := hmac.New(sha256.New, k.keys[0])
	h.Write([]byte(text))
	h.Sum(sum[:0])
	return sum
}

// Strings are pseudonyms as the register holds them: the same bytes.
func Strings(pseudonyms [][]byte) []string {
	list := make([]string, len(pseudonyms))
	for i, p := range pseudonyms {
		list[i] = string(p)
	}
	return list
}
