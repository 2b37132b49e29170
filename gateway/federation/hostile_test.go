package federation_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// A gateway that asks for more than was granted gets what was granted, and is told what not.
func TestMoreThanWasGranted(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "", "entitlement", "period")
	q := w.question(p)
	require.Equal(t, []string{"entitlement", "period"}, q.GetScopes()[0].GetCategories())
	var all []string
	for _, c := range budgetv1.Categories() {
		all = append(all, string(c))
	}
	q.Scopes = []*budgetv1.Scope{{Law: "WLZ", Categories: all}, {Law: "ZVW", Categories: all}, {Law: "WMO", Categories: []string{"entitlement"}}}
	a, err := w.put(w.permitted(q, nil))
	require.NoError(t, err)
	require.Equal(t, []*budgetv1.Scope{{Law: "WLZ", Categories: []string{"entitlement", "period"}}}[0].GetCategories(), w.behind.last.GetScopes()[0].GetCategories())
	require.Len(t, w.behind.last.GetScopes(), 1)
	require.Equal(t, []string{"WLZ"}, w.behind.last.GetLaws())
	require.Nil(t, a.GetLines()[0].GetAmount())
	require.Nil(t, a.GetLines()[0].GetDecision())
	told := func(law, category string) bool {
		return slices.ContainsFunc(a.GetWithheld(), func(x *budgetv1.Withheld) bool {
			return (len(x.GetLaws()) == 0 || slices.Contains(x.GetLaws(), law)) && slices.Contains(x.GetCategories(), category)
		})
	}
	for _, c := range []string{"amount", "reference", "income"} {
		require.True(t, told("WLZ", c), "%s of %v", c, a.GetWithheld())
	}
	require.True(t, told("ZVW", "entitlement") && told("WMO", "entitlement"))
	require.False(t, told("WLZ", "entitlement") || told("WLZ", "period"))
	entries := w.source.record.about(q.GetTrace())
	require.NotEmpty(t, judgement(t, entries[0]).Refusals)
	w.source.verify()
}

// What asks for nothing that there is gets a reason, and not silence.
func TestOnlyWhatThereIsNot(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Scopes = []*budgetv1.Scope{{Law: "ZVW", Categories: []string{"entitlement"}}}
	w.refused("POLICY_DENIED", w.permitted(q, nil))
	require.Equal(t, []audit.Refusal{{Reason: "POLICY_DENIED", Code: "VELD-01", Laws: []string{"ZVW"}, Categories: []string{"entitlement"}}}, judgement(t, w.source.record.last()).Refusals)
}

// A mask that the asking gateway leaves out holds all the same, and one that it adds holds too.
func TestTheStrictestMaskHolds(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Scopes[0].Masks = nil
	q = w.permitted(q, nil)
	_, err := w.put(q)
	require.NoError(t, err)
	own := w.behind.last.GetScopes()[0].GetMasks()
	q = w.question(p)
	require.Equal(t, own, q.GetScopes()[0].GetMasks(), "the same rules at both ends")
	q.Scopes[0].Masks = map[string]string{"amount": "exists"}
	_, err = w.put(w.permitted(q, nil))
	require.NoError(t, err)
	both := w.behind.last.GetScopes()[0].GetMasks()
	require.Equal(t, "exists", both["amount"])
	for c, mask := range own {
		require.Contains(t, []string{mask, "exists"}, both[c])
	}
}

