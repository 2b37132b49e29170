package evidence

import (
	"context"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Audited are the answers in a budget of which an organisation may audit the spending: those
// of the sources whose agreement, as it counts today, names it as auditor. Each report names
// that agreement. The releasing organisation's own source has none, and so no auditor. Nothing
// of the budget is believed: it may not be verified yet.
func (r Registered) Audited(ctx context.Context, auditor identity.OIN, b *budgetv1.Budget, today civil.Date) ([]*budgetv1.SourceReport, error) {
	counts := r.begin(token.Caller{}, b.GetPurpose(), today)
	counts.consumer = r.Own
	var named []*budgetv1.SourceReport
	not := map[string]bool{} // sources of which an answer rests on one that does not
	for _, s := range b.GetSources() {
		source, known := r.Organisations.ByCode(s.GetSource())
		if !known || !s.Disclosed() {
			continue
		}
		one, err := counts.successor(ctx, s.GetAgreement(), source.OIN)
		if err != nil {
			return nil, err
		}
		if !one.InForce(today) || !one.Names(auditor) {
			not[source.Code] = true
			continue
		}
		named = append(named, &budgetv1.SourceReport{Source: s.GetSource(), Person: s.GetPerson(), Status: s.GetStatus(), Consent: s.GetConsent(), Agreement: one.ID()})
	}
	return slices.DeleteFunc(named, func(s *budgetv1.SourceReport) bool { return not[s.GetSource()] }), ctx.Err()
}

// successor is an agreement with a source, or the one that has come in its place, as it counts
// now; the zero Agreement where none does. Errors: of evidence that cannot be looked at.
func (r registered) successor(ctx context.Context, id string, source identity.OIN) (agreement.Agreement, error) {
	with := r.with(ctx, source)
	for with.err == nil && id != "" {
		if i := slices.IndexFunc(with.count, func(a agreement.Agreement) bool { return a.ID() == id }); i >= 0 {
			return with.count[i], nil
		}
		d, _ := r.register.Document(id)
		id = d.Successor // of what is not known: none
	}
	return agreement.Agreement{}, with.err
}
