package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// defaultMaxAge and defaultRetention hold where the requester's own source is the only
// one. A year is what accounting for a year of budget takes (assumed).
const (
	defaultMaxAge    = 30 * 24 * time.Hour
	defaultRetention = 365 * 24 * time.Hour
)

// release assembles the budget, records its release and signs it. The record
// checks in the same transaction that everything it rests on is still live; what
// has ended in the meantime becomes a gap, and the rest is released without it.
func (g *Gateway) release(ctx context.Context, d decision, answers []budget.Answer) (*budgetv1.Budget, error) {
	answers, _, err := g.judgedAgain(ctx, &d, bounded(answers))
	if err != nil {
		return nil, err
	}
	for range len(d.pairs) + 1 { // every round but the last takes out an answer
		var total *budgetv1.Budget
		total, answers = g.fitting(d, answers)
		digest, err := result.Digest(total)
		if err != nil {
			return nil, err
		}
		proof, err := audit.Append(ctx, g.Record, g.releaseEntry(d, digest, answers))
		var ended *audit.EndedError
		if errors.As(err, &ended) && ended.ID != d.caller().Delegation() { // who may no longer act gets no answer
			answers = g.without(ctx, d, answers, leftOut{ended.ID, consent.ErrWithdrawn, agreement.ErrExpired})
			continue
		}
		if err != nil {
			return nil, err
		}
		left, lost, err := g.judgedAgain(ctx, &d, answers)
		if err != nil {
			return nil, err
		}
		if lost { // what was recorded is not released
			answers = left
			continue
		}
		return total, result.Sign(total, result.Release{Digest: digest, Receipt: proof.Receipt(), Case: d.caller().Case(), Times: d.times(g.Now(), answers)}, g.Signers.Signer())
	}
	return nil, errors.New("more documents ended than there are")
}

// judgedAgain is asked before a release, and again when it stands in the record and is
// about to be released. Ages, consents and agreements were judged on a day; on the next the
// request has to be made anew. If the trusted keys changed since they were last looked
// at, the caller must be who they are by those of now, and what rests on a document whose
// signature they do not bear out is lost.
func (g *Gateway) judgedAgain(ctx context.Context, d *decision, answers []budget.Answer) (left []budget.Answer, lost bool, err error) {
	if g.Today() != d.today {
		return nil, false, audit.ErrDay
	}
	keys := g.Keys.Generation()
	if keys == d.keys {
		return answers, false, nil
	}
	d.keys = keys
	ctx, cancel := audit.Lasting(ctx)
	defer cancel()
	if _, err := g.Admission.Caller(ctx, d.request.purpose); err != nil {
		return nil, false, err
	}
	for _, id := range documentsOf(answers) {
		holds, err := g.Evidence.Signed(ctx, id)
		if err != nil {
			return nil, false, err
		}
		if !holds {
			answers, lost = g.without(ctx, *d, answers, leftOut{id, consent.ErrNone, agreement.ErrNone}), true
		}
	}
	return answers, lost, nil
}

