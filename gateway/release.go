package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// recordTimeout bounds a write to the record. A caller who hangs up does not
// erase the trace: writing goes on without him.
const recordTimeout = 5 * time.Second

// defaultMaxAge holds where the requester's own source is the only one.
const defaultMaxAge = 30 * 24 * time.Hour

// release assembles the budget, records its release and signs it. The record
// checks in the same transaction that everything it rests on is still live; what
// has ended in the meantime becomes a gap, and the rest is released without it.
func (g *Gateway) release(ctx context.Context, d decision, answers []budget.Answer) (*budgetv1.Budget, error) {
	if g.Today() != d.today {
		return nil, errMidnight // ages, consents and agreements were judged on another day
	}
	if g.Keys.Generation() != d.keys {
		answers = g.judgedAgain(ctx, answers)
	}
	answers = bounded(answers)
	for range len(d.pairs) + 1 {
		total := budget.Assemble(g.toAssemble(d), answers)
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
		return total, result.Sign(total, proof.Receipt(), g.Signers.Signer(), d.caller.Case(), g.Now(), g.Now().Add(d.maxAge()))
	}
	return nil, errors.New("more documents ended than there are")
}

// judgedAgain takes out what rests on a document whose signature the keys that are
// trusted now do not bear out: they changed since the question was decided.
func (g *Gateway) judgedAgain(ctx context.Context, answers []budget.Answer) []budget.Answer {
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
		d, err := g.Documents.Document(ctx, g.Own, id)
		if err == nil && d.Kind == audit.ConsentDocument {
			_, err = g.openConsent(d)
		} else if err == nil {
			_, err = g.openAgreement(d)
		}
		if err != nil {
			answers = withoutEnded(answers, id)
		}
	}
	return answers
}

func (g *Gateway) append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return g.Record.Append(ctx, e)
}

// mostLines bounds a budget, so that it can be brought back in one request.
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

// withoutEnded takes out every answer that rests on the document.
func withoutEnded(answers []budget.Answer, id string) []budget.Answer {
	out := slices.Clone(answers)
	for i, a := range out {
		if a.Response == nil || a.Consent != id && a.Agreement != id {
			continue
		}
		reason, code := budgetv1.ReasonConsentWithdrawn, "TOEST-02"
		if a.Agreement == id {
			reason, code = budgetv1.ReasonAgreementExpired, "OVK-02"
		}
		out[i].Response, out[i].Gaps = nil, []*budgetv1.Gap{{Reason: reason, Code: code}}
	}
	return out
}

func (g *Gateway) toAssemble(d decision) budget.Question {
	q := budget.Question{
		Purpose: d.question.purpose, Window: d.question.window, Today: g.Today(), TodayIsSet: g.TodayIsSet,
		Requester: g.own.Code, PolicyRevision: g.Policy.Revision(), Text: g.Texts, LegalBasis: g.legalBasis(d.question.window),
	}
	for _, p := range g.Parties {
		q.Parties = append(q.Parties, budget.Party{Code: p.Code, Kind: p.Kind, Laws: p.Laws})
	}
	for _, p := range d.question.persons {
		q.Persons = append(q.Persons, p.budget)
	}
	return q
}

// maxAge is the shortest that the agreements it rests on allow: nothing is built upon
// a budget that should have been destroyed.
func (d decision) maxAge() time.Duration {
	age := defaultMaxAge
	for _, p := range d.pairs {
		if g := p.grant.Agreement().Grant(); g.MaxAgeDays > 0 {
			age = min(age, time.Duration(min(g.MaxAgeDays, g.RetentionDays))*24*time.Hour)
		}
	}
	return age
}

// recordDecision writes down what was decided, denials too, before anybody is asked.
func (g *Gateway) recordDecision(ctx context.Context, d decision) (int64, error) {
	e, list := g.decisionEntry(d)
	var err error
	if e.Payload, err = signed.Canonical(list); err != nil {
		return 0, err
	}
	proof, err := g.append(ctx, e)
	return proof.Index, err
}
