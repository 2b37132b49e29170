// Package gateway answers: what may be released to whom asks, and what is it? It brokers
// one request between those who signed that it may be made, and puts the answers
// together. exchange.go is the whole of it on one screen.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"buf.build/go/protovalidate"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/budget"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/plan"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Source answers about one person. An adapter process, a peer gateway and a test
// satisfy it alike. It returns within the context's deadline, is safe for
// concurrent use, and gives google.rpc errors with the reasons of adapter.proto.
type Source interface {
	Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
}

// Texts words gaps and findings in Dutch and English.
type Texts interface {
	budget.Texts
	plan.Texts
}

// Config of a gateway. Every field is required unless it says otherwise.
type Config struct {
	Own           identity.OIN      // whose gateway it is
	Organisations *identity.Roster  // all it may deal with, its own among them
	Sources       map[string]Source // by the organisation's code; one without is a gap, NO_ADAPTER
	// Peers are sources too: other organisations' own gateways, as they are at the moment.
	// Nil: there are none.
	Peers     func(code string) (Source, bool)
	Admission *admission.Admission
	Evidence  evidence.Registered
	Keys      *signed.Verifier
	Signers   *signed.Ring
	Policy    *policy.Rules
	Record    audit.Appender
	Texts     Texts
	// Trust is by which a budget that a caller presents is verified.
	Trust result.Trust
	// LegalBases for pooling laws, dated, that go before those of the policy; may be empty.
	LegalBases []*budgetv1.LegalBasis
	Pseudonyms pseudonym.Keys
	Now        func() time.Time // wall clock
	// Today is the civil date: consents, agreements, ages. It differs from Now's
	// only in development, and every result says so.
	Today      func() civil.Date
	TodayIsSet bool
	// SourceTimeout bounds one request to one source; nil means five seconds.
	SourceTimeout *time.Duration
	Log           *slog.Logger // request log; holds no personal data
}

// Gateway serves ExchangeService and BudgetService. It is safe for concurrent use.
type Gateway struct {
	ontschotv1.UnimplementedBudgetServiceServer
	ontschotv1.UnimplementedExchangeServiceServer
	Config
	own     identity.Organisation
	answers protovalidate.Validator
	rates   admission.Rates
}

// New says which part of the configuration is missing.
func New(c Config) (*Gateway, error) {
	for name, missing := range map[string]bool{
		"Admission": c.Admission == nil, "Evidence": c.Evidence.Documents == nil, "Keys": c.Keys == nil, "Signers": c.Signers == nil, "Policy": c.Policy == nil,
		"Record": c.Record == nil, "Texts": c.Texts == nil, "Trust": c.Trust.Keys == nil || len(c.Trust.Log) == 0, "Pseudonyms": c.Pseudonyms.IsZero(),
		"Now": c.Now == nil, "Today": c.Today == nil, "Log": c.Log == nil,
	} {
		if missing {
			return nil, errors.New("gateway: " + name + " is missing")
		}
	}
	own, known := c.Organisations.ByOIN(c.Own)
	if !known {
		return nil, errors.New("gateway: Own is none of the Organisations")
	}
	timeout := 5 * time.Second
	c.SourceTimeout = cmp.Or(c.SourceTimeout, &timeout)
	answers, err := admission.Rules()
	if err != nil {
		return nil, err
	}
	return &Gateway{Config: c, own: own, answers: answers}, nil
}
