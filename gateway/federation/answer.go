package federation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/admission"
	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/evidence"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/pseudonym"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Source is this organisation's own system: one adapter.
type Source interface {
	Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error)
}

// Config of an Answerer. Every field is required.
type Config struct {
	Own           identity.OIN
	Organisations *identity.Roster
	Source        func() Source // nil: there is none
	Admission     *admission.Admission
	Tokens        token.Checker
	Evidence      evidence.Registered
	Signers       *signed.Ring
	Policy        *policy.Rules
	Record        audit.Appender
	Pseudonyms    pseudonym.Keys
	Now           func() time.Time
	Today         func() civil.Date
	Log           *slog.Logger
}

// Answerer answers other organisations' gateways. It is the straight line of one question with
// one person, this organisation's own adapter and no assembly: one hop, and none from there.
// It is safe for concurrent use.
type Answerer struct {
	Config
	own       identity.Organisation
	rates     admission.Rates
	described admission.Rates // by who asks how things stand
}

// New makes an Answerer.
func New(c Config) (*Answerer, error) {
	own, known := c.Organisations.ByOIN(c.Own)
	if !known {
		return nil, errors.New("federation: Own is none of the Organisations")
	}
	return &Answerer{Config: c, own: own}, nil
}

// incoming is what another gateway asked, while it is answered.
type incoming struct {
	source  Source
	by      identity.Organisation
	caller  token.Caller
	permit  token.PermitClaims
	request *budgetv1.FetchRequest
	bsn     identity.BSN   // zero where this source may not know it
	subject []byte         // pseudonym, ours
	rules   *policy.Engine // by which all of it is judged
	today   civil.Date
	grant   policy.Grant
	refused []*budgetv1.Gap
	facts   policy.Facts // by which
	counted bool         // towards the rate of the agreement
	judged  int64        // entries by which it was judged
	decided int64        // index of its decision
}

// Fetch answers one question. Each step needs what the step before has proven.
func (a *Answerer) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	q, err := a.read(ctx, r) //                                             1 who asks, and may they with this?
	if err != nil {
		return nil, err
	}
	if err := a.judge(ctx, q); err != nil { //                              2-4 agreement, consent, policy: our own
		return nil, err
	}
	if err := a.recordDecision(ctx, q); err != nil { //                     5 recorded, before our system is asked
		return nil, err
	}
	if !q.grant.Allows() {
		return nil, refusal(q.refused)
	}
	answer, err := a.ask(ctx, q) //                                         6 asked
	if err != nil {
		return nil, err
	}
	return answer, a.disclose(ctx, q, answer) //                            8 disclosed in the record, if all of it still counts
}

// ask asks our own system. Nobody of that number and nothing there are the same answer: who
// asks learns of nobody whether we know them.
func (a *Answerer) ask(ctx context.Context, q *incoming) (*budgetv1.FetchResponse, error) {
	answer, err := q.source.Fetch(ctx, q.forward(a.own))
	switch {
	case reasonOf(err) == budgetv1.FaultSubjectNotFound:
		answer = &budgetv1.FetchResponse{}
	case err != nil:
		return nil, &SourceError{err}
	}
	q.grant.Minimise(answer)
	if len(answer.GetLines())+len(answer.GetHistory())+len(answer.GetNotices())+len(answer.GetSpends())+len(answer.GetOwnContributions()) == 0 {
		answer = &budgetv1.FetchResponse{AsOfMs: a.Now().UnixMilli(), AnswerId: uuid.NewString()}
	}
	told := q.request.GetLaws()
	if len(told) > 0 && slices.ContainsFunc(a.own.Laws, func(law string) bool { return !slices.Contains(told, law) }) {
		// Who asks does not know us for all our laws, and asks for none of those: about anybody.
		answer.Notices = append(answer.Notices, &budgetv1.Notice{Code: budgetv1.NoticeSkipped, Reason: budgetv1.GapUnknownLaw, Gap: budgetv1.GapUnknownLaw})
	}
	answer.Withheld, answer.Disclosure = withheld(q.refused), nil
	return answer, nil
}

