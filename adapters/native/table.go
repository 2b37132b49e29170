package native

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ontschot/ontschot/adapters"
)

// Table lists the members of one format of record, by their paths from the record on,
// such as Client/Bsn. A name that may be there more than once ends in [], as in
// beschikking/beschikteProducten[]/resultaat; in JSON it is then a list. A path that
// other paths go on from is an object; it need not be listed itself, and is when it may
// also be a bare value.
type Table struct {
	// Format is the name under which the format stands in the documentation.
	Format string
	// Read are the members that the adapter reads.
	Read []string
	// Ignored are those that it knows and does not read. One that ends in /* stands for
	// itself with all that is in it. In the table of a whole answer the records are
	// ignored so: each is held against a table of its own.
	Ignored []string
}

// rule is what a table says of one name.
type rule struct {
	leaf, whole, many bool
	under             map[string]*rule
}

func (t Table) rules() *rule {
	root := &rule{}
	for _, path := range slices.Concat(t.Read, t.Ignored) {
		at := root
		for name := range strings.SplitSeq(path, "/") {
			if name == "*" {
				at.whole = true
				break
			}
			name, many := strings.CutSuffix(name, "[]")
			if at.under == nil {
				at.under = map[string]*rule{}
			}
			if at.under[name] == nil {
				at.under[name] = &rule{}
			}
			at = at.under[name]
			at.many = at.many || many
		}
		at.leaf = at.leaf || !at.whole
	}
	return root
}

// Check holds a record, or an answer, against its table. It gives the places of members
// that the table does not have, and an error at the first that is there twice and may
// not, differs from another or from a known one in capitals alone, or is an object where
// a value belongs or the other way round.
func (t Table) Check(n Node) (unknown []Node, err error) {
	c := checking{}
	if !n.Has() || n.v.kind == list {
		return nil, n.at.Bad("an object")
	}
	err = c.node(n, t.rules())
	return c.unknown, err
}

type checking struct{ unknown []Node }

func (c *checking) node(n Node, r *rule) error {
	switch {
	case n.v.kind == null:
		return nil
	case n.v.kind == tooDeep:
		return n.at.Bad("at most " + strconv.Itoa(mostDepth) + " deep")
	case r.whole && r.many: // a record: it is held against a table of its own
		return nil
	case r.whole:
		return once(n)
	case n.v.kind == scalar && !r.leaf && (n.v.json || strings.TrimSpace(n.v.text) != ""):
		return n.at.Bad("members in it")
	case n.v.kind == list, n.v.kind == object && len(r.under) == 0:
		return n.at.Bad("a single value")
	}
	return c.members(n, r)
}

func (c *checking) members(n Node, r *rule) error {
	seen := map[string]string{} // names in small letters, as they were first written
	for _, m := range n.v.members {
		known, folded := r.under[m.name], strings.ToLower(m.name)
		if first, again := seen[folded]; again && (n.v.json || known == nil && r.has(folded) || known != nil && !known.many || first != m.name) {
			return n.at.Bad("each member once")
		}
		seen[folded] = m.name
		at := Node{n.at.Field(m.name), m.value}
		switch {
		case known != nil:
			if err := c.one(at, known); err != nil {
				return err
			}
		case r.has(folded):
			return n.at.Bad("names in the capitals of the format")
		default:
			c.unknown = append(c.unknown, at)
			if once(at) != nil {
				return n.at.Bad("each member once, at most " + strconv.Itoa(mostDepth) + " deep")
			}
		}
	}
	return nil
}

// has reports whether a name in small letters is that of a known member.
func (r *rule) has(folded string) bool {
	for name := range r.under {
		if strings.ToLower(name) == folded {
			return true
		}
	}
	return false
}

// one holds a known member against its rule, each item of a list by itself.
func (c *checking) one(n Node, r *rule) error {
	if !r.many {
		return c.node(n, r)
	}
	switch {
	case n.v.kind == null:
		return nil
	case n.v.json && n.v.kind != list:
		return n.at.Bad("a list")
	case n.v.kind != list:
		return c.node(n, r)
	}
	for i, item := range n.v.members {
		if err := c.node(Node{n.at.Item(i), item.value}, r); err != nil {
			return err
		}
	}
	return nil
}

// once refuses JSON in which a member is there twice, at whatever depth. What is not
// read may be repeated in XML: there a list looks so.
func once(n Node) error {
	if !n.v.json {
		return nil
	}
	if n.v.kind == tooDeep {
		return n.at.Bad("at most " + strconv.Itoa(mostDepth) + " deep")
	}
	seen := map[string]bool{}
	for _, m := range n.v.members {
		if folded := strings.ToLower(m.name); n.v.kind == object {
			if seen[folded] {
				return n.at.Bad("each member once")
			}
			seen[folded] = true
		}
		if err := once(Node{n.at, m.value}); err != nil {
			return err
		}
	}
	return nil
}

// Reader reads records of one format, each by itself.
type Reader struct {
	Table Table
	// Law gives the law of a record; empty when it is not known. It may be an odd one.
	Law func(n Node) string
	// Days gives the days of each right in a record, as far as they can be read; none for
	// a record of somebody else. It may be an odd one.
	Days func(n Node) []adapters.Days
	// Read writes what a sound record holds. It writes nothing when it gives an error.
	Read func(n Node) error
}

// All reads the records. One that is odd is skipped, with a notice, and a gap unless all
// its days lie outside (adapters.Writer.Odd); what is not known in one is noticed.
func (r Reader) All(records []Node, out *adapters.Writer) error {
	for _, n := range records {
		unknown, err := r.Table.Check(n)
		for _, u := range unknown {
			out.Unknown(r.Law(n), u.Name(), n.At()) // its own place would be its name
		}
		if err == nil {
			err = r.Read(n)
		}
		if err = out.Odd(err, r.Law(n), r.Days(n)...); err != nil {
			return err
		}
	}
	return nil
}
