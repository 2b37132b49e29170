package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reader takes an object of terms apart, and remembers that a part was missing or
// of another type.
type reader struct {
	object ast.Object
	failed bool
}

// newReader expects an object of that many members; it fails on anything else.
func newReader(value ast.Value, members int) *reader {
	object, ok := value.(ast.Object)
	if !ok || object.Len() != members {
		return &reader{object: ast.NewObject(), failed: true}
	}
	return &reader{object: object}
}

func (r *reader) member(name string) ast.Value {
	term := r.object.Get(ast.InternedTerm(name))
	if term == nil {
		r.failed = true
		return ast.NullValue
	}
	return term.Value
}

func (r *reader) text(name string) string { return r.string(r.member(name)) }

func (r *reader) string(value ast.Value) string {
	s, ok := value.(ast.String)
	r.failed = r.failed || !ok
	return string(s)
}

func (r *reader) flag(name string) bool {
	b, ok := r.member(name).(ast.Boolean)
	r.failed = r.failed || !ok
	return bool(b)
}

// days reads a whole number of days, one or more.
func (r *reader) days(name string) int {
	n, _ := r.member(name).(ast.Number)
	days, ok := n.Int()
	r.failed = r.failed || !ok || days < 1
	return days
}

// list reads an array or a set of texts.
func (r *reader) list(name string) []string {
	var list []string
	each := func(t *ast.Term) { list = append(list, r.string(t.Value)) }
	switch values := r.member(name).(type) {
	case *ast.Array:
		list = make([]string, 0, values.Len())
		values.Foreach(each)
	case ast.Set:
		list = make([]string, 0, values.Len())
		values.Foreach(each)
	default:
		r.failed = true
	}
	return list
}

// codes reads a list of codes in the order of Codes. One that nobody knows fails.
func (r *reader) codes(name string) []string {
	order := Codes()
	list := r.list(name)
	for _, code := range list {
		r.failed = r.failed || !slices.Contains(order, code)
	}
	slices.SortFunc(list, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return list
}

func (r *reader) texts(name string) map[string]string {
	values, ok := r.member(name).(ast.Object)
	if !ok {
		r.failed = true
		return nil
	}
	texts := make(map[string]string, values.Len())
	values.Foreach(func(key, value *ast.Term) { texts[r.string(key.Value)] = r.string(value.Value) })
	return texts
}
