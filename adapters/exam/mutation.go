package exam

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mutation is a configuration with one mistake.
type mutation struct {
	path, what string
	config     []byte
}

// strangeKey is a key that no configuration has.
const strangeKey = "kanarie_onbekend"

// Bounds of the mistakes that are made.
const (
	deepest       = 3
	mostMutations = 200
)

// mutations makes each mistake that a schema refuses: a key that is unknown or lacks, a value
// of another type, or one that its rules do not let pass.
func mutations(rawSchema, config []byte) (all []mutation) {
	rules, err := schema(rawSchema)
	if err != nil || rules == nil {
		return nil
	}
	var of map[string]any
	if json.Unmarshal(rawSchema, &of) != nil {
		return nil
	}
	m := mutator{rules: rules, config: config}
	m.object(nil, of)
	return m.all[:min(len(m.all), mostMutations)]
}

type mutator struct {
	rules  *jsonschema.Schema
	config []byte
	all    []mutation
}

// object makes the mistakes in an object of the configuration.
func (m *mutator) object(path []string, of map[string]any) {
	if len(path) > deepest {
		return
	}
	m.try(append(path, strangeKey), "unknown key", "x")
	inside, _ := of["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(inside)) {
		here := append(slices.Clone(path), name)
		rule, ok := inside[name].(map[string]any)
		if !ok {
			continue
		}
		m.try(here, "missing", nil)
		for what, value := range wrong(rule) {
			m.try(here, what, value)
		}
		if m.has(here) {
			m.object(here, rule)
		}
	}
}

// wrong are values that a rule may refuse; whether it does, the schema says.
func wrong(rule map[string]any) map[string]any {
	all := map[string]any{"wrong type": any(7), "empty": "", "not as the pattern": "\u0001kanarie", "too long": strings.Repeat("x", 5000)}
	switch rule["type"] {
	case "integer", "number":
		all["wrong type"] = "x"
		all["too small"], all["too large"], all["fraction"] = -1e15, 1e15, 0.5
	case "array", "boolean":
		all["wrong type"] = "x"
	}
	return all
}

// try keeps a mistake if the schema refuses it, there and nowhere else.
func (m *mutator) try(path []string, what string, value any) {
	var object map[string]any
	if json.Unmarshal(m.config, &object) != nil {
		return
	}
	at := object
	for _, name := range path[:len(path)-1] {
		next, ok := at[name].(map[string]any)
		if !ok {
			return
		}
		at = next
	}
	name := path[len(path)-1]
	if value == nil {
		delete(at, name)
	} else {
		at[name] = value
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil || m.rules.Validate(doc) == nil {
		return
	}
	m.all = append(m.all, mutation{strings.Join(path, "."), what, raw})
}

// has reports whether the configuration has an object at a path.
func (m *mutator) has(path []string) bool {
	var at any
	if json.Unmarshal(m.config, &at) != nil {
		return false
	}
	for _, name := range path {
		object, _ := at.(map[string]any)
		at = object[name]
	}
	_, is := at.(map[string]any)
	return is
}
