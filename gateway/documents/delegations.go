package documents

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Delegate signs that another organisation may act for this one.
func (s *Service) Delegate(ctx context.Context, r *ontschotv1.DelegateRequest) (*ontschotv1.DelegateResponse, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeSignAgreements, Operation: ontschotv1.OperationGiveDelegation, Signs: true, Itself: true}, r)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	raw, err := s.Signers.Signer().Compact(signed.Statement, token.DelegationClaims{
		Act: token.ActDelegate, Delegate: identity.OIN(r.GetTo()), From: r.GetFrom(), IssuedAt: s.Now().Unix(), Issuer: s.Own,
		ID: id.String(), Purposes: r.GetPurposes(), Until: r.GetUntil(),
	})
	if err != nil {
		return nil, err
	}
	registered, err := s.takeDelegation(ctx, d.Making(id.String()), &ontschotv1.RegisterRequest{Document: raw})
	if field, ok := strings.CutPrefix(errorText(err), token.ErrDocument.Error()+": "); ok {
		return nil, admission.Invalid(field, "cannot be so: OINs, purposes and civil dates within twelve months are needed")
	}
	return &ontschotv1.DelegateResponse{Id: registered.GetId(), Document: raw}, err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ListDelegations says who may act for this organisation.
func (s *Service) ListDelegations(ctx context.Context, r *ontschotv1.ListDelegationsRequest) (*ontschotv1.ListDelegationsResponse, error) {
	if _, err := s.Admission.Admit(ctx, reading(ontschotv1.OperationReadDelegations), r); err != nil {
		return nil, err
	}
	ids, next, err := page(idsOf(s.Documents.Register().List(register.Delegation)), r)
	if err != nil {
		return nil, err
	}
	answer := &ontschotv1.ListDelegationsResponse{NextPageToken: next}
	documents, err := s.Documents.Documents(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, d := range documents {
		answer.Delegations = append(answer.Delegations, s.delegationView(d))
	}
	return answer, nil
}

func (s *Service) delegationView(d audit.StoredDocument) *ontschotv1.Delegation {
	out := &ontschotv1.Delegation{Id: d.ID, To: string(d.PartyA), Status: ontschotv1.StatusUnverifiable}
	if d.PartyA == s.Own {
		out.To = string(d.PartyB)
	}
	one, err := token.VerifyDelegation(s.Keys, d.Body)
	if err == nil {
		out.Purposes, out.From, out.Until = one.Purposes(), one.Span().From.String(), one.Span().To.String()
		out.Status = s.standing(d.Record, one.Span())
	}
	if !d.Live() {
		out.Status = ontschotv1.StatusEnded
	}
	return out
}

// EndDelegation ends one.
func (s *Service) EndDelegation(ctx context.Context, r *ontschotv1.EndDelegationRequest) (*ontschotv1.EndDelegationResponse, error) {
	by, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeSignAgreements, Operation: ontschotv1.OperationEndDelegation, Signs: true, Itself: true}, r)
	if err != nil {
		return nil, err
	}
	d, err := s.Documents.Document(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	if d.Kind != audit.DelegationDocument {
		return nil, audit.ErrNoDocument
	}
	proof, err := s.record(ctx, by, audit.Entry{Kind: audit.Withdrawal, Activity: ontschotv1.PurposeSignAgreements, Status: "undelegated", Organisations: []identity.OIN{d.PartyA, d.PartyB}, End: d.ID})
	return &ontschotv1.EndDelegationResponse{Index: proof.Index}, err
}