// Who asks by what does not count here gets the reason; nobody behind is asked, and it stands
// in the log as refused.
func TestWhatDoesNotCountHere(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		do   func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest
	}{
		"an agreement that the source never had": {"AGREEMENT_EXPIRED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Agreement = newID()
			return w.permitted(q, nil)
		}},
		"no agreement": {"AGREEMENT_EXPIRED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Agreement = ""
			return w.permitted(q, nil)
		}},
		"an agreement that the source revoked": {"AGREEMENT_EXPIRED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			w.source.revoke(w.agreement)
			return q
		}},
		"an agreement that the source replaced": {"AGREEMENT_EXPIRED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			w.source.take(w.signed(func(t *agreement.Terms) { t.Replaces = w.agreement }))
			return q
		}},
		"a consent for another purpose": {"PURPOSE_NOT_ALLOWED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Purpose = "integral_budget.everything"
			return w.permitted(q, nil)
		}},
		"a consent in another case": {"OTHER_HOUSEHOLD", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Case = strings.Repeat("A", 43)
			return w.permitted(q, nil)
		}},
		"the consent of another person": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Identifiers.Bsn = bsn(99)
			return w.permitted(q, nil)
		}},
		"a consent that another organisation keeps": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			return w.consents(q, func(c *consent.Claims) { c.Issuer = "00000099000999900000" }, w.family.Parties["ZK9999"].Sign)
		}},
		"a consent to another organisation": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			return w.consents(q, func(c *consent.Claims) { c.Recipients = []identity.OIN{"00000099000999900000"} })
		}},
		"a consent with a disclosure of its own": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Disclosure = w.disclosure([]string{"entitlement", "amount"})
			return w.permitted(q, nil)
		}},
		"no consent": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Consent, q.Proofs.Disclosure = "", ""
			return w.permitted(q, nil)
		}},
		"a consent that has lapsed by the day of the source": {"CONSENT_EXPIRED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			return w.consents(q, func(c *consent.Claims) { c.From, c.Until = "2025-01-01", "2025-01-02" })
		}},
		"a consent from a day to come": {"NO_CONSENT", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			return w.consents(q, func(c *consent.Claims) { c.From, c.Until = "2031-01-01", "2031-01-02" })
		}},
		"a role that may not ask": {"POLICY_DENIED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Role = "schoonmaker"
			return w.permitted(q, nil)
		}},
		"too little assurance": {"POLICY_DENIED", func(w *two, q *budgetv1.FetchRequest) *budgetv1.FetchRequest {
			q.Proofs.Assurance = "laag"
			return w.permitted(q, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
			p := w.person("P")
			w.give(p, "")
			q := c.do(w, w.question(p))
			w.refused(c.want, q)
			last := w.source.record.last()
			require.Equal(t, audit.Deny, last.Kind)
			require.Equal(t, q.GetTrace(), last.Trace)
			reasons := []string{}
			for _, r := range judgement(t, last).Refusals {
				reasons = append(reasons, r.Reason)
			}
			require.Contains(t, reasons, c.want)
			require.EqualValues(t, 1, w.source.verify().Kinds[audit.Deny])
			require.Zero(t, w.source.verify().Kinds[audit.Release])
			w.asker.verify()
			require.NotContains(t, w.source.said.String(), p.bsn)
		})
	}
}

// revoke ends the agreement by the word of one side, of which the other hears nothing.
func (s *side) revoke(id string) {
	_, err := s.RevokeAgreement(s.call(nil), &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "it ends"})
	require.NoError(s.two.t, err)
}

// faultOf is an error as adapters give them.
func faultOf(reason string) error {
	s, _ := status.New(codes.NotFound, reason).WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "adapter.ontschot.nl"})
	return s.Err()
}

// disclosure is one that the keeper never signed.
func (w *two) disclosure(categories []string) string {
	d := consent.Disclosure{Salt: strings.Repeat("A", 22), Source: w.source.party.OIN}
	for _, c := range categories {
		d.Categories = append(d.Categories, budgetv1.Category(c))
	}
	text, _, err := d.Encode()
	require.NoError(w.t, err)
	return text
}

// consents puts another consent in a question: that of it, changed, and signed by the key.
func (w *two) consents(q *budgetv1.FetchRequest, change func(*consent.Claims), by ...signed.Signer) *budgetv1.FetchRequest {
	w.t.Helper()
	c, err := consent.Read([]byte(q.GetProofs().GetConsent()))
	require.NoError(w.t, err)
	c.Authority.LookedUp = "2024-12-01"
	change(&c)
	if by == nil {
		by = []signed.Signer{w.asker.party.Sign}
	}
	raw, err := by[0].Compact(signed.Consent, c)
	require.NoError(w.t, err)
	q.Proofs.Consent = string(raw)
	return w.permitted(q, nil)
}

// Who writes another organisation's name is not it.
func TestTheRequesterIsThatOfTheCertificate(t *testing.T) {
	w := newTwo(t, options{more: []casefile.Organisation{stranger()}})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Requester = "00000099000999900000"
	w.refused("INVALID_FIELD", w.permitted(q, nil))
}

// What is accounted for, and audited, needs no consent, and so asks no source, also not another's.
func TestAnAccountAsksNoSource(t *testing.T) {
	for _, purpose := range []string{ontschotv1.PurposeAccountForBudget, ontschotv1.PurposeAuditSpending} {
		w := newTwo(t, options{terms: func(t *agreement.Terms) { t.Grants[0].Purposes = append(t.Grants[0].Purposes, purpose) }})
		p := w.person("P")
		w.give(p, "")
		q := w.question(p)
		q.Purpose = purpose
		w.refused("PURPOSE_NOT_ALLOWED", w.consents(q, func(c *consent.Claims) { c.Purpose = q.Purpose }))
	}
}

// What this version does not know in a question reaches nobody: nobody has judged it.
func TestWhatNobodyJudgedIsNotPassedOn(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	unknown := protowire.AppendString(protowire.AppendTag(nil, 999, protowire.BytesType), "more")
	for _, m := range []proto.Message{q, q.Proofs, q.Identifiers, q.Window, q.Scopes[0]} {
		m.ProtoReflect().SetUnknown(unknown)
	}
	_, err := w.put(q)
	require.NoError(t, err)
	last := w.behind.last
	for _, m := range []proto.Message{last, last.Proofs, last.Identifiers, last.Window, last.Scopes[0]} {
		require.Empty(t, m.ProtoReflect().GetUnknown())
	}
	require.Empty(t, last.GetProofs().GetCase()+last.GetProofs().GetRole()+last.GetProofs().GetPermit())
}

