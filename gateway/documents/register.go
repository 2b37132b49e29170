package documents

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ErrRegisteredBefore means that this very document was registered before and has
// ended since; a caller gets audit.ErrEnded.
var ErrRegisteredBefore = errors.New("registered before")

// Register takes in one signed document for a caller of the gateway's own organisation.
func (s *Service) Register(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	d, err := s.Admission.Admit(ctx, registering(r), r)
	if err != nil {
		return nil, err
	}
	return s.takeIn(ctx, d, r)
}

// registering is the door of who registers a signed document. A withdrawal that was signed
// elsewhere in the organisation is a withdrawal by this door too.
func registering(r *ontschotv1.RegisterRequest) admission.Door {
	act, _ := signed.ActOf(r.GetDocument())
	return admission.Door{Purpose: ontschotv1.PurposeRegisterDocuments, Operation: ontschotv1.OperationRegisterDocument, Open: act == "withdraw"}
}

// TakeIn verifies one document and makes it count, in one transaction with its
// entry in the log. It is what Register does once the caller is known, and what
// the operator's own start-up does with the documents in a folder.
func (s *Service) TakeIn(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	if err := s.Admission.WellFormed(r); err != nil {
		return nil, err
	}
	return s.takeIn(ctx, admission.Call{}, r)
}

func (s *Service) takeIn(ctx context.Context, d admission.Call, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	kind, err := signed.KindOf(r.GetDocument())
	if err != nil {
		return nil, admission.Invalid("document", "is no signed document")
	}
	switch kind {
	case signed.Agreement:
		return s.takeAgreement(ctx, d, r)
	case signed.Consent:
		return s.registerConsent(ctx, toRegister{RegisterRequest: r, Call: d, pseudonyms: [][]byte{r.GetPseudonym()}})
	case signed.Statement:
		return s.takeOwnStatement(ctx, d, r)
	default:
		return nil, admission.Invalid("document", "is of a kind that is not registered: consents, agreements and withdrawals are")
	}
}

