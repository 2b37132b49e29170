package audit

import (
	"cmp"
	"math/bits"
	"slices"
)

// keptDecisions is how many decisions the walk remembers at least; an older one is read
// again, of the same snapshot.
const keptDecisions = 1 << 15

// decisions are the newest decisions and denials that the walk has passed, by their index.
type decisions struct {
	most          int      // in newest
	newest, older []placed // in order
	since         [2]int64 // the index from which on older, and newest, has all
}

type placed struct {
	index int64
	decision
}

func (d *decisions) add(index int64, one decision) {
	if len(d.newest) >= d.most {
		d.older, d.newest = d.newest, d.older[:0]
		d.since = [2]int64{d.since[1], index}
	}
	d.newest = append(d.newest, placed{index, one})
}

// decided gives the decision or deny of an index before another; false if it is none.
func (w *walk) decided(at, before int64) (decision, bool, error) {
	if at < 0 || at >= before {
		return decision{}, false, nil
	}
	for _, known := range [...][]placed{w.decisions.newest, w.decisions.older} {
		if i, ok := slices.BinarySearchFunc(known, at, func(p placed, at int64) int { return cmp.Compare(p.index, at) }); ok {
			return known[i].decision, true, nil
		}
	}
	if at >= w.decisions.since[0] {
		return decision{}, false, nil
	}
	row, err := rowAt(w.snapshot, at)
	if err != nil {
		return decision{}, false, err
	}
	leaf, err := ParseLeaf(row.Leaf)
	if err != nil {
		return decision{}, false, tampered(at, "leaf: %v", err)
	}
	return decisionOf(&leaf), leaf.Kind.asks(), nil
}

func decisionOf(leaf *Leaf) decision {
	return decision{traceOf(leaf), leaf.Kind == Deny, leaf.RetryOf != noRetry}
}

// places are indexes of entries, a bit for each entry of the log.
type places struct {
	bits  []uint64
	count int
}

func (p *places) add(index int64) {
	for int64(len(p.bits)) <= index/64 {
		p.bits = append(p.bits, 0)
	}
	if bit := uint64(1) << (index % 64); p.bits[index/64]&bit == 0 {
		p.bits[index/64] |= bit
		p.count++
	}
}

func (p *places) remove(index int64) {
	if index < 0 || index/64 >= int64(len(p.bits)) {
		return
	}
	if bit := uint64(1) << (index % 64); p.bits[index/64]&bit != 0 {
		p.bits[index/64] &^= bit
		p.count--
	}
}

// first is the lowest of them; there must be one.
func (p *places) first() int64 {
	for i, word := range p.bits {
		if word != 0 {
			return int64(i)*64 + int64(bits.TrailingZeros64(word))
		}
	}
	return HeadIndex
}
