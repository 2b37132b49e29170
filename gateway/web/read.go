package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/admission"
)

// Bounds of a body. A message of admission.MaxRequest bytes has fewer values.
const (
	maxDepth  = 24
	maxValues = 200_000
)

const notJSON = "is not one JSON object in UTF-8"

// readMessage reads one JSON object into a message, strictly: each member is a field, by the name
// that the description gives it, at most once, and holds what a field of its kind can. It looks for
// itself, so that an error can name the field and never what was in it; protojson then reads. What
// stands in the path is not said again. Errors: *admission.Violation.
func readMessage(body []byte, into protoreflect.Message, inPath []string) error {
	if !utf8.Valid(body) {
		return admission.Invalid("body", notJSON)
	}
	s := &reader{d: json.NewDecoder(bytes.NewReader(body)), inPath: inPath}
	s.d.UseNumber()
	if t, err := s.d.Token(); err != nil || t != json.Delim('{') {
		return admission.Invalid("body", notJSON)
	}
	if err := s.object(into.Descriptor(), "", 1); err != nil {
		return err
	}
	if _, err := s.d.Token(); !errors.Is(err, io.EOF) {
		return admission.Invalid("body", "has something behind the object")
	}
	if protojson.Unmarshal(body, into.Interface()) != nil { // its message may repeat a value
		return admission.Invalid("body", "is no JSON of this request")
	}
	return nil
}

// reader walks a body along the fields of a message.
type reader struct {
	d      *json.Decoder
	inPath []string
	values int
}

// token is the next of a value at a path.
func (s *reader) token(path string, depth int) (json.Token, error) {
	if s.values++; s.values > maxValues {
		return nil, admission.Invalid("body", "has more than %d values", maxValues)
	}
	t, err := s.d.Token()
	if err != nil {
		return nil, admission.Invalid("body", notJSON)
	}
	if _, opens := t.(json.Delim); opens && depth > maxDepth {
		return nil, admission.Invalid(path, "lies deeper than anything of this request")
	}
	return t, nil
}

// members walks the members of an object that has been opened.
func (s *reader) members(path string, each func(name string) error) error {
	seen := map[string]bool{}
	for s.d.More() {
		t, err := s.d.Token()
		name, ok := t.(string)
		switch {
		case err != nil || !ok:
			return admission.Invalid("body", notJSON)
		case seen[name]:
			return admission.Invalid(orBody(shown(path, name)), "stands there more than once")
		}
		seen[name] = true
		if err := each(name); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *reader) end() error {
	if _, err := s.d.Token(); err != nil {
		return admission.Invalid("body", notJSON)
	}
	return nil
}

func orBody(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

func (s *reader) object(md protoreflect.MessageDescriptor, path string, depth int) error {
	return s.members(path, func(name string) error {
		f := md.Fields().ByJSONName(name)
		if f == nil {
			if f = md.Fields().ByTextName(name); f != nil {
				return admission.Invalid(orBody(shown(path, name)), "is written %s here", f.JSONName())
			}
			return admission.Invalid(orBody(shown(path, name)), "is no field of %s", md.Name())
		}
		at := strings.TrimPrefix(path+"."+string(f.Name()), ".")
		if path == "" && slices.Contains(s.inPath, at) {
			return admission.Invalid(at, "stands in the path, and not in the body")
		}
		return s.field(f, at, depth)
	})
}

// field walks a value of a field; null is as if it were not there.
func (s *reader) field(f protoreflect.FieldDescriptor, path string, depth int) error {
	t, err := s.token(path, depth)
	switch {
	case err != nil || t == nil:
		return err
	case f.IsMap():
		return s.entries(f, t, path, depth)
	case f.IsList():
		return s.list(f, t, path, depth)
	}
	return s.one(f, t, path, depth)
}

// entries are those of a map; its keys may be anything and are not repeated.
func (s *reader) entries(f protoreflect.FieldDescriptor, t json.Token, path string, depth int) error {
	if t != json.Delim('{') {
		return admission.Invalid(path, "is no object")
	}
	return s.members(path, func(string) error {
		t, err := s.token(path, depth)
		if err != nil {
			return err
		}
		return s.one(f.MapValue(), t, path, depth)
	})
}

func (s *reader) list(f protoreflect.FieldDescriptor, t json.Token, path string, depth int) error {
	if t != json.Delim('[') {
		return admission.Invalid(path, "is no list")
	}
	for i := 0; s.d.More(); i++ {
		at := fmt.Sprintf("%s[%d]", path, i)
		t, err := s.token(at, depth)
		if err != nil {
			return err
		}
		if err := s.one(f, t, at, depth); err != nil {
			return err
		}
	}
	return s.end()
}

// one walks a single value, of which the first token has been read.
func (s *reader) one(f protoreflect.FieldDescriptor, t json.Token, path string, depth int) error {
	if f.Kind() == protoreflect.MessageKind {
		if t != json.Delim('{') {
			return admission.Invalid(path, "is no object")
		}
		return s.object(f.Message(), path, depth+1)
	}
	if what := unfit(f.Kind(), t); what != "" {
		return admission.Invalid(path, "%s", what)
	}
	return nil
}

// whole is how a whole number is written, as a number or in quotes.
var whole = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,18})$`)

// unfit says what is wrong with a value of a kind; empty: nothing. The served messages have no
// other kinds, as a test says.
func unfit(kind protoreflect.Kind, t json.Token) string {
	text, isText := t.(string)
	switch kind {
	case protoreflect.StringKind:
		if !isText {
			return "is no text"
		}
	case protoreflect.BytesKind:
		if !isText || !isBase64(text) {
			return "is no base64"
		}
	case protoreflect.BoolKind:
		if _, ok := t.(bool); !ok {
			return "is neither true nor false"
		}
	default:
		if n, ok := t.(json.Number); ok {
			text, isText = n.String(), true
		}
		bits := 64
		if kind == protoreflect.Int32Kind {
			bits = 32
		}
		if _, err := strconv.ParseInt(text, 10, bits); !isText || err != nil || !whole.MatchString(text) {
			return "is no whole number that fits"
		}
	}
	return ""
}

// isBase64 reports whether protojson takes it: either alphabet, with or without padding.
func isBase64(text string) bool {
	encoding := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	_, err := encoding.DecodeString(text)
	return err == nil
}
