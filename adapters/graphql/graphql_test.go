package graphql_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/graphql"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/trial"
)

const schema = `type Query { rechten(bsn: String!): RechtConnection }
type RechtConnection { nodes: [Recht!]! totalCount: Int pageInfo: PageInfo }
type PageInfo { hasNextPage: Boolean! }
type Recht { id: ID! bsn: String! product: Product! van: String! bedrag: String diagnose: String }
type Product { code: String! }`

const mapped = `
mapping: 1
id: gm0193-graphql
version: 1.0.0
laws: [WMO]
identifiers: [bsn]
source:
  kind: graphql
  path: /graphql
  query: |
    query Rechten($bsn: String!) {
      rechten(bsn: $bsn) { nodes { bsn product { code } van bedrag } totalCount pageInfo { hasNextPage } }
    }
  variables: {bsn: "{person}"}
rows: rechten/nodes
person: r.bsn
fields:
  law: WMO
  kind: ENTITLEMENT
  form: PGB
  fungibility: POOLABLE
  product: {system: WMO020, code: r.product.code}
  period: {from: r.van}
  amount: {cents: cents(r.bedrag), basis: PER_YEAR}
tests:
  - name: a right
    answer: '{"data": {"rechten": {"nodes": [{"bsn": "999940004", "product": {"code": "02"}, "van": "2025-01-01", "bedrag": "12,50"}], "totalCount": 1, "pageInfo": {"hasNextPage": false}}}}'
    person: "999940004"
    lines: [{product: "02", cents: 1250}]
  - name: a part of an answer is none
    answer: '{"data": {"rechten": {"nodes": []}}, "errors": [{"message": "x"}]}'
    person: "999940004"
    refused: SOURCE_UNAVAILABLE
`

func TestItsOwnTestsPass(t *testing.T) {
	_, err := mapping.Validate(graphql.Kind{}, []byte(mapped))
	require.NoError(t, err)
	_, err = mapping.Validate(graphql.Kind{}, []byte(strings.Replace(mapped, "    refused: SOURCE_UNAVAILABLE\n", "", 1)))
	require.ErrorContains(t, err, "tests[1].refused", "an error beside an answer is never an answer without lines")
}

func configured(t *testing.T, s trial.System, text string, change map[string]any) *adapters.Service {
	config := map[string]any{"schema": schema}
	for k, v := range change {
		config[k] = v
	}
	service := adapters.NewService(graphql.New([]byte(text)))
	require.Empty(t, trial.Configure(t, service, s.Config(t, config), map[string]string{"tls_key": s.Key}))
	return service
}

// A server that holds what it is sent against its schema answers the stored query.
func TestStoredQueryIsAsked(t *testing.T) {
	loaded := gqlparser.MustLoadSchema(&ast.Source{Input: schema})
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query, OperationName string
			Variables            map[string]string
		}
		body, _ := io.ReadAll(r.Body)
		_, errs := gqlparser.LoadQueryWithRules(loaded, "query X{__typename}", rules.NewDefaultRules())
		if json.Unmarshal(body, &q) == nil {
			_, errs = gqlparser.LoadQueryWithRules(loaded, q.Query, rules.NewDefaultRules())
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		if len(errs) > 0 || q.OperationName != "Rechten" || len(q.Variables) != 1 || strings.Contains(q.Query, trial.Number) {
			t.Error("query", errs, q.OperationName)
		}
		fmt.Fprintf(w, `{"data": {"rechten": {"nodes": [{"bsn": %q, "product": {"code": "02"}, "van": "2025-01-01", "bedrag": "12,50"}], "totalCount": 1, "pageInfo": {"hasNextPage": false}}}}`, q.Variables["bsn"])
	})
	a, err := configured(t, s, mapped, nil).Fetch(t.Context(), trial.Request(trial.Number, "WMO"))
	require.NoError(t, err)
	require.Len(t, a.GetLines(), 1)
	require.EqualValues(t, 1250, a.GetLines()[0].GetAmount().GetCents())
	require.Empty(t, a.GetNotices())
}

