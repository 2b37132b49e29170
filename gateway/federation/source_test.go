package federation_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/federation"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	"github.com/ontschot/ontschot/policies"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// secret is a text that a gateway of bad will puts wherever it can.
const secret = "Wilhelmina-van-Oranje"

// A source's gateway whose word does not hold gives nothing: whatever it sends instead of a
// sound answer is a gap, and none of it is shown or noted.
func TestASourceThatCannotBeBelieved(t *testing.T) {
	w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
	p := w.person("P")
	w.give(p, "")
	w.composed(p)
	var old *budgetv1.FetchResponse
	w.wire.changes = func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { old = proto.CloneOf(a) }
	w.composed(p)
	foreign := w.family.Parties["ZK9999"].Sign
	forger, _, _, err := family.NewSigningKey(w.source.party.OIN, family.SignKeyID)
	require.NoError(t, err)
	statement := func(change func(*result.Statement), by signed.Signer) func(*budgetv1.FetchRequest, *budgetv1.FetchResponse) {
		return func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) {
			var s result.Statement
			require.NoError(t, signed.Unverified(signed.Result, []byte(a.Disclosure.Statement), &s))
			change(&s)
			raw, err := s.Sign(by, w.now())
			require.NoError(t, err)
			a.Disclosure.Statement = raw
		}
	}
	nothing := func(*result.Statement) {}
	own := w.source.party.Sign
	for name, changes := range map[string]func(*budgetv1.FetchRequest, *budgetv1.FetchResponse){
		"an answer of before":     func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { replace(a, old) },
		"the statement of before": func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure = old.Disclosure },
		"the receipt of before": func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) {
			a.Disclosure.Receipt = old.Disclosure.Receipt
		},
		"another amount": func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Lines[0].Amount.Cents++ },
		"a line less":    func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Lines = nil },
		"another id":     func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.AnswerId = secret },
		"more withheld": func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) {
			a.Withheld = []*budgetv1.Withheld{{Reason: secret}}
		},
		"no disclosure":                func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure = nil },
		"no statement":                 func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Statement = "" },
		"no receipt":                   func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt = nil },
		"a receipt of another index":   func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt.Index-- },
		"a receipt of another log":     func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt.Origin += "x" },
		"a receipt of nothing":         func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { proto.Reset(a.Disclosure.Receipt) },
		"a receipt with another salt":  func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt.Salt[0] ^= 1 },
		"a receipt of another tree":    func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt.Proof[0][0] ^= 1 },
		"a head of another":            func(_ *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Receipt.Checkpoint = secret },
		"a statement by a forger":      statement(nothing, forger),
		"a statement by another":       statement(nothing, foreign),
		"a statement by who asks":      statement(nothing, w.asker.party.Sign),
		"about another question":       statement(func(s *result.Statement) { s.Request = strings.Repeat("A", 43) }, own),
		"about another answer":         statement(func(s *result.Statement) { s.Answer = strings.Repeat("A", 43) }, own),
		"about an answer that is none": statement(func(s *result.Statement) { s.Answer = secret }, own),
		"to another":                   statement(func(s *result.Statement) { s.Audience = foreign.Issuer }, own),
		"by another decision":          statement(func(s *result.Statement) { s.Decision-- }, own),
		"under another trace":          statement(func(s *result.Statement) { s.Trace = strings.Repeat("a", 32) }, own),
		"on another permit":            statement(func(s *result.Statement) { s.Permit = newID() }, own),
		"kept for ever":                statement(func(s *result.Statement) { s.RetentionDays = 1 << 40 }, own),
		"used for ever":                statement(func(s *result.Statement) { s.MaxAgeDays = 1 << 40 }, own),
		"by rules that clear a screen": statement(func(s *result.Statement) { s.PolicyRevision = "\x1b[2J" + secret }, own),
		"under no agreement":           statement(func(s *result.Statement) { s.Agreement = secret }, own),
		"kept for less than no time":   statement(func(s *result.Statement) { s.RetentionDays = -1 }, own),
		"a consent as statement":       func(q *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Statement = q.Proofs.Consent },
		"the permit as statement":      func(q *budgetv1.FetchRequest, a *budgetv1.FetchResponse) { a.Disclosure.Statement = q.Proofs.Permit },
	} {
		w.wire.changes = changes
		w.worthless(p, name, "BAD_DATA_AT_SOURCE")
	}
	w.wire.changes = nil
	require.Empty(t, gaps(w.composed(p)))
	w.asker.verify()
	w.source.verify()
}

