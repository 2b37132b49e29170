package gateway_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/consent"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/refusal"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// copied is a whole copy of the record, as ontschot backup makes it.
func (h *house) copied() string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "copy.db")
	require.NoError(h.t, h.store.Copy(h.t.Context(), path))
	return path
}

// loses puts an older copy in the place of the record, goes on from it as the operator
// does (audit recover), and opens the gateway again.
func (h *house) loses(old string) audit.Recovery {
	h.t.Helper()
	head := &audit.HeadFile{Path: filepath.Join(h.t.TempDir(), "head")}
	require.NoError(h.t, h.store.View(h.t.Context(), h.family.Requester().OIN, func(s audit.Snapshot) error {
		last, err := s.Head()
		require.NoError(h.t, err)
		return head.Write(last.Checkpoint)
	}))
	h.log.Close()
	require.NoError(h.t, h.store.Close())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(h.path + suffix)
	}
	if old != "" {
		raw, err := os.ReadFile(old)
		require.NoError(h.t, err)
		require.NoError(h.t, os.WriteFile(h.path, raw, 0o600))
	}
	own := h.family.Requester()
	key, err := audit.ParseKey(own.LogSigner)
	require.NoError(h.t, err)
	s, err := sqlite.Open(h.t.Context(), h.path)
	require.NoError(h.t, err)
	by := audit.Config{
		Store: s, Origin: family.LogOrigin(own.OIN), Tenant: own.OIN, Key: key, Head: head, Today: func() civil.Date { return civil.Date(h.today.Load()) },
	}
	got, err := audit.Recover(h.t.Context(), by, 0)
	if errors.Is(err, audit.ErrWhole) { // then the head is lost too
		require.NoError(h.t, os.Remove(head.Path))
		got, err = audit.Recover(h.t.Context(), by, 0)
	}
	require.NoError(h.t, err)
	require.NoError(h.t, s.Close())
	h.openRecord()
	today := h.today.Load()
	peers := h.config.Peers
	h.configure()
	h.today.Store(today)
	h.config.Peers = peers
	h.Broker, err = server.NewBroker(h.config)
	require.NoError(h.t, err)
	require.NoError(h.t, h.RecordKeys(h.t.Context(), h.family.Pins()))
	return got
}

func (h *house) confirm(id string, p person) error {
	_, err := h.ConfirmConsent(h.municipality().call(), &ontschotv1.ConfirmConsentRequest{Id: id, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}})
	return err
}

