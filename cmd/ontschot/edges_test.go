package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/client"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Saying less says nothing again that was refused or withdrawn since.
func TestNarrowingRevivesNothing(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	cl := h.consents(nil)
	at := func(source string) string {
		t.Helper()
		b, err := h.put(onePair(f.Case, "A3", source))
		if err != nil {
			_, why, _ := reason(t, err)
			return why
		}
		return gapOf(b, "A3", source)
	}
	narrow := func(id, without string) *ontschotv1.ConsentReceipt {
		t.Helper()
		n, err := cl.NarrowConsent(bounded(t), &ontschotv1.NarrowConsentRequest{Id: id, Without: grants([]string{without}), Identifiers: identifiersOf(f.Case, "A3")})
		require.NoError(t, err)
		return n.GetReceipt()
	}
	wide, err := h.give(cl, h.questionFor("A3", "UWV", "GM0119", "SVB"), "self")
	require.NoError(t, err)
	// A yes of its own to one of the sources, and that yes withdrawn: the last word is no.
	svb, err := h.give(cl, h.questionFor("A3", "SVB"), "self")
	require.NoError(t, err)
	_, err = cl.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: svb.GetId()})
	require.NoError(t, err)
	require.Equal(t, "CONSENT_WITHDRAWN", at("SVB"))
	less := narrow(wide.GetId(), "UWV")
	require.Equal(t, "CONSENT_WITHDRAWN", at("SVB"), "still no")
	require.Equal(t, "NO_ADAPTER", at("GM0119"))

	// A fresh consent that says less must say which one it replaces.
	_, err = h.give(cl, h.questionFor("A3", "GM0119=entitlement"), "self")
	_, why, metadata := reason(t, err)
	require.Equal(t, "INVALID_FIELD question.replaces", why+" "+metadata["field"])

	short := h.questionFor("A3", "GM0119")
	short.Until = f.Case.Today.String()
	_, err = h.give(cl, short, "self")
	_, why, _ = reason(t, err)
	require.Equal(t, "INVALID_FIELD", why, "for a shorter time")

	// Whoever withdraws the first receipt withdraws what has taken its place.
	_, err = cl.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: wide.GetId()})
	require.NoError(t, err)
	got, err := cl.GetConsent(bounded(t), &ontschotv1.GetConsentRequest{Id: less.GetId()})
	require.NoError(t, err)
	require.Equal(t, "ENDED", got.GetReceipt().GetStatus())
	require.Equal(t, "CONSENT_WITHDRAWN", at("GM0119"))
}

// Another case's consent decides nothing here, ends nothing here and is not disclosed here.
func TestTwoCasesOfOnePerson(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	here, there := h.consents(nil), h.consents(func(c *token.Claims) { c.Case = strings.Repeat("c", 43) })
	ours, err := h.give(here, h.questionFor("A3", "UWV"), "self")
	require.NoError(t, err)
	theirs, err := h.give(there, h.questionFor("A3", "UWV"), "self")
	require.NoError(t, err)
	_, err = there.WithdrawConsent(bounded(t), &ontschotv1.WithdrawConsentRequest{Id: theirs.GetId()})
	require.NoError(t, err)
	b, err := h.put(onePair(f.Case, "A3", "UWV"))
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A3", "UWV"), "the other case's withdrawal is that case's own")
	q := h.questionFor("A3", "UWV")
	q.Replaces = ours.GetId()
	_, err = h.give(there, q, "self")
	_, why, _ := reason(t, err)
	require.Equal(t, "INVALID_FIELD", why, "in the place of a consent of another case")
	got, err := here.GetConsent(bounded(t), &ontschotv1.GetConsentRequest{Id: ours.GetId()})
	require.NoError(t, err)
	require.Equal(t, "IN_FORCE", got.GetReceipt().GetStatus())
}

