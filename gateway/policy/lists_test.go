package policy

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// texts are the words of a list of any kind of text.
func texts[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, one := range list {
		out = append(out, string(one))
	}
	return out
}

// closed are the closed lists of the messages that the tables have too, by the name of
// their catalog.
func closed() map[string][]string {
	return map[string][]string{
		"laws": budgetv1.Laws(), "source_kinds": budgetv1.Kinds(), "categories": texts(budgetv1.Categories()),
		"delivery_forms": budgetv1.DeliveryForms(), "fungibilities": budgetv1.Fungibilities(),
		"statuses":   budgetv1.Statuses(),
		"checks":     Codes(),
		"operations": texts(ontschotv1.Operations()), "signers": ontschotv1.Signers(), "assurance": ontschotv1.Assurances(),
	}
}

// Each catalog has every word of its closed list, and no other.
func TestTheCatalogsHaveTheClosedLists(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	for list, words := range closed() {
		entries := member(tree.data["catalog"], list)
		var codes []string
		for key := range entries {
			codes = append(codes, member(entries, key)["code"].(string))
		}
		require.ElementsMatch(t, words, codes, list)
	}
	for _, kind := range budgetv1.Kinds() {
		require.Equal(t, kind, member(member(tree.data["catalog"], "source_kinds"), KindKey(kind))["code"])
	}
	for _, law := range budgetv1.Laws() {
		require.Equal(t, law, member(member(tree.data["catalog"], "laws"), LawKey(law))["code"])
	}
	levels := member(tree.data["catalog"], "assurance")
	for i, level := range ontschotv1.Assurances() {
		require.EqualValues(t, i+1, member(levels, level)["rank"], "from low to high")
	}
}

// The purposes that the tables name are known to the program.
func TestTheTablesNameKnownPurposes(t *testing.T) {
	tree, err := load(t.Context(), policies.FS)
	require.NoError(t, err)
	require.Subset(t, ontschotv1.Purposes(), slices.Collect(maps.Keys(member(tree.data["catalog"], "purposes"))))
	require.Subset(t, ontschotv1.Purposes(), slices.Collect(maps.Keys(member(tree.data, "matrix"))))
	require.Contains(t, tree.modules["rules/core/consent.rego"], `always_consent := {"`+ontschotv1.PurposeComposeBudget+`"}`)
}

// A schema that lists the words of a closed list lists all of them, and no others. What
// holds more than half of a list is taken to be meant as it.
func TestTheSchemasHaveTheClosedLists(t *testing.T) {
	lists := closed()
	lists["laws"], lists["source_kinds"] = nil, nil
	for _, law := range budgetv1.Laws() {
		lists["laws"] = append(lists["laws"], LawKey(law))
	}
	for _, kind := range budgetv1.Kinds() {
		lists["source_kinds"] = append(lists["source_kinds"], KindKey(kind))
	}
	seen := map[string]int{}
	hold := func(file string, written []string) {
		for list, words := range lists {
			common := 0
			for _, word := range words {
				if slices.Contains(written, word) {
					common++
				}
			}
			if 2*common > len(words) {
				require.ElementsMatch(t, words, written, "%s: %s", file, list)
				seen[list]++
			}
		}
	}
	files, err := fs.Glob(policies.FS, "schemas/*.json")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := fs.ReadFile(policies.FS, file)
		require.NoError(t, err)
		var schema any
		require.NoError(t, json.Unmarshal(raw, &schema))
		eachList(schema, func(written []string) { hold(strings.TrimPrefix(file, "schemas/"), written) })
	}
	for _, list := range []string{"laws", "source_kinds", "categories", "operations", "assurance"} {
		require.NotZero(t, seen[list], list)
	}
}

// eachList visits the names of properties and the words of enumerations in a schema.
func eachList(schema any, visit func([]string)) {
	switch s := schema.(type) {
	case []any:
		for _, inner := range s {
			eachList(inner, visit)
		}
	case map[string]any:
		if properties, ok := s["properties"].(map[string]any); ok {
			visit(slices.Collect(maps.Keys(properties)))
		}
		if enum, ok := s["enum"].([]any); ok {
			var words []string
			for _, word := range enum {
				if text, ok := word.(string); ok {
					words = append(words, text)
				}
			}
			visit(words)
		}
		for _, inner := range s {
			eachList(inner, visit)
		}
	}
}
