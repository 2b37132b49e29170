package impact

import (
	"cmp"
	"fmt"
	"slices"
)

// group is combinations that change in the same way, under the same conditions.
type group struct {
	change Change
	where  []box // what they are about: the first dimensions of the domain
	boxes  []box // under which conditions: the other dimensions
	count  uint64
}

// groups cuts the changed part of a domain into groups: what is under the same conditions is
// said once, for all that it is about.
func (w *world) groups(d differences) []group {
	about := map[node][]box{}
	at := w.domain.whole()
	var down func(n node, level int)
	down = func(n node, level int) {
		if n == leaf(0) {
			return
		}
		if level == w.domain.head {
			about[n] = append(about[n], slices.Clone(at[:level]))
			return
		}
		left := w.domain.all(level)
		for left != 0 {
			child := w.at(n, level, left.first())
			var same set
			left.each(func(i int) {
				if w.at(n, level, i) == child {
					same |= 1 << i
				}
			})
			left &^= same
			at[level] = same
			down(child, level+1)
		}
		at[level] = w.domain.all(level)
	}
	down(d.node, 0)
	joined := map[string]*group{}
	for _, n := range sortedNodes(about) {
		for class, boxes := range w.boxes(n) {
			if class == 0 {
				continue
			}
			key := fmt.Sprint(class, boxes)
			g := joined[key]
			if g == nil {
				g = &group{change: d.changes[class], boxes: boxes}
				joined[key] = g
			}
			g.where = append(g.where, about[n]...)
		}
	}
	return w.ordered(joined)
}

func sortedNodes(about map[node][]box) []node {
	var all []node
	for n := range about {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// ordered counts groups and puts the ones that matter most first.
func (w *world) ordered(joined map[string]*group) []group {
	var all []group
	for _, key := range keysOf(joined) {
		g := joined[key]
		g.where = merge(g.where)
		g.each(func(b box) { g.count += w.domain.counted(b) })
		all = append(all, *g)
	}
	kinds := Kinds()
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(slices.Index(kinds, a.change.Kind)-slices.Index(kinds, b.change.Kind), cmp.Compare(b.count, a.count),
			cmp.Compare(fmt.Sprint(a.where, a.change, a.boxes), fmt.Sprint(b.where, b.change, b.boxes)))
	})
	return all
}

// each visits the boxes of a group, over all dimensions.
func (g *group) each(visit func(b box)) {
	for _, about := range g.where {
		for _, b := range g.boxes {
			whole := slices.Clone(b)
			copy(whole, about)
			visit(whole)
		}
	}
}

// witness is a combination of a box, in order in all that the box leaves open.
func (d *domain) witness(b box) []int {
	type state struct {
		level int
		c     controls
	}
	point, dead := d.somewhere(), map[state]bool{}
	var down func(level int, c controls) bool
	down = func(level int, c controls) bool {
		if level == len(d.dims) {
			return true
		}
		if dead[state{level, c}] {
			return false
		}
		left := b[level] & d.allowed(level, c)
		best, order := d.dims[level].best, d.dims[level].order
		for _, choice := range []set{left & best, left & order &^ best, left &^ order &^ best} {
			for ; choice != 0; choice &= choice - 1 {
				point[level] = choice.first()
				if down(level+1, c.with(d.dims[level].control, point[level])) {
					return true
				}
			}
		}
		dead[state{level, c}] = true
		return false
	}
	if !down(0, d.start()) {
		return nil
	}
	return point
}
