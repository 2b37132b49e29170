package policy

import (
	"context"
	"strings"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/consent"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Audited says why an auditor may not see something of what a source disclosed before, under
// one law; nil: it may. That an agreement names the auditor was found by who asks. A cell that
// asks for consent lets nothing pass: nobody gave one for an audit. Of the Access neither
// agreement nor consent is read.
func (e *Engine) Audited(ctx context.Context, q Access, law string, what budgetv1.Category) *budgetv1.Gap {
	asked := union(e.needed(q.Purpose, q.SourceKind, law), []budgetv1.Category{what})
	q.NotAgreed, q.NotConsented, q.supposed = agreement.ErrNone, consent.ErrNone, &supposed{agreement: true}
	said := e.evaluate(ctx, q.input(law, asked))
	code := ""
	for _, c := range asked {
		mask, passes := said.Fields[string(c)]
		switch dropped := said.Dropped[string(c)]; {
		case dropped != "":
			code = dropped
		case said.Allow && (!passes || budgetv1.Mask(mask) != budgetv1.MaskNone):
			code = "VELD-01"
		}
	}
	if code == "" && !said.Allow {
		code = strings.Join(said.Reasons, " ")
	}
	if said.Allow && code == "" {
		return nil
	}
	never := e.never(obstacle{code, string(what)}, cellOf{q.Purpose, KindKey(q.SourceKind), LawKey(law), q.Requester, q.Source})
	return &budgetv1.Gap{
		Reason: budgetv1.ReasonPolicyDenied, Code: budgetv1.GapAuditWithheld, Laws: []string{law}, Categories: []string{string(what)},
		Way: []*budgetv1.WayToYes{never},
	}
}
