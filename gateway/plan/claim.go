package plan

import (
	"slices"

	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// claim is an allocation, read once.
type claim struct {
	*budgetv1.Allocation
	days   civil.Span // its own dates, else those of the window
	dated  bool       // the days lie in the window, in order
	shares []share    // what known lines pay, one per line, nothing left out but zeros
	laws   []string   // of the shares, in order, each once
	people map[string]bool
	// receivers are the lines that can pay, of the people, under laws that are
	// pooled on all the days: what somebody else's money may pay instead of.
	receivers []int
}

// share is what one line pays of an allocation.
type share struct {
	line  int // index in the purse
	cents int64
}

func (p *purse) claim(a *budgetv1.Allocation, pool pool) claim {
	c := claim{Allocation: a, people: map[string]bool{}}
	c.days, c.dated = p.days(a)
	for _, ref := range a.GetBeneficiaries() {
		c.people[ref] = true
	}
	p.share(&c)
	if pool.covers(c.days) && slices.ContainsFunc(c.shares, func(s share) bool { return !c.isFor(p.holder(s)) }) {
		c.receivers = p.pot(c.people, pool.laws)
	}
	return c
}

// share reads the splits.
func (p *purse) share(c *claim) {
	at := map[int]int{}
	for _, s := range c.GetSplits() {
		i, known := p.byID[s.GetLine()]
		if !known || s.GetCents() <= 0 {
			continue
		}
		if n, again := at[i]; again {
			c.shares[n].cents = plus(c.shares[n].cents, s.GetCents())
			continue
		}
		at[i] = len(c.shares)
		c.shares = append(c.shares, share{i, s.GetCents()})
		if law := p.lines[i].law(); !slices.Contains(c.laws, law) {
			c.laws = append(c.laws, law)
		}
	}
}

func (p *purse) holder(s share) string { return p.lines[s.line].GetPerson() }

// days reads from and to; an empty one is the window's own.
func (p *purse) days(a *budgetv1.Allocation) (civil.Span, bool) {
	days := p.window
	var err error
	if a.GetFrom() != "" {
		if days.From, err = civil.Parse(a.GetFrom()); err != nil {
			return civil.Span{}, false
		}
	}
	if a.GetTo() != "" {
		if days.To, err = civil.Parse(a.GetTo()); err != nil {
			return civil.Span{}, false
		}
	}
	inside := days.From >= p.window.From && days.To <= p.window.To && days.From <= days.To
	return days, inside && days.From != 0
}

// isFor reports whether an allocation is for a person. One that names no person is for
// the holders of the lines that pay it.
func (c claim) isFor(person string) bool { return len(c.people) == 0 || c.people[person] }

// use is for whom a line pays.
type use int

const (
	ownUse    use = iota // for its holder
	sameLaw              // for another person who has a right under the same law
	pooledUse            // for a person under another law, which a basis pools
	noUse                // for a person under another law, and nothing allows it
)

// use says for whom a share pays. When its holder is one of the beneficiaries it
// counts as their own: a plan says how the cost of a shared carer is divided, not
// how their hours are.
func (p *purse) use(c claim, s share, pool pool) use {
	law := p.lines[s.line].law()
	switch {
	case c.isFor(p.holder(s)):
		return ownUse
	case slices.ContainsFunc(c.GetBeneficiaries(), func(ref string) bool { return p.laws[ref][law] }):
		return sameLaw
	case pool.covers(c.days, law) && len(c.receivers) > 0:
		return pooledUse
	}
	return noUse
}
