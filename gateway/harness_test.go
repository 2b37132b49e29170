package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// vendor is a software house that may act for the municipality; it is no source.
const vendor = "VENDOR"

// engine judges by the rules of the program. Loading them takes longer than a test.
var engine = sync.OnceValues(func() (*policy.Engine, error) {
	return policy.New(context.Background(), policy.Config{FS: policies.FS, Timeout: 10 * time.Second})
})

// house is a gateway of real parts: keys, documents, rules, texts and record. Only
// the systems of the sources are played, by code that answers at once.
type house struct {
	*server.Broker
	t      testing.TB
	family *family.Family
	config server.BrokerConfig
	keys   *signed.Verifier
	more   signed.Key // of the municipality, after renewKey
	path   string
	store  *sqlite.Store
	log    *audit.Log
	seams  *seams
	record *recorder
	// agreements in force by party code, by their ids.
	agreements map[string]string
	people     atomic.Int64
	traces     atomic.Int64
	clock      atomic.Pointer[time.Time] // nil: the real one
	today      atomic.Int64              // civil.Date
	said       bytes.Buffer              // the request log; slog writes one line at a time
}

// newHouse opens the gateway of the municipality of Meppel, with an agreement with
// every source. change may alter the configuration.
func newHouse(t testing.TB, change func(*server.BrokerConfig)) *house {
	t.Helper()
	return newHouseAmong(t, nil, change)
}

// newHouseAmong is newHouse with more parties, of whom each has an agreement too.
func newHouseAmong(t testing.TB, more []casefile.Organisation, change func(*server.BrokerConfig)) *house {
	t.Helper()
	c, err := casefile.Open("meppel")
	require.NoError(t, err)
	c.Parties[0].Laws = []string{"WMO"} // each law is judged by itself, and one shows it
	c.Parties = append(c.Parties, casefile.Organisation{Code: vendor, OIN: "00000099000000777000", Kind: vendor, Name: "Softwarehuis"})
	c.Parties = append(c.Parties, more...)
	h := &house{t: t, seams: &seams{}, agreements: map[string]string{}, path: filepath.Join(t.TempDir(), "record.db")}
	h.family, err = family.New(c, time.Now())
	require.NoError(t, err)
	h.keys, err = h.family.Verifier()
	require.NoError(t, err)
	h.openRecord()
	h.configure()
	if change != nil {
		change(&h.config)
	}
	h.Broker, err = server.NewBroker(h.config)
	require.NoError(t, err)
	require.NoError(t, h.RecordKeys(t.Context(), h.family.Pins()))
	for _, code := range []string{"ZK5503", "UWV", "SVB", "CAK"} {
		h.agree(code, nil)
	}
	for _, p := range more {
		h.agree(p.Code, nil)
	}
	return h
}

func (h *house) openRecord() {
	own := h.family.Requester()
	key, err := audit.ParseKey(own.LogSigner)
	require.NoError(h.t, err)
	h.store, err = sqlite.Open(h.t.Context(), h.path)
	require.NoError(h.t, err)
	h.log, err = audit.Open(h.t.Context(), audit.Config{
		Store: h.store, Origin: family.LogOrigin(own.OIN), Tenant: own.OIN, Key: key,
		Now:   func() time.Time { h.seams.pass("the record's clock"); return h.now() },
		Today: func() civil.Date { return civil.Date(h.today.Load()) },
	})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { h.log.Close(); h.store.Close() })
	h.record = &recorder{Log: h.log, seams: h.seams, released: map[string][]int64{}}
}

func (h *house) configure() {
	own := h.family.Requester()
	judge, err := engine()
	require.NoError(h.t, err)
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(h.t, err)
	changes, err := wording.ReadAgreementTexts(policies.FS, texts)
	require.NoError(h.t, err)
	ring, err := signed.NewRing(signed.Timed{Signer: own.Sign})
	require.NoError(h.t, err)
	patience := 30 * time.Second
	h.today.Store(int64(h.family.Case.Today.Date))
	h.config = server.BrokerConfig{
		Own: own.OIN, Sources: map[string]gateway.Source{}, Keys: h.keys, Signers: ring, Policy: policy.NewRules(judge),
		Tokens: token.Checker{Keys: h.keys, Audience: string(own.OIN), Now: func() time.Time { h.seams.pass("the clock of the token"); return h.now() }},
		Record: h.record, Documents: &lookedUp{h.log, h.seams}, Texts: &spoken{texts, h.seams}, Changes: changes,
		Certificates: &authority{h.family.CA, h.seams},
		WithdrawURL:  "https://localhost/withdraw", Officer: "fg@localhost", Trust: result.Trust{Keys: h.keys, Releaser: own.OIN, Log: h.inspection().Keys},
		PseudonymKeys: [][]byte{own.PseudonymKey}, SourceTimeout: &patience,
		Now:   func() time.Time { h.seams.pass("the clock"); return h.now() },
		Today: func() civil.Date { h.seams.pass("the calendar"); return civil.Date(h.today.Load()) },
		Log:   slog.New(slog.NewTextHandler(&h.said, nil)),
	}
	var all identity.Directory
	for _, p := range h.family.Case.Parties {
		all = append(all, identity.Organisation{Code: p.Code, Name: p.Name, OIN: p.OIN, Kind: p.Kind, Laws: p.Laws})
		if p.Kind != vendor {
			h.config.Sources[p.Code] = &source{p.Code, h.seams}
		}
	}
	h.config.Organisations = identity.NewRoster(all)
}

