package wording

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/policies"
)

func TestChangesWithoutWordsAreGivenAllTheSame(t *testing.T) {
	base, err := ReadTexts(policies.FS)
	require.NoError(t, err)
	texts, err := ReadAgreementTexts(policies.FS, base)
	require.NoError(t, err)
	require.Equal(t, "grants[0].colour: red → blue", texts.Change(Dutch, ChangeParams{Path: "grants[0].colour", Kind: "changed", Old: "red", New: "blue"}))
	require.Equal(t, "De eerste dag is nu morgen (was 1 januari 2026).", texts.Change(Dutch, ChangeParams{Path: "from", Kind: "changed", Old: "2026-01-01", New: "morgen"}))
	require.Contains(t, texts.Change(English, ChangeParams{Path: "grants[12].purposes", Kind: "added", New: "x.y, integral_budget.compose"}), "x.y; Compose one integrated budget")
	require.Equal(t, "grants", withoutPlaces("grants[1"))
}

func TestIncompleteWordsAreRefused(t *testing.T) {
	base, err := ReadTexts(policies.FS)
	require.NoError(t, err)
	for name, c := range map[string]struct{ file, old, changed, want string }{
		"one language": {"nl", "  sunset:", "  zonsondergang:", "one language only"},
		"one kind":     {"en", "removed: \"No longer a party: {old}.\"", "", "parties removed"},
		"unfilled":     {"en", "{party} {new}", "{partij} {new}", "{partij}"},
		"empty":        {"nl", "\"{party} {new}.\"", "''", "empty"},
		"no such kind": {"nl", "removed: \"Geen partij", "gone: \"Geen partij", "added, removed or changed"},
		"unknown key":  {"en", "which:", "wich:", "wich"},
		"a role":       {"en", "both: asks", "beide: asks", "role b"},
	} {
		m := copyOf(t)
		file := "agreements/words." + c.file + ".yaml"
		require.Contains(t, string(m[file].Data), c.old, name)
		m[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[file].Data), c.old, c.changed, 1))}
		_, err := ReadAgreementTexts(m, base)
		require.ErrorIs(t, err, ErrTable, name)
		require.ErrorContains(t, err, c.want, name)
	}
	m := copyOf(t)
	delete(m, "agreements/words.en.yaml")
	_, err = ReadAgreementTexts(m, base)
	require.ErrorIs(t, err, ErrTable)
}
