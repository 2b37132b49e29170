package impact

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// dimension is one thing in which two questions can differ, and the values it can have.
type dimension struct {
	name   string
	values []value
	// control is which of the controls this is, none for most: by its value the values of
	// others mean something or not.
	control int
	order   set // the values that are in order: with them alone nothing is denied for this
	best    set // of those the one that says so most plainly
}

// value of a dimension. Name is how the certificate and the texts know it.
type value struct {
	name string
	text string // as it stands in the input; the name where it is empty
}

func (v value) written() string { return cmp.Or(v.text, v.name) }

// none is the control of a dimension that controls nothing.
const none = -1

// maxControls is how many dimensions of a domain control others.
const maxControls = 3

// controls are the values of the dimensions that control others, as far as they are known:
// zero is not known yet.
type controls [maxControls]int8

func (c controls) with(control, value int) controls {
	if control != none {
		c[control] = int8(value + 1)
	}
	return c
}

func (c controls) key(to []byte) []byte {
	for _, v := range c {
		to = append(to, byte(v))
	}
	return to
}

// path is what stands at one place of the input: on which dimensions it depends.
type path struct {
	name string
	dims []string
}

// domain is all that can be asked at one kind of door: the dimensions in the order in which
// they are looked at, and how a combination is written as an input.
type domain struct {
	dims []dimension
	at   map[string]int // place of a dimension, by its name
	// permit gives the values that a dimension can have beside those of the controls.
	permit func(level int, c controls) set
	paths  []path
	// document writes a combination; what is not there stands in no member.
	document func(point []int) map[string]any
	cells    []box // what each cell of the tables is about, for who draws combinations
	head     int   // how many dimensions, from the first on, say what a combination is about
}

// near keeps what the cells of the tables are about.
func (d *domain) near(cells []Part) {
	for _, cell := range cells {
		b := d.whole()
		if _, here := cell[d.dims[0].name]; !here {
			continue // a cell of the other domain
		}
		for name, values := range cell {
			if level, ok := d.at[name]; ok {
				b[level] = d.only(name, append(values, notThere)...)
			}
		}
		d.cells = append(d.cells, b)
	}
}

func (d *domain) index() error {
	d.at = map[string]int{}
	for i, dim := range d.dims {
		if len(dim.values) > maxValues || len(dim.values) == 0 {
			return fmt.Errorf("%w: %d values of %s, and at most %d can be compared", ErrFactor, len(dim.values), dim.name, maxValues)
		}
		d.at[dim.name] = i
	}
	return nil
}

func (d *domain) start() controls { return controls{} }

// all are the values of a dimension.
func (d *domain) all(level int) set { return set(1)<<len(d.dims[level].values) - 1 }

// allowed are the values a dimension can have, by what is known of the controls.
func (d *domain) allowed(level int, c controls) set { return d.permit(level, c) & d.all(level) }

// somewhere is a combination to begin with; a place that means nothing beside the others is
// put right before it is written.
func (d *domain) somewhere() []int { return make([]int, len(d.dims)) }

// levels are the places of dimensions by their names, in order.
func (d *domain) levels(names []string) []int {
	var all []int
	for _, name := range names {
		if !slices.Contains(all, d.at[name]) {
			all = append(all, d.at[name])
		}
	}
	slices.Sort(all)
	return all
}

// touching are the dimensions that what stands at a place of the input depends on: of the
// place itself, of what it lies in, and of all that lies in it. For its type alone, what it
// lies in and itself are enough.
func (d *domain) touching(place string, typeOnly bool) []int {
	var names []string
	for _, p := range d.paths {
		within := p.name == place || strings.HasPrefix(place, p.name+".")
		if within || !typeOnly && (strings.HasPrefix(p.name, place+".") || place == "") {
			names = append(names, p.dims...)
		}
	}
	return d.levels(names)
}

// counted is the number of combinations in a box.
func (d *domain) counted(b box) uint64 {
	var down func(level int, c controls) uint64
	down = func(level int, c controls) uint64 {
		product := uint64(1)
		for ; level < len(d.dims); level++ {
			inside := b[level] & d.allowed(level, c)
			if d.dims[level].control == none {
				product *= uint64(inside.size())
				continue
			}
			sum := uint64(0)
			inside.each(func(i int) { sum += down(level+1, c.with(d.dims[level].control, i)) })
			return product * sum
		}
		return product
	}
	return down(0, d.start())
}

// whole is the box that holds everything.
func (d *domain) whole() box {
	b := make(box, len(d.dims))
	for i := range b {
		b[i] = d.all(i)
	}
	return b
}

// is reports which value a dimension has.
func (d *domain) is(point []int, name string) string {
	level := d.at[name]
	return d.dims[level].values[point[level]].name
}

// text is what stands in the input for a dimension.
func (d *domain) text(point []int, name string) string {
	level := d.at[name]
	return d.dims[level].values[point[level]].written()
}

// only is the set of the values of a dimension with these names.
func (d *domain) only(name string, values ...string) set {
	var s set
	for i, v := range d.dims[d.at[name]].values {
		if slices.Contains(values, v.name) {
			s |= 1 << i
		}
	}
	return s
}

// place takes what stands at a place of a document.
func place(document any, steps []string) (any, bool) {
	for _, step := range steps {
		object, ok := document.(map[string]any)
		if !ok {
			return nil, false
		}
		if document, ok = object[step]; !ok {
			return nil, false
		}
	}
	return document, true
}

// words is a list of values, sorted, each once.
func words(lists ...[]string) []value {
	all := slices.Concat(lists...)
	slices.Sort(all)
	var out []value
	for _, word := range slices.Compact(all) {
		out = append(out, value{name: word})
	}
	return out
}

// member gives an object of a table; nil when it is none.
func member(table any, steps ...string) map[string]any {
	found, _ := place(table, steps)
	object, _ := found.(map[string]any)
	return object
}

// keys are the names of an object's members, sorted.
func keys(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

// texts are the texts of a list.
func texts(list any) []string {
	var all []string
	items, _ := list.([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			all = append(all, text)
		}
	}
	return all
}