// A withdrawal is lost with the disk. Nothing of that person flows until somebody has
// asked, nor of anybody else; and nothing that lies about in files makes it flow.
func TestAfterALossEverythingWaits(t *testing.T) {
	h := newHouse(t, nil)
	p, q := h.person("P"), h.person("Q")
	ps, qs := h.give(p, "", all("GM0119", "UWV")...), h.give(q, "", all("GM0119", "UWV")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p, q}, [2]string{"P", "GM0119"}, [2]string{"Q", "GM0119"}, [2]string{"Q", "UWV"}))
	require.NoError(t, err)
	require.True(t, b.GetComplete())
	held, err := h.log.Document(t.Context(), ps)
	require.NoError(t, err)
	old := h.copied()
	h.withdraw(ps)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))

	got := h.loses(old)
	require.EqualValues(t, 2, got.Epoch)
	require.EqualValues(t, 6, got.Waiting, "two consents and four agreements")
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(p, "GM0119"))
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(q, "GM0119"))
	require.Equal(t, budgetv1.ReasonAgreementUncertain, h.why(q, "UWV"), "the first check that fails is reported")
	require.ElementsMatch(t, []string{ps + " UNCERTAIN"}, h.consents(p))
	for name, do := range tasks() {
		answer, err := do(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, name)
		if name != "Account" {
			require.Empty(t, named(b, answer), name)
		}
	}
	listed, err := h.ListAgreements(h.municipality().call(), &ontschotv1.ListAgreementsRequest{With: "UWV"})
	require.NoError(t, err)
	require.Equal(t, "UNCERTAIN", listed.GetAgreements()[0].GetStatus())

	// What a folder or a system registers again is what was there before.
	_, err = h.TakeIn(t.Context(), &ontschotv1.RegisterRequest{Document: held.Body})
	require.Error(t, err)
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(p, "GM0119"))

	require.Equal(t, "OTHER_PERSON", reasonOf(h.confirm(qs, p)))
	require.NoError(t, h.confirm(qs, q))
	require.Equal(t, "NOT_WAITING", reasonOf(h.confirm(qs, q)))
	require.Empty(t, h.why(q, "GM0119"))
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(p, "GM0119"), "nobody asked P")
	require.Equal(t, budgetv1.ReasonAgreementUncertain, h.why(q, "UWV"))
	_, err = h.ConfirmAgreement(h.municipality().call(), &ontschotv1.ConfirmAgreementRequest{Id: h.agreements["UWV"]})
	require.Equal(t, "PEER_UNREACHABLE", reasonOf(err), "there is no gateway to ask")
	_, err = h.ConfirmAgreement(h.municipality().call(), &ontschotv1.ConfirmAgreementRequest{Id: h.agreements["UWV"], Asked: true})
	require.NoError(t, err, "who confirms it has asked in another way")
	require.Empty(t, h.why(q, "UWV"))

	// P says what they said before, and it is written down again.
	h.withdraw(ps)
	require.Equal(t, "DOCUMENT_ENDED", reasonOf(h.confirm(ps, p)))
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	h.give(p, "", all("GM0119")...)
	require.Empty(t, h.why(p, "GM0119"), "what is said now is certain")
	require.EqualValues(t, 3, h.verify().Waiting, "the other agreements")

	// A second loss: all of it waits again.
	h.loses(h.copied())
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(q, "GM0119"))
	require.NoError(t, h.confirm(qs, q))
	require.Empty(t, h.why(q, "GM0119"))
	require.EqualValues(t, 3, h.verify().Epoch)
}

// After the loss of everything, what was signed before and is registered again waits too:
// it may have been ended in what is gone.
func TestWhatIsRegisteredAgainWaits(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	raw, err := h.family.Agreement("UWV", nil)
	require.NoError(t, err)
	given := h.byProxy(p, &consent.Mandate{Document: sha("paper"), Scope: []string{h.family.Case.Purpose}, Until: (h.Today() + 60).String()})
	_, err = h.TakeIn(t.Context(), proto.CloneOf(given))
	require.NoError(t, err)
	h.loses("")
	registered, err := h.TakeIn(t.Context(), &ontschotv1.RegisterRequest{Document: raw})
	require.NoError(t, err)
	again, err := h.TakeIn(t.Context(), proto.CloneOf(given))
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(p, "GM0119"))
	require.NoError(t, h.confirm(again.GetId(), p))
	require.Empty(t, h.why(p, "GM0119"))
	require.Equal(t, budgetv1.ReasonAgreementUncertain, h.why(p, "UWV"))
	_, err = h.ConfirmAgreement(h.municipality().call(), &ontschotv1.ConfirmAgreementRequest{Id: registered.GetId(), Asked: true})
	require.NoError(t, err)
	require.NotEqual(t, budgetv1.ReasonAgreementUncertain, h.why(p, "UWV"))
	h.verify()
}

// other is the gateway of another party, as far as it is asked.
type other struct {
	says  error
	asked []*ontschotv1.HoldsRequest
}

func (o *other) Deliver(context.Context, *ontschotv1.DeliverRequest) (*ontschotv1.DeliverResponse, error) {
	return nil, io.ErrUnexpectedEOF
}

func (o *other) Holds(_ context.Context, r *ontschotv1.HoldsRequest) (*ontschotv1.HoldsResponse, error) {
	o.asked = append(o.asked, r)
	return &ontschotv1.HoldsResponse{}, o.says
}

