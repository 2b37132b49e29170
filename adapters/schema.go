package adapters

import (
	"bytes"
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// MaxSchema bounds the schema of a configuration, in bytes.
const MaxSchema = 64 << 10

// conforms holds a configuration against a JSON Schema (draft 2020-12); without one it is
// as good as its adapter finds it. What is wrong is a *ConfigError each, joined, and never
// holds a value.
func conforms(raw, schema []byte) error {
	if len(schema) == 0 {
		return nil
	}
	rules, err := CompileSchema(schema)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return &ConfigError{Path: ".", NL: "geen geldige JSON", EN: "no valid JSON"}
	}
	var wrong *jsonschema.ValidationError
	if err := rules.Validate(value); errors.As(err, &wrong) {
		return errors.Join(violations(wrong)...)
	}
	return nil
}

// CompileSchema reads the JSON Schema of a configuration. It reaches nothing: a reference
// to another document is an error.
func CompileSchema(schema []byte) (*jsonschema.Schema, error) {
	bad := &ConfigError{Path: ".", NL: "het schema van de adapter deugt niet", EN: "the adapter's schema is not valid"}
	if len(schema) > MaxSchema {
		return nil, bad
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return nil, bad
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	c.AssertFormat()
	if err := c.AddResource("config.json", doc); err != nil {
		return nil, bad
	}
	rules, err := c.Compile("config.json")
	if err != nil {
		return nil, bad
	}
	return rules, nil
}

// violations gives the errors at the ends of the branches.
func violations(e *jsonschema.ValidationError) (all []error) {
	for _, cause := range e.Causes {
		all = append(all, violations(cause)...)
	}
	if len(e.Causes) > 0 {
		return all
	}
	at := func(names ...string) string {
		if path := strings.Join(append(e.InstanceLocation, names...), "."); path != "" {
			return cut(path, longestPointer)
		}
		return "."
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			all = append(all, &ConfigError{Path: at(name), NL: "onbekende sleutel", EN: "unknown key"})
		}
		return all
	case *kind.Required:
		for _, name := range k.Missing {
			all = append(all, &ConfigError{Path: at(name), NL: "ontbreekt", EN: "is needed"})
		}
		return all
	case *kind.Type:
		return []error{&ConfigError{Path: at(), NL: "verkeerd soort waarde", EN: "wrong kind of value"}}
	}
	rule := strings.Join(e.ErrorKind.KeywordPath(), "/")
	return []error{&ConfigError{Path: at(), NL: "voldoet niet aan het schema: " + rule, EN: "not as the schema has it: " + rule}}
}