func replace(a, by *budgetv1.FetchResponse) {
	proto.Reset(a)
	proto.Merge(a, by)
}

// worthless checks that nothing is released of an answer, for this reason, and none of its
// texts is shown or noted.
func (w *two) worthless(p person, name, reason string) {
	w.t.Helper()
	b := w.composed(p)
	require.Len(w.t, b.GetGaps(), 1, name)
	require.Equal(w.t, reason, b.GetGaps()[0].GetReason(), name)
	require.Empty(w.t, b.GetGaps()[0].GetLaws(), name)
	require.Empty(w.t, b.GetLines(), name)
	require.False(w.t, b.GetComplete(), name)
	require.Nil(w.t, b.GetSources()[0].GetDisclosure(), name)
	require.NotContains(w.t, w.asker.said.String(), secret, name)
	require.NotContains(w.t, b.String(), secret, name)
	last := w.asker.record.last()
	require.Equal(w.t, []any{audit.Release, "partial"}, []any{last.Kind, last.Status}, name)
	require.Empty(w.t, last.Rests, name)
}

// What another gateway says instead of an answer is a gap of our own list; of what it adds,
// nothing stands in a log or in a budget.
func TestWhatASourceSaysInsteadOfAnAnswer(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	say := func(code codes.Code, infos ...*errdetails.ErrorInfo) error {
		s := status.New(code, secret)
		for _, i := range infos {
			var err error
			s, err = s.WithDetails(i)
			require.NoError(t, err)
		}
		return s.Err()
	}
	info := func(reason string) *errdetails.ErrorInfo {
		return &errdetails.ErrorInfo{Reason: reason, Domain: secret, Metadata: map[string]string{"cause": secret, "path": secret + " 123456782", "reasons": secret}}
	}
	long := strings.Repeat(secret, 10000)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":                    {say(codes.Unknown), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"no gRPC":                    {errors.New(secret), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"unavailable":                {say(codes.Unavailable), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"a reason of its own":        {say(codes.PermissionDenied, info(secret)), "PEER_REFUSED "},
		"a long one":                 {say(codes.PermissionDenied, info(long)), "PEER_REFUSED "},
		"one of lines":               {say(codes.PermissionDenied, info("a\nb")), "PEER_REFUSED "},
		"a number":                   {say(codes.PermissionDenied, info("999510049")), "PEER_REFUSED "},
		"two":                        {say(codes.PermissionDenied, info("NO_CONSENT"), info(secret)), "PEER_REFUSED PEER_CONSENT"},
		"no agreement":               {say(codes.PermissionDenied, info("NO_AGREEMENT")), "PEER_REFUSED PEER_AGREEMENT"},
		"the policy":                 {say(codes.PermissionDenied, info("POLICY_DENIED")), "PEER_REFUSED PEER_POLICY"},
		"a permit":                   {say(codes.Unauthenticated, info("TOKEN_EXPIRED")), "PEER_REFUSED PEER_PERMIT"},
		"a permit of another time":   {say(codes.Unauthenticated, info("PERMIT_TIME")), "PEER_REFUSED PEER_CLOCK"},
		"no way there":               {fmt.Errorf("%w: %w", federation.ErrUnreached, say(codes.DeadlineExceeded)), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"a certificate of nobody":    {federation.ErrUntrusted, "SOURCE_UNAVAILABLE SOURCE_CERTIFICATE"},
		"cut off":                    {fmt.Errorf("%w: %w", federation.ErrCut, say(codes.Unavailable)), "SOURCE_UNAVAILABLE PEER_CUT"},
		"not heard of":               {fmt.Errorf("%w: %w", federation.ErrSilent, say(codes.Unavailable)), "SOURCE_TIMEOUT PEER_SILENT"},
		"used":                       {say(codes.FailedPrecondition, info("PERMIT_USED")), "PEER_REFUSED PEER_PERMIT"},
		"too many":                   {say(codes.ResourceExhausted, info("RATE_LIMITED")), "PEER_REFUSED RATE_LIMITED"},
		"no adapter":                 {say(codes.FailedPrecondition, info("NO_ADAPTER")), "PEER_REFUSED PEER_VERSION"},
		"not known there":            {say(codes.Unimplemented), "PEER_REFUSED PEER_VERSION"},
		"no record":                  {say(codes.Unavailable, info("RECORD_UNAVAILABLE")), "SOURCE_UNAVAILABLE PEER_RECORD"},
		"it is ending":               {say(codes.Unavailable, info("GATEWAY_ENDING")), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"our certificate":            {say(codes.Unauthenticated, info("UNKNOWN_PEER")), "SOURCE_UNAVAILABLE CERTIFICATE_REFUSED"},
		"ended there":                {say(codes.FailedPrecondition, info("DOCUMENT_ENDED")), "PEER_REFUSED PEER_AGREEMENT"},
		"too late":                   {say(codes.DeadlineExceeded, info(secret)), "SOURCE_TIMEOUT "},
		"too large":                  {say(codes.ResourceExhausted), "BAD_DATA_AT_SOURCE BAD_DATA_AT_SOURCE"},
		"its adapter":                {say(codes.DataLoss, info("BAD_DATA_AT_SOURCE")), "BAD_DATA_AT_SOURCE BAD_DATA_AT_SOURCE"},
		"its adapter is not let in":  {say(codes.PermissionDenied, info("NOT_AUTHORISED_AT_SOURCE")), "PEER_REFUSED NOT_AUTHORISED_AT_SOURCE"},
		"its system is not there":    {say(codes.Unavailable, info("SOURCE_UNAVAILABLE")), "SOURCE_UNAVAILABLE "},
		"cancelled by it":            {say(codes.Canceled), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"an internal error":          {say(codes.Internal, info("INTERNAL")), "SOURCE_UNAVAILABLE "},
		"a code that there is not":   {say(codes.Code(99)), "SOURCE_UNAVAILABLE PEER_UNREACHABLE"},
		"a refusal for who asks":     {say(codes.PermissionDenied, info("OTHER_HOUSEHOLD")), "PEER_REFUSED PEER_CONSENT"},
		"a reason that is a cause":   {say(codes.Unavailable, info("PEER_REFUSED")), "SOURCE_UNAVAILABLE "},
		"our own reason of adapters": {say(codes.NotFound, info("SUBJECT_NOT_FOUND")), "BAD_DATA_AT_SOURCE SUBJECT_NOT_FOUND"},
	} {
		w.wire.instead = func(context.Context, *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) { return nil, c.err }
		reason, code, _ := strings.Cut(c.want, " ")
		w.worthless(p, name, reason)
		b := w.composed(p)
		require.Equal(t, code, b.GetGaps()[0].GetCode(), name)
		require.NotContains(t, w.asker.said.String(), "999510049", name)
		require.NotContains(t, w.asker.said.String(), "123456782", name)
	}
	w.asker.verify()
}

// An answer of 64 MiB costs no more than a refusal.
func TestAnAnswerThatIsTooLarge(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
		a := &budgetv1.FetchResponse{Lines: []*budgetv1.BudgetLine{line("ZK5503")}}
		a.Version = strings.Repeat("x", 64<<20)
		return a, nil
	}
	w.worthless(p, "too large", "BAD_DATA_AT_SOURCE")
}

// More than was asked, well signed, is minimised again by who asked; lines of another funder
// make the whole answer worthless, and what is withheld counts for what was asked alone.
func TestWhoAskedMinimisesAgain(t *testing.T) {
	generous := func(s *budgetv1.FetchResponse) func(w *two) { return func(w *two) { w.says(s) } }
	more := func() *budgetv1.FetchResponse {
		a := &budgetv1.FetchResponse{AnswerId: newID(), AsOfMs: 1, Lines: []*budgetv1.BudgetLine{line("ZK5503"), line("ZK5503")}}
		a.Lines[1].Law, a.Lines[1].Decision.Number = "ZVW", secret
		a.Lines[0].Decision.Number = secret
		return a
	}
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "", "entitlement", "period")
	a := more()
	a.Withheld = []*budgetv1.Withheld{
		{Reason: "POLICY_DENIED", Code: "X", Laws: []string{"ZVW"}},
		{Reason: "POLICY_DENIED", Code: "X", Laws: []string{"NO-LAW"}, Categories: []string{"nothing"}},
		{Reason: "OTHER", Code: "X", Laws: []string{"WLZ"}, Categories: []string{"amount"}},
	}
	generous(a)(w)
	b := w.composed(p)
	require.Len(t, b.GetLines(), 1)
	require.Nil(t, b.GetLines()[0].GetAmount())
	require.NotContains(t, b.String(), secret)
	for _, g := range gaps(b) {
		require.NotContains(t, g, "ZVW")
		require.NotContains(t, g, "NO-LAW")
	}
	require.Contains(t, gaps(b), "PEER_REFUSED  [WLZ] [amount]")

	for name, spoil := range map[string]func(*budgetv1.FetchResponse){
		"of another funder": func(a *budgetv1.FetchResponse) { a.Lines[0].Funder = "UWV" },
		"texts to withhold": func(a *budgetv1.FetchResponse) { a.Withheld = []*budgetv1.Withheld{{Reason: secret + "\n"}} },
		"much to withhold": func(a *budgetv1.FetchResponse) {
			a.Withheld = slices.Repeat([]*budgetv1.Withheld{{Reason: "POLICY_DENIED"}}, 65)
		},
		"a long reason": func(a *budgetv1.FetchResponse) {
			a.Withheld = []*budgetv1.Withheld{{Reason: strings.Repeat(secret, 9)}}
		},
	} {
		a := more()
		spoil(a)
		w.says(a)
		w.worthless(p, name, "BAD_DATA_AT_SOURCE")
	}
	w.asker.verify()
}

