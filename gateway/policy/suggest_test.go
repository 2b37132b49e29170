package policy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"abc", "abcd", 1}, {"abc", "bc", 1},
		{"kitten", "sitting", 3}, {"ab", "ba", 2}, {"flaw", "lawn", 2}, {"aaaa", "bbbb", 4}, {"intention", "execution", 5},
	} {
		require.Equal(t, c.want, distance(c.a, c.b), "%s, %s", c.a, c.b)
		require.Equal(t, c.want, distance(c.b, c.a), "%s, %s", c.b, c.a)
	}
}

// The nearest is suggested, at most two letters or a quarter of the word away; of two as near
// the first, and nothing of a word that is known.
func TestSuggest(t *testing.T) {
	words := []string{"amount", "an", "consent", "income", "retention_days"}
	for word, want := range map[string]string{
		"amont": "amount", "amoxxt": "amount", "axxxnt": "", "retention_dagen": "retention_days", "retentie_dagen_xx": "", "retentie_dagen": "",
		"income": "", "": "", "xy": "", "ax": "an", "consant": "consent", "zzzzzzzz": "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		require.Equal(t, want, didYouMean(nearest(word, words), "; did you mean %s?"), word)
	}
	require.Empty(t, nearest("role", []string{"role", "roles"}), "it is known")
	require.Equal(t, "abd", nearest("abc", []string{"abd", "abe"}))
}

// A schema's words are the names and the values of its lists, at any depth.
func TestWordsOf(t *testing.T) {
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, wordsOf([]byte(`{"properties":{"a":{"items":[{"properties":{"b":{"enum":["c",1,null]}}}]}},"anyOf":[{"enum":["d"]},{"not":{"properties":{"e":{}}}}]}`)))
	require.Empty(t, wordsOf([]byte(`{`)))
	require.Empty(t, wordsOf([]byte(`[]`)))
}
