package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// errand is something that a caller comes to do with a budget that he brings back.
type errand struct {
	operation ontschotv1.Operation
	purpose   string
	budget    *budgetv1.Budget
	request   proto.Message
}

// builds reports whether something is built upon the budget. What only winds it up can
// be done for as long as it may be kept.
func (e errand) builds() bool {
	return e.operation == ontschotv1.OperationViewBudget || e.operation == ontschotv1.OperationPlanBudget
}

// brought is a budget that a caller brought back and that may be worked with.
type brought struct {
	caller token.Caller
	claims result.Claims
	budget *budgetv1.Budget // as it may be told now
	left   []*budgetv1.Gap  // what of it may not be, and why
	moved  map[register.Rest]string
	entry  audit.Entry // of the question, as it was recorded
	today  civil.Date  // on which it was judged
	keys   int64       // the set of pinned keys by which
}

// mostRounds bounds how often an errand is judged anew because something ended meanwhile.
const mostRounds = 3

// work does an errand: it judges the budget, records the question, lets do make the
// answer and records that before it is told. What the budget rests on is checked where
// each of the two is recorded; what has ended since it was judged is left out in the next
// round. Who may no longer act for the caller is told nothing.
func (g *Gateway) work(ctx context.Context, e errand, do func(*brought) (proto.Message, error)) (b brought, proof audit.Proof, err error) {
	for range mostRounds {
		b, proof, err = g.workOnce(ctx, e, do)
		var ended *audit.EndedError
		if !errors.As(err, &ended) || ended.ID == b.caller.Delegation() {
			break
		}
	}
	return b, proof, err
}

func (g *Gateway) workOnce(ctx context.Context, e errand, do func(*brought) (proto.Message, error)) (brought, audit.Proof, error) {
	b, err := g.vouched(ctx, e)
	if err != nil {
		return b, audit.Proof{}, err
	}
	asked, err := g.append(ctx, b.entry)
	if err != nil {
		return b, audit.Proof{}, err
	}
	b.entry.Decided = asked.Index
	answer, err := do(&b)
	if err != nil {
		return b, audit.Proof{}, err
	}
	proof, err := g.told(ctx, e, b, answer)
	return b, proof, err
}

// told records what is about to be told, before it is told.
func (g *Gateway) told(ctx context.Context, e errand, b brought, answer proto.Message) (audit.Proof, error) {
	raw, err := result.Canonical(answer)
	if err != nil {
		return audit.Proof{}, err
	}
	digest := sha256.Sum256(raw)
	release := b.entry
	release.Kind, release.Payload = audit.Release, digest[:]
	proof, err := g.append(ctx, release)
	if err == nil {
		err = g.stands(ctx, e, b)
	}
	return proof, err
}

