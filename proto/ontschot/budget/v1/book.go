package budgetv1

import (
	"math"
	"regexp"
	"slices"
	"sync"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// mostNumber bounds the numbers of the fields that a book has.
const mostNumber = 64

// book is what the rules of a message come to. A rule that it has no place for makes it
// one that does not know.
type book struct {
	known   bool
	fields  [mostNumber]*entry
	counted []*entry // of which it matters whether, or how often, they are there
}

// entry is what holds of a field.
type entry struct {
	number      protowire.Number
	kind        protoreflect.Kind
	form        protowire.Type
	of          *book // of a message, and of the entries of a map
	hidden      bool  // it holds no text that is shown
	rules       rules
	least, most int  // items
	unique      bool // no two of them are the same
	needed      bool // it must be there: by a rule, or because its zero value breaks one
}

// rules are those of a value.
type rules struct {
	least, most int // characters, or bytes
	in          []string
	like        func([]byte) bool
	from, to    int64
}

func (r *rules) size(n int) bool     { return n >= r.least && n <= r.most }
func (r *rules) number(n int64) bool { return n >= r.from && n <= r.to }

func (r *rules) text(text []byte) bool {
	if r.in != nil && !slices.ContainsFunc(r.in, func(s string) bool { return s == string(text) }) {
		return false
	}
	return r.like == nil || r.like(text)
}

// books are those of the messages that were asked for, by name.
var books sync.Map

func bookOf(d protoreflect.MessageDescriptor) *book {
	if known, ok := books.Load(d.FullName()); ok {
		return known.(*book)
	}
	w := bookWriter{}
	b := w.message(d)
	for name, one := range w { // whole before anybody reads them
		books.LoadOrStore(name, one)
	}
	return b
}

// bookWriter has the books of a message and of what is in it, so that one can hold itself.
type bookWriter map[protoreflect.FullName]*book

func (w bookWriter) message(d protoreflect.MessageDescriptor) *book {
	if b := w[d.FullName()]; b != nil {
		return b
	}
	whole, err := protovalidate.ResolveMessageRules(d)
	b := &book{known: err == nil && !said(whole)}
	w[d.FullName()] = b
	for i := range d.Oneofs().Len() {
		one, err := protovalidate.ResolveOneofRules(d.Oneofs().Get(i))
		b.known = b.known && err == nil && !said(one)
	}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		r, err := protovalidate.ResolveFieldRules(f)
		e, ok := w.field(f, r)
		b.known = b.known && err == nil && ok
		b.put(e)
	}
	return b
}

func (b *book) put(e *entry) {
	if e.number >= mostNumber {
		b.known = false
		return
	}
	b.fields[e.number] = e
	if e.needed || e.least > 0 || e.most < math.MaxInt {
		b.counted = append(b.counted, e)
	}
}

// said reports whether a message says anything at all.
func said(m proto.Message) bool { return m.ProtoReflect().IsValid() && proto.Size(m) > 0 }

// field makes the entry of a field; false says that it does not hold all of its rules.
func (w bookWriter) field(f protoreflect.FieldDescriptor, r *validate.FieldRules) (e *entry, known bool) {
	e = &entry{number: f.Number(), kind: f.Kind(), form: formOf(f), most: math.MaxInt, needed: r.GetRequired()}
	switch {
	case f.IsMap():
		known = only(r, "required", "map") && w.entries(e, f, r.GetMap())
	case f.IsPacked():
		e.kind = protoreflect.BoolKind // its bytes are several values
		known = only(r)
	case f.IsList():
		known = only(r, "required", "repeated") && e.items(r.GetRepeated())
	default:
		e.rules, known = rulesOf(r, e.kind)
		if !f.HasPresence() { // what is not there is its zero value
			e.needed = e.needed || !e.rules.size(0) || !e.rules.number(0) || e.kind == protoreflect.StringKind && !e.rules.text(nil)
		}
	}
	if e.kind == protoreflect.MessageKind && !f.IsMap() {
		e.of, e.hidden = w.message(f.Message()), !shown(f)
	}
	return e, known
}

