package gateway

import (
	"context"
	"encoding/hex"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// brought is a budget that a caller brought back and that may be worked with.
type brought struct {
	caller token.Caller
	claims result.Claims
	entry  audit.Entry  // of the question, as it was recorded
	today  civil.Date   // on which it was judged
	keys   int64        // the set of pinned keys by which
	again  func() error // judges it by those of now
}

// brought checks a budget that a caller brings back: who asks, in which role and for
// which case; that it is what this gateway released and not too old; and, in the
// transaction that records the question, that nothing it rests on has ended since.
func (g *Gateway) brought(ctx context.Context, operation policy.Operation, b *budgetv1.Budget, purpose string, request proto.Message) (brought, error) {
	out, err := g.vouched(ctx, operation, b, purpose, request)
	if err != nil {
		return brought{}, err
	}
	out.again = func() error {
		_, err := g.vouched(ctx, operation, b, purpose, request)
		return err
	}
	proof, err := g.append(ctx, out.entry)
	out.entry.Decided = proof.Index
	return out, err
}

// stands is asked when what is to be told of a budget stands in the record: on another
// day, or by other keys than it was judged by, a lock may be shut.
func (g *Gateway) stands(b brought) error {
	switch {
	case g.Today() != b.today:
		return errMidnight
	case g.Keys.Generation() != b.keys:
		return b.again()
	}
	return nil
}

// vouched makes every check of brought but that of the record.
func (g *Gateway) vouched(ctx context.Context, operation policy.Operation, b *budgetv1.Budget, purpose string, request proto.Message) (brought, error) {
	today, keys := g.Today(), g.Keys.Generation()
	caller, err := g.mayDo(ctx, purpose, operation)
	if err != nil {
		return brought{}, err
	}
	if err := g.wellFormed(request); err != nil {
		return brought{}, err
	}
	claims, err := result.Verify(b, g.Trust)
	if err != nil {
		return brought{}, err
	}
	if !claims.Of(caller.Case()) {
		return brought{}, errCase
	}
	if claims.Expires < g.Now().Unix() {
		return brought{}, errTooOld
	}
	if err := g.roleSuffices(ctx, caller, purpose, b); err != nil {
		return brought{}, err
	}
	e := audit.Entry{
		Kind: audit.Decision, Decision: "allow", Trace: traceOf(ctx), Activity: purpose, Organisations: []identity.OIN{g.Own},
		PolicyRevision: g.Policy.Revision(), Case: []byte(caller.Case()), Rests: g.restsOf(b), Day: today,
	}
	if err := g.concern(ctx, &e, caller, b.GetPurpose()); err != nil {
		return brought{}, err
	}
	actedFor(&e, caller)
	digest, err := result.Digest(b)
	if err != nil {
		return brought{}, err
	}
	e.Payload = digest[:]
	return brought{caller: caller, claims: claims, entry: e, today: today, keys: keys}, nil
}

// roleSuffices asks the policy whether the case worker may see what every source in
// the budget told, and the token whether it is for those sources.
func (g *Gateway) roleSuffices(ctx context.Context, caller token.Caller, purpose string, b *budgetv1.Budget) error {
	for _, s := range b.GetSources() {
		party, ok := g.party(s.GetSource())
		if !ok {
			return errRole
		}
		if s.GetStatus() == "OK" && !caller.Reaches(purpose, party.OIN) {
			return errPurpose
		}
		if s.GetStatus() == "OK" && !g.Policy.RoleSuffices(ctx, policy.Question{
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

// restsOf lists what a budget rests on.
func (g *Gateway) restsOf(b *budgetv1.Budget) []register.Rest {
	var rests []register.Rest
	for _, s := range b.GetSources() {
		if s.GetStatus() != "OK" {
			continue
		}
		party, _ := g.party(s.GetSource())
		rests = appendNew(rests, register.Rest{ID: s.GetConsent(), Source: party.OIN, Recipient: g.Own})
		if s.GetAgreement() != "" {
			rests = appendNew(rests, register.Rest{ID: s.GetAgreement()})
		}
	}
	return rests
}

// concern says in an entry whom and what it concerns, from the documents it rests on,
// and refuses when the days of one are over. That each counts is checked where the
// entry is recorded.
func (g *Gateway) concern(ctx context.Context, e *audit.Entry, caller token.Caller, purpose string) error {
	for _, rest := range e.Rests {
		d, err := g.Documents.Document(ctx, rest.ID)
		if err != nil {
			return err
		}
		if err := g.stillHolds(d, caller, purpose); err != nil {
			return err
		}
		if d.Kind == audit.AgreementDocument {
			e.Agreements = appendNew(e.Agreements, hex.EncodeToString(d.Digest[:]))
			continue
		}
		e.Consents = appendNew(e.Consents, rest.ID)
		if !slices.ContainsFunc(e.Subjects, func(s []byte) bool { return string(s) == d.Subject }) {
			e.Subjects = append(e.Subjects, []byte(d.Subject))
		}
	}
	return nil
}

// stillHolds refuses a kept document whose days are over, a consent that was signed by
// who may not, and an agreement that asks a higher level of assurance than the case
// worker has.
func (g *Gateway) stillHolds(d audit.Kept, caller token.Caller, purpose string) error {
	inForce := false
	switch d.Kind {
	case audit.ConsentDocument:
		c, err := g.openConsent(d)
		if err != nil {
			return err
		}
		if err := c.Signed(); err != nil { // by the rules of now
			return err
		}
		inForce = c.InForce(g.Today())
	case audit.AgreementDocument:
		a, err := g.openAgreement(d)
		if err != nil {
			return err
		}
		inForce = a.InForce(g.Today())
		for _, grant := range a.Terms().Grants {
			if grant.Consumer == g.Own && slices.Contains(grant.Purposes, purpose) && !grant.Suffices(caller.Assurance()) {
				return errRole
			}
		}
	}
	if !inForce {
		return &audit.EndedError{ID: d.ID}
	}
	return nil
}
