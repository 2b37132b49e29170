package policy

import (
	"encoding/json"
	"maps"
	"slices"
)

// wordsOf lists the names and the words a schema knows.
func wordsOf(schema []byte) []string {
	var root any
	if json.Unmarshal(schema, &root) != nil {
		return nil
	}
	words := map[string]bool{}
	collect(root, words)
	return slices.Sorted(maps.Keys(words))
}

func collect(node any, words map[string]bool) {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			collect(child, words)
		}
	case map[string]any:
		if properties, ok := n["properties"].(map[string]any); ok {
			for name := range properties {
				words[name] = true
			}
		}
		if enum, ok := n["enum"].([]any); ok {
			for _, word := range enum {
				if text, ok := word.(string); ok {
					words[text] = true
				}
			}
		}
		for _, child := range n {
			collect(child, words)
		}
	}
}

// nearest gives the word that was probably meant: the nearest, at most two letters or a
// quarter of the word away; empty when there is none, or the word is one of them.
func nearest(word string, words []string) string {
	best, nearest := "", max(2, len(word)/4)+1
	for _, candidate := range words {
		if d := distance(word, candidate); d < nearest && d < len(candidate) {
			best, nearest = candidate, d
		}
	}
	if word == "" || slices.Contains(words, word) {
		return ""
	}
	return best
}

// distance is the number of letters to add, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
