package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/dev/family"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// consents is a caller that registers consents, in the case of the family.
func (h *house) consents(change func(*token.Claims)) ontschotv1.ConsentServiceClient {
	return h.client(func() (string, error) { return h.family.Token(time.Now(), change) }).Consents
}

// questionFor asks a member about sources.
func (h *house) questionFor(ref string, sources ...string) *ontschotv1.ConsentQuestion {
	h.t.Helper()
	cf := h.family.Case
	m, ok := cf.Member(refOf(ref))
	require.True(h.t, ok)
	return &ontschotv1.ConsentQuestion{
		Person:  &ontschotv1.Person{Ref: ref, Born: m.Born.String(), Identifiers: &budgetv1.Identifiers{Bsn: m.BSN}},
		Purpose: cf.Purpose, Grants: grants(sources), From: cf.Today.String(), Authority: authorityOf(cf, m.Ref, cf.Today.String()),
	}
}

func identifiersOf(cf *casefile.Case, ref string) *budgetv1.Identifiers {
	m, _ := cf.Member(refOf(ref))
	return &budgetv1.Identifiers{Bsn: m.BSN}
}

func by(roles ...string) []*ontschotv1.ConsentSignature {
	var all []*ontschotv1.ConsentSignature
	for i, role := range roles {
		all = append(all, &ontschotv1.ConsentSignature{Role: role, Kind: "digid", Loa: "substantieel", Sha256: strings.Repeat(string(rune('a'+i)), 64)})
	}
	return all
}

// give asks and takes down a yes.
func (h *house) give(cl ontschotv1.ConsentServiceClient, q *ontschotv1.ConsentQuestion, roles ...string) (*ontschotv1.ConsentReceipt, error) {
	h.t.Helper()
	asked, err := cl.AskConsent(bounded(h.t), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(q)})
	if err != nil {
		return nil, err
	}
	got, err := cl.GiveConsent(bounded(h.t), &ontschotv1.GiveConsentRequest{Question: proto.CloneOf(q), NoticeSha256: asked.GetNotice().GetSha256Nl(), Signatures: by(roles...)})
	return got.GetReceipt(), err
}

