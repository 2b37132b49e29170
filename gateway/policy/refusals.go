package policy

import (
	"maps"
	"slices"
	"strings"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// refusals gathers what may not pass of one source into as few gaps as say it.
type refusals struct {
	laws    []string // all that were asked
	shut    []lawRefusal
	without []categoryRefusal
}

type lawRefusal struct {
	law string
	refusal
}

type categoryRefusal struct {
	law      string
	category budgetv1.Category
	refusal
}

func (r *refusals) law(law string, no refusal) {
	r.without = slices.DeleteFunc(r.without, func(p categoryRefusal) bool { return p.law == law })
	r.shut = append(r.shut, lawRefusal{law, no})
}

func (r *refusals) category(law string, c budgetv1.Category, no refusal) {
	r.without = append(r.without, categoryRefusal{law, c, no})
}

// of gives why a category that was refused under a law is missing.
func (r *refusals) of(law string, c budgetv1.Category) refusal {
	i := slices.IndexFunc(r.without, func(p categoryRefusal) bool { return p.law == law && p.category == c })
	return r.without[i].refusal
}

// whole is the gap of a source of which nothing passes: the first reason in
// the order in which the checks are made. Nothing passes too when every law is open and
// each of its categories is withheld, as with a consent that grants nothing of what
// the source supplies; and a law of which the policy knows no category is no purpose. A law
// that the purpose does not know at this source keeps none of the others shut: it has a gap
// of its own behind it, as it has when the others pass.
func (r *refusals) whole() []*budgetv1.Gap {
	var all []refusal
	unknown := &budgetv1.Gap{Reason: budgetv1.ReasonPurposeNotAllowed, Code: CodePurpose}
	for _, no := range r.shut {
		if no.code == CodePurpose {
			unknown.Laws = append(unknown.Laws, no.law)
			continue
		}
		all = append(all, no.refusal)
	}
	for _, no := range r.without {
		all = append(all, no.refusal)
	}
	if len(all) == 0 {
		unknown.Laws = nil // all of them
		return []*budgetv1.Gap{unknown}
	}
	order := budgetv1.GapReasons()
	first := slices.MinFunc(all, func(a, b refusal) int {
		return slices.Index(order, a.reason) - slices.Index(order, b.reason)
	})
	gaps := []*budgetv1.Gap{{Reason: first.reason, Code: first.code}}
	if len(unknown.Laws) > 0 {
		gaps = append(gaps, unknown)
	}
	return gaps
}

// parts are the gaps beside an answer: laws that were refused, and categories.
func (r *refusals) parts() []*budgetv1.Gap {
	var gaps []*budgetv1.Gap
	for _, w := range r.shut {
		at := slices.IndexFunc(gaps, func(g *budgetv1.Gap) bool { return g.Reason == w.reason && g.Code == w.code })
		if at < 0 {
			gaps = append(gaps, &budgetv1.Gap{Reason: w.reason, Code: w.code})
			at = len(gaps) - 1
		}
		gaps[at].Laws = append(gaps[at].Laws, w.law)
	}
	return append(gaps, r.groups()...)
}

// groups puts categories that are missing for one reason from the same laws together.
func (r *refusals) groups() []*budgetv1.Gap {
	var gaps []*budgetv1.Gap
	add := func(no refusal, laws []string, categories []string) {
		at := slices.IndexFunc(gaps, func(g *budgetv1.Gap) bool {
			return g.Reason == no.reason && g.Code == no.code && slices.Equal(g.Categories, categories)
		})
		if at >= 0 {
			gaps[at].Laws = append(gaps[at].Laws, laws...)
			return
		}
		gaps = append(gaps, &budgetv1.Gap{Reason: no.reason, Code: no.code, Laws: laws, Categories: categories})
	}
	for _, law := range r.laws {
		byReason := map[refusal][]string{}
		for _, p := range r.without {
			if p.law == law {
				byReason[p.refusal] = append(byReason[p.refusal], string(p.category))
			}
		}
		for _, no := range slices.SortedFunc(maps.Keys(byReason), func(a, b refusal) int { return strings.Compare(a.reason+a.code, b.reason+b.code) }) {
			add(no, []string{law}, byReason[no])
		}
	}
	for _, g := range gaps {
		if len(g.Laws) == len(r.laws) {
			g.Laws = nil // all of them
		}
	}
	return gaps
}
