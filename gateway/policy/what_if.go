package policy

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"

	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Way is the way to yes of a request that was brought and is about nobody in particular:
// the fewest acts that together would have every field pass that was asked and is needed.
// Each was proved by judging again. Parties are OINs. None: it is a yes, or it could not
// be judged.
func (e *Engine) Way(ctx context.Context, in Input) []*budgetv1.WayToYes {
	at := cellOf{
		in.Action.Properties.Purpose, in.Resource.Properties.SourceKind, in.Action.Properties.Law,
		identity.OIN(in.Subject.ID), identity.OIN(in.Resource.Properties.Source),
	}
	targets := e.wanted(at, in.Resource.Properties.Fields)
	codes := func(s supposed) []obstacle { return e.stands(ctx, in, s, targets) }
	now := codes(supposed{})
	if len(now) == 0 || in.check() != nil {
		return nil
	}
	least, left := journey{codes: codes, all: supposed{request: true, agreement: true, consent: true}, bases: true, ways: e.ways}.find()
	if holds(left, CodeUndecided) {
		return nil
	}
	never := e.nevers(left, at)
	if slices.ContainsFunc(left, func(o obstacle) bool { return o.category == "" }) || len(targets) > 0 && len(left) == len(targets) {
		return inOrder(never)
	}
	return inOrder(append(e.brings(ctx, in, least, targets), never...))
}

// wanted are the fields that were asked and are needed; none: any will do.
func (e *Engine) wanted(at cellOf, fields []string) []string {
	var list []string
	for _, c := range e.needs[at.purpose][at.kind][at.law] {
		if slices.Contains(fields, string(c)) {
			list = append(list, string(c))
		}
	}
	return list
}

// stands is what stands in the way of a request under a supposition.
func (e *Engine) stands(ctx context.Context, in Input, s supposed, targets []string) (all []obstacle) {
	s.change(&in)
	said := e.evaluate(ctx, &in)
	if !said.Allow {
		return refusedBy(said, nil, targets)
	}
	for _, c := range targets {
		mask, passes := said.Fields[c]
		switch {
		case !passes:
			all = addOnce(all, obstacle{cmp.Or(said.Dropped[c], CodeUndecided), c})
		case mask == string(budgetv1.MaskExists):
			all = addOnce(all, obstacle{"VELD-01", c})
		}
	}
	return all
}

// brings words a supposition about a request that was brought.
func (e *Engine) brings(ctx context.Context, in Input, s supposed, targets []string) (way []*budgetv1.WayToYes) {
	if s.request {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActRequest})
		supposed{request: true}.change(&in)
	}
	said, source := e.evaluate(ctx, &in), in.Resource.Properties.Source
	if len(targets) == 0 {
		targets = slices.Clone(in.Resource.Properties.Fields)
	}
	way = append(way, workers(worker{s.role, s.assurance})...)
	if s.agreement {
		missing := slices.DeleteFunc(slices.Clone(targets), func(c string) bool {
			return in.Context.Agreement != nil && slices.Contains(in.Context.Agreement.Fields, c)
		})
		if len(missing) == 0 {
			missing = targets
		}
		way = append(way, &budgetv1.WayToYes{Act: agreementBy(said.Reasons, in.Context.Agreement), Party: source, Categories: both(missing, nil)})
	}
	if s.basis != "" {
		way = append(way, &budgetv1.WayToYes{Act: budgetv1.ActLegalBasis, Party: source, LegalBasis: s.basis})
	}
	if s.consent {
		way = append(way, &budgetv1.WayToYes{Act: consentBy(said.Reasons, in.Context.Consent), Party: source, Categories: both(targets, nil)})
	}
	return way
}

// Apart is the same engine with caches of its own, for who asks what would be on any day:
// what is asked today is not forgotten for it.
func (e *Engine) Apart() *Engine {
	apart := *e
	apart.cache, apart.doors, apart.shadow = newCache(e.cache.limit), newCache(doorsCacheSize), new(atomic.Pointer[Shadow])
	return &apart
}
