package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// recordTimeout bounds a write to the record. A caller who hangs up does not
// erase the trace: writing goes on without him.
const recordTimeout = 5 * time.Second

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
		proof, err := g.append(ctx, g.releaseEntry(d, digest, answers))
		var ended *audit.EndedError
		if errors.As(err, &ended) && ended.ID != d.caller.Delegation() { // who may no longer act is told nothing
			answers = withoutEnded(answers, ended.ID)
			continue
		}
		if err != nil {
			return nil, err
		}
		left, lost, err := g.judgedAgain(ctx, &d, answers)
		if err != nil {
			return nil, err
		}
		if lost { // what was recorded is told to nobody
			answers = left
			continue
		}
		return total, result.Sign(total, proof.Receipt(), g.Signers.Signer(), d.caller.Case(), d.times(g.Now()))
	}
	return nil, errors.New("more documents ended than there are")
}

// judgedAgain is asked before a release, and again when it stands in the record and is
// about to be told. Ages, consents and agreements were judged on a day; on the next the
// question has to be asked anew. If the trusted keys changed since they were last looked
// at, the caller must be who he is by those of now, and what rests on a document whose
// signature they do not bear out is lost.
func (g *Gateway) judgedAgain(ctx context.Context, d *decision, answers []budget.Answer) (left []budget.Answer, lost bool, err error) {
	if g.Today() != d.today {
		return nil, false, errMidnight
	}
	keys := g.Keys.Generation()
	if keys == d.keys {
		return answers, false, nil
	}
	d.keys = keys
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if _, err := g.caller(ctx, d.question.purpose); err != nil {
		return nil, false, err
	}
	var ids []string
	for _, a := range answers {
		if a.Response != nil {
			ids = appendNew(appendNew(ids, a.Consent), a.Agreement)
		}
	}
	for _, id := range ids {
		if id == "" {
			continue
		}
		document, err := g.Documents.Document(ctx, id)
		if err != nil {
			return nil, false, fmt.Errorf("%w: %w", errStore, err)
		}
		if document.Kind == audit.ConsentDocument {
			_, err = g.openConsent(document)
		} else {
			_, err = g.openAgreement(document)
		}
		if err != nil {
			answers, lost = withoutKey(answers, id), true
		}
	}
	return answers, lost, nil
}

func (g *Gateway) append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return g.Record.Append(ctx, e)
}

// mostLines bounds what a budget is assembled of; what it may weigh is bounded after.
const mostLines = 1000

// bounded keeps answers, in the order of the question, as long as together they make
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

// MaxRequest bounds a request, in bytes, before any of our code sees it.
const MaxRequest = 1 << 20

// mostBytes bounds a budget so that it can be brought back. What is left of a request
// is for the receipt and the signature, and for the plan that comes with it.
const mostBytes = MaxRequest * 3 / 4

// fitting assembles a budget that can be brought back in one request. The largest
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
		if !some { // nothing is told already
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

// withoutEnded takes out every answer that rests on a document that has ended.
func withoutEnded(answers []budget.Answer, id string) []budget.Answer {
	return without(answers, id, &budgetv1.Gap{Reason: budgetv1.ReasonConsentWithdrawn, Code: "TOEST-02"}, &budgetv1.Gap{Reason: budgetv1.ReasonAgreementExpired, Code: "OVK-02"})
}

// withoutKey takes out every answer that rests on a document that is signed with a key
// that is not trusted: it is as if there were none.
func withoutKey(answers []budget.Answer, id string) []budget.Answer {
	return without(answers, id, &budgetv1.Gap{Reason: budgetv1.ReasonNoConsent, Code: "TOEST-01"}, &budgetv1.Gap{Reason: budgetv1.ReasonNoAgreement, Code: "OVK-01"})
}

// without takes out every answer that rests on a document: a consent or an agreement.
func without(answers []budget.Answer, id string, consent, agreement *budgetv1.Gap) []budget.Answer {
	out := slices.Clone(answers)
	for i, a := range out {
		if a.Response == nil || a.Consent != id && a.Agreement != id {
			continue
		}
		gap := consent
		if a.Agreement == id {
			gap = agreement
		}
		out[i].Response, out[i].Gaps = nil, []*budgetv1.Gap{gap}
	}
	return out
}

func (g *Gateway) toAssemble(d decision) budget.Question {
	q := budget.Question{
		Purpose: d.question.purpose, Window: d.question.window, Today: g.Today(), TodayIsSet: g.TodayIsSet,
		Requester: g.own.Code, PolicyRevision: g.Policy.Revision(), Text: g.Texts, LegalBasis: g.legalBasis(d.question.window),
	}
	q.Parties = g.toBudget()
	for _, p := range d.question.persons {
		q.Persons = append(q.Persons, p.budget)
	}
	return q
}

// toBudget is what the arithmetic needs to know of the parties.
func (g *Gateway) toBudget() []budget.Party {
	var all []budget.Party
	for _, p := range g.Parties {
		all = append(all, budget.Party{Code: p.Code, Kind: p.Kind, Laws: p.Laws})
	}
	return all
}

// times are the shortest that the agreements it rests on allow: nothing is built upon a
// budget of which they say that it must be asked anew, and nothing is done with one that
// should have been destroyed.
func (d decision) times(now time.Time) result.Times {
	age, kept := defaultMaxAge, time.Duration(0)
	days := func(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
	for _, p := range d.pairs {
		g := p.grant.Agreement().Grant()
		if g.MaxAgeDays == 0 { // the requester's own source
			continue
		}
		age = min(age, days(g.MaxAgeDays), days(g.RetentionDays))
		if kept == 0 || days(g.RetentionDays) < kept {
			kept = days(g.RetentionDays)
		}
	}
	if kept == 0 {
		kept = defaultRetention
	}
	return result.Times{Now: now, Expires: now.Add(age), Kept: now.Add(kept)}
}

// mostJudgings bounds how often a question is judged anew because what it needs ended
// before it was recorded.
const mostJudgings = 16

// recordDecision writes down what was decided, denials too, before anybody is asked. When
// something has ended since it was judged, also by another process, it is judged anew.
func (g *Gateway) recordDecision(ctx context.Context, d *decision) error {
	for round := 1; ; round++ {
		e, judgement := g.decisionEntry(*d)
		payload, err := signed.Canonical(judgement)
		if err != nil {
			return err
		}
		e.Payload = payload
		proof, err := g.append(ctx, e)
		d.index = proof.Index
		if !errors.Is(err, audit.ErrJudged) || round == mostJudgings {
			return err
		}
		if err := g.judge(ctx, d); err != nil {
			return err
		}
	}
}
