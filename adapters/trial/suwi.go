package trial

import (
	"bytes"
	_ "embed" // what is published of SuwiML
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed suwi.txt
var listed string

// Suwi is what is published of SuwiML: of each element, by its path, what may stand in it.
// The first pattern is of its children, in order, and is empty where it has none; the others
// are of its text. Not all that an adapter says and reads is published: Assumed are the
// names of those elements, which are left out.
type Suwi struct {
	patterns map[string][]string
	used     map[string]bool
	// Same says which published root stands for one of which the schema is not published.
	Same map[string]string
	// Assumed lists elements that no published schema has.
	Assumed []string
}

// NewSuwi gives what suwi.txt lists: names, order and how often. Where the schemas themselves
// are at hand it must say what they say, and texts are held against them too
// (ONTSCHOT_STANDARDS names the folder that holds suwi/).
func NewSuwi(t testing.TB, same map[string]string, assumed ...string) *Suwi {
	t.Helper()
	s := &Suwi{patterns: map[string][]string{}, used: map[string]bool{}, Same: same, Assumed: assumed}
	for line := range strings.Lines(listed) {
		path, children, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		s.patterns[path] = []string{children}
	}
	folder := os.Getenv("ONTSCHOT_STANDARDS")
	if folder == "" {
		return s
	}
	published := map[string][]string{}
	for file, root := range map[string]string{
		"UWVDossierInkomstenGSD/v0200-b02/BodyAction.xsd": "UWVPersoonsIkvInfo",
		"SVBDossierPersoonGSD/v0200-b01/BodyAction.xsd":   "SVBPersoonsInfo",
		"SVBDossierPersoonGSD/v0200-b01/BodyReaction.xsd": "SVBPersoonsInfoResponse",
	} {
		of := &schemas{t: t, types: map[string]node{}, elements: map[string]node{}, seen: map[string]bool{}, patterns: published}
		of.load(filepath.Join(folder, "suwi", "Diensten", file))
		of.element("suwi:"+root, of.elements[root])
	}
	for path, patterns := range s.patterns {
		require.NotEmpty(t, published[path], path)
		require.Equal(t, published[path][0], patterns[0], path)
	}
	s.patterns = published
	return s
}

// Used fails the test when something is listed that no message held by now has.
func (s *Suwi) Used(t testing.TB) {
	t.Helper()
	for line := range strings.Lines(listed) {
		path, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		require.True(t, s.used[path], "%s is listed and no message has it", path)
	}
}

// part is an element of a message; its name has a prefix in the namespaces that count.
type part struct {
	name, text string
	children   []*part
}

// Hold fails the test when what is in the body of a message is not as published.
func (s *Suwi) Hold(t testing.TB, raw []byte) {
	t.Helper()
	envelope := parts(t, raw)
	i := slices.IndexFunc(envelope.children, func(p *part) bool { return p.name == "Body" })
	require.GreaterOrEqual(t, i, 0, "a body")
	require.Len(t, envelope.children[i].children, 1)
	root := envelope.children[i].children[0]
	if same := s.Same[root.name]; same != "" {
		root.name = same
	}
	s.hold(t, root.name, root)
}

func (s *Suwi) hold(t testing.TB, path string, p *part) {
	t.Helper()
	require.NotEmpty(t, s.patterns[path], "%s is not in the published schema", path)
	s.used[path] = true
	names := ""
	for _, child := range p.children {
		if slices.Contains(s.Assumed, child.name) {
			continue
		}
		names += "<" + child.name + ">"
		s.hold(t, path+"/"+child.name, child)
	}
	require.Regexp(t, "^"+s.patterns[path][0]+"$", names, path)
	for _, pattern := range s.patterns[path][1:] {
		require.Regexp(t, "^(?:"+pattern+")$", p.text, path)
	}
	if len(p.children) > 0 {
		require.Empty(t, strings.TrimSpace(p.text), path)
	}
}

// parts reads a message. Elements of the body are in the namespace of a service, in that of
// the results of the infrastructure, or in none.
func parts(t testing.TB, raw []byte) *part {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(raw))
	stack := []*part{{}}
	for {
		token, err := d.Token()
		if err != nil {
			require.Len(t, stack, 1)
			require.Len(t, stack[0].children, 1)
			return stack[0].children[0]
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.CharData:
			top.text += string(token)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.StartElement:
			one := &part{name: token.Name.Local}
			switch {
			case token.Name.Space == "http://bkwi.nl/SuwiML/FWI/v0205":
				one.name = "fwi:" + one.name
			case strings.HasPrefix(token.Name.Space, "http://bkwi.nl/SuwiML/Diensten/"):
				one.name = "suwi:" + one.name
			}
			top.children = append(top.children, one)
			stack = append(stack, one)
		}
	}
}

