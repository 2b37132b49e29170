package signed

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/ontschot/ontschot/internal/identity"
)

// header is the whole of a header that is accepted. RFC 7515 section 4.1 allows
// more; crit, jwk, jku, x5u, x5c, b64, zip and cty are ways to be talked into
// another key or another reading.
type header struct {
	Alg   string `json:"alg"`
	KeyID string `json:"kid"`
	Type  string `json:"typ"`
	X5T   string `json:"x5t#S256,omitempty"`
}

// ownMembers are those of a header that may be there.
func ownMembers() []string { return []string{"alg", "kid", "typ", "x5t#S256"} }

// maxHeader bounds a header; ours are of a hundred bytes.
const maxHeader = 8 << 10

// apart is a compact JWS in its parts.
type apart struct {
	head    header
	input   []byte // what was signed: the first two parts
	payload []byte
	sig     []byte
}

// takeApart splits a compact JWS strictly and reads its header, which may hold
// these members and no other. It is of so many bytes at most.
func takeApart(raw []byte, members []string, most int) (apart, error) {
	if len(raw) > most {
		return apart{}, malformed("larger than %d bytes", most)
	}
	text := string(raw)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return apart{}, malformed("not three parts")
	}
	if len(parts[0]) > maxHeader {
		return apart{}, malformed("a header of more than %d bytes", maxHeader)
	}
	a := apart{input: raw[:len(parts[0])+1+len(parts[1])]}
	var err error
	if a.head, err = headerOf(parts[0], members); err != nil {
		return apart{}, err
	}
	if a.payload, err = unbase64(parts[1]); err != nil {
		return apart{}, err
	}
	a.sig, err = unbase64(parts[2])
	if err != nil || len(a.sig) == 0 {
		return apart{}, malformed("signature part")
	}
	return a, nil
}

func headerOf(part string, members []string) (header, error) {
	raw, err := unbase64(part)
	if err != nil {
		return header{}, err
	}
	strange := false
	err = scan(raw, false, func(depth int, name string, _ []byte) {
		strange = strange || depth > 1 || !slices.Contains(members, name)
	})
	if err != nil {
		return header{}, err
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil || strange {
		return header{}, malformed("header holds what is not accepted")
	}
	if h.Alg == "" || h.KeyID == "" {
		return header{}, malformed("alg and kid are needed")
	}
	return h, nil
}

// ofKind refuses a header of another kind.
func (h header) ofKind(kind Kind) error {
	if h.Type != string(kind) {
		return malformed("typ is not %s", kind)
	}
	return nil
}

// unbase64 reads base64url without padding and without stray bits (RFC 7515 section 2).
func unbase64(s string) ([]byte, error) {
	out, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, malformed("base64url")
	}
	return out, nil
}

// Canonical gives the RFC 8785 form of a value's JSON. A value whose members are in the
// order of their names is mostly written so already, and then not transformed.
func Canonical(v any) ([]byte, error) {
	raw, err := written(v)
	if err != nil {
		return nil, fmt.Errorf("canonical form: %w", err)
	}
	if scan(raw, true, func(int, string, []byte) {}) == nil {
		return raw, nil
	}
	return jcs.Transform(raw)
}

// written is a value's JSON without the escapes for HTML.
func written(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}

// decode reads a payload that was scanned as canonical into claims; what was read
// must be all there was. Claims whose members are in the order of their names
// save the sorting.
func decode(payload []byte, claims any) error {
	if err := json.Unmarshal(payload, claims); err != nil {
		return malformed("claims of another shape")
	}
	if again, err := written(claims); err == nil && bytes.Equal(again, payload) {
		return nil
	}
	sorted, err := Canonical(claims)
	if err != nil || !bytes.Equal(sorted, payload) {
		return malformed("unknown claims, or not in canonical form")
	}
	return nil
}

// decodeOutside reads a payload that was scanned for repeated members; unknown
// ones are ignored. One that differs from a claim in case alone is refused, because
// encoding/json would read it as the claim.
func decodeOutside(payload []byte, claims any) error {
	if err := scan(payload, false, func(int, string, []byte) {}); err != nil {
		return err
	}
	if err := json.Unmarshal(payload, claims); err != nil || folded(payload, reflect.TypeOf(claims)) {
		return malformed("claims of another shape")
	}
	return nil
}

// folded reports whether a member somewhere in a value that was read as a type has the
// name of one of the type's in another case.
func folded(raw []byte, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer:
		return folded(raw, t.Elem())
	case reflect.Slice:
		var list []json.RawMessage
		return json.Unmarshal(raw, &list) == nil && slices.ContainsFunc(list, func(one json.RawMessage) bool { return folded(one, t.Elem()) })
	case reflect.Map, reflect.Struct:
		return foldedMember(raw, t)
	}
	return false
}

func foldedMember(raw []byte, t reflect.Type) bool {
	var all map[string]json.RawMessage
	if json.Unmarshal(raw, &all) != nil {
		return false // it was read in a way of its own
	}
	for name, value := range all {
		if t.Kind() == reflect.Map {
			if folded(value, t.Elem()) {
				return true
			}
			continue
		}
		for i := range t.NumField() {
			known, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if known == name && folded(value, t.Field(i).Type) || known != name && strings.EqualFold(known, name) {
				return true
			}
		}
	}
	return false
}

// scanClaims scans a payload and gives who issued it.
func scanClaims(payload []byte, canonical bool) (issuer string, err error) {
	err = scan(payload, canonical, func(depth int, name string, value []byte) {
		if depth == 1 && name == "iss" {
			issuer = plain(value)
		}
	})
	if err == nil && issuer == "" {
		err = malformed("iss")
	}
	return issuer, err
}

// plain gives a JSON string that holds no escapes; empty for anything else.
func plain(value []byte) string {
	var s string
	if bytes.ContainsRune(value, '\\') || json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

func ownIssuer(payload []byte, canonical bool) (identity.OIN, error) {
	issuer, err := scanClaims(payload, canonical)
	if err != nil {
		return "", err
	}
	oin, err := identity.ParseOIN(issuer)
	if err != nil {
		return "", malformed("iss")
	}
	return oin, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// KindOf reads which kind a document says it is, so that the right room can
// verify it. Nothing else of it is believed.
func KindOf(raw []byte) (Kind, error) {
	if len(raw) > MaxBytes {
		return "", malformed("larger than %d bytes", MaxBytes)
	}
	part, _, _ := strings.Cut(string(raw), ".")
	var doc general
	if json.Unmarshal(raw, &doc) == nil && len(doc.Signatures) > 0 {
		part = doc.Signatures[0].Protected
	}
	h, err := headerOf(part, ownMembers())
	if err != nil {
		return "", err
	}
	return Kind(h.Type), nil
}
