package replay

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/identity"
)

// Contract is the version of the form of a Report.
const Contract = "ontschot.policy-replay/1"

// Kinds of change, for one pair.
const (
	NewlyDenied  = "newly_denied"  // something passed, and nothing would
	NewlyAllowed = "newly_allowed" // nothing passed, and something would
	Fewer        = "fewer_fields"
	More         = "more_fields"
	Masked       = "masks"   // the same fields, under other masks
	Reasons      = "reasons" // the same passes; what does not, for another reason
)

// Report is what other rules would have decided. Its JSON is the same for the same log and
// the same rules. Counts are of pairs of a person and a source.
type Report struct {
	Contract string `json:"contract"`
	// Parent is the revision by which the past is judged where the log names no other that is
	// known; Revision that of the candidate.
	Parent   string `json:"parent"`
	Revision string `json:"revision"`
	Since    string `json:"since"` // civil date
	// Entries of the log, and Decisions among them since that day.
	Entries   int64 `json:"entries"`
	Decisions int   `json:"decisions"`
	Pairs     int   `json:"pairs"`
	// Reproduced are the pairs of which the rules of that time decide again what the log says.
	Reproduced int `json:"reproduced"`
	// Differs are the entries of which they do not: then nothing is compared. At most 20.
	Differs []int64 `json:"differs"`
	// Unproven are pairs that were decided by rules that are not here, by revision.
	Unproven map[string]int `json:"unproven"`
	// Skipped are pairs, or decisions, that cannot be judged again, by why.
	Skipped map[string]int `json:"skipped"`
	// Erased is the part of the log that can never be judged again.
	Erased Destroyed `json:"erased"`
	// Same are the pairs of which the candidate decides the same.
	Same    int      `json:"same"`
	Changes []Change `json:"changes"`
}

// Destroyed are the decisions of which erasures of persons destroyed what they were about.
type Destroyed struct {
	Decisions int `json:"decisions"`
	// From and Until are the civil days of the first and the last of them; empty: there are none.
	From  string `json:"from,omitempty"`
	Until string `json:"until,omitempty"`
	// Entries are their indices, at most the first 20.
	Entries []int64 `json:"entries,omitempty"`
}

func (d *Destroyed) add(e audit.Passed) {
	d.Decisions++
	d.From, d.Until = cmp.Or(d.From, e.Leaf.Day), e.Leaf.Day // days do not go back in a log
	if len(d.Entries) < mostNamed {
		d.Entries = append(d.Entries, e.Index)
	}
}

// Change counts pairs that the candidate decides otherwise.
type Change struct {
	Kind      string       `json:"kind"`
	Requester identity.OIN `json:"requester"`
	Source    identity.OIN `json:"source"`
	Purpose   string       `json:"purpose"`
	// Codes of what the candidate refuses; of what was refused, where it refuses less.
	Codes []string `json:"codes"`
	// Fields that pass otherwise, each as law and category.
	Fields []string `json:"fields"`
	Pairs  int      `json:"pairs"`
	// First is the index of the first such entry.
	First int64 `json:"first"`
}

// Rules are by what the past is judged: the candidate, the rules in force, and earlier ones by
// revision as far as they are kept.
type Rules struct {
	Candidate, Active *policy.Engine
	Earlier           map[string]*policy.Engine
}

// of gives the rules of a revision; known is false when they are not here.
func (r Rules) of(revision string) (e *policy.Engine, known bool) {
	if revision == r.Active.Revision() {
		return r.Active, true
	}
	if e, known = r.Earlier[revision]; known {
		return e, true
	}
	return r.Active, false
}

// mostNamed bounds how many entries are named that are not reproduced, or were erased.
const mostNamed = 20

// verdict on one unique decision.
type verdict struct {
	unreadable, unproven, differs bool
	change                        *Change
}

