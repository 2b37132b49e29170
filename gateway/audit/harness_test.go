package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/identity"
)

const (
	tenant = identity.OIN("00000099000000119000")
	other  = identity.OIN("00000099000000193000")
	origin = "ontschot.nl/log/00000099000000119000"
)

// bench is a log on a store of its own, with everything needed to check it.
type bench struct {
	t     testing.TB
	path  string
	store *sqlite.Store
	key   audit.SigningKey
	log   *audit.Log
	next  atomic.Int64
}

func newBench(t testing.TB) *bench {
	t.Helper()
	secret, _, err := audit.GenerateKey(origin)
	require.NoError(t, err)
	key, err := audit.ParseKey(secret)
	require.NoError(t, err)
	b := &bench{t: t, key: key, path: filepath.Join(t.TempDir(), "record", "record.db")}
	b.open()
	t.Cleanup(func() { b.log.Close(); b.store.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.store, err = sqlite.Open(context.Background(), b.path)
	require.NoError(b.t, err)
	b.log, err = audit.Open(context.Background(), b.config(b.store))
	require.NoError(b.t, err)
}

func (b *bench) config(s audit.Store) audit.Config {
	return audit.Config{Store: s, Origin: origin, Tenant: tenant, Key: b.key}
}

func (b *bench) inspection() audit.Inspection {
	return audit.Inspection{Tenant: tenant, Keys: audit.Keys{b.key.Verifier}}
}

func (b *bench) verify() (audit.Report, error) {
	return audit.Verify(context.Background(), b.store, b.inspection())
}

func (b *bench) append(e audit.Entry) audit.Proof {
	b.t.Helper()
	p, err := b.log.Append(context.Background(), e)
	require.NoError(b.t, err)
	return p
}

// trace gives another trace id each time.
func (b *bench) trace() string { return fmt.Sprintf("%032x", b.next.Add(1)) }

func decision(trace string) audit.Entry {
	return audit.Entry{
		Kind: audit.Decision, Trace: trace, Activity: "integral_budget.compose",
		Organisations: []identity.OIN{tenant, other}, PolicyRevision: "r-1", Decision: "allow", Status: "Ok",
		Case: []byte("case commitment"), Subjects: [][]byte{[]byte("pseudonym of a person")},
	}
}

func release(trace string, decided int64, digest [32]byte, rests ...string) audit.Entry {
	return audit.Entry{
		Kind: audit.Release, Trace: trace, Activity: "integral_budget.compose", Decided: decided,
		Organisations: []identity.OIN{tenant}, Decision: "allow", Status: "Ok",
		Subjects: [][]byte{[]byte("pseudonym of a person")}, Payload: digest[:], Rests: restsOn(rests...),
	}
}

// restsOn is what an entry rests on: of a consent (c...) what the tenant may receive from
// the other organisation.
func restsOn(ids ...string) []register.Rest {
	var rests []register.Rest
	for _, id := range ids {
		rest := register.Rest{ID: id}
		if strings.HasPrefix(id, "c") {
			rest.Source, rest.Recipient = other, tenant
		}
		rests = append(rests, rest)
	}
	return rests
}

func consent(id string) audit.Entry {
	return audit.Entry{
		Kind: audit.Consent, Activity: "consent.register", Status: "Ok", Consents: []string{id},
		Put: &audit.Document{Body: []byte("signed " + id), Openings: []byte(`{"k":"` + id + `"}`), Document: register.Document{
			ID: id, Kind: register.Consent, Subjects: []string{"pseudonym of a person"}, Purpose: "integral_budget.compose", Case: "case-" + id,
			Recipients: []identity.OIN{tenant}, Grants: []register.Grant{{Source: other, Categories: []string{"entitlement"}}},
		}},
	}
}

func agreement(id string) audit.Entry {
	sum := sha256.Sum256([]byte("signed " + id))
	return audit.Entry{
		Kind: audit.Agreement, Activity: "agreement.register", Status: "Ok", Agreements: []string{hex.EncodeToString(sum[:])},
		Put: &audit.Document{Body: []byte("signed " + id), Document: register.Document{ID: id, Kind: register.Agreement, PartyA: other, PartyB: tenant}},
	}
}

// between is an agreement entry that puts a document of another kind.
func between(kind audit.DocumentKind, id string) audit.Entry {
	e := agreement(id)
	e.Put.Kind = kind
	return e
}

// once is an idempotency key, and the request it came with.
func once(key, body string) *audit.Once {
	return &audit.Once{Key: sha256.Sum256([]byte("key " + key)), Body: sha256.Sum256([]byte("body " + body))}
}

func withdrawal(id string) audit.Entry {
	return audit.Entry{Kind: audit.Withdrawal, Activity: "consent.withdraw", Status: "Ok", Consents: []string{id}, End: id}
}

// exchange records a decision and its release.
func (b *bench) exchange(rests ...string) (audit.Proof, [32]byte) {
	b.t.Helper()
	trace := b.trace()
	d := b.append(decision(trace))
	digest := sha256.Sum256([]byte(trace))
	return b.append(release(trace, d.Index, digest, rests...)), digest
}

func verifierOf(t testing.TB, public string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(public)
	require.NoError(t, err)
	return v
}
