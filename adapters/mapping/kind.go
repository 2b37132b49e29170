package mapping

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
	"github.com/ontschot/ontschot/adapters/source"
)

// Kind is one kind of source. The packages rest, graphql, soap, sql and csv have one each.
type Kind interface {
	// Facts say what the kind is.
	Facts() Facts
	// Plan reads the section source of a mapping; rows is where the records stand. What is
	// wrong it says to the section.
	Plan(s *Section, rows string) Plan
}

// Facts are what a kind is, before any mapping.
type Facts struct {
	Name    string   // as in source.kind
	Schema  []byte   // JSON Schema of the configuration
	Secrets []string // names of secrets that it takes
	Egress  []string // configuration keys that hold the addresses that it connects to
}

// Plan is how a source is asked by one mapping.
type Plan interface {
	// Read takes the records out of one whole answer, in the form that a test of the
	// mapping has it: those that a question about the person would give. Bad data when it
	// is not whole.
	Read(raw []byte, person Person) (source.List, error)
	// Connect takes a configuration, or gives an *adapters.ConfigError.
	Connect(c adapters.Config) (Asking, error)
}

// Asking is a source that was configured. It is asked by several goroutines at once.
type Asking interface {
	// Us says who the source is.
	Us() Us
	// Ask gives everything that the source has on one person. Its errors are those of
	// package adapters.
	Ask(ctx context.Context, q Question) (Answer, error)
}

// Columned is a Plan that knows every member that a record has. A mapping may read no
// other, and says of each that it reads or ignores it.
type Columned interface{ Columns() []string }

// Us is who a source is.
type Us struct {
	Party string   // code of the party; the funder of each line
	Codes []string // its codes in its own field
	// Numbers is how it writes numbers in text, when the configuration says so; else the
	// mapping does.
	Numbers money.Style
}

// Answer is what a source has on one person.
type Answer struct {
	source.List
	AsOf  time.Time // of the data; zero: now
	Stale bool      // older than it should be
}

// Person is who is asked about. It prints as ***.
type Person interface {
	fmt.Stringer
	Reveal() string
}

// Question is what a source is asked. The dates are civil (YYYY-MM-DD), inclusive.
type Question struct {
	Person            Person
	From, To, History string
	Trace             string // id of the trace, 32 hexadecimal digits; empty when there is none
}

// placeholders are what stands for a part of the question in a mapping.
func placeholders() []string { return []string{"person", "from", "to", "history"} }

// Value gives what a placeholder stands for.
func (q Question) Value(name string) string {
	switch name {
	case "person":
		return q.Person.Reveal()
	case "from":
		return q.From
	case "to":
		return q.To
	case "history":
		return q.History
	}
	return ""
}

var placeholder = regexp.MustCompile(`\{([a-z_]+)\}`)

// Fill puts the question in a text of the mapping: {person}, {from}, {to}, {history}. Each
// goes through escape, so that what somebody sent cannot be more than a value.
func (q Question) Fill(text string, escape func(string) string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		return escape(q.Value(found[1 : len(found)-1]))
	})
}

// Template is a value of a mapping, such as a body, with places for the question in it.
type Template struct{ node *yaml.Node }

// Template reads the template under a key; nil when it is absent. A placeholder that is
// not known is a problem.
func (s *Section) Template(key string) *Template {
	v := s.value(key)
	if v == nil {
		return nil
	}
	s.placed(v, join(s.path, key))
	return &Template{v}
}

// Placed is the text under a key, in which placeholders may stand.
func (s *Section) Placed(key string) string {
	if v := s.value(key); v != nil {
		s.placed(v, join(s.path, key))
	}
	return s.Text(key)
}

func (s *Section) placed(v *yaml.Node, path string) {
	for _, found := range placeholder.FindAllStringSubmatch(v.Value, -1) {
		if !slices.Contains(placeholders(), found[1]) {
			all := "{" + strings.Join(placeholders(), "}, {") + "}"
			s.doc.say(v, path, "onbekende plaats; er zijn "+all, "unknown placeholder; there are "+all)
		}
	}
	if v.Kind == yaml.MappingNode && len(v.Content) == 2 && slices.Contains(placeholders(), v.Content[0].Value) && v.Content[1].Tag == "!!null" {
		s.doc.say(v, path, "zet een plaats tussen aanhalingstekens", "put a placeholder between quotes")
	}
	for _, child := range v.Content {
		s.placed(child, path)
	}
}

// Holds reports whether a placeholder stands anywhere in the template.
func (t *Template) Holds(name string) bool { return t != nil && holds(t.node, "{"+name+"}") }

func holds(n *yaml.Node, text string) bool {
	return strings.Contains(n.Value, text) || slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return holds(c, text) })
}

// JSON is the template as JSON, with the question in it.
func (t *Template) JSON(q Question) ([]byte, error) {
	raw, err := json.Marshal(filled(t.node, q))
	if err != nil {
		return nil, adapters.Bug()
	}
	return raw, nil
}

func filled(n *yaml.Node, q Question) any {
	switch n.Kind {
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			all[n.Content[i].Value] = filled(n.Content[i+1], q)
		}
		return all
	case yaml.SequenceNode:
		all := []any{}
		for _, item := range n.Content {
			all = append(all, filled(item, q))
		}
		return all
	}
	switch n.Tag {
	case "!!bool":
		return n.Value == "true"
	case "!!null":
		return nil
	case "!!int", "!!float":
		return json.Number(n.Value)
	}
	return q.Fill(n.Value, func(s string) string { return s })
}

// UsOf is who a source over HTTPS is, by its configuration.
func UsOf(s *source.Source) Us {
	return Us{Party: s.Party(), Codes: s.Codes(), Numbers: s.Numbers()}
}

// Needs reads the key auth: how the source asks that one identifies oneself, as a list of
// certificate and oauth. Without it: by whatever the configuration has.
func (s *Section) Needs() source.Needs {
	if !s.Has("auth") {
		return source.Needs{Offered: true}
	}
	needs := source.Needs{}
	for _, way := range s.Words("auth") {
		switch way {
		case "certificate":
			needs.Certificate = true
		case "oauth":
			needs.Token = true
		default:
			s.Problem("auth", "certificate, oauth of allebei", "certificate, oauth, or both")
		}
	}
	if needs == (source.Needs{}) {
		s.Problem("auth", "ten minste een manier", "one way at least")
	}
	return needs
}

// HeaderValue escapes a value for a header of HTTP: what is no printable ASCII goes.
func HeaderValue(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return -1
		}
		return r
	}, text)
}
