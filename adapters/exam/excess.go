package exam

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// granted gives what was asked under a law, and the masks of it.
func granted(q *budgetv1.FetchRequest, law string) (all []budgetv1.Category, masks budgetv1.Masks) {
	masks = budgetv1.Masks{}
	for _, s := range q.GetScopes() {
		if s.GetLaw() == law {
			masks.Narrow(s)
			for _, c := range s.GetCategories() {
				all = append(all, budgetv1.Category(c))
			}
		}
	}
	return all, masks
}

// tells names what a message tells that was not asked under its law; empty: nothing.
func tells(q *budgetv1.FetchRequest, law string, m proto.Message) string {
	all, masks := granted(q, law)
	if len(all) == 0 {
		return "" // of another check
	}
	cut := proto.Clone(m)
	budgetv1.Minimise(cut, all, masks)
	if proto.Equal(cut, m) {
		return ""
	}
	return differs("", cut.ProtoReflect(), m.ProtoReflect())
}

// excess names what an answer tells beyond the categories that were asked. What it tells of
// another law is of another check.
func excess(q *budgetv1.FetchRequest, r *budgetv1.FetchResponse) string {
	for i, l := range r.GetLines() {
		if path := tells(q, l.GetLaw(), bare(l)); path != "" {
			return fmt.Sprintf("lines[%d].%s", i, path)
		}
	}
	for i, h := range r.GetHistory() {
		if path := tells(q, h.GetLaw(), bare(h)); path != "" {
			return fmt.Sprintf("history[%d].%s", i, path)
		}
	}
	for i, s := range r.GetSpends() {
		all, _ := granted(q, s.GetLaw())
		if path := tells(q, s.GetLaw(), bare(s)); path != "" || len(all) > 0 && !slices.Contains(all, budgetv1.CategorySpending) {
			return fmt.Sprintf("spends[%d].%s", i, path)
		}
	}
	for i, c := range r.GetOwnContributions() {
		all, _ := granted(q, c.GetLaw())
		if path := tells(q, c.GetLaw(), bare(c)); path != "" || len(all) > 0 && !slices.Contains(all, budgetv1.CategoryOwnContribution) {
			return fmt.Sprintf("own_contributions[%d].%s", i, path)
		}
	}
	for i, n := range r.GetNotices() {
		if path := tells(q, n.GetLaw(), bare(n)); path != "" {
			return fmt.Sprintf("notices[%d].%s", i, path)
		}
	}
	return ""
}

// bare is a message without the fields that it does not have: those are of another check.
func bare[M proto.Message](m M) M {
	c := proto.CloneOf(m)
	c.ProtoReflect().SetUnknown(nil)
	return c
}

// otherLaw names what an answer tells under a law that was not asked.
func otherLaw(q *budgetv1.FetchRequest, r *budgetv1.FetchResponse) string {
	not := func(law string) bool {
		all, _ := granted(q, law)
		return len(all) == 0
	}
	for i, l := range r.GetLines() {
		if not(l.GetLaw()) {
			return fmt.Sprintf("lines[%d].law", i)
		}
	}
	for i, h := range r.GetHistory() {
		if not(h.GetLaw()) {
			return fmt.Sprintf("history[%d].law", i)
		}
	}
	for i, s := range r.GetSpends() {
		if not(s.GetLaw()) {
			return fmt.Sprintf("spends[%d].law", i)
		}
	}
	for i, c := range r.GetOwnContributions() {
		if not(c.GetLaw()) {
			return fmt.Sprintf("own_contributions[%d].law", i)
		}
	}
	return ""
}
