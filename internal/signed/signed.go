// Package signed answers: who signed these bytes, and are they exactly what was
// signed? It is the only home of the JOSE library. By default that library
// accepts much that must be refused here, so a document is taken apart by our
// own rules first and handed over for one thing only: the signature.
package signed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/ontschot/ontschot/internal/identity"
)

// Kind is what a document is: its typ header. A document of one kind is never
// taken for another.
type Kind string

// The closed list of kinds.
const (
	Token     Kind = "at+jwt" // RFC 9068
	Consent   Kind = "ontschot-consent+jwt"
	Agreement Kind = "ontschot-agreement+json"
	Statement Kind = "ontschot-statement+jwt" // withdraw, reject, revoke, delegate
	Result    Kind = "ontschot-result+jwt"
	Permit    Kind = "ontschot-permit+jwt"
	Directory Kind = "ontschot-directory+jwt" // who there is, by the operator of a directory
	Manifest  Kind = "ontschot-adapter+json"  // which program an adapter is, by its agency and who runs it
	Approval  Kind = "ontschot-approval+json" // which policies may come into force, by one person
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{Token, Consent, Agreement, Statement, Result, Permit, Directory, Manifest, Approval}
}

// MaxBytes bounds a document; a directory names many, and MaxDirectory bounds it.
const (
	MaxBytes     = 16 << 10
	MaxDirectory = 1 << 20
)

// mostOf bounds a document of a kind.
func mostOf(kind Kind) int {
	if kind == Directory {
		return MaxDirectory
	}
	return MaxBytes
}

// Errors. None of them repeats what was in the document.
var (
	// ErrMalformed: not one document of the expected kind in the strict form.
	ErrMalformed = errors.New("document malformed")
	// ErrKey: no pinned key of that issuer under that id for that kind, or another algorithm.
	ErrKey = errors.New("document key not trusted")
	// ErrSignature: the signature is not that of the bytes, or one is missing.
	ErrSignature = errors.New("document signature invalid")
)

// Key is a public key that is trusted by configuration ("pinned").
type Key struct {
	ID     string
	Alg    string // ES256, PS256, EdDSA, or RS256 for an outside token issuer
	Public crypto.PublicKey
	Kinds  []Kind // what it may sign
	// Retired is from when on it signs nothing new; the zero time: it is in use. What
	// was taken in before stays good. A key that was lost is not retired: see Lost.
	Retired time.Time
	// Lost says that somebody else may have it: it has signed nothing that counts.
	Lost bool

	digest string
}

