package graphql

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// selected reads a query: its operation, and the paths of what it selects of a record. said
// is what is wrong with it. It is one query with a name, without fragments: what it asks
// can be read where it stands.
func selected(query, rows string) (operation string, columns []string, said string) {
	document, err := parser.ParseQuery(&ast.Source{Name: "query", Input: query})
	switch {
	case err != nil:
		return "", nil, short(err)
	case len(document.Operations) != 1 || document.Operations[0].Operation != ast.Query || document.Operations[0].Name == "":
		return "", nil, "one query with a name, and no mutation"
	case len(document.Fragments) > 0:
		return "", nil, "no fragments"
	}
	at := document.Operations[0].SelectionSet
	for name := range strings.SplitSeq(rows, "/") {
		field := one(at, name)
		if field == nil {
			return "", nil, "it does not select what rows names"
		}
		at = field.SelectionSet
	}
	if columns, said = leaves(at, ""); said != "" {
		return "", nil, said
	}
	return document.Operations[0].Name, columns, ""
}

func one(set ast.SelectionSet, name string) *ast.Field {
	for _, s := range set {
		if field, ok := s.(*ast.Field); ok && field.Alias == name { // without one it is the name
			return field
		}
	}
	return nil
}

func leaves(set ast.SelectionSet, before string) (all []string, said string) {
	for _, s := range set {
		field, ok := s.(*ast.Field)
		if !ok {
			return nil, "no fragments"
		}
		if len(field.SelectionSet) == 0 {
			all = append(all, before+field.Alias)
			continue
		}
		under, said := leaves(field.SelectionSet, before+field.Alias+"/")
		if said != "" {
			return nil, said
		}
		all = append(all, under...)
	}
	return all, ""
}

// mostSchema bounds a schema, in bytes.
const mostSchema = 2 << 20

// valid holds a query against a schema; what it gives is what does not fit.
func valid(schema, query string) (said string) {
	if len(schema) > mostSchema {
		return "the schema is too large"
	}
	loaded, err := gqlparser.LoadSchema(&ast.Source{Name: "schema", Input: schema})
	if err != nil {
		return "schema: " + short(err)
	}
	if _, errs := gqlparser.LoadQueryWithRules(loaded, query, rules.NewDefaultRules()); len(errs) > 0 {
		where := ""
		if len(errs[0].Locations) > 0 {
			where = fmt.Sprintf("%d:%d: ", errs[0].Locations[0].Line, errs[0].Locations[0].Column)
		}
		return where + short(fmt.Errorf("%s", errs[0].Message))
	}
	return ""
}

func short(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), 160)], "")
}
