package mapping_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/csv"
	"github.com/ontschot/ontschot/adapters/graphql"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/source"
	"github.com/ontschot/ontschot/adapters/sql"
)

// The schema of each kind has the keys that its configuration has, and no others.
func TestSchemasHaveTheKeysOfTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		kind     mapping.Kind
		settings any
		more     []string
		less     []string
	}{
		{rest.Kind{}, source.Settings{}, nil, []string{"signer_pem"}},
		{graphql.Kind{}, source.Settings{}, []string{"schema"}, []string{"signer_pem"}},
		{soap.Kind{}, source.Settings{}, nil, nil},
		{sql.Kind{}, sql.Settings{}, nil, nil},
		{csv.Kind{}, csv.Settings{}, nil, nil},
	} {
		facts := c.kind.Facts()
		var schema struct {
			AdditionalProperties bool
			Required             []string
			Properties           map[string]json.RawMessage
		}
		require.NoError(t, json.Unmarshal(facts.Schema, &schema), facts.Name)
		want := append([]string{"mapping"}, c.more...)
		for f := range reflect.TypeOf(c.settings).NumField() {
			key, _, _ := strings.Cut(reflect.TypeOf(c.settings).Field(f).Tag.Get("json"), ",")
			if !slices.Contains(c.less, key) {
				want = append(want, key)
			}
		}
		require.ElementsMatch(t, want, slices.Collect(maps.Keys(schema.Properties)), facts.Name)
		require.Subset(t, want, schema.Required)
		require.Subset(t, want, facts.Egress)
	}
}

// The schema of a mapping has the keys that are read, and no others.
func TestTheSchemaOfAMappingHasTheKeysThatAreRead(t *testing.T) {
	read := map[string]bool{}
	for _, file := range []string{"mapping.go", "codes.go", "field.go", "try.go"} {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, call := range regexp.MustCompile(`(?s)\.Known\((".*?)\)`).FindAllStringSubmatch(string(raw), -1) {
			for _, key := range regexp.MustCompile(`"([a-z_]+)"`).FindAllStringSubmatch(call[1], -1) {
				read[key[1]] = true
			}
		}
	}
	require.Greater(t, len(read), 40)
	said := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		of, _ := v.(map[string]any)
		if properties, ok := of["properties"].(map[string]any); ok {
			require.Equal(t, false, of["additionalProperties"])
			for key, inner := range properties {
				said[key] = true
				walk(inner)
			}
		}
		for _, under := range []string{"items", "additionalProperties"} {
			if inner, ok := of[under].(map[string]any); ok {
				walk(inner)
			}
		}
	}
	var schema map[string]any
	require.NoError(t, json.Unmarshal(mapping.Schema(), &schema))
	walk(schema)
	for key := range read {
		require.True(t, said[key], "%s is read, and not in the schema", key)
	}
	expected := []string{"label", "divisor", "history", "reason", "path", "element", "gap", "count", "cents", "system"} // of what tests expect
	for key := range said {
		require.True(t, read[key] || slices.Contains(expected, key), "%s is in the schema, and not read", key)
	}
	rules, err := adapters.CompileSchema(mapping.Schema())
	require.NoError(t, err)
	for text, good := range map[string]bool{
		`{"mapping": 1, "fields": {"law": "WLZ", "product": {"system": "x", "code": "y"}}}`: true,
		`{"mapping": 1, "feilds": {}}`:                                  false,
		`{"mapping": 1, "fields": {"product": {"sistem": "x"}}}`:        false,
		`{"mapping": 1, "codes": {"p": {"valeus": {}}}}`:                false,
		`{"mapping": 1, "tests": [{"name": "a", "lines": [{"x": 1}]}]}`: false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		require.NoError(t, err)
		require.Equal(t, good, rules.Validate(value) == nil, text)
	}
}
