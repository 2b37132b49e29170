// Package native answers: what stands in a record of a source, and what of it is not
// known? It reads JSON and XML into one kind of tree, within bounds, and holds each
// record against the table of the members that its adapter reads.
package native

import (
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/money"
)

// Bounds of what a source may send. What passes them is refused as a whole.
const (
	mostDepth    = 32
	mostElements = 500_000
)

// Unclear is what Text gives where a member cannot be read one way: it is there twice, or
// is no text or number. No code, number or date reads so.
const Unclear = "?"

// Node is a value in what a source sent: a record, or a member of one. The zero Node is
// a member that is not there.
type Node struct {
	at adapters.Cursor
	v  *value
}

type kind int

const (
	scalar kind = iota // text, number or truth value
	object             // with members
	list               // of values; JSON only
	null
	tooDeep // and not read; JSON only
)

type value struct {
	kind    kind
	text    string
	json    bool // as opposed to XML
	number  bool // a JSON number
	truth   bool // true or false in JSON
	raw     []byte
	members []member // of an object in the order in which they stand; of a list without names
	attrs   map[string]string
}

type member struct {
	name string
	*value
}

// At is where the node stands.
func (n Node) At() adapters.Cursor { return n.at }

// In says where the node stands: the place of a page in an answer of several.
func (n Node) In(at adapters.Cursor) Node {
	n.at = at
	return n
}

// Raw is the node as the source sent it, byte for byte: a JSON value, or an XML element
// from its start tag to its end tag.
func (n Node) Raw() []byte {
	if n.v == nil {
		return nil
	}
	return n.v.raw
}

// Begin says that a native record begins with this node: pointers lead from here on.
func (n Node) Begin() Node {
	n.at = n.at.Begin(n.Raw())
	return n
}

// Has reports whether the node is there and is not null.
func (n Node) Has() bool { return n.v != nil && n.v.kind != null }

// Empty reports whether nothing is said here: it is absent, null, an empty text or list,
// an object without members, or false.
func (n Node) Empty() bool {
	switch {
	case !n.Has():
		return true
	case n.v.kind == scalar:
		return strings.TrimSpace(n.v.text) == "" || n.v.text == "false" && n.v.json
	}
	return len(n.v.members) == 0 && n.v.kind != tooDeep
}

// IsList reports whether the node is a list of JSON.
func (n Node) IsList() bool { return n.v != nil && n.v.kind == list }

// Name is the name of the node's member, or the local name of its element.
func (n Node) Name() string { return n.at.Path[strings.LastIndexByte(n.at.Path, '/')+1:] }

// Attr is an attribute of an XML element, by its local name; empty when there is none.
func (n Node) Attr(name string) string {
	if n.v == nil {
		return ""
	}
	return n.v.attrs[name]
}

// Get gives the member at a path such as Client/Bsn. It is the zero Node, with its place,
// when there is none, or when one on the way is there twice.
func (n Node) Get(path string) Node {
	found, _ := n.get(path)
	return found
}

func (n Node) get(path string) (found Node, clear bool) {
	found, clear = n, true
	for name := range strings.SplitSeq(path, "/") {
		if path == "" {
			break
		}
		var next *value
		if found.v != nil && found.v.kind == object {
			for _, m := range found.v.members {
				switch {
				case !strings.EqualFold(m.name, name):
				case next != nil || m.name != name:
					clear = false
				default:
					next = m.value
				}
			}
		} else if found.v != nil && found.v.kind != null {
			clear = false
		}
		found = Node{found.at.Field(name), next}
	}
	if !clear {
		found.v = nil
	}
	return found, clear
}

// All gives the values at a path whose last name may be there more than once: the items
// of a JSON list, or the XML elements of that name. Each has its number in its place.
func (n Node) All(path string) []Node {
	parent, name := n, path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parent, name = n.Get(path[:i]), path[i+1:]
	}
	if parent.v == nil {
		return nil
	}
	var found []Node
	at := parent.at.Field(name)
	for _, m := range parent.v.members {
		switch {
		case m.name != name || m.kind == null:
		case m.kind == list:
			for _, item := range m.members {
				found = append(found, Node{at.Item(len(found)), item.value})
			}
		default:
			found = append(found, Node{at.Item(len(found)), m.value})
		}
	}
	return found
}

// Members gives the members of an object, in the order in which they stand.
func (n Node) Members() []Node {
	if n.v == nil || n.v.kind != object {
		return nil
	}
	var found []Node
	for _, m := range n.v.members {
		found = append(found, Node{n.at.Field(m.name), m.value})
	}
	return found
}

// Text gives the text of a member without space around it, a JSON number as it is
// written; empty when it is absent or null, Unclear when it cannot be read one way.
func (n Node) Text(path string) string {
	found, clear := n.get(path)
	switch {
	case !clear:
		return Unclear
	case found.v == nil || found.v.kind == null:
		return ""
	case found.v.kind != scalar:
		return Unclear
	}
	return strings.TrimSpace(found.v.text)
}

// Word is Text for a member that is text wherever it is sound: a number or a truth value
// in JSON is Unclear.
func (n Node) Word(path string) string {
	if found := n.Get(path); found.v != nil && (found.v.number || found.v.truth) {
		return Unclear
	}
	return n.Text(path)
}

// Number gives a member as a number, with whether it was written as a JSON number:
// there the point is always decimal.
func (n Node) Number(path string) money.Number {
	found := n.Get(path)
	return money.Number{Text: n.Text(path), JSON: found.v != nil && found.v.number}
}

// Bad is the error that a member is not what it should be. It names where, and the rule.
func (n Node) Bad(path, rule string) error { return n.at.Field(path).Bad(rule) }

// Begun cuts an answer into records: the nodes at a path, each with its own pointers.
func (n Node) Begun(path string) []Node {
	found := n.All(path)
	for i := range found {
		found[i] = found[i].Begin()
	}
	return found
}

func tooMuch() error {
	return adapters.BadData("/", "at most "+strconv.Itoa(mostElements)+" elements, "+strconv.Itoa(mostDepth)+" deep")
}
