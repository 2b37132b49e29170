package gateway_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// mandated is a yes of a gemachtigde until a day, on a mandate until that day.
func (h *house) mandated(p person, until civil.Date, replaces string, grants ...*ontschotv1.ConsentGrant) *ontschotv1.GiveConsentRequest {
	h.t.Helper()
	r := h.yes(p, replaces, grants...)
	r.Question.Until = until.String()
	asked, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(r.GetQuestion())})
	require.NoError(h.t, err)
	r.NoticeSha256 = asked.GetNotice().GetSha256Nl()
	r.Signatures[0].Role, r.Signatures[0].Sha256 = "gemachtigde", sha("another assertion")
	r.Signatures[0].Mandate = &ontschotv1.ConsentMandate{
		DocumentSha256: sha("paper"), Scope: []string{h.family.Case.Purpose, "integral_budget.account"}, Until: until.String(),
	}
	return r
}

func (h *house) tries(r *ontschotv1.GiveConsentRequest) (*ontschotv1.ConsentReceipt, error) {
	given, err := h.GiveConsent(h.municipality().call(), proto.CloneOf(r))
	return given.GetReceipt(), err
}

// A consent on a mandate from its first day to after its last: given, narrowed, ended
// with the mandate, not renewed without one, renewed on one, withdrawn.
func TestAConsentOnAMandate(t *testing.T) {
	h := newHouse(t, nil)
	p, until := h.person("P"), h.Today()+60
	first, err := h.tries(h.mandated(p, until, "", all("GM0119", "SVB")...))
	require.NoError(t, err)
	require.Equal(t, "IN_FORCE", first.GetStatus())
	require.Equal(t, until.String(), first.GetUntil())
	require.Len(t, first.GetMandates(), 1)
	require.True(t, proto.Equal(&ontschotv1.ConsentMandate{
		DocumentSha256: sha("paper"), Scope: []string{"integral_budget.account", h.family.Case.Purpose}, Until: until.String(),
	}, first.GetMandates()[0]), "sorted, as it was signed")
	require.Contains(t, first.GetTextNl(), "Daarvoor was er een machtiging. Die loopt tot en met ")
	require.Contains(t, first.GetTextEn(), "There was a mandate for that. It lasts until ")
	var record struct {
		Record struct {
			Status struct {
				By []struct {
					Requires map[string]any `json:"dct:requires"`
				} `json:"dpv:isIndicatedBy"`
			} `json:"dpv:hasConsentStatus"`
		} `json:"dpv:hasRecordOfActivity"`
	}
	require.NoError(t, json.Unmarshal(first.GetRecord(), &record))
	require.Equal(t, map[string]any{
		"dct:title": "Mandate", "dct:identifier": sha("paper"), "dpv:hasScope": []any{"integral_budget.account", h.family.Case.Purpose},
		"dpv:hasDuration": map[string]any{"@type": "dpv:UntilTimeDuration", "rdf:value": until.String()},
	}, record.Record.Status.By[0].Requires)
	require.Empty(t, h.why(p, "GM0119"))
	require.Empty(t, h.why(p, "SVB"))

	narrowed, err := h.NarrowConsent(h.municipality().call(), h.less(p, first.GetId(), "SVB", "*"))
	require.NoError(t, err)
	less := narrowed.GetReceipt()
	require.True(t, proto.Equal(first.GetMandates()[0], less.GetMandates()[0]))
	require.Empty(t, h.why(p, "GM0119"))
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "SVB"))

	h.today.Store(int64(until))
	require.Empty(t, h.why(p, "GM0119"), "its last day counts")
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	h.today.Store(int64(until + 1))
	require.Equal(t, budgetv1.ReasonConsentExpired, h.why(p, "GM0119"))
	for name, do := range tasks() {
		if name == "View of Q" {
			continue
		}
		h.leavesOut(b, do, name, budgetv1.ReasonConsentExpired)
	}

	again := h.mandated(p, h.Today()+30, less.GetId(), all("GM0119")...)
	again.Signatures[0].Mandate = nil
	_, err = h.tries(again)
	require.Equal(t, budgetv1.ReasonWrongSigner, reasonOf(err))
	require.Contains(t, said(err).Message(), "there is none; AskConsent")
	again.Signatures[0].Mandate = first.GetMandates()[0]
	_, err = h.tries(again)
	require.Equal(t, budgetv1.ReasonWrongSigner, reasonOf(err), "the old mandate")
	require.Equal(t, budgetv1.ReasonConsentExpired, h.why(p, "GM0119"))
	second, err := h.tries(h.mandated(p, h.Today()+30, less.GetId(), all("GM0119")...))
	require.NoError(t, err)
	require.Empty(t, h.why(p, "GM0119"))

	h.today.Store(int64(h.Today() + 31))
	h.withdraw(second.GetId())
	for _, id := range []string{first.GetId(), less.GetId(), second.GetId()} {
		got, err := h.GetConsent(h.municipality().call(), &ontschotv1.GetConsentRequest{Id: id})
		require.NoError(t, err)
		require.Equal(t, "ENDED", got.GetReceipt().GetStatus())
	}
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	h.give(p, "", all("GM0119")...)
	require.Empty(t, h.why(p, "GM0119"), "the person")
	h.verify()
	require.NotContains(t, h.said.String(), sha("paper"))
}

