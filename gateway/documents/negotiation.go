package documents

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// negotiation is what is registered here of one: its proposal and its agreement.
type negotiation struct {
	terms     agreement.Terms
	signedBy  []identity.OIN
	proposal  *audit.StoredDocument // nil: the agreement was registered as a whole
	agreement *audit.StoredDocument // nil: not accepted
	// doubt is why its signatures do not hold any more; it can be shown and ended still.
	doubt error
}

// stage it has come to.
func (k negotiation) stage() agreement.Stage {
	switch {
	case k.agreement != nil && k.agreement.Live():
		return agreement.Agreed
	case k.agreement != nil:
		return agreement.Ended
	case k.proposal != nil && k.proposal.Live():
		return agreement.Open
	}
	return agreement.Closed
}

// open reports whether the proposal waits for an answer.
func (k negotiation) open() bool { return k.stage() == agreement.Open }

// proposer is who signed first; empty when no signature holds any more, as after a key
// was lost.
func (k negotiation) proposer() identity.OIN { return first(k.signedBy) }

func first(signers []identity.OIN) identity.OIN {
	if len(signers) == 0 {
		return ""
	}
	return signers[0]
}

// negotiation reads and verifies what is registered under an agreement's id.
func (s *Service) negotiation(ctx context.Context, id string) (negotiation, error) {
	var k negotiation
	for at, into := range map[string]**audit.StoredDocument{register.ProposalID(id): &k.proposal, id: &k.agreement} {
		d, err := s.Documents.Document(ctx, at)
		switch {
		case errors.Is(err, audit.ErrNoDocument):
		case err != nil:
			return negotiation{}, err
		case d.Kind == audit.ProposalDocument || d.Kind == audit.AgreementDocument:
			*into = &d
		}
	}
	d := k.agreement
	if d == nil {
		d = k.proposal
	}
	if d == nil {
		return negotiation{}, agreement.ErrUnknown
	}
	p, err := agreement.VerifyProposal(s.Keys, d.Body)
	if err != nil {
		k.doubt = err
		if k.terms, err = agreement.Read(d.Body); err == nil && len(k.terms.Parties) < 2 {
			err = agreement.ErrDocument // these terms are unchecked: they may be anything
		}
		return k, err
	}
	k.terms, k.signedBy = p.Terms(), p.SignedBy()
	return k, nil
}

// ListAgreements gives what is registered of agreements with one party, or with all.
func (s *Service) ListAgreements(ctx context.Context, r *ontschotv1.ListAgreementsRequest) (*ontschotv1.ListAgreementsResponse, error) {
	if _, err := s.Admission.Admit(ctx, reading(ontschotv1.OperationReadAgreements), r); err != nil {
		return nil, err
	}
	ids, next, err := page(s.negotiationsWith(r.GetWith()), r)
	if err != nil {
		return nil, err
	}
	answer := &ontschotv1.ListAgreementsResponse{NextPageToken: next}
	for _, id := range ids {
		view, err := s.agreementView(ctx, id)
		if err != nil {
			return nil, err
		}
		view.Document = nil
		answer.Agreements = append(answer.Agreements, view)
	}
	return answer, nil
}