// refusal is the no to a question of which nothing may pass.
func refusal(gaps []*budgetv1.Gap) error {
	if slices.ContainsFunc(gaps, func(g *budgetv1.Gap) bool { return g.GetCode() == budgetv1.GapRateLimited }) {
		return admission.ErrRate
	}
	return &policy.DeniedError{Gaps: gaps}
}

// read checks who asks and the permit, and takes the number out of the message.
func (a *Answerer) read(ctx context.Context, r *budgetv1.FetchRequest) (*incoming, error) {
	by, leaf, err := a.Admission.PeerWith(ctx, r)
	if err != nil {
		return nil, err
	}
	q := &incoming{request: r, rules: a.Policy.Now(), today: a.Today()}
	if q.source = a.Source(); q.source == nil {
		return nil, admission.ErrNoSource
	}
	q.by, _ = a.Organisations.ByOIN(by)
	if identity.OIN(r.GetRequester()) != by {
		return nil, admission.Invalid("requester", "is another organisation than that of the certificate")
	}
	if ontschotv1.AsksNoSource(r.GetPurpose()) {
		return nil, admission.ErrPurpose
	}
	if !admission.IsTrace(r.GetTrace()) {
		return nil, admission.Invalid("trace", "is no trace id of a gateway")
	}
	admission.Joins(ctx, r.GetTrace(), token.Caller{}, "")
	if len(r.GetProofs().GetSalt()) != saltSize {
		return nil, admission.Invalid("proofs.salt", "is not of 32 bytes")
	}
	if err := times(r); err != nil {
		return nil, err
	}
	if q.caller, q.permit, err = a.permit(r, by, leaf); err != nil {
		return nil, err
	}
	admission.Joins(ctx, r.GetTrace(), q.caller, r.GetPurpose())
	return q, a.identify(q)
}

func (a *Answerer) permit(r *budgetv1.FetchRequest, by identity.OIN, leaf *x509.Certificate) (token.Caller, token.PermitClaims, error) {
	hash, err := hashOf(r)
	if err != nil {
		return token.Caller{}, token.PermitClaims{}, admission.Invalid("proofs", "cannot be hashed")
	}
	p := r.GetProofs()
	caller, claims, err := a.Tokens.Permit(token.PermitCall{
		Permit: p.GetPermit(), Leaf: leaf, Issuer: by, Purpose: r.GetPurpose(), Consent: consentDigest(p.GetConsent()), Request: hash,
	})
	if err == nil && (claims.Agreement != p.GetAgreement() || claims.Case != p.GetCase() || claims.Role != p.GetRole() || claims.Assurance != p.GetAssurance()) {
		err = token.ErrPermit
	}
	return caller, claims, err
}

// times bounds the time that is asked about, as the gateway that asks should have done.
func times(r *budgetv1.FetchRequest) error {
	window, err := admission.Window(r.GetWindow())
	if err != nil {
		return err
	}
	history, err := civil.Parse(r.GetHistoryFrom())
	if err != nil || history > window.From || history < window.From.AddMonths(-admission.HistoryMonths) {
		return admission.Invalid("history_from", "is not within %d months before the window", admission.HistoryMonths)
	}
	return nil
}

// identify takes the number that this kind of source goes by, and no other is accepted: who
// may not hold a number may not be asked with it.
func (a *Answerer) identify(q *incoming) error {
	ids := q.request.GetIdentifiers()
	wants := budgetv1.IdentifierOf(a.own.Kind)
	given := map[string]string{
		budgetv1.IdentifierEducationNumber: ids.GetEducationNumber(), budgetv1.IdentifierPassNumber: ids.GetPassNumber(),
	}
	for kind, number := range given {
		if number != "" && kind != wants || ids.GetBsn() != "" && kind == wants {
			return admission.ErrNumber
		}
	}
	number, known := given[wants]
	if !known {
		var err error
		bare := proto.CloneOf(ids)
		if q.bsn, err = admission.TakeBSN("identifiers", &bare); err != nil {
			return err
		}
		q.subject = a.Pseudonyms.Of(q.bsn, q.request.GetPurpose())[0]
		return nil
	}
	if number == "" {
		return admission.Invalid("identifiers", "hold no number that this source goes by")
	}
	sum := a.Pseudonyms.Hash("ontschot/number/" + q.request.GetPurpose() + "/" + number)
	q.subject = sum[:]
	return nil
}

