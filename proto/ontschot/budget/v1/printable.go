package budgetv1

import (
	"strconv"
	"sync"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Printable reports whether a text can be shown as it stands. Control characters steer
// a terminal; format characters, those for the direction of writing among them, make it
// read as something else than it is; and a line separator ends a line of a log.
func Printable(text string) bool {
	for _, r := range text {
		switch {
		case r >= ' ' && r < 0x7f:
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return false
		}
	}
	return true
}

// FindText gives the path of the first text in a message of which is says yes; empty
// when there is none. A field of which enter says no is not looked into; nil enters all.
func FindText(m proto.Message, enter func(protoreflect.FieldDescriptor) bool, is func(f protoreflect.FieldDescriptor, text string) bool) string {
	s := search{enter, is}
	return s.message(m.ProtoReflect())
}

type search struct {
	enter func(protoreflect.FieldDescriptor) bool
	is    func(protoreflect.FieldDescriptor, string) bool
}

func (s *search) message(m protoreflect.Message) string {
	for _, f := range textual(m.Descriptor()) { // in the order of the file, so that the same message gives the same path
		if !m.Has(f) || s.enter != nil && !s.enter(f) {
			continue
		}
		if under, found := s.field(f, m.Get(f)); found {
			return string(f.Name()) + under
		}
	}
	return ""
}

// withText are the fields of each message that are texts or may hold some, by its name.
var withText sync.Map

func textual(d protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	if known, ok := withText.Load(d.FullName()); ok {
		return known.([]protoreflect.FieldDescriptor)
	}
	var list []protoreflect.FieldDescriptor
	for i := range d.Fields().Len() {
		if f := d.Fields().Get(i); f.Kind() == protoreflect.StringKind || f.Kind() == protoreflect.MessageKind { // a map is of messages
			list = append(list, f)
		}
	}
	known, _ := withText.LoadOrStore(d.FullName(), list)
	return known.([]protoreflect.FieldDescriptor)
}

// field gives the path under a field.
func (s *search) field(f protoreflect.FieldDescriptor, v protoreflect.Value) (under string, found bool) {
	switch {
	case f.IsMap():
		v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			_, found = s.value(f.MapValue(), value)
			found = found || f.MapKey().Kind() == protoreflect.StringKind && s.is(f, key.String())
			return !found
		})
		return "", found // a key may hold anything: it is not repeated
	case f.IsList():
		for i := range v.List().Len() {
			if under, found = s.value(f, v.List().Get(i)); found {
				return "[" + strconv.Itoa(i) + "]" + under, true
			}
		}
		return "", false
	}
	return s.value(f, v)
}

func (s *search) value(f protoreflect.FieldDescriptor, v protoreflect.Value) (under string, found bool) {
	switch f.Kind() {
	case protoreflect.StringKind:
		return "", s.is(f, v.String())
	case protoreflect.MessageKind:
		if under := s.message(v.Message()); under != "" {
			return "." + under, true
		}
	}
	return "", false
}

// Unprintable gives the path of the first text in a message that cannot be shown. Proofs are
// not shown: a signed note has lines.
func Unprintable(m proto.Message) string {
	return FindText(m, shown, func(_ protoreflect.FieldDescriptor, text string) bool { return !Printable(text) })
}

func shown(f protoreflect.FieldDescriptor) bool {
	return f.Message() == nil || f.Message().Name() != "Disclosure" && f.Message().Name() != "Receipt"
}

// Unlisted is the label of a product of which no label is known.
const Unlisted = "onbekend"

// DropLabel takes away a label that cannot be shown, and reports whether it did: code and
// list still say what the product is.
func DropLabel(p *Product) bool {
	if Printable(p.GetLabel()) {
		return false
	}
	p.Label = Unlisted
	return true
}

// NoticeOfText is the notice that a text of a source was left out.
func NoticeOfText(law, pointer string) *Notice {
	n := &Notice{Code: NoticeSkipped, Reason: "TEXT_UNPRINTABLE", Law: law}
	if Printable(pointer) {
		n.Pointer = pointer
	}
	return n
}
