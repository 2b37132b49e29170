package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/internal/certificate"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/identity"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// neighbour is the gateway of another party, in the same development folder.
type neighbour struct {
	h      *house
	code   string
	server *server.Server
}

// neighbour starts the gateway of another party.
func (h *house) neighbour(code string) *neighbour {
	h.t.Helper()
	n := &neighbour{h: h, code: code}
	n.start()
	h.t.Cleanup(func() { n.server.Close() })
	return n
}

func (n *neighbour) start() {
	n.h.t.Helper()
	conf, err := config.ReadGateway(filepath.Join(n.h.dir, "peers", n.code, "gateway.yaml"))
	require.NoError(n.h.t, err)
	n.server, err = server.Start(n.h.t.Context(), conf, n.h.stderr)
	require.NoError(n.h.t, err)
}

// officer is who signs for a party: of the requester when the code is its own.
func (h *house) officer(code string) ontschotv1.AgreementServiceClient {
	h.t.Helper()
	dir := h.dir
	if code != h.family.Case.Requester {
		dir = filepath.Join(h.dir, "peers", code)
	}
	return openClient(h.t, filepath.Join(dir, "client.yaml"), func() (string, error) { return mintToken(dir) }).Agreements
}

// draft is terms between the requester and another, as people write them.
func (h *house) draft(code string, change func(*agreement.Terms)) *ontschotv1.AgreementTerms {
	h.t.Helper()
	raw, err := newDraft(filepath.Join(h.dir, "client.yaml"), "municipality-careoffice", code, map[string]string{
		"from": "2025-01-01", "until": "2025-12-31", "breach_contact": "fg@example.nl", "dpia_sha256": string(slices.Repeat([]byte("a"), 64)),
	})
	require.NoError(h.t, err)
	terms, err := agreement.ReadDraft(raw)
	require.NoError(h.t, err)
	if change != nil {
		change(&terms)
	}
	m, err := ontschotv1.NewAgreementTerms(terms)
	require.NoError(h.t, err)
	return m
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Two organisations agree: each end registers the same document, and says so.
func TestAnAgreementIsTheSameAtBothEnds(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	h.neighbour("ZK5503")
	ctx, us, them := bounded(t), h.officer("GM0119"), h.officer("ZK5503")

	proposed, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	require.True(t, proposed.GetDelivered())
	id, terms := proposed.GetAgreement().GetId(), proposed.GetAgreement().GetTermsSha256()

	accept := func(by ontschotv1.AgreementServiceClient, id, terms string) error {
		_, err := by.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: id, TermsSha256: terms})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"one's own":         {accept(us, id, terms), "OWN_PROPOSAL"},
		"other terms":       {accept(them, id, string(slices.Repeat([]byte("b"), 64))), "OTHER_TERMS"},
		"no such proposal":  {accept(them, "01900000-0000-7000-8000-000000000001", terms), "NO_AGREEMENT"},
		"not in force yet":  {second(us.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "x"})), "NOT_IN_FORCE"},
		"a reason with BSN": {second(us.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: id, Reason: "999940004 wil niet"})), "INVALID_FIELD"},
	} {
		_, why, _ := reason(t, c.err)
		require.Equal(t, c.want, why, name)
	}
	require.NoError(t, accept(them, id, terms))
	require.NoError(t, accept(them, id, terms), "again")
	_, why, _ := reason(t, second(them.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: id, Reason: "te laat"})))
	require.Equal(t, "IN_FORCE", why)

	var documents [][]byte
	for _, by := range []ontschotv1.AgreementServiceClient{us, them} {
		got, err := by.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
		require.NoError(t, err)
		a := got.GetAgreement()
		require.Equal(t, "IN_FORCE", a.GetStatus())
		require.Equal(t, "GM0119", a.GetProposedBy())
		require.NotNil(t, a.LeadTimeMs, "how long it took")
		require.GreaterOrEqual(t, a.GetLeadTimeMs(), int64(0))
		require.Equal(t, terms, a.GetTermsSha256())
		documents = append(documents, a.GetDocument())
	}
	require.Equal(t, documents[0], documents[1], "byte for byte")

	// Revoked at one end: ended at both, with the reason.
	revoked, err := them.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "Wij gaan over op een ander systeem."})
	require.NoError(t, err)
	require.True(t, revoked.GetDelivered())
	got, err := us.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, "REVOKED", got.GetAgreement().GetStatus())
	require.Equal(t, "Wij gaan over op een ander systeem.", got.GetAgreement().GetReason())
	require.NoError(t, second(us.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "wij ook"})), "both at once do no harm")
}