// The other party's gateway is asked about an agreement that waits, and its word decides.
func TestThePeerConfirmsAnAgreement(t *testing.T) {
	uwv := &other{}
	h := newHouse(t, func(c *server.BrokerConfig) {
		c.Peers = func(code string) (documents.Peer, bool) { return uwv, code == "UWV" }
	})
	id := h.agreements["UWV"]
	d, err := h.GetAgreement(h.municipality().call(), &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err)
	h.loses(h.copied())
	asked := true // which no gateway that answers takes for its own word
	confirm := func() error {
		_, err := h.ConfirmAgreement(h.municipality().call(), &ontschotv1.ConfirmAgreementRequest{Id: id, Asked: asked})
		return err
	}
	// What the other says is what this very gateway would say to it.
	says := func(ask *ontschotv1.HoldsRequest, by string) error {
		_, err := h.Holds(caller{leaf: h.family.Parties[by].Server.TLS.Leaf}.call(), ask)
		return refusal.Of(err)
	}
	ask := &ontschotv1.HoldsRequest{Id: id, TermsSha256: d.GetAgreement().GetTermsSha256()}
	uwv.says = says(ask, "UWV")
	require.Equal(t, "UNCERTAIN", reasonOf(uwv.says))
	require.Equal(t, "UNCERTAIN", reasonOf(confirm()), "both ends wait")
	require.NoError(t, h.Reconfirm(t.Context()))
	require.Equal(t, budgetv1.ReasonAgreementUncertain, h.why(h.person("P"), "UWV"))

	uwv.says = says(&ontschotv1.HoldsRequest{Id: id, TermsSha256: sha("other")}, "UWV")
	require.Equal(t, "OTHER_TERMS", reasonOf(confirm()))
	uwv.says = says(ask, "ZK5503")
	require.Equal(t, "NO_AGREEMENT", reasonOf(uwv.says), "what others agreed is nobody else's")
	require.Equal(t, "NO_AGREEMENT", reasonOf(confirm()))
	uwv.says, asked = status.Error(14, "away"), false
	require.Equal(t, "PEER_UNREACHABLE", reasonOf(confirm()))
	require.NoError(t, h.Reconfirm(t.Context()))

	uwv.says, uwv.asked = nil, nil
	require.NoError(t, h.Reconfirm(t.Context()))
	require.Len(t, uwv.asked, 1)
	require.True(t, proto.Equal(ask, uwv.asked[0]))
	require.NotEqual(t, budgetv1.ReasonAgreementUncertain, h.why(h.person("P"), "UWV"))
	require.NoError(t, says(ask, "UWV"), "and this end can confirm it now")
	require.Equal(t, "NOT_WAITING", reasonOf(confirm()))
	require.NoError(t, h.Reconfirm(t.Context()))
	require.Len(t, uwv.asked, 2, "what is certain is not asked about but when somebody wants it confirmed")

	_, err = h.RevokeAgreement(h.municipality().call(), &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "it ends"})
	require.NoError(t, err)
	require.Equal(t, "DOCUMENT_ENDED", reasonOf(says(ask, "UWV")))
	h.verify()
}

