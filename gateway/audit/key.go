package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
)

// SigningKey signs the log's checkpoints. Its name is the log's origin (C2SP
// tlog-checkpoint recommends that they be the same; here they are in the first epoch).
type SigningKey struct {
	Signer   note.Signer
	Verifier note.Verifier
}

// Keys are the public keys of one log, of which any may have signed its head: the one
// in use, those announced and those retired. All have the log's origin as their name.
type Keys []note.Verifier

// ParseKeys reads public keys as GenerateKey gives them. Errors: ErrKey.
func ParseKeys(texts ...string) (Keys, error) {
	var keys Keys
	for _, text := range texts {
		key, err := note.NewVerifier(strings.TrimSpace(text))
		if err != nil || len(keys) > 0 && key.Name() != keys[0].Name() {
			return nil, ErrKey
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, ErrKey
	}
	return keys, nil
}

// Origin of the log; empty when there are no keys.
func (k Keys) Origin() string {
	if len(k) == 0 {
		return ""
	}
	return k[0].Name()
}

// Hold reports whether the public half of a key is among them.
func (k Keys) Hold(key SigningKey) bool {
	return slices.ContainsFunc(k, func(v note.Verifier) bool {
		return v.Name() == key.Verifier.Name() && v.KeyHash() == key.Verifier.KeyHash()
	})
}

// ErrKey means that a key is malformed or its halves do not fit.
var ErrKey = errors.New("not an Ed25519 log key")

// GenerateKey makes an Ed25519 key for a log, in the text forms of
// golang.org/x/mod/sumdb/note. The secret one must stay secret; ParseKey reads
// it. Clients pin the public one; note.NewVerifier reads it.
func GenerateKey(origin string) (secret, public string, err error) {
	secret, public, err = note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", "", ErrKey
	}
	if _, err := ParseKey(secret); err != nil {
		return "", "", err // an origin with a space or a plus sign
	}
	return secret, public, nil
}

// PublicOf gives the public half of a secret key that GenerateKey made. The error is ErrKey and
// repeats nothing.
func PublicOf(secret string) (string, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return "", ErrKey
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE+KEY+name+hash+base64, which may hold a plus itself
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return "", ErrKey
	}
	pair := ed25519.NewKeyFromSeed(seed[1:])
	public, err := note.NewEd25519VerifierKey(signer.Name(), pair.Public().(ed25519.PublicKey))
	if err != nil {
		return "", ErrKey
	}
	return public, nil
}

// ParseKey reads a secret key that GenerateKey made. The error is ErrKey and
// repeats nothing.
func ParseKey(secret string) (SigningKey, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return SigningKey{}, ErrKey
	}
	public, err := PublicOf(secret)
	if err != nil {
		return SigningKey{}, err
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		return SigningKey{}, ErrKey
	}
	return SigningKey{Signer: signer, Verifier: verifier}, nil
}

// check proves once, at start, that the key signs and that both halves fit: a
// signer behind an interface may be anything.
func (k SigningKey) check(origin string) error {
	if k.Signer == nil || k.Verifier == nil || k.Signer.Name() != origin || k.Verifier.Name() != origin {
		return ErrKey
	}
	probe, err := signNote("ontschot log key self-test\n", k.Signer)
	if err != nil {
		return ErrKey
	}
	if _, err := openNote(probe, Keys{k.Verifier}); err != nil {
		return ErrKey
	}
	return nil
}

// Remembering gives the same keys, that remember which signatures they found good: what is
// disclosed about one household shares a few checkpoints. All else of a receipt is held against
// its own checkpoint each time.
func (k Keys) Remembering() Keys {
	all := make(Keys, len(k))
	for i, one := range k {
		all[i] = &remembering{Verifier: one}
	}
	return all
}

// remembering is a key with the last signatures that were good, by a hash of what they sign and
// of them.
type remembering struct {
	note.Verifier
	mu   sync.Mutex
	good [16][sha256.Size]byte
	next int
}

// Verify implements note.Verifier.
func (r *remembering) Verify(message, signature []byte) bool {
	long := binary.BigEndian.AppendUint64(nil, uint64(len(message)))
	sum := sha256.Sum256(slices.Concat(long, message, signature))
	if r.knows(sum) {
		return true
	}
	if !r.Verifier.Verify(message, signature) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good[r.next], r.next = sum, (r.next+1)%len(r.good)
	return true
}

func (r *remembering) knows(sum [sha256.Size]byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.good[:], sum)
}
