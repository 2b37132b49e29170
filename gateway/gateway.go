// Package gateway answers: may this be told to whom asks, and what is it? It
// brokers one question between those who signed that it may be asked, and puts
// the answers together. exchange.go is the whole of it on one screen.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"buf.build/go/protovalidate"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Party is an organisation this gateway knows by configuration.
type Party struct {
	Code string
	Name string // for people
	OIN  identity.OIN
	Kind string // MUNICIPALITY CARE_OFFICE UWV INSURER SVB CAK EDUCATION TRANSPORT
	Laws []string
}

// Source answers about one person. An adapter process, a peer gateway and a test
// satisfy it alike. It returns within the context's deadline, is safe for
// concurrent use, and gives google.rpc errors with the reasons of adapter.proto.
type Source interface {
	Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
}

// Recorder makes an entry durable before it returns, or says why not:
// audit.ErrUnavailable when nothing can be written, audit.EndedError when
// something the entry rests on is no longer live. Concurrent calls are ordered.
type Recorder interface {
	Append(ctx context.Context, e audit.Entry) (audit.Proof, error)
	// Erase forgets the person with the pseudonyms among the entry's subjects.
	Erase(ctx context.Context, e audit.Entry) (audit.Erased, error)
}

// Documents finds the signed documents that were registered, as the log tells of them,
// ended ones among them. Lists are whole, the newest first.
type Documents interface {
	// Register says which of them count.
	Register() register.View
	// Since says from which size on a change counts, for what a receipt of an origin tells
	// was judged by so many entries.
	Since(origin string, index int64) int64
	Consents(ctx context.Context, pseudonyms [][]byte, purpose string) ([]audit.Kept, error)
	Document(ctx context.Context, id string) (audit.Kept, error)
	Between(ctx context.Context, kind audit.DocumentKind, a, b identity.OIN) ([]audit.Kept, error)
	List(ctx context.Context, kind audit.DocumentKind) ([]audit.Kept, error)
	// Once tells what was done under an idempotency key.
	Once(ctx context.Context, key [32]byte) (audit.OnceRow, bool, error)
}

// Texts words gaps, findings and refusals in Dutch and English.
type Texts interface {
	budget.Texts
	plan.Texts
	// Notice and Receipt word what a person is asked and has said; an empty text means
	// that it cannot be worded.
	Notice(lang string, n wording.Notice) string
	Receipt(lang string, r wording.Receipt) string
}

// Changes words what changes in an agreement.
type Changes interface {
	Change(lang string, c wording.ChangeParams) string
}

// Config of a gateway. Every field is required unless it says otherwise.
type Config struct {
	Own     identity.OIN      // whose gateway it is, and keeper of its consents
	Parties []Party           // all it may deal with, its own organisation among them
	Sources map[string]Source // by party code; a party without one is a gap, NO_ADAPTER
	Peers   map[string]Peer   // by party code; agreements are brought to them
	// Certificates looks again, at every call, at the certificate of who calls.
	Certificates Certificates
	Tokens       token.Checker
	Keys         *signed.Verifier
	Signers      *signed.Ring
	Policy       *policy.Engine
	Record       Recorder
	Documents    Documents
	Texts        Texts
	Changes      Changes
	// WithdrawURL is where a person can withdraw a consent; it stands in each.
	WithdrawURL string
	// Trust is by which a budget that a caller brings back is verified.
	Trust result.Trust
	// LegalBases for pooling laws, dated; may be empty.
	LegalBases []*budgetv1.LegalBasis
	// PseudonymKeys are 32 bytes each that only this organisation has, the newest
	// first: it makes new pseudonyms, the older ones find what was registered under them.
	PseudonymKeys [][]byte
	Now           func() time.Time // wall clock: tokens and the log
	// Today is the civil date: consents, agreements, ages. It differs from Now's
	// only in development, and every result says so.
	Today      func() civil.Date
	TodayIsSet bool
	// SourceTimeout bounds one question to one source; nil means five seconds.
	SourceTimeout *time.Duration
	Log           *slog.Logger // request log; holds no personal data
}

