package mapping

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ontschot/ontschot/adapters"
)

// Bounds of a mapping's text.
const (
	mostText     = 256 << 10
	mostNodes    = 20_000
	mostNesting  = 24
	mostProblems = 50
)

// Problem is one thing that is wrong with a mapping, and where. It quotes keys of the
// mapping and never a record.
type Problem struct {
	Line, Column int    // from 1; 0 when it is of no one place
	Path         string // of the key, such as fields.amount.cents
	NL, EN       string
}

// Problems are all that is wrong with a mapping, in the order of their places.
type Problems []Problem

// Error lists the problems, each as line:column, path and what is wrong, in English.
func (p Problems) Error() string {
	var all []string
	for _, one := range p {
		all = append(all, one.String())
	}
	return strings.Join(all, "\n")
}

// String is line:column: path: what is wrong, in English.
func (p Problem) String() string { return fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.Path, p.EN) }

// config is the problem as a finding on a configuration.
func (p Problem) config() error {
	where := fmt.Sprintf("%d:%d: ", p.Line, p.Column)
	return &adapters.ConfigError{Path: strings.TrimSuffix("mapping."+p.Path, "."), NL: where + p.NL, EN: where + p.EN}
}

// document is the YAML of a mapping, and what was found wrong with it.
type document struct {
	problems Problems
	nodes    int
}

func (d *document) say(at *yaml.Node, path, nl, en string) {
	if len(d.problems) < mostProblems {
		d.problems = append(d.problems, Problem{at.Line, at.Column, path, nl, en})
	}
}

// failed gives what is wrong, in order; nil when nothing is.
func (d *document) failed() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return (a.Line-b.Line)*10_000 + a.Column - b.Column
	})
	return d.problems
}

// open reads YAML into the section of its root.
func (d *document) open(raw []byte) *Section {
	var root yaml.Node
	top := &yaml.Node{Line: 1, Column: 1}
	if len(raw) > mostText {
		d.say(top, "", "te groot: ten hoogste 256 KiB", "too large: at most 256 KiB")
		return nil
	}
	if err := yaml.Unmarshal(raw, &root); err != nil {
		d.say(&yaml.Node{Line: lineOf(err), Column: 1}, "", "geen geldige YAML", "no valid YAML")
		return nil
	}
	if len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		d.say(top, "", "sleutels en waarden nodig", "keys and values are needed")
		return nil
	}
	if !d.plain(root.Content[0], "", 0) {
		return nil
	}
	return &Section{doc: d, node: root.Content[0]}
}

// lineOf reads the line out of an error of the YAML library, which quotes the text.
func lineOf(err error) int {
	found := regexp.MustCompile(`line (\d+)`).FindStringSubmatch(err.Error())
	if found == nil {
		return 1
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

// plain refuses what makes YAML say other things than stand there: references to another
// place, tags, keys that are there twice; and what is too much.
func (d *document) plain(n *yaml.Node, path string, depth int) bool {
	if d.nodes++; d.nodes > mostNodes || depth > mostNesting {
		d.say(n, path, "te veel of te diep", "too much, or too deep")
		return false
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		d.say(n, path, "geen ankers, verwijzingen of tags", "no anchors, references or tags")
		return false
	}
	seen := map[string]bool{}
	sound := true
	for i, child := range n.Content {
		under := path
		if n.Kind == yaml.MappingNode {
			key := n.Content[i-i%2]
			under = join(path, key.Value)
			if i%2 == 0 {
				if key.Kind != yaml.ScalarNode || seen[key.Value] {
					d.say(key, under, "sleutel staat er twee keer", "key is there twice")
					sound = false
				}
				seen[key.Value] = true
			}
		}
		sound = d.plain(child, under, depth+1) && sound
	}
	return sound
}

func join(path, key string) string {
	key = key[:min(len(key), 64)]
	if path == "" {
		return key
	}
	return path + "." + key
}

// asProblems takes the problems out of an error.
func asProblems(err error) Problems {
	var all Problems
	errors.As(err, &all)
	return all
}
