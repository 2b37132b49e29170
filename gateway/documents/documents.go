// Package documents answers: which agreements, consents and delegations are there, and
// how does one come to count or to end? It serves every RPC that changes or reads them,
// another gateway's deliveries among them.
package documents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Record appends to the log, and forgets a person in it.
type Record interface {
	audit.Appender
	// Erase forgets the person with the pseudonyms among the entry's subjects.
	Erase(ctx context.Context, e audit.Entry) (audit.Erased, error)
}

// Documents finds the signed documents that were registered, as the log has them, ended
// ones among them. Lists are whole, the newest first.
type Documents interface {
	Register() register.View // which of them count
	Document(ctx context.Context, id string) (audit.StoredDocument, error)
	Documents(ctx context.Context, ids []string) ([]audit.StoredDocument, error)
	Between(ctx context.Context, kind audit.DocumentKind, a, b identity.OIN) ([]audit.StoredDocument, error)
}

// Peer is the gateway of another organisation. It returns within the context's
// deadline and is safe for concurrent use.
type Peer interface {
	Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error)
	Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error)
}

// Matrix says what the policy knows of a kind of source for a purpose.
type Matrix interface {
	Laws(purpose, kind string) []string
	Categories(purpose, kind, law string) []budgetv1.Category
	// RetentionDays is for how long what passes between two may be retained.
	RetentionDays(purpose, kind, law string, between ...identity.OIN) int
}

// Texts words what a person is asked and has said, in Dutch and English. An empty text
// means that it cannot be worded.
type Texts interface {
	Notice(lang string, n wording.Notice) string
	Receipt(lang string, r wording.Receipt) string
}

// Changes words what changes in an agreement.
type Changes interface {
	Change(lang string, c wording.ChangeParams) string
}

// Config of a Service. Every field is required unless it says otherwise.
type Config struct {
	Own           identity.OIN // whose gateway it is, and keeper of its consents
	Organisations *identity.Roster
	Peers         func(code string) (Peer, bool) // who has a gateway now; agreements are delivered to it. Nil: nobody
	Admission     *admission.Admission
	Evidence      evidence.Registered
	Keys          *signed.Verifier
	Signers       *signed.Ring
	Matrix        func() Matrix // of the revision in force
	Record        Record
	Documents     Documents
	Texts         Texts
	Changes       Changes
	// WithdrawURL is where a person can withdraw a consent; it stands in each.
	WithdrawURL string
	// Officer says how to reach the data protection officer of Own; it stands in each
	// text that asks for a consent (GDPR art. 13(1)(b)).
	Officer    string
	Pseudonyms pseudonym.Keys
	Now        func() time.Time  // wall clock
	Today      func() civil.Date // civil date in Europe/Amsterdam
	Log        *slog.Logger      // request log; holds no personal data
}

// Service serves AgreementService, ConsentService, PeerService and RegistryService. It is
// safe for concurrent use.
type Service struct {
	ontschotv1.UnimplementedAgreementServiceServer
	ontschotv1.UnimplementedConsentServiceServer
	ontschotv1.UnimplementedPeerServiceServer
	ontschotv1.UnimplementedRegistryServiceServer
	Config
	arrived    sync.Map        // SHA-256 of what was delivered to a peer
	deliveries admission.Rates // of other gateways, by their OIN
}

// New says which part of the configuration is missing.
func New(c Config) (*Service, error) {
	for name, missing := range map[string]bool{
		"Organisations": c.Organisations == nil, "Admission": c.Admission == nil, "Evidence": c.Evidence.Documents == nil, "Keys": c.Keys == nil,
		"Signers": c.Signers == nil, "Matrix": c.Matrix == nil, "Record": c.Record == nil, "Documents": c.Documents == nil, "Texts": c.Texts == nil, "Changes": c.Changes == nil,
		"WithdrawURL": c.WithdrawURL == "", "Officer": c.Officer == "", "Pseudonyms": c.Pseudonyms.IsZero(), "Now": c.Now == nil, "Today": c.Today == nil, "Log": c.Log == nil,
	} {
		if missing {
			return nil, errors.New("documents: " + name + " is missing")
		}
	}
	if _, known := c.Organisations.ByOIN(c.Own); !known {
		return nil, errors.New("documents: Own is none of the Organisations")
	}
	return &Service{Config: c}, nil
}

// peer is the gateway of an organisation, if it has one now.
func (s *Service) peer(code string) (Peer, bool) {
	if s.Peers == nil {
		return nil, false
	}
	return s.Peers(code)
}

func (s *Service) own() identity.Organisation {
	own, _ := s.Organisations.ByOIN(s.Own)
	return own
}

// record appends the entry of what a call does: who did it for whom, and under which
// idempotency key.
func (s *Service) record(ctx context.Context, call admission.Call, e audit.Entry) (audit.Proof, error) {
	admission.ActedFor(&e, call.Caller())
	call.Under(&e)
	proof, err := audit.Append(ctx, s.Record, e)
	if errors.Is(err, register.ErrRefused) && e.Put != nil {
		room := agreement.ErrDocument
		if e.Put.Kind == register.Consent {
			room = consent.ErrDocument
		}
		err = fmt.Errorf("%w: %w", room, err)
	}
	return proof, err
}