// Gateway serves every service but the adapters'.
type Gateway struct {
	ontschotv1.UnimplementedAgreementServiceServer
	ontschotv1.UnimplementedBudgetServiceServer
	ontschotv1.UnimplementedConsentServiceServer
	ontschotv1.UnimplementedExchangeServiceServer
	ontschotv1.UnimplementedPeerServiceServer
	ontschotv1.UnimplementedRegistryServiceServer
	Config
	own      Party
	validate protovalidate.Validator
	arrived  sync.Map // SHA-256 of what was delivered to a peer
	rates    rates
	// deliveries of other gateways, by their OIN.
	deliveries rates
}

// New says which part of the configuration is missing.
func New(c Config) (*Gateway, error) {
	missing := map[string]bool{
		"Tokens": c.Tokens.Keys == nil, "Certificates": c.Certificates == nil, "Keys": c.Keys == nil, "Signers": c.Signers == nil, "Policy": c.Policy == nil,
		"Record": c.Record == nil, "Documents": c.Documents == nil, "Texts": c.Texts == nil || c.Changes == nil, "WithdrawURL": c.WithdrawURL == "", "Now": c.Now == nil,
		"Trust": c.Trust.Keys == nil || len(c.Trust.Log) == 0, "Today": c.Today == nil, "Log": c.Log == nil, "PseudonymKeys": !thirtyTwo(c.PseudonymKeys),
	}
	for name, gone := range missing {
		if gone {
			return nil, errors.New("gateway: " + name + " is missing")
		}
	}
	at := slices.IndexFunc(c.Parties, func(p Party) bool { return p.OIN == c.Own })
	if at < 0 {
		return nil, errors.New("gateway: Own is none of the Parties")
	}
	timeout := 5 * time.Second
	c.SourceTimeout = cmp.Or(c.SourceTimeout, &timeout)
	validate, err := protovalidate.New(protovalidate.WithFailFast(), protovalidate.WithMessages(
		&ontschotv1.AssembleBudgetRequest{}, &ontschotv1.RegisterRequest{}, &budgetv1.FetchResponse{},
		&ontschotv1.ViewRequest{}, &ontschotv1.CheckPlanRequest{}, &ontschotv1.AccountRequest{}, &ontschotv1.DissolveRequest{}, &ontschotv1.SunsetRequest{},
		&ontschotv1.ProposeAgreementRequest{}, &ontschotv1.ListAgreementsRequest{}, &ontschotv1.GetAgreementRequest{}, &ontschotv1.DiffAgreementsRequest{},
		&ontschotv1.AcceptAgreementRequest{}, &ontschotv1.RejectAgreementRequest{}, &ontschotv1.RevokeAgreementRequest{}, &ontschotv1.DeliverRequest{}, &ontschotv1.DelegateRequest{}, &ontschotv1.EndDelegationRequest{}, &ontschotv1.ListDelegationsRequest{},
		&ontschotv1.AskConsentRequest{}, &ontschotv1.GiveConsentRequest{}, &ontschotv1.NarrowConsentRequest{}, &ontschotv1.WithdrawConsentRequest{},
		&ontschotv1.ListConsentsRequest{}, &ontschotv1.GetConsentRequest{},
	))
	if err != nil {
		return nil, err
	}
	return &Gateway{Config: c, own: c.Parties[at], validate: validate}, nil
}

// thirtyTwo tells whether there are keys and all of the right length.
func thirtyTwo(keys [][]byte) bool {
	return len(keys) > 0 && !slices.ContainsFunc(keys, func(k []byte) bool { return len(k) != 32 })
}

// party finds a party by its code.
func (g *Gateway) party(code string) (Party, bool) {
	i := slices.IndexFunc(g.Parties, func(p Party) bool { return p.Code == code })
	if i < 0 {
		return Party{}, false
	}
	return g.Parties[i], true
}
