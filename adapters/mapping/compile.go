package mapping

import (
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"go.yaml.in/yaml/v3"
)

// compiler compiles the expressions of one mapping.
type compiler struct {
	env   *cel.Env
	doc   *document
	codes map[string]*table
	each  bool
}

// field compiles what stands under a key; nil when it is absent, or wrong.
func (c *compiler) field(s *Section, key string, want ...*cel.Type) *expression {
	v := s.value(key)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.ScalarNode {
		s.Problem(key, "een woord of een uitdrukking nodig", "a word or an expression is needed")
		return nil
	}
	return c.node(v, join(s.path, key), want)
}

func (c *compiler) node(v *yaml.Node, path string, want []*cel.Type) *expression {
	if plainWord.MatchString(v.Value) && slices.Contains(want, cel.StringType) {
		return &expression{word: v.Value, out: cel.StringType}
	}
	if len(v.Value) > longestExpression {
		c.doc.say(v, path, "te lang", "too long")
		return nil
	}
	checked, issues := c.env.Compile(v.Value)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			c.wrong(v, path, e.Location, e.Message)
		}
		return nil
	}
	if !slices.ContainsFunc(want, checked.OutputType().IsExactType) {
		c.mistyped(v, path, checked.OutputType(), want)
		return nil
	}
	x := &expression{out: checked.OutputType(), at: v, path: path}
	if !c.references(x, v, path, checked.NativeRep().Expr()) {
		return nil
	}
	program, err := c.env.Program(checked, cel.CostLimit(mostCost))
	if err != nil {
		c.doc.say(v, path, "kan niet worden uitgevoerd", "cannot be run")
		return nil
	}
	x.program = program
	return x
}

// wrong puts a finding of the CEL compiler in its place in the mapping.
func (c *compiler) wrong(v *yaml.Node, path string, where common.Location, message string) {
	at := &yaml.Node{Line: v.Line + where.Line() - 1, Column: v.Column + where.Column()}
	switch {
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		at.Line++
		at.Column = where.Column() + 1
	case v.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		at.Column++
	}
	near := ""
	if name := regexp.MustCompile(`undeclared reference to '([A-Za-z_]+)'`).FindStringSubmatch(message); name != nil {
		near = nearest(name[1], []string{"r", "e", "text", "digits", "empty", "cents", "volume", "date", "open", "code", "day_before", "zero", "no_cents", "no_volume"})
	}
	message = strings.ToValidUTF8(message[:min(len(message), 200)], "")
	c.doc.say(at, path, "de uitdrukking klopt niet: "+message+suggest("; bedoelt u %s?", near), "the expression is wrong: "+message+suggest("; did you mean %s?", near))
}

func (c *compiler) mistyped(v *yaml.Node, path string, is *cel.Type, want []*cel.Type) {
	var all []string
	for _, w := range want {
		all = append(all, w.String())
	}
	en, nl := strings.Join(all, " or ")+" is needed, this is "+is.String(), strings.Join(all, " of ")+" nodig, dit is "+is.String()
	if want[0].IsExactType(moneyType()) {
		en += "; write cents(r.member): money is never a float"
		nl += "; schrijf cents(r.veld): geld is nooit een kommagetal"
	}
	c.doc.say(v, path, nl, en)
}

// references notes which members an expression reads, and which tables it names.
func (c *compiler) references(x *expression, v *yaml.Node, path string, e ast.Expr) bool {
	if at, ok := chain(e); ok {
		if at.of == "e" && !c.each {
			c.doc.say(v, path, "e is er alleen met each", "there is an e only with each")
			return false
		}
		if at.path != "" {
			x.reads = append(x.reads, at)
		}
		return true
	}
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "code" && len(e.AsCall().Args()) == 2 && !c.tabled(v, path, e.AsCall().Args()[1]) {
		return false
	}
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index && !c.named(v, path, e) {
		return false
	}
	for _, under := range below(e) {
		if !c.references(x, v, path, under) {
			return false
		}
	}
	return true
}

// named refuses a member whose name is worked out, or holds a slash.
func (c *compiler) named(v *yaml.Node, path string, e ast.Expr) bool {
	if _, ok := chain(e.AsCall().Args()[0]); !ok {
		return true // of a list or a map, which is no record
	}
	c.doc.say(v, path, "een naam van een veld is een vaste tekst zonder /", "the name of a member is a fixed text without /")
	return false
}

func (c *compiler) tabled(v *yaml.Node, path string, name ast.Expr) bool {
	if name.Kind() == ast.LiteralKind {
		if text, ok := name.AsLiteral().Value().(string); ok {
			if c.codes[text] != nil {
				return true
			}
			var all []string
			for known := range c.codes {
				all = append(all, known)
			}
			slices.Sort(all)
			near := nearest(text, all)
			c.doc.say(v, path, "geen tabel met die naam onder codes"+suggest("; bedoelt u %s?", near), "no table of that name under codes"+suggest("; did you mean %s?", near))
			return false
		}
	}
	c.doc.say(v, path, "de naam van een tabel is een vaste tekst", "the name of a table is a fixed text")
	return false
}

// chain is the member that an expression names: r.a.b, or r["a b"].
func chain(e ast.Expr) (reference, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		name := e.AsIdent()
		return reference{of: name}, name == "r" || name == "e"
	case ast.SelectKind:
		at, ok := chain(e.AsSelect().Operand())
		return at.down(e.AsSelect().FieldName()), ok
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[1].Kind() != ast.LiteralKind {
			return reference{}, false
		}
		name, is := call.Args()[1].AsLiteral().Value().(string)
		at, ok := chain(call.Args()[0])
		return at.down(name), ok && is && name != "" && !strings.Contains(name, "/")
	}
	return reference{}, false
}

func (r reference) down(name string) reference {
	if r.path != "" {
		name = r.path + "/" + name
	}
	return reference{r.of, name}
}

// below are the parts of an expression.
func below(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return append([]ast.Expr{call.Target()}, call.Args()...)
		}
		return call.Args()
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.ComprehensionKind:
		x := e.AsComprehension()
		return []ast.Expr{x.IterRange(), x.AccuInit(), x.LoopCondition(), x.LoopStep(), x.Result()}
	case ast.MapKind:
		var all []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return all
	}
	return nil
}
