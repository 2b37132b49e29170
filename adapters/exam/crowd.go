package exam

import (
	"context"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// crowd asks so many times at one moment, about the persons in turn, and wants the answers
// that there were.
func (x *examination) crowd(ctx context.Context, t *target, calls, atOnce int) *finding {
	var good []Person
	for _, p := range x.Persons.Persons {
		if now, f := x.about(ctx, p); f != nil {
			return f
		} else if now.answer != nil {
			good = append(good, p)
		}
	}
	if len(good) == 0 {
		return fails("over niemand komt een antwoord", "about nobody there is an answer")
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var wrong *finding
	count := 0
	room := make(chan struct{}, atOnce)
	for i := range calls {
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			p := good[i%len(good)]
			r, err := t.fetch(ctx, x.question(p.Numbers))
			before := settled(x.first[p.ID].answer.FetchResponse)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				count++
				wrong = fails("%d van %d: %s", "%d of %d: %s", count, calls, outcome(err))
			case !before.same(settled(r)):
				count++
				wrong = fails("%d van %d: een ander antwoord: %s", "%d of %d: another answer: %s", count, calls, before.differs(settled(r)))
			}
		})
	}
	wait.Wait()
	return wrong
}

// parallel: many questions at one moment all have their own answer.
func parallel(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	if f := x.crowd(ctx, t, x.Parallel, x.Parallel); f != nil {
		return f
	}
	return passes("%d tegelijk", "%d at once", x.Parallel)
}

// oneCall: whatever is asked, it costs one call: the questions beside it are answered.
func oneCall(ctx context.Context, x *examination) *finding {
	t, f := x.adapter(ctx)
	if f != nil {
		return f
	}
	if f := x.crowd(ctx, t, 4, 4); f != nil {
		return f
	}
	beside := make(chan *finding, 1)
	busy, done := context.WithCancel(ctx)
	defer done()
	go func() {
		for {
			if f := x.crowd(ctx, t, 4, 4); f != nil || busy.Err() != nil {
				beside <- f
				return
			}
		}
	}()
	var what string
	for _, h := range x.hostile() {
		_, _ = t.fetch(ctx, h.question) // whatever it says
		if t.gone() {
			what = h.what
			break
		}
	}
	done()
	f = <-beside
	if what != "" || t.gone() {
		return fails("het programma stopt (%s)", "the program ends (%s)", what)
	}
	return f
}

// hostileQuestion is one that no gateway would put.
type hostileQuestion struct {
	what     string
	question *budgetv1.FetchRequest
}

func (x *examination) hostile() (all []hostileQuestion) {
	add := func(what string, change func(*budgetv1.FetchRequest)) {
		q := x.question(x.Persons.Persons[0].Numbers)
		change(q)
		all = append(all, hostileQuestion{what, q})
	}
	add("empty", func(q *budgetv1.FetchRequest) { proto.Reset(q) })
	add("no identifiers", func(q *budgetv1.FetchRequest) { q.Identifiers = nil })
	add("no window", func(q *budgetv1.FetchRequest) { q.Window = nil })
	add("no history", func(q *budgetv1.FetchRequest) { q.HistoryFrom = "" })
	add("the year 9999", func(q *budgetv1.FetchRequest) { q.Window.To = "9999-99-99" })
	add("a million scopes, nearly", func(q *budgetv1.FetchRequest) {
		for range 5000 {
			q.Scopes = append(q.Scopes, q.GetScopes()[0])
		}
	})
	add("an empty scope", func(q *budgetv1.FetchRequest) { q.Scopes = append(q.Scopes, &budgetv1.Scope{}) })
	add("a long law", func(q *budgetv1.FetchRequest) { q.Scopes[0].Law = strings.Repeat("L", 100_000) })
	add("a long trace", func(q *budgetv1.FetchRequest) { q.Trace = strings.Repeat("\x00", 100_000) })
	add("proofs that are none", func(q *budgetv1.FetchRequest) {
		q.Proofs = &budgetv1.Proofs{Consent: "...", Disclosure: "[", SubjectKey: []byte{0}}
	})
	for _, text := range injections() {
		add("an identifier that is none", func(q *budgetv1.FetchRequest) { q.Identifiers = numbers(x.what, Numbers{text, text, text}) })
	}
	return all
}