// A consent from the question to its end, and what a budget shows at each step.
func TestAConsentFromBeginningToEnd(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	cl := h.consents(nil)
	at := func() string {
		t.Helper()
		b, err := h.put(onePair(f.Case, "A3", "UWV"))
		if err != nil {
			_, why, _ := reason(t, err)
			return why
		}
		return gapOf(b, "A3", "UWV")
	}
	require.Equal(t, "NO_CONSENT", at())
	given, err := h.give(cl, h.questionFor("A3", "UWV", "GM0119=entitlement,period"), "self")
	require.NoError(t, err)
	require.Equal(t, "IN_FORCE", given.GetStatus())
	require.Contains(t, given.GetTextNl(), given.GetId())
	require.Equal(t, "NO_ADAPTER", at(), "permitted; there is nobody to ask here")
	var record map[string]any
	require.NoError(t, json.Unmarshal(given.GetRecord(), &record))

	narrowed, err := cl.NarrowConsent(bounded(t), &ontschotv1.NarrowConsentRequest{Id: given.GetId(), Without: grants([]string{"UWV"}), Identifiers: identifiersOf(f.Case, "A3")})
	require.NoError(t, err)
	require.Equal(t, given.GetId(), narrowed.GetReceipt().GetReplaces())
	require.Equal(t, "NO_CONSENT", at(), "taken out")
	_, err = cl.NarrowConsent(bounded(t), &ontschotv1.NarrowConsentRequest{Id: given.GetId(), Without: grants([]string{"GM0119=period"}), Identifiers: identifiersOf(f.Case, "A3")})
	_, why, _ := reason(t, err)
	require.Equal(t, "DOCUMENT_REPLACED", why, "the old one is narrowed no more")
	_, err = cl.NarrowConsent(bounded(t), &ontschotv1.NarrowConsentRequest{Id: narrowed.GetReceipt().GetId(), Without: grants([]string{"GM0119=period"}), Identifiers: identifiersOf(f.Case, "A1")})
	_, why, _ = reason(t, err)
	require.Equal(t, "OTHER_PERSON", why)

	q := h.questionFor("A3", "UWV")
	q.Replaces = narrowed.GetReceipt().GetId()
	renewed, err := h.give(cl, q, "self")
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", at(), "back again")
	ended, err := cl.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: renewed.GetId()})
	require.NoError(t, err)
	require.Equal(t, "CONSENT_WITHDRAWN", at())
	again, err := cl.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: renewed.GetId()})
	require.NoError(t, err)
	require.Equal(t, ended.GetIndex(), again.GetIndex(), "it ended once")

	list, err := cl.ListConsents(bounded(t), &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A3"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	require.Len(t, list.GetReceipts(), 3)
	for _, r := range list.GetReceipts() {
		require.Equal(t, "ENDED", r.GetStatus())
	}
	none, err := cl.ListConsents(bounded(t), &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A1"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	require.Empty(t, none.GetReceipts(), "each has their own only")
}

// withoutConsents are the agreements of a case alone.
func withoutConsents(t *testing.T, f *family.Family) []*ontschotv1.RegisterRequest {
	t.Helper()
	var all []*ontschotv1.RegisterRequest
	for _, p := range f.Case.Parties {
		if p.Code != f.Case.Requester {
			raw, err := f.Agreement(p.Code, nil)
			require.NoError(t, err)
			all = append(all, &ontschotv1.RegisterRequest{Document: raw})
		}
	}
	return all
}

// onePair asks about one person at one source.
func onePair(cf *casefile.Case, person, source string) *ontschotv1.AssembleBudgetRequest {
	r := requestOf(cf)
	r.Asks = []*ontschotv1.Ask{{Person: person, Source: source}}
	return r
}

// What a consent is refused for, and what the caller gets.
func TestConsentsThatAreNotTakenDown(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	cl := h.consents(nil)
	spoil := func(change func(q *ontschotv1.ConsentQuestion)) *ontschotv1.ConsentQuestion {
		q := h.questionFor("A3", "UWV")
		change(q)
		return q
	}
	for name, c := range map[string]struct {
		q     *ontschotv1.ConsentQuestion
		roles []string
		want  string
	}{
		"by a mother of an adult":      {h.questionFor("A3", "UWV"), []string{"ouder_met_gezag"}, "WRONG_SIGNER"},
		"by one who manages the money": {spoil(func(q *ontschotv1.ConsentQuestion) { q.Authority.Kind = "Bewind" }), []string{"bewindvoerder"}, "WRONG_SIGNER"},
		"by one of two parents":        {h.questionFor("A5", "GM0119"), []string{"self", "ouder_met_gezag"}, "WRONG_SIGNER"},
		"without the child":            {h.questionFor("A5", "GM0119"), []string{"ouder_met_gezag", "ouder_met_gezag"}, "WRONG_SIGNER"},
		"authority unclear":            {spoil(func(q *ontschotv1.ConsentQuestion) { q.Authority.Kind = "in_onderzoek" }), []string{"self"}, "AUTHORITY_UNCLEAR"},
		"no birth date":                {spoil(func(q *ontschotv1.ConsentQuestion) { q.Person.Born = "" }), []string{"self"}, "AUTHORITY_UNCLEAR"},
		"settled on hearsay":           {spoil(func(q *ontschotv1.ConsentQuestion) { q.Authority.Settled = "buurvrouw" }), []string{"self"}, "INVALID_FIELD"},
		"an unknown source":            {spoil(func(q *ontschotv1.ConsentQuestion) { q.Grants = grants([]string{"X"}) }), []string{"self"}, "INVALID_FIELD"},
		"an unknown category":          {spoil(func(q *ontschotv1.ConsentQuestion) { q.Grants = grants([]string{"UWV=diagnosis"}) }), []string{"self"}, "INVALID_FIELD"},
		"no to everything":             {spoil(func(q *ontschotv1.ConsentQuestion) { q.Grants = grants([]string{"UWV="}) }), []string{"self"}, "INVALID_FIELD"},
		"a purpose nobody explains":    {spoil(func(q *ontschotv1.ConsentQuestion) { q.Purpose = "marketing" }), []string{"self"}, "PURPOSE_NOT_ALLOWED"},
		"it ends before it begins":     {spoil(func(q *ontschotv1.ConsentQuestion) { q.Until = "2000-01-01" }), []string{"self"}, "INVALID_FIELD"},
		"no BSN":                       {spoil(func(q *ontschotv1.ConsentQuestion) { q.Person.Identifiers.Bsn = "123456789" }), []string{"self"}, "INVALID_FIELD"},
		"in the place of another's":    {spoil(func(q *ontschotv1.ConsentQuestion) { q.Replaces = h.giveA1(cl) }), []string{"self"}, "INVALID_FIELD"},
		"in the place of nothing":      {spoil(func(q *ontschotv1.ConsentQuestion) { q.Replaces = "01900000-0000-7000-8000-000000000003" }), []string{"self"}, "NO_DOCUMENT"},
		"looked up after it was given": {spoil(func(q *ontschotv1.ConsentQuestion) { q.Authority.LookedUp = "2030-01-01" }), []string{"self"}, "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.give(cl, c.q, c.roles...)
			_, why, _ := reason(t, err)
			require.Equal(t, c.want, why)
		})
	}
	_, err := cl.GiveConsent(bounded(t), &ontschotv1.GiveConsentRequest{Question: h.questionFor("A3", "UWV"), NoticeSha256: strings.Repeat("a", 64), Signatures: by("self")})
	_, why, metadata := reason(t, err)
	require.Equal(t, "INVALID_FIELD", why)
	require.Equal(t, "notice_sha256", metadata["field"], "another text than was shown")

	// A token of another case sees and ends nothing of this one.
	id := h.giveA1(cl)
	other := h.consents(func(c *token.Claims) { c.Case = strings.Repeat("c", 43) })
	_, err = other.GetConsent(bounded(t), &ontschotv1.GetConsentRequest{Id: id})
	_, why, _ = reason(t, err)
	require.Equal(t, "OTHER_HOUSEHOLD", why)
	_, err = other.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: id})
	_, why, _ = reason(t, err)
	require.Equal(t, "OTHER_HOUSEHOLD", why)
	list, err := other.ListConsents(bounded(t), &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A1"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	require.Empty(t, list.GetReceipts())
	// And a token for something else registers no consents.
	_, err = h.consents(func(c *token.Claims) { c.Details[0].Purposes = []string{f.Case.Purpose} }).GetConsent(bounded(t), &ontschotv1.GetConsentRequest{Id: id})
	_, why, _ = reason(t, err)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
}

