package bench

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
)

// Size is what is in a record before anybody asks: consents of as many people, agreements of
// as many parties, and entries in all, those of the documents among them.
type Size struct {
	Consents   int `json:"consents"`
	Agreements int `json:"agreements"`
	Entries    int `json:"entries"`
}

// String is the form in which it is asked for.
func (s Size) String() string { return fmt.Sprintf("%d/%d/%d", s.Consents, s.Agreements, s.Entries) }

// Append is how an entry comes into the log of a gateway.
type Append func(context.Context, audit.Entry) error

// OpenLog opens the log of a gateway that does not run.
type OpenLog func(ctx context.Context, conf *config.Gateway) (Append, func() error, error)

// appending is how many append at once: as many as one transaction takes.
const appending = 512

// Parties of what a record is filled with: of the form of an OIN, and nobody's.
const (
	keeper   = identity.OIN("00000099000000119000")
	stranger = identity.OIN("00000099000005503000")
)

// Fill writes agreements, consents and decisions until the record has its size. Nobody
// signed the documents and nobody will ask for them: they are there to be in the way.
func (s Size) Fill(ctx context.Context, to Append) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range appending {
		all.Go(func() {
			for n := int(next.Add(1) - 1); n < s.Entries && ctx.Err() == nil; n = int(next.Add(1) - 1) {
				if err := to(ctx, s.entry(n)); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// entry is the nth of what a record is filled with. Documents come between the decisions, as
// they would.
func (s Size) entry(n int) audit.Entry {
	every := max(1, s.Entries/max(1, s.Consents+s.Agreements))
	nth := n / every
	switch {
	case n%every != 0 || nth >= s.Consents+s.Agreements:
		return filler(n)
	case nth < s.Agreements:
		return someAgreement(nth)
	}
	return someConsent(nth - s.Agreements)
}

func sumOf(what string, n int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "%s %d", what, n)) }

func filler(n int) audit.Entry {
	trace, subject := sumOf("trace", n), sumOf("person", n)
	return audit.Entry{
		Kind: audit.Decision, Trace: hex.EncodeToString(trace[:16]), Activity: "integral_budget.compose",
		Organisations: []identity.OIN{stranger}, PolicyRevision: "r-1", Decision: "allow", Status: "Ok", Subjects: [][]byte{subject[:]},
	}
}

func someConsent(n int) audit.Entry {
	subject, about := sumOf("person", n), sumOf("case", n/4)
	id := fmt.Sprintf("01890a5d-ac96-774b-bcce-%012x", n)
	return audit.Entry{
		Kind: audit.Consent, Activity: "consent.register", Status: "Ok", Consents: []string{id},
		Put: &audit.Document{Body: []byte("consent " + id), Openings: []byte("{}"), Document: register.Document{
			ID: id, Kind: register.Consent, Subjects: []string{string(subject[:])}, Purpose: "integral_budget.compose",
			Case: base64.RawURLEncoding.EncodeToString(about[:]), Recipients: []identity.OIN{keeper},
			Grants: []register.Grant{{Source: stranger, Categories: []string{"entitlement", "product", "period", "amount"}}},
		}},
	}
}

func someAgreement(n int) audit.Entry {
	id := fmt.Sprintf("01890a5d-ac96-774b-acce-%012x", n)
	digest := sha256.Sum256([]byte("agreement " + id))
	return audit.Entry{
		Kind: audit.Agreement, Activity: "agreement.register", Status: "Ok", Agreements: []string{hex.EncodeToString(digest[:])},
		Put: &audit.Document{Body: []byte("agreement " + id), Document: register.Document{
			ID: id, Kind: register.Agreement, PartyA: keeper, PartyB: identity.OIN(fmt.Sprintf("%020d", 99000100000000+n)),
		}},
	}
}
