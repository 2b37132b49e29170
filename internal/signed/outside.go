package signed

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Outside verifies the access tokens of an organisation's own identity provider,
// such as Keycloak or Entra. All the strict rules hold but two: RS256 may be pinned,
// and the token may be of a type that such providers use. A key set belongs to one
// issuer.
type Outside struct {
	Issuer string   // exactly the iss of its tokens
	Alg    string   // ES256, PS256, RS256 or EdDSA
	Types  []string // typ headers: at+jwt (RFC 9068), JWT
	Keys   *KeySet
}

// outsideMembers of a header: Entra names the certificate of its key in x5t, which
// is not looked at.
func outsideMembers() []string { return []string{"alg", "kid", "typ", "x5t"} }

// Compact verifies a token and reads its claims, a pointer to a struct. Repeated
// members are refused, unknown ones ignored. Times, audience and binding are the
// caller's to judge.
func (o *Outside) Compact(raw []byte, claims any) error {
	if len(raw) > MaxBytes {
		return malformed("larger than %d bytes", MaxBytes)
	}
	set := o.Keys.current()
	if set == nil {
		return ErrKeySet
	}
	m := mark{Token, false, sha256.Sum256(raw)}
	if before, ok := set.seen.find(m); ok && before.fill(claims) {
		return nil
	}
	a, err := o.takeApart(raw)
	if err != nil {
		return err
	}
	key, ok := set.keys[a.head.KeyID]
	if !ok {
		set = o.Keys.renewed(set)
		if key, ok = set.keys[a.head.KeyID]; !ok {
			return ErrKey
		}
	}
	if err := check(key, a.input, a.sig); err != nil {
		return err
	}
	if err := decodeOutside(a.payload, claims); err != nil {
		return err
	}
	var one sighting
	one.remember(claims)
	set.seen.add(m, one, len(raw))
	return nil
}

// takeApart reads a token of the form that is pinned for the issuer.
func (o *Outside) takeApart(raw []byte) (apart, error) {
	a, err := takeApart(raw, outsideMembers(), MaxBytes)
	if err != nil {
		return apart{}, err
	}
	if a.head.Alg != o.Alg {
		return apart{}, ErrKey
	}
	if !slices.ContainsFunc(o.Types, func(t string) bool { return strings.EqualFold(t, a.head.Type) }) {
		return apart{}, malformed("typ is not pinned for the issuer")
	}
	issuer, err := scanClaims(a.payload, false)
	if err != nil {
		return apart{}, err
	}
	if issuer != o.Issuer {
		return apart{}, malformed("iss")
	}
	return a, nil
}

// IssuerOf reads who issued a compact document, so that the right keys can be
// found; empty when it does not say. Nothing of it is believed.
func IssuerOf(raw []byte) string {
	_, rest, _ := bytes.Cut(raw, []byte("."))
	part, _, _ := bytes.Cut(rest, []byte("."))
	if len(part) > MaxBytes {
		return ""
	}
	payload := make([]byte, base64.RawURLEncoding.DecodedLen(len(part)))
	n, err := base64.RawURLEncoding.Decode(payload, part)
	var says struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(payload[:n], &says) != nil {
		return ""
	}
	return says.Issuer
}

// ActOf reads what a statement says it does (withdraw, reject, revoke, delegate), so
// that the right room can verify it. Nothing else of it is believed.
func ActOf(raw []byte) (string, error) {
	a, err := takeApart(raw, ownMembers(), MaxBytes)
	if err != nil {
		return "", err
	}
	if err := a.head.ofKind(Statement); err != nil {
		return "", err
	}
	act := ""
	err = scan(a.payload, true, func(depth int, name string, value []byte) {
		if depth == 1 && name == "act" {
			act = plain(value)
		}
	})
	if err != nil {
		return "", err
	}
	if act == "" {
		return "", malformed("act")
	}
	return act, nil
}
