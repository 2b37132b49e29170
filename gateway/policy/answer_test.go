package policy

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/stretchr/testify/require"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func evalInput(e *Engine, in *Input) rego.EvalOption { return rego.EvalParsedInput(e.names.value(in)) }

func yes() map[string]any {
	return map[string]any{
		"contract": ContractDecision, "decision": true, "reasons": []any{}, "checks": []any{"ROL-01", "DOEL-01"},
		"fields": map[string]any{"amount": "none"}, "dropped": map[string]any{"income": "VELD-01"},
		"obligations": map[string]any{"retention_days": json.Number("90"), "notify": []any{"betrokkene"}},
	}
}

func no() map[string]any {
	answer := yes()
	answer["decision"], answer["reasons"] = false, []any{"ROL-01"}
	answer["fields"], answer["obligations"] = map[string]any{}, map[string]any{}
	return answer
}

func read(t *testing.T, answer any) (Outcome, error) {
	value, err := ast.InterfaceToValue(answer)
	require.NoError(t, err)
	return outcome(value, []string{"amount", "income"})
}

func TestAnswersOfTheContract(t *testing.T) {
	o, err := read(t, yes())
	require.NoError(t, err)
	require.Equal(t, Outcome{
		Allow: true, Reasons: []string{}, Checks: []string{"DOEL-01", "ROL-01"}, Fields: map[string]string{"amount": "none"},
		Dropped: map[string]string{"income": "VELD-01"}, RetentionDays: 90, Notify: []string{"betrokkene"},
	}, o)
	for _, who := range []string{"betrokkene", "functionaris"} {
		answer := yes()
		answer["obligations"].(map[string]any)["notify"] = []any{who}
		o, err = read(t, answer)
		require.NoError(t, err)
		require.Equal(t, []string{who}, o.Notify)
	}
	o, err = read(t, no())
	require.NoError(t, err)
	require.False(t, o.Allow)
	require.Equal(t, []string{"ROL-01"}, o.Reasons)
}

// Rules that are wrong cost data, never privacy.
func TestAnswersOutOfTheContractAreNoAnswers(t *testing.T) {
	for name, change := range map[string]func(answer map[string]any){
		"another contract":      func(a map[string]any) { a["contract"] = "ontschot.decision/2" },
		"no decision":           func(a map[string]any) { delete(a, "decision") },
		"decision is a text":    func(a map[string]any) { a["decision"] = "true" },
		"more than asked":       func(a map[string]any) { a["fields"] = map[string]any{"amount": "none", "spending": "none"} },
		"dropped more":          func(a map[string]any) { a["dropped"] = map[string]any{"123456782": "VELD-01"} },
		"yes with a reason":     func(a map[string]any) { a["reasons"] = []any{"ROL-01"} },
		"yes without fields":    func(a map[string]any) { a["fields"] = map[string]any{} },
		"unknown code":          func(a map[string]any) { a["checks"] = []any{"ROL-99"} },
		"unknown mask":          func(a map[string]any) { a["fields"] = map[string]any{"amount": "blur"} },
		"a mask of old":         func(a map[string]any) { a["fields"] = map[string]any{"amount": "round:100"} },
		"mask is a number":      func(a map[string]any) { a["fields"] = map[string]any{"amount": json.Number("1")} },
		"unknown obligation":    func(a map[string]any) { a["obligations"].(map[string]any)["encrypt"] = true },
		"an obligation less":    func(a map[string]any) { delete(a["obligations"].(map[string]any), "notify") },
		"somebody to notify":    func(a map[string]any) { a["obligations"].(map[string]any)["notify"] = []any{"krant"} },
		"notify is a text":      func(a map[string]any) { a["obligations"].(map[string]any)["notify"] = "betrokkene" },
		"no days":               func(a map[string]any) { a["obligations"].(map[string]any)["retention_days"] = json.Number("0") },
		"days with a half":      func(a map[string]any) { a["obligations"].(map[string]any)["retention_days"] = json.Number("1.5") },
		"dropped for a number":  func(a map[string]any) { a["dropped"] = map[string]any{"income": json.Number("1")} },
		"one member more":       func(a map[string]any) { a["explain"] = "x" },
		"reasons is an object":  func(a map[string]any) { a["reasons"] = map[string]any{} },
		"fields is a list":      func(a map[string]any) { a["fields"] = []any{"amount"} },
		"obligations is a text": func(a map[string]any) { a["obligations"] = "none" },
	} {
		answer := yes()
		change(answer)
		_, err := read(t, answer)
		require.ErrorIs(t, err, errAnswer, name)
	}
	for name, change := range map[string]func(answer map[string]any){
		"no in a text":          func(a map[string]any) { a["decision"] = "false" },
		"no without a reason":   func(a map[string]any) { a["reasons"] = []any{} },
		"no with fields":        func(a map[string]any) { a["fields"] = map[string]any{"amount": "none"} },
		"no with an obligation": func(a map[string]any) { a["obligations"] = map[string]any{"notify": []any{}} },
	} {
		answer := no()
		change(answer)
		_, err := read(t, answer)
		require.ErrorIs(t, err, errAnswer, name)
	}
	for _, nothing := range []any{nil, true, []any{}, "yes", map[string]any{}} {
		_, err := read(t, nothing)
		require.ErrorIs(t, err, errAnswer)
	}
}

// A field behind a mask passes, in part: what of it, whoever minimises decides.
func TestMasksAreKept(t *testing.T) {
	answer := yes()
	answer["fields"] = map[string]any{"amount": "exists"}
	o, err := read(t, answer)
	require.NoError(t, err)
	require.True(t, o.Allow)
	require.Equal(t, map[string]string{"amount": "exists"}, o.Fields)
}

func TestKnownMasks(t *testing.T) {
	for _, mask := range []budgetv1.Mask{"none", "group", "exists"} {
		require.True(t, knownMask(budgetv1.CategoryProduct, mask), mask)
	}
	for _, mask := range []budgetv1.Mask{"", "None", "round:100", "band:5000", "year", "last4", "GROUP", "group ", "exists:1"} {
		require.False(t, knownMask(budgetv1.CategoryProduct, mask), mask)
	}
	require.True(t, knownMask(budgetv1.CategoryEntitlement, "none"))
	require.False(t, knownMask(budgetv1.CategoryEntitlement, "exists"), "a right that is there is there")
}

func TestCodesAreOnce(t *testing.T) {
	codes := Codes()
	set := map[string]bool{}
	for _, code := range codes {
		set[code] = true
	}
	require.Len(t, slices.Collect(maps.Keys(set)), len(codes))
}