// Two case workers erase a person: nothing was ever said, in any case and for any purpose,
// and the others are as before.
func TestAPersonIsErased(t *testing.T) {
	h := newHouse(t, nil)
	p, q := h.person("P"), h.person("Q")
	r := h.person("R")
	registered := h.byProxy(r, &consent.Mandate{Document: sha("paper"), Scope: []string{h.family.Case.Purpose}, Until: (h.Today() + 60).String()})
	_, err := h.TakeIn(t.Context(), proto.CloneOf(registered))
	require.NoError(t, err)
	ps := h.give(p, "", all("GM0119", "ZK5503")...)
	_, err = h.NarrowConsent(h.municipality().call(), h.less(p, ps, "ZK5503", "*"))
	require.NoError(t, err)
	h.give(q, "", all("GM0119")...)
	b, err := h.compose(h.municipality().call(), h.request([]person{p, q}, [2]string{"P", "GM0119"}, [2]string{"Q", "GM0119"}))
	require.NoError(t, err)
	officer := func(more func(*token.Claims)) func(*token.Claims) {
		return func(c *token.Claims) {
			c.Role = "kwaliteitsmedewerker"
			c.Details[0].Purposes = []string{ontschotv1.PurposeEraseConsents}
			if more != nil {
				more(c)
			}
		}
	}
	erase := func(p person, seconds ...func(*token.Claims)) (*ontschotv1.EraseConsentsResponse, error) {
		md := []string{}
		for _, second := range seconds {
			raw, err := h.family.Token(h.now(), second)
			require.NoError(t, err)
			md = append(md, "ontschot-second", raw)
		}
		return h.EraseConsents(h.worker(officer(nil)).call(md...), &ontschotv1.EraseConsentsRequest{Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}})
	}
	colleague := officer(func(c *token.Claims) { c.Subject, c.ID = "a-colleague", newID() })
	_, err = erase(p)
	requireRefused(t, err, "ROL-02", "alone")
	request := func() *ontschotv1.EraseConsentsRequest {
		return &ontschotv1.EraseConsentsRequest{Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}}
	}
	_, err = h.EraseConsents(h.municipality().call(), request())
	require.Equal(t, budgetv1.ReasonPurposeNotAllowed, reasonOf(err), "the token is for something else")
	_, err = h.EraseConsents(h.worker(func(c *token.Claims) { c.Details[0].Purposes = []string{ontschotv1.PurposeEraseConsents} }).call(), request())
	requireRefused(t, err, "ROL-01 ROL-02", "a consulent, alone")
	_, err = erase(h.person("S"), colleague)
	require.Equal(t, "NO_DOCUMENT", reasonOf(err))

	done, err := erase(p, colleague)
	require.NoError(t, err)
	require.EqualValues(t, 2, done.GetConsents())
	_, err = erase(r, colleague)
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "GM0119"))
	require.Empty(t, h.consents(p))
	require.Empty(t, h.why(q, "GM0119"))
	_, err = h.GetConsent(h.municipality().call(), &ontschotv1.GetConsentRequest{Id: ps})
	require.Equal(t, "NO_DOCUMENT", reasonOf(err))
	_, err = h.WithdrawConsent(h.municipality().call(), &ontschotv1.WithdrawConsentRequest{Id: ps})
	require.Equal(t, "NO_DOCUMENT", reasonOf(err))
	for name, do := range tasks() {
		answer, err := do(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, name)
		if name != "Account" && name != "View of Q" {
			require.NotContains(t, named(b, answer), "P", name)
			require.Contains(t, missing(answer), [2]string{"P", "GM0119"}, name)
		}
	}
	h.log.Close()
	require.NoError(t, h.store.Close())
	h.openRecord()
	h.configure()
	h.Broker, err = server.NewBroker(h.config)
	require.NoError(t, err)
	_, err = h.TakeIn(t.Context(), proto.CloneOf(registered))
	require.ErrorIs(t, err, audit.ErrEnded, "what lies in a folder revives no consent")
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "GM0119"))
	require.Empty(t, h.why(q, "GM0119"))
	h.give(p, "", all("GM0119")...)
	require.Empty(t, h.why(p, "GM0119"), "who comes back says yes anew")
	h.verify()
}

// What stands in an earlier record is taken over in its order, ended consents as ended, and
// waits; what was last said stays the last word.
func TestDocumentsOfAnEarlierRecordAreTakenOver(t *testing.T) {
	h := newHouse(t, nil)
	p, q := h.person("P"), h.person("Q")
	older := h.give(p, "", all("GM0119", "UWV")...)
	newer := h.give(p, "", append(all("GM0119"), &ontschotv1.ConsentGrant{Source: "UWV", Categories: []string{"*"}})...)
	h.withdraw(newer)
	qs := h.give(q, "", all("GM0119")...)
	var list []audit.EarlierDocument
	for _, kind := range []audit.DocumentKind{audit.AgreementDocument, audit.ConsentDocument} {
		registered, err := h.log.Documents(t.Context(), h.ids(kind))
		require.NoError(t, err)
		slices.Reverse(registered)
		for _, d := range registered {
			list = append(list, audit.EarlierDocument{
				Stored: audit.Stored{ID: d.ID, Body: d.Body, Openings: d.Openings}, Kind: kind, Subject: []byte(d.Subject), Ended: !d.Live(),
			})
		}
	}
	list = append(list, audit.EarlierDocument{Stored: audit.Stored{ID: "x", Body: []byte("no document")}, Kind: audit.AgreementDocument})
	h.loses("")
	taken, refused, err := h.TakeOver(t.Context(), list)
	require.NoError(t, err)
	require.Equal(t, 7, taken, "four agreements and three consents")
	require.Len(t, refused, 1)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	require.Equal(t, budgetv1.ReasonConsentUncertain, h.why(q, "GM0119"))
	require.NoError(t, h.confirm(qs, q))
	require.Empty(t, h.why(q, "GM0119"))
	require.NoError(t, h.confirm(older, p))
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"), "the last word is still the last")
	h.verify()
}