// A withdrawal passes whatever became of the mandate, also on the day after it.
func TestAConsentIsWithdrawnAfterItsMandatePassed(t *testing.T) {
	for _, days := range []civil.Date{0, 1, 400} {
		h := newHouse(t, nil)
		p := h.person("P")
		given, err := h.tries(h.mandated(p, h.Today(), "", all("GM0119")...))
		require.NoError(t, err)
		h.today.Store(int64(h.Today() + days))
		require.Positive(t, h.withdraw(given.GetId()))
	}
}

// What a mandate is refused for at the door, and that nothing is stored of it.
func TestMandatesThatAreRefusedAtTheDoor(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	good := h.mandated(p, h.Today()+60, "", all("GM0119")...)
	for name, c := range map[string]struct {
		change func(*ontschotv1.ConsentSignature)
		want   string
	}{
		"no mandate":             {func(s *ontschotv1.ConsentSignature) { s.Mandate = nil }, "FailedPrecondition WRONG_SIGNER"},
		"for another purpose":    {func(s *ontschotv1.ConsentSignature) { s.Mandate.Scope = []string{"integral_budget.account"} }, "FailedPrecondition WRONG_SIGNER"},
		"until yesterday":        {func(s *ontschotv1.ConsentSignature) { s.Mandate.Until = (h.Today() - 1).String() }, "FailedPrecondition WRONG_SIGNER"},
		"until today":            {func(s *ontschotv1.ConsentSignature) { s.Mandate.Until = h.Today().String() }, "FailedPrecondition WRONG_SIGNER"},
		"a day too short":        {func(s *ontschotv1.ConsentSignature) { s.Mandate.Until = (h.Today() + 59).String() }, "FailedPrecondition WRONG_SIGNER"},
		"of one hardly known":    {func(s *ontschotv1.ConsentSignature) { s.Loa = "laag" }, "FailedPrecondition WRONG_SIGNER"},
		"of the person alone":    {func(s *ontschotv1.ConsentSignature) { s.Role = "self" }, "InvalidArgument INVALID_FIELD"},
		"of a curator":           {func(s *ontschotv1.ConsentSignature) { s.Role = "curator" }, "InvalidArgument INVALID_FIELD"},
		"a short hash":           {func(s *ontschotv1.ConsentSignature) { s.Mandate.DocumentSha256 = sha("x")[1:] }, "InvalidArgument INVALID_FIELD"},
		"a hash in capitals":     {func(s *ontschotv1.ConsentSignature) { s.Mandate.DocumentSha256 = strings.ToUpper(sha("x")) }, "InvalidArgument INVALID_FIELD"},
		"no hash":                {func(s *ontschotv1.ConsentSignature) { s.Mandate.DocumentSha256 = "" }, "InvalidArgument INVALID_FIELD"},
		"no scope":               {func(s *ontschotv1.ConsentSignature) { s.Mandate.Scope = nil }, "InvalidArgument INVALID_FIELD"},
		"everything":             {func(s *ontschotv1.ConsentSignature) { s.Mandate.Scope = []string{"*"} }, "InvalidArgument INVALID_FIELD"},
		"a purpose twice":        {func(s *ontschotv1.ConsentSignature) { s.Mandate.Scope = append(s.Mandate.Scope, s.Mandate.Scope[0]) }, "InvalidArgument INVALID_FIELD"},
		"a number for a purpose": {func(s *ontschotv1.ConsentSignature) { s.Mandate.Scope = append(s.Mandate.Scope, p.bsn) }, "InvalidArgument INVALID_FIELD"},
		"no last day":            {func(s *ontschotv1.ConsentSignature) { s.Mandate.Until = "" }, "InvalidArgument INVALID_FIELD"},
		"no such last day":       {func(s *ontschotv1.ConsentSignature) { s.Mandate.Until = "2027-02-30" }, "InvalidArgument INVALID_FIELD"},
		"an empty mandate":       {func(s *ontschotv1.ConsentSignature) { s.Mandate = &ontschotv1.ConsentMandate{} }, "InvalidArgument INVALID_FIELD"},
	} {
		r := proto.CloneOf(good)
		c.change(r.Signatures[0])
		_, err := h.tries(r)
		require.Equal(t, c.want, codeOf(err).String()+" "+reasonOf(err), name)
		require.NotContains(t, err.Error(), p.bsn, name)
		require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "GM0119"), name)
	}
	_, err := h.tries(good)
	require.NoError(t, err)
	require.Empty(t, h.why(p, "GM0119"))
}

