// Package rest answers: what does an agency's REST interface have on one person, by a
// mapping? JSON over HTTPS, with a certificate, OAuth2 client credentials or a fixed
// token; pages are followed. The person stands in the body or in a header and never in
// the address, which ends up in the log of every machine on the way.
package rest

import (
	"context"
	_ "embed" // the schema
	"net/http"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/mapping"
	"github.com/ontschot/ontschot/adapters/native"
	"github.com/ontschot/ontschot/adapters/source"
)

//go:embed config.schema.json
var schema []byte

// New gives an adapter by a mapping that belongs to the program; without one (nil) the
// configuration has it, as the key mapping.
func New(raw []byte) adapters.Adapter { return mapping.New(Kind{}, raw) }

// Tables are the formats of record that a mapping reads, for documentation; none when
// there is something wrong with it.
func Tables(raw []byte) []native.Table {
	m, err := mapping.Parse(Kind{}, raw)
	if err != nil {
		return nil
	}
	return []native.Table{m.Table()}
}

// Kind is that of this package.
type Kind struct{}

// Facts implements mapping.Kind.
func (Kind) Facts() mapping.Facts {
	return mapping.Facts{Name: "rest", Schema: schema, Secrets: []string{"tls_key", "client_secret", "bearer_token"}, Egress: []string{"url", "token_url"}}
}

// plan is the section source of a mapping.
type plan struct {
	method, path, rows string
	body               *mapping.Template
	headers            map[string]string
	accept             []string
	needs              source.Needs
}

// Plan implements mapping.Kind.
func (Kind) Plan(s *mapping.Section, rows string) mapping.Plan {
	s.Known("kind", "method", "path", "body", "headers", "accept", "auth")
	s.Need("path")
	p := &plan{
		method: s.Word("method", http.MethodPost, http.MethodGet), path: s.Text("path"), rows: rows,
		body: s.Template("body"), headers: map[string]string{}, accept: s.Words("accept"), needs: s.Needs(),
	}
	if p.accept == nil {
		p.accept = []string{"application/json", "application/hal+json"}
	}
	if !strings.HasPrefix(p.path, "/") || strings.ContainsAny(p.path, "{}?#") {
		s.Problem("path", "begint met / en heeft geen vraagdeel en geen persoon: een adres komt in logboeken", "starts with / and has no query and no person: an address ends up in logs")
	}
	headers, placed := s.Under("headers"), p.body.Holds("person")
	for _, name := range headers.Keys() {
		p.headers[name] = headers.Placed(name)
		placed = placed || strings.Contains(p.headers[name], "{person}")
		if strings.EqualFold(name, "Authorization") {
			headers.Problem(name, "een sleutel is een geheim van de configuratie", "a key is a secret of the configuration")
		}
	}
	if p.method == http.MethodGet && s.Has("body") {
		s.Problem("body", "GET heeft er geen", "GET has none")
	}
	if !placed {
		s.Problem("", `"{person}" nodig in body of headers`, `"{person}" is needed in body or headers`)
	}
	return p
}

// Read implements mapping.Plan: an answer of one page.
func (p *plan) Read(raw []byte, _ mapping.Person) (source.List, error) {
	return source.OnePage(raw, p.rows)
}

// Connect implements mapping.Plan.
func (p *plan) Connect(c adapters.Config) (mapping.Asking, error) {
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
	m := source.Message{Method: a.method, Path: a.path, Accept: a.accept, Header: map[string]string{}}
	for name, text := range a.headers {
		m.Header[name] = q.Fill(text, mapping.HeaderValue)
	}
	if a.body != nil {
		m.Type = "application/json"
		var err error
		if m.Body, err = a.body.JSON(q); err != nil {
			return mapping.Answer{}, err
		}
	}
	list, err := a.source.Records(ctx, m, a.rows)
	return mapping.Answer{List: list}, err
}
