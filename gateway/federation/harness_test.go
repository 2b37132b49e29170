package federation_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcpeer "google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/federation"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// engine judges by the rules of the program. Loading them takes longer than a test.
var engine = sync.OnceValues(func() (*policy.Engine, error) {
	return policy.New(context.Background(), policy.Config{FS: policies.FS, Timeout: 10 * time.Second})
})

// two are the gateways of two organisations, of real parts, that meet over mutual TLS on
// loopback: the municipality's asks, and the source's is asked. Only the system behind the
// source is played.
type two struct {
	t             testing.TB
	family        *family.Family
	code          string // of the source
	asker, source *side
	behind        *system
	wire          *wire
	agreement     string // id of the one in force
	last          []byte // its bytes
	people        atomic.Int64
	clock         atomic.Int64 // nanoseconds that the wall clock of both is ahead
	today         atomic.Int64 // civil.Date of both
}

// side is one of them.
type side struct {
	*server.Broker
	two    *two
	party  *family.Organisation
	config server.BrokerConfig
	holder *certificate.Holder
	path   string
	store  *sqlite.Store
	log    *audit.Log
	record *recorder
	ahead  atomic.Int64 // days that its calendar is ahead of the other's
	said   bytes.Buffer // its request log; slog writes one line at a time
	stop   func()
	addr   string
}

// options of two gateways.
type options struct {
	code        string                                   // of the source; empty: the care office
	more        []casefile.Organisation                  // parties beside those of the case
	change      func(asker, source *server.BrokerConfig) // may alter both
	terms       func(*agreement.Terms)                   // may alter the agreement
	noAgreement bool
}

func newTwo(t testing.TB, o options) *two {
	t.Helper()
	c, err := casefile.Open("meppel")
	require.NoError(t, err)
	c.Parties[0].Laws = []string{"WMO"}
	c.Parties = append(c.Parties, o.more...)
	w := &two{t: t, code: o.code, behind: &system{}}
	if w.code == "" {
		w.code = "ZK5503"
	}
	w.behind.code = w.code
	w.today.Store(int64(c.Today.Date))
	w.family, err = family.New(c, time.Now())
	require.NoError(t, err)
	w.asker, w.source = w.side(c.Requester), w.side(w.code)
	w.source.config.Sources[w.code] = w.behind
	if o.change != nil {
		o.change(&w.asker.config, &w.source.config)
	}
	w.source.open()
	w.wire = &wire{to: w.connect(w.asker)}
	w.asker.config.Sources[w.code] = &federation.Peer{
		Own: w.asker.party.OIN, Source: w.source.party.OIN, Connection: w.wire, Certificate: w.wire.to.Certificate, Signers: w.asker.config.Signers,
		Trust: w.trust(), Now: w.asker.config.Now, Log: w.asker.config.Log,
	}
	w.asker.open()
	if !o.noAgreement {
		w.agree(o.terms)
	}
	return w
}

// trust is by which the asking gateway verifies what the source's says.
func (w *two) trust() federation.Trust {
	return federation.Trust{Keys: w.asker.config.Keys, Logs: map[identity.OIN]audit.Keys{w.source.party.OIN: w.source.keys()}}
}

// connect is the connection of a side to the source, with its own certificate.
func (w *two) connect(s *side) *server.Peer {
	w.t.Helper()
	p, err := server.NewPeer(w.source.addr, s.holder, w.source.party.OIN)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { p.Close() })
	return p
}

// agree puts an agreement in force at both ends.
func (w *two) agree(change func(*agreement.Terms)) {
	w.t.Helper()
	w.agreement = w.asker.take(w.signed(change))
	require.Equal(w.t, w.agreement, w.source.take(w.last))
}

func (w *two) signed(change func(*agreement.Terms)) []byte {
	w.t.Helper()
	raw, err := w.family.Agreement(w.code, change)
	require.NoError(w.t, err)
	w.last = raw
	return raw
}

