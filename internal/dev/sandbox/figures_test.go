package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// The rig's requests hold the BSN; the host keeps it from those who may not have it.
func TestEducationAndTransportNeverGetABSN(t *testing.T) {
	r := newRig(t, embedded(t, "woerden"))
	for _, party := range []string{"SWV2602", "VALYS"} {
		q := r.request(party, "B1")
		require.NotEmpty(t, q.GetIdentifiers().GetBsn())
		q.Proofs = &budgetv1.Proofs{SubjectKey: []byte(strings.Repeat("k", 32))}
		a, err := r.fetch(party, q)
		require.NoError(t, err)
		require.NotEmpty(t, a.GetLines())
		require.Len(t, r.box.Asked(party), 1)
		require.False(t, r.box.ReceivedBSN(party), party)
		for _, l := range a.GetLines() {
			text := l.String()
			require.NotContains(t, text, "VAL-1", "the number of a pass is disclosed to nobody")
			require.NotContains(t, text, "199940065")
		}
	}
	for _, party := range []string{"GM0632", "UWV", "CAK"} {
		r.answer(party, "B1")
		require.True(t, r.box.ReceivedBSN(party), "%s: the watch does watch", party)
	}
	require.False(t, r.box.ReceivedBSN("nobody"))
}

func TestWithoutTheNumberOfTheSchemeNobodyIsAsked(t *testing.T) {
	r := newRig(t, embedded(t, "woerden"))
	for _, party := range []string{"SWV2602", "VALYS"} {
		q := r.request(party, "B2") // the mother has neither number
		_, err := r.fetch(party, q)
		require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err), party)
		require.Empty(t, r.box.Asked(party))
	}
	q := r.request("SWV2602", "B1")
	q.Identifiers.EducationNumber = q.GetIdentifiers().GetBsn()
	_, err := r.fetch("SWV2602", q)
	require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err), "a BSN in the wrong place")
	require.False(t, r.box.ReceivedBSN("SWV2602"))
}

func TestSystemWithoutBSNRefusesOne(t *testing.T) {
	b := newBare(t, embedded(t, "woerden"))
	for path, body := range map[string]map[string]string{
		b.box.URL("SWV2602") + "/toekenningen": {"onderwijsnummer": "199940065", "bsn": "999940065"},
		b.box.URL("VALYS") + "/passen":         {"pasnummer": "VAL-1", "bsn": "999940065"},
	} {
		status, _ := b.post(path, "", body)
		require.Equal(t, http.StatusBadRequest, status)
	}
	require.True(t, b.box.ReceivedBSN("SWV2602"))
	require.True(t, b.box.ReceivedBSN("VALYS"))
	require.Empty(t, b.box.Asked("VALYS"))
}

// granted cuts a request to these laws, each with its categories.
func granted(q *budgetv1.FetchRequest, laws map[string][]string) *budgetv1.FetchRequest {
	q.Scopes = nil
	for law, categories := range laws {
		q.Scopes = append(q.Scopes, &budgetv1.Scope{Law: law, Categories: categories})
	}
	return q
}

func TestSpendingIsOfALawThatWasAsked(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	a, err := r.fetch("SVB", granted(r.request("SVB", "A3"), map[string][]string{
		"WMO": {"spending", "product"}, "JW": {"spending", "period"},
	}))
	require.NoError(t, err)
	require.Len(t, a.GetSpends(), 2)
	require.True(t, proto.Equal(&budgetv1.Spend{
		Law: "WMO", Funder: "0119", Function: "02", Cents: proto.Int64(600000), AsOf: "2025-06-30",
	}, a.GetSpends()[0]))

	a, err = r.fetch("SVB", granted(r.request("SVB", "A3"), map[string][]string{
		"WMO": {"product", "period"}, "JW": {"spending", "product"},
	}))
	require.NoError(t, err)
	require.Empty(t, a.GetSpends())
	require.Equal(t, []string{"SKIPPED NOT_GRANTED", "SKIPPED NOT_GRANTED"}, notices(a))

	a, err = r.fetch("SVB", granted(r.request("SVB", "A3"), map[string][]string{"WMO": {"product", "period"}}))
	require.NoError(t, err)
	require.Empty(t, a.GetNotices())
	require.Equal(t, []sandbox.Request{
		{Operation: "/berichten/zoeken", Values: []string{"JW507", "TUSSENSTAND", "WMO507"}},
		{Operation: "/berichten/zoeken", Values: []string{"JW507", "TUSSENSTAND"}},
	}, r.box.Asked("SVB"), "the third time nobody was asked")
}

func TestOwnContributionIsOfALawThatWasAsked(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	a, err := r.fetch("CAK", granted(r.request("CAK", "A3"), map[string][]string{"WLZ": {"own_contribution", "period"}}))
	require.NoError(t, err)
	require.Empty(t, a.GetOwnContributions())
	require.Equal(t, []string{"SKIPPED OTHER_LAW"}, notices(a))
	require.Empty(t, a.GetNotices()[0].GetLaw())

	a, err = r.fetch("CAK", granted(r.request("CAK", "A3"), map[string][]string{"WMO": {"own_contribution"}}))
	require.NoError(t, err)
	require.True(t, proto.Equal(&budgetv1.OwnContribution{Law: "WMO", CentsPerMonth: proto.Int64(2100)}, a.GetOwnContributions()[0]))

	a, err = r.fetch("CAK", granted(r.request("CAK", "A3"), map[string][]string{"WMO": {"period"}}))
	require.NoError(t, err)
	require.Empty(t, a.GetOwnContributions())
	require.Len(t, r.box.Asked("CAK"), 2, "the third time nobody was asked")
}

// One household pays once: the persons of one budget show the same handle, two
// budgets show different ones, and the key itself is never shown.
func TestHouseholdIsTheSameWithinABudgetOnly(t *testing.T) {
	r := newRig(t, embedded(t, "testdata/figures.json"))
	handle := func(person, trace string) string {
		q := granted(r.request("CAK", person), map[string][]string{"WMO": {"own_contribution", "period"}})
		q.Trace = trace
		a, err := r.fetch("CAK", q)
		require.NoError(t, err)
		h := a.GetOwnContributions()[0].GetHousehold()
		require.Len(t, h, 64)
		require.NotContains(t, h, "4711")
		return h
	}
	one, other := strings.Repeat("ab", 16), strings.Repeat("cd", 16)
	require.Equal(t, handle("P1", one), handle("P2", one))
	require.NotEqual(t, handle("P1", one), handle("P1", other))
	require.NotEqual(t, handle("P1", one), handle("P3", one), "another household")
	require.NotEqual(t, handle("P1", ""), handle("P1", ""), "without a trace, salted per answer")
}
