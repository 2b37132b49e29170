package policy

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// vocabulary holds the words of a request as terms, made once: the names of its
// members, and the values that the tables know. It saves half of what a request
// costs to write.
type vocabulary map[string]*ast.Term

func newVocabulary(data map[string]any) vocabulary {
	v := vocabulary{}
	v.learn(
		"subject", "action", "resource", "context", "type", "id", "properties", "name",
		"org_type", "role", "assurance", "purpose", "law", "source", "source_kind", "fields",
		"legal_basis", "contract", "date", "agreement", "consent", "requester", "purposes",
		"from", "until", "digest", "status", "by", "sources", "second", "mandate", "scope",
		"organisation", "read", "person", "gemeente", "active", ContractRequest, ContractOperation,
	)
	for purpose := range member(data, "matrix") {
		v.learn(purpose)
	}
	for list := range member(data, "catalog") {
		v.learn(slices.Collect(maps.Keys(member(data["catalog"], list)))...)
	}
	return v
}

func (v vocabulary) learn(words ...string) {
	for _, word := range words {
		v[word] = ast.StringTerm(word)
	}
}

func (v vocabulary) term(word string) *ast.Term {
	if term, ok := v[word]; ok {
		return term
	}
	return ast.StringTerm(word)
}

func (v vocabulary) text(name, value string) [2]*ast.Term {
	return ast.Item(v[name], v.term(value))
}

func (v vocabulary) list(name string, values []string) [2]*ast.Term {
	terms := make([]*ast.Term, len(values))
	for i, value := range values {
		terms[i] = v.term(value)
	}
	return ast.Item(v[name], ast.ArrayTerm(terms...))
}

func (v vocabulary) object(name string, members ...[2]*ast.Term) [2]*ast.Term {
	return ast.Item(v[name], ast.ObjectTerm(members...))
}

// value writes a request as the rules read it. It is what encoding/json would
// make of it, without the way through text.
func (v vocabulary) value(in *Input) ast.Value {
	subject, action, resource := in.Subject.Properties, in.Action.Properties, in.Resource.Properties
	return ast.NewObject(
		v.object("subject", v.text("type", in.Subject.Type), v.text("id", in.Subject.ID), v.object("properties",
			v.text("org_type", subject.OrgType), v.text("role", subject.Role), v.text("assurance", subject.Assurance))),
		v.object("action", v.text("name", in.Action.Name), v.object("properties",
			v.text("purpose", action.Purpose), v.text("law", action.Law))),
		v.object("resource", v.text("type", in.Resource.Type), v.text("id", in.Resource.ID), v.object("properties",
			v.text("source", resource.Source), v.text("source_kind", resource.SourceKind),
			v.list("fields", resource.Fields), v.text("legal_basis", resource.LegalBasis))),
		v.object("context", v.context(&in.Context)...),
	)
}

func (v vocabulary) context(c *Context) [][2]*ast.Term {
	members := [][2]*ast.Term{v.text("contract", c.Contract), v.text("date", c.Date)}
	if a := c.Agreement; a != nil {
		members = append(members, v.object("agreement",
			v.text("id", a.ID), v.text("requester", a.Requester), v.text("source", a.Source),
			v.list("purposes", a.Purposes), v.text("from", a.From), v.text("until", a.Until),
			v.list("fields", a.Fields), v.text("digest", a.Digest)))
	}
	if o := c.Consent; o != nil {
		said := [][2]*ast.Term{
			v.text("id", o.ID), v.text("status", o.Status), v.text("subject", o.Subject), v.text("by", o.By),
			v.list("purposes", o.Purposes), v.list("sources", o.Sources), v.text("from", o.From), v.text("until", o.Until),
		}
		if m := o.Mandate; m != nil {
			said = append(said, v.object("mandate", v.list("scope", m.Scope), v.text("until", m.Until)))
		}
		members = append(members, v.object("consent", said...))
	}
	return members
}