// judge decides by what counts here at this moment.
func (a *Answerer) judge(ctx context.Context, q *incoming) error {
	r := q.request
	shown := evidence.Shown{Consent: r.GetProofs().GetConsent(), Disclosure: r.GetProofs().GetDisclosure()}
	if !q.bsn.IsZero() {
		shown.SubjectKey = r.GetProofs().GetSubjectKey()
		if len(shown.SubjectKey) == 0 {
			return admission.Invalid("proofs.subject_key", "is needed with a burgerservicenummer")
		}
	}
	counts := a.Evidence.ShownBy(q.caller, r.GetPurpose(), q.today, shown)
	q.judged = counts.Size()
	agreed, notAgreed := counts.Agreement(ctx, a.own)
	if notAgreed == nil && agreed.Agreement().ID() != r.GetProofs().GetAgreement() {
		notAgreed = agreement.ErrExpired // the two ends hold another one: ours decides, and it was not asked by that
	}
	yes, no := counts.Consent(ctx, evidence.Subject{BSN: q.bsn}, a.own)
	if err := evidence.Unreadable(notAgreed, no, ctx.Err()); err != nil {
		return err
	}
	grant, refusals := q.rules.Decide(ctx, policy.Access{
		Caller: q.caller, Purpose: r.GetPurpose(), Subject: pseudonym.Text(q.subject), Today: q.today,
		Requester: q.by.OIN, RequesterKind: q.by.Kind, Source: a.Own, SourceKind: a.own.Kind, Laws: a.own.Laws,
		Agreement: agreed, NotAgreed: notAgreed, Consent: yes, NotConsented: no,
	})
	q.facts = grant.Facts().Of(r.GetScopes())
	for _, gap := range refusals {
		gap.Way = nil // what else this side knows is not told to another organisation
	}
	q.grant, q.refused = grant.Within(r.GetScopes()), asked(refusals, r.GetScopes())
	q.refused = append(q.refused, unknown(r.GetScopes(), q.grant, q.refused)...)
	if limit := grant.Agreement().Grant(); q.grant.Allows() && !q.counted && limit.RatePerMinute > 0 &&
		!a.rates.Take(string(q.by.OIN)+" "+r.GetPurpose(), limit.RatePerMinute, a.Now().Unix()/60) {
		q.grant, q.refused = policy.Grant{}, []*budgetv1.Gap{{Reason: budgetv1.ReasonPeerRefused, Code: budgetv1.GapRateLimited}}
	}
	q.counted = true
	return nil
}

// unknown are the refusals of what was asked and is not granted, and that no other refusal
// says: of laws and categories that this organisation does not have. What is missing is said.
func unknown(scopes []*budgetv1.Scope, grant policy.Grant, refused []*budgetv1.Gap) (gaps []*budgetv1.Gap) {
	covers := func(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }
	granted := grant.Scopes()
	for _, s := range scopes {
		missing := slices.DeleteFunc(slices.Clone(s.GetCategories()), func(c string) bool {
			return slices.ContainsFunc(granted, func(g *budgetv1.Scope) bool { return g.GetLaw() == s.GetLaw() && slices.Contains(g.GetCategories(), c) }) ||
				slices.ContainsFunc(refused, func(g *budgetv1.Gap) bool { return covers(g.GetLaws(), s.GetLaw()) && covers(g.GetCategories(), c) })
		})
		if len(missing) > 0 {
			gaps = append(gaps, &budgetv1.Gap{Reason: budgetv1.ReasonPolicyDenied, Code: "VELD-01", Laws: []string{s.GetLaw()}, Categories: missing})
		}
	}
	return gaps
}

// asked are those refusals that are of what was asked.
func asked(refusals []*budgetv1.Gap, scopes []*budgetv1.Scope) []*budgetv1.Gap {
	return slices.DeleteFunc(refusals, func(g *budgetv1.Gap) bool {
		if len(g.GetLaws()) == 0 && len(g.GetCategories()) == 0 {
			return false
		}
		return !slices.ContainsFunc(scopes, func(s *budgetv1.Scope) bool {
			law := len(g.GetLaws()) == 0 || slices.Contains(g.GetLaws(), s.GetLaw())
			category := len(g.GetCategories()) == 0 || slices.ContainsFunc(g.GetCategories(), func(c string) bool { return slices.Contains(s.GetCategories(), c) })
			return law && category
		})
	})
}

