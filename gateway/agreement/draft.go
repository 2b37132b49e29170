package agreement

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// ErrDraft means that a draft cannot be read, or that its terms cannot be proposed.
var ErrDraft = errors.New("agreement draft refused")

// Limits of a draft.
const (
	maxDraft = 64 << 10
	maxDepth = 6
	maxNodes = 4096
)

// ReadDraft reads a draft in YAML, strictly: each key once, none that is not known,
// none missing; no anchors, aliases or tags. Errors: ErrDraft with a *FieldError,
// which names line and path and never repeats the value.
func ReadDraft(raw []byte) (Terms, error) {
	t, err := readDraft(raw)
	if err != nil {
		return Terms{}, fmt.Errorf("%w: %w", ErrDraft, err)
	}
	return t, nil
}

func readDraft(raw []byte) (Terms, error) {
	root, err := parse(raw)
	if err != nil {
		return Terms{}, err
	}
	r := reader{lines: map[string]int{}}
	var t Terms
	if err := r.read(root, reflect.ValueOf(&t).Elem(), ""); err != nil {
		return Terms{}, err
	}
	var wrong *FieldError
	if errors.As(check(t, true), &wrong) {
		wrong.Line = r.lines[wrong.Path]
		return Terms{}, wrong
	}
	return t, nil
}

// parse gives the one document of YAML that is there, as a tree without surprises.
func parse(raw []byte) (*yaml.Node, error) {
	if len(raw) > maxDraft {
		return nil, &FieldError{What: fmt.Sprintf("must be at most %d bytes", maxDraft)}
	}
	if !utf8.Valid(raw) {
		return nil, &FieldError{What: "must be text in UTF-8"}
	}
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&doc); err != nil {
		return nil, &FieldError{What: "is no YAML", Line: lineOf(err)}
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &FieldError{What: "must be one document, with nothing behind it", Line: more.Line}
	}
	nodes := 0
	return doc.Content[0], plain(doc.Content[0], 0, &nodes)
}

// lineOf finds the line in the library's message, which is not passed on: it may
// repeat what the draft says.
func lineOf(err error) int {
	found := regexp.MustCompile(`line (\d{1,5})\b`).FindStringSubmatch(err.Error())
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1])
	return line
}

// plain refuses what makes a text mean something else than it seems to say.
func plain(n *yaml.Node, depth int, nodes *int) error {
	*nodes++
	switch {
	case depth > maxDepth || *nodes > maxNodes:
		return &FieldError{What: "too much or too deep", Line: n.Line}
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return &FieldError{What: "anchors and aliases (& and *) are not accepted", Line: n.Line}
	case n.Style&yaml.TaggedStyle != 0:
		return &FieldError{What: "tags (!) are not accepted", Line: n.Line}
	}
	for _, child := range n.Content {
		if err := plain(child, depth+1, nodes); err != nil {
			return err
		}
	}
	return nil
}

// reader fills a value from a tree and remembers on which line each path stands.
type reader struct{ lines map[string]int }

func (r *reader) read(n *yaml.Node, into reflect.Value, path string) error {
	r.lines[path] = n.Line
	switch into.Kind() {
	case reflect.Struct:
		return r.fields(n, into, path)
	case reflect.Slice:
		return r.list(n, into, path)
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return &FieldError{path, "one value is needed", n.Line}
	}
	if into.Kind() == reflect.String {
		into.SetString(n.Value)
		return nil
	}
	number, err := strconv.Atoi(n.Value)
	if err != nil || strconv.Itoa(number) != n.Value {
		return &FieldError{path, "must be a whole number", n.Line}
	}
	into.SetInt(int64(number))
	return nil
}

func (r *reader) list(n *yaml.Node, into reflect.Value, path string) error {
	if n.Kind != yaml.SequenceNode {
		return &FieldError{path, "must be a list", n.Line}
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		if err := r.read(child, into.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) fields(n *yaml.Node, into reflect.Value, path string) error {
	if n.Kind != yaml.MappingNode {
		return &FieldError{path, "must be keys with values", n.Line}
	}
	names := keysOf(into.Type())
	missing := slices.Clone(names)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		at := slices.Index(names, key.Value)
		if at < 0 || key.Kind != yaml.ScalarNode {
			return &FieldError{path, "a key that is not known" + suggest(key.Value, names), key.Line}
		}
		if missing[at] == "" {
			return &FieldError{join(path, names[at]), "is listed twice", key.Line}
		}
		missing[at] = ""
		if err := r.read(n.Content[i+1], byName(into, names[at]), join(path, names[at])); err != nil {
			return err
		}
	}
	for _, name := range missing {
		if name != "" {
			return &FieldError{join(path, name), "is needed", n.Line}
		}
	}
	return nil
}

// keysOf lists the keys of a part of a draft: the members of the signed JSON, but
// for what the gateway adds to a proposal.
func keysOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("json")
		if !slices.Contains([]string{"id", "replaces", "proposed_at"}, name) {
			names = append(names, name)
		}
	}
	return names
}

func byName(v reflect.Value, name string) reflect.Value {
	return v.FieldByNameFunc(func(field string) bool {
		f, _ := v.Type().FieldByName(field)
		return f.Tag.Get("json") == name
	})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// suggest gives the key that was probably meant, at most two letters or a quarter of
// the word away. The key itself is not repeated.
func suggest(key string, names []string) string {
	if len(key) > maxCode {
		return ""
	}
	best, nearest := "", max(2, len(key)/4)+1
	for _, name := range names {
		if d := levenshtein.ComputeDistance(strings.ToLower(key), name); d < nearest {
			best, nearest = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}
