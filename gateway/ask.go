package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/budget"
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

// ask puts every granted request at once, each under its own deadline. What comes
// back is minimised before it leaves its goroutine. It always answers for every
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
			source, ok := g.source(p.source.Code)
			if !ok { // its gateway was taken out of the trust file since the decision
				source = gone{}
			}
			answers[i] = g.askOne(ctx, source, d, p)
			mu.Lock()
			defer mu.Unlock()
			count++
			heard(&ontschotv1.Progress{
				Source: p.source.Code, Person: string(p.person.Ref), ElapsedMs: answers[i].Elapsed.Milliseconds(),
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
			"path", safe(rule, n.GetPointer()), "rule", safe(rule, n.GetRule()), "count", max(n.GetCount(), 1))
	}
}

// safe is a text that looks as it should and holds no number of a person; else empty.
func safe(looks form, text string) string {
	if len(text) > looks.most || !looks.like.MatchString(text) || number.MatchString(text) {
		return ""
	}
	return text
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
// test has no host in front of it, so neither kit nor host is relied on for that.
func (g *Gateway) sound(r *budgetv1.FetchResponse, p pair) error {
	if err := g.answers.Validate(r); err != nil {
		return badAnswer(budgetv1.FieldPath(err))
	}
	for _, l := range r.GetLines() {
		// A line of another funder, or one that sets what only assembly may set.
		if l.GetFunder() != p.source.Code || l.GetId() != "" || l.GetPerson() != "" || l.ValueCents != nil || l.GetContested() {
			return errBadAnswer
		}
		if l.GetAmount() != nil && l.GetIncome() != nil {
			return errBadAnswer
		}
	}
	return nil
}

// progress passes on which source is done. That a caller no longer listens is found out
// when the answer is sent.
func progress(stream grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse]) func(*ontschotv1.Progress) {
	return func(p *ontschotv1.Progress) {
		_ = stream.Send(&ontschotv1.AssembleBudgetResponse{Event: &ontschotv1.AssembleBudgetResponse_Progress{Progress: p}})
	}
}

// errBadAnswer means that the answer of a source breaks its contract.
var errBadAnswer = errors.New("the answer of the source breaks its contract")

// badAnswer is an errBadAnswer that says where: a path in the answer, never a value.
type badAnswer string

// Error implements error.
func (b badAnswer) Error() string { return errBadAnswer.Error() + ": " + string(b) }

// Is makes it an errBadAnswer.
func (badAnswer) Is(target error) bool { return target == errBadAnswer }

// cleaned takes out of a source's answer what cannot be shown: of a label the label, with
// a notice; of a code, identifier or date the record, which is then a gap beside the rest.
// The answer is minimised before: a gap names no law that was not granted.
func cleaned(r *budgetv1.FetchResponse) (odd []*budgetv1.Gap, err error) {
	if budgetv1.Unprintable(r) == "" { // nearly always
		return nil, nil
	}
	var notices []*budgetv1.Notice
	label := func(law string, p *budgetv1.Product, pointer string) {
		if budgetv1.DropLabel(p) {
			notices = append(notices, budgetv1.NoticeOfText(law, pointer))
		}
	}
	gap := func(law string, c budgetv1.Category) *budgetv1.Gap {
		g := &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: "TEXT_UNPRINTABLE"}
		if law != "" && budgetv1.Printable(law) {
			g.Laws = []string{law}
		}
		if c != "" {
			g.Categories = []string{string(c)}
		}
		return g
	}
	for _, l := range r.GetLines() {
		pointer := ""
		if len(l.GetProvenance()) > 0 {
			pointer = l.GetProvenance()[0].GetPointer()
		}
		label(l.GetLaw(), l.GetProduct(), pointer)
	}
	for _, l := range r.GetHistory() {
		label(l.GetLaw(), l.GetProduct(), "")
	}
	for _, n := range r.GetNotices() {
		label(n.GetLaw(), n.GetProduct(), n.GetPointer())
	}
	r.Lines = setAside(r.Lines, &odd, func(l *budgetv1.BudgetLine) *budgetv1.Gap { return gap(l.GetLaw(), "") })
	r.History = setAside(r.History, &odd, func(l *budgetv1.HistoryLine) *budgetv1.Gap { return gap(l.GetLaw(), "") })
	r.Spends = setAside(r.Spends, &odd, func(*budgetv1.Spend) *budgetv1.Gap { return gap("", budgetv1.CategorySpending) })
	r.OwnContributions = setAside(r.OwnContributions, &odd, func(c *budgetv1.OwnContribution) *budgetv1.Gap {
		return gap(c.GetLaw(), budgetv1.CategoryOwnContribution)
	})
	r.Notices = setAside(r.Notices, &odd, func(n *budgetv1.Notice) *budgetv1.Gap { return gap(n.GetLaw(), "") })
	if budgetv1.Unprintable(r) != "" {
		return nil, errBadAnswer // not a record: the adapter does not say well who answers
	}
	r.Notices = append(r.Notices, notices...)
	return odd, nil
}

