package mapping

import (
	"regexp"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/native"
)

// expression is what a mapping says of one field: a word that is the same for every
// record, or CEL.
type expression struct {
	word    string
	program cel.Program // nil for a word
	out     *cel.Type
	reads   []reference
	at      *yaml.Node // where it stands in the mapping
	path    string
}

// reference is a member of the record (r) or the element (e) that an expression reads.
type reference struct{ of, path string }

// plainWord is a text that stands for itself: an expression has a point, a bracket, a
// quote or a space in it.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// scope is what an expression is worked out on: a record, and an element of it.
type scope struct {
	r, e native.Node
	in   *reading
}

// at is where the line stands that is made of the scope.
func (s scope) at() adapters.Cursor {
	if s.e.Has() {
		return s.e.At()
	}
	return s.r.At()
}

// where is the place of the first member that an expression reads.
func (s scope) where(x *expression) adapters.Cursor {
	if x == nil || len(x.reads) == 0 {
		return s.at()
	}
	if first := x.reads[0]; first.of == "e" {
		return s.e.At().Field(first.path)
	}
	return s.r.At().Field(x.reads[0].path)
}

// eval works an expression out. The error is bad data, at what it reads.
func (x *expression) eval(s scope) (ref.Val, error) {
	out, _, err := x.program.Eval(map[string]any{"r": s.in.member(s.r), "e": s.in.member(s.e)})
	switch {
	case err == nil:
		return out, nil
	case adapters.Reason(err) != "":
		return nil, adapters.BadData(adapters.Path(err), adapters.Rule(err))
	}
	return nil, s.where(x).Bad("what the mapping can read")
}

// text is an expression as a text: of a member, what stands there. Absent is empty.
func (x *expression) text(s scope) (string, error) {
	if x == nil || x.program == nil {
		return x.fixed(), nil
	}
	out, err := x.eval(s)
	if err != nil {
		return "", err
	}
	if m, ok := out.(*member); ok {
		return m.text()
	}
	text, ok := out.Value().(string)
	if !ok || len(text) > longest {
		return "", s.where(x).Bad("a text")
	}
	return text, nil
}

func (x *expression) fixed() string {
	if x == nil {
		return ""
	}
	return x.word
}

// holds reports whether a condition is true.
func (x *expression) holds(s scope) (bool, error) {
	out, err := x.eval(s)
	if err != nil {
		return false, err
	}
	return out.Value() == true, nil
}

// number is an exact number; nil when it is not known.
func (x *expression) number(s scope) (*exact, error) {
	if x == nil {
		return &exact{}, nil
	}
	out, err := x.eval(s)
	if err != nil {
		return nil, err
	}
	n, ok := out.(*exact)
	if !ok {
		return nil, s.where(x).Bad("a number")
	}
	return n, nil
}
