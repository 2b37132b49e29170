package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AskConsent gives the text to put before who must sign.
func (g *Gateway) AskConsent(ctx context.Context, r *ontschotv1.AskConsentRequest) (*ontschotv1.AskConsentResponse, error) {
	a, err := g.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	answer := &ontschotv1.AskConsentResponse{Notice: a.notice, From: a.draft.From.String(), Until: a.draft.Until.String()}
	if _, lapses := consent.AgeGroup(a.draft.Born, a.draft.From); !lapses.IsZero() {
		answer.LapsesOn = lapses.String()
	}
	for _, n := range a.needs {
		answer.Signers = append(answer.Signers, &ontschotv1.ConsentSigner{Roles: n.Roles, Count: int32(n.People)})
	}
	return answer, nil
}

// GiveConsent takes down a yes and gives the receipt.
func (g *Gateway) GiveConsent(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.GiveConsentResponse, error) {
	receipt, err := g.give(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.GiveConsentResponse{Receipt: receipt}, nil
}

func (g *Gateway) give(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	a, err := g.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, err
	}
	if id, err := g.before(ctx, a.deed); err != nil || id != "" {
		return g.madeBefore(ctx, a.caller, id, err)
	}
	if r.GetNoticeSha256() != a.notice.GetSha256Nl() && r.GetNoticeSha256() != a.notice.GetSha256En() {
		return nil, invalid("notice_sha256", "is not that of the text for this question; ask again and show that text")
	}
	a.draft.Notice = consent.Notice{Version: a.notice.GetVersion(), SHA256: r.GetNoticeSha256()}
	for i, s := range r.GetSignatures() {
		// The same page signs for three children: what stands in each consent of it is
		// another hash, or sources could join them by it.
		proof := g.keyed("ontschot/proof/1\x00" + r.GetNoticeSha256() + "\x00" + s.GetSha256())
		one := consent.Signature{
			Role: s.GetRole(), Proof: consent.Proof{Kind: s.GetKind(), LOA: s.GetLoa(), Hash: hex.EncodeToString(proof[:])}, Mandate: mandateOf(s.GetMandate()),
		}
		if i == 0 {
			a.draft.GivenBy = one
			continue
		}
		a.draft.CoGivenBy = append(a.draft.CoGivenBy, one)
	}
	return g.issue(ctx, a)
}

func mandateOf(m *ontschotv1.ConsentMandate) *consent.Mandate {
	if m == nil {
		return nil
	}
	return &consent.Mandate{Document: m.GetDocumentSha256(), Scope: slices.Sorted(slices.Values(m.GetScope())), Until: m.GetUntil()}
}

// madeBefore answers a request that came again with what it made when it came first.
func (g *Gateway) madeBefore(ctx context.Context, caller token.Caller, id string, err error) (*ontschotv1.ConsentReceipt, error) {
	if err != nil {
		return nil, err
	}
	return g.receipt(ctx, caller, id)
}

// issue signs a consent as its keeper and makes it count.
func (g *Gateway) issue(ctx context.Context, a asking) (*ontschotv1.ConsentReceipt, error) {
	issued, err := a.draft.Issue(g.Signers.Signer(), a.bsn, g.Now())
	if err != nil {
		return nil, err
	}
	pseudonyms := g.pseudonyms(a.bsn, a.draft.Purpose)
	kept, err := g.keepConsent(ctx, toKeep{
		RegisterRequest: &ontschotv1.RegisterRequest{
			Document: issued.Document, Disclosures: issued.Disclosures, SubjectKey: issued.SubjectKey, Pseudonym: pseudonyms[0],
		},
		deed: a.making(issued.ID), pseudonyms: pseudonyms, narrows: a.narrows,
	})
	if errors.Is(err, register.ErrSaysLess) {
		return nil, invalid("question.replaces", "this says less of a source, or for a shorter time, than a consent that counts: name that one here, or narrow it")
	}
	if err != nil {
		return nil, err
	}
	return g.receipt(ctx, a.caller, kept.GetId())
}

// NarrowConsent takes something out of a consent.
func (g *Gateway) NarrowConsent(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.NarrowConsentResponse, error) {
	receipt, err := g.narrow(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.NarrowConsentResponse{Receipt: receipt}, nil
}

func (g *Gateway) narrow(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	d, err := g.doing(ctx, ontschotv1.PurposeKeepConsents, ontschotv1.OperationNarrowConsent, r)
	if err != nil {
		return nil, err
	}
	if id, err := g.before(ctx, d); err != nil || id != "" {
		return g.madeBefore(ctx, d.caller, id, err)
	}
	bsn, err := takeBSN(&r.Identifiers)
	if err != nil {
		return nil, err
	}
	_, old, err := g.consentOf(ctx, d.caller, r.GetId())
	if err != nil {
		return nil, err
	}
	// That it has ended is for the record to say, which knows a retry as well.
	whole := func(Party) []budgetv1.Category { return nil } // a source without categories is taken out whole
	without, err := g.grantsOf("without", r.GetWithout(), whole)
	if err != nil {
		return nil, err
	}
	draft, err := old.Narrow(without)
	if err != nil {
		return nil, err
	}
	if !old.Of(bsn) {
		return nil, consent.ErrOtherPerson
	}
	return g.issue(ctx, asking{deed: d, bsn: bsn, draft: draft, narrows: true})
}

// WithdrawConsent ends a consent.
func (g *Gateway) WithdrawConsent(ctx context.Context, r *ontschotv1.WithdrawConsentRequest) (*ontschotv1.WithdrawConsentResponse, error) {
	index, err := g.withdraw(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, consentError(err))
	}
	return &ontschotv1.WithdrawConsentResponse{Index: index}, nil
}

func (g *Gateway) withdraw(ctx context.Context, r *ontschotv1.WithdrawConsentRequest) (int64, error) {
	d, err := g.withdrawing(ctx, ontschotv1.PurposeKeepConsents, r)
	if err != nil {
		return 0, err
	}
	kept, err := g.consentToEnd(ctx, d.caller, r.GetId())
	if err != nil {
		return 0, err
	}
	// Whoever withdraws means what he holds a receipt of, whatever has taken its place
	// since: the log ends all that followed from it with the same entry.
	return g.withdrawOne(ctx, d, kept.ID)
}

func (g *Gateway) withdrawOne(ctx context.Context, d deed, id string) (int64, error) {
	jti, err := uuid.NewV7()
	if err != nil {
		return 0, err
	}
	raw, err := g.Signers.Signer().Compact(signed.Statement, consent.Withdrawal{
		Issuer: g.Own, ID: jti.String(), IssuedAt: g.Now().Unix(), Act: "withdraw", Consent: id,
	})
	if err != nil {
		return 0, err
	}
	answer, err := g.takeWithdrawal(ctx, deed{caller: d.caller}, &ontschotv1.RegisterRequest{Document: raw})
	return answer.GetIndex(), err
}
