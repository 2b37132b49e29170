package documents

import (
	"context"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// EraseConsents erases all that is registered of a person's consents (AVG art. 17), for every
// purpose and in every case.
func (s *Service) EraseConsents(ctx context.Context, r *ontschotv1.EraseConsentsRequest) (*ontschotv1.EraseConsentsResponse, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeEraseConsents, Operation: ontschotv1.OperationEraseConsents}, r)
	if err != nil {
		return nil, err
	}
	bsn, err := admission.TakeBSN("identifiers", &r.Identifiers)
	if err != nil {
		return nil, err
	}
	e := audit.Entry{Activity: ontschotv1.PurposeEraseConsents, Status: "erased", Organisations: []identity.OIN{s.Own}}
	d.Under(&e)
	admission.ActedFor(&e, d.Caller())
	for _, purpose := range s.Documents.Register().Purposes() {
		e.Subjects = append(e.Subjects, s.Pseudonyms.Of(bsn, purpose)...)
	}
	if len(e.Subjects) == 0 {
		return nil, audit.ErrNoDocument
	}
	done, err := s.Record.Erase(ctx, e)
	return &ontschotv1.EraseConsentsResponse{Index: done.Index, Consents: int32(done.Consents), Entries: int32(done.Entries)}, err
}
