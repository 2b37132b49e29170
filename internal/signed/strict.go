package signed

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/ontschot/ontschot/internal/identity"
)

// maxDepth bounds nesting in a document.
const maxDepth = 8

// header is the whole of a header that is accepted. RFC 7515 section 4.1 allows
// more; crit, jwk, jku, x5u, x5c, b64, zip and cty are ways to be talked into
// another key or another reading.
type header struct {
	Alg   string `json:"alg"`
	KeyID string `json:"kid"`
	Type  string `json:"typ"`
	X5T   string `json:"x5t#S256,omitempty"`
}

// takeApart splits a compact JWS strictly and reads its header.
func takeApart(kind Kind, raw []byte) (header, []byte, error) {
	if len(raw) > MaxBytes {
		return header{}, nil, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, MaxBytes)
	}
	parts := strings.Split(string(raw), ".")
	if len(parts) != 3 {
		return header{}, nil, fmt.Errorf("%w: not three parts", ErrMalformed)
	}
	head, err := headerOf(kind, parts[0])
	if err != nil {
		return header{}, nil, err
	}
	payload, err := unbase64(parts[1])
	if err != nil {
		return header{}, nil, err
	}
	if sig, err := unbase64(parts[2]); err != nil || len(sig) == 0 {
		return header{}, nil, fmt.Errorf("%w: signature part", ErrMalformed)
	}
	return head, payload, nil
}

func headerOf(kind Kind, part string) (header, error) {
	raw, err := unbase64(part)
	if err != nil {
		return header{}, err
	}
	var h header
	if err := noRepeats(raw); err != nil {
		return header{}, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return header{}, fmt.Errorf("%w: header holds what is not accepted", ErrMalformed)
	}
	if again, err := Canonical(h); err != nil || !sameMembers(raw, again) {
		return header{}, fmt.Errorf("%w: header holds what is not accepted", ErrMalformed)
	}
	if h.Type != string(kind) {
		return header{}, fmt.Errorf("%w: typ is not %s", ErrMalformed, kind)
	}
	if h.Alg == "" || h.KeyID == "" {
		return header{}, fmt.Errorf("%w: alg and kid are needed", ErrMalformed)
	}
	return h, nil
}

// sameMembers compares two JSON texts in canonical form.
func sameMembers(a, b []byte) bool {
	ca, errA := jcs.Transform(a)
	cb, errB := jcs.Transform(b)
	return errA == nil && errB == nil && bytes.Equal(ca, cb)
}

// unbase64 reads base64url without padding and without stray bits (RFC 7515 section 2).
func unbase64(s string) ([]byte, error) {
	out, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%w: base64url", ErrMalformed)
	}
	return out, nil
}

// Canonical gives the RFC 8785 form of a value's JSON.
func Canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical form: %w", err)
	}
	return jcs.Transform(raw)
}

// decode reads a payload into claims. Not lenient: the payload must be the
// canonical form of what was read.
func decode(payload []byte, claims any, lenient bool) error {
	if err := noRepeats(payload); err != nil {
		return err
	}
	if err := json.Unmarshal(payload, claims); err != nil {
		return fmt.Errorf("%w: claims of another shape", ErrMalformed)
	}
	if lenient {
		return nil
	}
	again, err := Canonical(claims)
	if err != nil || !bytes.Equal(again, payload) {
		return fmt.Errorf("%w: unknown claims, or not in canonical form", ErrMalformed)
	}
	return nil
}

func issuerOf(payload []byte) (identity.OIN, error) {
	var who struct {
		Issuer string `json:"iss"`
	}
	if err := noRepeats(payload); err != nil {
		return "", err
	}
	if err := json.Unmarshal(payload, &who); err != nil {
		return "", fmt.Errorf("%w: no claims", ErrMalformed)
	}
	issuer, err := identity.ParseOIN(who.Issuer)
	if err != nil {
		return "", fmt.Errorf("%w: iss", ErrMalformed)
	}
	return issuer, nil
}

// noRepeats refuses JSON that is not exactly one value, nests too deep, or has an
// object with the same member twice. Members that differ only in case count as
// the same, because encoding/json reads them as the same.
func noRepeats(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := walk(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more than one JSON value", ErrMalformed)
	}
	return nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

func walk(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return fmt.Errorf("%w: JSON broken or too deep", ErrMalformed)
	}
	delim, isDelim := t.(json.Delim)
	if !isDelim {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return fmt.Errorf("%w: JSON broken", ErrMalformed)
			}
			folded := strings.ToLower(name.(string))
			if !ascii(folded) { // encoding/json folds more than ToLower does
				return fmt.Errorf("%w: a member name that is not ASCII", ErrMalformed)
			}
			if seen[folded] {
				return fmt.Errorf("%w: a member stands there twice", ErrMalformed)
			}
			seen[folded] = true
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%w: JSON broken", ErrMalformed)
	}
	return nil
}

// KindOf reads which kind a document says it is, so that the right room can
// verify it. Nothing else of it is believed.
func KindOf(raw []byte) (Kind, error) {
	var part string
	if len(raw) > MaxBytes {
		return "", fmt.Errorf("%w: larger than %d bytes", ErrMalformed, MaxBytes)
	}
	var doc general
	if json.Unmarshal(raw, &doc) == nil && len(doc.Signatures) > 0 {
		part = doc.Signatures[0].Protected
	} else {
		part, _, _ = strings.Cut(string(raw), ".")
	}
	head, err := unbase64(part)
	if err != nil {
		return "", err
	}
	var h header
	if err := json.Unmarshal(head, &h); err != nil {
		return "", fmt.Errorf("%w: header", ErrMalformed)
	}
	return Kind(h.Type), nil
}
