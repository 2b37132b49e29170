package replay

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
)

// ErrEntry means that an entry of a log cannot be explained; the message says why.
var ErrEntry = errors.New("this entry of the audit log is not explained")

// EntryError says why an entry of a log cannot be explained, for an officer.
type EntryError struct{ NL, EN string }

// Error is what ErrEntry says, and why, in English.
func (e *EntryError) Error() string { return ErrEntry.Error() + ": " + e.EN }

// Unwrap gives ErrEntry.
func (e *EntryError) Unwrap() error { return ErrEntry }

// ErrOtherwise means that rules do not decide again what a log says.
var ErrOtherwise = errors.New("the rules do not decide again what the log says")

// Entry gathers one entry of an audit log while an auditor walks it: give its Entry and Read to
// audit.Inspection.
type Entry struct {
	agreements
	own     identity.OIN
	ownKind string
	index   int64
	leaf    *audit.Leaf // nil: there is no such entry
	erased  bool
	pairs   []audit.PairJudgement
}

// NewEntry gathers the entry of an index; own is whose log it is.
func NewEntry(own identity.OIN, ownKind string, index int64) *Entry {
	return &Entry{agreements: agreements{}, own: own, ownKind: ownKind, index: index}
}

// Entry is audit.Inspection's.
func (e *Entry) Entry(p audit.Passed) {
	if p.Index != e.index {
		return
	}
	leaf := *p.Leaf
	e.leaf, e.erased = &leaf, p.Erased
	if p.Judgement == nil {
		return
	}
	e.pairs = p.Judgement.Pairs
	for _, pair := range e.pairs {
		if f, err := policy.ReadFacts(pair.Facts); err == nil {
			e.wants(f)
		}
	}
}

// Leaf of the entry; nil: there is none.
func (e *Entry) Leaf() *audit.Leaf { return e.leaf }

// Explainable says why the entry cannot be explained. Errors: *EntryError.
func (e *Entry) Explainable() error {
	switch {
	case e.leaf == nil:
		return e.why("is er niet", "is not there")
	case e.leaf.Kind == audit.Release:
		return e.why(fmt.Sprintf("is een vrijgave. Die voert het besluit van regel %d uit: vraag daarnaar", e.leaf.Decided),
			fmt.Sprintf("is a release, which carries out the decision of entry %d: explain that one", e.leaf.Decided))
	case !decides(e.leaf):
		return e.why(fmt.Sprintf("is geen besluit, maar van de soort %s: vraag naar een regel van de soort %s of %s", e.leaf.Kind, audit.Decision, audit.Deny),
			fmt.Sprintf("is no decision but of the kind %s: explain one of the kinds %s and %s", e.leaf.Kind, audit.Decision, audit.Deny))
	case e.erased:
		return e.why("gaat over iemand van wie de gegevens later zijn gewist: waarop is besloten is vernietigd, en komt niet terug",
			"is about somebody who was erased since: what it was decided by is destroyed, and comes back by nothing")
	case len(e.pairs) == 0:
		return e.why("heeft geen bron iets gevraagd: het ging over een budget dat er al was, of over een eerder gebruikte toestemming van een andere gateway",
			"asked no source: it is about a budget that was presented, or a permit that was used before")
	case slices.ContainsFunc(e.pairs, func(p audit.PairJudgement) bool { return p.Facts == nil }):
		return e.why("is van een eerdere versie van dit programma: die bewaarde niet waarop een besluit rustte",
			"is of an earlier version, which did not keep what a decision was made by")
	}
	return nil
}

// why says of the entry why it cannot be explained.
func (e *Entry) why(nl, en string) error {
	return &EntryError{fmt.Sprintf("regel %d van het logboek %s", e.index, nl), fmt.Sprintf("entry %d %s", e.index, en)}
}

// Pair is a person and a source in a decision, explained.
type Pair struct {
	// Person is which one of the entry it is, from 1, in the order in which they were asked about.
	Person int
	Past   policy.Past
	// Scopes are what passes, Refusals what does not, and why; as the log says.
	Scopes   []audit.Scope
	Refusals []audit.Refusal
	Laws     []policy.Explained
}

// Explain has rules judge the entry again, which must be those that decided it. Errors: those of
// Explainable; ErrEntry when it cannot be read; ErrOtherwise.
func (e *Entry) Explain(ctx context.Context, by *policy.Engine) ([]Pair, error) {
	pairs, err := e.read()
	if err != nil {
		return nil, err
	}
	for i, p := range pairs {
		again := answerOf(by.Again(ctx, p.Past))
		if !reproduces(p.Past, e.pairs[i], again) {
			return nil, fmt.Errorf("%w: entry %d", ErrOtherwise, e.index)
		}
		pairs[i].Laws = by.Explain(ctx, p.Past)
	}
	return pairs, nil
}

func (e *Entry) read() ([]Pair, error) {
	if err := e.Explainable(); err != nil {
		return nil, err
	}
	day, err := civil.Parse(e.leaf.Day)
	if err != nil {
		return nil, e.why("heeft geen dag", "has no day")
	}
	persons := map[string]int{}
	var all []Pair
	for _, said := range e.pairs {
		facts, err := policy.ReadFacts(said.Facts)
		one := Pair{Past: pastOf(e.leaf, day, said.Source, askedBy(facts, e.own, e.ownKind)), Scopes: said.Scopes, Refusals: said.Refusals}
		if err != nil || !e.complete(&one.Past) {
			return nil, e.why("rust op feiten, of op een overeenkomst, die niet te lezen zijn", "is not whole: the facts that it was decided by, or the agreement that they name, cannot be read")
		}
		if persons[said.Subject] == 0 {
			persons[said.Subject] = len(persons) + 1
		}
		one.Person = persons[said.Subject]
		all = append(all, one)
	}
	return all, nil
}

// Differing is what passes of a pair by some rules and not by others: each as a law and a category.
type Differing struct{ Lost, Won []string }

// Compare has two rules judge a pair: what passes by the first and not by the second, and the
// other way round.
func (p Pair) Compare(ctx context.Context, first, second *policy.Engine) (d Differing) {
	was, is := answerOf(first.Again(ctx, p.Past)), answerOf(second.Again(ctx, p.Past))
	for _, field := range slices.Sorted(maps.Keys(was.passes)) {
		if _, passes := is.passes[field]; !passes {
			d.Lost = append(d.Lost, field)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(is.passes)) {
		if _, passed := was.passes[field]; !passed {
			d.Won = append(d.Won, field)
		}
	}
	return d
}

// Under says of a category under a law: its mask, or why it does not pass; neither where it was
// not asked.
func (p Pair) Under(law, category string) (mask string, no audit.Refusal) {
	for _, s := range p.Scopes {
		if s.Law == law && slices.Contains(s.Categories, category) {
			return maskOf(s.Masks[category]), audit.Refusal{}
		}
	}
	names := func(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }
	for _, r := range p.Refusals {
		if names(r.Laws, law) && names(r.Categories, category) {
			return "", r
		}
	}
	return "", audit.Refusal{}
}

// NotAsked is why the source was not asked though rules would have let something pass: no adapter,
// a number that is missing, a rate. Empty: it is rules, or it was asked.
func (p Pair) NotAsked() (reason string) {
	for _, r := range p.Refusals {
		if notOfRules(r) {
			return r.Reason
		}
	}
	return ""
}
