package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// Section is a part of a mapping: keys and values. The package of a kind reads the part
// under source with it. What is wrong it collects, so that all of it is told at once.
type Section struct {
	doc  *document
	node *yaml.Node
	path string
}

// Known says which keys the section may have. Any other is a problem, with a suggestion.
func (s *Section) Known(keys ...string) {
	for i := 0; i < len(s.node.Content); i += 2 {
		key := s.node.Content[i]
		if !slices.Contains(keys, key.Value) {
			near := nearest(key.Value, keys)
			s.doc.say(key, join(s.path, key.Value), "onbekende sleutel"+suggest("; bedoelt u %s?", near), "unknown key"+suggest("; did you mean %s?", near))
		}
	}
}

func suggest(format, near string) string {
	if near == "" {
		return ""
	}
	return fmt.Sprintf(format, near)
}

// nearest is the word that is most like another; empty when none is.
func nearest(word string, words []string) (near string) {
	least := 3
	for _, w := range words {
		if d := levenshtein.ComputeDistance(strings.ToLower(word[:min(len(word), 64)]), strings.ToLower(w)); d < least && d < len(w) {
			near, least = w, d
		}
	}
	return near
}

// Problem says that what stands under a key is wrong; with an empty key, the section itself.
func (s *Section) Problem(key, nl, en string) {
	s.doc.say(s.at(key), strings.TrimSuffix(join(s.path, key), "."), nl, en)
}

// Need says that a key is missing when it is.
func (s *Section) Need(keys ...string) {
	for _, key := range keys {
		if s.value(key) == nil {
			s.doc.say(s.node, join(s.path, key), "ontbreekt", "is missing")
		}
	}
}

func (s *Section) at(key string) *yaml.Node {
	if v := s.value(key); v != nil {
		return v
	}
	return s.node
}

// value is what stands under a key; nil when there is nothing.
func (s *Section) value(key string) *yaml.Node {
	if s == nil {
		return nil
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		if s.node.Content[i].Value == key {
			return s.node.Content[i+1]
		}
	}
	return nil
}

// Has reports whether a key is there.
func (s *Section) Has(key string) bool { return s.value(key) != nil }

// Text is the text of a key, as it is written; empty when it is absent.
func (s *Section) Text(key string) string {
	v := s.value(key)
	if v == nil {
		return ""
	}
	if v.Kind != yaml.ScalarNode {
		s.Problem(key, "een tekst nodig", "a text is needed")
		return ""
	}
	return v.Value
}

// Word is the text of a key that is one of some words; the first when it is absent.
func (s *Section) Word(key string, words ...string) string {
	text := s.Text(key)
	switch {
	case !s.Has(key):
		return words[0]
	case !slices.Contains(words, text):
		all := strings.Join(words, ", ")
		s.Problem(key, "een van: "+all, "one of: "+all)
		return words[0]
	}
	return text
}

// Flag reports whether a key is true.
func (s *Section) Flag(key string) bool { return s.Word(key, "false", "true") == "true" }

// Number is a whole number between 0 and most; otherwise when it is absent.
func (s *Section) Number(key string, most, otherwise int) int {
	if !s.Has(key) {
		return otherwise
	}
	n, err := strconv.Atoi(s.Text(key))
	if err != nil || n < 0 || n > most {
		s.Problem(key, "een geheel getal van 0 tot "+strconv.Itoa(most), "a whole number from 0 to "+strconv.Itoa(most))
		return otherwise
	}
	return n
}

// Words are the texts of a list.
func (s *Section) Words(key string) (all []string) {
	v := s.value(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		s.Problem(key, "een lijst nodig", "a list is needed")
		return nil
	}
	for _, item := range v.Content {
		if item.Kind != yaml.ScalarNode {
			s.doc.say(item, join(s.path, key), "een tekst nodig", "a text is needed")
			continue
		}
		all = append(all, item.Value)
	}
	return all
}

// Under is the section under a key; nil when it is absent.
func (s *Section) Under(key string) *Section {
	v := s.value(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.MappingNode {
		s.Problem(key, "sleutels en waarden nodig", "keys and values are needed")
		return nil
	}
	return &Section{s.doc, v, join(s.path, key)}
}

// List are the sections of a list.
func (s *Section) List(key string) (all []*Section) {
	v := s.value(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		s.Problem(key, "een lijst nodig", "a list is needed")
		return nil
	}
	for i, item := range v.Content {
		path := fmt.Sprintf("%s[%d]", join(s.path, key), i)
		if item.Kind != yaml.MappingNode {
			s.doc.say(item, path, "sleutels en waarden nodig", "keys and values are needed")
			continue
		}
		all = append(all, &Section{s.doc, item, path})
	}
	return all
}

// Keys are the keys of the section, in order.
func (s *Section) Keys() (all []string) {
	if s == nil {
		return nil
	}
	for i := 0; i < len(s.node.Content); i += 2 {
		all = append(all, s.node.Content[i].Value)
	}
	return all
}
