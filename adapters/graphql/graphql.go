// Package graphql answers: what does an agency's GraphQL interface have on one person, by
// a mapping? The query is stored in the mapping, held against the schema before anything
// is asked, and never put together; the person travels in its variables.
package graphql

import (
	"context"
	_ "embed" // the schema
	"encoding/json"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/source"
)

//go:embed config.schema.json
var schema []byte

// New gives an adapter by a mapping that belongs to the program; without one (nil) the
// configuration has it, as the key mapping.
func New(raw []byte) adapters.Adapter { return mapping.New(Kind{}, raw) }

// Kind is that of this package.
type Kind struct{}

// Facts implements mapping.Kind.
func (Kind) Facts() mapping.Facts {
	return mapping.Facts{Name: "graphql", Schema: schema, Secrets: []string{"tls_key", "client_secret", "bearer_token"}, Egress: []string{"url", "token_url"}}
}

// plan is the section source of a mapping.
type plan struct {
	path, rows, query, operation string
	variables                    *mapping.Template
	schema                       string // empty: the configuration has it
	none                         bool   // null, where the records stand, says that there is nothing
	columns                      []string
	needs                        source.Needs
}

// Plan implements mapping.Kind.
func (Kind) Plan(s *mapping.Section, rows string) mapping.Plan {
	s.Known("kind", "path", "query", "variables", "schema", "null_is_none", "auth")
	s.Need("path", "query", "variables")
	p := &plan{
		path: s.Text("path"), rows: rows, query: s.Text("query"), variables: s.Template("variables"),
		schema: s.Text("schema"), none: s.Flag("null_is_none"), needs: s.Needs(),
	}
	if !strings.HasPrefix(p.path, "/") || strings.ContainsAny(p.path, "{}?#") {
		s.Problem("path", "begint met / en heeft geen vraagdeel", "starts with / and has no query")
	}
	if !p.variables.Holds("person") {
		s.Problem("variables", `"{person}" is nodig`, `"{person}" is needed`)
	}
	if rows == "" {
		s.Problem("", "rows is nodig: waar de records staan, onder data", "rows is needed: where the records stand, under data")
	}
	var said string
	if p.operation, p.columns, said = selected(p.query, rows); said != "" {
		s.Problem("query", "geen opgeslagen vraag: "+said, "no stored query: "+said)
	} else if p.schema != "" {
		if said := valid(p.schema, p.query); said != "" {
			s.Problem("query", "past niet bij het schema: "+said, "does not fit the schema: "+said)
		}
	}
	return p
}

// Columns implements mapping.Columned: what the query selects of a record.
func (p *plan) Columns() []string { return p.columns }

// Read implements mapping.Plan.
func (p *plan) Read(raw []byte, _ mapping.Person) (source.List, error) {
	return List(raw, p.rows, p.none)
}

// Connect implements mapping.Plan. The schema is a key of the configuration when the mapping
// has none.
func (p *plan) Connect(c adapters.Config) (mapping.Asking, error) {
	var keys map[string]json.RawMessage
	var text string
	if json.Unmarshal(c.JSON, &keys) != nil {
		return nil, c.Decode(&keys)
	}
	given, there := keys["schema"]
	delete(keys, "schema")
	switch {
	case there && (json.Unmarshal(given, &text) != nil || p.schema != ""):
		return nil, &adapters.ConfigError{Path: "schema", NL: "een tekst, en alleen als de mapping er geen heeft", EN: "a text, and only when the mapping has none"}
	case !there && p.schema == "":
		return nil, &adapters.ConfigError{Path: "schema", NL: "het schema van de bron is nodig", EN: "the schema of the source is needed"}
	case there:
		if said := valid(text, p.query); said != "" {
			return nil, &adapters.ConfigError{Path: "schema", NL: "de vraag van de mapping past er niet bij: " + said, EN: "the query of the mapping does not fit it: " + said}
		}
	}
	var err error
	if c.JSON, err = json.Marshal(keys); err != nil {
		return nil, adapters.Bug()
	}
	src, err := source.New(c, p.needs)
	if err != nil {
		return nil, err
	}
	return &asking{p, src}, nil
}

type asking struct {
	*plan
	source *source.Source
}

// Us implements mapping.Asking.
func (a *asking) Us() mapping.Us { return mapping.UsOf(a.source) }

// Ask implements mapping.Asking.
func (a *asking) Ask(ctx context.Context, q mapping.Question) (mapping.Answer, error) {
	variables, err := a.variables.JSON(q)
	if err != nil {
		return mapping.Answer{}, err
	}
	body, err := json.Marshal(map[string]any{"query": a.query, "operationName": a.operation, "variables": json.RawMessage(variables)})
	if err != nil {
		return mapping.Answer{}, adapters.Bug()
	}
	raw, err := a.source.Post(ctx, source.Message{
		Path: a.path, Type: "application/json", Body: body, Accept: []string{"application/json", "application/graphql-response+json"},
	})
	if err != nil {
		return mapping.Answer{}, err
	}
	list, err := List(raw, a.rows, a.none)
	return mapping.Answer{List: list}, err
}