// What takes the place of another from a later day lets that one count until then.
func TestWhatBeginsLaterEndsNothingYet(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	h.neighbour("ZK5503")
	ctx, us, them := bounded(t), h.officer("GM0119"), h.officer("ZK5503")
	list, err := us.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	old := list.GetAgreements()[0].GetId()
	p, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Replaces: old, Terms: h.draft("ZK5503", func(a *agreement.Terms) { a.From, a.Until = "2025-07-31", "2025-12-31" })})
	require.NoError(t, err)
	_, err = them.AcceptAgreement(ctx, &ontschotv1.AcceptAgreementRequest{Id: p.GetAgreement().GetId(), TermsSha256: p.GetAgreement().GetTermsSha256()})
	require.NoError(t, err)
	status := func(id string) string {
		t.Helper()
		got, err := us.GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: id})
		require.NoError(t, err)
		return got.GetAgreement().GetStatus()
	}
	require.Equal(t, "ACCEPTED", status(p.GetAgreement().GetId()))
	require.Equal(t, "IN_FORCE", status(old))
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A4", "ZK5503"), "agreed, today")
	cl := h.consents(nil)
	mine, err := cl.ListConsents(ctx, &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A3"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	q := h.questionFor("A3", "GM0119", "SVB", "CAK")
	q.Replaces, q.From = mine.GetReceipts()[0].GetId(), "2025-08-01"
	later, err := h.give(cl, q, "self")
	require.NoError(t, err)
	require.Equal(t, "FUTURE", later.GetStatus())
	b, err = h.ask()
	require.NoError(t, err)
	require.Equal(t, "NO_ADAPTER", gapOf(b, "A3", "GM0119"), "what was said before counts until then")

	// On its first day the new one has taken the place of the old.
	edited := filepath.Join(h.dir, "gateway.yaml")
	raw, err := os.ReadFile(edited)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(edited, []byte(strings.Replace(string(raw), `today: "2025-06-30"`, `today: "2025-07-31"`, 1)), 0o600))
	h.server.Close()
	conf, err := config.ReadGateway(edited)
	require.NoError(t, err)
	conf.Sources = nil
	h.server, err = server.Start(t.Context(), conf, h.stderr)
	require.NoError(t, err)
	us = h.officer("GM0119")
	require.Equal(t, "IN_FORCE", status(p.GetAgreement().GetId()))
	require.Equal(t, "SUPERSEDED", status(old))
}

// A refusal of one document does not keep the others from being delivered.
func TestOneRefusalStopsNoRevocation(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx, us := bounded(t), h.officer("GM0119")
	p, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	_, err = us.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: p.GetAgreement().GetId(), Reason: "toch niet"})
	require.NoError(t, err)
	list, err := us.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	var inForce string
	for _, a := range list.GetAgreements() {
		if a.GetStatus() == "IN_FORCE" {
			inForce = a.GetId()
		}
	}
	first, err := us.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: inForce, Reason: "eerste reden"})
	require.NoError(t, err)
	require.Equal(t, "PEER_UNREACHABLE", first.GetNotDelivered())
	h.neighbour("ZK5503")
	require.NoError(t, h.server.Broker.Redeliver(ctx))
	_, err = us.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: inForce, Reason: "tweede reden"})
	require.NoError(t, err)
	got, err := h.officer("ZK5503").GetAgreement(ctx, &ontschotv1.GetAgreementRequest{Id: inForce})
	require.NoError(t, err)
	require.Equal(t, "REVOKED eerste reden", got.GetAgreement().GetStatus()+" "+got.GetAgreement().GetReason(), "it was revoked once")
}

