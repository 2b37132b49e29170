package policy

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	opacache "github.com/open-policy-agent/opa/v1/topdown/cache"
	"go.yaml.in/yaml/v3"
)

// maxMistakes bounds how many mistakes of one file are reported.
const maxMistakes = 20

// mistake is one way in which a document is not of its schema.
type mistake struct {
	Field string // "sources.uwv.wia.roles.0", "(root)"
	Desc  string
	Type  string // as the library of OPA names it: "enum", "required"; "kind", "needless"
	// Words that could have stood there; none: those of the whole schema.
	Words []string
}

// schemas holds documents against JSON schemas. OPA's own implementation does it: it is
// there already. A schema that several tables have in common is read once.
type schemas struct {
	query rego.PreparedEvalQuery
	known rego.EvalOption
}

func newSchemas(ctx context.Context) (schemas, error) {
	most := 32
	known := opacache.NewInterQueryValueCache(ctx, &opacache.Config{
		InterQueryBuiltinValueCache: opacache.InterQueryBuiltinValueCacheConfig{MaxNumEntries: &most},
	})
	capabilities := ast.CapabilitiesForThisVersion()
	capabilities.AllowNet = []string{} // a schema fetches nothing
	query, err := rego.New(
		rego.Query("json.match_schema(input.document, input.schema)"), rego.StrictBuiltinErrors(true), rego.Capabilities(capabilities),
	).PrepareForEval(ctx)
	return schemas{query, rego.EvalInterQueryBuiltinValueCache(known)}, err
}

// match holds a JSON document against a JSON schema, which refers to nothing outside itself.
func (k schemas) match(ctx context.Context, document, schema []byte) ([]mistake, error) {
	var parsed any
	if json.Unmarshal(schema, &parsed) != nil {
		return nil, fmt.Errorf("its schema cannot be used: it is no JSON")
	}
	if ref := outside(parsed); ref != "" {
		return nil, fmt.Errorf("its schema cannot be used: it refers to %q, outside itself", ref)
	}
	results, err := k.query.Eval(ctx, k.known, rego.EvalParsedInput(ast.NewObject(
		[2]*ast.Term{ast.StringTerm("document"), ast.StringTerm(string(document))},
		[2]*ast.Term{ast.StringTerm("schema"), ast.StringTerm(string(schema))},
	)))
	if err != nil || len(results) != 1 {
		return nil, fmt.Errorf("its schema cannot be used: %w", err)
	}
	verdict, _ := results[0].Expressions[0].Value.([]any)
	if len(verdict) != 2 {
		return nil, fmt.Errorf("its schema cannot be used")
	}
	if verdict[0] == true {
		return nil, nil
	}
	return mistakes(verdict[1])
}

// outside finds a reference of a schema that is not to a part of itself.
func outside(node any) string {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			if ref := outside(child); ref != "" {
				return ref
			}
		}
	case map[string]any:
		for name, child := range n {
			text, isText := child.(string)
			if isText && (name == "$ref" && !strings.HasPrefix(text, "#") || name == "$id" || name == "id") {
				return text
			}
			if ref := outside(child); ref != "" {
				return ref
			}
		}
	}
	return ""
}

func mistakes(list any) ([]mistake, error) {
	raw, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	var found []mistake
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, err
	}
	return found, nil
}

// describe gives mistakes their places, in the order of the lines.
func describe(file string, document *yaml.Node, found []mistake, words []string) Problems {
	var all Problems
	for _, m := range found {
		node, word := find(document, m)
		known := words
		if len(m.Words) > 0 {
			known = m.Words
		}
		meant := nearest(word, known)
		all = append(all, placed(file, node, dutchMistake(m, word)+didYouMean(meant, "; bedoelt u %s?"),
			m.Field+": "+strings.TrimPrefix(m.Desc, m.Field+" ")+didYouMean(meant, "; did you mean %s?")))
	}
	all.sort()
	return all[:min(len(all), maxMistakes)]
}

// didYouMean words a suggestion; nothing when there is none.
func didYouMean(meant, text string) string {
	if meant == "" {
		return ""
	}
	return fmt.Sprintf(text, meant)
}

// dutchMistake words a mistake for who keeps the tables.
func dutchMistake(m mistake, word string) string {
	field, last := m.Field, m.Desc[:max(0, strings.IndexByte(m.Desc, ' '))]
	if field == "(root)" {
		field = "het bestand"
	}
	switch m.Type {
	case "additional_property_not_allowed":
		return fmt.Sprintf("%s: %q hoort hier niet", field, word)
	case "required":
		return fmt.Sprintf("%s: %s ontbreekt", field, last)
	case "enum":
		return fmt.Sprintf("%s: het woord %q staat niet in de lijst", field, word)
	case "invalid_type":
		return fmt.Sprintf("%s: dit is een ander soort waarde dan hier hoort", field)
	case "pattern", "invalid_property_name", "invalid_property_pattern":
		return fmt.Sprintf("%s: dit heeft niet de vorm die hier hoort", field)
	case "kind":
		return "een geval noemt één van question, work en pool"
	case "needless":
		return fmt.Sprintf("%s: %s is wel bekend, of komt in dit geval niet voor; haal het weg", field, last)
	case "unique":
		return fmt.Sprintf("%s: iets staat er twee keer in", field)
	case "number_gte", "number_lte", "number_gt", "number_lt", "string_gte", "string_lte", "array_min_items", "array_max_items", "array_min_properties", "array_max_properties":
		return fmt.Sprintf("%s: dit is te veel of te weinig", field)
	}
	return fmt.Sprintf("%s: dit past niet in deze tabel (%s)", field, m.Desc)
}

// find gives the place a mistake is about, and the word that stands there.
func find(document *yaml.Node, m mistake) (*yaml.Node, string) {
	node := document
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	if m.Field != "(root)" {
		node = descend(node, m.Field)
	}
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if strings.Contains(m.Desc, "property "+key.Value+" ") {
			return key, key.Value
		}
	}
	return node, node.Value
}

// descend follows a dotted path. A key may hold dots itself, so at each step the
// longest key that fits is taken.
func descend(node *yaml.Node, path string) *yaml.Node {
	for path != "" {
		next, rest := step(node, path)
		if next == nil {
			return node
		}
		node, path = next, rest
	}
	return node
}

func step(node *yaml.Node, path string) (next *yaml.Node, rest string) {
	longest := -1
	for i, child := range node.Content {
		name, value := fmt.Sprint(i), child
		if node.Kind == yaml.MappingNode {
			if i%2 == 1 {
				continue
			}
			name, value = child.Value, node.Content[i+1]
		}
		if after, ok := strings.CutPrefix(path+".", name+"."); ok && len(name) > longest {
			longest, next, rest = len(name), value, strings.TrimSuffix(after, ".")
		}
	}
	return next, rest
}