// Digest is by which a key is known in the log, whatever its id: the SHA-256 of its
// SubjectPublicKeyInfo (RFC 5280), in lower-case hexadecimal.
func (k Key) Digest() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(k.Public)
	if err != nil {
		return "", fmt.Errorf("%w: %T has no public form", ErrKey, k.Public)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// SignsDocuments reports whether it may sign what is registered, and not tokens and results
// alone.
func (k Key) SignsDocuments() bool {
	return slices.ContainsFunc(k.Kinds, func(kind Kind) bool { return kind == Consent || kind == Agreement || kind == Statement })
}

// Verifier holds the pinned keys of each issuer. Its methods are safe for
// concurrent use.
type Verifier struct {
	pins  *atomic.Pointer[pins]
	fresh bool
}

// pins are the keys that are trusted at a moment, and what was seen under them.
type pins struct {
	keys       map[identity.OIN]map[string]*Key
	generation int64
	seen       seen
}

// NewVerifier checks that each key fits its algorithm.
func NewVerifier(keys map[identity.OIN][]Key) (*Verifier, error) {
	v := &Verifier{pins: new(atomic.Pointer[pins])}
	return v, v.Pin(keys)
}

// Fresh is the same Verifier for what is taken in now: a key that is retired signs
// nothing new, and is ErrKey.
func (v *Verifier) Fresh() *Verifier { return &Verifier{v.pins, true} }

// Pin trusts these keys from now on and no others, or says what is wrong with one
// and changes nothing. Signatures seen before count for nothing under other keys.
func (v *Verifier) Pin(keys map[identity.OIN][]Key) error {
	p := &pins{keys: map[identity.OIN]map[string]*Key{}}
	for issuer, list := range keys {
		p.keys[issuer] = map[string]*Key{}
		for _, k := range list {
			if _, twice := p.keys[issuer][k.ID]; twice || k.ID == "" {
				return fmt.Errorf("key %q of %s: ids must be there and unique", k.ID, issuer)
			}
			if err := fits(k); err != nil {
				return fmt.Errorf("key %q of %s: %w", k.ID, issuer, err)
			}
			var err error
			if k.digest, err = k.Digest(); err != nil {
				return fmt.Errorf("key %q of %s: %w", k.ID, issuer, err)
			}
			p.keys[issuer][k.ID] = &k
		}
	}
	if before := v.pins.Load(); before != nil {
		p.generation = before.generation + 1
	}
	v.pins.Store(p)
	return nil
}

// Keys that are pinned of an issuer, by their ids.
func (v *Verifier) Keys(issuer identity.OIN) []Key {
	var all []Key
	pinned := v.pins.Load().keys[issuer]
	for _, id := range slices.Sorted(maps.Keys(pinned)) {
		all = append(all, *pinned[id])
	}
	return all
}

// Generation is another number after every Pin.
func (v *Verifier) Generation() int64 { return v.pins.Load().generation }

// Fits reports whether it is of a type and size that counts, for its algorithm. Errors: ErrKey.
func (k Key) Fits() error { return fits(k) }

// fits refuses keys and algorithms that do not belong together, and RSA below 3072 bits.
func fits(k Key) error {
	ok := false
	switch pub := k.Public.(type) {
	case *ecdsa.PublicKey:
		ok = k.Alg == "ES256" && pub.Curve.Params().BitSize == 256
	case ed25519.PublicKey:
		ok = k.Alg == "EdDSA"
	case *rsa.PublicKey:
		outside := k.Alg == "RS256" && slices.Equal(k.Kinds, []Kind{Token}) && pub.N.BitLen() >= 2048
		ok = outside || k.Alg == "PS256" && pub.N.BitLen() >= 3072
	}
	if !ok {
		return fmt.Errorf("%w: %T does not fit algorithm %q", ErrKey, k.Public, k.Alg)
	}
	if len(k.Kinds) == 0 {
		return fmt.Errorf("%w: it may sign nothing", ErrKey)
	}
	return nil
}

// find gives the key that a header names, if it may sign this kind with this algorithm.
func (p *pins) find(issuer identity.OIN, kind Kind, h header) (*Key, error) {
	k, ok := p.keys[issuer][h.KeyID]
	if !ok || k.Lost || k.Alg != h.Alg || !slices.Contains(k.Kinds, kind) {
		return nil, ErrKey
	}
	return k, nil
}

// check is the one call into the library: signing input and signature against one key. The salt
// of PS256 is as long as the hash (RFC 7518 section 3.5).
func check(k *Key, input, signature []byte) error {
	by, err := jws.NewVerifier(jwa.SignatureAlgorithm(k.Alg))
	if err != nil {
		return ErrKey
	}
	if err := by.Verify(input, signature, k.Public); err != nil {
		return ErrSignature
	}
	if pub, ok := k.Public.(*rsa.PublicKey); ok && k.Alg == "PS256" { // the library takes a salt of any length
		sum := sha256.Sum256(input)
		if rsa.VerifyPSS(pub, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) != nil {
			return ErrSignature
		}
	}
	return nil
}

// Signer signs for one organisation. The private key stays behind crypto.Signer,
// so that it may live in a hardware module.
type Signer struct {
	Issuer identity.OIN
	KeyID  string
	Alg    string
	Key    crypto.Signer
}

// NewSigner signs and verifies once, because a key behind crypto.Signer that does
// not fit its algorithm goes unnoticed otherwise.
func NewSigner(issuer identity.OIN, keyID, alg string, key crypto.Signer) (Signer, error) {
	s := Signer{issuer, keyID, alg, key}
	v, err := NewVerifier(map[identity.OIN][]Key{issuer: {{ID: keyID, Alg: alg, Public: key.Public(), Kinds: []Kind{Statement}}}})
	if err != nil {
		return Signer{}, err
	}
	claims := struct {
		Issuer identity.OIN `json:"iss"`
	}{issuer}
	raw, err := s.Compact(Statement, claims)
	if err != nil {
		return Signer{}, err
	}
	_, err = v.Compact(Statement, raw, &claims)
	return s, err
}

// Compact signs claims as a compact JWS. The claims must hold iss.
func (s Signer) Compact(kind Kind, claims any) ([]byte, error) {
	payload, err := Canonical(claims)
	if err != nil {
		return nil, err
	}
	return s.sign(kind, payload)
}

// sign writes the compact serialization (RFC 7515 section 7.1). The signature is jwx's; what
// is around it are two texts in base64url.
func (s Signer) sign(kind Kind, payload []byte) ([]byte, error) {
	by, err := jws.NewSigner(jwa.SignatureAlgorithm(s.Alg))
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", kind, err)
	}
	head, err := json.Marshal(header{Alg: s.Alg, KeyID: s.KeyID, Type: string(kind)})
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", kind, err)
	}
	encoding := base64.RawURLEncoding
	out := make([]byte, 0, encoding.EncodedLen(len(head))+encoding.EncodedLen(len(payload))+128)
	out = append(encoding.AppendEncode(out, head), '.')
	out = encoding.AppendEncode(out, payload)
	signature, err := by.Sign(out, s.Key)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", kind, err)
	}
	return encoding.AppendEncode(append(out, '.'), signature), nil
}