// What was rejected comes into force by no other door, and what was superseded neither.
func TestARejectedProposalByAnotherDoor(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx, us := bounded(t), h.officer("GM0119")
	p, err := us.ProposeAgreement(ctx, &ontschotv1.ProposeAgreementRequest{Terms: h.draft("ZK5503", nil)})
	require.NoError(t, err)
	whole, err := agreement.Accept(p.GetAgreement().GetDocument(), f.Parties["ZK5503"].Sign)
	require.NoError(t, err)
	_, err = us.RejectAgreement(ctx, &ontschotv1.RejectAgreementRequest{Id: p.GetAgreement().GetId(), Reason: "toch niet"})
	require.NoError(t, err)
	_, err = h.client(nil).Register(ctx, &ontschotv1.RegisterRequest{Document: whole})
	_, why, _ := reason(t, err)
	require.Equal(t, "DOCUMENT_ENDED", why)

	const old = "01900000-0000-7000-8000-0000000000aa"
	next, err := f.Agreement("SVB", func(a *agreement.Terms) { a.Replaces = old })
	require.NoError(t, err)
	_, err = h.client(nil).Register(ctx, &ontschotv1.RegisterRequest{Document: next})
	require.NoError(t, err)
	before, err := f.Agreement("SVB", func(a *agreement.Terms) { a.ID = old })
	require.NoError(t, err)
	_, err = h.client(nil).Register(ctx, &ontschotv1.RegisterRequest{Document: before})
	_, why, _ = reason(t, err)
	require.Equal(t, "DOCUMENT_ENDED", why, "in whose place another came first")
}

// What a token is for binds consents and agreements as it binds requests; who acts for
// another passes nothing on.
func TestATokenBindsActsToo(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true, documents: withoutConsents(t, f)})
	narrow := func(change func(*token.Claims)) *client.Client {
		return h.client(func() (string, error) { return f.Token(time.Now(), change) })
	}
	uwv := narrow(func(c *token.Claims) { c.Details[0].Sources = []string{string(f.Parties["UWV"].OIN)} })
	_, err := h.give(uwv.Consents, h.questionFor("A3", "ZK5503"), "self")
	_, why, _ := reason(t, err)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
	_, err = h.give(uwv.Consents, h.questionFor("A3", "UWV"), "self")
	require.NoError(t, err)
	list, err := uwv.Agreements.ListAgreements(bounded(t), &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	_, err = uwv.Agreements.RevokeAgreement(bounded(t), &ontschotv1.RevokeAgreementRequest{Id: list.GetAgreements()[0].GetId(), Reason: "x"})
	_, why, _ = reason(t, err)
	require.Equal(t, "PURPOSE_NOT_ALLOWED", why)
	low := narrow(func(c *token.Claims) { c.Assurance = "laag" })
	_, err = low.Agreements.RevokeAgreement(bounded(t), &ontschotv1.RevokeAgreementRequest{Id: list.GetAgreements()[0].GetId(), Reason: "x"})
	_, why, _ = reason(t, err)
	require.Equal(t, "POLICY_DENIED", why)

	v := h.vendor()
	id := v.delegate("agreements.sign", f.Case.Purpose)
	_, err = v.client(nil).Agreements.Delegate(bounded(t), &ontschotv1.DelegateRequest{To: string(v.oin), Purposes: []string{"documents.register"}, From: "2025-06-30", Until: "2025-12-31"})
	_, why, _ = reason(t, err)
	require.Equal(t, "DELEGATE_MAY_NOT", why)
	_, err = v.client(nil).Agreements.EndDelegation(bounded(t), &ontschotv1.EndDelegationRequest{Id: id})
	_, why, _ = reason(t, err)
	require.Equal(t, "DELEGATE_MAY_NOT", why)
	all, err := h.client(nil).Agreements.ListDelegations(bounded(t), &ontschotv1.ListDelegationsRequest{})
	require.NoError(t, err)
	require.Len(t, all.GetDelegations(), 1)
	require.Equal(t, "IN_FORCE", all.GetDelegations()[0].GetStatus())
	require.Equal(t, string(v.oin), all.GetDelegations()[0].GetTo())
}