// withheld says gaps to who asked: of codes as many as fit.
func withheld(gaps []*budgetv1.Gap) (list []*budgetv1.Withheld) {
	for _, g := range gaps {
		code := g.GetCode()
		for len(code) > maxCode {
			code = code[:max(strings.LastIndex(code, " "), 0)]
		}
		list = append(list, &budgetv1.Withheld{Reason: g.GetReason(), Code: code, Laws: g.GetLaws(), Categories: g.GetCategories()})
	}
	return list
}

// maxCode bounds the code of what is withheld, as source.proto does.
const maxCode = 64

// entry is what both entries about a question have in common.
func (a *Answerer) entry(q *incoming) audit.Entry {
	return audit.Entry{
		Day: q.today, Trace: q.request.GetTrace(), Activity: q.request.GetPurpose(), Organisations: []identity.OIN{a.Own, q.by.OIN},
		PolicyRevision: q.rules.Revision(), Case: []byte(q.caller.Case()), Subjects: [][]byte{q.subject},
	}
}

// mostJudgings bounds how often a question is judged anew because what it needs ended
// before it was recorded.
const mostJudgings = 16

// recordDecision writes down what was decided, a refusal too. In the same transaction the
// permit is used up. When something has ended since it was judged, it is judged anew.
func (a *Answerer) recordDecision(ctx context.Context, q *incoming) error {
	once := &audit.Once{Key: sha256.Sum256([]byte("ontschot/permit\x00" + string(q.permit.Issuer) + "\x00" + q.permit.ID)), Life: time.Hour}
	_, _ = rand.Read(once.Body[:]) // no two uses are the same request
	for round := 1; ; round++ {
		e, err := a.decisionEntry(q)
		if err != nil {
			return err
		}
		e.Once = once
		proof, err := audit.Append(ctx, a.Record, e)
		q.decided = proof.Index
		switch {
		case errors.Is(err, audit.ErrKeyReused):
			return a.replayed(ctx, q)
		case !errors.Is(err, audit.ErrJudged) || round == mostJudgings:
			return err
		}
		if err := a.judge(ctx, q); err != nil {
			return err
		}
	}
}

// decisionEntry is the entry of what was decided.
func (a *Answerer) decisionEntry(q *incoming) (audit.Entry, error) {
	e := a.entry(q)
	e.Kind, e.Decision, e.By = audit.Deny, "deny", q.judged
	one := audit.PairJudgement{Source: a.Own, Subject: pseudonym.Text(q.subject), Facts: q.facts.Encode()}
	if q.grant.Allows() {
		e.Kind, e.Decision = audit.Decision, "allow"
		one.Scopes, one.Presented = audit.ScopesOf(q.grant.Scopes()), q.grant.Consent().ID()
		one.Agreement = q.grant.Agreement().Agreement().ID()
		e.Needs = a.restsOn(q)
		e.Agreements = []string{q.grant.Agreement().Agreement().Digest()}
	}
	for _, r := range q.refused {
		one.Refusals = append(one.Refusals, audit.Refusal{Reason: r.GetReason(), Code: r.GetCode(), Laws: r.GetLaws(), Categories: r.GetCategories()})
	}
	var err error
	e.Payload, err = signed.Canonical(audit.Judgement{Judged: q.judged, Pairs: []audit.PairJudgement{one}})
	return e, err
}

// replayed writes down that a permit was presented again.
func (a *Answerer) replayed(ctx context.Context, q *incoming) error {
	e := a.entry(q)
	e.Kind, e.Decision, e.Status, e.Payload = audit.Deny, "deny", "permit_used", []byte("{}")
	if _, err := audit.Append(ctx, a.Record, e); err != nil {
		return err
	}
	return token.ErrUsed
}

// restsOn is what a disclosure may be made on: our own copy of the agreement.
func (a *Answerer) restsOn(q *incoming) []register.Rest {
	return []register.Rest{{ID: q.grant.Agreement().Agreement().ID()}}
}

