package setup

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/docs"
	"github.com/ontschot/ontschot/internal/config"
)

// file is a kind of file that people write: what it is read into, and the example that explains
// its keys.
type file struct {
	into    reflect.Type
	tag     string
	example []byte
}

// files are those kinds, by the name that the command has for them.
func files(others map[string]reflect.Type) map[string]file {
	all := map[string]file{
		"gateway": {reflect.TypeFor[config.Gateway](), "yaml", docs.GatewayExample},
		"trust":   {reflect.TypeFor[config.Trust](), "yaml", docs.TrustExample},
		"client":  {reflect.TypeFor[config.Client](), "yaml", docs.ClientExample},
		"party":   {reflect.TypeFor[Party](), "yaml", nil},
		"adapter": {reflect.TypeFor[config.Adapter](), "yaml", nil},
	}
	for name, t := range others {
		all[name] = file{t, "json", nil}
	}
	return all
}

// Schemas are the names of the kinds of file; others are those that are JSON.
func Schemas(others map[string]reflect.Type) []string {
	return slices.Sorted(maps.Keys(files(others)))
}

// Schema is the JSON Schema of a kind of file, from what the file is read into, with the
// explanations of the example. Errors: ErrInput.
func Schema(name string, others map[string]reflect.Type) ([]byte, error) {
	f, known := files(others)[name]
	if !known {
		return nil, fmt.Errorf("%w: no kind of file %q; there are: %s", ErrInput, name, strings.Join(Schemas(others), ", "))
	}
	schema := config.SchemaOf(f.into, f.tag)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$id"] = "https://ontschot.nl/schema/" + name + ".json"
	var root yaml.Node
	if err := yaml.Unmarshal(f.example, &root); err != nil {
		return nil, err
	}
	if len(root.Content) > 0 {
		describe(schema, root.Content[0])
	}
	return json.MarshalIndent(schema, "", "  ")
}

// describe puts what an example says of a key into its schema.
func describe(schema map[string]any, n *yaml.Node) {
	properties, _ := schema["properties"].(map[string]any)
	items, _ := schema["items"].(map[string]any)
	switch {
	case n.Kind == yaml.SequenceNode && items != nil:
		for _, item := range n.Content {
			describe(items, item)
		}
	case n.Kind == yaml.MappingNode && properties != nil:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			of, _ := properties[name.Value].(map[string]any)
			if of == nil {
				continue
			}
			if text := explained(name.HeadComment, value.LineComment, name.LineComment); text != "" && of["description"] == nil {
				of["description"] = text
			}
			describe(of, value)
		}
	}
}

// explained joins comments to one text.
func explained(comments ...string) string {
	var words []string
	for _, comment := range comments {
		for line := range strings.Lines(comment) {
			words = append(words, strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "#")))
		}
	}
	return strings.Join(words, " ")
}
