package result

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// errMessage does not repeat what is in the message.
var errMessage = errors.New("a budget that is no valid message")

// Canonical is the RFC 8785 form of a message's JSON, proto field names, members
// that are not set left out.
func Canonical(m proto.Message) ([]byte, error) { return canonicalWithout(m) }

// canonicalWithout leaves some fields of the message itself out.
func canonicalWithout(m proto.Message, left ...protoreflect.Name) ([]byte, error) {
	if shape := shapeOf(m.ProtoReflect().Descriptor()); shape.plain {
		w := writer{buf: make([]byte, 0, 2*proto.Size(m)+256)}
		return w.whole(m, shape, left)
	}
	return byTransform(m, left...)
}

// sumOf is the SHA-256 of the canonical form, of which nothing stays.
func sumOf(m proto.Message, left ...protoreflect.Name) ([sha256.Size]byte, error) {
	shape := shapeOf(m.ProtoReflect().Descriptor())
	if !shape.plain {
		raw, err := byTransform(m, left...)
		return sha256.Sum256(raw), err
	}
	w := writers.Get().(*writer)
	defer w.wipe()
	raw, err := w.whole(m, shape, left)
	return sha256.Sum256(raw), err
}

// writers are those that nobody uses at the moment.
var writers = sync.Pool{New: func() any { return &writer{buf: make([]byte, 0, 8<<10)} }}

// wipe leaves nothing in a writer of what it wrote, and puts it back.
func (w *writer) wipe() {
	clear(w.buf[:cap(w.buf)])
	clear(w.values[:cap(w.values)])
	if cap(w.buf) <= 64<<10 { // of one that a large household made large nobody has use
		w.buf, w.values, w.bad = w.buf[:0], w.values[:0], false
		writers.Put(w)
	}
}

// byTransform makes it in two steps, with the libraries: for messages with fields that are
// not written here, and to hold what is written here against.
func byTransform(m proto.Message, left ...protoreflect.Name) ([]byte, error) {
	bare := proto.Clone(m)
	for _, name := range left {
		if f := bare.ProtoReflect().Descriptor().Fields().ByName(name); f != nil {
			bare.ProtoReflect().Clear(f)
		}
	}
	raw, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(bare)
	if err != nil {
		return nil, errMessage
	}
	return jcs.Transform(raw)
}

// shape is what there is to write of one kind of message, in the order of the names.
type shape struct {
	fields []field
	slots  []int // where the field of an index in the descriptor stands in fields
	plain  bool  // nothing in it is of a kind that is not written here
}

type field struct {
	protoreflect.FieldDescriptor
	name string // quoted, with its colon
	of   *shape // of a message, or of the messages in a list
}

var shapes sync.Map // of *shape by full name

func shapeOf(d protoreflect.MessageDescriptor) *shape {
	if known, ok := shapes.Load(d.FullName()); ok {
		return known.(*shape)
	}
	made := map[protoreflect.FullName]*shape{}
	s := newShape(d, made)
	s.plain = plain(d, map[protoreflect.FullName]bool{})
	known, _ := shapes.LoadOrStore(d.FullName(), s)
	return known.(*shape)
}

func newShape(d protoreflect.MessageDescriptor, made map[protoreflect.FullName]*shape) *shape {
	if s := made[d.FullName()]; s != nil {
		return s
	}
	s := &shape{}
	made[d.FullName()] = s
	for i := range d.Fields().Len() {
		f := field{FieldDescriptor: d.Fields().Get(i)}
		f.name = strconv.Quote(string(f.Name())) + ":" // a proto name is of letters, digits and _
		if f.Message() != nil && !f.IsMap() {
			f.of = newShape(f.Message(), made)
		}
		s.fields = append(s.fields, f)
	}
	slices.SortFunc(s.fields, func(a, b field) int { return strings.Compare(string(a.Name()), string(b.Name())) })
	s.slots = make([]int, len(s.fields))
	for i, f := range s.fields {
		s.slots[f.Index()] = i
	}
	return s
}

// plain reports whether all of a message can be written here: it has neither floating point,
// enumerations, maps by other keys than texts, nor a type that has a JSON form of its own.
func plain(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[d.FullName()] {
		return true
	}
	seen[d.FullName()] = true
	if d.ParentFile().Package() == "google.protobuf" || d.ExtensionRanges().Len() > 0 {
		return false
	}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		switch f.Kind() {
		case protoreflect.FloatKind, protoreflect.DoubleKind, protoreflect.EnumKind, protoreflect.GroupKind:
			return false
		case protoreflect.MessageKind:
			if f.IsMap() && (f.MapKey().Kind() != protoreflect.StringKind || f.MapValue().Message() != nil) {
				return false
			}
			if !plain(f.Message(), seen) {
				return false
			}
		}
	}
	return true
}

