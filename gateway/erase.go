package gateway

import (
	"context"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// EraseConsents erases all that is kept of a person's consents (AVG art. 17), for every
// purpose and in every case.
func (g *Gateway) EraseConsents(ctx context.Context, r *ontschotv1.EraseConsentsRequest) (*ontschotv1.EraseConsentsResponse, error) {
	done, err := g.erase(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.EraseConsentsResponse{Index: done.Index, Consents: int32(done.Consents), Entries: int32(done.Entries)}, nil
}

func (g *Gateway) erase(ctx context.Context, r *ontschotv1.EraseConsentsRequest) (audit.Erased, error) {
	d, err := g.doing(ctx, ontschotv1.PurposeEraseConsents, ontschotv1.OperationEraseConsents, r)
	if err != nil {
		return audit.Erased{}, err
	}
	bsn, err := takeBSN(&r.Identifiers)
	if err != nil {
		return audit.Erased{}, err
	}
	e := audit.Entry{Activity: ontschotv1.PurposeEraseConsents, Status: "erased", Organisations: []identity.OIN{g.Own}, Once: d.once}
	actedFor(&e, d.caller)
	for _, purpose := range g.Documents.Register().Purposes() {
		e.Subjects = append(e.Subjects, g.pseudonyms(bsn, purpose)...)
	}
	if len(e.Subjects) == 0 {
		return audit.Erased{}, audit.ErrNoDocument
	}
	return g.Record.Erase(ctx, e)
}
