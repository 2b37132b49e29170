package config

import (
	"encoding/json"
	"reflect"
	"strings"
)

// SchemaOf is the JSON Schema (draft 2020-12) of what is read into a type: the keys that the strict
// reader takes, and no others. tag is yaml or json. What is a text, a number or a list is said,
// not which texts count: that says the check.
func SchemaOf(t reflect.Type, tag string) map[string]any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[json.RawMessage]() || t.Kind() == reflect.Interface {
		return map[string]any{}
	}
	if tag == "json" && reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return map[string]any{"type": []string{"string", "null"}} // a civil date, YYYY-MM-DD
	}
	switch t.Kind() {
	case reflect.Struct:
		properties := map[string]any{}
		for name, inner := range membersOf(t, tag) {
			properties[name] = SchemaOf(inner, tag)
		}
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
	case reflect.Map:
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": SchemaOf(t.Elem(), tag)}
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": SchemaOf(t.Elem(), tag)}
	case reflect.Bool:
		return map[string]any{"type": []string{"boolean", "null"}}
	case reflect.String:
		if tag == "yaml" { // a number without quotes is a text too
			return map[string]any{"type": []string{"string", "number", "boolean", "null"}}
		}
		return map[string]any{"type": []string{"string", "null"}}
	}
	return map[string]any{"type": []string{"integer", "null"}}
}

// membersOf are the keys of a struct by the tag of one encoding.
func membersOf(t reflect.Type, tag string) map[string]reflect.Type {
	if tag == "yaml" {
		return fieldsOf(t)
	}
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if name != "-" && f.IsExported() {
			fields[name] = f.Type
		}
	}
	return fields
}