// Verified is what is known of a document whose signatures hold.
type Verified struct {
	Issuer identity.OIN // of a document of several signatures: the first to sign
	KeyID  string
	Digest [32]byte // SHA-256 of the document as it was given
	// SignedBy are those who signed it, in the order of their signatures.
	SignedBy []identity.OIN
	// Keys that signed it, each by its digest, in the same order.
	Keys []string
}

// known is what is known of a document by the keys that signed it, as they are now.
func (v *Verifier) known(s sighting, sum [32]byte) (Verified, error) {
	now, out := time.Now(), Verified{Issuer: s.of[0], KeyID: s.by[0].ID, Digest: sum, SignedBy: s.of, Keys: s.keys}
	for _, k := range s.by {
		if v.fresh && !k.Retired.IsZero() && !now.Before(k.Retired) {
			return Verified{}, fmt.Errorf("%w: it is retired", ErrKey)
		}
	}
	return out, nil
}

// Compact verifies a compact JWS of the kind and reads its claims, a pointer to a
// struct. Times are the caller's to judge. Our own documents must be the canonical
// form of claims, so that unknown, repeated or differently cased members are
// refused; in an access token repeated members are refused and unknown ones ignored.
func (v *Verifier) Compact(kind Kind, raw []byte, claims any) (Verified, error) {
	if len(raw) > mostOf(kind) {
		return Verified{}, malformed("larger than %d bytes", mostOf(kind))
	}
	p, m := v.pins.Load(), mark{kind, false, sha256.Sum256(raw)}
	if before, ok := p.seen.find(m); ok && before.fill(claims) {
		return v.known(before, m.sum)
	}
	one, err := p.compact(kind, raw, claims)
	if err != nil {
		return Verified{}, err
	}
	p.seen.add(m, one, len(raw))
	return v.known(one, m.sum)
}

func (p *pins) compact(kind Kind, raw []byte, claims any) (sighting, error) {
	a, err := takeApart(raw, ownMembers(), mostOf(kind))
	if err != nil {
		return sighting{}, err
	}
	if err := a.head.ofKind(kind); err != nil {
		return sighting{}, err
	}
	issuer, err := ownIssuer(a.payload, kind != Token)
	if err != nil {
		return sighting{}, err
	}
	key, err := p.find(issuer, kind, a.head)
	if err != nil {
		return sighting{}, err
	}
	if err := check(key, a.input, a.sig); err != nil {
		return sighting{}, err
	}
	read := decode
	if kind == Token {
		read = decodeOutside
	}
	if err := read(a.payload, claims); err != nil {
		return sighting{}, err
	}
	one := sighting{by: []*Key{key}, of: []identity.OIN{issuer}}
	one.remember(claims)
	return one, nil
}
