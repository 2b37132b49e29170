// Package replay answers: what would other rules have decided of what was asked before? It
// first has the rules of that time decide it again: only when they decide what the log says
// they decided, the log and the rules are understood, and other rules can be compared.
package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Why a decision is not judged again.
const (
	Erased     = "erased"     // what it was about was erased
	NoFacts    = "no_facts"   // of an earlier version, which did not keep them
	NoPairs    = "no_pairs"   // a budget that was presented, or a permit that was used before
	Unreadable = "unreadable" // its facts, or the agreement that they name, cannot be read
)

// Log gathers the decisions of an audit log while an auditor walks it: give its Entry and
// Read to audit.Inspection. What is the same but for the person is judged once.
type Log struct {
	agreements
	own       identity.OIN
	ownKind   string
	since     civil.Date
	unique    map[string]*decided
	list      []*decided // in the order of the log
	skipped   map[string]int
	erased    Destroyed
	decisions int
	pairs     int
}

// agreements are those that decisions name, by id, with their terms as far as they were read.
type agreements map[string]agreement.Terms

// decided is what was decided about pairs that are the same but for the person.
type decided struct {
	past     policy.Past
	revision string
	recorded audit.PairJudgement // facts and person left out
	first    int64               // index of the first entry
	times    int
}

// NewLog gathers from a day on; own is whose log it is.
func NewLog(own identity.OIN, ownKind string, since civil.Date) *Log {
	return &Log{own: own, ownKind: ownKind, since: since, unique: map[string]*decided{}, agreements: agreements{}, skipped: map[string]int{}}
}

// Entry is audit.Inspection's.
func (l *Log) Entry(e audit.Passed) {
	day, err := civil.Parse(e.Leaf.Day)
	if !decides(e.Leaf) || err != nil || day < l.since {
		return
	}
	l.decisions++
	switch {
	case e.Erased:
		l.skipped[Erased]++
		l.erased.add(e)
		return
	case e.Judgement == nil || len(e.Judgement.Pairs) == 0:
		l.skipped[NoPairs]++
		return
	}
	for _, pair := range e.Judgement.Pairs {
		l.pairs++
		l.pair(e.Index, e.Leaf, day, pair)
	}
}

func decides(leaf *audit.Leaf) bool { return leaf.Kind == audit.Decision || leaf.Kind == audit.Deny }

// named is all of a pair that rules could see, or did, but for the person.
type named struct {
	Purpose, Day, Revision string
	Pair                   audit.PairJudgement
}

func (l *Log) pair(index int64, leaf *audit.Leaf, day civil.Date, pair audit.PairJudgement) {
	if pair.Facts == nil {
		l.skipped[NoFacts]++
		return
	}
	facts, err := policy.ReadFacts(pair.Facts)
	if err != nil {
		l.skipped[Unreadable]++
		return
	}
	recorded := audit.PairJudgement{Source: pair.Source, Scopes: pair.Scopes, Refusals: pair.Refusals, Facts: pair.Facts}
	key, err := json.Marshal(named{leaf.Activity, leaf.Day, leaf.Policy, recorded})
	if err != nil {
		l.skipped[Unreadable]++
		return
	}
	if one, known := l.unique[string(key)]; known {
		one.times++
		return
	}
	recorded.Facts = nil
	one := &decided{past: pastOf(leaf, day, pair.Source, askedBy(facts, l.own, l.ownKind)), revision: leaf.Policy, recorded: recorded, first: index, times: 1}
	l.wants(facts)
	l.unique[string(key)] = one
	l.list = append(l.list, one)
}

// askedBy has facts name who asked; those that name nobody are of a question of whose log it is.
func askedBy(f policy.Facts, own identity.OIN, kind string) policy.Facts {
	if f.Requester == "" {
		f.Requester, f.RequesterKind = own, kind
	}
	return f
}