// Nobody is told of other years than the municipality may ask about.
func TestNoOtherYears(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	for name, change := range map[string]func(*budgetv1.FetchRequest){
		"history since ever":    func(q *budgetv1.FetchRequest) { q.HistoryFrom = "1900-01-01" },
		"history of a day more": func(q *budgetv1.FetchRequest) { q.HistoryFrom = "2023-12-31" },
		"history in the window": func(q *budgetv1.FetchRequest) { q.HistoryFrom = "2025-06-01" },
		"history of no day":     func(q *budgetv1.FetchRequest) { q.HistoryFrom = "2024-02-30" },
		"a window of a century": func(q *budgetv1.FetchRequest) { q.Window.From, q.HistoryFrom = "1925-01-01", "1925-01-01" },
		"a window backwards":    func(q *budgetv1.FetchRequest) { q.Window.From, q.Window.To = q.Window.To, q.Window.From },
	} {
		other := proto.CloneOf(q)
		change(other)
		w.refused("INVALID_FIELD", w.permitted(other, nil), name)
	}
}

// Each kind of source goes by its own number, and is asked with no other.
func TestANumberOfTheWrongKind(t *testing.T) {
	school := casefile.Organisation{Code: "SWV2602", OIN: "00000099000202602000", Kind: "EDUCATION", Name: "Samenwerkingsverband VO2602 (fictief)", Laws: []string{"EDU"}}
	for _, code := range []string{"ZK5503", "SWV2602"} {
		w := newTwo(t, options{code: code, more: []casefile.Organisation{school}})
		w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) { return &budgetv1.FetchResponse{}, nil }
		p := w.person("P")
		w.give(p, "")
		q := w.question(p)
		right := proto.CloneOf(q.GetIdentifiers())
		for name, ids := range map[string]*budgetv1.Identifiers{
			"bsn": {Bsn: p.bsn}, "school": {EducationNumber: "100000009"}, "pass": {PassNumber: "V123456"},
			"all": {Bsn: p.bsn, EducationNumber: "100000009", PassNumber: "V123456"}, "none": {},
		} {
			if proto.Equal(ids, right) {
				continue
			}
			q.Identifiers = ids
			q = w.permitted(q, nil)
			_, err := w.put(q)
			require.Contains(t, []string{"NUMBER_NOT_ALLOWED", "INVALID_FIELD"}, reason(err), "%s %s", code, name)
			require.Zero(t, w.behind.asked.Load())
		}
		q.Identifiers = right
		_, err := w.put(w.permitted(q, nil))
		require.NoError(t, err, code)
		require.True(t, proto.Equal(right, w.behind.last.GetIdentifiers()))
	}
}

// Without a consent that counts the municipality's own decision denies, and no permit is made.
func TestAfterAWithdrawalThereIsNoPermit(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	id := w.give(p, "")
	w.composed(p)
	w.withdraw(id)
	w.wire.sent = nil
	require.Equal(t, []string{"CONSENT_WITHDRAWN TOEST-02 [] []"}, gaps(w.composed(p)))
	require.Nil(t, w.wire.sent, "nothing went to the source")
	require.EqualValues(t, 1, w.source.verify().Kinds[audit.Release])
}

// More than the agreement accepts in a minute is refused there, and recorded.
func TestTheRateIsThatOfTheSourceToo(t *testing.T) {
	w := newTwo(t, options{terms: func(t *agreement.Terms) { t.Grants[0].RatePerMinute = 2 }})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	w.clock.Add(int64(time.Minute)) // the asking gateway counts for itself
	for range 2 {
		_, err := w.put(w.permitted(q, nil))
		require.NoError(t, err)
	}
	w.refused("RATE_LIMITED", w.permitted(q, nil))
	require.Equal(t, "RATE_LIMITED", judgement(t, w.source.record.last()).Refusals[0].Code)
	w.source.verify()
}

