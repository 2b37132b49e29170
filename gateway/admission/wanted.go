package admission

import (
	"fmt"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// brokenRule words the rule of a proto file that a field of a request breaks, by its name and by
// what it wants. It says nothing of the value.
func brokenRule(of protoreflect.MessageDescriptor, v *validate.Violation) string {
	id := v.GetRuleId()
	field := fieldAt(of, v.GetField())
	if field == nil {
		return "breaks the rule " + id
	}
	rules, err := protovalidate.ResolveFieldRules(field)
	if err != nil {
		return "breaks the rule " + id
	}
	for _, part := range v.GetRule().GetElements() {
		switch part.GetFieldName() { // of one value among several
		case "items":
			rules = rules.GetRepeated().GetItems()
		case "keys":
			rules = rules.GetMap().GetKeys()
		case "values":
			rules = rules.GetMap().GetValues()
		}
	}
	if words := wanted(rules, id); words != "" {
		return fmt.Sprintf("breaks the rule %s: %s", id, words)
	}
	return "breaks the rule " + id
}

// fieldAt is the field at a path in a message; nil where there is none. The validator gives it
// for a field, and for one value among several it gives none.
func fieldAt(of protoreflect.MessageDescriptor, path *validate.FieldPath) (field protoreflect.FieldDescriptor) {
	for _, part := range path.GetElements() {
		if of == nil {
			return nil
		}
		if field = of.Fields().ByNumber(protoreflect.FieldNumber(part.GetFieldNumber())); field == nil {
			return nil
		}
		of = field.Message()
		if field.IsMap() {
			of = field.MapValue().Message()
		}
	}
	return field
}

// wanted says in words what a rule wants of one value; empty: there are no words for it.
func wanted(r *validate.FieldRules, id string) string {
	kind, rule, _ := strings.Cut(id, ".")
	switch kind {
	case "required":
		return "it is needed"
	case "string":
		s := r.GetString()
		switch rule {
		case "pattern":
			return forms()[s.GetPattern()]
		case "in":
			return "it must be one of " + strings.Join(s.GetIn(), ", ")
		case "min_len", "max_len":
			return count(bound(s.HasMinLen(), s.GetMinLen()), bound(s.HasMaxLen(), s.GetMaxLen()), "character")
		}
	case "bytes":
		b := r.GetBytes()
		return count(bound(b.HasMinLen(), b.GetMinLen()), bound(b.HasMaxLen(), b.GetMaxLen()), "byte")
	case "repeated":
		l := r.GetRepeated()
		if rule == "unique" {
			return "each must be there once"
		}
		return count(bound(l.HasMinItems(), l.GetMinItems()), bound(l.HasMaxItems(), l.GetMaxItems()), "item")
	case "map":
		m := r.GetMap()
		return count(bound(m.HasMinPairs(), m.GetMinPairs()), bound(m.HasMaxPairs(), m.GetMaxPairs()), "key")
	case "int32":
		n := r.GetInt32()
		return number(bound(n.HasGte(), int64(n.GetGte())), bound(n.HasLte(), int64(n.GetLte())))
	case "int64":
		n := r.GetInt64()
		return number(bound(n.HasGte(), n.GetGte()), bound(n.HasLte(), n.GetLte()))
	}
	return ""
}

// bound is a bound of a rule; nil: it has none.
func bound[T uint64 | int64](is bool, n T) *T {
	if !is {
		return nil
	}
	return &n
}

// count words how many there must be of something.
func count(from, to *uint64, of string) string {
	name := func(n uint64) string {
		if n == 1 {
			return of
		}
		return of + "s"
	}
	switch {
	case from != nil && to != nil && *from == *to:
		return fmt.Sprintf("it must have exactly %d %s", *to, name(*to))
	case from != nil && to != nil:
		return fmt.Sprintf("it must have %d to %d %s", *from, *to, name(*to))
	case from != nil:
		return fmt.Sprintf("it must have at least %d %s", *from, name(*from))
	case to != nil:
		return fmt.Sprintf("it must have at most %d %s", *to, name(*to))
	}
	return ""
}

// number words between which numbers, both included.
func number(from, to *int64) string {
	switch {
	case from != nil && to != nil:
		return fmt.Sprintf("it must be a whole number from %d to %d", *from, *to)
	case from != nil:
		return fmt.Sprintf("it must be a whole number, %d or more", *from)
	case to != nil:
		return fmt.Sprintf("it must be a whole number, %d or less", *to)
	}
	return ""
}

// forms are the patterns of the proto files in words.
func forms() map[string]string {
	const (
		date  = "it must be a civil date, YYYY-MM-DD"
		oin   = "it must be an OIN, twenty digits"
		empty = ", or empty"
	)
	return map[string]string{
		`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`:                         date,
		`^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}$`:                      date + empty,
		`^[0-9]{20}$`:                                          oin,
		`^([0-9]{20})?$`:                                       oin + empty,
		`^[0-9]{4}$`:                                           "it must be four digits",
		`^[0-9a-f]{64}$`:                                       "it must be a SHA-256: 64 hexadecimal digits, in small letters",
		`^[0-9]{1,9}([.][0-9]{1,4})?$`:                         "it must be a number of at most nine digits, and at most four more behind a point",
		`^$|^[0-9]{1,3}([.][0-9]{1,2})?$`:                      "it must be a number of at most three digits, and at most two more behind a point" + empty,
		`^[A-Z0-9][A-Z0-9_-]{0,31}$`:                           "it must be a party code: 1 to 32 capitals, digits, - and _, beginning with a capital or a digit",
		`^[A-Za-z0-9_-]{1,32}$`:                                "it must be 1 to 32 letters, digits, - and _",
		`^[A-Za-z0-9_.-]{1,64}$`:                               "it must be 1 to 64 letters, digits, points, - and _",
		`^[A-Za-z0-9][A-Za-z0-9._-]*$`:                         "it must be letters, digits, points, - and _, beginning with a letter or a digit",
		`^[a-z][a-z0-9_]{0,31}([.][a-z][a-z0-9_]{0,31}){0,3}$`: "it must be one to four words with points between them, each of at most 32 small letters, digits and _, beginning with a letter",
	}
}