func TestErrorsWithStatus200(t *testing.T) {
	answer := ""
	s := trial.NewSystem(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	})
	service := configured(t, s, mapped, nil)
	said := func(code string) string {
		return `{"data": {"rechten": {"nodes": []}}, "errors": [{"message": "` + trial.Number + `", "extensions": {"code": "` + code + `"}}]}`
	}
	for raw, want := range map[string]string{
		said("FORBIDDEN"): adapters.ReasonNotAuthorised, said("UNAUTHENTICATED"): adapters.ReasonNotAuthorised,
		said("GRAPHQL_VALIDATION_FAILED"): adapters.ReasonAdapterBug, said("TIMEOUT"): adapters.ReasonSourceTimeout, said("x"): adapters.ReasonSourceUnavailable,
		`{"data": {"rechten": null}}`: adapters.ReasonBadData,
		`{"data": null}`:              adapters.ReasonBadData,
		`{"data": {"rechten": {"nodes": [], "totalCount": 2}}}`:                    adapters.ReasonBadData,
		`{"data": {"rechten": {"nodes": [], "pageInfo": {"hasNextPage": true}}}}`:  adapters.ReasonBadData,
		`{"data": {"rechten": {"nodes": [], "totalCount": 0, "totalcount": 0}}}`:   adapters.ReasonBadData,
		`{"data": {"rechten": {"nodes": [], "pageInfo": {"hasNextPage": false}}}}`: "",
	} {
		answer = raw
		a, err := service.Fetch(t.Context(), trial.Request(trial.Number, "WMO"))
		require.Equal(t, want, adapters.Reason(err), raw)
		require.Empty(t, a.GetLines())
		if err != nil {
			require.NotContains(t, err.Error()+adapters.Path(err), trial.Number)
		}
	}
}

func TestQueryIsHeldAgainstTheSchema(t *testing.T) {
	s := trial.NewSystem(t, true, func(http.ResponseWriter, *http.Request) { t.Error("nothing is asked before") })
	for name, c := range map[string]struct {
		config map[string]any
		path   string
		says   string
	}{
		"no schema":      {map[string]any{}, "schema", "the schema of the source is needed"},
		"another schema": {map[string]any{"schema": strings.Replace(schema, "bedrag", "euro", 1)}, "schema", `2:57: Cannot query field "bedrag"`},
		"broken":         {map[string]any{"schema": "type {"}, "schema", "does not fit"},
	} {
		findings := trial.Configure(t, adapters.NewService(graphql.New([]byte(mapped))), s.Config(t, c.config), map[string]string{"tls_key": s.Key})
		require.Len(t, findings, 1, name)
		require.Equal(t, c.path, findings[0].GetPath(), name)
		require.Contains(t, findings[0].GetTextEn(), c.says, name)
	}
	inline := "  schema: |\n    " + strings.ReplaceAll(schema, "\n", "\n    ") + "\n"
	withSchema := strings.Replace(mapped, "  variables:", inline+"  variables:", 1)
	_, err := mapping.Validate(graphql.Kind{}, []byte(withSchema))
	require.NoError(t, err)
	for change, want := range map[[2]string]string{
		{"van bedrag }", "van euro }"}:                            `does not fit the schema: 2:`,
		{"query Rechten", "mutation Rechten"}:                     "one query with a name, and no mutation",
		{"query Rechten($bsn: String!)", "query ($bsn: String!)"}: "one query with a name",
		{"nodes { bsn", "nodes { ...f bsn"}:                       "no fragments",
		{"rows: rechten/nodes", "rows: rechten/node"}:             "it does not select what rows names",
		{"van bedrag }", "van bedrag diagnose }"}:                 "ignored: diagnose is not read: name it here, or do not ask for it",
		{"cents(r.bedrag)", "cents(r.bedra)"}:                     "there is no member bedra; did you mean bedrag?",
		{`{bsn: "{person}"}`, `{bsn: "x"}`}:                       `"{person}" is needed`,
	} {
		text := strings.Replace(withSchema, change[0], change[1], 1)
		require.NotEqual(t, withSchema, text)
		_, err := mapping.Parse(graphql.Kind{}, []byte(text))
		require.ErrorContains(t, err, want, "%v", change)
	}
}
