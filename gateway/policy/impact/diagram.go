package impact

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// set is a set of values of one dimension, by their place.
type set uint64

// maxValues bounds how many values a dimension has: a set is one word.
const maxValues = 64

func (s set) has(i int) bool { return s&(1<<i) != 0 }
func (s set) size() int      { return bits.OnesCount64(uint64(s)) }
func (s set) first() int     { return bits.TrailingZeros64(uint64(s)) }

// each visits the values in their order.
func (s set) each(visit func(i int)) {
	for ; s != 0; s &= s - 1 {
		visit(s.first())
	}
}

// node is a function of a combination: below zero a value, the same for every combination;
// else a place in diagrams.nodes. Equal functions are, but for what lies outside the domain,
// the same node.
type node int32

// leaf is the node that is one value everywhere.
func leaf(value int32) node { return node(-value - 1) }

func (n node) isLeaf() bool { return n < 0 }
func (n node) value() int32 { return int32(-n - 1) }

// branch is a function that depends on a dimension: one node for each of its values.
type branch struct {
	level int
	child []node
}

// diagrams holds functions over one domain as decision diagrams: a tree that asks the
// dimensions in their order, in which equal parts are one part. What is the same for many
// combinations is there once, so that combinations are counted and never gone through.
type diagrams struct {
	domain *domain
	nodes  []branch
	known  map[string]node
	steps  int
}

// maxSteps bounds the work of one comparison, and its memory.
const maxSteps = 30_000_000

func newDiagrams(d *domain) *diagrams { return &diagrams{domain: d, known: map[string]node{}} }

func (g *diagrams) level(n node) int {
	if n.isLeaf() {
		return len(g.domain.dims)
	}
	return g.nodes[n].level
}

// make gives the node with these children; where all that can be are one, that one.
func (g *diagrams) make(level int, child []node, allowed set) node {
	first, same := child[allowed.first()], true
	for i := range child {
		if !allowed.has(i) {
			child[i] = first // outside the domain: nobody looks
		}
		same = same && child[i] == first
	}
	if same {
		return first
	}
	key := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+4*len(child)), uint32(level))
	key = appendNodes(key, child)
	if n, ok := g.known[string(key)]; ok {
		return n
	}
	n := node(len(g.nodes))
	g.nodes, g.known[string(key)] = append(g.nodes, branch{level, child}), n
	return n
}

func appendNodes(to []byte, all []node) []byte {
	for _, n := range all {
		to = binary.LittleEndian.AppendUint32(to, uint32(n))
	}
	return to
}

// at is what a function is where this dimension has this value.
func (g *diagrams) at(n node, level, value int) node {
	if n.isLeaf() || g.nodes[n].level != level {
		return n
	}
	return g.nodes[n].child[value]
}

// of is the value of a function for one combination.
func (g *diagrams) of(n node, point []int) int32 {
	for !n.isLeaf() {
		n = g.nodes[n].child[point[g.nodes[n].level]]
	}
	return n.value()
}

// join gives the function whose value is that of combine for the values of others. Combine
// is asked for what does occur only, and once for each. A short cut, where there is one, may
// answer for functions before their values are known.
type join struct {
	g        *diagrams
	combine  func(values []int32) (int32, error)
	shortcut func(args []node) (node, bool) // nil: none
	within   []set                          // the part of the domain that counts; nil: all of it
	memo     map[string]node
}

func (g *diagrams) join(args []node, combine func([]int32) (int32, error)) (node, error) {
	j := join{g: g, combine: combine, memo: map[string]node{}}
	return j.run(args, g.domain.start())
}

func (j *join) run(args []node, c controls) (node, error) {
	if j.shortcut != nil {
		if n, ok := j.shortcut(args); ok {
			return n, nil
		}
	}
	level := len(j.g.domain.dims)
	for _, n := range args {
		level = min(level, j.g.level(n))
	}
	if level == len(j.g.domain.dims) {
		values := make([]int32, len(args))
		for i, n := range args {
			values[i] = n.value()
		}
		v, err := j.combine(values)
		return leaf(v), err
	}
	key := appendNodes(c.key(make([]byte, 0, 8+4*len(args))), args)
	if n, ok := j.memo[string(key)]; ok {
		return n, nil
	}
	if j.g.steps++; j.g.steps > maxSteps {
		return 0, errTooMuch
	}
	allowed := j.g.domain.allowed(level, c)
	if j.within != nil {
		allowed &= j.within[level]
	}
	if allowed == 0 {
		return j.memoise(key, leaf(undefined)), nil // nothing of the part is here
	}
	child := make([]node, len(j.g.domain.dims[level].values))
	for i := range child {
		if !allowed.has(i) {
			continue
		}
		below := slices.Clone(args)
		for k, n := range below {
			below[k] = j.g.at(n, level, i)
		}
		var err error
		if child[i], err = j.run(below, c.with(j.g.domain.dims[level].control, i)); err != nil {
			return 0, err
		}
	}
	return j.memoise(key, j.g.make(level, child, allowed)), nil
}

func (j *join) memoise(key []byte, n node) node {
	j.memo[string(key)] = n
	return n
}

