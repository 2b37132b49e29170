package plan

import (
	"slices"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// maxSplit bounds one amount of a plan, in cents (plan.proto).
const maxSplit = 100_000_000_000

// outcome is a plan held against a purse.
type outcome struct {
	purse    *purse
	pool     pool
	claims   []claim // all allocations, in the order of the plan
	wanting  []claim // those that fit the rules, whether they fit in what is left or not
	standing []claim // those that can be paid
	refused  []refusal
	// taken by those that can be paid, and wanted also by those that do not fit:
	// cents per line of the purse.
	taken, wanted []int64
}

func weigh(q Input) *outcome {
	return weighIn(open(q.Budget), q.Plan, poolOf(q.Basis, q.Budget.GetRequester()))
}

func weighIn(p *purse, plan *budgetv1.Plan, pool pool) *outcome {
	o := &outcome{purse: p, pool: pool, taken: make([]int64, len(p.lines)), wanted: make([]int64, len(p.lines))}
	for _, a := range plan.GetAllocations() {
		if a != nil {
			o.weigh(p.claim(a, pool))
		}
	}
	return o
}

func (o *outcome) weigh(c claim) {
	o.claims = append(o.claims, c)
	if r, refused := o.purse.refuse(c, o.pool); refused {
		o.refused = append(o.refused, r)
		return
	}
	o.wanting = append(o.wanting, c)
	for _, s := range c.shares {
		o.wanted[s.line] = plus(o.wanted[s.line], s.cents)
	}
	if r, refused := o.tooMuch(c); refused {
		o.refused = append(o.refused, r)
		return
	}
	for _, s := range c.shares {
		o.taken[s.line] += s.cents
	}
	o.standing = append(o.standing, c)
}

// tooMuch refuses a claim that does not fit in what earlier ones left.
func (o *outcome) tooMuch(c claim) (refusal, bool) {
	var over []int
	for _, s := range c.shares {
		if s.cents > o.purse.lines[s.line].value()-o.taken[s.line] {
			over = append(over, s.line)
		}
	}
	if len(over) == 0 {
		return refusal{}, false
	}
	first := o.purse.lines[over[0]]
	r := o.purse.refusal(c, budgetv1.RefusalOverallocated, over)
	r.params["amount"] = cents(first.value() - o.taken[over[0]])
	return r, true
}

// refuse tests a claim by itself; whether it fits is for tooMuch.
func (p *purse) refuse(c claim, pool pool) (refusal, bool) {
	if !c.dated {
		return p.refusal(c, budgetv1.RefusalOutsideWindow, nil), true
	}
	if r, refused := p.cannotPay(c); refused {
		return r, true
	}
	if !addsUp(c.Allocation) {
		return p.refusal(c, budgetv1.RefusalSplitSum, nil), true
	}
	if early := p.linesOf(c, func(s share) bool { return !p.inTime(c, s) }); early != nil {
		return p.refusal(c, budgetv1.RefusalOutsideWindow, early), true
	}
	if len(c.laws) > 1 && !pool.covers(c.days, c.laws...) {
		r := p.refusal(c, budgetv1.RefusalSplitAcrossLaws, p.linesOf(c, func(share) bool { return true }))
		if days, past := pool.beyond(c.days); past && pool.always().covers(c.days, c.laws...) {
			r.blame(pool, days, splitPastBasis)
		}
		return r, true
	}
	others := p.linesOf(c, func(s share) bool { return p.use(c, s, pool) == noUse })
	if others == nil {
		return refusal{}, false
	}
	if days, past := pool.beyond(c.days); past && p.isPooled(c.Allocation, pool.always()) {
		r := p.refusal(c, budgetv1.RefusalOutsideBasis, others)
		r.blame(pool, days, budgetv1.RefusalOutsideBasis)
		return r, true
	}
	return p.refusal(c, budgetv1.RefusalNotBeneficiary, others), true
}

// isPooled reports whether the lines may pay for the people of an allocation under a pool.
func (p *purse) isPooled(a *budgetv1.Allocation, pool pool) bool {
	c := p.claim(a, pool)
	return !slices.ContainsFunc(c.shares, func(s share) bool { return p.use(c, s, pool) == noUse })
}

// cannotPay looks for splits of lines that are not there, or are no care money
// of a known amount. A split of nothing is looked at as well.
func (p *purse) cannotPay(c claim) (refusal, bool) {
	for _, s := range c.GetSplits() {
		if _, known := p.byID[s.GetLine()]; !known {
			r := p.refusal(c, budgetv1.RefusalUnknownLine, nil)
			r.lines = []string{s.GetLine()}
			return r, true
		}
	}
	for _, s := range c.GetSplits() {
		if i := p.byID[s.GetLine()]; p.lines[i].GetFungibility() != budgetv1.MoneyPoolable {
			return p.refusal(c, budgetv1.RefusalNotCareMoney, []int{i}), true
		}
	}
	for _, s := range c.GetSplits() {
		if i := p.byID[s.GetLine()]; !p.lines[i].payable() {
			return p.refusal(c, budgetv1.RefusalNoAmount, []int{i}), true
		}
	}
	return refusal{}, false
}

// addsUp reports whether the splits come to the allocation, and that no amount is
// negative or beyond all reason.
func addsUp(a *budgetv1.Allocation) bool {
	if a.GetCents() < 0 || a.GetCents() > maxSplit {
		return false
	}
	sum := int64(0)
	for _, s := range a.GetSplits() {
		if s.GetCents() < 0 || s.GetCents() > maxSplit {
			return false
		}
		sum = plus(sum, s.GetCents())
	}
	return sum == a.GetCents()
}

// inTime reports whether the line runs on at least one day of the allocation. A line
// whose period may not be seen is not judged.
func (p *purse) inTime(c claim, s share) bool {
	l := p.lines[s.line]
	_, both := l.span.Overlap(c.days)
	return both || !l.dated
}

// linesOf lists the lines of the shares that the test picks; nil when none.
func (p *purse) linesOf(c claim, picked func(share) bool) []int {
	var found []int
	for _, s := range c.shares {
		if picked(s) {
			found = append(found, s.line)
		}
	}
	slices.Sort(found)
	return found
}
