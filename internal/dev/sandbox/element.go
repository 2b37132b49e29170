package sandbox

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
)

// element writes JSON as XML: an object is an element with children in the
// order in which they come, a list is its items one after the other, a value is
// text, null is nothing. Fields nobody knows come along.
type element struct {
	to     bytes.Buffer
	name   *regexp.Regexp
	prefix string   // of the names that are written now
	order  []string // of the members of objects; nil: as they come
}

func newElement() *element {
	return &element{
		name: regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`),
	}
}

// write appends one JSON value under a name. Names that XML does not take are left out.
func (e *element) write(name string, raw json.RawMessage) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || !e.name.MatchString(name) {
		return
	}
	switch raw[0] {
	case '[':
		e.list(name, raw)
	case '{':
		e.open(name)
		e.members(raw)
		e.close(name)
	default:
		e.open(name)
		_ = xml.EscapeText(&e.to, []byte(scalar(raw)))
		e.close(name)
	}
}

// members writes those of an object: in the order that the format asks, if it asks any, and
// those that are not in it behind them.
func (e *element) members(raw json.RawMessage) {
	type field struct {
		name  string
		value json.RawMessage
	}
	var all []field
	eachField(raw, func(name string, value json.RawMessage) { all = append(all, field{name, value}) })
	rank := func(f field) int {
		if i := slices.Index(e.order, f.name); i >= 0 {
			return i
		}
		return len(e.order)
	}
	slices.SortStableFunc(all, func(a, b field) int { return rank(a) - rank(b) })
	for _, f := range all {
		e.write(f.name, f.value)
	}
}

func (e *element) list(name string, raw json.RawMessage) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return
	}
	for _, one := range items {
		e.write(name, one)
	}
}

func (e *element) open(name string)  { e.to.WriteString("<" + e.prefix + name + ">") }
func (e *element) close(name string) { e.to.WriteString("</" + e.prefix + name + ">") }

// text writes an element with a text of our own; none when that is empty.
func (e *element) text(name, text string) {
	if text != "" {
		e.open(name)
		_ = xml.EscapeText(&e.to, []byte(text))
		e.close(name)
	}
}

// composite writes an object of which the members are in the namespace of the basic schema.
func (e *element) composite(name string, raw json.RawMessage) {
	if len(raw) == 0 || raw[0] != '{' {
		e.write(name, raw)
		return
	}
	e.open(name)
	e.prefix = "b:"
	eachField(raw, e.write)
	e.prefix = ""
	e.close(name)
}

// raw writes text of our own.
func (e *element) raw(text string) { e.to.WriteString(text) }

func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// eachField visits the fields of an object in the order in which they come.
func eachField(raw json.RawMessage, visit func(name string, value json.RawMessage)) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil && err != io.EOF {
			return
		}
		if name, ok := key.(string); ok {
			visit(name, value)
		}
	}
}