// of a single path: tabulate makes the function that depends on these dimensions alone, by
// asking what it is for each of their combinations.
func (g *diagrams) tabulate(levels []int, value func(point []int) int32) node {
	point := g.domain.somewhere()
	var down func(at int, c controls) node
	down = func(at int, c controls) node {
		if at == len(levels) {
			return leaf(value(point))
		}
		level := levels[at]
		allowed := g.domain.allowed(level, c)
		child := make([]node, len(g.domain.dims[level].values))
		allowed.each(func(i int) {
			point[level] = i
			child[i] = down(at+1, c.with(g.domain.dims[level].control, i))
		})
		return g.make(level, child, allowed)
	}
	return down(0, g.domain.start())
}

// counter counts the combinations in which a function has each value.
type counter struct {
	g    *diagrams
	memo map[string]map[int32]uint64
}

// count counts, from a level on, with what is known of the dimensions before it.
func (g *diagrams) count(n node, level int, c controls) map[int32]uint64 {
	return (&counter{g, map[string]map[int32]uint64{}}).from(n, level, c)
}

func (k *counter) from(n node, level int, c controls) map[int32]uint64 {
	if level == len(k.g.domain.dims) {
		return map[int32]uint64{n.value(): 1}
	}
	key := appendNodes(c.key(make([]byte, 0, 16)), []node{n, node(level)})
	if known, ok := k.memo[string(key)]; ok {
		return known
	}
	sum := map[int32]uint64{}
	d := k.g.domain.dims[level]
	allowed := k.g.domain.allowed(level, c)
	if d.control == none && k.g.level(n) > level { // it makes no difference: once is enough
		for v, times := range k.from(n, level+1, c) {
			sum[v] += times * uint64(allowed.size())
		}
	} else {
		allowed.each(func(i int) {
			for v, times := range k.from(k.g.at(n, level, i), level+1, c.with(d.control, i)) {
				sum[v] += times
			}
		})
	}
	k.memo[string(key)] = sum
	return sum
}

// find gives a combination within a part of the domain in which a function has a value that
// is looked for; nil when there is none.
func (g *diagrams) find(n node, within []set, wanted func(value int32) bool) []int {
	point, dead := g.domain.somewhere(), map[string]bool{}
	var down func(n node, level int, c controls) bool
	down = func(n node, level int, c controls) bool {
		if level == len(g.domain.dims) {
			return wanted(n.value())
		}
		key := string(appendNodes(c.key(nil), []node{n, node(level)}))
		if dead[key] {
			return false
		}
		allowed := g.domain.allowed(level, c) & within[level]
		for i := 0; i < len(g.domain.dims[level].values); i++ {
			if !allowed.has(i) {
				continue
			}
			point[level] = i
			if down(g.at(n, level, i), level+1, c.with(g.domain.dims[level].control, i)) {
				return true
			}
			if g.domain.dims[level].control == none && g.level(n) > level {
				break // the others are no different
			}
		}
		dead[key] = true
		return false
	}
	if down(n, 0, g.domain.start()) {
		return point
	}
	return nil
}

// box is a part of the domain: of some dimensions these values, of the others all.
type box []set

// boxes cuts the domain into boxes by the value of a function, so that each combination lies
// in exactly one.
func (g *diagrams) boxes(n node) map[int32][]box {
	into := map[int32][]box{}
	at := make(box, len(g.domain.dims))
	for i := range at {
		at[i] = g.domain.all(i)
	}
	var down func(n node, c controls)
	down = func(n node, c controls) {
		if n.isLeaf() {
			into[n.value()] = append(into[n.value()], slices.Clone(at))
			return
		}
		b := g.nodes[n]
		allowed, whole := g.domain.allowed(b.level, c), at[b.level]
		controls := g.domain.dims[b.level].control != none
		for allowed != 0 {
			first := allowed.first()
			same := set(1) << first
			if !controls { // what one that controls others has beside it differs
				allowed.each(func(i int) {
					if b.child[i] == b.child[first] {
						same |= 1 << i
					}
				})
			}
			allowed &^= same
			at[b.level] = same
			down(b.child[first], c.with(g.domain.dims[b.level].control, first))
		}
		at[b.level] = whole
	}
	down(n, g.domain.start())
	for v, list := range into {
		into[v] = merge(list)
	}
	return into
}

// merge puts boxes together that differ in one dimension only, as long as there are any. The
// boxes that are given stay as they are.
func merge(given []box) []box {
	if len(given) < 2 {
		return given
	}
	list := make([]box, len(given))
	for i, b := range given {
		list[i] = slices.Clone(b)
	}
	for again := true; again; {
		again = false
		for d := range list[0] {
			where, kept := map[string]int{}, list[:0:0]
			for _, b := range list {
				key := b.without(d)
				if at, ok := where[key]; ok {
					kept[at][d] |= b[d]
					again = true
					continue
				}
				where[key] = len(kept)
				kept = append(kept, b)
			}
			list = kept
		}
	}
	return list
}

// without is what a box says of all dimensions but one, as a key.
func (b box) without(d int) string {
	var key []byte
	for i, s := range b {
		if i != d {
			key = binary.LittleEndian.AppendUint64(key, uint64(s))
		}
	}
	return string(key)
}
