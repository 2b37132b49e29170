package signed

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
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
		if err := doc.add(kind, payload, s); err != nil {
			return nil, err
		}
	}
	return Canonical(doc)
}

func (doc *general) add(kind Kind, payload []byte, by Signer) error {
	compact, err := by.sign(kind, payload)
	if err != nil {
		return err
	}
	parts := strings.Split(string(compact), ".")
	doc.Signatures = append(doc.Signatures, signature{parts[0], parts[2]})
	return nil
}

// Countersign adds a party's signature to a document that others have signed. What
// it says and whether their signatures hold is for All or Some to check.
func (s Signer) Countersign(kind Kind, raw []byte) ([]byte, error) {
	doc, payload, err := readGeneral(raw)
	if err != nil {
		return nil, err
	}
	if err := doc.add(kind, payload, s); err != nil {
		return nil, err
	}
	return Canonical(doc)
}

func readGeneral(raw []byte) (general, []byte, error) {
	var doc general
	if len(raw) > MaxBytes {
		return doc, nil, malformed("larger than %d bytes", MaxBytes)
	}
	if err := scan(raw, true, func(int, string, []byte) {}); err != nil {
		return doc, nil, err
	}
	if err := decode(raw, &doc); err != nil {
		return doc, nil, err
	}
	payload, err := unbase64(doc.Payload)
	if err != nil {
		return doc, nil, err
	}
	if len(doc.Signatures) == 0 || len(doc.Signatures) > maxSignatures {
		return doc, nil, malformed("%d signatures", len(doc.Signatures))
	}
	return doc, payload, scan(payload, true, func(int, string, []byte) {})
}

var errUnsigned = errors.New("one of the parties has not signed")

// All verifies a document of several signatures: every one must verify, each
// against a key of a different one of the parties, and every party must have
// signed. The library's own rule, one good signature is enough, is not ours.
// parties reads who they are from the claims that were just decoded.
func (v *Verifier) All(kind Kind, raw []byte, claims any, parties func() []identity.OIN) (Verified, error) {
	out, err := v.Some(kind, raw, claims, parties)
	if err != nil {
		return Verified{}, err
	}
	for _, p := range parties() {
		if !slices.Contains(out.SignedBy, p) {
			return Verified{}, errors.Join(ErrSignature, errUnsigned)
		}
	}
	return out, nil
}

// Some verifies a document that at least one of the parties has signed: a proposal.
// Every signature on it must verify, each against a key of a different one of the
// parties. Who signed is in the result.
func (v *Verifier) Some(kind Kind, raw []byte, claims any, parties func() []identity.OIN) (Verified, error) {
	if len(raw) > MaxBytes {
		return Verified{}, malformed("larger than %d bytes", MaxBytes)
	}
	p, m := v.pins.Load(), mark{kind, true, sha256.Sum256(raw)}
	if before, ok := p.seen.find(m); ok && before.fill(claims) && within(before.of, parties()) {
		return v.known(before, m.sum)
	}
	doc, payload, err := readGeneral(raw)
	if err != nil {
		return Verified{}, err
	}
	// Read first, to learn who may have signed; nothing is believed until all verify.
	if err := decode(payload, claims); err != nil {
		return Verified{}, err
	}
	var one sighting
	for _, s := range doc.Signatures {
		left := slices.DeleteFunc(slices.Clone(parties()), func(o identity.OIN) bool { return slices.Contains(one.of, o) })
		party, key, err := p.oneOf(left, kind, doc.Payload, s)
		if err != nil {
			return Verified{}, err
		}
		one.of, one.by = append(one.of, party), append(one.by, key)
	}
	one.remember(claims)
	p.seen.add(m, one, len(raw))
	return v.known(one, m.sum)
}

// Unverified reads the claims of a document that was verified when it was taken in, and
// may not verify any more. It proves nothing: it serves to show a document and to end it, and
// to whoever made it.
func Unverified(kind Kind, raw []byte, claims any) error {
	payload, err := []byte(nil), error(nil)
	if kind == Agreement || kind == Manifest || kind == Approval {
		var doc general
		if doc, payload, err = readGeneral(raw); err == nil {
			err = doc.ofKind(kind)
		}
	} else {
		var a apart
		if a, err = takeApart(raw, ownMembers(), mostOf(kind)); err == nil {
			payload, err = a.payload, a.head.ofKind(kind)
		}
	}
	if err != nil {
		return err
	}
	if err := scan(payload, true, func(int, string, []byte) {}); err != nil {
		return err
	}
	return decode(payload, claims)
}

// ofKind checks that every signature was put under a document of that kind.
func (doc *general) ofKind(kind Kind) error {
	for _, s := range doc.Signatures {
		h, err := headerOf(s.Protected, ownMembers())
		if err == nil {
			err = h.ofKind(kind)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func within(some, all []identity.OIN) bool {
	return !slices.ContainsFunc(some, func(one identity.OIN) bool { return !slices.Contains(all, one) })
}

// oneOf verifies one signature as that of one of the parties: which one, and its key.
func (p *pins) oneOf(parties []identity.OIN, kind Kind, payload string, s signature) (identity.OIN, *Key, error) {
	h, err := headerOf(s.Protected, ownMembers())
	if err != nil {
		return "", nil, err
	}
	if err := h.ofKind(kind); err != nil {
		return "", nil, err
	}
	sig, err := unbase64(s.Signature)
	if err != nil {
		return "", nil, err
	}
	err = ErrKey
	for _, party := range parties { // two parties may use the same key id
		key, unknown := p.find(party, kind, h)
		if unknown != nil {
			continue
		}
		if err = check(key, []byte(s.Protected+"."+payload), sig); err == nil {
			return party, key, nil
		}
	}
	return "", nil, err
}
