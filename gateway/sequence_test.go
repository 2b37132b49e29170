package gateway_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/civil"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Sequences of two and more steps through the front door: what counted after one of them
// was right, and after the next was not.

// from is a yes that begins so many days from today.
func (h *house) from(days int, p person, replaces string, grants ...*ontschotv1.ConsentGrant) string {
	h.t.Helper()
	r := h.yes(p, replaces, grants...)
	r.Question.From = (h.Today() + civil.Date(days)).String()
	return h.given(r)
}

// given shows the text that belongs to a question that was changed, and takes down the yes.
func (h *house) given(r *ontschotv1.GiveConsentRequest) string {
	h.t.Helper()
	asked, err := h.AskConsent(h.municipality().call(), &ontschotv1.AskConsentRequest{Question: proto.CloneOf(r.GetQuestion())})
	require.NoError(h.t, err)
	r.NoticeSha256 = asked.GetNotice().GetSha256Nl()
	gave, err := h.GiveConsent(h.municipality().call(), r)
	require.NoError(h.t, err)
	return gave.GetReceipt().GetId()
}

// why is the reason for which nothing is released of a pair; empty when something is.
func (h *house) why(p person, source string) string {
	h.t.Helper()
	b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{p.ref, source}))
	require.NoError(h.t, err)
	if len(disclosed(b, [2]string{p.ref, source})) > 0 {
		return ""
	}
	require.NotEmpty(h.t, b.GetGaps())
	return b.GetGaps()[0].GetReason()
}

func TestWhatComesInItsPlaceLaterLeavesOut(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	wide := h.give(p, "", all("GM0119", "ZK5503")...)
	narrow := h.from(3, p, wide, all("GM0119")...)
	require.Empty(t, h.why(p, "ZK5503"))
	require.ElementsMatch(t, []string{wide + " IN_FORCE", narrow + " FUTURE"}, h.consents(p))
	h.today.Add(3)
	require.ElementsMatch(t, []string{wide + " ENDED", narrow + " IN_FORCE"}, h.consents(p))
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "ZK5503"), "its source is left out")
	require.Empty(t, h.why(p, "GM0119"))
	h.withdraw(narrow)
	require.NotEmpty(t, h.why(p, "ZK5503"), "and does not come back")
	h.verify()
}

func TestAnAgreementThatWasReplacedNeverComesBack(t *testing.T) {
	for _, lost := range []bool{false, true} {
		h := newHouse(t, nil)
		p, office := h.person("P"), h.oin("ZK5503")
		h.give(p, "", all("ZK5503")...)
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		next, err := signed.NewSigner(office, "next", "ES256", private)
		require.NoError(t, err)
		pin := func(state bool) {
			pins := h.pins(signed.Signer{})
			pins[office] = append(pins[office], signed.Key{ID: "next", Alg: "ES256", Public: private.Public(), Kinds: family.DocumentKinds(), Lost: state})
			require.NoError(t, h.RecordKeys(t.Context(), pins))
			require.NoError(t, h.keys.Pin(pins))
		}
		pin(false)
		first := h.agreements["ZK5503"]
		raw, err := h.family.Agreement("ZK5503", func(terms *agreement.Terms) {
			terms.Replaces, terms.From = first, (h.Today() + 2).String()
		}, h.family.Requester().Sign, next)
		require.NoError(t, err)
		registered, err := h.TakeIn(t.Context(), &ontschotv1.RegisterRequest{Document: raw})
		require.NoError(t, err)
		require.Empty(t, h.why(p, "ZK5503"))
		h.today.Add(2)
		require.Empty(t, h.why(p, "ZK5503"), "under the one that took its place")
		if lost {
			pin(true)
		} else {
			_, err := h.RevokeAgreement(h.municipality().call(), &ontschotv1.RevokeAgreementRequest{Id: registered.GetId(), Reason: "it ends"})
			require.NoError(t, err)
		}
		require.NotEmpty(t, h.why(p, "ZK5503"), "under none of the two")
		require.Empty(t, h.log.Register().Agreements(h.oin("GM0119"), office, h.Today()))
		h.verify()
	}
}

func TestNarrowingUndoesNoLaterNo(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	wide := h.give(p, "", all("GM0119", "CAK")...)
	h.from(3, p, "", &ontschotv1.ConsentGrant{Source: "GM0119"}, all("SVB")[0]) // no to GM0119 from then on
	_, err := h.NarrowConsent(h.municipality().call(), &ontschotv1.NarrowConsentRequest{
		Id: wide, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}, Without: []*ontschotv1.ConsentGrant{{Source: "CAK"}},
	})
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "CAK"))
	require.Empty(t, h.why(p, "GM0119"), "until then it is yes")
	h.today.Add(3)
	require.Equal(t, budgetv1.ReasonNoConsent, h.why(p, "GM0119"), "the no holds")
	h.verify()
}

// A no that is taken down at any point of a narrowing of something else is never lost.
func TestANoDuringANarrowingIsNotLost(t *testing.T) {
	h := newHouse(t, nil)
	for k := int64(0); ; k++ {
		p := h.person("P")
		wide := h.give(p, "", all("GM0119", "CAK")...)
		no := h.yes(p, wide, &ontschotv1.ConsentGrant{Source: "GM0119"}, all("SVB")[0])
		no.Question.Replaces = ""
		at := h.seams.arm(k, func() { h.given(no) })
		_, err := h.NarrowConsent(h.municipality().call(), &ontschotv1.NarrowConsentRequest{
			Id: wide, Identifiers: &budgetv1.Identifiers{Bsn: p.bsn}, Without: []*ontschotv1.ConsentGrant{{Source: "CAK"}},
		})
		h.seams.disarm()
		require.NoError(t, err)
		if !at.fired.Load() {
			break
		}
		require.NotEmpty(t, h.why(p, "GM0119"), "point %d, %s", k, at.where)
		require.NotEmpty(t, h.why(p, "CAK"), "point %d, %s", k, at.where)
	}
	h.verify()
}

