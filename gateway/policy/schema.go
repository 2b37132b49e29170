package policy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	query, err := rego.New(
		rego.Query("json.match_schema(input.document, input.schema)"), rego.StrictBuiltinErrors(true),
	).PrepareForEval(ctx)
	return schemas{query, rego.EvalInterQueryBuiltinValueCache(known)}, err
}

// match holds a JSON document against a JSON schema.
func (k schemas) match(ctx context.Context, document, schema []byte) ([]mistake, error) {
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

// describe writes mistakes as file:line, in the order of the lines.
func describe(file string, document *yaml.Node, found []mistake, schema []byte) string {
	words := wordsOf(schema)
	type message struct {
		line int
		text string
	}
	var all []message
	for _, m := range found {
		node, word := find(document, m)
		all = append(all, message{node.Line, fmt.Sprintf("\n%s:%d: %s: %s%s", file, node.Line, m.Field, strings.TrimPrefix(m.Desc, m.Field+" "), suggest(word, words))})
	}
	slices.SortFunc(all, func(a, b message) int { return cmp.Or(a.line-b.line, strings.Compare(a.text, b.text)) })
	var out strings.Builder
	for _, t := range all[:min(len(all), maxMistakes)] {
		out.WriteString(t.text)
	}
	return out.String()
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
