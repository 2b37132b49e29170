package register

import (
	"errors"
	"slices"
)

// ErrPolicy means that a change of the policies does not follow on those that are in force at
// its place.
var ErrPolicy = errors.New("other policies are in force than those that this comes in the place of")

// PolicyStatus says how policies came into force.
type PolicyStatus string

// The ways in which policies come into force. Those that were used came with the program, or
// with its configuration.
const (
	PolicyActivated  PolicyStatus = "activated"
	PolicyRolledBack PolicyStatus = "rolled_back"
	PolicyUsed       PolicyStatus = "used"
)

// Known reports whether it is one of the list.
func (s PolicyStatus) Known() bool {
	return s == PolicyActivated || s == PolicyRolledBack || s == PolicyUsed
}

// PolicyChange says that a revision of the rules is in force from here on.
type PolicyChange struct {
	Entry    int64  // its index
	Revision string // SHA-256 of the rules
	Parent   string // the one that was in force before
	Status   PolicyStatus
	Since    int64 // milliseconds since 1970
}

// Policies are the changes of the policies, the first one first. None: the log does not say
// which were in force.
func (v View) Policies() []PolicyChange {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	return slices.Clone(v.policies())
}

func (v View) policies() []PolicyChange {
	all := v.r.changes
	for len(all) > 0 && all[len(all)-1].Entry >= v.size {
		all = all[:len(all)-1]
	}
	return all
}

// KnowsPolicy reports whether a revision was in force at some time before, or the log does not
// say which were. A question ends on the revision that it began with, so that one of before
// still decides for a while.
func (v View) KnowsPolicy(revision string) bool {
	v.r.mu.RLock()
	defer v.r.mu.RUnlock()
	all := v.policies()
	return len(all) == 0 || slices.ContainsFunc(all, func(c PolicyChange) bool { return c.Revision == revision || c.Parent == revision })
}

// refusePolicy: it comes in the place of the one that is in force, so that of two changes at
// the same time one is refused.
func (r *Register) refusePolicy(c *PolicyChange) error {
	if c == nil || len(r.changes) == 0 || r.changes[len(r.changes)-1].Revision == c.Parent {
		return nil
	}
	return ErrPolicy
}

// Policies are written behind all else, and only when there are any: a register without them
// is written as it was before there could be any.
func (e *encoder) writePolicies() {
	if len(e.changes) == 0 {
		return
	}
	e.number(uint64(len(e.changes)))
	for _, c := range e.changes {
		e.index(c.Entry)
		e.text(c.Revision)
		e.text(c.Parent)
		e.text(string(c.Status))
		e.signed(c.Since)
	}
}

func (d *decoder) policies() {
	if len(d.rest) == 0 || d.rest[0] == 0 { // none is written as nothing
		return
	}
	d.each("policy", func(int) {
		c := PolicyChange{Entry: d.index(), Revision: d.text(), Parent: d.text(), Status: PolicyStatus(d.text()), Since: d.signed()}
		last := int64(NotEnded)
		if n := len(d.r.changes); n > 0 {
			last = d.r.changes[n-1].Entry
		}
		d.must(c.Entry > last && c.Status.Known(), "it is not in order, or of no status")
		d.r.changes = append(d.r.changes, c)
	})
}
