package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

//go:embed register.graphql
var schemaText string

// register is where the records behind a root field are, in a case.
func register(field string) string {
	return map[string]string{
		"wlzIndicatie":            "wlzIndicaties",
		"bemiddelingspecificatie": "bemiddelingspecificaties",
		"overdracht":              "overdrachten",
	}[field]
}

// forbidden are the fields from which a diagnosis can be read. A query that
// names one is refused whole, as the network does: not answered without it.
func forbidden(field string) bool {
	return slices.Contains([]string{"grondslag", "stoornis", "beperking"}, field)
}

// allowed are the operations, by name, and the one register each may ask.
func allowed(operation string) string {
	return map[string]string{
		"WlzIndicatie":            "wlzIndicatie",
		"Bemiddelingspecificatie": "bemiddelingspecificatie",
		"Overdracht":              "overdracht",
	}[operation]
}

// graphql is the registers of the iWlz network.
func (h *host) graphql() handler {
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "register.graphql", Input: schemaText})
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		var q struct {
			Query         string            `json:"query"`
			OperationName string            `json:"operationName"`
			Variables     map[string]string `json:"variables"`
		}
		if json.Unmarshal(body, &q) != nil || q.Variables["bsn"] == "" {
			refuse(w, "BAD_REQUEST")
			return
		}
		field, err := admit(schema, q.Query, q.OperationName)
		if err != nil {
			refuse(w, err.Error())
			return
		}
		h.note(r, Request{Operation: q.OperationName, Fields: selected(field.SelectionSet, "")})
		found := []any{}
		for _, raw := range of(h.store.iwlz[register(field.Name)], q.Variables["bsn"], "bsn") {
			found = append(found, project(raw, field.SelectionSet))
		}
		replyJSON(w, map[string]any{"data": map[string]any{field.Name: found}})
	}
}

// Reasons for refusing a query, as the extension code of the error has them.
var (
	errInvalid   = errors.New("GRAPHQL_VALIDATION_FAILED")
	errForbidden = errors.New("FORBIDDEN")
)

// refuse answers with an error and status 200, as GraphQL over HTTP does.
func refuse(w http.ResponseWriter, code string) {
	replyJSON(w, map[string]any{"errors": []any{map[string]any{
		"message": "vraag geweigerd", "extensions": map[string]any{"code": code},
	}}})
}

// admit takes one allow-listed operation on one register, without aliases,
// fragments or directives, and gives its root field.
func admit(schema *ast.Schema, query, operation string) (*ast.Field, error) {
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if len(errs) > 0 {
		return nil, errInvalid
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) != 0 {
		return nil, errForbidden
	}
	o := doc.Operations[0]
	if o.Operation != ast.Query || o.Name != operation || len(o.Directives) != 0 || len(o.SelectionSet) != 1 {
		return nil, errForbidden
	}
	root, ok := o.SelectionSet[0].(*ast.Field)
	if !ok || root.Name != allowed(operation) || !plain(o.SelectionSet) {
		return nil, errForbidden
	}
	return root, nil
}

func plain(set ast.SelectionSet) bool {
	for _, s := range set {
		f, ok := s.(*ast.Field)
		if !ok || f.Alias != f.Name || len(f.Directives) != 0 || forbidden(f.Name) || !plain(f.SelectionSet) {
			return false
		}
	}
	return true
}

// selected lists the paths of the fields of a selection.
func selected(set ast.SelectionSet, path string) (paths []string) {
	for _, s := range set {
		f := s.(*ast.Field) // plain has seen to it
		paths = append(paths, path+f.Name)
		paths = append(paths, selected(f.SelectionSet, path+f.Name+".")...)
	}
	return paths
}

// project keeps the selected fields of a record; what it does not have is null.
func project(raw json.RawMessage, set ast.SelectionSet) map[string]any {
	var object map[string]json.RawMessage
	_ = json.Unmarshal(raw, &object) // no object: all fields are null
	kept := map[string]any{}
	for _, s := range set {
		f := s.(*ast.Field)
		value, ok := object[f.Name]
		switch {
		case !ok:
			kept[f.Name] = nil
		case len(f.SelectionSet) == 0:
			kept[f.Name] = value
		default:
			kept[f.Name] = projectList(value, f.SelectionSet)
		}
	}
	return kept
}

func projectList(raw json.RawMessage, set ast.SelectionSet) any {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	kept := []any{}
	for _, one := range list {
		kept = append(kept, project(one, set))
	}
	return kept
}
