package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/internal/identity"
)

// addTable checks one data.yaml against the schema of its list and puts it at its
// place: rules/matrix/<purpose>, rules/catalog/<list>, rules/overlays/<oin>.
func (t *tree) addTable(ctx context.Context, fsys fs.FS, file string, raw []byte) error {
	place := strings.Split(path.Dir(file), "/")
	schemas := map[string]string{"matrix": "schemas/matrix.json", "catalog": "schemas/catalog.json", "overlays": "schemas/overlay.json"}
	if len(place) != 3 || schemas[place[1]] == "" {
		return fmt.Errorf("%w: %s: tables are in matrix/<purpose>, catalog/<list> or overlays/<oin>", ErrRules, file)
	}
	if place[1] == "overlays" && !identity.IsOIN(identity.OIN(place[2])) {
		return fmt.Errorf("%w: %s: the folder must be the OIN of an organisation, twenty digits", ErrRules, file)
	}
	name := schemas[place[1]]
	if place[1] == "catalog" && slices.Contains([]string{"operations", "purposes", "statutes"}, place[2]) {
		name = "schemas/" + place[2] + ".json" // lists of more than words
	}
	schema, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	table, err := t.readTable(ctx, file, raw, schema)
	if err != nil {
		return err
	}
	group, _ := t.data[place[1]].(map[string]any)
	if group == nil {
		group = map[string]any{}
		t.data[place[1]] = group
	}
	group[place[2]] = table
	return nil
}

// readTable reads YAML and checks it; errors name file, line and column.
func (t *tree) readTable(ctx context.Context, file string, raw, schema []byte) (any, error) {
	node, table, document, err := readYAML(file, raw)
	if err != nil {
		return nil, err
	}
	if t.nodes != nil {
		t.nodes[file] = node
	}
	mistakes, err := t.schemas.match(ctx, document, schema)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrRules, file, err)
	}
	if len(mistakes) > 0 {
		return nil, describe(file, node, mistakes, wordsOf(schema))
	}
	return table, nil
}

// readYAML reads one document: its nodes, what it says, and that as JSON. Errors: Problems.
func readYAML(file string, raw []byte) (*yaml.Node, any, []byte, error) {
	var node, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	if err := decoder.Decode(&node); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, nil, unreadable(file, err)
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, nil, nil, Problems{placed(file, &more, "dit is een tweede document; zet alles in één", "this is a second document; put everything in one")}
	}
	var table any
	if err := node.Decode(&table); err != nil {
		return nil, nil, nil, unreadable(file, err)
	}
	document, err := json.Marshal(table)
	if err != nil {
		return nil, nil, nil, Problems{placed(file, textless(&node), "een sleutel is geen tekst", "a key is no text")}
	}
	return &node, table, document, nil
}

// textless finds the first key that is no text; without one the document itself.
func textless(node *yaml.Node) *yaml.Node {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 && (child.Kind != yaml.ScalarNode || child.Tag != "!!str") {
			return child
		}
		if found := textless(child); found != child {
			return found
		}
	}
	return node
}