// take registers a document at one end and gives its id.
func (s *side) take(raw []byte) string {
	s.two.t.Helper()
	registered, err := s.TakeIn(context.Background(), &ontschotv1.RegisterRequest{Document: raw})
	require.NoError(s.two.t, err)
	return registered.GetId()
}

func (w *two) side(code string) *side {
	w.t.Helper()
	p := w.family.Parties[code]
	dir := w.t.TempDir()
	s := &side{two: w, party: p, path: filepath.Join(dir, "record.db")}
	s.holder = w.holder(p, p.Server)
	keys, err := w.family.Verifier()
	require.NoError(w.t, err)
	judge, err := engine()
	require.NoError(w.t, err)
	texts, err := wording.ReadTexts(policies.FS)
	require.NoError(w.t, err)
	changes, err := wording.ReadAgreementTexts(policies.FS, texts)
	require.NoError(w.t, err)
	ring, err := signed.NewRing(signed.Timed{Signer: p.Sign})
	require.NoError(w.t, err)
	patience := 30 * time.Second
	s.config = server.BrokerConfig{
		Own: p.OIN, Sources: map[string]gateway.Source{}, Keys: keys, Signers: ring, Policy: policy.NewRules(judge), Certificates: s.holder,
		Tokens: token.Checker{Keys: keys, Audience: string(p.OIN), Now: w.now}, Texts: texts, Changes: changes,
		WithdrawURL: "https://localhost/withdraw", Officer: "fg@localhost", Trust: result.Trust{Keys: keys, Releaser: p.OIN, Log: s.keys()},
		PseudonymKeys: [][]byte{p.PseudonymKey}, SourceTimeout: &patience,
		Now: w.now, Today: s.today, Log: slog.New(slog.NewTextHandler(&s.said, nil)),
	}
	var all identity.Directory
	for _, p := range w.family.Case.Parties {
		all = append(all, identity.Organisation{Code: p.Code, Name: p.Name, OIN: p.OIN, Kind: p.Kind, Laws: p.Laws})
	}
	s.config.Organisations = identity.NewRoster(all)
	return s
}

// holder holds a certificate of a party.
func (w *two) holder(p *family.Organisation, leaf family.Leaf) *certificate.Holder {
	w.t.Helper()
	dir := w.t.TempDir()
	f := certificate.Files{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), CA: filepath.Join(dir, "ca.pem")}
	for name, raw := range map[string][]byte{f.Certificate: leaf.CertPEM, f.Key: leaf.KeyPEM, f.CA: w.family.CAPEM} {
		require.NoError(w.t, os.WriteFile(name, raw, 0o600))
	}
	h, err := certificate.Open(f, p.OIN, certificate.Rules{})
	require.NoError(w.t, err)
	return h
}

func (w *two) now() time.Time { return time.Now().Add(time.Duration(w.clock.Load())) }

func (s *side) today() civil.Date { return civil.Date(s.two.today.Load() + s.ahead.Load()) }

func (s *side) keys() audit.Keys {
	keys, err := audit.ParseKeys(s.party.LogPublic)
	require.NoError(s.two.t, err)
	return keys
}