func TestAWithdrawalFollowsEveryBranch(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	was := h.config.PseudonymKeys[0]
	wide := h.give(p, "", all("GM0119", "SVB", "CAK")...)
	later := h.from(3, p, wide, all("GM0119", "SVB", "CAK")...)
	h.rekeyed(bytes.Repeat([]byte{7}, 32), was) // the narrowing is under another pseudonym
	narrowed, err := h.NarrowConsent(h.municipality().call(), h.less(p, wide, "GM0119", "amount"))
	require.NoError(t, err)
	h.withdraw(wide)
	require.ElementsMatch(t, []string{wide + " ENDED", later + " ENDED", narrowed.GetReceipt().GetId() + " ENDED"}, h.consents(p))
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	h.today.Add(3)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	h.verify()
}

// However many consents there are, none falls out of a list.
func TestTheLastOfManyCounts(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	for range 70 {
		h.give(p, "", all("GM0119", "SVB")...)
	}
	last := h.give(p, "", all("GM0119", "SVB")...)
	h.withdraw(last)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	require.Len(t, h.consents(p), 71)
}

// A budget that is presented is judged by what counts on that day: what another took
// the place of by its day alone does not, and the rest does.
func TestABudgetRestsOnWhatCountsNow(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	h.from(2, f.p, f.money, &ontschotv1.ConsentGrant{Source: "ZK5503", Categories: []string{"entitlement"}})
	before := map[string]proto.Message{}
	for name, task := range tasks() {
		before[name], err = task(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, "%s, before", name)
		require.Empty(t, missing(before[name]), name)
	}
	h.today.Add(2)
	for name, task := range tasks() {
		answer, err := task(h, h.municipality().call(), proto.CloneOf(b))
		require.NoError(t, err, name)
		if name == "Account" || name == "View of Q" { // of whom nothing changed
			require.Equal(t, named(b, before[name]), named(b, answer), name)
			continue
		}
		require.Equal(t, map[[2]string]string{{"P", "ZK5503"}: budgetv1.ReasonNoConsent}, missing(answer), name)
		require.Equal(t, slices.DeleteFunc(named(b, before[name]), func(id string) bool { return strings.HasPrefix(id, "P/WLZ/") }), named(b, answer), name)
	}
	h.verify()
}

// Whoever changes the store under a running gateway changes no answer.
func TestTheStoreIsNotBelieved(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	id := h.give(p, "", all("GM0119")...)
	other := h.give(h.person("Q"), "", all("GM0119")...)
	h.withdraw(id)
	stored, err := h.log.Document(t.Context(), other)
	require.NoError(t, err)
	db, err := sql.Open("sqlite", h.path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("UPDATE documents SET body = ? WHERE id = ?", stored.Body, id)
	require.NoError(t, err)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "GM0119"))
	_, err = h.log.Document(t.Context(), id)
	require.ErrorIs(t, err, audit.ErrTampered)
	_, known := h.log.Register().Document(id)
	require.True(t, known)
	require.False(t, slices.ContainsFunc(h.log.Register().List(register.Consent), func(d register.Record) bool { return d.ID == id && d.Live() }))
}

// What is signed is exactly what is enforced: of a document with a byte changed anywhere in
// what is stored, the running gateway goes on by what it has verified, and when it reads the
// document again there is none.
func TestOneByteOfAStoredDocument(t *testing.T) {
	h := newHouse(t, nil)
	db, err := sql.Open("sqlite", h.path)
	require.NoError(t, err)
	defer db.Close()
	p := h.person("P")
	for id, reason := range map[string]string{
		h.give(p, "", all("ZK5503")...): budgetv1.ReasonNoConsent, h.agreements["ZK5503"]: budgetv1.ReasonNoAgreement,
	} {
		for _, column := range []string{"body", "openings"} {
			var was []byte
			require.NoError(t, db.QueryRow("SELECT "+column+" FROM documents WHERE id = ?", id).Scan(&was))
			write := func(value []byte) {
				_, err := db.Exec("UPDATE documents SET "+column+" = ? WHERE id = ?", value, id)
				require.NoError(t, err)
			}
			require.Empty(t, h.why(p, "ZK5503"))
			for at := 0; at < len(was); at += 1 + len(was)/24 {
				changed := slices.Clone(was)
				changed[at] ^= 1
				write(changed)
				require.Empty(t, h.why(p, "ZK5503"), "what is stored changes no answer")
				h.later(time.Minute)
				require.Equal(t, reason, h.why(p, "ZK5503"), "%s, byte %d", column, at)
				write(was)
				require.Empty(t, h.why(p, "ZK5503"))
			}
		}
	}
	h.verify()
}

// What a document says is forgotten with it.
func TestNothingIsKeptOfADocumentThatDoesNotCount(t *testing.T) {
	h := newHouse(t, nil)
	p := h.person("P")
	id := h.give(p, "", all("ZK5503")...)
	require.Empty(t, h.why(p, "ZK5503"))
	h.withdraw(id)
	require.Equal(t, budgetv1.ReasonConsentWithdrawn, h.why(p, "ZK5503"))
	h.give(p, "", all("ZK5503")...)
	require.Empty(t, h.why(p, "ZK5503"))
}