// A slip in a file takes over nothing of it, and what is right again is taken over.
func TestAReloadIsAllOrNothing(t *testing.T) {
	h := play(t, open(t, "meppel"), options{without: true})
	own := h.family.Requester()
	_, private, public, err := family.NewSigningKey(own.OIN, "sign-2")
	require.NoError(t, err)
	h.replace("trust/sign-2.pem", public)
	h.replace("gateway/sign-2.pem", private)
	good, err := os.ReadFile(filepath.Join(h.dir, "trust.yaml"))
	require.NoError(t, err)
	conf, err := os.ReadFile(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	h.replace("trust.yaml", []byte(strings.Replace(string(good), "alg: ES256", "alg: PS256", 1)))
	h.replace("gateway.yaml", []byte(strings.Replace(string(conf), "file: gateway/sign.pem\n", "file: gateway/sign.pem\n        - id: sign-2\n          file: gateway/sign-2.pem\n", 1)))
	require.Eventually(t, func() bool {
		_, err := h.server.ReloadKeys(context.Background())
		return err != nil || strings.Contains(h.stderr.String(), "not taken over")
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, "sign-1", h.server.Ring.Signer().KeyID, "nothing of it")
	require.Zero(t, h.server.Keys.Generation())
	h.replace("trust.yaml", []byte(strings.Replace(string(good), "file: trust/GM0119-sign.pem\n", "file: trust/GM0119-sign.pem\n        - {id: sign-2, alg: ES256, kinds: [ontschot-result+jwt], file: trust/sign-2.pem}\n", 1)))
	require.Eventually(t, func() bool {
		_, err := h.server.ReloadKeys(context.Background())
		require.NoError(t, err)
		return h.server.Ring.Signer().KeyID == "sign-2"
	}, 20*time.Second, 10*time.Millisecond)
	_, err = h.ask()
	require.NoError(t, err)
}

// A key that was lost and taken out keeps nobody from seeing and ending what it signed.
func TestWhatALostKeySignedCanBeEnded(t *testing.T) {
	f := open(t, "meppel")
	h := play(t, f, options{without: true})
	ctx, us, cl := bounded(t), h.officer("GM0119"), h.consents(nil)
	mine, err := cl.ListConsents(ctx, &ontschotv1.ListConsentsRequest{Identifiers: identifiersOf(f.Case, "A3"), Purpose: f.Case.Purpose})
	require.NoError(t, err)
	_, private, public, err := family.NewSigningKey(f.Requester().OIN, "sign-2")
	require.NoError(t, err)
	h.replace("trust/sign-2.pem", public)
	h.replace("gateway/sign.pem", private)
	raw, err := os.ReadFile(filepath.Join(h.dir, "gateway.yaml"))
	require.NoError(t, err)
	h.replace("gateway.yaml", []byte(strings.Replace(string(raw), "id: sign-1", "id: sign-2", 1)))
	h.trust(func(p *config.Organisation) {
		next := p.Keys[0]
		next.ID, next.File = "sign-2", "trust/sign-2.pem"
		p.Keys[0].Lost = true
		p.Keys = append(p.Keys, next)
	})
	b, err := h.ask()
	require.NoError(t, err)
	require.Equal(t, "NO_AGREEMENT", gapOf(b, "A4", "ZK5503"), "nothing that it signed counts")
	require.Equal(t, "NO_CONSENT", gapOf(b, "A3", "GM0119"))
	require.Empty(t, b.GetLines())
	list, err := us.ListAgreements(ctx, &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	require.Equal(t, "UNVERIFIABLE", list.GetAgreements()[0].GetStatus())
	revoked, err := us.RevokeAgreement(ctx, &ontschotv1.RevokeAgreementRequest{Id: list.GetAgreements()[0].GetId(), Reason: "sleutel kwijt"})
	require.NoError(t, err)
	require.Equal(t, "REVOKED", revoked.GetAgreement().GetStatus())
	_, err = cl.WithdrawConsent(ctx, &ontschotv1.WithdrawConsentRequest{Id: mine.GetReceipts()[0].GetId()})
	require.NoError(t, err)
}
