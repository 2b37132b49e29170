package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// task is what a caller wants done with a budget that it presents.
type task struct {
	operation ontschotv1.Operation
	purpose   string
	budget    *budgetv1.Budget
	request   proto.Message
}

// builds reports whether something is built upon the budget. What only winds it up can
// be done for as long as it may be retained.
func (e task) builds() bool {
	return e.operation == ontschotv1.OperationViewBudget || e.operation == ontschotv1.OperationPlanBudget
}

// presented is a budget that a caller presents again and that may be worked with.
type presented struct {
	caller token.Caller
	claims result.Claims
	budget *budgetv1.Budget         // as it may be released now
	left   []*budgetv1.Gap          // what of it may not be, and why
	from   []*budgetv1.SourceReport // whose answers are worked with; for an auditor those that it may audit
	moved  map[register.Rest]string
	entry  audit.Entry    // of the request, as it was recorded
	rules  *policy.Engine // by which it was judged
	today  civil.Date     // on which
	keys   int64          // the set of pinned keys by which
}

// mostRounds bounds how often a task is judged anew because something ended meanwhile.
const mostRounds = 3

// work does a task: it judges the budget, records the request, lets do make the
// answer and records that before it is released. What the budget rests on is checked where
// each of the two is recorded; what has ended since it was judged is left out in the next
// round. Who may no longer act for the caller gets no answer.
func (g *Gateway) work(ctx context.Context, e task, do func(*presented) (proto.Message, error)) (b presented, proof audit.Proof, err error) {
	for range mostRounds {
		b, proof, err = g.workOnce(ctx, e, do)
		var ended *audit.EndedError
		if !errors.As(err, &ended) || ended.ID == b.caller.Delegation() {
			break
		}
	}
	return b, proof, err
}

func (g *Gateway) workOnce(ctx context.Context, e task, do func(*presented) (proto.Message, error)) (presented, audit.Proof, error) {
	b, err := g.vouched(ctx, e)
	if err != nil {
		return b, audit.Proof{}, err
	}
	asked, err := audit.Append(ctx, g.Record, b.entry)
	if err != nil {
		return b, audit.Proof{}, err
	}
	b.entry.Decided = asked.Index
	answer, err := do(&b)
	if err != nil {
		return b, audit.Proof{}, err
	}
	proof, err := g.recordRelease(ctx, e, b, answer)
	return b, proof, err
}

// recordRelease records what is about to be released, before it is.
func (g *Gateway) recordRelease(ctx context.Context, e task, b presented, answer proto.Message) (audit.Proof, error) {
	raw, err := result.Canonical(answer)
	if err != nil {
		return audit.Proof{}, err
	}
	digest := sha256.Sum256(raw)
	release := b.entry
	release.Kind, release.Payload = audit.Release, digest[:]
	proof, err := audit.Append(ctx, g.Record, release)
	if err == nil {
		err = g.stands(ctx, e, b)
	}
	return proof, err
}

// stands is asked when what is to be released of a budget stands in the record: on another
// day, or by other keys than it was judged by, a check may fail.
func (g *Gateway) stands(ctx context.Context, e task, b presented) error {
	switch {
	case g.Today() != b.today:
		return audit.ErrDay
	case g.Keys.Generation() == b.keys:
		return nil
	}
	ctx, cancel := audit.Lasting(ctx)
	defer cancel()
	now, err := g.vouched(ctx, e)
	if err != nil {
		return err
	}
	for _, r := range b.entry.Rests {
		if !slices.Contains(now.entry.Rests, r) {
			return &audit.EndedError{ID: r.ID}
		}
	}
	return nil
}

// vouched makes every check of a budget that a caller presents but that of the record:
// who asks, in which role and for which case; that it is what this gateway released and
// not too old; and what of it may be released by what counts now.
func (g *Gateway) vouched(ctx context.Context, e task) (presented, error) {
	b := presented{rules: g.Policy.Now(), today: g.Today(), keys: g.Keys.Generation()}
	call, err := g.admit(ctx, &b, &e)
	if err != nil {
		return b, err
	}
	b.caller = call.Caller()
	if b.claims, err = result.Verify(e.budget, g.Trust); err != nil {
		return b, err
	}
	if !b.claims.Of(b.caller.Case()) {
		return b, token.ErrCase
	}
	if until := b.claims.Until(); until < g.Now().Unix() || e.builds() && b.claims.Expires < g.Now().Unix() {
		return b, result.ErrTooOld
	}
	if err := g.roleSuffices(ctx, b, e); err != nil {
		return b, err
	}
	digest, err := result.Digest(e.budget)
	if err != nil {
		return b, err
	}
	b.entry = audit.Entry{
		Kind: audit.Decision, Decision: "allow", Trace: admission.Trace(ctx), Activity: e.purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: b.rules.Revision(), Case: []byte(b.caller.Case()), Day: b.today, Payload: digest[:],
	}
	b.entry.Judged = g.Evidence.Judged(e.budget)
	if ontschotv1.AsksNoSource(e.purpose) {
		b.budget = e.budget
		g.Evidence.Concern(&b.entry, g.Evidence.RestsOf(b.from, nil), false)
		if e.purpose == ontschotv1.PurposeAuditSpending {
			audits(&b)
		}
	} else {
		now, err := g.Evidence.Presented(ctx, b.caller, e.budget, b.today)
		if err != nil {
			return b, err
		}
		var left []budget.Left
		for _, e := range now.Ended {
			left = append(left, instead(e))
		}
		b.moved = now.Moved
		b.budget = budget.Without(e.budget, left, g.Organisations.Now(), g.Texts)
		b.left = budget.Instead(b.budget.GetGaps(), left)
		b.entry.Rests = g.Evidence.RestsOf(b.budget.GetSources(), b.moved)
		g.Evidence.Concern(&b.entry, b.entry.Rests, true)
	}
	admission.ActedFor(&b.entry, b.caller)
	return b, nil
}

