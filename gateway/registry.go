package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ErrRegisteredBefore means that this very document was registered before and has
// ended since; it is told as audit.ErrEnded.
var ErrRegisteredBefore = errors.New("registered before")

// Register takes in one signed document for a caller of the gateway's own organisation.
func (g *Gateway) Register(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	d, err := g.registering(ctx, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	answer, err := g.takeIn(ctx, d, r)
	if err != nil {
		return nil, g.refuse(ctx, err)
	}
	return answer, nil
}

// TakeIn verifies one document and makes it count, in one transaction with its
// entry in the log. It is what Register does once the caller is known, and what
// the operator's own start-up does with the documents in a folder.
func (g *Gateway) TakeIn(ctx context.Context, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	if err := g.wellFormed(r); err != nil {
		return nil, err
	}
	return g.takeIn(ctx, deed{}, r)
}

func (g *Gateway) takeIn(ctx context.Context, d deed, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	kind, err := signed.KindOf(r.GetDocument())
	if err != nil {
		return nil, invalid("document", "is no signed document")
	}
	switch kind {
	case signed.Agreement:
		return g.takeAgreement(ctx, d, r)
	case signed.Consent:
		return g.keepConsent(ctx, toKeep{RegisterRequest: r, deed: d, pseudonyms: [][]byte{r.GetPseudonym()}})
	case signed.Statement:
		return g.takeOwnStatement(ctx, d, r)
	default:
		return nil, invalid("document", "is of a kind that is not registered: consents, agreements and withdrawals are")
	}
}

func (g *Gateway) takeAgreement(ctx context.Context, d deed, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	a, err := agreement.Verify(g.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if _, err := agreement.Verify(g.Keys.Fresh(), r.GetDocument()); err != nil && !g.knows(ctx, a.ID(), r.GetDocument()) {
		return nil, err
	}
	if err := g.between(a.Terms(), g.Own); err != nil {
		return nil, err
	}
	parties, rests := a.Parties(), []register.Rest(nil)
	if _, proposed := g.Documents.Register().Document(register.ProposalID(a.ID())); proposed {
		rests = []register.Rest{{ID: register.ProposalID(a.ID())}} // what was rejected does not come into force by another door
	}
	return g.keep(ctx, d, audit.Entry{
		Rests: rests, Kind: audit.Agreement, Organisations: parties, Agreements: []string{a.Digest()}, Put: putAgreement(a, r.GetDocument()),
	}, a.ID(), "AGREEMENT")
}

// openings is what the keeper needs beside a consent to open it.
type openings struct {
	Disclosures []string `json:"disclosures"`
	SubjectKey  []byte   `json:"subject_key"` // sealed
}

// toKeep is a consent that was issued, with what is known of it here.
type toKeep struct {
	*ontschotv1.RegisterRequest
	deed
	pseudonyms [][]byte // of the person, under every version of the key
	narrows    bool     // the one it replaces
}

func (g *Gateway) keepConsent(ctx context.Context, r toKeep) (*ontschotv1.RegisterResponse, error) {
	d, err := consent.Verify(g.Keys, r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey())
	if err != nil {
		return nil, err
	}
	if _, err := consent.Verify(g.Keys.Fresh(), r.GetDocument(), r.GetDisclosures(), r.GetSubjectKey()); err != nil && !g.knows(ctx, d.ID(), r.GetDocument()) {
		return nil, err
	}
	if d.Keeper() != g.Own {
		return nil, fmt.Errorf("%w: kept by another organisation", consent.ErrDocument)
	}
	if !identity.IsUUIDv7(d.ID()) { // it stands where no person may
		return nil, fmt.Errorf("%w: jti must be a UUID of version 7", consent.ErrDocument)
	}
	if len(r.GetPseudonym()) != 32 {
		return nil, invalid("pseudonym", "32 bytes are needed")
	}
	sealed, err := seal(g.PseudonymKeys[0], d.ID(), r.GetSubjectKey())
	if err != nil {
		return nil, err
	}
	open, err := json.Marshal(openings{r.GetDisclosures(), sealed})
	if err != nil {
		return nil, err
	}
	put := &audit.Document{Body: r.GetDocument(), Openings: open, Document: register.Document{
		ID: d.ID(), Kind: register.Consent, Keys: d.Keys(), From: d.Span().From, Until: d.Span().To, Replaces: d.Replaces(),
		Subjects: texts(r.pseudonyms), Purpose: d.Purpose(), Case: d.Claims().Case, Recipients: d.Claims().Recipients,
		Narrows: r.narrows, Void: d.Signed() != nil,
	}}
	for _, one := range d.Grants() {
		grant := register.Grant{Source: one.Source}
		for _, c := range one.Categories {
			grant.Categories = append(grant.Categories, string(c))
		}
		put.Grants = append(put.Grants, grant)
	}
	return g.keep(ctx, r.deed, audit.Entry{
		Kind: audit.Consent, Activity: d.Purpose(), Organisations: []identity.OIN{g.Own}, Subjects: [][]byte{r.GetPseudonym()}, Consents: []string{d.ID()},
		Put: put,
	}, d.ID(), "CONSENT")
}

func putAgreement(a agreement.Agreement, raw []byte) *audit.Document {
	parties := a.Parties()
	return &audit.Document{Body: raw, Document: register.Document{
		ID: a.ID(), Kind: register.Agreement, Keys: a.Keys(), From: a.Span().From, Until: a.Span().To, Replaces: a.Terms().Replaces, PartyA: parties[0], PartyB: parties[1],
	}}
}

// openAgreement verifies a kept agreement again.
func (g *Gateway) openAgreement(d audit.Kept) (agreement.Agreement, error) {
	return agreement.Verify(g.Keys, d.Body)
}

// openConsent verifies a kept consent again and opens it.
func (g *Gateway) openConsent(d audit.Kept) (consent.Document, error) {
	var open openings
	if err := json.Unmarshal(d.Openings, &open); err != nil {
		return consent.Document{}, consent.ErrDocument
	}
	key, err := unseal(g.PseudonymKeys, d.ID, open.SubjectKey)
	if err != nil {
		return consent.Document{}, err
	}
	return consent.Verify(g.Keys, d.Body, open.Disclosures, key)
}

// takeOwnStatement takes in a statement of this organisation. What the parties to an
// agreement state of it comes by another door.
func (g *Gateway) takeOwnStatement(ctx context.Context, d deed, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	switch act, _ := signed.ActOf(r.GetDocument()); act {
	case "withdraw":
		return g.takeWithdrawal(ctx, d, r)
	case token.ActDelegate:
		return g.takeDelegation(ctx, d, r)
	}
	return nil, invalid("document", "states what is not registered: withdrawals and delegations are")
}

// takeDelegation takes in that another organisation may act for this one.
func (g *Gateway) takeDelegation(ctx context.Context, by deed, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	d, err := token.VerifyDelegation(g.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if _, err := token.VerifyDelegation(g.Keys.Fresh(), r.GetDocument()); err != nil && !g.knows(ctx, d.ID(), r.GetDocument()) {
		return nil, err
	}
	if d.Organisation() != g.Own {
		return nil, fmt.Errorf("%w: of another organisation", token.ErrDocument)
	}
	if !identity.IsUUIDv7(d.ID()) {
		return nil, fmt.Errorf("%w: jti", token.ErrDocument)
	}
	return g.keep(ctx, by, audit.Entry{
		Kind: audit.Agreement, Activity: ontschotv1.PurposeSignAgreements, Status: "delegated", Organisations: []identity.OIN{g.Own, d.Delegate()},
		Put: &audit.Document{Body: r.GetDocument(), Document: register.Document{
			ID: d.ID(), Kind: register.Delegation, Keys: d.Keys(), From: d.Span().From, Until: d.Span().To, PartyA: g.Own, PartyB: d.Delegate(),
		}},
	}, d.ID(), "DELEGATION")
}

func (g *Gateway) takeWithdrawal(ctx context.Context, d deed, r *ontschotv1.RegisterRequest) (*ontschotv1.RegisterResponse, error) {
	w, err := consent.VerifyWithdrawal(g.Keys, r.GetDocument())
	if err != nil {
		return nil, err
	}
	if w.Issuer != g.Own {
		return nil, fmt.Errorf("%w: kept by another organisation", consent.ErrDocument)
	}
	ends, err := g.Documents.Document(ctx, w.Consent)
	if err != nil {
		return nil, err
	}
	if ends.Kind != audit.ConsentDocument {
		return nil, fmt.Errorf("%w: what it withdraws is no consent", consent.ErrDocument)
	}
	// A retired key signs nothing new; what has ended already is nothing new.
	if _, err := consent.VerifyWithdrawal(g.Keys.Fresh(), r.GetDocument()); err != nil && ends.Live() {
		return nil, err
	}
	return g.keep(ctx, d, audit.Entry{
		Kind: audit.Withdrawal, Organisations: []identity.OIN{g.Own}, Consents: []string{w.Consent}, End: w.Consent,
	}, w.Consent, "WITHDRAWAL")
}

func (g *Gateway) keep(ctx context.Context, d deed, e audit.Entry, id, kind string) (*ontschotv1.RegisterResponse, error) {
	proof, err := g.done(ctx, d, e)
	var ended *audit.EndedError
	if errors.As(err, &ended) && ended.ID == id && e.Put != nil {
		return nil, fmt.Errorf("%w: %w", ErrRegisteredBefore, err)
	}
	if errors.Is(err, audit.ErrInvalid) {
		return nil, invalid("document", "holds an id or a purpose of a form that cannot be kept")
	}
	if err != nil {
		return nil, err
	}
	if proof.Ref != "" {
		id = proof.Ref // made when this was asked for the first time
	}
	return &ontschotv1.RegisterResponse{Id: id, Kind: kind, Index: proof.Index}, nil
}

// knows tells whether this very document was taken in before: a retired key signs
// nothing new, and what lies in the documents folder at the next start is not new.
func (g *Gateway) knows(ctx context.Context, id string, body []byte) bool {
	d, err := g.Documents.Document(ctx, id)
	return err == nil && bytes.Equal(d.Body, body)
}
