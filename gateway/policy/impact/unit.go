package impact

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// need is what a unit is evaluated with in place of a reference: a place of the input, the
// type alone of what stands there, what a rule says or a part of it, or whether the body of a
// rule, or a part of that body, holds.
type need struct {
	kind  needKind
	rule  string
	at    int      // which of the rules of that name
	part  int      // which part of its body
	steps []string // a place of the input, or what of a rule
}

type needKind int

const (
	needInput needKind = iota
	needType
	needRule
	needBody
	needPart
)

func (n need) key() string {
	return fmt.Sprint(int(n.kind), " ", n.rule, " ", n.at, " ", n.part, " ", strings.Join(n.steps, "\x00"))
}

// unit is a piece of a revision that is evaluated for itself, by OPA: rules of one name, or
// a part of the body of one, with the functions that they call. What else they refer to
// stands in the input of the unit.
type unit struct {
	key   string // the same text over the same tables
	name  string // for messages
	needs []need
	query rego.PreparedEvalQuery
	known map[string]int32 // what it came to, by the values of its needs
}

// typeOf marks a reference of which the type alone is asked.
const typeOf = "\x00type"

// cutter rewrites rules to stand alone.
type cutter struct {
	source    *source
	needs     []need
	place     map[string]int
	functions map[string]bool
	tables    map[string]bool
}

func newCutter(s *source) *cutter {
	return &cutter{source: s, place: map[string]int{}, functions: map[string]bool{}, tables: map[string]bool{}}
}

// ref is a reference to what is needed.
func (c *cutter) ref(n need) ast.Ref {
	key := n.key()
	at, ok := c.place[key]
	if !ok {
		at = len(c.needs)
		c.place[key], c.needs = at, append(c.needs, n)
	}
	return ast.Ref{ast.InputRootDocument, ast.StringTerm(nameOf(at))}
}

func nameOf(need int) string { return "n" + strconv.Itoa(need) }

// rule rewrites a copy of a rule.
func (c *cutter) rule(rule *ast.Rule) (*ast.Rule, error) {
	rule = rule.Copy()
	markTypes(rule)
	out, err := ast.TransformRefs(rule, c.replace)
	if err != nil {
		return nil, err
	}
	ast.NewGenericVisitor(func(x any) bool { // what "some x in" declares is not transformed with the rest
		if some, ok := x.(*ast.SomeDecl); ok && err == nil {
			for _, symbol := range some.Symbols {
				var done any
				if done, err = ast.TransformRefs(symbol.Value, c.replace); err != nil {
					return true
				}
				symbol.Value = done.(ast.Value)
			}
		}
		return err != nil
	}).Walk(out)
	if err != nil {
		return nil, err
	}
	ast.WalkExprs(rule, func(e *ast.Expr) bool {
		if len(e.With) > 0 {
			err = fmt.Errorf(`%w: %s uses "with"; a developer must do without`, ErrFactor, e.Location)
		}
		return err != nil
	})
	return out.(*ast.Rule), err
}

// markTypes marks what is_object is asked of: the members of it do not matter.
func markTypes(rule *ast.Rule) {
	mark := func(terms []*ast.Term) {
		if len(terms) != 2 || terms[0].String() != ast.IsObject.Name {
			return
		}
		ref, ok := terms[1].Value.(ast.Ref)
		if ok && isRoot(ref) && ref[0].Value.Compare(ast.InputRootDocument.Value) == 0 && len(ground(ref)) == len(ref) {
			marked := append(ast.Ref{ref[0], ast.StringTerm(typeOf)}, ref[1:]...)
			terms[1] = ast.NewTerm(marked)
		}
	}
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok {
				mark(terms)
			}
		case ast.Call:
			mark(x)
		}
		return false
	}).Walk(rule)
}

func (c *cutter) replace(ref ast.Ref) (ast.Value, error) {
	if !isRoot(ref) {
		return ref, nil
	}
	to, err := c.source.of(ref)
	switch {
	case err != nil:
		return nil, err
	case to.function != "":
		c.functions[to.function] = true
		return ref, nil
	case to.table != "":
		c.tables[to.table] = true
		return ref, nil
	case to.rule != "":
		return c.ref(need{kind: needRule, rule: to.rule, steps: to.steps}).Concat(ref[1+len(to.steps)+depthOf(to.rule):]), nil
	case len(to.steps) > 0 && to.steps[0] == typeOf:
		return c.ref(need{kind: needType, steps: to.steps[1:]}), nil
	}
	return c.ref(need{kind: needInput, steps: to.steps}).Concat(ref[1+len(to.steps):]), nil
}

