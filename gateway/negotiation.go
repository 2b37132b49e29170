package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// kept is what this gateway keeps of one negotiation.
type kept struct {
	terms     agreement.Terms
	signedBy  []identity.OIN
	proposal  *audit.Kept // nil: the agreement was registered as a whole
	agreement *audit.Kept // nil: not accepted
	// doubt is why its signatures do not hold any more; it can be shown and ended still.
	doubt error
}

// open tells whether the proposal waits for an answer.
func (k kept) open() bool { return k.agreement == nil && k.proposal != nil && k.proposal.Live() }

// proposer is who signed first; empty when no signature holds any more, as after a key
// was lost.
func (k kept) proposer() identity.OIN { return first(k.signedBy) }

func first(signers []identity.OIN) identity.OIN {
	if len(signers) == 0 {
		return ""
	}
	return signers[0]
}

// kept reads and verifies what is kept under an agreement's id.
func (g *Gateway) kept(ctx context.Context, id string) (kept, error) {
	var k kept
	for at, into := range map[string]**audit.Kept{register.ProposalID(id): &k.proposal, id: &k.agreement} {
		d, err := g.Documents.Document(ctx, at)
		switch {
		case errors.Is(err, audit.ErrNoDocument):
		case err != nil:
			return kept{}, err
		case d.Kind == audit.ProposalDocument || d.Kind == audit.AgreementDocument:
			*into = &d
		}
	}
	d := k.agreement
	if d == nil {
		d = k.proposal
	}
	if d == nil {
		return kept{}, errNoAgreement
	}
	p, err := agreement.VerifyProposal(g.Keys, d.Body)
	if err != nil {
		k.doubt = err
		if k.terms, err = agreement.Read(d.Body); err == nil && len(k.terms.Parties) < 2 {
			err = agreement.ErrDocument // nobody checked these terms: they may be anything
		}
		return k, err
	}
	k.terms, k.signedBy = p.Terms(), p.SignedBy()
	return k, nil
}

