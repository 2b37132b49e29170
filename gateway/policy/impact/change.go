package impact

import (
	"encoding/json"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/ontschot/ontschot/gateway/policy"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Kinds of change, in the order in which an officer wants to hear of them. A closed list.
const (
	NewlyAllowed  = "newly_allowed"
	MoreFields    = "more_fields"    // all else was in order; now the category passes too
	MasksLooser   = "masks_looser"   //
	NewlyDenied   = "newly_denied"   //
	FewerFields   = "fewer_fields"   // all else is in order; the category no longer passes
	MasksStricter = "masks_stricter" //
	Obligations   = "obligations"    // how long it may be kept, or who is told
	ReasonsOnly   = "reasons_only"   // the same answer, for other reasons
)

// Kinds lists the kinds of change.
func Kinds() []string {
	return []string{NewlyAllowed, MoreFields, MasksLooser, NewlyDenied, FewerFields, MasksStricter, Obligations, ReasonsOnly}
}

// Change is in what way the answer to a combination changes.
type Change struct {
	Kind string `json:"kind"`
	// Codes of reasons that are given no longer, and of those that are given now.
	ReasonsGone []string `json:"reasons_gone,omitempty"`
	ReasonsNew  []string `json:"reasons_new,omitempty"`
	ChecksGone  []string `json:"checks_gone,omitempty"`
	ChecksNew   []string `json:"checks_new,omitempty"`
	// What changes from one thing into another: two texts each, the first that of the parent.
	// For a category that passes its mask, for one that does not the code why.
	Mask    []string `json:"mask,omitempty"`
	Dropped []string `json:"dropped,omitempty"`
	Days    []int    `json:"retention_days,omitempty"`
	// NotifyGone and NotifyNew are who is no longer told, and who is told now.
	NotifyGone []string `json:"notify_gone,omitempty"`
	NotifyNew  []string `json:"notify_new,omitempty"`
}

// compared says in what way an outcome for one category changes; ok is false when it does not.
func compared(a, b policy.Outcome) (c Change, ok bool) {
	c = Change{
		ReasonsGone: minus(a.Reasons, b.Reasons), ReasonsNew: minus(b.Reasons, a.Reasons),
		ChecksGone: minus(a.Checks, b.Checks), ChecksNew: minus(b.Checks, a.Checks),
		Mask: pair(only(a.Fields), only(b.Fields)), Dropped: pair(only(a.Dropped), only(b.Dropped)),
		NotifyGone: minus(a.Notify, b.Notify), NotifyNew: minus(b.Notify, a.Notify),
	}
	if a.RetentionDays != b.RetentionDays {
		c.Days = []int{a.RetentionDays, b.RetentionDays}
	}
	if was, is := undecided(a), undecided(b); was != is { // one is no answer: no code of the other says more
		c.ReasonsGone, c.ReasonsNew, c.ChecksGone, c.ChecksNew = nil, []string{policy.CodeUndecided}, nil, nil
		if was {
			c.ReasonsGone, c.ReasonsNew = c.ReasonsNew, nil
		}
	}
	noField := func(o policy.Outcome) bool { return slices.Equal(o.Reasons, []string{policy.CodeNoField}) }
	switch {
	case !a.Allow && b.Allow:
		c.Kind = NewlyAllowed
		if noField(a) {
			c.Kind = MoreFields
		}
	case a.Allow && !b.Allow:
		c.Kind = NewlyDenied
		if noField(b) {
			c.Kind = FewerFields
		}
	case len(c.Mask) > 0:
		c.Kind = MasksLooser
		if strictness(c.Mask[1]) > strictness(c.Mask[0]) {
			c.Kind = MasksStricter
		}
	case len(c.Days) > 0 || len(c.NotifyGone) > 0 || len(c.NotifyNew) > 0:
		c.Kind = Obligations
	case len(c.ReasonsGone)+len(c.ReasonsNew)+len(c.ChecksGone)+len(c.ChecksNew)+len(c.Dropped) > 0:
		c.Kind = ReasonsOnly
	default:
		return Change{}, false
	}
	if a.Allow != b.Allow { // what follows from it is no news
		c.Mask, c.Days, c.NotifyGone, c.NotifyNew = nil, nil, nil, nil
	}
	return c, true
}

// undecided reports whether the gateway makes no answer of what the rules say.
func undecided(o policy.Outcome) bool {
	return !o.Allow && len(o.Checks) == 0 && slices.Equal(o.Reasons, []string{policy.CodeUndecided})
}

func strictness(mask string) int { return slices.Index(budgetv1.MaskNames(), budgetv1.Mask(mask)) }

func minus(a, b []string) []string {
	var left []string
	for _, word := range a {
		if !slices.Contains(b, word) {
			left = append(left, word)
		}
	}
	slices.Sort(left)
	return left
}

func pair(a, b string) []string {
	if a == b {
		return nil
	}
	return []string{a, b}
}

// only is the value of an object of at most one member.
func only(object map[string]string) string {
	for _, value := range object {
		return value
	}
	return ""
}

// answer is what a revision answers over a domain: its members in their order, as the rules say
// them (nodes) and as the gateway takes them (counts).
type answer struct {
	names         []string
	nodes, counts []node
	read          func(ast.Value, []string) policy.Outcome
	known         map[string]policy.Outcome
}

func requestMembers() []string {
	return []string{"contract", "decision", "reasons", "checks", "fields", "dropped", "obligations"}
}

func doorMembers() []string { return []string{"contract", "decision", "reasons", "checks"} }

// value puts members together as the rule does: one that is missing leaves no answer.
func (s *session) value(names []string, values []int32) ast.Value {
	object := ast.NewObject()
	for i, v := range values {
		if v == undefined {
			return nil
		}
		object.Insert(ast.StringTerm(names[i]), ast.NewTerm(s.values[v]))
	}
	return object
}

// categoryMembers are the members of an answer that are objects by category.
func categoryMembers() []string { return []string{"fields", "dropped"} }

// askedAlone gives members that have no value where they hold a category that was not asked: of
// such an answer the gateway makes none.
func (w *world) askedAlone(names []string, nodes []node) ([]node, error) {
	level := w.domain.at[dimCategory]
	asked := w.tabulate([]int{level}, func(point []int) int32 {
		return w.session.intern(ast.String(w.domain.text(point, dimCategory)))
	})
	counts := slices.Clone(nodes)
	for i, name := range names {
		if !slices.Contains(categoryMembers(), name) {
			continue
		}
		var err error
		if counts[i], err = w.join([]node{nodes[i], asked}, func(values []int32) (int32, error) {
			if object, ok := w.session.values[values[0]].(ast.Object); ok {
				rest := object.Len()
				if object.Get(ast.NewTerm(w.session.values[values[1]])) != nil {
					rest--
				}
				if rest > 0 {
					return undefined, nil
				}
			}
			return values[0], nil
		}); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// outcome is what the gateway makes of members.
func (a *answer) outcome(s *session, values []int32) policy.Outcome {
	key := string(appendNumbers(nil, values))
	if o, ok := a.known[key]; ok {
		return o
	}
	value, asked := s.value(a.names, values), []string(nil)
	if object, ok := value.(ast.Object); ok {
		for _, list := range categoryMembers() { // another than was asked is in none of them: askedAlone
			if term := object.Get(ast.StringTerm(list)); term != nil {
				if inner, ok := term.Value.(ast.Object); ok {
					inner.Foreach(func(k, _ *ast.Term) {
						if word, ok := k.Value.(ast.String); ok {
							asked = append(asked, string(word))
						}
					})
				}
			}
		}
	}
	o := a.read(value, asked)
	a.known[key] = o
	return o
}

// differences is the function from a combination to its change: zero is none.
type differences struct {
	node    node
	changes []Change // by number; the first is none
}

// compare joins what two revisions answer. Lists of codes are first cut down, in both answers
// alike, to what matters for a change; then the answers are joined, and where they are one
// function it looks no further.
func (w *world) compare(a, b *answer) (differences, error) {
	d, number := differences{changes: []Change{{}}}, map[string]int32{}
	var args []node
	for i, name := range a.names {
		one, two := a.counts[i], b.counts[i]
		if name == "reasons" || name == "checks" {
			var err error
			if one, two, err = w.cutDown(one, two); err != nil {
				return d, err
			}
		}
		args = append(args, one, two)
	}
	j := join{g: w.diagrams, memo: map[string]node{}}
	j.shortcut = func(args []node) (node, bool) {
		for i := 0; i < len(args); i += 2 {
			if args[i] != args[i+1] {
				return 0, false
			}
		}
		return leaf(0), true
	}
	j.combine = func(values []int32) (int32, error) {
		first, second := make([]int32, 0, len(a.names)), make([]int32, 0, len(a.names))
		for i := 0; i < len(values); i += 2 {
			first, second = append(first, values[i]), append(second, values[i+1])
		}
		change, ok := compared(a.outcome(w.session, first), b.outcome(w.session, second))
		if !ok {
			return 0, nil
		}
		key, err := json.Marshal(change)
		if err != nil {
			return 0, err
		}
		n, ok := number[string(key)]
		if !ok {
			n = int32(len(d.changes))
			number[string(key)], d.changes = n, append(d.changes, change)
		}
		return n, nil
	}
	var err error
	d.node, err = j.run(args, w.domain.start())
	return d, err
}

// cutDown puts one code in the place of all that two lists have in common. Which codes come
// and go stays as it is, and so does whether a list is empty, is that no category passes and
// nothing else, or holds what is no code.
func (w *world) cutDown(a, b node) (node, node, error) {
	half := func(which int) func([]int32) (int32, error) {
		return func(values []int32) (int32, error) {
			one, two := w.session.codes(values[0]), w.session.codes(values[1])
			if one == nil || two == nil {
				return values[which], nil
			}
			return w.session.intern([]ast.Value{shortened(one, two), shortened(two, one)}[which]), nil
		}
	}
	first, err := w.join([]node{a, b}, half(0))
	if err != nil {
		return 0, 0, err
	}
	second, err := w.join([]node{a, b}, half(1))
	return first, second, err
}

// codes are those of a set of codes that are all known; nil when it is anything else.
func (s *session) codes(value int32) []string {
	set, ok := s.values[value].(ast.Set)
	if !ok {
		return nil
	}
	list, known := []string{}, policy.Codes()
	for _, term := range set.Slice() {
		word, _ := term.Value.(ast.String)
		if !slices.Contains(known, string(word)) {
			return nil
		}
		list = append(list, string(word))
	}
	return list
}

// shortened is a set of codes with one in the place of those that another has too.
func shortened(codes, others []string) ast.Value {
	set := ast.NewSet()
	for _, code := range minus(codes, others) {
		set.Add(ast.StringTerm(code))
	}
	common := minus(codes, minus(codes, others))
	switch {
	case len(common) == 0:
		return set
	case len(common) == 1 && common[0] == policy.CodeNoField:
		set.Add(ast.StringTerm(policy.CodeNoField))
		return set
	}
	for _, code := range policy.Codes() { // any that is in neither but as common
		if code != policy.CodeNoField && !slices.Contains(minus(codes, others), code) && !slices.Contains(minus(others, codes), code) {
			set.Add(ast.StringTerm(code))
			return set
		}
	}
	return set
}