// node is an element of a schema.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []node     `xml:",any"`
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// schemas are the types and elements of a schema and of those that it brings in, by name.
type schemas struct {
	t               testing.TB
	types, elements map[string]node
	seen            map[string]bool
	patterns        map[string][]string
}

func (s *schemas) load(file string) {
	if s.seen[file] {
		return
	}
	s.seen[file] = true
	raw, err := os.ReadFile(file)
	require.NoError(s.t, err)
	var root node
	require.NoError(s.t, xml.Unmarshal(raw, &root))
	for _, n := range root.Nodes {
		switch n.XMLName.Local {
		case "include", "import":
			s.load(filepath.Join(filepath.Dir(file), n.attr("schemaLocation")))
		case "simpleType", "complexType":
			s.types[n.attr("name")] = n
		case "element":
			s.elements[n.attr("name")] = n
		}
	}
}

// content is the pattern of a particle, and writes what is in its elements.
func (s *schemas) content(path string, n node) string {
	pattern := ""
	switch n.XMLName.Local {
	case "sequence", "choice":
		var parts []string
		for _, child := range n.Nodes {
			parts = append(parts, s.content(path, child))
		}
		pattern = "(?:" + strings.Join(parts, map[string]string{"sequence": "", "choice": "|"}[n.XMLName.Local]) + ")"
	case "element":
		name, of := n.attr("name"), n
		if ref := n.attr("ref"); ref != "" {
			name, of = ref, s.elements[strings.TrimPrefix(ref, "fwi:")]
		}
		s.element(path+"/"+name, of)
		pattern = "<" + name + ">"
	default:
		require.Fail(s.t, "a particle that is not read", n.XMLName.Local)
	}
	many := map[[2]string]string{{"", ""}: "", {"0", ""}: "?", {"", "unbounded"}: "+", {"0", "unbounded"}: "*"}
	suffix, known := many[[2]string{n.attr("minOccurs"), n.attr("maxOccurs")}]
	require.True(s.t, known, path)
	if suffix != "" {
		pattern = "(?:" + pattern + ")" + suffix
	}
	return pattern
}

// element writes what an element of the schema may hold.
func (s *schemas) element(path string, n node) {
	of := n
	if kind := n.attr("type"); kind != "" {
		of = s.types[kind[strings.IndexByte(kind, ':')+1:]]
	} else if len(n.Nodes) > 0 {
		i := slices.IndexFunc(n.Nodes, func(n node) bool { return strings.HasSuffix(n.XMLName.Local, "Type") })
		of = n.Nodes[i]
	}
	if of.XMLName.Local == "complexType" {
		for _, particle := range of.Nodes {
			s.patterns[path] = []string{s.content(path, particle)}
		}
		return
	}
	s.patterns[path] = []string{""}
	if of.XMLName.Local == "simpleType" {
		s.patterns[path] = append(s.patterns[path], s.facets(of)...)
	}
}

// facets are the patterns of a simple type.
func (s *schemas) facets(of node) (all []string) {
	var listed []string
	for _, restriction := range of.Nodes {
		for _, f := range restriction.Nodes {
			v := f.attr("value")
			switch f.XMLName.Local {
			case "length":
				all = append(all, ".{"+v+"}")
			case "maxLength":
				all = append(all, ".{0,"+v+"}")
			case "pattern":
				all = append(all, v)
			case "totalDigits":
				all = append(all, "[0-9]{0,"+v+"}")
			case "enumeration":
				listed = append(listed, v)
			case "minInclusive", "maxInclusive": // with totalDigits: not below zero, and no more digits
			default:
				require.Fail(s.t, "a facet that is not read", f.XMLName.Local)
			}
		}
	}
	if listed != nil {
		all = append(all, strings.Join(listed, "|"))
	}
	return all
}