func second[T any](_ T, err error) error { return err }

// Whoever stops half way finds the same agreement when it tries again.
func TestAnAcceptanceThatStoppedHalfWay(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	h.neighbour("ZK5503")
	ctx, us, them := bounded(t), h.officer("GM0119"), h.officer("ZK5503")
	p, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	id := p.GetAgreement().GetId()
	// Their gateway signed and delivered it, and stopped before it wrote that down.
	whole, err := agreement.Accept(p.GetAgreement().GetDocument(), f.Parties["ZK5503"].Sign)
	require.NoError(t, err)
	peer := h.peer("ZK5503")
	answer, err := peer.Deliver(ctx, &ontschotv1.DeliverRequest{Document: whole})
	require.NoError(t, err)
	require.Equal(t, whole, answer.GetDocument())
	got, err := them.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, "PROPOSED", got.GetAgreement().GetStatus())
	accepted, err := them.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: id, TermsSha256: p.GetAgreement().GetTermsSha256()})
	require.NoError(t, err)
	require.Equal(t, whole, accepted.GetAgreement().GetDocument(), "a second signature of the same terms is not a second agreement")
}

// peer delivers documents to the requester's gateway with the certificate of a party.
func (h *house) peer(code string) *server.Peer {
	h.t.Helper()
	dir := filepath.Join(h.dir, "peers", code)
	if code == h.family.Case.Requester {
		dir = h.dir
	}
	own, err := certificate.Open(certificate.Files{
		Certificate: filepath.Join(dir, "client/cert.pem"), Key: filepath.Join(dir, "client/key.pem"), CA: filepath.Join(h.dir, "ca.pem"),
	}, "", certificate.Rules{})
	require.NoError(h.t, err)
	p, err := server.NewPeer(h.server.Addr.String(), own, h.family.Requester().OIN)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { p.Close() })
	return p
}

// What cannot be delivered to the other end is stored, and delivered when it can be.
func TestTheOtherEndIsDown(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	ctx, us := bounded(t), h.officer("GM0119")
	p, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	require.False(t, p.GetDelivered())
	require.Equal(t, "PROPOSED", p.GetAgreement().GetStatus())

	n := h.neighbour("ZK5503")
	require.NoError(t, h.server.Broker.Redeliver(ctx))
	them := h.officer("ZK5503")
	id := p.GetAgreement().GetId()
	_, err = them.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err, "it has arrived")

	// Accepting needs the other end: nothing comes into force at one end only.
	h.server.Close()
	_, err = them.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: id, TermsSha256: p.GetAgreement().GetTermsSha256()})
	code, why, _ := reason(t, err)
	require.Equal(t, codes.Unavailable, code)
	require.Equal(t, "PEER_SILENT", why)
	got, err := them.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, "PROPOSED", got.GetAgreement().GetStatus())

	// A rejection holds at once, and is delivered when there is somebody to deliver it to.
	rejected, err := them.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: id, Reason: "De bewaartermijn is te lang."})
	require.NoError(t, err)
	require.False(t, rejected.GetDelivered())
	conf, err := config.ReadGateway(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	conf.Sources = nil
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	require.NoError(t, n.server.Broker.Redeliver(ctx))
	got, err = h.officer("GM0119").GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
	require.NoError(t, err)
	require.Equal(t, "REJECTED", got.GetAgreement().GetStatus())
	require.Equal(t, "De bewaartermijn is te lang.", got.GetAgreement().GetReason())
}

// An agreement that was signed on paper and is registered as a whole ends the one whose
// place it takes.
func TestAnAgreementRegisteredAsAWhole(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx, us := bounded(t), h.officer("GM0119")
	list, err := us.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	old := list.GetAgreements()[0].GetId()
	raw, err := f.Agreement("ZK5503", func(a *agreement.Terms) { a.Replaces = old })
	require.NoError(t, err)
	_, err = h.client(nil).Register(ctx, &ontschotv1.RegisterRequest{Document: raw})
	require.NoError(t, err)
	got, err := us.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: old})
	require.NoError(t, err)
	require.Equal(t, "SUPERSEDED", got.GetAgreement().GetStatus())
	raw, err = f.Agreement("UWV", func(a *agreement.Terms) { a.Replaces = old })
	require.NoError(t, err)
	_, err = h.client(nil).Register(ctx, &ontschotv1.RegisterRequest{Document: raw})
	_, why, _ := reason(t, err)
	require.Equal(t, "AGREEMENT_INVALID", why, "in the place of one with another party")
}