// says lets the source's gateway answer as it likes: it signs and records what its own rules
// would not have let pass.
func (w *two) says(a *budgetv1.FetchResponse) {
	w.wire.instead = func(ctx context.Context, q *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
		honest, err := w.wire.to.Fetch(ctx, q)
		require.NoError(w.t, err)
		var s result.Statement
		require.NoError(w.t, signed.Unverified(signed.Result, []byte(honest.Disclosure.Statement), &s))
		a := proto.CloneOf(a)
		digest, err := result.AnswerDigest(a)
		require.NoError(w.t, err)
		proof, err := w.source.log.Append(context.Background(), audit.Entry{
			Kind: audit.Release, Trace: s.Trace, Activity: q.Purpose, Decided: s.Decision, Decision: "allow", Status: "disclosed", Payload: digest[:],
			PolicyRevision: s.PolicyRevision, Case: []byte(q.GetProofs().GetCase()), Day: w.source.today(),
		})
		require.NoError(w.t, err)
		s.Answer = federation.Encode(digest[:])
		statement, err := s.Sign(w.source.party.Sign, w.now())
		require.NoError(w.t, err)
		a.Disclosure = &budgetv1.Disclosure{Statement: statement, Receipt: proof.Receipt()}
		return a, nil
	}
}

// stricter is the engine of an organisation that takes categories of care offices away.
func stricter(t testing.TB, oin, overlay string) *policy.Engine {
	t.Helper()
	m := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(policies.FS, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(policies.FS, file)
		m[file] = &fstest.MapFile{Data: raw}
		return err
	}))
	m["rules/overlays/"+oin+"/data.yaml"] = &fstest.MapFile{Data: []byte(overlay)}
	e, err := policy.New(context.Background(), policy.Config{FS: m, Timeout: 10 * time.Second})
	require.NoError(t, err)
	return e
}

