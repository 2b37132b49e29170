package exam

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// again: the same question, put twice, has the same answer.
func again(ctx context.Context, x *examination) *finding {
	p, before, f := x.someone(ctx)
	if f != nil {
		return f
	}
	for range 2 {
		t, f := x.adapter(ctx)
		if f != nil {
			return f
		}
		r, err := t.fetch(ctx, x.question(p.Numbers))
		switch {
		case t.gone():
			return fails("het programma stopt bij dezelfde vraag over %s", "the program ends at the same question about %s", p.ID)
		case err != nil:
			return fails("%s: de volgende keer %s", "%s: the next time %s", p.ID, outcome(err))
		}
		if now := settled(r); !before.same(now) {
			return fails("%s: %s", "%s: %s", p.ID, before.differs(now))
		}
	}
	return nil
}

// golden: about each person comes what the file says.
func golden(ctx context.Context, x *examination) *finding {
	held := 0
	for _, p := range x.Persons.Persons {
		want, err := p.golden()
		if want == nil && p.Error == "" || err != nil {
			continue // the file does not say; that it can be read was seen before
		}
		held++
		now, f := x.about(ctx, p)
		switch {
		case f != nil:
			return f
		case p.Error != "" && reason(now.err) != p.Error:
			return fails("%s: %s, verwacht %s", "%s: %s, expected %s", p.ID, outcome(now.err), p.Error)
		case p.Error != "":
		case now.err != nil:
			return fails("%s: %s", "%s: %s", p.ID, outcome(now.err))
		case !want.same(settled(now.answer.FetchResponse)):
			return fails("%s: %s", "%s: %s", p.ID, want.differs(settled(now.answer.FetchResponse)))
		}
	}
	if held == 0 {
		return beside("het bestand zegt van niemand wat er moet komen (answer, error)", "the file says of nobody what must come (answer, error)")
	}
	return passes("%d personen", "%d persons", held)
}

// asked puts a changed question about each person to the adapter, and judges what comes. An
// error of a reason is an answer too: to a source some questions make no sense.
func (x *examination) asked(ctx context.Context, change func(*budgetv1.FetchRequest), judge func(*budgetv1.FetchRequest, *budgetv1.FetchResponse) string) *finding {
	for _, p := range x.Persons.Persons {
		if p.Error != "" {
			continue
		}
		t, f := x.adapter(ctx)
		if f != nil {
			return f
		}
		q := x.question(p.Numbers)
		change(q)
		r, err := t.fetch(ctx, q)
		switch {
		case err != nil && reason(err) == scopeUnsupported:
			continue
		case err != nil:
			return fails("%s: %s", "%s: %s", p.ID, outcome(err))
		}
		if path := judge(q, r); path != "" {
			return fails("%s: %s is niet gevraagd", "%s: %s was not asked", p.ID, path)
		}
	}
	return nil
}

// onlyFields: each category asked alone, and beside the right itself, brings nothing else.
func onlyFields(ctx context.Context, x *examination) *finding {
	for _, c := range x.what.GetCategories() {
		for _, set := range [][]string{{c}, {string(budgetv1.CategoryEntitlement), c}} {
			if c == set[0] && len(set) == 2 {
				continue
			}
			if f := x.asked(ctx, func(q *budgetv1.FetchRequest) {
				for _, s := range q.GetScopes() {
					s.Categories = set
				}
			}, excess); f != nil {
				f.seen.NL, f.seen.EN = fmt.Sprintf("%v: %s", set, f.seen.NL), fmt.Sprintf("%v: %s", set, f.seen.EN)
				return f
			}
		}
	}
	return nil
}

// onlyLaws: asked about one law it tells nothing of another.
func onlyLaws(ctx context.Context, x *examination) *finding {
	for i := range x.question(Numbers{}).GetScopes() {
		if f := x.asked(ctx, func(q *budgetv1.FetchRequest) { q.Scopes = q.GetScopes()[i : i+1] }, otherLaw); f != nil {
			return f
		}
	}
	return nil
}

// onlyMasked: of what is masked it tells no more than the mask allows.
func onlyMasked(ctx context.Context, x *examination) *finding {
	for _, c := range x.what.GetCategories() {
		if c == string(budgetv1.CategoryEntitlement) {
			continue
		}
		for _, mask := range []budgetv1.Mask{budgetv1.MaskExists, budgetv1.MaskGroup} {
			if f := x.asked(ctx, func(q *budgetv1.FetchRequest) {
				for _, s := range q.GetScopes() {
					s.Masks = map[string]string{c: string(mask)}
				}
			}, excess); f != nil {
				f.seen.NL, f.seen.EN = fmt.Sprintf("%s %s: %s", c, mask, f.seen.NL), fmt.Sprintf("%s %s: %s", c, mask, f.seen.EN)
				return f
			}
		}
	}
	return nil
}