// ListAgreements gives what is kept of agreements with one party, or with all.
func (g *Gateway) ListAgreements(ctx context.Context, r *ontschotv1.ListAgreementsRequest) (*ontschotv1.ListAgreementsResponse, error) {
	answer, err := g.list(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

func (g *Gateway) list(ctx context.Context, r *ontschotv1.ListAgreementsRequest) (*ontschotv1.ListAgreementsResponse, error) {
	if _, err := g.doing(ctx, ontschotv1.PurposeSignAgreements, ontschotv1.OperationReadAgreements, r); err != nil {
		return nil, err
	}
	answer := &ontschotv1.ListAgreementsResponse{}
	for _, p := range g.Parties {
		if p.OIN == g.Own || r.GetWith() != "" && r.GetWith() != p.Code {
			continue
		}
		views, err := g.agreementsWith(ctx, p)
		if err != nil {
			return nil, err
		}
		answer.Agreements = append(answer.Agreements, views...)
	}
	slices.SortStableFunc(answer.Agreements, func(a, b *ontschotv1.Agreement) int { return int(b.GetProposedAtMs() - a.GetProposedAtMs()) })
	return answer, nil
}

func (g *Gateway) agreementsWith(ctx context.Context, p Party) ([]*ontschotv1.Agreement, error) {
	ids := []string{}
	for _, kind := range []audit.DocumentKind{audit.ProposalDocument, audit.AgreementDocument} {
		documents, err := g.Documents.Between(ctx, kind, g.Own, p.OIN)
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			ids = appendNew(ids, register.TermsID(d.ID))
		}
	}
	var views []*ontschotv1.Agreement
	for _, id := range ids {
		view, err := g.agreementView(ctx, id)
		if err != nil {
			return nil, err
		}
		view.Document = nil
		views = append(views, view)
	}
	return views, nil
}

// GetAgreement gives one with its terms and the signed document.
func (g *Gateway) GetAgreement(ctx context.Context, r *ontschotv1.GetAgreementRequest) (*ontschotv1.GetAgreementResponse, error) {
	if _, err := g.doing(ctx, ontschotv1.PurposeSignAgreements, ontschotv1.OperationReadAgreements, r); err != nil {
		return nil, g.refuse(ctx, err)
	}
	view, err := g.agreementView(ctx, r.GetId())
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return &ontschotv1.GetAgreementResponse{Agreement: view}, nil
}

// DiffAgreements says what one changes against another.
func (g *Gateway) DiffAgreements(ctx context.Context, r *ontschotv1.DiffAgreementsRequest) (*ontschotv1.DiffAgreementsResponse, error) {
	answer, err := g.diff(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

func (g *Gateway) diff(ctx context.Context, r *ontschotv1.DiffAgreementsRequest) (*ontschotv1.DiffAgreementsResponse, error) {
	if _, err := g.doing(ctx, ontschotv1.PurposeSignAgreements, ontschotv1.OperationReadAgreements, r); err != nil {
		return nil, err
	}
	k, err := g.kept(ctx, r.GetId())
	if err != nil {
		return nil, err
	}
	old, err := g.against(ctx, r, k)
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
			Party: string(c.Party), Consumer: string(c.Consumer), Source: string(c.Source), Name: func(oin string) string { return g.names()[identity.OIN(oin)] },
		}
		answer.Changes = append(answer.Changes, &ontschotv1.AgreementChange{
			Path: c.Path, Kind: c.Kind, Old: c.Old, New: c.New,
			TextNl: g.Changes.Change(wording.Dutch, words), TextEn: g.Changes.Change(wording.English, words),
		})
	}
	return answer, nil
}

// against gives the terms that a proposal is compared with.
func (g *Gateway) against(ctx context.Context, r *ontschotv1.DiffAgreementsRequest, k kept) (agreement.Terms, error) {
	if r.GetAgainstTerms() != nil {
		return termsOf(r.GetAgainstTerms())
	}
	id := r.GetAgainst()
	if id == "" {
		id = k.terms.Replaces
	}
	if id == "" {
		return agreement.Terms{}, invalid("against", "it replaces nothing: say what it is to be compared with")
	}
	old, err := g.kept(ctx, id)
	return old.terms, err
}

// agreementView is what an officer sees of one.
func (g *Gateway) agreementView(ctx context.Context, id string) (*ontschotv1.Agreement, error) {
	k, err := g.kept(ctx, id)
	if err != nil {
		return nil, err
	}
	with, _ := g.partyOf(other(k.terms, g.Own))
	by, _ := g.partyOf(k.proposer())
	terms, err := ontschotv1.NewAgreementTerms(k.terms)
	if err != nil {
		return nil, err
	}
	view := &ontschotv1.Agreement{
		Id: id, With: with.Code, ProposedBy: by.Code, Replaces: k.terms.Replaces, Terms: terms,
		TermsSha256: k.terms.Digest(), ProposedAtMs: k.terms.ProposedAt * 1000,
	}
	stated := false
	if view.Reason, stated, err = g.reasonOf(ctx, k.terms); err != nil {
		return nil, err
	}
	if view.Status, err = g.statusOf(ctx, k, stated); err != nil {
		return nil, err
	}
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

func (g *Gateway) statusOf(ctx context.Context, k kept, stated bool) (string, error) {
	from, _ := civil.Parse(k.terms.From)
	until, _ := civil.Parse(k.terms.Until)
	live := k.open() || k.agreement != nil && k.agreement.Live()
	switch {
	case !live && stated && k.agreement == nil:
		return ontschotv1.StatusRejected, nil
	case !live && stated:
		return ontschotv1.StatusRevoked, nil
	case !live:
		return ontschotv1.StatusSuperseded, nil
	case k.agreement != nil && k.agreement.Replaced(g.Today()):
		return ontschotv1.StatusSuperseded, nil
	case k.doubt != nil:
		return ontschotv1.StatusUnverifiable, nil
	case until < g.Today():
		return ontschotv1.StatusExpired, nil
	case k.agreement == nil:
		return ontschotv1.StatusProposed, nil
	case k.agreement.Uncertain:
		return ontschotv1.StatusUncertain, nil
	case g.Today() < from:
		return ontschotv1.StatusAccepted, nil
	}
	return ontschotv1.StatusInForce, nil
}

// reasonOf gives what a party stated when it rejected or revoked these terms.
func (g *Gateway) reasonOf(ctx context.Context, t agreement.Terms) (reason string, stated bool, err error) {
	d, err := g.Documents.Document(ctx, statementID(t.ID))
	if errors.Is(err, audit.ErrNoDocument) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if s, err := agreement.VerifyStatement(g.Keys, d.Body); err == nil && s.About(t) == nil {
		reason = s.Reason
	}
	return reason, true, nil
}

// partyOf finds a party by its OIN.
func (g *Gateway) partyOf(oin identity.OIN) (Party, bool) {
	i := slices.IndexFunc(g.Parties, func(p Party) bool { return p.OIN == oin })
	if i < 0 {
		return Party{}, false
	}
	return g.Parties[i], true
}

func termsOf(m *ontschotv1.AgreementTerms) (agreement.Terms, error) {
	var t agreement.Terms
	if err := m.Into(&t); err != nil {
		return t, invalid("terms", "cannot be read")
	}
	return t, nil
}

// termsError names the term that cannot be so.
func termsError(err error) error {
	var field *agreement.FieldError
	if errors.As(err, &field) && field.Path != "" {
		return invalid("terms."+field.Path, "%s", field.What)
	}
	return err
}
