package impact

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// maxEvaluations bounds how often OPA is asked for one comparison, half of it for each domain.
const maxEvaluations = 200_000

// maxTable bounds how many values of one place of the input are looked at.
const maxTable = 20_000

// world is one domain with the functions over it that the rules of revisions come to.
type world struct {
	*diagrams
	session *session
	known   map[string]node
	asked   map[*unit]map[string]bool // what was evaluated for this comparison
	// evaluations is how many those are.
	evaluations int
}

func newWorld(s *session, d *domain) *world {
	return &world{diagrams: newDiagrams(d), session: s, known: map[string]node{}, asked: map[*unit]map[string]bool{}}
}

// revision is the rules of one revision over one domain.
type revision struct {
	*world
	source *source
	rules  map[string]node
	busy   map[string]bool
}

func (w *world) revision(s *source) *revision {
	return &revision{w, s, map[string]node{}, map[string]bool{}}
}

// node is the function that a unit needs.
func (r *revision) node(ctx context.Context, n need) (node, error) {
	switch n.kind {
	case needInput, needType:
		return r.place(n)
	case needBody:
		return r.body(ctx, n.rule, n.at)
	case needPart:
		return r.part(ctx, n)
	}
	whole, err := r.rule(ctx, n.rule)
	if err != nil || len(n.steps) == 0 {
		return whole, err
	}
	return r.project(whole, n.steps)
}

// place is what stands at a place of the input.
func (r *revision) place(n need) (node, error) {
	name, typeOnly := strings.Join(n.steps, "."), n.kind == needType
	key := n.key()
	if known, ok := r.known[key]; ok {
		return known, nil
	}
	levels := r.domain.touching(name, typeOnly)
	size := 1
	for _, level := range levels {
		if size *= len(r.domain.dims[level].values); size > maxTable {
			return 0, fmt.Errorf("%w: a rule reads input.%s as a whole; a developer must have it read the members that it looks at", ErrFactor, name)
		}
	}
	out := r.tabulate(levels, func(point []int) int32 {
		found, ok := place(r.domain.document(point), n.steps)
		if _, object := found.(map[string]any); object && typeOnly {
			found = map[string]any{}
		}
		if !ok {
			return undefined
		}
		return r.session.intern(ast.MustInterfaceToValue(found))
	})
	r.known[key] = out
	return out, nil
}

// project is a part of what a rule says.
func (r *revision) project(whole node, steps []string) (node, error) {
	var ref ast.Ref
	for _, step := range steps {
		ref = append(ref, ast.StringTerm(step))
	}
	return r.join([]node{whole}, func(values []int32) (int32, error) {
		if values[0] == undefined {
			return undefined, nil
		}
		found, err := r.session.values[values[0]].Find(ref)
		if err != nil {
			return undefined, nil // it has no such part
		}
		return r.session.intern(found), nil
	})
}

// run is what a unit comes to, for all combinations.
func (r *revision) run(ctx context.Context, u *unit) (node, error) {
	args := make([]node, len(u.needs))
	for i, n := range u.needs {
		var err error
		if args[i], err = r.node(ctx, n); err != nil {
			return 0, err
		}
	}
	key := u.key + string(appendNodes(nil, args))
	if n, ok := r.known[key]; ok {
		return n, nil
	}
	n, err := r.join(args, func(values []int32) (int32, error) { return r.ask(ctx, u, values) })
	if err == nil {
		r.known[key] = n
	}
	return n, err
}

// ask evaluates, and counts what was not asked before in this comparison.
func (r *revision) ask(ctx context.Context, u *unit, values []int32) (int32, error) {
	if err := ctx.Err(); err != nil {
		return undefined, err
	}
	known := r.asked[u]
	if known == nil {
		known = map[string]bool{}
		r.asked[u] = known
	}
	if key := string(appendNumbers(nil, values)); !known[key] {
		known[key] = true
		if r.evaluations++; r.evaluations > maxEvaluations/2 {
			return undefined, fmt.Errorf("%w: more than %d evaluations, the last ones of %s, which %d were of; a developer must have it read less", ErrFactor, maxEvaluations/2, u.name, len(known))
		}
	}
	return r.session.evaluate(ctx, u, values)
}

