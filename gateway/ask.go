package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Deadlines. A caller without one gets defaultDeadline. What is shaved off leaves
// time to assemble, record and send a budget with gaps before the caller gives up.
const (
	defaultDeadline = 30 * time.Second
	maxShave        = 400 * time.Millisecond
)

// shave ends asking a little before the caller stops listening.
func shave(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithTimeout(ctx, defaultDeadline)
	}
	left := time.Until(deadline)
	return context.WithTimeout(ctx, left-min(left/4, maxShave))
}

// ask puts every granted request at once, each under its own deadline, and the last in the
// caller's goroutine. What comes back is minimised before it leaves its goroutine. It always answers for every
// pair: a refusal and a silent source are gaps.
func (g *Gateway) ask(ctx context.Context, d decision, heard func(*ontschotv1.Progress)) []budget.Answer {
	answers := make([]budget.Answer, len(d.pairs))
	var open []int // pairs that can be asked
	for i, p := range d.pairs {
		answers[i] = p.answer()
		if p.asked() {
			open = append(open, i)
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex // a stream takes one message at a time
	count := int32(0)
	var broken any // what a goroutine panicked with; there it would end the process
	one := func(i int) {
		defer func() {
			if what := recover(); what != nil {
				g.Log.Error("asking a source panicked", "trace", d.trace, "kind", fmt.Sprintf("%T", what), "stack", string(debug.Stack()))
				mu.Lock()
				defer mu.Unlock()
				broken = what
			}
		}()
		p := d.pairs[i]
		if source, there := g.source(p.source.Code); there {
			answers[i] = g.askOne(ctx, source, d, p)
		} else { // its gateway was taken out of the trust file since the decision
			answers[i].Gaps = []*budgetv1.Gap{{Reason: budgetv1.ReasonNoAdapter}}
		}
		mu.Lock()
		defer mu.Unlock()
		count++
		heard(&ontschotv1.Progress{
			Source: p.source.Code, Person: string(p.person.Ref), ElapsedMs: answers[i].Elapsed.Milliseconds(),
			Heard: count, Asked: int32(len(open)),
		})
	}
	for n, i := range open {
		if n < len(open)-1 {
			all.Go(func() { one(i) })
		} else {
			one(i)
		}
	}
	all.Wait()
	if broken != nil {
		panic(broken)
	}
	return answers
}

// number is the identifier that the source's kind may be sent.
func (a ask) number() string {
	switch budgetv1.IdentifierOf(a.source.Kind) {
	case budgetv1.IdentifierEducationNumber:
		return a.person.identifiers.education
	case budgetv1.IdentifierPassNumber:
		return a.person.identifiers.transport
	default:
		return a.person.identifiers.bsn.String() // masked, and never empty
	}
}

// answer is what is known before anybody is asked.
func (p pair) answer() budget.Answer {
	a := budget.Answer{Person: p.person.Ref, Source: p.source.Code, Gaps: p.refusals}
	if len(p.source.Laws) > 0 { // a source of figures only has no column of its own in the matrix
		a.Laws = p.grant.Laws()
	}
	if p.grant.Allows() {
		a.Consent, a.Agreement = p.grant.Consent().ID(), p.grant.Agreement().Agreement().ID()
		a.ConsentUntil = p.grant.Consent().Span().To
		a.ConsentLapses, a.LapsesAt = p.grant.Consent().Lapses()
	}
	if p.unasked != nil {
		a.Gaps = []*budgetv1.Gap{p.unasked}
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
	shown := false // what is cleared or masked of it leaves nothing worse to show
	if err == nil {
		shown, err = g.sound(response, p)
	}
	if err != nil {
		gap := gapOf(ctx, err)
		// Reason and code alone: an error of a source may say anything.
		g.Log.Warn("source gave no answer", "trace", d.trace, "source", p.source.Code, "reason", gap.GetReason(), "code", gap.GetCode(), "elapsed_ms", a.Elapsed.Milliseconds())
		a.Gaps = []*budgetv1.Gap{gap}
		return a
	}
	p.grant.Minimise(response)
	var odd []*budgetv1.Gap
	if !shown {
		if odd, shown = budget.Clean(response); !shown {
			a.Gaps = []*budgetv1.Gap{gapOf(ctx, errBadAnswer)}
			return a
		}
	}
	g.logSkipped(response, d.trace, p.source.Code)
	a.Response, a.Gaps = response, slices.Concat(a.Gaps, odd, budget.WithheldBy(response))
	return a
}

// logSkipped says in the log which records a source has that nobody could read, so that
// it can repair them: where, and what should have stood there.
func (g *Gateway) logSkipped(r *budgetv1.FetchResponse, trace, source string) {
	for _, n := range r.GetNotices() {
		if n.GetRule() == "" && n.GetGap() == "" {
			continue
		}
		g.Log.Warn("source has records that could not be read", "trace", trace, "source", source, "code", n.GetGap(),
			"path", identity.Rule(n.GetPointer()), "rule", identity.Rule(n.GetRule()), "count", max(n.GetCount(), 1))
	}
}

// fetch is the request to one source: its own grant and no other, and only the
// identifier its kind may be sent.
func (d decision) fetch(p pair, requester string) *budgetv1.FetchRequest {
	ids := &budgetv1.Identifiers{}
	proofs := &budgetv1.Proofs{
		Consent: p.grant.Consent().Shell(), Disclosure: p.grant.Consent().Disclosure(), Agreement: p.grant.Agreement().Agreement().ID(),
		Case: d.caller().Case(), Role: d.caller().Role(), Assurance: d.caller().Assurance(),
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
	w := d.request.window
	return &budgetv1.FetchRequest{
		Identifiers: ids, Window: &budgetv1.Window{From: w.From.String(), To: w.To.String()},
		HistoryFrom: w.From.AddMonths(-admission.HistoryMonths).String(), Scopes: p.grant.Scopes(),
		Purpose: d.request.purpose, Proofs: proofs, Requester: requester, Trace: d.trace, Laws: p.source.Laws,
	}
}

// sound refuses an answer that breaks the contract of a source. This is where it is
// decided whose money a line may be: an adapter is a stranger's program, and a peer or a
// test has no host in front of it, so neither kit nor host is relied on for that. shown
// says that all its texts can be shown; else they have to be looked at.
func (g *Gateway) sound(r *budgetv1.FetchResponse, p pair) (shown bool, err error) {
	kept, shown := budgetv1.Sound(r)
	if !kept {
		if err := g.answers.Validate(r); err != nil {
			return false, badAnswer(budgetv1.FieldPath(err))
		}
	}
	for _, l := range r.GetLines() {
		// A line of another funder, or one that sets what only assembly may set.
		if l.GetFunder() != p.source.Code || l.GetId() != "" || l.GetPerson() != "" || l.ValueCents != nil || l.GetContested() {
			return false, errBadAnswer
		}
		if l.GetAmount() != nil && l.GetIncome() != nil {
			return false, errBadAnswer
		}
	}
	return shown, nil
}

// progress passes on which source is done. Of the last one it is said just before the budget
// follows, so that both go out together. That a caller no longer listens is found out when
// the answer is sent.
type progress struct {
	to   grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]
	last *ontschotv1.Progress
}

func (p *progress) heard(one *ontschotv1.Progress) {
	if one.Heard == one.Asked {
		p.last = one
		return
	}
	p.send(one)
}

func (p *progress) end() {
	if p.last != nil {
		p.send(p.last)
	}
}

func (p *progress) send(one *ontschotv1.Progress) {
	_ = p.to.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Progress{Progress: one}})
}

// errBadAnswer means that the answer of a source breaks its contract.
var errBadAnswer = errors.New("the answer of the source breaks its contract")

// badAnswer is an errBadAnswer that says where: a path in the answer, never a value.
type badAnswer string

// Error implements error.
func (b badAnswer) Error() string { return errBadAnswer.Error() + ": " + string(b) }

// Is makes it an errBadAnswer.
func (badAnswer) Is(target error) bool { return target == errBadAnswer }

// infoOf is nil where a source said no google.rpc.ErrorInfo.
func infoOf(s *status.Status) *errdetails.ErrorInfo {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// gapOf maps what a source said, or did not say, to a reason of the closed list;
// what it said itself is the code.
func gapOf(ctx context.Context, err error) *budgetv1.Gap {
	if where := badAnswer(""); errors.As(err, &where) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: strings.TrimSpace(budgetv1.FaultBadData + " " + identity.Place(string(where)))}
	}
	if errors.Is(err, errBadAnswer) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource}
	}
	s := status.Convert(err)
	said := infoOf(s).GetReason()
	switch said {
	case budgetv1.FaultBadData, budgetv1.FaultAdapterBug, budgetv1.FaultNotConfigured, budgetv1.FaultSubjectNotFound:
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: strings.TrimSpace(said + " " + identity.Place(infoOf(s).GetMetadata()["path"]))}
	case budgetv1.FaultNotAuthorised, budgetv1.FaultScopeUnsupported:
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: cmp.Or(causeOf(s, budgetv1.ReasonPeerRefused), said)}
	case budgetv1.ReasonPeerRefused:
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: causeOf(s, budgetv1.ReasonPeerRefused)}
	case budgetv1.FaultSourceTimeout:
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceTimeout, Code: causeOf(s, budgetv1.ReasonSourceTimeout)}
	}
	if s.Code() == codes.DeadlineExceeded || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceTimeout}
	}
	return &budgetv1.Gap{Reason: budgetv1.ReasonSourceUnavailable, Code: causeOf(s, budgetv1.ReasonSourceUnavailable)}
}

// causeOf is what a source said that the failure is caused by, of the details that the
// reason has; that says who can repair it.
func causeOf(s *status.Status, reason string) string {
	cause := infoOf(s).GetMetadata()["cause"]
	if !slices.Contains(budgetv1.GapDetails()[reason], cause) {
		return ""
	}
	return cause
}
