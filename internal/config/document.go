package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v3"
)

// document is a file that people write, with the place of every key in it.
type document struct {
	path     string
	places   map[string]place
	problems []Problem
	cause    error // why it cannot be read at all
}

// err is nil when nothing is wrong. Errors: ErrConfig, and fs.ErrNotExist when there is no file.
func (d *document) err() error {
	if d.cause != nil && len(d.problems) > 0 {
		return fmt.Errorf("%w: %s (%w)", ErrConfig, d.problems[0], d.cause)
	}
	return asError(d.problems)
}

type place struct{ line, column int }

// readDocument reads a file strictly into a pointer to a struct: a key that the struct has not is
// a problem, and so is one that is there twice, a second document, an alias. What can be read is
// read, whatever else is wrong; whole says whether anything was.
func readDocument(path string, into any) (d *document, whole bool) {
	d = &document{path: path, places: map[string]place{}}
	raw, err := ReadFile(path)
	if err != nil {
		d.cause = reasonOf(err)
		d.problems = append(d.problems, Problem{File: path, What: missing(path, err)})
		return d, false
	}
	reader := yaml.NewDecoder(bytes.NewReader(raw))
	var root yaml.Node
	if err := reader.Decode(&root); err != nil {
		d.syntax(err)
		return d, false
	}
	if err := reader.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.add(0, 0, "", "there is more than one document in it (---), and one is read")
		return d, false
	}
	if len(root.Content) == 0 {
		d.syntax(io.EOF)
		return d, false
	}
	if at := indirect(&root); at != nil {
		d.add(at.Line, at.Column, "", noAliases)
		return d, false
	}
	before := len(d.problems)
	d.walk(root.Content[0], reflect.TypeOf(into), "")
	if err := root.Decode(into); err != nil && len(d.problems) == before { // what was not seen from the outside
		d.syntax(err)
	}
	return d, true
}

// missing words an error of reading a file.
func missing(path string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		switch filepath.Base(path) {
		case "gateway.yaml", "trust.yaml", "client.yaml":
			return "there is no such file; make a first one with: ontschot init"
		}
		return "there is no such file"
	}
	if errors.Is(err, fs.ErrPermission) {
		return "it may not be read by this user"
	}
	return fmt.Sprintf("cannot be read, or is larger than %d bytes", maxBytes)
}

// reasonOf keeps of an error of reading what says which kind of error it is.
func reasonOf(err error) error {
	for _, kind := range []error{fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// atLine is how the YAML library says where.
var atLine = regexp.MustCompile(`line (\d+): `)

// syntax takes over what the YAML library says; it may hold what is in the file, so that only
// what comes from a fixed list of its words is repeated.
func (d *document) syntax(err error) {
	if errors.Is(err, io.EOF) {
		d.add(0, 0, "", "it is empty")
		return
	}
	line := 0
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	what := "this cannot be read as YAML"
	for _, known := range []string{"did not find expected", "found character that cannot start any token", "could not find expected", "mapping values are not allowed",
		"found unexpected end of stream", "found a tab character", "control characters are not allowed", "exceeded max depth", "already defined"} {
		if strings.Contains(err.Error(), known) {
			what += ": " + known
			break
		}
	}
	if line == 0 {
		d.add(0, 0, "", what)
		return
	}
	d.add(line, 1, "", fmt.Sprintf("%s (line %d)", what, line))
}

func (d *document) add(line, column int, key, what string) {
	if len(d.problems) < mostProblems {
		d.problems = append(d.problems, Problem{File: d.path, Line: line, Column: column, Key: key, What: what})
	}
}

// wrong notes that something is wrong with a key, unless it was noted before.
func (d *document) wrong(key, what string) {
	if slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Key != "" && (p.Key == key || strings.HasPrefix(key, p.Key+".")) }) {
		return
	}
	at := d.place(key)
	d.add(at.line, at.column, key, what)
}

// all notes what sentences say, each of which begins with its key.
func (d *document) all(says []string) {
	for _, one := range says {
		d.wrong(keyIn(one), one)
	}
}