// A record that cannot be written while documents are taken over is reported as that: none of
// them is said to be refused, and left behind.
func TestTakingOverStopsWhenTheRecordFails(t *testing.T) {
	h := newHouse(t, nil)
	h.give(h.person("P"), "", all("GM0119")...)
	registered, err := h.log.Documents(t.Context(), h.ids(audit.ConsentDocument))
	require.NoError(t, err)
	require.Len(t, registered, 1)
	list := []audit.EarlierDocument{{Stored: audit.Stored{ID: registered[0].ID, Body: registered[0].Body, Openings: registered[0].Openings}, Kind: audit.ConsentDocument, Subject: []byte(registered[0].Subject)}}
	h.loses("")
	h.log.Close()
	taken, refused, err := h.TakeOver(t.Context(), list)
	require.ErrorIs(t, err, audit.ErrUnavailable)
	require.Zero(t, taken)
	require.Empty(t, refused)
}

// A budget of an epoch that was lost, presented after something was taken out of the
// consent it rests on.
func TestABudgetOfBeforeALoss(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	id := h.give(p, "", all("GM0119")...)
	old := h.copied()
	for range 20 {
		require.Empty(t, h.why(p, "GM0119"))
	}
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
	require.NoError(t, err)
	require.True(t, b.GetComplete())
	h.loses(old)
	require.NoError(t, h.confirm(id, p))
	r, err := h.NarrowConsent(h.municipality().call(), h.less(p, id, "GM0119", "amount"))
	require.NoError(t, err)
	d, err := h.log.Document(t.Context(), r.GetReceipt().GetId())
	require.NoError(t, err)
	require.Less(t, d.Entered, b.GetReceipt().GetDecisionIndex(), "an index that was used before the loss too")
	for name, do := range tasks() {
		if name == "Account" || name == "View of Q" {
			continue
		}
		answer, err := do(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, name)
		require.Empty(t, named(b, answer), name)
	}
	h.verify()
}

// counted counts how often a source is asked.
type counted struct {
	gateway.Source
	n atomic.Int64
}

func (c *counted) Fetch(ctx context.Context, r *budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
	c.n.Add(1)
	return c.Source.Fetch(ctx, r)
}

// Two gateways on one record: withdrawn at one, long ago; the other asks the source all
// the same.
func TestNobodyIsAskedAfterAWithdrawalAtAnotherProcess(t *testing.T) {
	var c *counted
	h := newHouse(t, func(g *server.BrokerConfig) {
		c = &counted{Source: g.Sources["UWV"]}
		g.Sources["UWV"] = c
	})
	p := h.person("P")
	id := h.give(p, "", all("UWV")...)
	s, err := sqlite.Open(t.Context(), h.path)
	require.NoError(t, err)
	defer s.Close()
	own := h.family.Requester()
	key, err := audit.ParseKey(own.LogSigner)
	require.NoError(t, err)
	two, err := audit.Open(t.Context(), audit.Config{
		Store: s, Origin: family.LogOrigin(own.OIN), Tenant: own.OIN, Key: key, Today: func() civil.Date { return civil.Date(h.today.Load()) },
	})
	require.NoError(t, err)
	defer two.Close()
	_, err = two.Append(t.Context(), audit.Entry{Kind: audit.Withdrawal, Activity: "consents.keep", Consents: []string{id}, End: id})
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "UWV"))
	require.Zero(t, c.n.Load(), "the source was asked after the withdrawal")
}

// ids of all documents of a kind, the newest first.
func (h *house) ids(kind audit.DocumentKind) (ids []string) {
	for _, d := range h.log.Register().List(kind) {
		ids = append(ids, d.ID)
	}
	return ids
}
