package policy

import (
	"context"
	"sync/atomic"

	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Rules are the rules in force: one revision at a time. They are safe for concurrent use.
// What judges in more than one step takes the revision once, with Now, and ends by it.
type Rules struct{ now atomic.Pointer[Engine] }

// NewRules has a revision in force.
func NewRules(e *Engine) *Rules {
	r := new(Rules)
	r.Replace(e)
	return r
}

// Now is the revision in force.
func (r *Rules) Now() *Engine { return r.now.Load() }

// Replace has another revision in force, for all that begins from here on. A shadow ends.
func (r *Rules) Replace(by *Engine) {
	before := r.now.Swap(by)
	if before != nil && before != by {
		before.shadow.Swap(nil).Stop()
	}
}

// Beside has a candidate judge beside the revision in force, in the place of the one before;
// nil: none. It gives that one, which has ended.
func (r *Rules) Beside(s *Shadow) (before *Shadow) {
	before = r.Now().shadow.Swap(s)
	before.Stop()
	return before
}

// Shadow is the candidate beside the revision in force; nil: none.
func (r *Rules) Shadow() *Shadow { return r.Now().shadow.Load() }

// Revision is that of the rules in force.
func (r *Rules) Revision() string { return r.Now().Revision() }

// MayDo is what the revision in force says of it; see Engine.MayDo.
func (r *Rules) MayDo(ctx context.Context, own identity.OIN, caller, also token.Caller, operation ontschotv1.Operation) error {
	return r.Now().MayDo(ctx, own, caller, also, operation)
}
