package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/policy/impact"
)

// policyFolder is a folder of the policies that are built in, with one text replaced.
func policyFolder(t *testing.T, file, from, to string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "policies")
	require.NoError(t, writePolicies(dir))
	file = filepath.Join(dir, file)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(raw), from)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(raw), from, to, 1)), 0o600))
	return dir
}

func diffed(t *testing.T, want int, args ...string) (out, errs string) {
	t.Helper()
	var stdout, stderr strings.Builder
	require.Equal(t, want, run(t.Context(), append([]string{"policy", "diff"}, args...), &stdout, &stderr), stderr.String())
	return stdout.String(), stderr.String()
}

// What an officer reads of one cell that changed, and the certificate of it.
func TestPolicyDiffSaysWhatChanges(t *testing.T) {
	dir := policyFolder(t, "rules/matrix/integral_budget.compose/data.yaml",
		"fields: {entitlement: none, product: group, period: none, quantity: none, amount: none, reference: none}",
		"fields: {entitlement: none, product: group, period: none, quantity: none, reference: none}")
	file := filepath.Join(t.TempDir(), "diff.json")
	out, errs := diffed(t, exitDone, builtIn, dir, "--out", file)
	require.Empty(t, errs)
	require.Contains(t, out, "Zorgkantoor, Wlz (langdurige zorg): het bedrag van het budget")
	require.Contains(t, out, "mag niet meer")
	require.Contains(t, out, "Voor: consulent of regisseur.")
	require.NotContains(t, out, "FOUT")

	out, _ = diffed(t, exitNo, builtIn, dir, "--verify", file, "--exit-code", "--format", "json", "--lang", "en")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(raw), out, "a second run gives the same bytes")
	var c impact.Certificate
	require.NoError(t, json.Unmarshal(raw, &c))
	require.Equal(t, impact.Contract, c.Contract)
	require.NotEqual(t, c.Parent, c.Revision)

	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(raw), `"changed":`, `"changed": 1`, 1)), 0o600))
	_, errs = diffed(t, exitTampered, builtIn, dir, "--verify", file)
	require.Contains(t, errs, "not what these revisions come to")
}

func TestPolicyDiffRefuses(t *testing.T) {
	diffed(t, exitUsage, builtIn)
	diffed(t, exitUsage, builtIn, builtIn, "--format", "xml")
	_, errs := diffed(t, exitRules, builtIn, policyFolder(t, "rules/catalog/signers/data.yaml", "mandate: true}", "mandate: maybe}"))
	require.Contains(t, errs, "rules/catalog/signers/data.yaml:")
	out, _ := diffed(t, exitNo, builtIn, policyFolder(t, "rules/core/consent.rego", `	input.context.consent.status != "withdrawn"`, "	true"))
	require.Contains(t, out, "FOUT Waar toestemming nodig is")
}

// Each kind of change and each thing that must always hold has its words, in both languages.
func TestPolicyDiffHasAWordForEachKindAndInvariant(t *testing.T) {
	require.ElementsMatch(t, impact.Invariants(), slices.Collect(maps.Keys(invariantWords())))
	require.ElementsMatch(t, impact.Kinds(), slices.Collect(maps.Keys(kindWords())))
	for _, kind := range impact.Kinds() {
		require.NotEmpty(t, howWords()[kind][1], kind)
	}
}
