package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong in a folder of policies, and its place.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // from 1; 0: the file as a whole
	Column int    `json:"column"`
	// What is wrong, and which word was probably meant.
	NL string `json:"nl"`
	EN string `json:"en"`
	// Notice says that it is something to know, and not wrong.
	Notice bool `json:"notice,omitempty"`
}

// In is the problem as one line in a language (nl or en): "file:line:column: text".
func (p Problem) In(lang string) string {
	text := p.EN
	if lang == "nl" {
		text = p.NL
	}
	if p.Line == 0 {
		return p.File + ": " + text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, text)
}

// Problems is everything that is wrong, as one error that is ErrRules.
type Problems []Problem

// Error lists them in English, one a line.
func (p Problems) Error() string {
	var out strings.Builder
	out.WriteString(ErrRules.Error() + ":")
	for _, one := range p {
		out.WriteString("\n" + one.In("en"))
	}
	return out.String()
}

// Unwrap makes it ErrRules.
func (p Problems) Unwrap() error { return ErrRules }

// sort puts them in the order of files and lines.
func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.EN, b.EN))
	})
}

// placed is a problem at a node of a document.
func placed(file string, node *yaml.Node, nl, en string) Problem {
	if node == nil {
		return Problem{File: file, NL: nl, EN: en}
	}
	return Problem{File: file, Line: node.Line, Column: node.Column, NL: nl, EN: en}
}

// lineOf finds the line in a message of the YAML library.
var lineOf = regexp.MustCompile(`line ([0-9]+)`)

// unreadable is a file that is no YAML.
func unreadable(file string, err error) Problems {
	var all Problems
	texts := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var many *yaml.TypeError
	if errors.As(err, &many) {
		texts = many.Errors
	}
	for _, text := range texts[:min(len(texts), maxMistakes)] {
		p := Problem{File: file, Line: 1, Column: 1, NL: "dit is niet te lezen als YAML: " + text, EN: "this cannot be read as YAML: " + text}
		if found := lineOf.FindStringSubmatch(text); found != nil {
			p.Line, _ = strconv.Atoi(found[1]) // digits
		}
		all = append(all, p)
	}
	return all
}

// compileProblems gives the errors of OPA their places.
func compileProblems(file string, err error) Problems {
	var many ast.Errors
	if !errors.As(err, &many) {
		return Problems{{File: file, NL: err.Error(), EN: err.Error()}}
	}
	var all Problems
	for _, one := range many[:min(len(many), maxMistakes)] {
		p := Problem{File: file, NL: "de regels kloppen niet: " + one.Code + ": " + one.Message, EN: one.Code + ": " + one.Message}
		if one.Location != nil {
			p.File, p.Line, p.Column = one.Location.File, one.Location.Row, one.Location.Col
		}
		all = append(all, p)
	}
	all.sort()
	return all
}

// asProblems makes problems of any error of this package.
func asProblems(file string, err error) Problems {
	var all Problems
	if err == nil || errors.As(err, &all) {
		return all
	}
	text := strings.TrimPrefix(err.Error(), ErrRules.Error()+": ")
	return Problems{{File: file, NL: text, EN: text}}
}