func (h *house) giveA1(cl ontschotv1.ConsentServiceClient) string {
	h.t.Helper()
	r, err := h.give(cl, h.questionFor("A1", "GM0119"), "self")
	require.NoError(h.t, err)
	return r.GetId()
}

// An honest retry of a yes is the same yes.
func TestAYesThatIsSentTwice(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	cl := h.consents(nil)
	q := h.questionFor("A3", "UWV")
	asked, err := cl.AskConsent(bounded(t), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(q)})
	require.NoError(t, err)
	key := func(k string) func(*ontschotv1.ConsentQuestion) (*ontschotv1.ConsentReceipt, error) {
		return func(q *ontschotv1.ConsentQuestion) (*ontschotv1.ConsentReceipt, error) {
			ctx := metadata.AppendToOutgoingContext(bounded(t), "idempotency-key", k)
			r, err := cl.GiveConsent(ctx, &ontschotv1.GiveConsentRequest{Question: proto.CloneOf(q), NoticeSha256: asked.GetNotice().GetSha256Nl(), Signatures: by("self")})
			return r.GetReceipt(), err
		}
	}
	one, err := key("0123456789abcdef")(q)
	require.NoError(t, err)
	two, err := key("0123456789abcdef")(q)
	require.NoError(t, err)
	require.Equal(t, one.GetId(), two.GetId())
	three, err := key("another-key-0001")(q)
	require.NoError(t, err)
	require.NotEqual(t, one.GetId(), three.GetId())
	other := proto.CloneOf(q)
	other.Until = "2025-12-31"
	asked, err = cl.AskConsent(bounded(t), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(other)})
	require.NoError(t, err)
	_, err = key("0123456789abcdef")(other)
	_, why, _ := reason(t, err)
	require.Equal(t, "IDEMPOTENCY_KEY_REUSED", why)
	_, err = key("short")(q)
	_, why, _ = reason(t, err)
	require.Equal(t, "INVALID_FIELD", why)
}