// lenient records a consent as one of before there were mandates: it was no void.
type lenient struct{ documents.Record }

func (l lenient) Append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	if e.Put != nil {
		e.Put.Void = false
	}
	return l.Record.Append(ctx, e)
}

// byProxy is a consent that a keeper signed without looking, by a gemachtigde.
func (h *house) byProxy(p person, m *consent.Mandate) *ontschotv1.RegisterRequest {
	h.t.Helper()
	own := h.family.Requester()
	number, err := identity.ParseBSN(p.bsn)
	require.NoError(h.t, err)
	claims, out, err := consent.Draft{
		Keeper: own.OIN, Purpose: h.family.Case.Purpose, Case: h.family.CaseCommitment, Controller: own.OIN, Recipients: []identity.OIN{own.OIN},
		Grants: []consent.Grant{{Source: own.OIN, Categories: budgetv1.Categories()}}, Basis: consent.Basis{AVG6: "6-1-e"},
		From: h.Today(), Until: h.Today() + 60, Born: civil.MustParse("1980-03-01"), Authority: consent.Authority{LookedUp: h.Today().String()},
		GivenBy: consent.Signature{Role: "gemachtigde", Proof: consent.Proof{Kind: "paper", LOA: "substantieel", Hash: sha("anything")}, Mandate: m},
		Notice:  consent.Notice{Version: "1", SHA256: sha("notice")}, Withdraw: "https://localhost/withdraw",
	}.Write(number, h.now())
	require.NoError(h.t, err)
	raw, err := own.Sign.Compact(signed.Consent, claims)
	require.NoError(h.t, err)
	pseudonym := number.Pseudonym(own.PseudonymKey, own.OIN, h.family.Case.Purpose)
	return &ontschotv1.RegisterRequest{Document: raw, Disclosures: out.Disclosures, SubjectKey: out.SubjectKey, Pseudonym: pseudonym[:]}
}

// What is registered is judged as what is given is: a mandate that covers counts, any
// other does not, and one of another form is not taken in.
func TestAMandateIsJudgedWhereAConsentIsRegistered(t *testing.T) {
	h := newHouse(t, nil)
	good := consent.Mandate{Document: sha("paper"), Scope: []string{h.family.Case.Purpose}, Until: (h.Today() + 60).String()}
	for name, c := range map[string]struct {
		change func(*consent.Mandate)
		want   string
	}{
		"as it must be":       {func(*consent.Mandate) {}, ""},
		"longer":              {func(m *consent.Mandate) { m.Until = (h.Today() + 4000).String() }, ""},
		"for another purpose": {func(m *consent.Mandate) { m.Scope = []string{"integral_budget.account"} }, budgetv1.ReasonWrongSigner},
		"too short":           {func(m *consent.Mandate) { m.Until = (h.Today() + 59).String() }, budgetv1.ReasonWrongSigner},
		"a hash in capitals":  {func(m *consent.Mandate) { m.Document = strings.ToUpper(m.Document) }, "CONSENT_INVALID"},
		"a purpose twice":     {func(m *consent.Mandate) { m.Scope = append(m.Scope, m.Scope...) }, "CONSENT_INVALID"},
	} {
		p, m := h.person("P"), good
		m.Scope = []string{good.Scope[0]}
		c.change(&m)
		_, err := h.Register(h.municipality().call(), h.byProxy(p, &m))
		if c.want == "CONSENT_INVALID" {
			require.Equal(t, c.want, reasonOf(err), name)
			require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "GM0119"), name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, h.why(p, "GM0119"), name)
	}
}

