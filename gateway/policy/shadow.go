package policy

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Bounds of a shadow: judgements that wait for it, and ways in which it differs that are told
// apart.
const (
	shadowQueue       = 256
	shadowDifferences = 256
	// shadowRest is how long it rests after a judgement, in judgements: it takes a fifth of one
	// processor at most.
	shadowRest = 4
)

// Effects of a candidate, beside the rules in force.
const (
	EffectDenied  = "denied"  // it would deny what passes
	EffectAllowed = "allowed" // it would let pass what is denied
	EffectFewer   = "fewer"   // fewer fields, or under a stricter mask
	EffectMore    = "more"    // more fields, or under a wider mask, and none fewer
	EffectOther   = "other"   // other reasons, days or people to be told
)

// Difference is one way in which a candidate differs. It is of no person.
type Difference struct {
	Source  string // OIN; empty: something that a case worker comes to do
	Purpose string // or the operation
	Law     string // as the rules write it; empty: an operation
	Effect  string
	Reason  string // code by which it would be denied, or is; may be empty
}

// Count is how often.
type Count struct {
	Difference
	Count uint64
}

// Counts are what a shadow has counted.
type Counts struct {
	Revision string
	Since    time.Time
	// Judged by the candidate; dropped: there was no room to wait; failed: it could not judge.
	Judged, Dropped, Failed uint64
	// Different, of those judged, and how, the most first.
	Different   uint64
	Differences []Count
}

// Shadow is a candidate that judges beside the rules in force what these judge, and counts
// where it differs. Nobody waits for it: what it has no room for is dropped. It keeps what
// waits in memory until it is judged, and nothing of it afterwards.
type Shadow struct {
	revision string
	since    time.Time
	judge    func(context.Context, *offered) (is, would Outcome)
	queue    chan *offered
	done     chan struct{}
	once     sync.Once
	dropped  atomic.Uint64

	mu     sync.Mutex
	counts Counts
	how    map[Difference]uint64
}

// offered is a judgement of the rules in force.
type offered struct {
	in        *Input // nil: a door
	kind, law string // of the source, as the messages write them
	door      doing
	said      Outcome
}

// NewShadow starts a candidate; Stop ends it.
func NewShadow(candidate *Engine, now time.Time) *Shadow {
	s := newShadow(func(ctx context.Context, o *offered) (Outcome, Outcome) { return o.said, candidate.beside(ctx, o) })
	s.revision, s.since = candidate.Revision(), now
	go s.run()
	return s
}

func newShadow(judge func(context.Context, *offered) (is, would Outcome)) *Shadow {
	return &Shadow{judge: judge, queue: make(chan *offered, shadowQueue), done: make(chan struct{}), how: map[Difference]uint64{}}
}

// Stop ends it; what waits is not judged.
func (s *Shadow) Stop() {
	if s != nil {
		s.once.Do(func() { close(s.done) })
	}
}

// offer never waits.
func (s *Shadow) offer(o offered) {
	select {
	case s.queue <- &o:
	default:
		s.dropped.Add(1)
	}
}

// beside judges as the candidate would have, which asks for the categories of its own tables.
func (e *Engine) beside(ctx context.Context, o *offered) Outcome {
	if o.in == nil {
		return e.operation(ctx, o.door)
	}
	in := *o.in
	purpose := in.Action.Properties.Purpose
	asked := union(e.Categories(purpose, o.kind, o.law), e.needed(purpose, o.kind, o.law))
	fields := slices.Clone(in.Resource.Properties.Fields)
	for _, c := range asked {
		if !slices.Contains(fields, string(c)) {
			fields = append(fields, string(c))
		}
	}
	in.Resource.Properties.Fields = fields
	return e.Evaluate(ctx, in)
}

func (s *Shadow) run() {
	for {
		select {
		case <-s.done:
			return
		case o := <-s.queue:
			start := time.Now()
			s.one(o)
			select {
			case <-s.done:
				return
			case <-time.After(shadowRest * time.Since(start)):
			}
		}
	}
}

// one lets the candidate judge. What it does, a panic included, is its own affair.
func (s *Shadow) one(o *offered) {
	is, would, ok := s.judged(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Judged++
	if !ok || slices.Contains(would.Reasons, CodeUndecided) {
		s.counts.Failed++
	}
	effect, reason := differs(is, would)
	if effect == "" {
		return
	}
	s.counts.Different++
	d := Difference{Purpose: o.door.operation, Effect: effect, Reason: reason}
	if o.in != nil {
		d.Source, d.Purpose, d.Law = o.in.Resource.Properties.Source, o.in.Action.Properties.Purpose, o.in.Action.Properties.Law
	}
	if _, known := s.how[d]; !known && len(s.how) >= shadowDifferences {
		d = Difference{Effect: effect} // there are too many to tell them apart
	}
	s.how[d]++
}

func (s *Shadow) judged(o *offered) (is, would Outcome, ok bool) {
	defer func() {
		if recover() != nil {
			is, would, ok = o.said, undecided(), false
		}
	}()
	is, would = s.judge(context.Background(), o) // an engine bounds its own time
	return is, would, true
}

// Counts gives what was counted so far.
func (s *Shadow) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.counts
	out.Revision, out.Since, out.Dropped = s.revision, s.since, s.dropped.Load()
	for d, n := range s.how {
		out.Differences = append(out.Differences, Count{d, n})
	}
	slices.SortFunc(out.Differences, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Law, b.Law),
			cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// differs says in which way one outcome would be another; empty: in none.
func differs(is, would Outcome) (effect, reason string) {
	first := func(codes []string) string {
		if len(codes) == 0 {
			return ""
		}
		return codes[0]
	}
	switch {
	case is.Allow && !would.Allow:
		return EffectDenied, first(would.Reasons)
	case !is.Allow && would.Allow:
		return EffectAllowed, first(is.Reasons)
	case !is.Allow:
		if !slices.Equal(is.Reasons, would.Reasons) {
			return EffectOther, first(would.Reasons)
		}
		return "", ""
	}
	return differsInFields(is, would)
}

func differsInFields(is, would Outcome) (effect, reason string) {
	for _, c := range budgetv1.Categories() { // in order, so that of several it is always the same
		before, passed := is.Fields[string(c)]
		after, passes := would.Fields[string(c)]
		switch {
		case passed && !passes:
			return EffectFewer, would.Dropped[string(c)]
		case passed && strictness(after) > strictness(before):
			return EffectFewer, ""
		case effect == "" && passes && (!passed || strictness(after) < strictness(before)):
			effect, reason = EffectMore, is.Dropped[string(c)]
		}
	}
	if effect == "" && (is.RetentionDays != would.RetentionDays || !slices.Equal(is.Notify, would.Notify)) {
		return EffectOther, ""
	}
	return effect, reason
}

func strictness(mask string) int { return slices.Index(budgetv1.MaskNames(), budgetv1.Mask(mask)) }