// setAside takes out the records that cannot be shown. Each is a gap; one that says the
// same as another is listed once.
func setAside[M proto.Message](records []M, odd *[]*budgetv1.Gap, gap func(M) *budgetv1.Gap) []M {
	return slices.DeleteFunc(records, func(m M) bool {
		if budgetv1.Unprintable(m) == "" {
			return false
		}
		g := gap(m)
		if !slices.ContainsFunc(*odd, func(o *budgetv1.Gap) bool { return proto.Equal(o, g) }) {
			*odd = append(*odd, g)
		}
		return true
	})
}

// form is what a text looks like, and how many bytes it has at most: counted apart, as an
// expression that counts is long to compile.
type form struct {
	like *regexp.Regexp
	most int
}

// path is what a place in a source's message can look like; anything else a source
// says of it is not passed on.
var (
	path   = form{regexp.MustCompile(`^[A-Za-z0-9_/.\[\]-]+$`), 128}
	rule   = form{regexp.MustCompile(`^[A-Za-z0-9_ ,.:;()/\[\]-]+$`), 256}
	number = regexp.MustCompile(`[0-9]{6}`)
)

// pathOf says where in the source's message the data was bad, never the value.
func pathOf(s *status.Status) string {
	return safe(path, infoOf(s).GetMetadata()["path"])
}

// infoOf is nil where a source said no google.rpc.ErrorInfo.
func infoOf(s *status.Status) *errdetails.ErrorInfo {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// badData is how a source says that its own data is bad.
const badData = "BAD_DATA_AT_SOURCE"

// gapOf maps what a source said, or did not say, to a reason of the closed list;
// what it said itself is the code.
func gapOf(ctx context.Context, err error) *budgetv1.Gap {
	if where := badAnswer(""); errors.As(err, &where) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: strings.TrimSpace(badData + " " + safe(path, string(where)))}
	}
	if errors.Is(err, errBadAnswer) {
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource}
	}
	s := status.Convert(err)
	said := infoOf(s).GetReason()
	switch said {
	case badData, "ADAPTER_BUG", "NOT_CONFIGURED", "SUBJECT_NOT_FOUND":
		return &budgetv1.Gap{Reason: budgetv1.ReasonBadDataAtSource, Code: strings.TrimSpace(said + " " + pathOf(s))}
	case "NOT_AUTHORISED_AT_SOURCE", "SCOPE_UNSUPPORTED":
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: cmp.Or(causeOf(s, budgetv1.ReasonPeerRefused), said)}
	case budgetv1.ReasonPeerRefused:
		return &budgetv1.Gap{Reason: budgetv1.ReasonPeerRefused, Code: causeOf(s, budgetv1.ReasonPeerRefused)}
	case "SOURCE_TIMEOUT":
		return &budgetv1.Gap{Reason: budgetv1.ReasonSourceTimeout}
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