// What is given over the wire is what the room would have signed: it opens, and says
// no more than was asked.
func TestAGivenConsentHoldsWhatWasAsked(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	r, err := h.give(h.consents(nil), h.questionFor("A5", "GM0119", "SVB=spending"), "self", "ouder_met_gezag", "ouder_met_gezag")
	require.NoError(t, err)
	require.Equal(t, "2025-11-03", r.GetLapsesOn())
	require.Equal(t, "2025-11-02", r.GetUntil(), "the last day before the sixteenth birthday")
	keys, err := f.Verifier()
	require.NoError(t, err)
	var claims consent.Claims
	_, err = keys.Compact("ontschot-consent+jwt", r.GetDocument(), &claims)
	require.NoError(t, err)
	require.Len(t, claims.Grants, 2)
	require.Equal(t, f.CaseCommitment, claims.Case)
	require.Equal(t, "12_15", claims.Authority.AgeGroup)
	m, _ := f.Case.Member("A5")
	for _, part := range []string{string(r.GetDocument()), string(r.GetRecord()), r.GetTextNl()} {
		require.NotContains(t, part, m.BSN)
		require.NotContains(t, part, m.Born.String())
	}
	require.Equal(t, []string{"spending"}, r.GetGrants()[1].GetCategories())
}

// The keeper hears that whoever signed for a child has no authority any more: it is an entry
// in the log, and from then on a human decides, for what was released as well, until whoever
// has authority now signs anew.
func TestAuthorityThatEndedAfterSigning(t *testing.T) {
	h, b, p, ids := toPresent(t)
	cf, cl := h.family.Case, h.consents(nil)
	at := slices.IndexFunc(cf.Consents, func(c casefile.Consent) bool { return c.Person == "A5" })
	narrow := func(until string, without ...string) (*ontschotv1.ConsentReceipt, error) {
		r, err := cl.NarrowConsent(bounded(t), &ontschotv1.NarrowConsentRequest{Id: ids[at], AuthorityUntil: until, Without: grants(without), Identifiers: identifiersOf(cf, "A5")})
		return r.GetReceipt(), err
	}
	for name, c := range map[string]struct {
		until   string
		without []string
	}{
		"no day": {"2025-02-30", nil}, "before it was given": {"2024-06-30", nil}, "no sooner than it ends": {"2026-06-30", nil},
		"and something taken out": {"2025-05-31", []string{"GM0119=period"}}, "nothing at all": {"", nil},
	} {
		_, err := narrow(c.until, c.without...)
		_, why, _ := reason(t, err)
		require.Equal(t, "INVALID_FIELD", why, name)
	}
	require.Empty(t, gapOf(b, "A5", "GM0119"))
	r, err := narrow("2025-05-31")
	require.NoError(t, err)
	require.Equal(t, ids[at], r.GetReplaces())
	require.Equal(t, "2025-06-01", r.GetLapsesOn())
	require.Equal(t, "2025-05-31", r.GetUntil())

	after, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, "AUTHORITY_UNCLEAR", gapOf(after, "A5", "GM0119"))
	require.Empty(t, gapOf(after, "A3", "GM0119"), "each has their own")
	check, err := h.client(nil).CheckPlan(t.Context(), &ontschotv1.CheckPlanRequest{Budget: b, Plan: p})
	require.NoError(t, err)
	require.NotEmpty(t, check.GetLeftOut())
	for _, g := range check.GetLeftOut() {
		require.Equal(t, "A5 AUTHORITY_UNCLEAR", g.GetPerson()+" "+g.GetReason())
	}

	q := h.questionFor("A5", "GM0119", "SVB")
	q.Authority = &ontschotv1.ConsentAuthority{Kind: "Voogdij", Holders: 1}
	_, err = h.give(cl, q, "self", "voogd")
	require.NoError(t, err)
	anew, err := h.ask()
	require.NoError(t, err)
	require.Empty(t, gapOf(anew, "A5", "GM0119"), "signed anew")

	q.Authority.Until = "2025-08-31"
	asked, err := cl.AskConsent(bounded(t), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(q)})
	require.NoError(t, err)
	require.Equal(t, "2025-09-01", asked.GetLapsesOn(), "before the birthday in November")
	require.Contains(t, asked.GetNotice().GetTextNl(), "1 september 2025")
}
