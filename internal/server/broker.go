package server

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc/health"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/authzen"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/federation"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/door"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// BrokerConfig is what a broker is made of. The rooms say of each field what it is, and
// which is missing.
type BrokerConfig struct {
	Own           identity.OIN
	Organisations *identity.Roster
	Sources       map[string]gateway.Source
	Peers         func(code string) (documents.Peer, bool) // nil: none
	PeerSources   func(code string) (gateway.Source, bool) // nil: none
	Certificates  admission.Certificates
	Tokens        token.Checker
	Keys          *signed.Verifier
	Signers       *signed.Ring
	Policy        *policy.Rules
	Record        documents.Record
	Documents     Documents
	Texts         Texts
	Changes       documents.Changes
	WithdrawURL   string
	Officer       string
	Trust         result.Trust
	LegalBases    []*budgetv1.LegalBasis
	PseudonymKeys [][]byte // 32 bytes each, the newest first
	Now           func() time.Time
	Today         func() civil.Date
	TodayIsSet    bool
	SourceTimeout *time.Duration
	Log           *slog.Logger
	Refusals      *slog.Logger  // what callers can have written; nil: Log
	Answered      *slog.Logger  // the line of each call that was answered; nil: there is none
	Watch         refusal.Watch // nil: nobody
}

// Documents is all that the rooms read of the log.
type Documents interface {
	documents.Documents
	evidence.Documents
	admission.Once
}

// Texts is all that the rooms have worded.
type Texts interface {
	gateway.Texts
	documents.Texts
	Reason(code, lang string) (wording.Reason, bool)
}

// Broker is what a gateway serves: the exchange, the documents it rests on, and the edge
// around both.
type Broker struct {
	*gateway.Gateway
	*documents.Service
	refusal.Edge
	*federation.Answerer
	// AuthZEN answers what the policy would say.
	AuthZEN *authzen.Point
	health  *health.Server
	gate    *door.Gate
}

// peers serves what gateways of other organisations call.
type peers struct {
	ontschotv1.UnimplementedPeerServiceServer
	documents *documents.Service
	answerer  *federation.Answerer
}

// Deliver is ontschotv1.PeerServiceServer's.
func (p peers) Deliver(ctx context.Context, r *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	return p.documents.Deliver(ctx, r)
}

// Holds is ontschotv1.PeerServiceServer's.
func (p peers) Holds(ctx context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	return p.documents.Holds(ctx, r)
}

// Fetch is ontschotv1.PeerServiceServer's.
func (p peers) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return p.answerer.Fetch(ctx, r)
}

// Describe is ontschotv1.PeerServiceServer's.
func (p peers) Describe(ctx context.Context, r *ontschotv1.DescribeRequest) (*ontschotv1.DescribeResponse, error) {
	return p.answerer.Describe(ctx, r)
}

// NewBroker puts the rooms together.
func NewBroker(c BrokerConfig) (*Broker, error) {
	pseudonyms, err := pseudonym.NewKeys(c.Own, c.PseudonymKeys)
	if err != nil {
		return nil, err
	}
	registered := evidence.New(evidence.Config{
		Own: c.Own, Organisations: c.Organisations, Keys: c.Keys, Pseudonyms: pseudonyms, Documents: c.Documents, Now: c.Now, Log: c.Log,
	})
	admit, err := admission.New(admission.Config{
		Own: c.Own, Organisations: c.Organisations, Certificates: c.Certificates, Tokens: c.Tokens, Policy: c.Policy,
		Delegations: registered.Delegations, Once: c.Documents, Pseudonyms: pseudonyms, Now: c.Now, Today: c.Today,
	})
	if err != nil {
		return nil, err
	}
	service, err := documents.New(documents.Config{
		Own: c.Own, Organisations: c.Organisations, Peers: c.Peers, Admission: admit, Evidence: registered, Keys: c.Keys, Signers: c.Signers,
		Matrix: func() documents.Matrix { return c.Policy.Now() }, Record: c.Record, Documents: c.Documents, Texts: c.Texts, Changes: c.Changes, WithdrawURL: c.WithdrawURL, Officer: c.Officer, Pseudonyms: pseudonyms,
		Now: c.Now, Today: c.Today, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	exchange, err := gateway.New(gateway.Config{
		Own: c.Own, Organisations: c.Organisations, Sources: c.Sources, Peers: c.PeerSources, Admission: admit, Evidence: registered, Keys: c.Keys, Signers: c.Signers,
		Policy: c.Policy, Record: c.Record, Texts: c.Texts, Trust: c.Trust, LegalBases: c.LegalBases, Pseudonyms: pseudonyms,
		Now: c.Now, Today: c.Today, TodayIsSet: c.TodayIsSet, SourceTimeout: c.SourceTimeout, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	own, _ := c.Organisations.ByOIN(c.Own)
	answerer, err := federation.New(federation.Config{
		Own: c.Own, Organisations: c.Organisations, Source: func() federation.Source { return c.Sources[own.Code] }, Admission: admit, Tokens: c.Tokens, Evidence: registered,
		Signers: c.Signers, Policy: c.Policy, Record: c.Record, Pseudonyms: pseudonyms, Now: c.Now, Today: c.Today, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	refusals, gate := cmp.Or(c.Refusals, c.Log), new(door.Gate)
	edge := refusal.Edge{
		Failures: admission.Failures{Own: c.Own, PolicyRevision: c.Policy.Revision, Record: c.Record, Log: refusals}, Log: refusals,
		Answered: c.Answered, Watch: c.Watch, Late: gate.Late,
	}
	point := authzen.New(authzen.Config{Admission: admit, Policy: c.Policy, Texts: c.Texts, Edge: edge, Now: c.Now, Log: c.Log})
	return &Broker{exchange, service, edge, answerer, point, health.NewServer(), gate}, nil
}