// forward is the question to our own system: what both sides grant, and no more. It is made
// anew, so that nothing passes in it that nobody judged.
func (q *incoming) forward(own identity.Organisation) *budgetv1.FetchRequest {
	r := q.request
	ids, window, proofs := r.GetIdentifiers(), r.GetWindow(), r.GetProofs()
	return &budgetv1.FetchRequest{
		Identifiers: &budgetv1.Identifiers{Bsn: ids.GetBsn(), EducationNumber: ids.GetEducationNumber(), PassNumber: ids.GetPassNumber()},
		Window:      &budgetv1.Window{From: window.GetFrom(), To: window.GetTo()}, HistoryFrom: r.GetHistoryFrom(),
		Scopes: q.grant.Scopes(), Purpose: r.GetPurpose(), Requester: r.GetRequester(), Trace: r.GetTrace(), Laws: own.Laws,
		Proofs: &budgetv1.Proofs{
			Consent: proofs.GetConsent(), Disclosure: proofs.GetDisclosure(), SubjectKey: proofs.GetSubjectKey(), Agreement: proofs.GetAgreement(),
		},
	}
}

// disclose records that the answer is given, if the agreement still counts at the head of the
// log, and signs what is said of it.
func (a *Answerer) disclose(ctx context.Context, q *incoming, answer *budgetv1.FetchResponse) error {
	if a.Today() != q.today {
		return audit.ErrDay
	}
	digest, err := result.AnswerDigest(answer)
	if err != nil {
		return err
	}
	e := a.entry(q)
	e.Kind, e.Decided, e.Decision, e.Status, e.Payload = audit.Release, q.decided, "allow", "disclosed", digest[:]
	e.Rests, e.Agreements, e.Judged = a.restsOn(q), []string{q.grant.Agreement().Agreement().Digest()}, q.judged
	proof, err := audit.Append(ctx, a.Record, e)
	if err != nil {
		return err
	}
	statement, err := result.Statement{
		Agreement: q.grant.Agreement().Agreement().Digest(), Answer: encode(digest[:]), Audience: q.by.OIN, Decision: q.decided,
		Permit: q.permit.ID, PolicyRevision: q.rules.Revision(), Request: q.permit.Request,
		MaxAgeDays: q.grant.Agreement().Grant().MaxAgeDays, RetentionDays: q.grant.Agreement().Grant().RetentionDays, Trace: q.request.GetTrace(),
	}.Sign(a.Signers.Signer(), a.Now())
	if err != nil {
		return err
	}
	answer.Disclosure = &budgetv1.Disclosure{Statement: statement, Receipt: proof.Receipt()}
	return nil
}

// SourceError is what this organisation's own system, or its adapter, said instead of an
// answer. It is passed on with its reason and where it lies, and nothing else of it.
type SourceError struct{ err error }

// Error says no more than that.
func (*SourceError) Error() string { return "the source behind this gateway gave no answer" }

// Status is what the gateway that asked gets: the reason of the adapter, and of its details
// those that say where and why, as far as they can be shown.
func (e *SourceError) Status(domain string) *status.Status {
	s := status.Convert(e.err)
	said := &errdetails.ErrorInfo{Reason: budgetv1.FaultAdapterBug, Domain: domain, Metadata: map[string]string{}}
	for _, d := range s.Details() {
		info, ok := d.(*errdetails.ErrorInfo)
		if !ok || !slices.Contains(budgetv1.Faults(), info.GetReason()) {
			continue
		}
		if said.Reason = info.GetReason(); said.Reason == budgetv1.FaultRateLimited {
			said.Reason = budgetv1.FaultSourceUnavailable // a gateway says that of its agreement
		}
		for _, key := range []string{"path", "cause"} {
			if text := identity.Place(info.GetMetadata()[key]); text != "" {
				said.Metadata[key] = text
			}
		}
	}
	code := s.Code()
	if code == codes.OK || code == codes.Unknown {
		code = codes.Unavailable
	}
	out, err := status.New(code, (*SourceError)(nil).Error()).WithDetails(said)
	if err != nil {
		return status.New(code, "")
	}
	return out
}
