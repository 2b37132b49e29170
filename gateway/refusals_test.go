package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/token"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// A yes that grants nothing of what a source supplies, by consent, token or agreement, is
// a gap of that pair. The others are released.
func TestWhatGrantsNothingOfASourceIsAGapOfThatPair(t *testing.T) {
	few := []string{"entitlement", "amount"}
	grants := func(source string, categories ...string) *ontschotv1.ConsentGrant {
		return &ontschotv1.ConsentGrant{Source: source, Categories: categories}
	}
	for name, c := range map[string]struct {
		grants []*ontschotv1.ConsentGrant
		detail []string
		terms  []string
		reason string
		way    string
	}{
		"consent":           {grants: append(all("GM0119"), grants("SVB", few...)), reason: budgetv1.ReasonNoConsent, way: "CONSENT_ASK:SVB"},
		"consent to nought": {grants: append(all("GM0119"), grants("SVB")), reason: budgetv1.ReasonNoConsent, way: "CONSENT_ASK:SVB"},
		"token":             {grants: all("GM0119", "SVB"), detail: few, reason: budgetv1.ReasonPurposeNotAllowed, way: "TOKEN"},
		"agreement":         {grants: all("GM0119", "SVB"), terms: few, reason: budgetv1.ReasonPolicyDenied, way: "AGREEMENT_EXTEND:SVB"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			p := h.person("P")
			h.give(p, "", c.grants...)
			if c.terms != nil {
				h.agree("SVB", func(a *agreement.Terms) { a.Grants[0].Categories, a.Replaces = c.terms, h.agreements["SVB"] })
			}
			asks := h.municipality()
			if c.detail != nil {
				raw, err := h.family.Token(h.now(), func(k *token.Claims) { k.Details[0].Categories = c.detail })
				require.NoError(t, err)
				asks.token = raw
			}
			b, err := h.compose(asks.call(), h.request([]person{p}, [2]string{"P", "GM0119"}, [2]string{"P", "SVB"}))
			require.NoError(t, err)
			require.NotEmpty(t, b.GetLines(), "the others go on")
			require.Contains(t, gapOf(b, [2]string{"P", "SVB"}), c.reason)
			for _, gap := range b.GetGaps() {
				require.NotEmpty(t, gap.GetTextNl())
				require.NotEmpty(t, gap.GetTextEn())
				require.Equal(t, c.way, budgetv1.WrittenWay(gap.GetWay()))
			}
			h.verify()
		})
	}
}

// The key under a proposal is lost. Others can still be proposed, delivered and listed.
func TestALostKeyDoesNotStopNegotiating(t *testing.T) {
	h := newHouse(t, nil)
	theirs := caller{leaf: h.family.Parties["ZK5503"].Client.TLS.Leaf}
	propose := func() error {
		raw, err := h.family.Agreement("ZK5503", nil, h.family.Parties["ZK5503"].Sign)
		require.NoError(t, err)
		_, err = h.Deliver(theirs.call(), &ontschotv1.DeliverRequest{Document: raw})
		return err
	}
	require.NoError(t, propose())
	lost, old := h.family.Parties["ZK5503"], h.family.Parties["ZK5503"].Sign
	require.NoError(t, h.keys.Pin(h.pins(old)))
	require.NotPanics(t, func() { require.Equal(t, "AGREEMENT_INVALID", reasonOf(propose())) })

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	fresh, err := signed.NewSigner(old.Issuer, "new", old.Alg, key)
	require.NoError(t, err)
	pins := h.pins(signed.Signer{})
	for i, k := range pins[lost.OIN] {
		pins[lost.OIN][i].Lost = k.ID == old.KeyID
	}
	lost.Sign = fresh
	h.family.Parties["ZK5503"] = lost
	pins[lost.OIN] = append(pins[lost.OIN], signed.Key{ID: "new", Alg: fresh.Alg, Public: fresh.Key.Public(), Kinds: []signed.Kind{signed.Agreement}})
	require.NoError(t, h.RecordKeys(t.Context(), pins))
	require.NoError(t, h.keys.Pin(pins))
	require.NotPanics(t, func() { require.NoError(t, propose()) })
	require.NotPanics(t, func() { require.NoError(t, h.Redeliver(t.Context())) })
	list, err := h.ListAgreements(h.municipality().call(), &ontschotv1.ListAgreementsRequest{With: "ZK5503"})
	require.NoError(t, err)
	status := map[string]int{}
	for _, a := range list.GetAgreements() {
		status[a.GetStatus()]++
	}
	require.Equal(t, 1, status["PROPOSED"], "%v", status)
	require.Positive(t, status["UNVERIFIABLE"])
}