// pastOf is what was asked.
func pastOf(leaf *audit.Leaf, day civil.Date, source identity.OIN, f policy.Facts) policy.Past {
	return policy.Past{Purpose: leaf.Activity, Day: day, Source: source, Facts: f}
}

func (a agreements) wants(f policy.Facts) {
	if f.Agreement != "" {
		a[f.Agreement] = agreement.Terms{}
	}
}

// Read is audit.Inspection's.
func (a agreements) Read(d audit.Stored) {
	if _, wanted := a[d.ID]; !wanted {
		return
	}
	if terms, err := agreement.Read(d.Body); err == nil {
		a[d.ID] = terms
	}
}

// complete fills in the terms of the agreement that counted; false when they are not there.
func (a agreements) complete(p *policy.Past) bool {
	if p.Facts.Agreement == "" {
		return true
	}
	terms := a[p.Facts.Agreement]
	at := slices.IndexFunc(terms.Grants, func(g agreement.Grant) bool {
		return g.Consumer == p.Facts.Requester && g.Source == p.Source && slices.Contains(g.Purposes, p.Purpose)
	})
	if at < 0 {
		return false
	}
	p.Agreement = &policy.AgreedFacts{Grant: terms.Grants[at], From: terms.From, Until: terms.Until}
	return true
}

// answer is what rules say of a pair: the mask of each category that passes, and why the
// rest does not.
type answer struct {
	passes map[string]string // "WLZ amount": none
	gaps   []string          // "POLICY_DENIED VELD-01 [WLZ] [amount]", sorted
	codes  []string          // of the gaps, in their order
}

func answerOf(scopes []*budgetv1.Scope, gaps []*budgetv1.Gap) (a answer) {
	a.passes = map[string]string{}
	for _, s := range scopes {
		for _, c := range s.GetCategories() {
			a.passes[s.GetLaw()+" "+c] = maskOf(s.GetMasks()[c])
		}
	}
	for _, g := range gaps {
		a.add(audit.Refusal{Reason: g.GetReason(), Code: g.GetCode(), Laws: g.GetLaws(), Categories: g.GetCategories()})
	}
	slices.Sort(a.gaps)
	return a
}

func (a *answer) add(r audit.Refusal) {
	a.gaps = append(a.gaps, fmt.Sprint(r.Reason, " ", r.Code, " ", r.Laws, " ", r.Categories))
	code := r.Code
	if code == "" {
		code = r.Reason
	}
	if !slices.Contains(a.codes, code) {
		a.codes = append(a.codes, code)
	}
}

func maskOf(mask string) string {
	if mask == "" {
		return string(budgetv1.MaskNone)
	}
	return mask
}

// reproduces reports whether rules that gave an answer decided what the log says.
func reproduces(p policy.Past, recorded audit.PairJudgement, again answer) bool {
	said, asked := recordedAnswer(recorded)
	// What another gateway asked for is narrower than what the rules refuse.
	same := p.Facts.Asked != nil || slices.Equal(said.gaps, again.gaps)
	return same && (!asked || maps.Equal(said.passes, again.passes))
}

// recordedAnswer is what the log says; asked is false when something that is no rule kept the
// source from being asked, and the log then does not say what would have passed.
func recordedAnswer(r audit.PairJudgement) (a answer, asked bool) {
	a.passes, asked = map[string]string{}, true
	for _, s := range r.Scopes {
		for _, c := range s.Categories {
			a.passes[s.Law+" "+c] = maskOf(s.Masks[c])
		}
	}
	for _, one := range r.Refusals {
		if notOfRules(one) {
			asked = false
			continue
		}
		a.add(one)
	}
	slices.Sort(a.gaps)
	return a, asked
}

// notOfRules reports whether a refusal has nothing to do with rules: no adapter, a number that
// is missing, a rate.
func notOfRules(r audit.Refusal) bool {
	return r.Reason == budgetv1.ReasonNoAdapter || r.Code == budgetv1.GapNumberMissing || r.Code == budgetv1.GapRateLimited
}