type writer struct {
	buf []byte
	bad bool // a text that is no UTF-8
	// values of the messages that are being written, by the order of their fields.
	values  []protoreflect.Value
	gather  func(protoreflect.FieldDescriptor, protoreflect.Value) bool // made once
	slots   []int                                                       // of the message that is gathered
	current int                                                         // where its values begin
}

func (w *writer) whole(m proto.Message, s *shape, left []protoreflect.Name) ([]byte, error) {
	if w.gather == nil {
		w.gather = func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			w.values[w.current+w.slots[f.Index()]] = v
			return true
		}
	}
	w.message(m.ProtoReflect(), s, left)
	if w.bad {
		return nil, errMessage
	}
	return w.buf, nil
}

// valuesOf gathers what is set of a message, and says where that stands. A look at each field
// by its descriptor takes longer than all the writing.
func (w *writer) valuesOf(m protoreflect.Message, s *shape) (from int) {
	from = len(w.values)
	w.values = slices.Grow(w.values, len(s.fields))[:from+len(s.fields)]
	clear(w.values[from:])
	w.slots, w.current = s.slots, from
	m.Range(w.gather)
	return from
}

func (w *writer) message(m protoreflect.Message, s *shape, left []protoreflect.Name) {
	w.buf = append(w.buf, '{')
	first := true
	from := w.valuesOf(m, s)
	for i := range s.fields {
		f, v := &s.fields[i], w.values[from+i]
		if !v.IsValid() || left != nil && slices.Contains(left, f.Name()) {
			continue
		}
		if !first {
			w.buf = append(w.buf, ',')
		}
		first = false
		w.buf = append(w.buf, f.name...)
		switch {
		case f.IsMap():
			w.entries(v.Map(), f.MapValue())
		case f.IsList():
			w.list(v.List(), f)
		case f.of != nil:
			w.message(v.Message(), f.of, nil)
		default:
			w.scalar(v, f.Kind())
		}
	}
	w.values = w.values[:from]
	w.buf = append(w.buf, '}')
}

func (w *writer) list(l protoreflect.List, f *field) {
	w.buf = append(w.buf, '[')
	for i := range l.Len() {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		if f.of != nil {
			w.message(l.Get(i).Message(), f.of, nil)
		} else {
			w.scalar(l.Get(i), f.Kind())
		}
	}
	w.buf = append(w.buf, ']')
}

// entries of a map, in the order of RFC 8785, section 3.2.3.
func (w *writer) entries(m protoreflect.Map, value protoreflect.FieldDescriptor) {
	keys := make([]string, 0, m.Len())
	for k := range m.Range {
		keys = append(keys, k.String())
	}
	slices.SortFunc(keys, byUTF16)
	w.buf = append(w.buf, '{')
	for i, k := range keys {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.text(k)
		w.buf = append(w.buf, ':')
		w.scalar(m.Get(protoreflect.ValueOfString(k).MapKey()), value.Kind())
	}
	w.buf = append(w.buf, '}')
}

// byUTF16 orders texts by their UTF-16 code units. Up to U+D7FF that is the order of the bytes.
func byUTF16(a, b string) int {
	ascii := func(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 }
	if ascii(a) && ascii(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// scalar follows the JSON mapping of proto3: numbers of 64 bits are texts.
func (w *writer) scalar(v protoreflect.Value, kind protoreflect.Kind) {
	switch kind {
	case protoreflect.StringKind:
		w.text(v.String())
	case protoreflect.BoolKind:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		w.buf = strconv.AppendUint(w.buf, v.Uint(), 10)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		w.buf = append(strconv.AppendInt(append(w.buf, '"'), v.Int(), 10), '"')
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		w.buf = append(strconv.AppendUint(append(w.buf, '"'), v.Uint(), 10), '"')
	case protoreflect.BytesKind:
		w.buf = append(base64.StdEncoding.AppendEncode(append(w.buf, '"'), v.Bytes()), '"')
	default: // plain lets none pass
		w.bad = true
	}
}

const hexadecimal = "0123456789abcdef"

// text escapes as RFC 8785, section 3.2.2.2 does.
func (w *writer) text(s string) {
	if !utf8.ValidString(s) {
		w.bad = true
		return
	}
	w.buf = append(w.buf, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		w.buf = append(w.buf, s[from:i]...)
		from = i + 1
		if at := strings.IndexByte("\"\\\b\t\n\f\r", c); at >= 0 {
			w.buf = append(w.buf, '\\', `"\btnfr`[at])
		} else {
			w.buf = append(w.buf, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
		}
	}
	w.buf = append(append(w.buf, s[from:]...), '"')
}