// depthOf is how many names stand behind data in the path of a rule.
func depthOf(rule string) int { return len(ast.MustParseRef(rule)) - 1 }

// build makes a unit of rewritten rules, that is asked for what the query says.
func (c *cutter) build(ctx context.Context, s *session, query string, pkg ast.Ref, rules []*ast.Rule) (*unit, error) {
	modules := map[string]*ast.Module{}
	add := func(pkg ast.Ref, rule *ast.Rule) {
		m := modules[pkg.String()]
		if m == nil {
			m = &ast.Module{Package: &ast.Package{Path: pkg}}
			modules[pkg.String()] = m
		}
		for r := rule; r != nil; r = r.Else {
			r.Module = m
		}
		m.Rules = append(m.Rules, rule)
	}
	for _, rule := range rules {
		add(pkg, rule)
	}
	done := map[string]bool{}
	for again := true; again; { // functions call functions
		again = false
		for _, name := range keysOf(c.functions) {
			if done[name] {
				continue
			}
			done[name], again = true, true
			for _, rule := range c.source.functions[name] {
				cut, err := c.rule(rule)
				if err != nil {
					return nil, err
				}
				add(rule.Module.Package.Path, cut)
			}
		}
	}
	return s.unit(ctx, c, query, modules)
}

// session keeps what units came to, for one comparison or for many.
type session struct {
	units  map[string]*unit
	values []ast.Value // by their number; the first is that there is none
	number map[string]int32
}

// undefined is the number of no value.
const undefined = 0

func newSession() *session {
	return &session{units: map[string]*unit{}, values: []ast.Value{nil}, number: map[string]int32{"": undefined}}
}

// intern gives the number of a value.
func (s *session) intern(v ast.Value) int32 {
	if v == nil {
		return undefined
	}
	text := v.String()
	n, ok := s.number[text]
	if !ok {
		n = int32(len(s.values))
		s.number[text], s.values = n, append(s.values, v)
	}
	return n
}

func (s *session) unit(ctx context.Context, c *cutter, query string, modules map[string]*ast.Module) (*unit, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, query)
	for _, name := range keysOf(modules) {
		fmt.Fprintln(hash, modules[name].String())
	}
	for _, n := range c.needs {
		fmt.Fprintln(hash, n.key())
	}
	for _, table := range keysOf(c.tables) {
		found, _ := place(c.source.core.Data, ground(ast.MustParseRef(table))[1:])
		raw, err := json.Marshal(found)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(hash, table, string(raw))
	}
	key := string(hash.Sum(nil))
	if u, ok := s.units[key]; ok {
		return u, nil
	}
	compiler := ast.NewCompiler().WithCapabilities(c.source.core.Capabilities)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, fmt.Errorf("%w: %s does not stand alone: %w", ErrFactor, query, compiler.Errors)
	}
	prepared, err := rego.New(rego.Query(query), rego.Compiler(compiler), rego.Capabilities(c.source.core.Capabilities),
		rego.Store(c.source.core.Store), rego.StrictBuiltinErrors(true),
		rego.GenerateJSON(func(t *ast.Term, _ *rego.EvalContext) (any, error) { return t.Value, nil }),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not stand alone: %w", ErrFactor, query, err)
	}
	u := &unit{key: key, name: query, needs: c.needs, query: prepared, known: map[string]int32{}}
	s.units[key] = u
	return u, nil
}

// evaluate asks OPA what a unit comes to.
func (s *session) evaluate(ctx context.Context, u *unit, values []int32) (int32, error) {
	key := make([]byte, 0, 4*len(values))
	for _, v := range values {
		key = binary.LittleEndian.AppendUint32(key, uint32(v))
	}
	if v, ok := u.known[string(key)]; ok {
		return v, nil
	}
	members := make([][2]*ast.Term, 0, len(values))
	for i, v := range values {
		if v != undefined {
			members = append(members, ast.Item(ast.StringTerm(nameOf(i)), ast.NewTerm(s.values[v])))
		}
	}
	results, err := u.query.Eval(ctx, rego.EvalParsedInput(ast.NewObject(members...)))
	if err != nil {
		return undefined, fmt.Errorf("%w: %s fails where it is evaluated, and whoever asks is then denied with SYS-01: %w", ErrFactor, u.name, err)
	}
	v := int32(undefined)
	if len(results) == 1 && len(results[0].Expressions) == 1 {
		value, ok := results[0].Expressions[0].Value.(ast.Value)
		if !ok {
			return undefined, errors.New("impact: a value of another kind")
		}
		v = s.intern(value)
	}
	u.known[string(key)] = v
	return v, nil
}
