package exam

import (
	"context"
	"strings"
	"time"

	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// longestCall bounds a call that must succeed.
const longestCall = 30 * time.Second

// mostScopes is how many laws one question may name.
const mostScopes = 16

// question asks all that the adapter says it has, by the numbers it says it needs.
func (x *examination) question(of Numbers) *budgetv1.FetchRequest {
	year := time.Now().Format("2006")
	window, history := &budgetv1.Window{From: year + "-01-01", To: year + "-12-31"}, year+"-01-01"
	if x.Persons != nil {
		window, history = &budgetv1.Window{From: x.Persons.From, To: x.Persons.To}, x.Persons.HistoryFrom
	}
	q := &budgetv1.FetchRequest{
		Identifiers: numbers(x.what, of), Window: window, HistoryFrom: history,
		Purpose: "synthetic", Requester: strings.Repeat("0", 20), Trace: strings.Repeat("e", 32),
	}
	for _, law := range x.what.GetLaws()[:min(len(x.what.GetLaws()), mostScopes)] {
		q.Scopes = append(q.Scopes, &budgetv1.Scope{Law: law, Categories: x.what.GetCategories()})
	}
	return q
}

func numbers(what *adapterv1.DescribeResponse, of Numbers) *budgetv1.Identifiers {
	ids := &budgetv1.Identifiers{}
	for _, id := range what.GetIdentifiers() {
		switch id {
		case budgetv1.IdentifierBSN:
			ids.Bsn = of.BSN
		case budgetv1.IdentifierEducationNumber:
			ids.EducationNumber = of.EducationNumber
		case budgetv1.IdentifierPassNumber:
			ids.PassNumber = of.PassNumber
		}
	}
	return ids
}

// adapter gives the one that is examined, configured; a new one when it is gone. The finding
// says why there is none.
func (x *examination) adapter(ctx context.Context) (*target, *finding) {
	if x.main != nil && !x.main.gone() {
		return x.main, nil
	}
	if x.main != nil {
		x.main.close()
	}
	t, f := x.configured(ctx)
	x.main = t
	return t, f
}

// configured gives an adapter of its own, configured.
func (x *examination) configured(ctx context.Context) (*target, *finding) {
	t, f := x.open(ctx)
	if f != nil || t.child == nil {
		return t, f
	}
	found, err := t.configure(ctx, x.config(), x.Secrets)
	if err != nil || len(found) > 0 {
		t.close()
		return nil, fails("de configuratie wordt niet aangenomen: %s%s", "the configuration is not taken: %s%s", outcome(err), paths(found))
	}
	return t, nil
}

func paths(found []*adapterv1.ConfigFinding) string {
	var all strings.Builder
	for _, f := range found {
		all.WriteString(" " + f.GetPath())
	}
	return all.String()
}

// config is the configuration under which it is examined: with us between it and its source,
// where that can be.
func (x *examination) config() []byte {
	if x.lines != nil {
		return x.lines.config
	}
	return x.JSON
}

// about asks about a person for the first time, and gives what came of it then ever after.
func (x *examination) about(ctx context.Context, p Person) (told, *finding) {
	if known, ok := x.first[p.ID]; ok {
		return known, nil
	}
	t, f := x.adapter(ctx)
	if f != nil {
		return told{}, f
	}
	r, err := t.fetch(ctx, x.question(p.Numbers))
	if t.gone() {
		return told{}, fails("het programma stopt bij een vraag over %s", "the program ends at a question about %s", p.ID)
	}
	now := told{err: err}
	if err == nil {
		now.answer = &answer{r}
	}
	x.first[p.ID] = now
	return now, nil
}

// known are the persons about whom there is an answer, with it as it came.
func (x *examination) known(ctx context.Context, each func(Person, *budgetv1.FetchResponse) *finding) *finding {
	for _, p := range x.Persons.Persons {
		now, f := x.about(ctx, p)
		if f != nil {
			return f
		}
		if now.answer == nil {
			continue
		}
		if f := each(p, now.answer.FetchResponse); f != nil {
			return f
		}
	}
	return nil
}

// someone is the first person of whom the source has an answer; that fails when there is none.
func (x *examination) someone(ctx context.Context) (Person, *answer, *finding) {
	seen := ""
	for _, p := range x.Persons.Persons {
		now, f := x.about(ctx, p)
		if f != nil {
			return Person{}, nil, f
		}
		if now.answer != nil && p.Error == "" && len(now.answer.GetLines())+len(now.answer.GetSpends())+len(now.answer.GetOwnContributions()) > 0 {
			return p, settled(now.answer.FetchResponse), nil
		}
		seen += " " + p.ID + ": " + outcome(now.err)
	}
	return Person{}, nil, fails("over niemand komt een antwoord met regels:%s", "about nobody there is an answer with lines:%s", seen)
}
