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

//go:embed indication.graphql
var indicationSchema string

//go:embed mediation.graphql
var mediationSchema string

// register is a register of the iWlz network: its schema, the one operation on it that is
// allow-listed, and how its records are made of those of a case.
type register struct {
	name, schema string
	operation    string
	root         string // as it must be written
	fields       []string
	held         string // where the records are in a case
	bsn          []string
	record       func(h *host, raw json.RawMessage, n int) json.RawMessage
	orNull       bool // nothing is null, and not a list without records
}

func indications() register {
	return register{
		name: "indication.graphql", schema: indicationSchema, operation: "WlzIndicaties",
		root: "getWlzIndicatiesVoorBsn(bsn: $bsn)",
		fields: []string{
			"wlzindicatieID", "bsn", "besluitnummer", "afgiftedatum", "ingangsdatum", "einddatum", "geindiceerdZorgzwaartepakket",
			"geindiceerdZorgzwaartepakket.zzpCode", "geindiceerdZorgzwaartepakket.ingangsdatum", "geindiceerdZorgzwaartepakket.einddatum",
		},
		held: "wlzIndicaties", bsn: []string{"bsn"}, orNull: true,
		record: func(_ *host, raw json.RawMessage, _ int) json.RawMessage { return raw },
	}
}

func mediations() register {
	return register{
		name: "mediation.graphql", schema: mediationSchema, operation: "Bemiddelingspecificaties",
		root: "bemiddelingspecificatie(where: {bemiddeling:{client:{bsn:{eq:$bsn}}}})",
		fields: []string{
			"bemiddelingspecificatieID", "leveringsvorm", "zzpCode", "toewijzingIngangsdatum", "toewijzingEinddatum", "vaststellingMoment",
			"redenIntrekking", "bemiddeling", "bemiddeling.verantwoordelijkZorgkantoor", "bemiddeling.verantwoordelijkheidIngangsdatum",
			"bemiddeling.verantwoordelijkheidEinddatum", "bemiddeling.client", "bemiddeling.client.bsn",
		},
		held: "bemiddelingspecificaties", bsn: []string{"bsn"}, record: (*host).mediation,
	}
}

// graphql is one register.
func (h *host) graphql(of register) handler {
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: of.name, Input: of.schema})
	return func(w http.ResponseWriter, r *http.Request, body []byte) {
		var q struct {
			Query         string            `json:"query"`
			OperationName string            `json:"operationName"`
			Variables     map[string]string `json:"variables"`
		}
		if json.Unmarshal(body, &q) != nil || len(q.Variables) != 1 || q.Variables["bsn"] == "" {
			refuse(w, "BAD_REQUEST")
			return
		}
		field, err := of.admit(schema, q.Query, q.OperationName)
		if err != nil {
			refuse(w, err.Error())
			return
		}
		h.note(r, Request{Operation: q.OperationName, Fields: selected(field.SelectionSet, "")})
		var found []any
		for i, raw := range h.store.iwlz[of.held] {
			if text(raw, of.bsn...) == q.Variables["bsn"] {
				found = append(found, project(of.record(h, raw, i), field.SelectionSet))
			}
		}
		if found == nil && !of.orNull {
			found = []any{}
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

// admit takes the allow-listed operation, without aliases, fragments or directives, and
// gives its root field. A query that names one field more is refused whole, as the network
// does: not answered without it.
func (of register) admit(schema *ast.Schema, query, operation string) (*ast.Field, error) {
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if len(errs) > 0 {
		return nil, errInvalid
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) != 0 {
		return nil, errForbidden
	}
	o := doc.Operations[0]
	if o.Operation != ast.Query || o.Name != operation || o.Name != of.operation || len(o.Directives) != 0 || len(o.SelectionSet) != 1 {
		return nil, errForbidden
	}
	root, ok := o.SelectionSet[0].(*ast.Field)
	if !ok || written(root) != of.root || !plain(o.SelectionSet) {
		return nil, errForbidden
	}
	for _, path := range selected(root.SelectionSet, "") {
		if !slices.Contains(of.fields, path) {
			return nil, errForbidden
		}
	}
	return root, nil
}

// written is a root field with its argument.
func written(f *ast.Field) string {
	if len(f.Arguments) != 1 {
		return f.Name
	}
	return f.Name + "(" + f.Arguments[0].Name + ": " + f.Arguments[0].Value.String() + ")"
}

func plain(set ast.SelectionSet) bool {
	for _, s := range set {
		f, ok := s.(*ast.Field)
		if !ok || f.Alias != f.Name || len(f.Directives) != 0 || !plain(f.SelectionSet) {
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
		case len(value) > 0 && value[0] == '{':
			kept[f.Name] = project(value, f.SelectionSet)
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