// stands is asked when what is to be told of a budget stands in the record: on another
// day, or by other keys than it was judged by, a lock may be shut.
func (g *Gateway) stands(ctx context.Context, e errand, b brought) error {
	switch {
	case g.Today() != b.today:
		return errMidnight
	case g.Keys.Generation() == b.keys:
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
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

// vouched makes every check of a budget that a caller brings back but that of the record:
// who asks, in which role and for which case; that it is what this gateway released and
// not too old; and what of it may be told by what counts now.
func (g *Gateway) vouched(ctx context.Context, e errand) (brought, error) {
	b := brought{today: g.Today(), keys: g.Keys.Generation()}
	var err error
	if b.caller, err = g.mayDo(ctx, e.purpose, e.operation); err != nil {
		return b, err
	}
	if err := g.wellFormed(e.request); err != nil {
		return b, err
	}
	if b.claims, err = result.Verify(e.budget, g.Trust); err != nil {
		return b, err
	}
	if !b.claims.Of(b.caller.Case()) {
		return b, errCase
	}
	if until := b.claims.Until(); until < g.Now().Unix() || e.builds() && b.claims.Expires < g.Now().Unix() {
		return b, errTooOld
	}
	if err := g.roleSuffices(ctx, b.caller, e.purpose, e.budget); err != nil {
		return b, err
	}
	digest, err := result.Digest(e.budget)
	if err != nil {
		return b, err
	}
	b.entry = audit.Entry{
		Kind: audit.Decision, Decision: "allow", Trace: traceOf(ctx), Activity: e.purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: g.Policy.Revision(), Case: []byte(b.caller.Case()), Day: b.today, Payload: digest[:],
		Judged: g.Documents.Since(e.budget.GetReceipt().GetOrigin(), e.budget.GetReceipt().GetDecisionIndex()+1), // what was taken out of a consent since then, the budget still holds
	}
	documents := g.lookup(b.caller, e.budget.GetPurpose(), b.today)
	if e.operation == ontschotv1.OperationAccountForBudget {
		b.budget = e.budget
		concern(&b.entry, documents.register, g.restsOf(b.budget, nil), false)
	} else {
		counts, err := documents.counting(ctx, e.budget, b.entry.Judged)
		if err != nil {
			return b, err
		}
		b.moved = counts.moved
		b.budget = budget.Without(e.budget, counts.left, g.toBudget(), g.Texts)
		b.left = ofThese(b.budget.GetGaps(), counts.left)
		b.entry.Rests = g.restsOf(b.budget, b.moved)
		concern(&b.entry, documents.register, b.entry.Rests, true)
	}
	actedFor(&b.entry, b.caller)
	return b, nil
}

// ofThese are the gaps in the place of answers that are left out.
func ofThese(gaps []*budgetv1.Gap, left []budget.Left) []*budgetv1.Gap {
	return slices.DeleteFunc(slices.Clone(gaps), func(gap *budgetv1.Gap) bool {
		return !slices.ContainsFunc(left, func(l budget.Left) bool {
			return string(l.Person) == gap.GetPerson() && l.Source == gap.GetSource()
		})
	})
}

// roleSuffices asks the policy whether the case worker may see what every source in
// the budget told, and the token whether it is for those sources.
func (g *Gateway) roleSuffices(ctx context.Context, caller token.Caller, purpose string, b *budgetv1.Budget) error {
	for _, s := range b.GetSources() {
		party, ok := g.party(s.GetSource())
		if !ok {
			return errRole
		}
		if s.GetStatus() == budgetv1.StatusOK && !caller.Reaches(purpose, party.OIN) {
			return errPurpose
		}
		if s.GetStatus() == budgetv1.StatusOK && !g.Policy.RoleSuffices(ctx, policy.Question{
			Caller: caller, Purpose: b.GetPurpose(), Subject: "household", Today: g.Today(), Requester: g.Own, RequesterKind: g.own.Kind,
			Source: party.OIN, SourceKind: party.Kind, Laws: g.lawsTold(b, party),
		}) {
			return errRole
		}
	}
	return nil
}

// lawsTold are those under which a source told something in this budget: of its
// lines, and for a source of figures all that the policy has it tell of.
func (g *Gateway) lawsTold(b *budgetv1.Budget, party Party) []string {
	if len(party.Laws) == 0 {
		return g.Policy.Laws(b.GetPurpose(), party.Kind)
	}
	var laws []string
	for _, l := range b.GetLines() {
		if l.GetFunder() == party.Code {
			laws = appendNew(laws, l.GetLaw())
		}
	}
	return laws
}

// restsOf lists what a budget rests on; moved tells which consents are to be named
// by another id than the budget does.
func (g *Gateway) restsOf(b *budgetv1.Budget, moved map[register.Rest]string) []register.Rest {
	var rests []register.Rest
	for _, s := range b.GetSources() {
		if s.GetStatus() != budgetv1.StatusOK {
			continue
		}
		party, _ := g.party(s.GetSource())
		rest := register.Rest{ID: s.GetConsent(), Source: party.OIN, Recipient: g.Own}
		if id := moved[rest]; id != "" {
			rest.ID = id
		}
		rests = appendNew(rests, rest)
		if s.GetAgreement() != "" {
			rests = appendNew(rests, register.Rest{ID: s.GetAgreement()})
		}
	}
	return rests
}

// concern says in an entry whom and what it concerns, from documents. An account rests on
// no consent, and names none.
func concern(e *audit.Entry, documents register.View, rests []register.Rest, consents bool) {
	for _, rest := range rests {
		d, known := documents.Document(rest.ID)
		if !known {
			continue
		}
		if d.Kind == audit.AgreementDocument {
			e.Agreements = appendNew(e.Agreements, hex.EncodeToString(d.Digest[:]))
			continue
		}
		if consents {
			e.Consents = appendNew(e.Consents, rest.ID)
		}
		if !slices.ContainsFunc(e.Subjects, func(s []byte) bool { return string(s) == d.Subject }) {
			e.Subjects = append(e.Subjects, []byte(d.Subject))
		}
	}
}