// items are counted, and each has its rules.
func (e *entry) items(r *validate.RepeatedRules) (ok bool) {
	e.least, e.most, e.unique = int(r.GetMinItems()), atMost(r.HasMaxItems(), r.GetMaxItems()), r.GetUnique()
	e.rules, ok = rulesOf(r.GetItems(), e.kind)
	return ok && only(r, "min_items", "max_items", "unique", "items")
}

// entries are messages of a key and a value.
func (w bookWriter) entries(e *entry, f protoreflect.FieldDescriptor, r *validate.MapRules) bool {
	e.least, e.most = int(r.GetMinPairs()), atMost(r.HasMaxPairs(), r.GetMaxPairs())
	key, okKey := w.field(f.MapKey(), r.GetKeys())
	value, okValue := w.field(f.MapValue(), r.GetValues())
	e.of = &book{known: okKey && okValue}
	e.of.put(key)
	e.of.put(value)
	return only(r, "min_pairs", "max_pairs", "keys", "values")
}

func formOf(f protoreflect.FieldDescriptor) protowire.Type {
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return packedOr(f, protowire.Fixed32Type)
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return packedOr(f, protowire.Fixed64Type)
	default:
		return packedOr(f, protowire.VarintType)
	}
}

func packedOr(f protoreflect.FieldDescriptor, form protowire.Type) protowire.Type {
	if f.IsPacked() {
		return protowire.BytesType
	}
	return form
}

func atMost(bounded bool, n uint64) int {
	if !bounded || n > math.MaxInt {
		return math.MaxInt
	}
	return int(n)
}

// rulesOf are the rules of one value of a kind; false says that there are others.
func rulesOf(r *validate.FieldRules, kind protoreflect.Kind) (all rules, known bool) {
	all = rules{most: math.MaxInt, from: math.MinInt64, to: math.MaxInt64}
	switch kind {
	case protoreflect.StringKind:
		s := r.GetString()
		all.least, all.most, all.in = int(s.GetMinLen()), atMost(s.HasMaxLen(), s.GetMaxLen()), s.GetIn()
		if s.HasPattern() {
			all.like = likeOf(s.GetPattern())
		}
		return all, only(r, "required", "string") && only(s, "min_len", "max_len", "in", "pattern")
	case protoreflect.BytesKind:
		b := r.GetBytes()
		all.least, all.most = int(b.GetMinLen()), atMost(b.HasMaxLen(), b.GetMaxLen())
		return all, only(r, "required", "bytes") && only(b, "min_len", "max_len")
	case protoreflect.Int32Kind:
		n := r.GetInt32()
		all.from, all.to = bounds(n.HasGte(), int64(n.GetGte()), n.HasLte(), int64(n.GetLte()))
		return all, only(r, "required", "int32") && only(n, "gte", "lte")
	case protoreflect.Int64Kind:
		n := r.GetInt64()
		all.from, all.to = bounds(n.HasGte(), n.GetGte(), n.HasLte(), n.GetLte())
		return all, only(r, "required", "int64") && only(n, "gte", "lte")
	default:
		return all, only(r, "required")
	}
}

func bounds(low bool, from int64, high bool, to int64) (int64, int64) {
	if !low {
		from = math.MinInt64
	}
	if !high {
		to = math.MaxInt64
	}
	return from, to
}

// only reports whether a message of rules says nothing but these.
func only(m proto.Message, names ...protoreflect.Name) bool {
	if !m.ProtoReflect().IsValid() {
		return true
	}
	all := len(m.ProtoReflect().GetUnknown()) == 0
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		all = all && slices.Contains(names, f.Name())
		return all
	})
	return all
}

// The patterns of dates are in nearly every message, and an expression takes ten times as long.
const (
	datePattern         = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	optionalDatePattern = `^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
)

func likeOf(pattern string) func([]byte) bool {
	switch pattern {
	case datePattern:
		return dateLike
	case optionalDatePattern:
		return func(text []byte) bool { return len(text) == 0 || dateLike(text) }
	}
	like, err := regexp.Compile(pattern)
	if err != nil {
		return func([]byte) bool { return false }
	}
	return like.Match
}

func dateLike(text []byte) bool {
	for i, c := range text {
		if i == 4 || i == 7 {
			if c != '-' {
				return false
			}
		} else if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) == len("2025-01-01")
}
