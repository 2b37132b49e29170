package gateway

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/ontschot/ontschot/gateway/budget"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// historyMonths before the window are asked for, to find gaps; never released.
const historyMonths = 12

// ask puts every granted question at once, each under its own deadline. What comes
// back is minimised before it leaves its goroutine. It always answers for every
// pair: a refusal and a silent source are gaps.
func (g *Gateway) ask(ctx context.Context, d decision, heard func(*ontschotv1.Progress)) []budget.Answer {
	answers := make([]budget.Answer, len(d.pairs))
	var open []int // pairs that can be asked
	for i, p := range d.pairs {
		answers[i] = p.answer()
		switch _, reachable := g.Sources[p.source.Code]; {
		case p.grant.Allows() && p.number() == "":
			answers[i].Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonSourceUnavailable, Code: budgetv1.GapNumberMissing}}
		case p.grant.Allows() && reachable && !g.accepts(p.grant):
			answers[i].Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonPeerRefused, Code: budgetv1.GapRateLimited}}
		case p.grant.Allows() && reachable:
			open = append(open, i)
		case p.grant.Allows():
			answers[i].Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonNoAdapter}}
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex // a stream takes one message at a time
	count := int32(0)
	var broken any // what a goroutine panicked with; there it would end the process
	for _, i := range open {
		all.Go(func() {
			defer func() {
				if what := recover(); what != nil {
					g.Log.Error("asking a source panicked", "trace", d.trace, "kind", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
					mu.Lock()
					defer mu.Unlock()
					broken = what
				}
			}()
			p := d.pairs[i]
			answers[i] = g.askOne(ctx, g.Sources[p.source.Code], d, p)
			mu.Lock()
			defer mu.Unlock()
			count++
			heard(&ontschotv1.Progress{
				Source: p.source.Code, Person: string(p.person.ref), ElapsedMs: answers[i].Elapsed.Milliseconds(),
				Heard: count, Asked: int32(len(open)),
			})
		})
	}
	all.Wait()
	if broken != nil {
		panic(broken)
	}
	return answers
}

// number is the identifier that the source's kind may be sent.
func (p pair) number() string {
	switch budgetv1.IdentifierOf(p.source.Kind) {
	case budgetv1.IdentifierEducationNumber:
		return p.person.identifiers.education
	case budgetv1.IdentifierPassNumber:
		return p.person.identifiers.transport
	default:
		return p.person.identifiers.bsn.String() // masked, and never empty
	}
}

// answer is what is known before anybody is asked.
func (p pair) answer() budget.Answer {
	a := budget.Answer{Person: p.person.ref, Source: p.source.Code, Gaps: p.refusals}
	if len(p.source.Laws) > 0 { // a source of figures only has no column of its own in the matrix
		a.Laws = p.grant.Laws()
	}
	if p.grant.Allows() {
		a.Consent, a.Agreement = p.grant.Consent().ID(), p.grant.Agreement().Agreement().ID()
		a.ConsentUntil = p.grant.Consent().Span().To
		a.ConsentLapses, a.LapsesAt = p.grant.Consent().Lapses()
	}
	return a
}

// askOne asks one source about one person. Whatever the answer does to the code
// that reads it, it costs this answer and not the gateway.
func (g *Gateway) askOne(ctx context.Context, source Source, d decision, p pair) (a budget.Answer) {
	a = p.answer()
	defer func() {
		if what := recover(); what != nil {
			g.Log.Error("reading an answer panicked", "trace", d.trace, "source", p.source.Code, "kind", fmt.Sprintf("%T", what))
			a.Response, a.Gaps = nil, []*budgetv1.Gap{{Reason: budgetv1.ReasonBadDataAtSource}}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, *g.SourceTimeout)
	defer cancel()
	start := time.Now()
	response, err := source.Fetch(ctx, d.fetch(p, string(g.Own)))
	a.Elapsed = time.Since(start)
	if err == nil {
		err = g.sound(response, p)
	}
	if err != nil {
		gap := gapOf(ctx, err)
		// Reason and code alone: an error of a source may say anything.
		g.Log.Warn("source gave no answer", "trace", d.trace, "source", p.source.Code, "reason", gap.GetReason(), "code", gap.GetCode(), "elapsed_ms", a.Elapsed.Milliseconds())
		a.Gaps = []*budgetv1.Gap{gap}
		return a
	}
	p.grant.Minimise(response)
	odd, err := cleaned(response)
	if err != nil {
		a.Gaps = []*budgetv1.Gap{gapOf(ctx, err)}
		return a
	}
	a.Response, a.Gaps = response, append(slices.Clone(a.Gaps), odd...)
	return a
}

// fetch is the question to one source: its own grant and no other, and only the
// identifier its kind may be sent.
func (d decision) fetch(p pair, requester string) *budgetv1.FetchRequest {
	ids := &budgetv1.Identifiers{}
	proofs := &budgetv1.Proofs{
		Consent: p.grant.Consent().Shell(), Disclosure: p.grant.Consent().Disclosure(), Agreement: p.grant.Agreement().Agreement().ID(),
	}
	switch budgetv1.IdentifierOf(p.source.Kind) {
	case budgetv1.IdentifierEducationNumber:
		ids.EducationNumber = p.person.identifiers.education
	case budgetv1.IdentifierPassNumber:
		ids.PassNumber = p.person.identifiers.transport
	default:
		ids.Bsn = p.person.identifiers.bsn.Reveal()
		proofs.SubjectKey = p.grant.Consent().SubjectKey()
	}
	w := d.question.window
	return &budgetv1.FetchRequest{
		Identifiers: ids, Window: &budgetv1.Window{From: w.From.String(), To: w.To.String()},
		HistoryFrom: w.From.AddMonths(-historyMonths).String(), Scopes: p.grant.Scopes(),
		Purpose: d.question.purpose, Proofs: proofs, Requester: requester, Trace: d.trace,
	}
}

// sound refuses an answer that breaks the contract of a source. This is where it is
// decided whose money a line may be: an adapter is a stranger's program, and a peer or a
// test has no host in front of it, so neither kit nor host is relied on for that.
func (g *Gateway) sound(r *budgetv1.FetchResponse, p pair) error {
	if err := g.validate.Validate(r); err != nil {
		return errBadAnswer
	}
	for _, l := range r.GetLines() {
		// A line of another funder, or one that brings what only assembly may set.
		if l.GetFunder() != p.source.Code || l.GetId() != "" || l.GetPerson() != "" || l.ValueCents != nil || l.GetContested() {
			return errBadAnswer
		}
		if l.GetAmount() != nil && l.GetIncome() != nil {
			return errBadAnswer
		}
	}
	return nil
}

// progress passes on who was heard. That a caller no longer listens is found out
// when the answer is sent.
func progress(stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) func(*ontschotv1.Progress) {
	return func(p *ontschotv1.Progress) {
		_ = stream.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Progress{Progress: p}})
	}
}