// place is where a key is, or else what it is to be in.
func (d *document) place(key string) place {
	for key != "" {
		if at, ok := d.places[key]; ok {
			return at
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return d.places[""]
}

// problem is one about a key; of something that was made, and is no file, nil, it has no place.
func (d *document) problem(path, key, what string) Problem {
	p := Problem{File: path, Key: key, What: what}
	if d != nil {
		at := d.place(key)
		p.Line, p.Column = at.line, at.column
	}
	return p
}

const noAliases = "an anchor (&) or alias (*) is not read here: write it out"

// indirect gives the first node that stands for another, or that others stand for; nil: none does.
// Some of them are a few bytes, and much to read.
func indirect(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n
	}
	for _, inner := range n.Content {
		if at := indirect(inner); at != nil {
			return at
		}
	}
	return nil
}

// walk holds a node against the type that it is read into, and notes the places of its keys.
func (d *document) walk(n *yaml.Node, t reflect.Type, key string) {
	if _, known := d.places[key]; !known {
		d.places[key] = place{n.Line, n.Column}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Tag == "!!null":
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		d.members(n, fieldsOf(t), key)
	case t.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		d.entries(n, t.Elem(), key)
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			d.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", key, i))
		}
	case t.Kind() == reflect.Interface:
		d.inside(n, key)
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		d.add(n.Line, n.Column, key, named(key)+"keys with values are needed here")
	case t.Kind() == reflect.Slice:
		d.add(n.Line, n.Column, key, named(key)+"a list is needed here, such as [one, two]")
	case n.Kind != yaml.ScalarNode:
		d.add(n.Line, n.Column, key, named(key)+"one value is needed here, and no list or keys")
	case n.Decode(reflect.New(t).Interface()) != nil:
		d.add(n.Line, n.Column, key, named(key)+wantedOf(t)+" is needed here")
	}
}

func named(key string) string {
	if key == "" {
		return ""
	}
	return key + ": "
}

func wantedOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a whole number"
}

// members are the keys of a struct.
func (d *document) members(n *yaml.Node, fields map[string]reflect.Type, key string) {
	d.pairs(n, key, func(name, value *yaml.Node, at string) {
		if t, known := fields[name.Value]; known {
			d.walk(value, t, at)
			return
		}
		if len(d.problems) >= mostProblems {
			return
		}
		d.add(name.Line, name.Column, at, fmt.Sprintf("unknown key %q%s", cut(name.Value), nearest(name.Value, fields)))
	})
}

// entries are the keys of a map, of which there can be any.
func (d *document) entries(n *yaml.Node, t reflect.Type, key string) {
	d.pairs(n, key, func(_, value *yaml.Node, at string) { d.walk(value, t, at) })
}

// inside is a part that somebody else knows, such as the configuration of an adapter.
func (d *document) inside(n *yaml.Node, key string) {
	if n.Kind == yaml.MappingNode {
		d.pairs(n, key, func(_, value *yaml.Node, at string) { d.inside(value, at) })
		return
	}
	for _, item := range n.Content {
		d.inside(item, key)
	}
}

// mostKey is the longest path of a key that is kept apart from that of what it is in.
const mostKey = 1024

// pairs goes through the keys of a mapping, of which none may be there twice. The second is taken
// out: of such a file the library would read nothing.
func (d *document) pairs(n *yaml.Node, key string, each func(name, value *yaml.Node, at string)) {
	seen := map[string]bool{}
	kept := make([]*yaml.Node, 0, len(n.Content))
	defer func() { n.Content = kept }()
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.Kind != yaml.ScalarNode || name.Tag == "!!merge" {
			d.add(name.Line, name.Column, key, "a key is one text")
			continue
		}
		at := key
		if len(key) < mostKey {
			at = strings.TrimPrefix(key+"."+cut(name.Value), ".")
		}
		if seen[name.Value] {
			d.add(name.Line, name.Column, at, fmt.Sprintf("the key %q is here twice", cut(name.Value)))
			continue
		}
		seen[name.Value], kept = true, append(kept, name, value)
		d.places[at] = place{name.Line, name.Column}
		each(name, value, at)
	}
}

// cut keeps a key that is a text of its own from being repeated as a whole.
func cut(s string) string { return s[:min(len(s), 64)] }

// nearest gives, in words, the key that was probably meant; empty when none is near.
func nearest(name string, fields map[string]reflect.Type) string {
	if len(name) > 64 {
		return ""
	}
	best, distance := "", min(4, len(name)/2+1)
	for one := range fields {
		if d := levenshtein.ComputeDistance(one, name); d < distance || d == distance && one < best {
			best, distance = one, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// fieldsOf are the keys of a struct, those of what is inline in it too, and what each is read
// into.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		switch name, how, _ := strings.Cut(f.Tag.Get("yaml"), ","); {
		case how == "inline":
			for name, t := range fieldsOf(f.Type) {
				fields[name] = t
			}
		case name != "" && name != "-":
			fields[name] = f.Type
		}
	}
	return fields
}