func (s *Service) takeAgreement(ctx context.Context, d admission.Call, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	a, err := agreement.Verify(s.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if _, err := agreement.Verify(s.Keys.Fresh(), r.GetDocument()); err != nil && !s.knows(ctx, a.ID(), r.GetDocument()) {
		return nil, err
	}
	if err := s.between(a.Terms(), s.Own); err != nil {
		return nil, err
	}
	parties, rests := a.Parties(), []register.Rest(nil)
	if _, proposed := s.Documents.Register().Document(register.ProposalID(a.ID())); proposed {
		rests = []register.Rest{{ID: register.ProposalID(a.ID())}} // what was rejected does not come into force by another door
	}
	return s.register(ctx, d, audit.Entry{
		Rests: rests, Kind: audit.Agreement, Organisations: parties, Agreements: []string{a.Digest()}, Put: putAgreement(a, r.GetDocument()),
	}, a.ID(), "AGREEMENT")
}

// toRegister is a consent that was issued, with what is known of it here.
type toRegister struct {
	*ontschotv1.RegisterRequest
	admission.Call
	pseudonyms [][]byte // of the person, under every version of the key
	narrows    bool     // the one it replaces
}

func (s *Service) registerConsent(ctx context.Context, r toRegister) (*ontschotv1.RegisterResponse, error) {
	d, err := consent.Verify(s.Keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	if err != nil {
		return nil, err
	}
	if _, err := consent.Verify(s.Keys.Fresh(), r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey()); err != nil && !s.knows(ctx, d.ID(), r.GetDocument()) {
		return nil, err
	}
	if d.Keeper() != s.Own {
		return nil, fmt.Errorf("%w: issued by another organisation", consent.ErrDocument)
	}
	if !identity.IsUUIDv7(d.ID()) { // it stands where no person may
		return nil, fmt.Errorf("%w: jti must be a UUID of version 7", consent.ErrDocument)
	}
	if len(r.GetPseudonym()) != 32 {
		return nil, admission.Invalid("pseudonym", "32 bytes are needed")
	}
	sealed, err := s.Pseudonyms.Seal(d.ID(), r.GetSubjectKey())
	if err != nil {
		return nil, err
	}
	open, err := json.Marshal(evidence.Openings{Disclosures: r.GetDisclosures(), SubjectKey: sealed})
	if err != nil {
		return nil, err
	}
	put := &audit.Document{Body: r.GetDocument(), Openings: open, Document: register.Document{
		ID: d.ID(), Kind: register.Consent, Keys: d.Keys(), From: d.Span().From, Until: d.Span().To, Replaces: d.Replaces(),
		Subjects: pseudonym.Strings(r.pseudonyms), Purpose: d.Purpose(), Case: d.Claims().Case, Recipients: d.Claims().Recipients,
		Narrows: r.narrows, Void: d.Signed() != nil,
	}}
	for _, one := range d.Grants() {
		grant := register.Grant{Source: one.Source}
		for _, c := range one.Categories {
			grant.Categories = append(grant.Categories, string(c))
		}
		put.Grants = append(put.Grants, grant)
	}
	return s.register(ctx, r.Call, audit.Entry{
		Kind: audit.Consent, Activity: d.Purpose(), Organisations: []identity.OIN{s.Own}, Subjects: [][]byte{r.GetPseudonym()}, Consents: []string{d.ID()},
		Put: put,
	}, d.ID(), "CONSENT")
}

func putAgreement(a agreement.Agreement, raw []byte) *audit.Document {
	parties := a.Parties()
	return &audit.Document{Body: raw, Document: register.Document{
		ID: a.ID(), Kind: register.Agreement, Keys: a.Keys(), From: a.Span().From, Until: a.Span().To, Replaces: a.Terms().Replaces, PartyA: parties[0], PartyB: parties[1],
	}}
}

// takeOwnStatement takes in a statement of this organisation. What the parties to an
// agreement state of it comes by another door.
func (s *Service) takeOwnStatement(ctx context.Context, d admission.Call, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	switch act, _ := signed.ActOf(r.GetDocument()); act {
	case "withdraw":
		return s.takeWithdrawal(ctx, d, r)
	case token.ActDelegate:
		return s.takeDelegation(ctx, d, r)
	}
	return nil, admission.Invalid("document", "states what is not registered: withdrawals and delegations are")
}

// takeDelegation takes in that another organisation may act for this one.
func (s *Service) takeDelegation(ctx context.Context, by admission.Call, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	d, err := token.VerifyDelegation(s.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if _, err := token.VerifyDelegation(s.Keys.Fresh(), r.GetDocument()); err != nil && !s.knows(ctx, d.ID(), r.GetDocument()) {
		return nil, err
	}
	if d.Organisation() != s.Own {
		return nil, fmt.Errorf("%w: of another organisation", token.ErrDocument)
	}
	if !identity.IsUUIDv7(d.ID()) {
		return nil, fmt.Errorf("%w: jti", token.ErrDocument)
	}
	return s.register(ctx, by, audit.Entry{
		Kind: audit.Agreement, Activity: ontschotv1.PurposeSignAgreements, Status: "delegated", Organisations: []identity.OIN{s.Own, d.Delegate()},
		Put: &audit.Document{Body: r.GetDocument(), Document: register.Document{
			ID: d.ID(), Kind: register.Delegation, Keys: d.Keys(), From: d.Span().From, Until: d.Span().To, PartyA: s.Own, PartyB: d.Delegate(),
		}},
	}, d.ID(), "DELEGATION")
}

func (s *Service) takeWithdrawal(ctx context.Context, d admission.Call, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	w, err := consent.VerifyWithdrawal(s.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if w.Issuer != s.Own {
		return nil, fmt.Errorf("%w: issued by another organisation", consent.ErrDocument)
	}
	ends, err := s.Documents.Document(ctx, w.Consent)
	if err != nil {
		return nil, err
	}
	if ends.Kind != audit.ConsentDocument {
		return nil, fmt.Errorf("%w: what it withdraws is no consent", consent.ErrDocument)
	}
	// A retired key signs nothing new; what has ended already is nothing new.
	if _, err := consent.VerifyWithdrawal(s.Keys.Fresh(), r.GetDocument()); err != nil && ends.Live() {
		return nil, err
	}
	return s.register(ctx, d, audit.Entry{
		Kind: audit.Withdrawal, Organisations: []identity.OIN{s.Own}, Consents: []string{w.Consent}, End: w.Consent,
	}, w.Consent, "WITHDRAWAL")
}

func (s *Service) register(ctx context.Context, d admission.Call, e audit.Entry, id, kind string) (*ontschotv1.RegisterResponse, error) {
	proof, err := s.record(ctx, d, e)
	var ended *audit.EndedError
	if errors.As(err, &ended) && ended.ID == id && e.Put != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegisteredBefore, err)
	}
	if errors.Is(err, audit.ErrInvalid) {
		return nil, admission.Invalid("document", "holds an id or a purpose of a form that cannot be recorded")
	}
	if err != nil {
		return nil, err
	}
	if proof.Ref != "" {
		id = proof.Ref // made when this was asked for the first time
	}
	return &ontschotv1.RegisterResponse{Id: id, Kind: kind, Index: proof.Index}, nil
}

// knows reports whether this very document was taken in before: a retired key signs
// nothing new, and what lies in the documents folder at the next start is not new.
func (s *Service) knows(ctx context.Context, id string, body []byte) bool {
	d, err := s.Documents.Document(ctx, id)
	return err == nil && bytes.Equal(d.Body, body)
}
