package main

import (
	"regexp"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ontschot/ontschot/gateway/web"
)

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// message has a schema for a message and for all that is in it, and gives its name.
func (w *writer) message(md protoreflect.MessageDescriptor) string {
	name := string(md.Name())
	if w.schemas[name] != nil {
		return name
	}
	s := object{"type": "object"}
	w.schemas[name] = s // before its fields: one may hold its own kind
	if text := w.words[md.FullName()]; text != "" {
		s["description"] = text
	}
	properties := object{}
	s["properties"] = properties
	var required []string
	for i := range md.Fields().Len() {
		f := md.Fields().Get(i)
		properties[f.JSONName()] = w.field(f)
		if needed(f) && !w.answers[md.FullName()] {
			required = append(required, f.JSONName())
		}
	}
	if required != nil {
		s["required"] = required
	}
	return name
}

// inAnswers are the messages of which there are some in answers: what a request needs, an answer
// may not have.
func inAnswers() map[protoreflect.FullName]bool {
	seen := map[protoreflect.FullName]bool{}
	var walk func(md protoreflect.MessageDescriptor)
	walk = func(md protoreflect.MessageDescriptor) {
		if seen[md.FullName()] {
			return
		}
		seen[md.FullName()] = true
		for i := range md.Fields().Len() {
			if f := md.Fields().Get(i); f.Message() != nil {
				walk(f.Message())
			}
		}
	}
	for _, r := range web.Routes() {
		walk(r.Method().Output())
	}
	return seen
}

// field is the schema of one, with what its comment says.
func (w *writer) field(f protoreflect.FieldDescriptor) object {
	s := w.bare(f)
	text := w.words[f.FullName()]
	if text == "" {
		return s
	}
	if s["$ref"] != nil { // OpenAPI 3.0 reads nothing beside it
		s = object{"allOf": []object{s}}
	}
	s["description"] = text
	return s
}

func (w *writer) bare(f protoreflect.FieldDescriptor) object {
	switch {
	case f.IsMap():
		return object{"type": "object", "additionalProperties": w.value(f.MapValue())}
	case f.IsList():
		s := object{"type": "array", "items": w.value(f)}
		if r := rulesOf(f).GetRepeated(); r != nil {
			bound(s, "minItems", r.GetMinItems())
			bound(s, "maxItems", r.GetMaxItems())
			if r.GetItems() != nil {
				texts(s["items"].(object), r.GetItems().GetString())
			}
		}
		return s
	}
	return w.value(f)
}

// value is a single one.
func (w *writer) value(f protoreflect.FieldDescriptor) object {
	if f.Kind() == protoreflect.MessageKind {
		return ref(w.message(f.Message()))
	}
	return w.scalar(f)
}

func (*writer) scalar(f protoreflect.FieldDescriptor) object {
	rules := rulesOf(f)
	switch f.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.BytesKind:
		return object{"type": "string", "format": "byte"}
	case protoreflect.Int64Kind:
		return object{"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
	case protoreflect.Int32Kind:
		s := object{"type": "integer", "format": "int32"}
		if r := rules.GetInt32(); r != nil && !f.IsList() {
			if r.HasGte() {
				s["minimum"] = r.GetGte()
			}
			if r.HasLte() {
				s["maximum"] = r.GetLte()
			}
		}
		return s
	}
	s := object{"type": "string"}
	if !f.IsList() {
		texts(s, rules.GetString())
	}
	if isDate.MatchString(string(f.Name())) {
		s["format"] = "date"
	}
	return s
}

// isDate is of fields whose name says that they hold a civil date.
var isDate = regexp.MustCompile(`(^|_)date$`)

// texts says what a text must be.
func texts(s object, r *validate.StringRules) {
	if r == nil {
		return
	}
	bound(s, "minLength", r.GetMinLen())
	bound(s, "maxLength", r.GetMaxLen())
	if r.GetPattern() != "" {
		s["pattern"] = r.GetPattern()
	}
	if len(r.GetIn()) > 0 {
		s["enum"] = r.GetIn()
	}
}

func bound(s object, name string, n uint64) {
	if n > 0 {
		s[name] = n
	}
}

func rulesOf(f protoreflect.FieldDescriptor) *validate.FieldRules {
	r, err := protovalidate.ResolveFieldRules(f)
	if err != nil {
		return nil // its options would be no rules: buf lint says so
	}
	return r
}

// needed reports whether a request without the field is refused.
func needed(f protoreflect.FieldDescriptor) bool {
	r := rulesOf(f)
	text := r.GetString()
	empty := true
	if text.GetPattern() != "" {
		empty = regexp.MustCompile(text.GetPattern()).MatchString("")
	}
	return r.GetRequired() || r.GetRepeated().GetMinItems() > 0 || !f.IsList() && (text.GetMinLen() > 0 || len(text.GetIn()) > 0 || !empty) || r.GetBytes().GetMinLen() > 0
}
