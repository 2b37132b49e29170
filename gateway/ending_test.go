package gateway_test

import (
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// ending is a way in which something that a budget rests on ends.
type ending struct {
	// act ends it and gives its id and the index of the entry. What it needs is made by
	// begin, before the request is made.
	begin func(h *house, f household) (act func() (id string, index int64))
	// gone are the pairs that may disclose nothing after it, with any of these reasons; may
	// are those whose consent becomes another one, so that a request under way loses them.
	gone, may [][2]string
	reasons   []string
	// silent, if it is not nil, says what else may be released of gone pairs after it.
	silent func(b *budgetv1.Budget) bool
	// strict: after it a budget is exactly as if it had ended before the request.
	strict bool
}

func endings() map[string]ending {
	care := [][2]string{{"P", "GM0119"}, {"P", "SVB"}, {"P", "CAK"}}
	wlz := [][2]string{{"P", "ZK5503"}, {"Q", "ZK5503"}}
	withdrawn := []string{budgetv1.ReasonConsentWithdrawn}
	left := []string{budgetv1.ReasonConsentWithdrawn, budgetv1.ReasonNoConsent}
	revoked := []string{budgetv1.ReasonAgreementExpired, budgetv1.ReasonNoAgreement}
	return map[string]ending{
		"a consent withdrawn":                  {begin: withdrawing, gone: care, reasons: withdrawn, strict: true},
		"a consent withdrawn by a statement":   {begin: stating, gone: care, reasons: withdrawn, strict: true},
		"a consent narrowed by a category":     {begin: narrowing("amount"), gone: care[:1], may: care[1:], reasons: left, silent: withoutAmount},
		"a consent narrowed by a source":       {begin: narrowing("*"), gone: care[:1], may: care[1:], reasons: left},
		"a consent replaced by a no":           {begin: replacing(false), gone: care[:1], may: care[1:], reasons: left},
		"a consent renewed":                    {begin: replacing(true), may: care},
		"an agreement revoked here":            {begin: revoking, gone: wlz, reasons: revoked},
		"an agreement revoked by the other":    {begin: revokedByThem, gone: wlz, reasons: revoked},
		"an agreement replaced by one without": {begin: superseding, gone: wlz, reasons: revoked},
	}
}

func withdrawing(h *house, f household) func() (string, int64) {
	return func() (string, int64) { return f.care, h.withdraw(f.care) }
}

func stating(h *house, f household) func() (string, int64) {
	statement, err := h.family.Withdrawal(f.care)
	require.NoError(h.t, err)
	return func() (string, int64) {
		registered, err := h.TakeIn(h.t.Context(), statement)
		require.NoError(h.t, err)
		return f.care, registered.GetIndex()
	}
}

func narrowing(category string) func(h *house, f household) func() (string, int64) {
	return func(h *house, f household) func() (string, int64) {
		return func() (string, int64) {
			_, err := h.NarrowConsent(h.municipality().call(), h.less(f.p, f.care, "GM0119", category))
			require.NoError(h.t, err)
			return f.care, h.ended(f.care)
		}
	}
}

// less takes a category of a source out of a consent.
func (h *house) less(p person, id, source, category string) *ontschotv1.NarrowConsentRequest {
	return &ontschotv1.NarrowConsentRequest{
		Id: id, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn},
		Without: []*ontschotv1.ConsentGrant{{Source: source, Categories: []string{category}}},
	}
}

func withoutAmount(b *budgetv1.Budget) bool {
	return !slices.ContainsFunc(b.GetLines(), func(l *budgetv1.BudgetLine) bool {
		return l.GetPerson() == "P" && l.GetFunder() == "GM0119" && (l.Amount != nil || l.ValueCents != nil)
	})
}

func replacing(same bool) func(h *house, f household) func() (string, int64) {
	return func(h *house, f household) func() (string, int64) {
		grants := all("GM0119", "SVB", "CAK")
		if !same {
			grants[0].Categories = nil
		}
		yes := h.yes(f.p, f.care, grants...)
		return func() (string, int64) {
			_, err := h.GiveConsent(h.municipality().call(), yes)
			require.NoError(h.t, err)
			return f.care, h.ended(f.care)
		}
	}
}

// inForce is the agreement with a source that counts; where none does, another one that
// takes the place of the last.
func (h *house) inForce(code string) string {
	h.t.Helper()
	last := h.agreements[code]
	d, err := h.log.Document(h.t.Context(), last)
	require.NoError(h.t, err)
	switch {
	case d.Live() && !d.Replaced(h.Today()):
		return last
	case d.Live():
		last = d.Successor
		return h.agree(code, func(t *agreement.Terms) { t.Replaces = last })
	}
	return h.agree(code, nil)
}

func revoking(h *house, _ household) func() (string, int64) {
	id := h.inForce("ZK5503")
	return func() (string, int64) {
		_, err := h.RevokeAgreement(h.municipality().call(), &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "it ends"})
		require.NoError(h.t, err)
		return id, h.ended(id)
	}
}

func revokedByThem(h *house, _ household) func() (string, int64) {
	id := h.inForce("ZK5503")
	d, err := h.log.Document(h.t.Context(), id)
	require.NoError(h.t, err)
	a, err := agreement.Verify(h.keys, d.Body)
	require.NoError(h.t, err)
	raw, err := agreement.NewStatement(agreement.Statement{
		ID: newID(), IssuedAt: h.family.Now.Unix(), Act: agreement.Revoke, Agreement: id, Terms: a.Terms().Digest(), Reason: "it ends",
	}, h.family.Parties["ZK5503"].Sign)
	require.NoError(h.t, err)
	theirs := caller{leaf: h.family.Parties["ZK5503"].Server.TLS.Leaf}
	return func() (string, int64) {
		_, err := h.Deliver(theirs.call(), &ontschotv1.DeliverRequest{Document: raw})
		require.NoError(h.t, err)
		return id, h.ended(id)
	}
}

// superseding puts terms in the place of others that allow nothing for this purpose.
func superseding(h *house, _ household) func() (string, int64) {
	id := h.inForce("ZK5503")
	raw, err := h.family.Agreement("ZK5503", func(t *agreement.Terms) { t.Grants[0].Purposes, t.Replaces = []string{"other.purpose"}, id })
	require.NoError(h.t, err)
	a, err := agreement.Verify(h.keys, raw)
	require.NoError(h.t, err)
	e := audit.Entry{
		Kind: audit.Agreement, Organisations: a.Parties(), Agreements: []string{a.Digest()},
		Put: &audit.Document{Body: raw, Document: register.Document{
			ID: a.ID(), Kind: register.Agreement, Keys: a.Keys(), From: a.Span().From, Until: a.Span().To, Replaces: id, PartyA: a.Parties()[0], PartyB: a.Parties()[1],
		}},
	}
	return func() (string, int64) {
		proof, err := h.log.Append(h.t.Context(), e)
		require.NoError(h.t, err)
		return id, proof.Index
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
