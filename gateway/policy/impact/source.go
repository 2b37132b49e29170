package impact

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ontschot/ontschot/gateway/policy"
)

// ErrFactor means that the rules of a revision cannot be taken apart so that combinations
// are counted and not gone through. The message says which rule, and what to do.
var ErrFactor = errors.New("these rules cannot be compared")

var errTooMuch = fmt.Errorf("%w: too many combinations differ in too many ways; a developer must let each check read less", ErrFactor)

// source holds the rules of one revision by their whole path: data.core.cell.
type source struct {
	core      *policy.Core
	rules     map[string][]*ast.Rule
	functions map[string][]*ast.Rule
}

func newSource(core *policy.Core) *source {
	s := &source{core, map[string][]*ast.Rule{}, map[string][]*ast.Rule{}}
	files := keysOf(core.Modules)
	for _, file := range files {
		for _, rule := range core.Modules[file].Rules {
			name := rule.Ref().GroundPrefix().String()
			if len(rule.Head.Args) > 0 {
				s.functions[name] = append(s.functions[name], rule)
			} else {
				s.rules[name] = append(s.rules[name], rule)
			}
		}
	}
	s.gatherMembers()
	return s
}

// gatherMembers puts a rule that says one member of a document, dropped.amount, with the rules
// that say the others, dropped[category]: together they are what a reference to it reads.
func (s *source) gatherMembers() {
	var wholes []string
	for _, name := range keysOf(s.rules) { // what lies in another comes after it
		at := slices.IndexFunc(wholes, func(whole string) bool { return within(name, whole) })
		if at < 0 {
			wholes = append(wholes, name)
			continue
		}
		s.rules[wholes[at]] = append(s.rules[wholes[at]], s.rules[name]...)
		delete(s.rules, name)
	}
}

// within reports whether the path of a rule lies in that of another.
func within(rule, whole string) bool {
	rest, ok := strings.CutPrefix(rule, whole)
	return ok && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "["))
}

func keysOf[T any](m map[string]T) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

// ground gives the names with which a reference begins: what follows a variable is not
// among them.
func ground(ref ast.Ref) []string {
	head, _ := ref[0].Value.(ast.Var)
	steps := []string{string(head)}
	for _, term := range ref[1:] {
		name, ok := term.Value.(ast.String)
		if !ok {
			break
		}
		steps = append(steps, string(name))
	}
	return steps
}

// target is what a reference is to: a rule and what of it, a function, a place of the
// input, or a table.
type target struct {
	rule     string   // data.core.cell
	function string   // data.core.reaches
	steps    []string // of a rule or of the input: the names behind it
	input    bool
	table    string // data.catalog.signers
}

// of finds what a reference is to. Errors: ErrFactor.
func (s *source) of(ref ast.Ref) (target, error) {
	steps := ground(ref)
	if steps[0] == "input" {
		return target{input: true, steps: steps[1:]}, nil
	}
	for n := len(steps); n > 0; n-- {
		name := pathOf(steps[:n])
		if _, ok := s.rules[name]; ok {
			return target{rule: name, steps: steps[n:]}, nil
		}
		if _, ok := s.functions[name]; ok {
			return target{function: name}, nil
		}
	}
	name := pathOf(steps)
	for rule := range s.rules {
		if within(rule, name) {
			return target{}, fmt.Errorf("%w: %s is read as a whole, with the rules in it; a developer must name the one that is meant", ErrFactor, name)
		}
	}
	return target{table: name}, nil
}

func pathOf(steps []string) string {
	ref := ast.Ref{ast.VarTerm(steps[0])}
	for _, step := range steps[1:] {
		ref = append(ref, ast.StringTerm(step))
	}
	return ref.String()
}

func isRoot(ref ast.Ref) bool {
	head, ok := ref[0].Value.(ast.Var)
	return ok && (head == "input" || head == "data")
}

// held gives, by the place of the input that an expression reads, the texts that stand in
// it, in rules that it reads and that are texts alone, and in functions that it calls.
func (s *source) held() map[string][]string {
	held := map[string][]string{}
	for _, group := range []map[string][]*ast.Rule{s.rules, s.functions} {
		for _, name := range keysOf(group) {
			for _, rule := range group[name] {
				ast.WalkExprs(rule, func(e *ast.Expr) bool {
					places, words := map[string]bool{}, map[string]bool{}
					s.gather(e, places, words, 0)
					for _, place := range keysOf(places) {
						held[place] = append(held[place], keysOf(words)...)
					}
					return false
				})
			}
		}
	}
	return held
}

const maxDepth = 8

func (s *source) gather(x any, places, words map[string]bool, depth int) {
	ast.WalkTerms(x, func(t *ast.Term) bool {
		switch v := t.Value.(type) {
		case ast.String:
			words[string(v)] = true
		case ast.Call:
			if v[0].String() == "object.get" && len(v) == 4 { // the name of a member is no word
				s.gather(v[1], places, words, depth)
				s.gather(v[3], places, words, depth)
				return true
			}
		case ast.Ref:
			if !isRoot(v) {
				for _, term := range v[1:] {
					if _, name := term.Value.(ast.String); !name {
						s.gather(term, places, words, depth)
					}
				}
				return true
			}
			to, err := s.of(v)
			switch {
			case err != nil || depth > maxDepth:
			case to.input:
				places[strings.Join(to.steps, ".")] = true
			case to.rule != "":
				for _, rule := range s.rules[to.rule] {
					s.gather(rule, map[string]bool{}, words, depth+1)
				}
			case to.function != "":
				for _, rule := range s.functions[to.function] {
					s.gather(rule, places, words, depth+1)
				}
			}
			for _, term := range v[1:] { // names of members are no words
				if _, name := term.Value.(ast.String); !name {
					s.gather(term, places, words, depth)
				}
			}
			return true
		}
		return false
	})
}

func sorted(list []int) []int {
	slices.Sort(list)
	return list
}