// Whoever is no party proposes, accepts and ends nothing.
func TestStrangersToAnAgreement(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx := bounded(t)
	p, err := h.officer("GM0119").ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	a := p.GetAgreement()
	whole, err := agreement.Accept(a.GetDocument(), f.Parties["ZK5503"].Sign)
	require.NoError(t, err)
	terms := func(with string, change func(*agreement.Terms), by ...string) []byte {
		var signers = []string{with}
		if by != nil {
			signers = by
		}
		raw, err := f.Agreement(with, change, f.Parties[signers[0]].Sign)
		require.NoError(t, err)
		return raw
	}
	statement := func(by, act string) []byte {
		raw, err := agreement.NewStatement(agreement.Statement{
			ID: "01900000-0000-7000-8000-000000000009", IssuedAt: time.Now().Unix(), Act: act, Agreement: a.GetId(), Terms: a.GetTermsSha256(), Reason: "x",
		}, f.Parties[by].Sign)
		require.NoError(t, err)
		return raw
	}
	for name, c := range map[string]struct {
		by       string
		document []byte
		want     string
	}{
		"an acceptance delivered by another":   {"UWV", whole, "AGREEMENT_INVALID"},
		"a proposal of others":                 {"UWV", terms("ZK5503", nil), "AGREEMENT_INVALID"},
		"a proposal that we are said to make":  {"UWV", terms("UWV", nil, "GM0119"), "NO_AGREEMENT"},
		"a proposal whose days are over":       {"UWV", terms("UWV", func(t *agreement.Terms) { t.From, t.Until = "2024-01-01", "2024-12-31" }), "AGREEMENT_INVALID"},
		"a proposal in place of another's":     {"UWV", terms("UWV", func(t *agreement.Terms) { t.Replaces = a.GetId() }), "AGREEMENT_INVALID"},
		"a proposal in place of nothing":       {"UWV", terms("UWV", func(t *agreement.Terms) { t.Replaces = "01900000-0000-7000-8000-000000000002" }), "NO_AGREEMENT"},
		"an answer that began at another time": {"ZK5503", terms("ZK5503", func(t *agreement.Terms) { t.Replaces, t.ProposedAt = a.GetId(), t.ProposedAt-60 }), "AGREEMENT_INVALID"},
		"a stranger's rejection":               {"UWV", statement("UWV", agreement.Reject), "STATEMENT_INVALID"},
		"a rejection delivered by another":     {"UWV", statement("ZK5503", agreement.Reject), "STATEMENT_INVALID"},
		"ourselves":                            {"GM0119", whole, "UNKNOWN_PEER"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.peer(c.by).Deliver(ctx, &ontschotv1.DeliverRequest{Document: c.document})
			_, why, _ := reason(t, err)
			require.Equal(t, c.want, why)
		})
	}
	got, err := h.officer("GM0119").GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: a.GetId()})
	require.NoError(t, err)
	require.Equal(t, "PROPOSED", got.GetAgreement().GetStatus())
}

// A message and the terms it carries have the same fields by the same names.
func TestTermsGoOverTheWireWhole(t *testing.T) {
	h := &house{t: t, dir: t.TempDir(), family: open(t, "meppel")}
	layout, err := h.family.FreeLayout()
	require.NoError(t, err)
	require.NoError(t, h.family.Write(h.dir, layout))
	m := h.draft("ZK5503", func(t *agreement.Terms) {
		t.Oversight.Auditors, t.Oversight.Witnesses = []identity.OIN{"00000099000000000009"}, 2
	})
	var terms agreement.Terms
	require.NoError(t, m.Into(&terms))
	raw, err := json.Marshal(terms)
	require.NoError(t, err)
	require.NotContains(t, string(raw), `:null`)
	require.Equal(t, terms.Grants[0].RatePerMinute, int(m.GetGrants()[0].GetRatePerMinute()))
	again, err := ontschotv1.NewAgreementTerms(terms)
	require.NoError(t, err)
	require.Equal(t, m.String(), again.String())
	require.Equal(t, []identity.OIN{"00000099000000000009"}, terms.Oversight.Auditors)
}

// Every state of an agreement, a consent and a delegation has a word in both languages.
func TestTextsOfEveryStatus(t *testing.T) {
	nl, en := &page{lang: "nl"}, &page{lang: "en"}
	for _, status := range slices.Concat(ontschotv1.AgreementStatuses(), ontschotv1.ConsentStatuses(), ontschotv1.DelegationStatuses()) {
		require.NotEqual(t, status, nl.statusOf(status))
		require.NotEqual(t, status, en.statusOf(status))
		require.NotEqual(t, nl.statusOf(status), en.statusOf(status), status)
	}
}
