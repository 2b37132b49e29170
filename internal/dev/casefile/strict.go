package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/ontschot/ontschot/internal/civil"
)

// mistake is what is wrong with a case file, and behind how many bytes of it.
type mistake struct {
	at        int
	key, what string
}

// Error names the key and says what is wrong with it.
func (m *mistake) Error() string { return strings.TrimPrefix(m.key+": "+m.what, ": ") }

// strict holds a case file against the type that it is read into, before it is read: so what is
// wrong has a place and is said in words of the file.
type strict struct {
	raw    []byte
	d      *json.Decoder
	places map[string]int // of every key that the type knows, where its value begins
}

// newStrict goes through a whole file. Errors: *mistake.
func newStrict(raw []byte) (*strict, error) {
	s := &strict{raw: raw, d: json.NewDecoder(bytes.NewReader(raw)), places: map[string]int{}}
	s.d.UseNumber()
	if len(bytes.TrimSpace(raw)) == 0 {
		return s, &mistake{what: "it is empty"}
	}
	if err := s.value(reflect.TypeFor[Case](), ""); err != nil {
		return s, err
	}
	if at := s.next(); at < len(raw) {
		return s, &mistake{at, "", "there is more behind it"}
	}
	return s, nil
}

// next is where the next token begins.
func (s *strict) next() int {
	at := int(s.d.InputOffset())
	return at + len(s.raw[at:]) - len(bytes.TrimLeft(s.raw[at:], " \t\r\n,:"))
}

// notJSON words an error of reading a token.
func (s *strict) notJSON(key string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || s.next() >= len(s.raw) {
		return &mistake{len(s.raw), key, "it ends in the middle; is the file whole?"}
	}
	at := int(s.d.InputOffset())
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(at, int(syntax.Offset)-1)
	}
	return &mistake{at, key, "this is no JSON, and a case file is JSON"}
}

// value holds the next value against a type.
func (s *strict) value(t reflect.Type, key string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	at := s.next()
	s.places[key] = at
	own := reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
	if t != reflect.TypeFor[Date]() && (own || t.Kind() == reflect.Interface) { // anything may stand there
		var skipped json.RawMessage
		if err := s.d.Decode(&skipped); err != nil {
			return s.notJSON(key, err)
		}
		return nil
	}
	token, err := s.d.Token()
	if err != nil {
		return s.notJSON(key, err)
	}
	switch {
	case token == json.Delim('{') && (t.Kind() == reflect.Struct && !own || t.Kind() == reflect.Map):
		return s.members(t, key)
	case token == json.Delim('[') && t.Kind() == reflect.Slice:
		return s.items(t, key)
	case token != nil && !fits(token, t) || token == nil && key == "":
		return &mistake{at, key, wanted(t) + " is needed here, and this is " + called(token)}
	}
	if text, isText := token.(string); isText && text != "" && t == reflect.TypeFor[Date]() {
		if _, err := civil.Parse(text); err != nil {
			return &mistake{at, key, "no civil date, YYYY-MM-DD"}
		}
	}
	return nil
}

// members are the keys of an object, of which each is known and there once.
func (s *strict) members(t reflect.Type, key string) error {
	seen := map[string]bool{}
	for s.d.More() {
		at := s.next()
		token, err := s.d.Token()
		if err != nil {
			return s.notJSON(key, err)
		}
		name, _ := token.(string) // the decoder takes nothing else for a key
		inner := strings.TrimPrefix(key+"."+cut(name), ".")
		of, known := memberOf(t, name)
		switch {
		case !known:
			return &mistake{at, key, fmt.Sprintf("unknown key %q", cut(name))}
		case seen[name]:
			return &mistake{at, key, fmt.Sprintf("the key %q is here twice", cut(name))}
		}
		seen[name] = true
		if err := s.value(of, inner); err != nil {
			return err
		}
	}
	if _, err := s.d.Token(); err != nil {
		return s.notJSON(key, err)
	}
	return nil
}

func (s *strict) items(t reflect.Type, key string) error {
	for i := 0; s.d.More(); i++ {
		if err := s.value(t.Elem(), fmt.Sprintf("%s[%d]", key, i)); err != nil {
			return err
		}
	}
	if _, err := s.d.Token(); err != nil {
		return s.notJSON(key, err)
	}
	return nil
}

// memberOf is the type of a key, as encoding/json finds it.
func memberOf(t reflect.Type, name string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if tag := f.Tag.Get("json"); strings.EqualFold(name, tag) || tag == "" && strings.EqualFold(name, f.Name) {
			return f.Type, true
		}
	}
	return nil, false
}

// fits reports whether a value that holds no others is of the type.
func fits(token json.Token, t reflect.Type) bool {
	switch v := token.(type) {
	case string:
		return t.Kind() == reflect.String || t == reflect.TypeFor[Date]()
	case bool:
		return t.Kind() == reflect.Bool
	case json.Number:
		_, err := v.Int64()
		return err == nil && (t.Kind() == reflect.Int || t.Kind() == reflect.Int64)
	}
	return false
}

// wanted says in words what is to stand where this type is.
func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Date]():
		return `a date, "YYYY-MM-DD",`
	case t == reflect.TypeFor[Case]():
		return "an object, {...}, with schema, household and so on"
	case t.Kind() == reflect.Slice:
		return "a list, [...],"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		return "an object, {...},"
	}
	return "a whole number"
}

// called says in words what a value is, and nothing of what it says.
func called(token json.Token) string {
	switch token.(type) {
	case json.Delim:
		if token == json.Delim('[') {
			return "a list"
		}
		return "an object"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case nil:
		return "null"
	}
	return "a number"
}

// cut keeps a key that is a text of its own from being repeated as a whole.
func cut(s string) string { return s[:min(len(s), 64)] }

// place is where a key stands, or else what it is to be in.
func (s *strict) place(key string) int {
	for key != "" {
		if at, ok := s.places[key]; ok {
			return at
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return s.places[""]
}

// lineAndColumn of an offset, both from 1; the column in characters.
func lineAndColumn(raw []byte, at int) (line, column int) {
	before := raw[:min(at, len(raw))]
	begins := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begins:]) + 1
}
