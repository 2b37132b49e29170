// Package evidence answers: which agreement and which consent count for a request?
package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// Evidence is what counts for one request, as it was when the request began: of what was
// registered here (Registered.For), or of what another gateway presents. It is of one
// goroutine.
type Evidence interface {
	// Size of the log by which it is judged, in entries.
	Size() int64
	// Agreement under which the source may be asked. A source that is the asking
	// organisation's own needs none with itself. Errors: those of agreement.
	Agreement(ctx context.Context, source identity.Organisation) (agreement.Covering, error)
	// Consent of the person for the source: what was said last decides. Errors: those of
	// consent.
	Consent(ctx context.Context, subject Subject, source identity.Organisation) (consent.Consent, error)
}

// Subject is the person whose consent is looked for.
type Subject struct {
	BSN  identity.BSN
	Born civil.Date // no date: nothing is concluded from age
	// Pseudonyms are those for the purpose, under every version of the key.
	Pseudonyms [][]byte
}

// Unreadable gives the first error that says that evidence could not be looked at, or not
// in time: that is not the same as evidence that does not suffice.
func Unreadable(errs ...error) error {
	for _, err := range errs {
		if errors.Is(err, audit.ErrUnavailable) || errors.Is(err, audit.ErrDamaged) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// Documents finds signed documents that were registered, ended ones among them.
type Documents interface {
	// Register says which of them count.
	Register() register.View
	// Since says from which size on a change counts, for what a receipt of an origin says
	// was judged by so many entries.
	Since(origin string, index int64) int64
	// Document by its id. Errors: audit.ErrNoDocument, audit.ErrTampered, audit.ErrUnavailable.
	Document(ctx context.Context, id string) (audit.StoredDocument, error)
	// Between gives the documents of a kind between two parties, the newest first: all there are.
	Between(ctx context.Context, kind audit.DocumentKind, a, b identity.OIN) ([]audit.StoredDocument, error)
}

// Config of Registered. Every field is required.
type Config struct {
	Own           identity.OIN // keeper of its consents
	Organisations *identity.Roster
	Keys          *signed.Verifier
	Pseudonyms    pseudonym.Keys
	Documents     Documents
	Now           func() time.Time
	Log           *slog.Logger // request log; holds no personal data
}

// Registered makes Evidence of what was registered at this gateway. It is safe for
// concurrent use.
type Registered struct {
	Config
	agreements *cache[agreement.Agreement]
	consents   *cache[consent.Document]
}

// New makes a Registered.
func New(c Config) Registered {
	return Registered{c, newCache[agreement.Agreement](c.Now), newCache[consent.Document](c.Now)}
}

// For is what counts at this moment for a caller, a purpose and a day.
func (r Registered) For(caller token.Caller, purpose string, today civil.Date) Evidence {
	return r.begin(caller, purpose, today)
}

func (r Registered) begin(caller token.Caller, purpose string, today civil.Date) registered {
	return registered{r, caller, caller.Organisation(), purpose, today, r.Documents.Register(), map[identity.OIN]agreementsRead{}, map[string]openedConsent{}}
}

// Between is the agreement under which one organisation may ask another, with nobody in
// question. Errors: those of agreement.
func (r Registered) Between(ctx context.Context, use agreement.Use) (agreement.Covering, error) {
	b := r.begin(token.Caller{}, use.Purpose, use.Today)
	b.consumer = use.Consumer
	return b.Agreement(ctx, identity.Organisation{OIN: use.Source})
}

// Openings is what the keeper needs beside a consent to open it.
type Openings struct {
	Disclosures []string `json:"disclosures"`
	SubjectKey  []byte   `json:"subject_key"` // sealed
}

// OpenConsent verifies a registered consent again and opens it. What lies in a file proves
// nothing.
func (c Config) OpenConsent(d audit.StoredDocument) (consent.Document, error) {
	var open Openings
	if err := json.Unmarshal(d.Openings, &open); err != nil {
		return consent.Document{}, consent.ErrDocument
	}
	key, err := c.Pseudonyms.Unseal(d.ID, open.SubjectKey)
	if err != nil {
		return consent.Document{}, err
	}
	return consent.Verify(c.Keys, d.Body, open.Disclosures, key)
}

// Signed reports whether the signatures under a registered consent or agreement hold by
// the keys of now. Errors: those of Documents.Document.
func (c Config) Signed(ctx context.Context, id string) (bool, error) {
	d, err := c.Documents.Document(ctx, id)
	if err != nil {
		return false, err
	}
	if d.Kind == audit.ConsentDocument {
		_, err = c.OpenConsent(d)
	} else {
		_, err = agreement.Verify(c.Keys, d.Body)
	}
	return err == nil, nil
}

// Delegations in force from an organisation to one that acts for it. Each is verified
// again at every use: what lies in a file proves nothing.
func (c Config) Delegations(ctx context.Context, organisation, actor identity.OIN) ([]token.Delegation, error) {
	documents, err := c.Documents.Between(ctx, audit.DelegationDocument, organisation, actor)
	if err != nil {
		return nil, err
	}
	var all []token.Delegation
	for _, d := range documents {
		if !d.Live() || d.Lost || d.Uncertain {
			continue
		}
		if one, err := token.VerifyDelegation(c.Keys, d.Body); err == nil {
			all = append(all, one)
		}
	}
	return all, nil
}

// Judged is the size of the log by which a budget was decided on: what was taken out of a
// consent since then, the budget still holds.
func (r Registered) Judged(b *budgetv1.Budget) int64 {
	return r.Documents.Since(b.GetReceipt().GetOrigin(), b.GetReceipt().GetDecisionIndex()+1)
}

// Presented judges the answers in a budget that a caller presents again, see Standing.
func (r Registered) Presented(ctx context.Context, caller token.Caller, b *budgetv1.Budget, today civil.Date) (Standing, error) {
	return r.begin(caller, b.GetPurpose(), today).standing(ctx, b, r.Judged(b))
}