// Judge judges everything again, on as many processors as there are.
func (l *Log) Judge(ctx context.Context, by Rules) (Report, error) {
	verdicts := make([]verdict, len(l.list))
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for at := next.Add(1) - 1; at < int64(len(l.list)) && ctx.Err() == nil; at = next.Add(1) - 1 {
				verdicts[at] = l.judge(ctx, by, l.list[at])
			}
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	return l.report(by, verdicts), nil
}

func (l *Log) judge(ctx context.Context, by Rules, d *decided) (v verdict) {
	if !l.complete(&d.past) {
		return verdict{unreadable: true}
	}
	then, known := by.of(d.revision)
	before := answerOf(then.Again(ctx, d.past))
	v.unproven = !known
	if v.differs = known && !reproduces(d.past, d.recorded, before); v.differs {
		return v
	}
	v.change = changeOf(before, answerOf(by.Candidate.Again(ctx, d.past)))
	return v
}

// changeOf compares two answers; nil when they are the same.
func changeOf(before, after answer) *Change {
	c := &Change{Codes: []string{}, Fields: []string{}}
	lost, won := 0, 0
	for field, mask := range before.passes {
		if now, passes := after.passes[field]; !passes {
			lost++
			c.Fields = append(c.Fields, field)
		} else if now != mask {
			c.Kind = Masked
			c.Fields = append(c.Fields, field)
		}
	}
	for field := range after.passes {
		if _, passed := before.passes[field]; !passed {
			won++
			c.Fields = append(c.Fields, field)
		}
	}
	switch {
	case len(after.passes) == 0 && lost > 0:
		c.Kind = NewlyDenied
	case len(before.passes) == 0 && won > 0:
		c.Kind = NewlyAllowed
	case lost > 0: // and perhaps others more: what is lost counts
		c.Kind = Fewer
	case won > 0:
		c.Kind = More
	case c.Kind == "" && !slices.Equal(before.gaps, after.gaps):
		c.Kind = Reasons
	}
	if c.Kind == "" {
		return nil
	}
	c.Codes = append(c.Codes, after.codes...)
	if c.Kind == NewlyAllowed || c.Kind == More {
		c.Codes = append([]string{}, before.codes...)
	}
	slices.Sort(c.Codes)
	slices.Sort(c.Fields)
	return c
}

func (l *Log) report(by Rules, verdicts []verdict) Report {
	r := Report{
		Contract: Contract, Parent: by.Active.Revision(), Revision: by.Candidate.Revision(), Since: l.since.String(),
		Decisions: l.decisions, Pairs: l.pairs, Differs: []int64{}, Unproven: map[string]int{}, Skipped: maps.Clone(l.skipped), Erased: l.erased, Changes: []Change{},
	}
	groups := map[string]*Change{}
	for i, v := range verdicts {
		d := l.list[i]
		switch {
		case v.unreadable:
			r.Skipped[Unreadable] += d.times
			continue
		case v.differs:
			if len(r.Differs) < mostNamed {
				r.Differs = append(r.Differs, d.first)
			}
			continue
		case v.unproven:
			r.Unproven[d.revision] += d.times
		default:
			r.Reproduced += d.times
		}
		if v.change == nil {
			r.Same += d.times
			continue
		}
		c := v.change
		c.Requester, c.Source, c.Purpose = d.past.Facts.Requester, d.past.Source, d.past.Purpose
		key := strings.Join([]string{c.Kind, string(c.Requester), string(c.Source), c.Purpose, strings.Join(c.Codes, " "), strings.Join(c.Fields, ",")}, "|")
		if groups[key] == nil {
			c.First = d.first
			groups[key] = c
		}
		groups[key].Pairs += d.times
	}
	if len(r.Differs) > 0 { // not understood: nothing is compared
		r.Same = 0
		return r
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		r.Changes = append(r.Changes, *groups[key])
	}
	slices.SortStableFunc(r.Changes, func(a, b Change) int {
		return cmp.Compare(slices.Index(kinds(), a.Kind), slices.Index(kinds(), b.Kind))
	})
	return r
}

func kinds() []string { return []string{NewlyDenied, NewlyAllowed, Fewer, More, Masked, Reasons} }