// Whatever size and text is sent, nothing of it reaches the system behind.
func TestSizesAndTextsAtTheDoor(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	for name, change := range map[string]func(*budgetv1.FetchRequest){
		"ten thousand scopes": func(q *budgetv1.FetchRequest) { q.Scopes = slices.Repeat(q.Scopes, 10000) },
		"a long consent":      func(q *budgetv1.FetchRequest) { q.Proofs.Consent = strings.Repeat("a", 20000) },
		"two megabytes":       func(q *budgetv1.FetchRequest) { q.Purpose = strings.Repeat("a", 2<<20) },
		"a text of lines":     func(q *budgetv1.FetchRequest) { q.Proofs.Role = "a\nb" },
		"a text backwards":    func(q *budgetv1.FetchRequest) { q.Proofs.Case = "\u202eabc" },
		"a law of lines":      func(q *budgetv1.FetchRequest) { q.Scopes[0].Law = "WLZ\x1b[2J" },
		"a number as trace":   func(q *budgetv1.FetchRequest) { q.Trace = strings.Repeat("0", 23) + "999510049" },
		"no salt":             func(q *budgetv1.FetchRequest) { q.Proofs.Salt = nil },
		"a short salt":        func(q *budgetv1.FetchRequest) { q.Proofs.Salt = make([]byte, 8) },
		"no subject key":      func(q *budgetv1.FetchRequest) { q.Proofs.SubjectKey = nil },
		"no identifiers":      func(q *budgetv1.FetchRequest) { q.Identifiers = nil },
		"no proofs":           func(q *budgetv1.FetchRequest) { q.Proofs = nil },
		"no window":           func(q *budgetv1.FetchRequest) { q.Window = nil },
		"nothing":             func(q *budgetv1.FetchRequest) { proto.Reset(q) },
	} {
		other := proto.CloneOf(q)
		change(other)
		if other.Proofs != nil && len(other.GetPurpose()) < 100 {
			other = w.permitted(other, nil)
		}
		_, err := w.put(other)
		require.Contains(t, []codes.Code{codes.InvalidArgument, codes.ResourceExhausted}, status.Code(err), name)
		require.Zero(t, w.behind.asked.Load(), name)
	}
	require.NotContains(t, w.source.said.String(), p.bsn)
	w.source.verify()
}

// Whom the source does not know and of whom it has nothing are told apart by nothing: not by
// shape, not by size, and not by what is written down. Times are measured only.
func TestNobodyAndNothingAreAlike(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	found := &budgetv1.FetchResponse{Adapter: "played", Version: "1.0.0", AsOfMs: 1751241600000, AnswerId: newID()}
	answers := map[string]func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error){
		"nobody": func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
			return nil, faultOf("SUBJECT_NOT_FOUND")
		},
		"nothing": func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) { return proto.CloneOf(found), nil },
		"not asked": func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) { // a law that was not asked about
			a := proto.CloneOf(found)
			a.Lines = []*budgetv1.BudgetLine{line("ZK5503")}
			a.Lines[0].Law = "ZVW"
			return a, nil
		},
	}
	sizes, entries, took := map[int]bool{}, map[string]bool{}, map[string]time.Duration{}
	for range 8 {
		for name, answer := range answers {
			w.behind.answer = answer
			q := w.question(p)
			start := time.Now()
			a, err := w.put(q)
			took[name] += time.Since(start)
			require.NoError(t, err, name)
			written := ""
			for _, e := range w.source.record.about(q.GetTrace()) {
				written += fmt.Sprint(e.Kind, e.Status, e.Decision, len(e.Subjects), " ")
				if e.Kind == audit.Decision {
					written += fmt.Sprint(judgement(t, e))
				}
			}
			entries[written] = true
			bare := proto.CloneOf(a)
			bare.Disclosure = nil // its proof grows with the log
			sizes[proto.Size(bare)] = true
			require.Empty(t, bare.GetAdapter()+bare.GetVersion())
		}
	}
	require.Len(t, sizes, 1)
	require.Len(t, entries, 1, "%v", entries)
	t.Logf("eight each: %v", took)
}

// A permit is for nobody who has no key, whatever comes with it.
func FuzzDoor(f *testing.F) {
	w := newTwo(f, options{})
	p := w.person("P")
	w.give(p, "")
	q := w.question(p)
	q.Proofs.Permit = ""
	raw, err := proto.Marshal(q)
	require.NoError(f, err)
	f.Add(raw, "")
	f.Add(raw, "a.b.c")
	f.Add([]byte{}, "")
	leaf := w.asker.party.Server.TLS.Leaf
	ctx := peer.NewContext(context.Background(), &peer.Peer{AuthInfo: credentials.TLSInfo{
		State: tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}},
	}})
	f.Fuzz(func(t *testing.T, raw []byte, permit string) {
		q := new(budgetv1.FetchRequest)
		if proto.Unmarshal(raw, q) != nil {
			return
		}
		if q.Proofs != nil && strings.ToValidUTF8(permit, "") == permit {
			q.Proofs.Permit = permit
		}
		a, err := w.source.Answerer.Fetch(ctx, q) // a panic would be seen
		require.Error(t, err)
		require.Nil(t, a)
		require.NotEqual(t, codes.Internal, status.Code(refusal.Of(err)))
		require.Zero(t, w.behind.asked.Load())
	})
}