// open opens the store and serves, as at a start.
func (s *side) open() {
	t := s.two.t
	t.Helper()
	key, err := audit.ParseKey(s.party.LogSigner)
	require.NoError(t, err)
	s.store, err = sqlite.Open(context.Background(), s.path)
	require.NoError(t, err)
	s.log, err = audit.Open(context.Background(), audit.Config{
		Store: s.store, Origin: family.LogOrigin(s.party.OIN), Tenant: s.party.OIN, Key: key, Now: s.two.now, Today: s.today,
	})
	require.NoError(t, err)
	s.record = &recorder{Log: s.log}
	s.config.Record, s.config.Documents = s.record, s.log
	s.Broker, err = server.NewBroker(s.config)
	require.NoError(t, err)
	require.NoError(t, s.RecordKeys(context.Background(), s.two.family.Pins()))
	if s.addr == "" {
		s.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", s.addr)
	require.NoError(t, err)
	s.addr = l.Addr().String()
	g := s.Serve(s.holder, config.Limits{})
	go func() { _ = g.Serve(l) }()
	ended := sync.OnceFunc(func() { g.Stop(); s.log.Close(); s.store.Close() })
	s.stop = ended
	t.Cleanup(ended)
}

// restart ends it and starts it again on the same store.
func (s *side) restart() {
	s.stop()
	s.open()
}

// verify is `ontschot audit verify`.
func (s *side) verify() audit.Report {
	s.two.t.Helper()
	report, err := audit.Verify(context.Background(), s.store, audit.Inspection{Tenant: s.party.OIN, Keys: s.keys()})
	require.NoError(s.two.t, err)
	return report
}

// recorder is the record of a side, and remembers what was written.
type recorder struct {
	*audit.Log
	mu      sync.Mutex
	entries []audit.Entry
	before  func(audit.Entry) // nil: nothing is done
}

func (r *recorder) Append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	if r.before != nil {
		r.before(e)
	}
	proof, err := r.Log.Append(ctx, e)
	if err == nil {
		r.mu.Lock()
		r.entries = append(r.entries, e)
		r.mu.Unlock()
	}
	return proof, err
}

// about gives the entries of an exchange: of one trace, or of all when it is empty.
func (r *recorder) about(trace string) (all []audit.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		if e.Trace != "" && (trace == "" || e.Trace == trace) {
			all = append(all, e)
		}
	}
	return all
}

// last entry about an exchange.
func (r *recorder) last() audit.Entry {
	all := r.about("")
	return all[len(all)-1]
}

// judgement of a decision or a denial.
func judgement(t testing.TB, e audit.Entry) audit.PairJudgement {
	t.Helper()
	var j audit.Judgement
	require.NoError(t, json.Unmarshal(e.Payload, &j))
	require.Len(t, j.Pairs, 1)
	return j.Pairs[0]
}

// system is what lies behind the source's gateway. It counts how often it was asked.
type system struct {
	code   string
	asked  atomic.Int64
	mu     sync.Mutex
	last   *budgetv1.FetchRequest
	answer func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) // nil: one line
}

// wlzCents is so long that it turns up nowhere by chance.
const wlzCents = 8765432109

func (s *system) Fetch(_ context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	s.asked.Add(1)
	s.mu.Lock()
	s.last = proto.CloneOf(r)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		return answer(r)
	}
	return &budgetv1.FetchResponse{Adapter: "played", Version: "1.0.0", AsOfMs: 1751241600000, AnswerId: uuid.NewString(), Lines: []*budgetv1.BudgetLine{line(s.code)}}, nil
}

// line is one of the care office.
func line(funder string) *budgetv1.BudgetLine {
	return &budgetv1.BudgetLine{
		Law: "WLZ", Funder: funder, Kind: "ENTITLEMENT", DeliveryForm: "PGB", Fungibility: "POOLABLE",
		Product: &budgetv1.Product{System: "COD163", Code: "830", Label: "onbekend"},
		Period:  &budgetv1.Period{Start: "2025-01-01", End: proto.String("2025-12-31")},
		Amount:  &budgetv1.Amount{Cents: wlzCents, Basis: "PERIOD_TOTAL"}, Decision: &budgetv1.Decision{Number: "DECISION-1", Budget: "AWARD-1"},
	}
}