// admit lets in the gateway's own organisation; and for an account whom an agreement that the
// budget rests on names as auditor today, and nobody else: the task is then an audit.
func (g *Gateway) admit(ctx context.Context, b *presented, e *task) (admission.Call, error) {
	b.from = e.budget.GetSources()
	call, err := g.Admission.Admit(ctx, admission.Door{Purpose: e.purpose, Operation: e.operation}, e.request)
	if e.operation != ontschotv1.OperationAccountForBudget || !errors.Is(err, admission.ErrNotOwn) {
		return call, err
	}
	e.operation, e.purpose = ontschotv1.OperationAuditSpending, ontschotv1.PurposeAuditSpending
	return g.Admission.Admit(ctx, admission.Door{Purpose: e.purpose, Operation: e.operation, Others: func(auditor identity.OIN) (err error) {
		if b.from, err = g.Evidence.Audited(ctx, auditor, e.budget, b.today); err == nil && len(b.from) == 0 {
			err = admission.ErrNotOwn
		}
		return err
	}}, e.request)
}

// audits says in the entry who audits. What is told rests on the agreements that say so.
func audits(b *presented) {
	b.entry.Involve(b.caller.Organisation())
	for _, s := range b.from {
		b.entry.RestOn(register.Rest{ID: s.GetAgreement()})
	}
}

// roleSuffices asks the policy whether the case worker may see what every source in
// the budget disclosed, and the token whether it is for those sources. An account is judged
// by cells of its own: it shows nothing of a source that has none.
func (g *Gateway) roleSuffices(ctx context.Context, b presented, e task) error {
	for _, s := range b.from {
		party, ok := g.Organisations.ByCode(s.GetSource())
		if !ok {
			return policy.ErrRole
		}
		if s.Disclosed() && !b.caller.Reaches(e.purpose, party.OIN) {
			return admission.ErrPurpose
		}
		judged, laws := e.budget.GetPurpose(), lawsDisclosed(b.rules, e.budget, party)
		if ontschotv1.AsksNoSource(e.purpose) {
			judged = e.purpose
			laws = slices.DeleteFunc(laws, func(law string) bool { return !slices.Contains(b.rules.Laws(e.purpose, party.Kind), law) })
		}
		q := g.seen(b, judged, party)
		q.Laws = laws
		if s.Disclosed() && !b.rules.RoleSuffices(ctx, q) {
			return policy.ErrRole
		}
	}
	return nil
}

// seen is what a caller is to see of a source, whoever it is about.
func (g *Gateway) seen(b presented, purpose string, of identity.Organisation) policy.Access {
	return policy.Access{
		Caller: b.caller, Purpose: purpose, Subject: "household", Today: b.today, Requester: g.Own, RequesterKind: g.own.Kind, Source: of.OIN, SourceKind: of.Kind,
	}
}

// audited leaves out of the accounts what the auditor may not see: of funders whose agreement
// does not name it, and what the policy does not let pass. The gaps say so.
func (g *Gateway) audited(ctx context.Context, b presented, accounts []*budgetv1.Account) ([]*budgetv1.Account, []*budgetv1.Gap) {
	var gaps []*budgetv1.Gap
	hides := func(source, law string, what budgetv1.Category) bool {
		gap := budget.NotNamed(source, source == g.own.Code)
		if slices.ContainsFunc(b.from, func(s *budgetv1.SourceReport) bool { return s.GetSource() == source }) {
			of, _ := g.Organisations.ByCode(source)
			if gap = b.rules.Audited(ctx, g.seen(b, ontschotv1.PurposeAuditSpending, of), law, what); gap != nil {
				gap.Source, gap.Way = source, g.withCodes(gap.GetWay(), of)
			}
		}
		if gap != nil {
			gaps = append(gaps, gap)
		}
		return gap != nil
	}
	accounts = plan.Without(accounts, budget.Payers(b.budget, g.Organisations.Now()), hides)
	return accounts, budget.Settle(gaps, g.Organisations.Now(), g.Texts)
}

// lawsDisclosed are those under which a source disclosed something in this budget: of its
// lines, and for a source of figures all that the policy has it disclose.
func lawsDisclosed(rules *policy.Engine, b *budgetv1.Budget, party identity.Organisation) []string {
	if len(party.Laws) == 0 {
		return rules.Laws(b.GetPurpose(), party.Kind)
	}
	var laws []string
	for _, l := range b.GetLines() {
		if l.GetFunder() == party.Code {
			laws = append(laws, l.GetLaw())
		}
	}
	slices.Sort(laws)
	return slices.Compact(laws)
}

// instead is what comes in the place of an answer. Where another document says yes, the
// way to it is to ask anew, and the text says so.
func instead(e evidence.Ended) budget.Left {
	left := budget.Left{Person: identity.PersonRef(e.Report.GetPerson()), Source: e.Report.GetSource()}
	switch {
	case errors.Is(e.Why, evidence.ErrChanged):
		left.Gap, left.Detail = policy.GapOf(consent.ErrNone), budgetv1.GapConsentChanged
	case errors.Is(e.Why, evidence.ErrSuperseded):
		left.Gap, left.Detail = policy.GapOf(agreement.ErrExpired), budgetv1.GapAgreementReplaced
	default:
		left.Gap = policy.GapOf(e.Why)
	}
	if left.Detail != "" { // another document says yes
		left.Gap.Way = []*budgetv1.WayToYes{{Act: budgetv1.ActAskAnew}}
	}
	return left
}
