package policy

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

var update = flag.Bool("update", false, "write policies/capabilities.json anew")

// cut are the functions that rules have no use for: what is not a function of its
// operands, what reaches outside, what handles keys, and what writes elsewhere
// than in the answer.
func cut(b *ast.Builtin) bool {
	if slices.Contains([]string{"print", "internal.print", "trace"}, b.Name) {
		return true
	}
	families := []string{"time.", "http.", "net.", "rand.", "uuid.", "opa.", "rego.", "io.jwt.", "crypto.", "providers.", "graphql."}
	return b.IsNondeterministic() || slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(b.Name, f) })
}

// lean is what this version of OPA can do, without what is cut.
func lean(t *testing.T) []byte {
	full := ast.CapabilitiesForThisVersion()
	var out bytes.Buffer
	out.WriteString("{\n \"allow_net\": [],\n \"builtins\": [")
	for i, b := range slices.DeleteFunc(slices.Clone(full.Builtins), cut) {
		line, err := json.Marshal(b.Minimal())
		require.NoError(t, err)
		out.WriteString(map[bool]string{true: "\n  ", false: ",\n  "}[i == 0])
		out.Write(line)
	}
	keywords, err := json.Marshal(full.FutureKeywords)
	require.NoError(t, err)
	features, err := json.Marshal(full.Features)
	require.NoError(t, err)
	out.WriteString("\n ],\n \"future_keywords\": " + string(keywords) + ",\n \"features\": " + string(features) + "\n}\n")
	return out.Bytes()
}

func TestCapabilitiesHoldNothingThatIsNotAFunctionOfItsOperands(t *testing.T) {
	want := lean(t)
	if *update {
		require.NoError(t, os.WriteFile("../../policies/capabilities.json", want, 0o644))
	}
	raw, err := fs.ReadFile(policies.FS, "capabilities.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, raw), "run: go test ./gateway/policy -run Capabilities -update")

	capabilities, err := ast.LoadCapabilitiesJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	require.NotNil(t, capabilities.AllowNet)
	require.Empty(t, capabilities.AllowNet, "an absent list would mean: every host")
	require.Greater(t, len(capabilities.Builtins), 50)
	for _, b := range capabilities.Builtins {
		require.False(t, cut(b), b.Name)
	}
}