func (h *house) now() time.Time {
	if at := h.clock.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// later moves the clock on.
func (h *house) later(by time.Duration) {
	at := h.now().Add(by)
	h.clock.Store(&at)
}

// agree puts an agreement with a source in force and gives its id.
func (h *house) agree(code string, change func(*agreement.Terms)) string {
	h.t.Helper()
	raw, err := h.family.Agreement(code, change)
	require.NoError(h.t, err)
	registered, err := h.TakeIn(h.t.Context(), &ontschotv1.RegisterRequest{Document: raw})
	require.NoError(h.t, err)
	h.agreements[code] = registered.GetId()
	return registered.GetId()
}

func (h *house) inspection() audit.Inspection {
	keys, err := audit.ParseKeys(h.family.Requester().LogPublic)
	require.NoError(h.t, err)
	return audit.Inspection{Tenant: h.family.Requester().OIN, Keys: keys}
}

// verify is `ontschot audit verify`. That it would see a release after the end of
// what it rests on is shown in gateway/audit/dishonest_test.go ("releases after the
// withdrawal"), where a dishonest operator writes one and is named.
func (h *house) verify() audit.Report {
	h.t.Helper()
	report, err := audit.Verify(context.Background(), h.store, h.inspection())
	require.NoError(h.t, err)
	return report
}

// rests reads from the record what an entry rests on, as an auditor does.
func (h *house) rests(index int64) []string {
	h.t.Helper()
	var open struct{ Rests []struct{ Value []byte } }
	require.NoError(h.t, h.store.View(context.Background(), h.family.Requester().OIN, func(s audit.Snapshot) error {
		rows, err := s.Rows(index, 1)
		if err != nil {
			return err
		}
		return json.Unmarshal(rows[0].Opening, &open)
	}))
	var ids []string
	for _, r := range open.Rests {
		id, _, _ := strings.Cut(string(r.Value), "/") // of a consent, its source and the recipient follow
		ids = append(ids, id)
	}
	return ids
}

// leaf reads an entry of the record.
func (h *house) leaf(index int64) audit.Leaf {
	h.t.Helper()
	proof, err := h.log.Prove(context.Background(), index)
	require.NoError(h.t, err)
	leaf, err := audit.ParseLeaf(proof.Leaf)
	require.NoError(h.t, err)
	return leaf
}

// compose makes a request, a copy: the gateway takes the numbers out.
func (h *house) compose(ctx context.Context, r *ontschotv1.AssembleBudgetRequest) (*budgetv1.Budget, error) {
	s := &stream{ctx: ctx, seams: h.seams}
	err := h.AssembleBudget(proto.CloneOf(r), s)
	return s.budget, err
}

// ended is the index of the entry that ended a document, or that put another in its place.
func (h *house) ended(id string) int64 {
	h.t.Helper()
	d, err := h.log.Document(context.Background(), id)
	require.NoError(h.t, err)
	if d.Live() {
		require.True(h.t, d.Replaced(h.Today()))
		next, err := h.log.Document(context.Background(), d.Successor)
		require.NoError(h.t, err)
		return next.Entered
	}
	return d.Ended
}

// oin of a party.
func (h *house) oin(code string) identity.OIN { return h.family.Parties[code].OIN }

// said is what a caller sees of an error.
func said(err error) *status.Status {
	if _, is := err.(interface{ GRPCStatus() *status.Status }); is { // has passed the edge
		return status.Convert(err)
	}
	return status.Convert(refusal.Of(err))
}

func codeOf(err error) codes.Code { return said(err).Code() }

// reasonOf is the reason in the details of an error.
func reasonOf(err error) string { return refusal.Reason(said(err)) }

// Today is the civil date by which the gateway judges.
func (h *house) Today() civil.Date { return h.config.Today() }

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