// negotiationsWith an organisation by its code, or with all: by the ids of their terms, the
// one that was begun last first.
func (s *Service) negotiationsWith(code string) []string {
	began := map[string]int64{}
	for _, p := range s.Organisations.Now() {
		if p.OIN == s.Own || code != "" && code != p.Code {
			continue
		}
		for _, kind := range []audit.DocumentKind{audit.ProposalDocument, audit.AgreementDocument} {
			for _, d := range s.Documents.Register().Between(kind, s.Own, p.OIN) {
				id := register.TermsID(d.ID)
				if at, known := began[id]; !known || d.Entered < at {
					began[id] = d.Entered
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(began), func(a, b string) int { return cmp.Compare(began[b], began[a]) })
}

// GetAgreement gives one with its terms and the signed document.
func (s *Service) GetAgreement(ctx context.Context, r *ontschotv1.GetAgreementRequest) (*ontschotv1.GetAgreementResponse, error) {
	if _, err := s.Admission.Admit(ctx, reading(ontschotv1.OperationReadAgreements), r); err != nil {
		return nil, err
	}
	view, err := s.agreementView(ctx, r.GetId())
	return &ontschotv1.GetAgreementResponse{Agreement: view}, err
}

// reading is the door of who reads what was agreed.
func reading(operation ontschotv1.Operation) admission.Door {
	return admission.Door{Purpose: ontschotv1.PurposeSignAgreements, Operation: operation}
}

// DiffAgreements says what one changes against another.
func (s *Service) DiffAgreements(ctx context.Context, r *ontschotv1.DiffAgreementsRequest) (*ontschotv1.DiffAgreementsResponse, error) {
	if _, err := s.Admission.Admit(ctx, reading(ontschotv1.OperationReadAgreements), r); err != nil {
		return nil, err
	}
	k, err := s.negotiation(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	old, err := s.against(ctx, r, k)
	if err != nil {
		return nil, err
	}
	if old.ID == "" || old.ID == k.terms.Replaces {
		old.Replaces = "" // a draft replaces nothing, and what is replaced is what it is compared with
	}
	if old.ID == k.terms.Replaces {
		old.Replaces = k.terms.Replaces
	}
	answer := &ontschotv1.DiffAgreementsResponse{}
	// What the gateway adds to a draft is no change of what is agreed.
	old.ID, old.ProposedAt = k.terms.ID, k.terms.ProposedAt
	for _, c := range agreement.Diff(old, k.terms) {
		words := wording.ChangeParams{
			Path: c.Path, Kind: c.Kind, Old: c.Old, New: c.New, Purposes: c.Purposes,
			Party: string(c.Party), Consumer: string(c.Consumer), Source: string(c.Source), Name: func(oin string) string { return s.Organisations.Now().Names()[identity.OIN(oin)] },
		}
		answer.Changes = append(answer.Changes, &ontschotv1.AgreementChange{
			Path: c.Path, Kind: c.Kind, Old: c.Old, New: c.New,
			TextNl: s.Changes.Change(wording.Dutch, words), TextEn: s.Changes.Change(wording.English, words),
		})
	}
	return answer, nil
}

// against gives the terms that a proposal is compared with.
func (s *Service) against(ctx context.Context, r *ontschotv1.DiffAgreementsRequest, k negotiation) (agreement.Terms, error) {
	if r.GetAgainstTerms() != nil {
		return termsOf(r.GetAgainstTerms())
	}
	id := r.GetAgainst()
	if id == "" {
		id = k.terms.Replaces
	}
	if id == "" {
		return agreement.Terms{}, admission.Invalid("against", "it replaces nothing: say what it is to be compared with")
	}
	old, err := s.negotiation(ctx, id)
	return old.terms, err
}

// agreementView is what an officer sees of one.
func (s *Service) agreementView(ctx context.Context, id string) (*ontschotv1.Agreement, error) {
	k, err := s.negotiation(ctx, id)
	if err != nil {
		return nil, err
	}
	with, _ := s.Organisations.ByOIN(other(k.terms, s.Own))
	by, _ := s.Organisations.ByOIN(k.proposer())
	terms, err := ontschotv1.NewAgreementTerms(k.terms)
	if err != nil {
		return nil, err
	}
	view := &ontschotv1.Agreement{
		Id: id, With: with.Code, ProposedBy: by.Code, Replaces: k.terms.Replaces, Terms: terms,
		TermsSha256: k.terms.Digest(), ProposedAtMs: k.terms.ProposedAt * 1000,
	}
	stated := false
	if view.Reason, stated, err = s.reasonOf(ctx, k.terms); err != nil {
		return nil, err
	}
	view.Status = s.statusOf(k, stated)
	if k.agreement == nil {
		view.Document = k.proposal.Body
		return view, nil
	}
	view.Document = k.agreement.Body
	if lead := max(0, k.agreement.Since-view.GetProposedAtMs()); k.proposal != nil {
		view.LeadTimeMs = &lead
	}
	return view, nil
}

// statusOf is what an officer sees of its stage; stated reports whether a party rejected or
// revoked the terms.
func (s *Service) statusOf(k negotiation, stated bool) string {
	from, _ := civil.Parse(k.terms.From)
	until, _ := civil.Parse(k.terms.Until)
	stage := k.stage()
	switch {
	case stage == agreement.Closed && stated:
		return ontschotv1.StatusRejected
	case stage == agreement.Ended && stated:
		return ontschotv1.StatusRevoked
	case stage == agreement.Closed || stage == agreement.Ended:
		return ontschotv1.StatusSuperseded
	case stage == agreement.Agreed && k.agreement.Replaced(s.Today()):
		return ontschotv1.StatusSuperseded
	case k.doubt != nil:
		return ontschotv1.StatusUnverifiable
	case until < s.Today():
		return ontschotv1.StatusExpired
	case stage == agreement.Open:
		return ontschotv1.StatusProposed
	case k.agreement.Uncertain:
		return ontschotv1.StatusUncertain
	case s.Today() < from:
		return ontschotv1.StatusAccepted
	}
	return ontschotv1.StatusInForce
}

// reasonOf gives what a party stated when it rejected or revoked these terms.
func (s *Service) reasonOf(ctx context.Context, t agreement.Terms) (reason string, stated bool, err error) {
	d, err := s.Documents.Document(ctx, statementID(t.ID))
	if errors.Is(err, audit.ErrNoDocument) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if said, err := agreement.VerifyStatement(s.Keys, d.Body); err == nil && said.About(t) == nil {
		reason = said.Reason
	}
	return reason, true, nil
}

func termsOf(m *ontschotv1.AgreementTerms) (agreement.Terms, error) {
	var t agreement.Terms
	if err := m.Into(&t); err != nil {
		return t, admission.Invalid("terms", "cannot be read")
	}
	return t, nil
}

// termsError names the term that cannot be so.
func termsError(err error) error {
	var field *agreement.FieldError
	if errors.As(err, &field) && field.Path != "" {
		return admission.Invalid("terms."+field.Path, "%s", field.What)
	}
	return err
}
