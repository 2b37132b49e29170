package gateway

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// caseKey is the metadata in which a caller may say the case commitment, where the
// issuer of its token knows nothing of cases.
const caseKey = "ontschot-case"

// callOf is what a caller brings, for a purpose.
func (g *Gateway) callOf(ctx context.Context, purpose string) (token.Call, error) {
	bearer, leaf, err := g.credentials(ctx)
	if err != nil {
		return token.Call{}, err
	}
	call := token.Call{Bearer: bearer, Leaf: leaf, Purpose: purpose, Today: g.Today()}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if values := md.Get(caseKey); len(values) == 1 { // two would be a choice
			switch call.Case = values[0]; { // it is signed, in consents
			case !budgetv1.Printable(call.Case):
				return token.Call{}, invalid(caseKey, "%s", notShowable)
			case identity.LooksLikeBSN(call.Case):
				return token.Call{}, invalid(caseKey, "%s", likeBSN)
			}
		}
	}
	call.Delegations = func(org, actor identity.OIN) ([]token.Delegation, error) { return g.delegations(ctx, org, actor) }
	return call, nil
}

// Delegate signs that another organisation may act for this one.
func (g *Gateway) Delegate(ctx context.Context, r *ontschotv1.DelegateRequest) (*ontschotv1.DelegateResponse, error) {
	answer, err := g.delegate(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

func (g *Gateway) delegate(ctx context.Context, r *ontschotv1.DelegateRequest) (*ontschotv1.DelegateResponse, error) {
	d, err := g.signing(ctx, ontschotv1.OperationGiveDelegation, r)
	if err != nil {
		return nil, err
	}
	if d.caller.Actor() != "" {
		return nil, errActor
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	raw, err := g.Signers.Signer().Compact(signed.Statement, token.DelegationClaims{
		Act: token.ActDelegate, Delegate: identity.OIN(r.GetTo()), From: r.GetFrom(), IssuedAt: g.Now().Unix(), Issuer: g.Own,
		ID: id.String(), Purposes: r.GetPurposes(), Until: r.GetUntil(),
	})
	if err != nil {
		return nil, err
	}
	kept, err := g.takeDelegation(ctx, d.making(id.String()), &ontschotv1.RegisterRequest{Document: raw})
	if field, ok := strings.CutPrefix(errorText(err), token.ErrDocument.Error()+": "); ok {
		return nil, invalid(field, "cannot be so: OINs, purposes and civil dates within twelve months are needed")
	}
	return &ontschotv1.DelegateResponse{Id: kept.GetId(), Document: raw}, err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ListDelegations says who may act for this organisation.
func (g *Gateway) ListDelegations(ctx context.Context, r *ontschotv1.ListDelegationsRequest) (*ontschotv1.ListDelegationsResponse, error) {
	if _, err := g.doing(ctx, ontschotv1.PurposeSignAgreements, ontschotv1.OperationReadDelegations, r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	documents, err := g.Documents.List(ctx, audit.DelegationDocument)
	if err != nil {
		return nil, g.refuse(ctx, fmt.Errorf("%w: %w", errStore, err))
	}
	answer := &ontschotv1.ListDelegationsResponse{}
	for _, d := range documents {
		answer.Delegations = append(answer.Delegations, g.delegationView(d))
	}
	return answer, nil
}

func (g *Gateway) delegationView(d audit.Kept) *ontschotv1.Delegation {
	out := &ontschotv1.Delegation{Id: d.ID, To: string(d.PartyA), Status: ontschotv1.StatusUnverifiable}
	if d.PartyA == g.Own {
		out.To = string(d.PartyB)
	}
	one, err := token.VerifyDelegation(g.Keys, d.Body)
	if err == nil {
		out.Purposes, out.From, out.Until = one.Purposes(), one.Span().From.String(), one.Span().To.String()
		out.Status = g.standing(d.Record, one.Span())
	}
	if !d.Live() {
		out.Status = ontschotv1.StatusEnded
	}
	return out
}

// EndDelegation ends one.
func (g *Gateway) EndDelegation(ctx context.Context, r *ontschotv1.EndDelegationRequest) (*ontschotv1.EndDelegationResponse, error) {
	index, err := g.endDelegation(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.EndDelegationResponse{Index: index}, nil
}

func (g *Gateway) endDelegation(ctx context.Context, r *ontschotv1.EndDelegationRequest) (int64, error) {
	by, err := g.signing(ctx, ontschotv1.OperationEndDelegation, r)
	if err != nil {
		return 0, err
	}
	if by.caller.Actor() != "" {
		return 0, errActor
	}
	d, err := g.Documents.Document(ctx, r.GetId())
	if err != nil {
		return 0, err
	}
	if d.Kind != audit.DelegationDocument {
		return 0, audit.ErrNoDocument
	}
	proof, err := g.done(ctx, by, audit.Entry{Kind: audit.Withdrawal, Activity: ontschotv1.PurposeSignAgreements, Status: "undelegated", Organisations: []identity.OIN{d.PartyA, d.PartyB}, End: d.ID})
	return proof.Index, err
}

// delegations in force from an organisation to one that acts for it. Each is verified
// again at every use: what lies in a file proves nothing.
func (g *Gateway) delegations(ctx context.Context, org, actor identity.OIN) ([]token.Delegation, error) {
	documents, err := g.Documents.Between(ctx, audit.DelegationDocument, org, actor)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	var all []token.Delegation
	for _, d := range documents {
		if !d.Live() || d.Lost || d.Uncertain {
			continue
		}
		if one, err := token.VerifyDelegation(g.Keys, d.Body); err == nil {
			all = append(all, one)
		}
	}
	return all, nil
}

// actedFor says in an entry who acts for the organisation that asks. The entry rests
// on the delegation, so that nothing follows its end.
func actedFor(e *audit.Entry, caller token.Caller) {
	if caller.Actor() == "" {
		return
	}
	e.Organisations = appendNew(e.Organisations, caller.Actor())
	e.Rests = appendNew(e.Rests, register.Rest{ID: caller.Delegation()})
}
