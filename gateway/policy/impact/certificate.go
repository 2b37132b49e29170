package impact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Contract is the version of the form of a certificate.
const Contract = "ontschot.policy-diff/1"

// Certificate is what a comparison came to. It holds no time and no path, and a second run
// gives the same bytes.
type Certificate struct {
	Contract string `json:"contract"`
	Parent   string `json:"parent"`
	Revision string `json:"revision"`
	// Domains are what was compared: requests for data, and doors.
	Domains []Domain `json:"domains"`
	// Combinations of all domains, and how many of them change, by kind.
	Combinations uint64            `json:"combinations"`
	Changed      uint64            `json:"changed"`
	Kinds        map[string]uint64 `json:"kinds"`
	// Evaluations is how often OPA was asked to find this out.
	Evaluations int         `json:"evaluations"`
	Groups      []Group     `json:"changes"`
	Invariants  []Invariant `json:"invariants"`
	// SHA256 is that of the JSON of all this, with this member empty.
	SHA256 string `json:"sha256"`
}

// Domain is all that can be asked: each dimension with its values, first to last.
type Domain struct {
	Name         string      `json:"name"` // requests or doors
	Query        string      `json:"query"`
	Dimensions   []Dimension `json:"dimensions"`
	Combinations uint64      `json:"combinations"`
	Changed      uint64      `json:"changed"`
	Evaluations  int         `json:"evaluations"`
	Checked      Checked     `json:"checked"`
}

// Dimension is one thing in which two questions can differ. A value "-" means that there is
// nothing that could have one: a day of a consent that is not there.
type Dimension struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Part is a part of a domain: of some dimensions these values, of all others any.
type Part map[string][]string

// Group is combinations that change in the same way under the same conditions. Each lies in
// exactly one of Where and in exactly one of Boxes.
type Group struct {
	Domain string `json:"domain"`
	Change
	Where []Part `json:"where"`
	Boxes []Part `json:"boxes"`
	// For is which values occur in Boxes, of the dimensions in which not all do, nor just
	// all that are in order. It is there to be read.
	For          Part    `json:"for"`
	Combinations uint64  `json:"combinations"`
	Witness      Witness `json:"witness"`
}

// Witness is one combination of a group, and what both revisions answer to it: what stock
// OPA answers, too.
type Witness struct {
	Query    string          `json:"query"`
	Input    map[string]any  `json:"input"`
	Parent   json.RawMessage `json:"parent"`
	Revision json.RawMessage `json:"revision"`
}

// add writes what one domain came to.
func (c *Certificate) add(ctx context.Context, p *comparison, found differences, held []Invariant, checked Checked) error {
	d := Domain{Name: p.name, Query: p.rule, Combinations: p.domain.counted(p.domain.whole()), Evaluations: p.evaluations}
	for _, dim := range p.domain.dims {
		one := Dimension{Name: dim.name}
		for _, v := range dim.values {
			one.Values = append(one.Values, v.name)
		}
		d.Dimensions = append(d.Dimensions, one)
	}
	if c.Kinds == nil {
		c.Kinds = map[string]uint64{}
		for _, kind := range Kinds() {
			c.Kinds[kind] = 0
		}
	}
	counted := uint64(0)
	for change, n := range p.count(found.node, 0, p.domain.start()) {
		if change != 0 {
			counted += n
		}
	}
	for _, g := range p.groups(found) {
		out, err := p.written(ctx, g)
		if err != nil {
			return err
		}
		checked.Witnesses++
		c.Groups = append(c.Groups, out)
		d.Changed += g.count
		c.Kinds[g.change.Kind] += g.count
	}
	if d.Changed != counted {
		return fmt.Errorf("%w: %s: groups of %d combinations, of %d that change", ErrDisagree, p.name, d.Changed, counted)
	}
	d.Checked = checked
	c.Domains = append(c.Domains, d)
	c.Combinations += d.Combinations
	c.Changed += d.Changed
	c.Evaluations += d.Evaluations
	for _, one := range held {
		c.hold(one)
	}
	return nil
}

// hold puts an invariant of two domains together.
func (c *Certificate) hold(i Invariant) {
	at := slices.IndexFunc(c.Invariants, func(known Invariant) bool { return known.Name == i.Name })
	if at < 0 {
		c.Invariants = append(c.Invariants, i)
		return
	}
	c.Invariants[at].Holds = c.Invariants[at].Holds && i.Holds
	c.Invariants[at].Broken = append(c.Invariants[at].Broken, i.Broken...)
}

// written is a group as the certificate has it. Its witness is asked of both engines.
func (p *comparison) written(ctx context.Context, g group) (Group, error) {
	out := Group{Domain: p.name, Change: g.change, Combinations: g.count}
	for _, about := range g.where {
		out.Where = append(out.Where, p.domain.part(about, 0))
	}
	for _, b := range g.boxes {
		out.Boxes = append(out.Boxes, p.domain.part(b[p.domain.head:], p.domain.head))
	}
	out.For = p.domain.summary(g.boxes)
	point := p.plainest(g)
	if point == nil {
		return Group{}, fmt.Errorf("%w: a group without a combination", ErrDisagree)
	}
	out.Witness = Witness{Query: p.rule, Input: p.domain.document(point)}
	for i, to := range []*json.RawMessage{&out.Witness.Parent, &out.Witness.Revision} {
		said := p.whole(ctx, i, point)
		if !same(said, p.joined(i, point)) {
			return Group{}, fmt.Errorf("%w: %s for %v", ErrDisagree, p.rule, out.Witness.Input)
		}
		*to = json.RawMessage("null")
		if said == nil {
			continue
		}
		plain, err := ast.JSON(said)
		if err != nil {
			return Group{}, err
		}
		if *to, err = json.Marshal(plain); err != nil {
			return Group{}, err
		}
	}
	return out, nil
}

// part names what a box says, from a dimension on; one that has all its values is left out.
func (d *domain) part(b box, from int) Part {
	out := Part{}
	for i, s := range b {
		if s == d.all(from+i) {
			continue
		}
		dim := d.dims[from+i]
		s.each(func(k int) { out[dim.name] = append(out[dim.name], dim.values[k].name) })
	}
	return out
}

// plainest is a combination of a group in which as much as can be is in order.
func (p *comparison) plainest(g group) []int {
	var best []int
	most := -1
	g.each(func(b box) {
		point, n := p.domain.witness(b), 0
		for i := range point {
			if p.domain.dims[i].best.has(point[i]) {
				n++
			}
		}
		if point != nil && n > most {
			best, most = point, n
		}
	})
	return best
}

// summary is which values occur in boxes, without what goes without saying.
func (d *domain) summary(boxes []box) Part {
	union := make(box, len(d.dims))
	for _, b := range boxes {
		for i, s := range b {
			union[i] |= s
		}
	}
	for i, s := range union {
		if s|d.dims[i].order&1 == d.dims[i].order { // what is not there goes with all that is in order
			union[i] = d.all(i)
		}
	}
	return d.part(union[d.head:], d.head)
}

// Holds reports whether every invariant holds.
func (c *Certificate) Holds() bool {
	return !slices.ContainsFunc(c.Invariants, func(i Invariant) bool { return !i.Holds })
}

// seal writes the hash.
func (c *Certificate) seal() error {
	c.SHA256 = ""
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	c.SHA256 = hex.EncodeToString(sum[:])
	return nil
}

// JSON is the certificate as a file has it.
func (c *Certificate) JSON() ([]byte, error) {
	raw, err := json.MarshalIndent(c, "", " ")
	return append(raw, '\n'), err
}