// wire is the way from the asking gateway to the source's, on which somebody may sit.
type wire struct {
	to   *server.Peer
	mu   sync.Mutex
	sent *budgetv1.FetchRequest // the last question
	// instead answers what would go to the source; nil: it goes there.
	instead func(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
	// changes the answer of the source; nil: it does not.
	changes func(q *budgetv1.FetchRequest, a *budgetv1.FetchResponse)
}

func (w *wire) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	w.mu.Lock()
	w.sent = proto.CloneOf(r)
	instead, changes := w.instead, w.changes
	w.mu.Unlock()
	if instead != nil {
		return instead(ctx, r)
	}
	a, err := w.to.Fetch(ctx, r)
	if err == nil && changes != nil {
		changes(r, a)
	}
	return a, err
}

// person of a household; nobody else has the number.
type person struct{ ref, bsn string }

func (w *two) person(ref string) person { return person{ref, bsn(w.people.Add(1))} }

// bsn gives the n-th number of nine digits that passes the 11-check, from a range
// that belongs to nobody.
func bsn(n int64) string {
	for base := int64(99950000); ; base++ {
		text, sum := fmt.Sprintf("%08d", base), 0
		for i := range 8 {
			sum += int(text[i]-'0') * (9 - i)
		}
		if sum%11 == 10 {
			continue
		}
		if n--; n <= 0 {
			return fmt.Sprintf("%s%d", text, sum%11)
		}
	}
}

func (p person) message() *ontschotv1.Person {
	return &ontschotv1.Person{Ref: p.ref, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn, EducationNumber: "100000009", PassNumber: "V123456"}, Born: "1980-03-01"}
}

// call is the context of a call by a side's own system.
func (s *side) call(change func(*token.Claims)) context.Context {
	w := s.two
	leaf := s.party.Client.TLS.Leaf
	raw, err := family.MintToken(s.party.Token, leaf, w.family.CaseCommitment, w.family.Case.Purpose, w.now(), change)
	require.NoError(w.t, err)
	ctx := grpcpeer.NewContext(context.Background(), &grpcpeer.Peer{AuthInfo: credentials.TLSInfo{
		State: tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}},
	}})
	return metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", "Bearer "+raw))
}

// give registers a consent of a person for the source at the municipality.
func (w *two) give(p person, replaces string, categories ...string) string {
	w.t.Helper()
	if categories == nil {
		categories = []string{"*"}
	}
	q := &ontschotv1.ConsentQuestion{
		Person: p.message(), Purpose: w.family.Case.Purpose, From: w.family.Case.Today.String(), Replaces: replaces,
		Grants: []*ontschotv1.ConsentGrant{{Source: w.code, Categories: categories}},
	}
	notice, err := w.asker.AskConsent(w.asker.call(nil), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(q)})
	require.NoError(w.t, err)
	sum := sha256.Sum256([]byte(p.bsn + "assertion"))
	given, err := w.asker.GiveConsent(w.asker.call(nil), &ontschotv1.GiveConsentRequest{
		Question: q, NoticeSha256: notice.GetNotice().GetSha256Nl(),
		Signatures: []*ontschotv1.ConsentSignature{{Role: "self", Kind: "digid", Loa: "substantieel", Sha256: hex.EncodeToString(sum[:])}},
	})
	require.NoError(w.t, err)
	return given.GetReceipt().GetId()
}

func (w *two) withdraw(id string) int64 {
	w.t.Helper()
	answer, err := w.asker.WithdrawConsent(w.asker.call(nil), &ontschotv1.WithdrawConsentRequest{Id: id})
	require.NoError(w.t, err)
	return answer.GetIndex()
}

// stream collects what is sent to a caller.
type stream struct {
	grpc.ServerStreamingServer[ontschotv1.AssembleBudgetResponse] // nil: nothing else of it is used
	ctx                                                           context.Context
	budget                                                        *budgetv1.Budget
}

func (s *stream) Context() context.Context { return s.ctx }

func (s *stream) Send(r *ontschotv1.AssembleBudgetResponse) error {
	if b := r.GetBudget(); b != nil {
		s.budget = b
	}
	return nil
}

