package policy

import "context"

// Watch puts a candidate that judges so beside an engine. Drain has it judge what waits.
func Watch(e *Engine, judge func(in *Input, is Outcome) Outcome) *Shadow {
	s := newShadow(func(_ context.Context, o *offered) (Outcome, Outcome) { return o.said, judge(o.in, o.said) })
	e.shadow.Store(s)
	return s
}

// Drain judges all that waits, without resting, and says how much that was.
func (s *Shadow) Drain() (n int) {
	for ; ; n++ {
		select {
		case o := <-s.queue:
			s.one(o)
		default:
			return n
		}
	}
}

// Room is how many may wait.
const Room = shadowQueue