// A consent that a gemachtigde gave without a mandate, recorded when that still counted:
// it no longer does, nor does a budget on it; taking it in again does not fail, and there
// is a way to a yes.
func TestAConsentOfBeforeThereWereMandates(t *testing.T) {
	h := newHouse(t, func(c *server.BrokerConfig) { c.Record = lenient{c.Record} })
	p := h.person("P")
	r := h.byProxy(p, nil)
	old, err := h.TakeIn(t.Context(), proto.CloneOf(r))
	require.NoError(t, err)
	d, err := h.log.Document(t.Context(), old.GetId())
	require.NoError(t, err)
	require.False(t, d.Void)
	require.Equal(t, budgetv1.ReasonWrongSigner, h.why(p, "GM0119"))
	got, err := h.GetConsent(h.municipality().call(), &ontschotv1.GetConsentRequest{Id: old.GetId()})
	require.NoError(t, err)
	require.Equal(t, "VOID", got.GetReceipt().GetStatus())
	require.Empty(t, got.GetReceipt().GetMandates())
	require.NotContains(t, got.GetReceipt().GetTextNl(), "was er een machtiging")

	_, err = h.NarrowConsent(h.municipality().call(), h.less(p, old.GetId(), "GM0119", "amount"))
	require.Equal(t, budgetv1.ReasonWrongSigner, reasonOf(err))
	budget := h.restingOn(p, old.GetId())
	for name, do := range tasks() {
		if name == "View of Q" {
			continue
		}
		h.leavesOut(budget, do, name, budgetv1.ReasonWrongSigner)
	}

	// The next start, by a gateway that knows of mandates: what lies in the folder is
	// taken in again, and changes nothing.
	h.log.Close()
	require.NoError(t, h.store.Close())
	h.openRecord()
	h.configure()
	h.Broker, err = server.NewBroker(h.config)
	require.NoError(t, err)
	require.NoError(t, h.RecordKeys(t.Context(), h.family.Pins()))
	again, err := h.TakeIn(t.Context(), proto.CloneOf(r))
	require.NoError(t, err)
	require.Equal(t, old.GetIndex(), again.GetIndex())
	require.Equal(t, budgetv1.ReasonWrongSigner, h.why(p, "GM0119"))
	h.verify()

	renewed, err := h.tries(h.mandated(p, h.Today()+30, old.GetId(), all("GM0119")...))
	require.NoError(t, err)
	require.Empty(t, h.why(p, "GM0119"))
	h.withdraw(old.GetId())
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"), "with what followed from it")
	require.Equal(t, old.GetId(), renewed.GetReplaces())
	h.verify()
}

// leavesOut does something with a budget of one answer about P, which may not be released any
// more; but for an account, which rests on no consent.
func (h *house) leavesOut(b *budgetv1.Budget, do task, name, reason string) {
	h.t.Helper()
	answer, err := do(h, h.municipality().call(), proto.CloneOf(b))
	require.NoError(h.t, err, name)
	if name == "Account" {
		return
	}
	require.Equal(h.t, reasonFor(reason, [2]string{"P", "GM0119"}), missing(answer), name)
	require.Empty(h.t, named(b, answer), name)
}

// restingOn is a budget as this gateway released it, on a consent of the person's.
func (h *house) restingOn(p person, id string) *budgetv1.Budget {
	h.t.Helper()
	q := h.person("P")
	h.give(q, "", all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{q}, [2]string{"P", "GM0119"}))
	require.NoError(h.t, err)
	for _, s := range b.GetSources() {
		s.Consent = id
	}
	b.Receipt, b.Signature = nil, ""
	digest, err := result.Digest(b)
	require.NoError(h.t, err)
	e := audit.Entry{
		Kind: audit.Decision, Decision: "allow", Trace: strings.Repeat("a", 32), Activity: h.family.Case.Purpose, Organisations: []identity.OIN{h.config.Own},
		PolicyRevision: h.config.Policy.Revision(), Case: []byte(h.family.CaseCommitment), Payload: digest[:], Day: h.Today(),
	}
	proof, err := h.log.Append(h.t.Context(), e)
	require.NoError(h.t, err)
	e.Kind, e.Decided = audit.Release, proof.Index
	proof, err = h.log.Append(h.t.Context(), e)
	require.NoError(h.t, err)
	require.NoError(h.t, result.Sign(b, result.Release{Digest: digest, Receipt: proof.Receipt(), Case: h.family.CaseCommitment, Times: result.Times{Now: h.now(), Expires: h.now().Add(time.Hour), KeepUntil: h.now().Add(time.Hour)}}, h.family.Requester().Sign))
	return b
}
