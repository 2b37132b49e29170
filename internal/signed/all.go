package signed

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/ontschot/ontschot/internal/identity"
)

// general is the JSON serialisation of RFC 7515 section 7.2.1, protected headers only.
type general struct {
	Payload    string      `json:"payload"`
	Signatures []signature `json:"signatures"`
}

type signature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// maxSignatures bounds the parties of one document.
const maxSignatures = 16

// Together signs one payload by several parties (JSON serialisation).
func Together(kind Kind, claims any, signers ...Signer) ([]byte, error) {
	payload, err := Canonical(claims)
	if err != nil {
		return nil, err
	}
	doc := general{Payload: base64.RawURLEncoding.EncodeToString(payload)}
	for _, s := range signers {
		compact, err := s.sign(kind, payload)
		if err != nil {
			return nil, err
		}
		parts := strings.Split(string(compact), ".")
		doc.Signatures = append(doc.Signatures, signature{parts[0], parts[2]})
	}
	return Canonical(doc)
}

// All verifies a document of several signatures: every one must verify, each
// against a key of a different one of the parties, and every party must have
// signed. The library's own rule, one good signature is enough, is not ours.
// parties reads who they are from the claims that were just decoded.
func (v *Verifier) All(kind Kind, raw []byte, claims any, parties func() []identity.OIN) error {
	if len(raw) > MaxBytes {
		return fmt.Errorf("%w: larger than %d bytes", ErrMalformed, MaxBytes)
	}
	var doc general
	if err := decode(raw, &doc, false); err != nil {
		return err
	}
	payload, err := unbase64(doc.Payload)
	if err != nil {
		return err
	}
	if len(doc.Signatures) == 0 || len(doc.Signatures) > maxSignatures {
		return fmt.Errorf("%w: %d signatures", ErrMalformed, len(doc.Signatures))
	}
	// Read first, to learn who must have signed; nothing is believed until all verify.
	if err := decode(payload, claims, false); err != nil {
		return err
	}
	// Seen before as a document of this kind: then each of its parties signed it.
	sum := sha256.Sum256(append([]byte(kind+"\x00"), raw...))
	if v.seen.has(sum) {
		return nil
	}
	missing := map[identity.OIN]bool{}
	for _, p := range parties() {
		missing[p] = true
	}
	for _, s := range doc.Signatures {
		who, err := v.oneOf(kind, doc.Payload, s, missing)
		if err != nil {
			return err
		}
		delete(missing, who)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %d of the parties have not signed", ErrSignature, len(missing))
	}
	v.seen.add(sum)
	return nil
}

// oneOf verifies one signature and tells which of the parties still missing made it.
func (v *Verifier) oneOf(kind Kind, payload string, s signature, missing map[identity.OIN]bool) (identity.OIN, error) {
	h, err := headerOf(kind, s.Protected)
	if err != nil {
		return "", err
	}
	if _, err := unbase64(s.Signature); err != nil {
		return "", err
	}
	compact := []byte(s.Protected + "." + payload + "." + s.Signature)
	err = ErrKey
	for party := range missing { // two parties may use the same key id
		key, unknown := v.find(party, kind, h)
		if unknown != nil {
			continue
		}
		if err = check(key, compact); err == nil {
			return party, nil
		}
	}
	return "", err
}
