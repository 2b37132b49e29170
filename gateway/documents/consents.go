package documents

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// AskConsent gives the text to put before who must sign.
func (s *Service) AskConsent(ctx context.Context, r *ontschotv1.AskConsentRequest) (*ontschotv1.AskConsentResponse, error) {
	a, err := s.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, err
	}
	answer := &ontschotv1.AskConsentResponse{Notice: a.notice, From: a.draft.From.String(), Until: a.draft.Until.String()}
	on, _ := a.draft.Lapses()
	answer.LapsesOn = on.String()
	for _, n := range a.needs {
		answer.Signers = append(answer.Signers, &ontschotv1.ConsentSigner{Roles: n.Roles, Count: int32(n.People)})
	}
	return answer, nil
}

// GiveConsent takes down a yes and gives the receipt.
func (s *Service) GiveConsent(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.GiveConsentResponse, error) {
	receipt, err := s.give(ctx, r)
	return &ontschotv1.GiveConsentResponse{Receipt: receipt}, consentError(err)
}

func (s *Service) give(ctx context.Context, r *ontschotv1.GiveConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	a, err := s.asking(ctx, r, r.GetQuestion())
	if err != nil {
		return nil, err
	}
	if id, err := s.Admission.MadeBefore(ctx, a.Call); err != nil || id != "" {
		return s.madeBefore(ctx, a.Caller(), id, err)
	}
	if r.GetNoticeSha256() != a.notice.GetSha256Nl() && r.GetNoticeSha256() != a.notice.GetSha256En() {
		return nil, admission.Invalid("notice_sha256", "is not that of the text for this question; ask again and show that text")
	}
	a.draft.Notice = consent.Notice{Version: a.notice.GetVersion(), SHA256: r.GetNoticeSha256()}
	for i, by := range r.GetSignatures() {
		// The same page signs for three children: what stands in each consent of it is
		// another hash, or sources could join them by it.
		proof := s.Pseudonyms.Hash("ontschot/proof/1\x00" + r.GetNoticeSha256() + "\x00" + by.GetSha256())
		one := consent.Signature{
			Role: by.GetRole(), Proof: consent.Proof{Kind: by.GetKind(), LOA: by.GetLoa(), Hash: hex.EncodeToString(proof[:])}, Mandate: mandateOf(by.GetMandate()),
		}
		if i == 0 {
			a.draft.GivenBy = one
			continue
		}
		a.draft.CoGivenBy = append(a.draft.CoGivenBy, one)
	}
	return s.issue(ctx, a)
}

func mandateOf(m *ontschotv1.ConsentMandate) *consent.Mandate {
	if m == nil {
		return nil
	}
	return &consent.Mandate{Document: m.GetDocumentSha256(), Scope: slices.Sorted(slices.Values(m.GetScope())), Until: m.GetUntil()}
}

// madeBefore answers a request that came again with what it made when it came first.
func (s *Service) madeBefore(ctx context.Context, caller token.Caller, id string, err error) (*ontschotv1.ConsentReceipt, error) {
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, caller, id)
}

// issue signs a consent as its keeper and makes it count.
func (s *Service) issue(ctx context.Context, a asking) (*ontschotv1.ConsentReceipt, error) {
	issued, err := a.draft.Issue(s.Signers.Signer(), a.bsn, s.Now())
	if err != nil {
		return nil, err
	}
	pseudonyms := [][]byte{[]byte(a.subject)}
	if !a.bsn.IsZero() {
		pseudonyms = s.Pseudonyms.Of(a.bsn, a.draft.Purpose)
	}
	registered, err := s.registerConsent(ctx, toRegister{
		RegisterRequest: &ontschotv1.RegisterRequest{
			Document: issued.Document, Disclosures: issued.Disclosures, SubjectKey: issued.SubjectKey, Pseudonym: pseudonyms[0],
		},
		Call: a.Making(issued.ID), pseudonyms: pseudonyms, narrows: a.narrows,
	})
	if errors.Is(err, register.ErrSaysLess) {
		return nil, admission.Invalid("question.replaces", "this says less of a source, or for a shorter time, than a consent that counts: name that one here, or narrow it")
	}
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, a.Caller(), registered.GetId())
}

// NarrowConsent takes something out of a consent, or takes in that the authority it rests on
// has ended.
func (s *Service) NarrowConsent(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.NarrowConsentResponse, error) {
	receipt, err := s.narrow(ctx, r)
	if err != nil {
		return nil, consentError(err)
	}
	made, err := s.Documents.Document(ctx, receipt.GetId())
	return &ontschotv1.NarrowConsentResponse{Receipt: receipt, Index: made.Entered}, err
}

func (s *Service) narrow(ctx context.Context, r *ontschotv1.NarrowConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Operation: ontschotv1.OperationNarrowConsent}, r)
	if err != nil {
		return nil, err
	}
	if id, err := s.Admission.MadeBefore(ctx, d); err != nil || id != "" {
		return s.madeBefore(ctx, d.Caller(), id, err)
	}
	var bsn identity.BSN // of nobody, where the id says enough
	if r.GetIdentifiers() != nil {
		if bsn, err = admission.TakeBSN("identifiers", &r.Identifiers); err != nil {
			return nil, err
		}
	}
	stored, old, err := s.consentOf(ctx, d.Caller(), r.GetId())
	if err != nil {
		return nil, err
	}
	// That it has ended is for the record to say, which knows a retry as well.
	draft, err := s.narrowed(old, r)
	if err != nil {
		return nil, err
	}
	if !bsn.IsZero() && !old.Of(bsn) {
		return nil, consent.ErrOtherPerson
	}
	return s.issue(ctx, asking{Call: d, bsn: bsn, draft: draft, narrows: true, subject: stored.Subject})
}

// narrowed is what is left of a consent.
func (s *Service) narrowed(old consent.Document, r *ontschotv1.NarrowConsentRequest) (consent.Draft, error) {
	if r.GetAuthorityUntil() != "" {
		last, err := civil.Parse(r.GetAuthorityUntil())
		if err != nil || len(r.GetWithout()) > 0 {
			return consent.Draft{}, admission.Invalid("authority_until", "must be a civil date, YYYY-MM-DD, and stand without anything that is taken out")
		}
		return old.EndAuthority(last)
	}
	whole := func(identity.Organisation) []budgetv1.Category { return nil } // a source without categories is taken out whole
	without, err := s.grantsOf("without", r.GetWithout(), whole)
	if err != nil {
		return consent.Draft{}, err
	}
	return old.Narrow(without)
}

// WithdrawConsent ends a consent.
func (s *Service) WithdrawConsent(ctx context.Context, r *ontschotv1.WithdrawConsentRequest) (*ontschotv1.WithdrawConsentResponse, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Open: true}, r)
	if err != nil {
		return nil, err
	}
	// Whoever withdraws means what they hold a receipt of, whatever has taken its place
	// since: the log ends all that followed from it with the same entry.
	ends, err := s.consentToEnd(ctx, d.Caller(), r.GetId())
	if err != nil {
		return nil, consentError(err)
	}
	jti, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	raw, err := s.Signers.Signer().Compact(signed.Statement, consent.Withdrawal{
		Issuer: s.Own, ID: jti.String(), IssuedAt: s.Now().Unix(), Act: "withdraw", Consent: ends.ID,
	})
	if err != nil {
		return nil, err
	}
	answer, err := s.takeWithdrawal(ctx, d.WithoutKey(), &ontschotv1.RegisterRequest{Document: raw})
	return &ontschotv1.WithdrawConsentResponse{Index: answer.GetIndex()}, consentError(err)
}