func appendNumbers(to []byte, values []int32) []byte {
	for _, v := range values {
		to = append(to, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return to
}

// rule is what the rules of one name say together.
func (r *revision) rule(ctx context.Context, name string) (node, error) {
	if n, ok := r.rules[name]; ok {
		return n, nil
	}
	c, group := newCutter(r.source), r.source.rules[name]
	var cut []*ast.Rule
	for i, rule := range group {
		alone := splits(rule)
		if alone {
			rule = rule.Copy()
			rule.Body = ast.NewBody(ast.NewExpr(ast.BooleanTerm(true)))
		}
		one, err := c.rule(rule)
		if err != nil {
			return 0, err
		}
		if alone {
			one.Body = ast.NewBody(ast.NewExpr(ast.NewTerm(c.ref(need{kind: needBody, rule: name, at: i}))))
		}
		cut = append(cut, one)
	}
	u, err := c.build(ctx, r.session, name, group[0].Module.Package.Path, cut)
	if err != nil {
		return 0, err
	}
	n, err := r.run(ctx, u)
	if err == nil {
		r.rules[name] = n
	}
	return n, err
}

// splits reports whether the body of a rule only says when it holds, and nothing of what it
// gives: then its parts can be looked at one by one.
func splits(rule *ast.Rule) bool {
	return !rule.Default && rule.Else == nil && len(variables(rule.Head)) == 0
}

// variables are the names of variables, those of functions and documents left out.
func variables(x any) map[string]bool {
	vars := map[string]bool{}
	visit := ast.NewVarVisitor().WithParams(ast.VarVisitorParams{SkipRefCallHead: true})
	switch x := x.(type) {
	case *ast.Head:
		for _, t := range append([]*ast.Term{x.Key, x.Value}, x.Reference[min(1, len(x.Reference)):]...) {
			if t != nil {
				visit.Walk(t)
			}
		}
	default:
		visit.Walk(x)
	}
	for v := range visit.Vars() {
		if v != "input" && v != "data" {
			vars[string(v)] = true
		}
	}
	return vars
}

// parts cuts a body into parts that have no variable in common.
func parts(body ast.Body) []ast.Body {
	type part struct {
		vars  map[string]bool
		exprs []int
	}
	var all []part
	for i, e := range body {
		joined := part{variables(e), []int{i}}
		var apart []part
		for _, p := range all {
			shares := false
			for v := range p.vars {
				shares = shares || joined.vars[v]
			}
			if !shares {
				apart = append(apart, p)
				continue
			}
			for v := range p.vars {
				joined.vars[v] = true
			}
			joined.exprs = append(p.exprs, joined.exprs...)
		}
		all = append(apart, joined)
	}
	var out []ast.Body
	for _, p := range all {
		var b ast.Body
		for _, i := range sorted(p.exprs) {
			b.Append(body[i].Copy())
		}
		out = append(out, b)
	}
	return out
}

// body is whether the body of a rule holds.
func (r *revision) body(ctx context.Context, name string, at int) (node, error) {
	rule := r.source.rules[name][at]
	all := parts(rule.Body)
	if len(all) == 1 {
		return r.part(ctx, need{rule: name, at: at})
	}
	c := newCutter(r.source)
	var b ast.Body
	for i := range all {
		b.Append(ast.NewExpr(ast.NewTerm(c.ref(need{kind: needPart, rule: name, at: at, part: i}))))
	}
	return r.holds(ctx, c, b, rule)
}

// part is whether a part of the body of a rule holds.
func (r *revision) part(ctx context.Context, n need) (node, error) {
	rule := r.source.rules[n.rule][n.at]
	c := newCutter(r.source)
	cut, err := c.rule(holder(parts(rule.Body)[n.part]))
	if err != nil {
		return 0, err
	}
	return r.holds(ctx, c, cut.Body, rule)
}

// holder is a rule that only says whether a body holds.
func holder(body ast.Body) *ast.Rule {
	return &ast.Rule{Head: &ast.Head{Name: "holds", Reference: ast.Ref{ast.VarTerm("holds")}, Value: ast.BooleanTerm(true)}, Body: body}
}

func (r *revision) holds(ctx context.Context, c *cutter, body ast.Body, of *ast.Rule) (node, error) {
	pkg := ast.MustParseRef("data.part")
	u, err := c.build(ctx, r.session, "data.part.holds", pkg, []*ast.Rule{holder(body)})
	if err != nil {
		return 0, err
	}
	if of.Location != nil {
		u.name = fmt.Sprintf("%s:%d: a part of %s", of.Location.File, of.Location.Row, of.Head.Reference)
	}
	return r.run(ctx, u)
}

// members are what the one rule of a name puts together, by its members, in their order: an
// object written out, of which each is a function for itself. Where the rule is no such
// thing, they are parts of what it says.
func (r *revision) members(ctx context.Context, name string, wanted []string) ([]node, error) {
	group := r.source.rules[name]
	out := make([]node, len(wanted))
	object := writtenOut(group, len(wanted))
	for i, member := range wanted {
		var err error
		if object == nil || object.Get(ast.StringTerm(member)) == nil {
			out[i], err = r.node(ctx, need{kind: needRule, rule: name, steps: []string{member}})
		} else {
			out[i], err = r.term(ctx, object.Get(ast.StringTerm(member)), group[0])
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func writtenOut(group []*ast.Rule, members int) ast.Object {
	if len(group) != 1 || group[0].Default || group[0].Else != nil || len(variables(group[0].Head)) > 0 ||
		len(group[0].Body) != 1 || !group[0].Body[0].Equal(ast.NewExpr(ast.BooleanTerm(true))) {
		return nil
	}
	object, ok := group[0].Head.Value.Value.(ast.Object)
	if !ok || object.Len() != members {
		return nil
	}
	return object
}

// term is what one term comes to.
func (r *revision) term(ctx context.Context, t *ast.Term, of *ast.Rule) (node, error) {
	c := newCutter(r.source)
	rule := holder(ast.NewBody(ast.NewExpr(ast.BooleanTerm(true))))
	rule.Head.Value = t
	cut, err := c.rule(rule)
	if err != nil {
		return 0, err
	}
	if ref, ok := cut.Head.Value.Value.(ast.Ref); ok && len(ref) == 2 && len(c.needs) == 1 {
		return r.node(ctx, c.needs[0])
	}
	u, err := c.build(ctx, r.session, "data.part.holds", ast.MustParseRef("data.part"), []*ast.Rule{cut})
	if err != nil {
		return 0, err
	}
	u.name = "a member of " + of.Head.Reference.String()
	return r.run(ctx, u)
}