// compose asks the municipality's gateway for the budget of one person at the source.
func (w *two) compose(p person) (*budgetv1.Budget, error) {
	span := w.family.Case.Window
	s := &stream{ctx: w.asker.call(nil)}
	err := w.asker.AssembleBudget(&ontschotv1.AssembleBudgetRequest{
		Purpose: w.family.Case.Purpose, Window: &budgetv1.Window{From: span.From.String(), To: span.To.String()},
		Persons: []*ontschotv1.Person{p.message()}, Asks: []*ontschotv1.Ask{{Person: p.ref, Source: w.code}},
	}, s)
	return s.budget, err
}

// composed is compose that succeeds.
func (w *two) composed(p person) *budgetv1.Budget {
	w.t.Helper()
	b, err := w.compose(p)
	require.NoError(w.t, err)
	return b
}

// question is what the municipality's gateway would send about a person, with a permit that
// nobody has used.
func (w *two) question(p person) *budgetv1.FetchRequest {
	w.t.Helper()
	w.wire.instead = func(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
		return nil, status.Error(codes.Unavailable, "kept")
	}
	defer func() { w.wire.instead = nil }()
	w.wire.sent = nil
	_, err := w.compose(p)
	require.NoError(w.t, err)
	require.NotNil(w.t, w.wire.sent, "the source was not to be asked")
	return proto.CloneOf(w.wire.sent)
}

// permitted writes a permit over a question as it is now, as a gateway can that has the key.
func (w *two) permitted(q *budgetv1.FetchRequest, change func(*token.PermitClaims), by ...signed.Signer) *budgetv1.FetchRequest {
	w.t.Helper()
	q = proto.CloneOf(q)
	hash, err := federation.HashOf(q)
	require.NoError(w.t, err)
	now := w.now()
	c := token.PermitClaims{
		Agreement: q.GetProofs().GetAgreement(), Assurance: q.GetProofs().GetAssurance(), Audience: w.source.party.OIN, Case: q.GetProofs().GetCase(),
		Confirmation: token.Confirmation{X5T: token.Thumbprint(w.wire.to.Certificate())}, Consent: federation.ConsentDigest(q.GetProofs().GetConsent()),
		Expires: now.Add(token.PermitLife).Unix(), IssuedAt: now.Unix(), Issuer: w.asker.party.OIN, ID: newID(),
		Purpose: q.GetPurpose(), Request: hash, Role: q.GetProofs().GetRole(),
	}
	if change != nil {
		change(&c)
	}
	if by == nil {
		by = []signed.Signer{w.asker.party.Sign}
	}
	raw, err := by[0].Compact(signed.Permit, c)
	require.NoError(w.t, err)
	q.Proofs.Permit = string(raw)
	return q
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// put sends a question to the source's gateway over the municipality's connection.
func (w *two) put(q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	return w.putOver(w.wire.to, q)
}

func (w *two) putOver(c *server.Peer, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return c.Fetch(ctx, proto.CloneOf(q))
}

// reason is that in the details of an error; empty when there is none.
func reason(err error) string { return refusal.Reason(status.Convert(err)) }

// refused checks that a question gets this reason, and that nobody behind the source's
// gateway was asked.
func (w *two) refused(want string, q *budgetv1.FetchRequest, what ...any) {
	w.t.Helper()
	before := w.behind.asked.Load()
	a, err := w.put(q)
	require.Equal(w.t, want, reason(err), what...)
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			require.Empty(w.t, info.GetMetadata()["way"], "what else this side knows is not told")
		}
	}
	require.Nil(w.t, a)
	require.Equal(w.t, before, w.behind.asked.Load(), what...)
}

// gap gives reason and code of each gap of the source, sorted.
func gaps(b *budgetv1.Budget) (all []string) {
	for _, g := range b.GetGaps() {
		all = append(all, fmt.Sprint(g.GetReason(), " ", g.GetCode(), " ", g.GetLaws(), g.GetCategories()))
	}
	slices.Sort(all)
	return all
}

var _ documents.Record = (*recorder)(nil)