// What only the source's own rules take away is missing from the answer, and said to be: the
// rules of both count, and both stand in the result.
func TestTheRulesOfTheSourceCountToo(t *testing.T) {
	w := newTwo(t, options{change: func(_, source *server.BrokerConfig) {
		source.Policy = policy.NewRules(stricter(t, string(source.Own), "purposes: {integral_budget.compose: {remove_categories: {careoffice: [amount]}}}\n"))
	}})
	p := w.person("P")
	w.give(p, "")
	require.Contains(t, w.question(p).GetScopes()[0].GetCategories(), "amount", "the rules of who asks allow it")
	b := w.composed(p)
	require.Nil(t, b.GetLines()[0].GetAmount())
	require.False(t, b.GetComplete())
	require.Contains(t, gaps(b), "PEER_REFUSED PEER_POLICY [] [amount]")
	cells := ""
	for _, row := range b.GetMatrix() {
		cells += row.String()
	}
	require.Contains(t, cells, "PARTIAL")
	s, err := w.trust().Verify(b.GetSources()[0].GetDisclosure(), w.source.party.OIN, w.asker.party.OIN)
	require.NoError(t, err)
	require.NotEqual(t, b.GetPolicyRevision(), s.PolicyRevision)
	here, there := w.asker.record.about(s.Trace), w.source.record.about(s.Trace)
	require.Equal(t, b.GetPolicyRevision(), here[0].PolicyRevision)
	require.Equal(t, s.PolicyRevision, there[0].PolicyRevision)
	require.Equal(t, "POLICY_DENIED", judgement(t, there[0]).Refusals[0].Reason)
	require.Equal(t, b.GetReceipt().GetDecisionIndex(), here[1].Decided)
	require.Equal(t, s.Decision, there[1].Decided)
	w.asker.verify()
	w.source.verify()
}