// documentsOf are the consents and agreements that answers rest on, by id, in their order.
func documentsOf(answers []budget.Answer) (ids []string) {
	for _, a := range answers {
		for _, id := range []string{a.Consent, a.Agreement} { // the own source needs no agreement
			if a.Response != nil && id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// mostLines bounds what a budget is assembled of; what it may weigh is bounded after.
const mostLines = 1000

// bounded takes answers, in the order of the request, as long as together they make
// a budget of a size; the rest is a gap. No household has that many rights.
func bounded(answers []budget.Answer) []budget.Answer {
	out, total := slices.Clone(answers), 0
	for i, a := range out {
		r := a.Response
		more := len(r.GetLines()) + len(r.GetSpends()) + len(r.GetNotices())
		if total+more <= mostLines {
			total += more
		} else {
			out[i].Response, out[i].Gaps = nil, []*budgetv1.Gap{{Reason: budgetv1.ReasonBadDataAtSource, Code: "TOO_MANY_RECORDS"}}
		}
	}
	return out
}

// mostBytes bounds a budget so that it can be presented again. What is left of a request
// is for the receipt and the signature, and for the plan that comes with it.
const mostBytes = admission.MaxRequest * 3 / 4

// fitting assembles a budget that can be presented in one request. The largest
// answers make place when it does not fit, and are gaps: how much a line weighs, with
// its findings and their texts, shows only when it is assembled.
func (g *Gateway) fitting(d decision, answers []budget.Answer) (*budgetv1.Budget, []budget.Answer) {
	for {
		total := budget.Assemble(g.toAssemble(d), answers)
		size := proto.Size(total)
		if size <= mostBytes {
			return total, answers
		}
		left, some := lighter(answers, float64(size-mostBytes)/float64(size))
		if !some { // nothing is released already
			return total, answers
		}
		answers = left
	}
}

// lighter takes out the largest answers, until the rest weighs less by a share of the whole;
// some says that one was taken out.
func lighter(answers []budget.Answer, share float64) (out []budget.Answer, some bool) {
	out = slices.Clone(answers)
	var bySize []int
	size, whole := make([]int, len(out)), 0
	for i, a := range out {
		if a.Response != nil {
			size[i] = proto.Size(a.Response)
			whole += size[i]
			bySize = append(bySize, i)
		}
	}
	slices.SortStableFunc(bySize, func(a, b int) int { return size[b] - size[a] })
	gone := 0
	for _, i := range bySize {
		if some && float64(gone) >= share*float64(whole) {
			break
		}
		out[i].Response, out[i].Gaps = nil, []*budgetv1.Gap{{Reason: budgetv1.ReasonBadDataAtSource, Code: "TOO_MANY_RECORDS"}}
		gone += size[i]
		some = true
	}
	return out, some
}

// leftOut is a document that no longer counts, and why: as a consent, or as an agreement.
type leftOut struct {
	id                     string
	asConsent, asAgreement error
}

// without takes out every answer that rests on a document: a consent or an agreement.
func (g *Gateway) without(ctx context.Context, d decision, answers []budget.Answer, no leftOut) []budget.Answer {
	out := slices.Clone(answers)
	for i, a := range out {
		if a.Response == nil || a.Consent != no.id && a.Agreement != no.id {
			continue
		}
		why := no.asConsent
		if a.Agreement == no.id {
			why = no.asAgreement
		}
		at := slices.IndexFunc(d.pairs, func(p pair) bool { return p.person.Ref == a.Person && p.source.Code == a.Source })
		out[i].Response, out[i].Gaps = nil, g.ifEnded(ctx, d, d.pairs[at], why) // every answer is one of a pair
	}
	return out
}

func (g *Gateway) toAssemble(d decision) budget.Request {
	q := budget.Request{
		Purpose: d.request.purpose, Window: d.request.window, Today: g.Today(), TodayIsSet: g.TodayIsSet,
		Requester: g.own.Code, PolicyRevision: d.rules.Revision(), Text: g.Texts, LegalBasis: g.legalBasis(d.rules, d.request.window),
	}
	q.Parties = g.Organisations.Now()
	for _, p := range d.request.persons {
		q.Persons = append(q.Persons, p.Person)
	}
	return q
}

// times are the shortest that the agreements it rests on allow, and that a source says whose
// own gateway answered: nothing is built upon a budget of which they say that it must be
// asked anew, and nothing is done with one that should have been destroyed.
func (d decision) times(now time.Time, answers []budget.Answer) result.Times {
	age, keep := defaultMaxAge, time.Duration(0)
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	shorten := func(most, retention int) {
		if most == 0 { // the requester's own source, or one that says nothing of its own
			return
		}
		age = min(age, days(most), days(retention))
		if keep == 0 || days(retention) < keep {
			keep = days(retention)
		}
	}
	for i, p := range d.pairs {
		said := result.Said(answers[i].Response.GetDisclosure())
		shorten(p.grant.Agreement().Grant().MaxAgeDays, p.grant.Agreement().Grant().RetentionDays)
		shorten(said.MaxAgeDays, said.RetentionDays)
	}
	if keep == 0 {
		keep = defaultRetention
	}
	return result.Times{Now: now, Expires: now.Add(age), KeepUntil: now.Add(keep)}
}

// releaseEntry rests on every document that an answer in the budget rests on.
func (g *Gateway) releaseEntry(d decision, digest [32]byte, answers []budget.Answer) audit.Entry {
	e := g.entry(d)
	e.Kind, e.Decided, e.Decision, e.Payload, e.Status = audit.Release, d.index, "allow", digest[:], "complete"
	e.Judged = d.judged
	for i, a := range answers {
		if len(a.Gaps) > 0 {
			e.Status = "partial"
		}
		if a.Response == nil {
			continue
		}
		e.RestOn(register.Rest{ID: a.Consent, Source: d.pairs[i].source.OIN, Recipient: g.Own})
		if a.Agreement != "" {
			e.RestOn(register.Rest{ID: a.Agreement})
		}
		e.Concern(a.Consent, d.pairs[i].grant.Agreement().Agreement().Digest())
	}
	return e
}

// legalBasis is the basis for pooling that holds for this municipality on most days
// of a window; nil when there is none. What was pooled lawfully is accounted for as
// such after the basis has ended, and what it does not cover is refused day by day.
func (g *Gateway) legalBasis(rules *policy.Engine, window civil.Span) *budgetv1.LegalBasis {
	var best *budgetv1.LegalBasis
	most := 0
	for _, b := range slices.Concat(g.LegalBases, rules.Bases()) {
		from, errFrom := civil.Parse(b.GetFrom())
		to, errTo := civil.Parse(b.GetTo())
		both, touches := civil.Span{From: from, To: to}.Overlap(window)
		if errFrom == nil && errTo == nil && touches && both.Days() > most && slices.Contains(b.GetMunicipalities(), g.own.Code) {
			best, most = b, both.Days()
		}
	}
	return best
}