// digests: those of records are salted anew for each answer, so that they prove and do not
// disclose.
func digests(ctx context.Context, x *examination) *finding {
	p, _, f := x.someone(ctx)
	if f != nil {
		return f
	}
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	one := x.first[p.ID].answer.FetchResponse
	two, err := t.fetch(ctx, x.question(p.Numbers))
	if err != nil {
		return fails("%s: de volgende keer %s", "%s: the next time %s", p.ID, outcome(err))
	}
	if one.GetAnswerId() == two.GetAnswerId() {
		return fails("%s: twee antwoorden met één answer_id", "%s: two answers with one answer_id", p.ID)
	}
	var all [][]byte
	for _, r := range []*budgetv1.FetchResponse{one, two} {
		var here [][]byte
		for i, l := range r.GetLines() {
			for j, from := range l.GetProvenance() {
				if len(from.GetSha256()) != 32 {
					return fails("%s: lines[%d].provenance[%d].sha256: geen 32 bytes", "%s: lines[%d].provenance[%d].sha256: no 32 bytes", p.ID, i, j)
				}
				here = append(here, from.GetSha256())
			}
		}
		for _, sum := range here {
			if slices.ContainsFunc(all, func(other []byte) bool { return bytes.Equal(sum, other) }) {
				return fails("%s: in twee antwoorden dezelfde sha256", "%s: in two answers the same sha256", p.ID)
			}
		}
		all = append(all, here...)
	}
	return nil
}

// unknownPerson: of somebody whom the source does not know there is nothing.
func unknownPerson(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	r, err := t.fetch(ctx, x.question(x.Persons.unknown()))
	switch {
	case err != nil && (reason(err) != subjectNotFound || status.Code(err) != codes.NotFound):
		return fails("%s", "%s", outcome(err))
	case len(r.GetLines())+len(r.GetHistory())+len(r.GetSpends())+len(r.GetOwnContributions()) > 0:
		return fails("er komen regels", "there are lines")
	}
	return nil
}

// refused puts a question that makes no sense, and wants it refused.
func (x *examination) refused(ctx context.Context, change func(*budgetv1.FetchRequest)) string {
	t, f := x.adapter(ctx)
	if f != nil {
		return f.seen.EN
	}
	q := x.question(x.Persons.Persons[0].Numbers)
	change(q)
	_, err := t.fetch(ctx, q)
	if status.Code(err) != codes.InvalidArgument || reason(err) != scopeUnsupported {
		return outcome(err)
	}
	return ""
}

// noNumber: a question without the number it needs is refused.
func noNumber(ctx context.Context, x *examination) *finding {
	if got := x.refused(ctx, func(q *budgetv1.FetchRequest) { q.Identifiers = &budgetv1.Identifiers{} }); got != "" {
		return fails("zonder nummer: %s", "without a number: %s", got)
	}
	return nil
}

// strangeLaw: a question about a law that it does not have is refused.
func strangeLaw(ctx context.Context, x *examination) *finding {
	for _, law := range budgetv1.Laws() {
		if slices.Contains(x.what.GetLaws(), law) {
			continue
		}
		if got := x.refused(ctx, func(q *budgetv1.FetchRequest) { q.Scopes[0].Law = law }); got != "" {
			return fails("%s: %s", "%s: %s", law, got)
		}
		return nil
	}
	return beside("het heeft alle wetten", "it has all laws")
}

// senseless: a question that breaks the rules of the message is refused.
func senseless(ctx context.Context, x *examination) *finding {
	for what, change := range map[string]func(*budgetv1.FetchRequest){
		"no scopes":       func(q *budgetv1.FetchRequest) { q.Scopes = nil },
		"no window":       func(q *budgetv1.FetchRequest) { q.Window = nil },
		"no date":         func(q *budgetv1.FetchRequest) { q.Window.From = "gisteren" },
		"window reversed": func(q *budgetv1.FetchRequest) { q.Window.From, q.Window.To = "2025-12-31", "2025-01-01" },
		"no categories":   func(q *budgetv1.FetchRequest) { q.Scopes[0].Categories = nil },
		"law of no list":  func(q *budgetv1.FetchRequest) { q.Scopes[0].Law = "KANARIE" },
		"no requester":    func(q *budgetv1.FetchRequest) { q.Requester = "" },
	} {
		if got := x.refused(ctx, change); got != "" {
			return fails("%s: %s", "%s: %s", what, got)
		}
	}
	return nil
}