// A source that lets nothing pass says no, and the gap says whose rules that were.
func TestASourceThatLetsNothingPass(t *testing.T) {
	w := newTwo(t, options{change: func(_, source *server.BrokerConfig) {
		source.Policy = policy.NewRules(stricter(t, string(source.Own), "purposes: {integral_budget.compose: {remove_sources: [careoffice]}}\n"))
	}})
	p := w.person("P")
	w.give(p, "")
	require.Equal(t, []string{"PEER_REFUSED PEER_POLICY [] []"}, gaps(w.composed(p)))
	require.Zero(t, w.behind.asked.Load())
	w.source.verify()
}

// What goes wrong at the source stands there under the trace of who asked: what it refused at
// its door in the request log, and a question on which it panicked in the record.
func TestBothSidesShareTheTrace(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Proofs.Permit = ""
	w.refused("TOKEN_MISSING", q)
	require.Contains(t, w.source.said.String(), q.GetTrace())

	w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) { panic(secret) }
	require.Equal(t, []string{"SOURCE_UNAVAILABLE  [] []"}, gaps(w.composed(p)))
	last := w.source.record.last()
	require.Equal(t, []any{audit.Deny, "failed"}, []any{last.Kind, last.Status})
	require.Equal(t, w.asker.record.last().Trace, last.Trace)
	require.NotContains(t, w.source.said.String(), secret)
	w.source.verify()
}

// A law that who asks does not know the source for is asked of nobody, and the answer says so:
// of everybody, whatever there is, so that nothing is told of a person.
func TestALawThatWhoAsksDoesNotKnow(t *testing.T) {
	w := newTwo(t, options{change: func(_, source *server.BrokerConfig) {
		all := slices.Clone(source.Organisations.Now())
		i := slices.IndexFunc(all, func(o identity.Organisation) bool { return o.OIN == source.Own })
		all[i].Laws = []string{"WLZ", "ZVW"}
		source.Organisations = identity.NewRoster(all)
	}})
	p := w.person("P")
	w.give(p, "")
	for _, lines := range [][]*budgetv1.BudgetLine{{line("ZK5503")}, nil} {
		w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
			return &budgetv1.FetchResponse{Lines: lines}, nil
		}
		require.Equal(t, []string{"BAD_DATA_AT_SOURCE UNKNOWN_LAW [] []"}, gaps(w.composed(p)))
		require.Equal(t, []string{"WLZ", "ZVW"}, w.behind.last.GetLaws(), "the adapter is told of our own laws: it tells of none of them")
	}
}
