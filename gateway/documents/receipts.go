package documents

import (
	"context"
	"time"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/pseudonym"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ListConsents gives one person's consents in the case of the token.
func (s *Service) ListConsents(ctx context.Context, r *ontschotv1.ListConsentsRequest) (*ontschotv1.ListConsentsResponse, error) {
	by, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Operation: ontschotv1.OperationReadConsents}, r)
	if err != nil {
		return nil, err
	}
	bsn, err := admission.TakeBSN("identifiers", &r.Identifiers)
	if err != nil {
		return nil, err
	}
	records := s.Documents.Register().Consents(pseudonym.Strings(s.Pseudonyms.Of(bsn, r.GetPurpose())), r.GetPurpose())
	ids, next, err := page(idsOf(records), r)
	if err != nil {
		return nil, err
	}
	answer := &ontschotv1.ListConsentsResponse{NextPageToken: next}
	documents, err := s.Documents.Documents(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, d := range documents {
		opened, err := s.Evidence.OpenConsent(d)
		if err != nil || opened.Claims().Case != by.Caller().Case() {
			continue // of another case: it is not said that there is one
		}
		one, err := s.receiptOf(d, opened)
		if err != nil {
			return nil, err
		}
		answer.Receipts = append(answer.Receipts, one)
	}
	return answer, nil
}

// GetConsent gives the receipt of one.
func (s *Service) GetConsent(ctx context.Context, r *ontschotv1.GetConsentRequest) (*ontschotv1.GetConsentResponse, error) {
	d, err := s.Admission.Admit(ctx, admission.Door{Purpose: ontschotv1.PurposeKeepConsents, Operation: ontschotv1.OperationReadConsents}, r)
	if err != nil {
		return nil, err
	}
	receipt, err := s.receipt(ctx, d.Caller(), r.GetId())
	return &ontschotv1.GetConsentResponse{Receipt: receipt}, err
}

func (s *Service) receipt(ctx context.Context, caller token.Caller, id string) (*ontschotv1.ConsentReceipt, error) {
	d, opened, err := s.consentOf(ctx, caller, id)
	if err != nil {
		return nil, err
	}
	return s.receiptOf(d, opened)
}

// consentOf finds a consent of the caller's case.
func (s *Service) consentOf(ctx context.Context, caller token.Caller, id string) (audit.StoredDocument, consent.Document, error) {
	d, err := s.Documents.Document(ctx, id)
	if err != nil {
		return d, consent.Document{}, err
	}
	if d.Kind != audit.ConsentDocument {
		return d, consent.Document{}, audit.ErrNoDocument
	}
	opened, err := s.Evidence.OpenConsent(d)
	if err != nil {
		return d, opened, err
	}
	if opened.Claims().Case != caller.Case() {
		return d, opened, token.ErrCase
	}
	return d, opened, nil
}

// consentToEnd finds a consent of the caller's case that is to end. Its signature need
// not hold any more: a key that was taken out does not stop a withdrawal.
func (s *Service) consentToEnd(ctx context.Context, caller token.Caller, id string) (audit.StoredDocument, error) {
	d, err := s.Documents.Document(ctx, id)
	if err != nil {
		return d, err
	}
	claims, err := consent.Read(d.Body)
	switch {
	case d.Kind != audit.ConsentDocument || err != nil:
		return d, audit.ErrNoDocument
	case claims.Case != caller.Case():
		return d, token.ErrCase
	}
	return d, nil
}

// receiptOf is what the person takes home.
func (s *Service) receiptOf(d audit.StoredDocument, opened consent.Document) (*ontschotv1.ConsentReceipt, error) {
	c, span := opened.Claims(), opened.Span()
	record, err := opened.Receipt(wording.Dutch, s.Organisations.Now().Names(), time.UnixMilli(d.Since))
	if err != nil {
		return nil, err
	}
	out := &ontschotv1.ConsentReceipt{
		Id: d.ID, Status: s.standing(d.Record, span), Purpose: c.Purpose, From: span.From.String(), Until: span.To.String(),
		LapsesOn: c.LapsesOn, Replaces: c.Replaces, Record: record, Document: d.Body,
	}
	if opened.Signed() != nil && (out.GetStatus() == ontschotv1.StatusInForce || out.GetStatus() == ontschotv1.StatusFuture) {
		out.Status = ontschotv1.StatusVoid
	}
	var mandated civil.Date // the first day on which one of the mandates ends
	for _, m := range opened.Mandates() {
		out.Mandates = append(out.Mandates, &ontschotv1.ConsentMandate{DocumentSha256: m.Document, Scope: m.Scope, Until: m.Until})
		if last, _ := civil.Parse(m.Until); mandated.IsZero() || last < mandated {
			mandated = last
		}
	}
	for _, by := range append([]consent.Signature{c.GivenBy}, c.CoGivenBy...) {
		out.GivenBy = append(out.GivenBy, by.Role)
	}
	for _, one := range opened.Grants() {
		party, _ := s.Organisations.ByOIN(one.Source)
		grant := &ontschotv1.ConsentGrant{Source: party.Code}
		for _, category := range one.Categories {
			grant.Categories = append(grant.Categories, string(category))
		}
		out.Grants = append(out.Grants, grant)
	}
	until, _ := civil.Parse(c.Until) // as it was read: the birthday on which it ends before is said beside it
	lapses, _ := civil.Parse(c.LapsesOn)
	text := wording.Receipt{
		ID: d.ID, Controller: s.own().Name, Reader: c.GivenBy.Role, Purpose: c.Purpose, Sources: s.sourcesOf(opened.Grants()),
		Given: civil.Today(time.Unix(c.IssuedAt, 0)), From: span.From, Until: until, LapsesOn: lapses, GivenBy: out.GetGivenBy(), MandatedUntil: mandated, Withdraw: c.Withdraw,
	}
	out.TextNl, out.TextEn = s.Texts.Receipt(wording.Dutch, text), s.Texts.Receipt(wording.English, text)
	return out, nil
}

// standing is what has become of a document, in a word of the API.
func (s *Service) standing(d register.Record, span civil.Span) string {
	switch today := s.Today(); {
	case !d.Live() || d.Lost || d.Replaced(today):
		return ontschotv1.StatusEnded
	case today < span.From:
		return ontschotv1.StatusFuture
	case !span.Contains(today):
		return ontschotv1.StatusExpired
	case d.Uncertain:
		return ontschotv1.StatusUncertain
	}
	return ontschotv1.StatusInForce
}

// sourcesOf names the sources of a consent for who reads it.
func (s *Service) sourcesOf(grants []consent.Grant) []wording.NoticeSource {
	var out []wording.NoticeSource
	for _, one := range grants {
		party, _ := s.Organisations.ByOIN(one.Source)
		source := wording.NoticeSource{Name: party.Name, Kind: party.Kind}
		for _, c := range one.Categories {
			source.Categories = append(source.Categories, string(c))
		}
		out = append(out, source)
	}
	return out
}
