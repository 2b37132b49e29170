package sandbox_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/dev/sandbox"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// every is one pair for each kind of party.
func every() map[string]string {
	return map[string]string{"GM0384": "C1", "ZK5515": "C3", "UZOVI9991": "C4", "CAK": "C1"}
}

func TestFaultsOfASystemHaveTheirReason(t *testing.T) {
	r := newRig(t, embedded(t, "diemen-zwolle"))
	woerden, meppel := newRig(t, embedded(t, "woerden")), newRig(t, embedded(t, "meppel"))
	for party, person := range every() {
		faults(t, r, party, person)
	}
	for _, party := range []string{"UWV", "SWV2602", "VALYS"} {
		faults(t, woerden, party, "B1")
	}
	faults(t, meppel, "SVB", "A3")
}

func faults(t *testing.T, r *rig, party, person string) {
	want := r.answer(party, person)
	for reason, fault := range map[string]sandbox.Fault{
		adapters.ReasonSourceUnavailable: sandbox.Down(),
		adapters.ReasonBadData:           sandbox.Garbage(),
		adapters.ReasonNotAuthorised:     sandbox.Deny(),
	} {
		r.box.SetFault(party, fault)
		_, err := r.fetch(party, r.request(party, person))
		require.Equal(t, reason, adapters.Reason(err), party)
	}
	r.box.SetFault(party, sandbox.Slow(time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := r.processes[party].Fetch(ctx, r.request(party, person))
	require.Equal(t, codes.DeadlineExceeded, status.Code(err), party)
	require.Equal(t, adapters.ReasonSourceTimeout, adapters.Reason(err), party)
	r.box.SetFault(party, sandbox.None())
	require.Equal(t, stories(want), stories(r.answer(party, person)), "%s is well again", party)
}

func TestAdapterThatIsKilledComesBack(t *testing.T) {
	r := newRig(t, embedded(t, "diemen-zwolle"))
	for party, person := range every() {
		before := r.processes[party].PID()
		require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
		_, err := r.fetch(party, r.request(party, person))
		if err != nil { // it was asked before its end was seen
			require.Equal(t, adapters.ReasonSourceUnavailable, adapters.Reason(err))
		}
		require.NotEmpty(t, stories(r.answer(party, person)))
		require.NotEqual(t, before, r.processes[party].PID())
	}
}

func TestNothingPersonalIsInTheLog(t *testing.T) {
	c := embedded(t, "diemen-zwolle")
	r := newRig(t, c)
	for party, person := range every() {
		r.answer(party, person)
		r.box.SetFault(party, sandbox.Garbage())
		_, err := r.fetch(party, r.request(party, person))
		require.Error(t, err)
		for _, m := range c.Household {
			require.NotContains(t, err.Error(), m.BSN)
		}
	}
	for _, m := range c.Household {
		require.NotContains(t, r.log.String(), m.BSN)
		require.NotContains(t, r.log.String(), m.Name)
	}
	require.Contains(t, r.log.String(), "sandbox: GM0384 /aanvragen 200")
}

func scopes(laws ...string) (list []*budgetv1.Scope) {
	for _, law := range laws {
		list = append(list, &budgetv1.Scope{Law: law, Categories: everything()})
	}
	return list
}

func TestOnlyWhatMayBeAskedIsAsked(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	narrow := func(party, person string, s ...*budgetv1.Scope) *budgetv1.FetchResponse {
		q := r.request(party, person)
		q.Scopes = s
		a, err := r.fetch(party, q)
		require.NoError(t, err)
		return a
	}
	narrow("GM0119", "A3", scopes("LLV")...)
	require.Equal(t, []sandbox.Request{{Operation: "/aanvragen", Values: []string{"LLV"}}}, r.box.Asked("GM0119"))

	narrow("GM0119", "A3", scopes("WMO")...)
	require.ElementsMatch(t, []sandbox.Request{
		{Operation: "/aanvragen", Values: []string{"WMO"}},
		{Operation: "/berichten/zoeken", Values: []string{"WMO301", "WMO501"}},
	}, r.box.Asked("GM0119")[1:])

	require.Empty(t, narrow("UWV", "A1", scopes("ZW", "WAJONG")...).GetLines(), "what UWV knows beside it does not leave the adapter")
	require.Equal(t, []sandbox.Request{{Operation: "UWVPersoonsWvInfo"}}, r.box.Asked("UWV"))

	mediation := []string{
		"bemiddeling", "bemiddeling.client", "bemiddeling.client.bsn", "bemiddeling.verantwoordelijkZorgkantoor",
		"bemiddeling.verantwoordelijkheidEinddatum", "bemiddeling.verantwoordelijkheidIngangsdatum", "bemiddelingspecificatieID",
		"leveringsvorm", "redenIntrekking", "toewijzingEinddatum", "toewijzingIngangsdatum", "vaststellingMoment",
	}
	indication := []string{"bsn", "einddatum", "ingangsdatum", "wlzindicatieID"}
	asked := func() []sandbox.Request {
		all := r.box.Asked("ZK5503")
		return all[len(all)-3:] // in any order: they are asked at once
	}
	archive := sandbox.Request{Operation: "/berichten/zoeken", Values: []string{"WLZ501"}}
	a := narrow("ZK5503", "A4", &budgetv1.Scope{Law: "WLZ", Categories: []string{"entitlement", "amount", "period"}})
	require.ElementsMatch(t, []sandbox.Request{
		{Operation: "Bemiddelingspecificaties", Trace: true, Fields: mediation}, {Operation: "WlzIndicaties", Trace: true, Fields: indication}, archive,
	}, asked())
	require.Nil(t, a.GetLines()[0].GetProduct())
	require.Nil(t, a.GetLines()[0].GetDecision())

	// A care profile is asked for where it may leave whole, and nowhere else.
	q := scopes("WLZ")
	q[0].Masks = map[string]string{"product": "group"}
	a = narrow("ZK5503", "A4", q...)
	require.ElementsMatch(t, []sandbox.Request{
		{Operation: "Bemiddelingspecificaties", Trace: true, Fields: mediation},
		{Operation: "WlzIndicaties", Trace: true, Fields: sorted(append([]string{"afgiftedatum", "besluitnummer"}, indication...))}, archive,
	}, asked())
	require.Equal(t, "99", a.GetLines()[0].GetProduct().GetCode())
	a = narrow("ZK5503", "A4", scopes("WLZ")...)
	require.Contains(t, asked(), sandbox.Request{Operation: "Bemiddelingspecificaties", Trace: true, Fields: sorted(append([]string{"zzpCode"}, mediation...))})
	require.Equal(t, "830", a.GetLines()[0].GetProduct().GetCode())
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestScopeWithoutEntitlementAsksAndTellsNothing(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	for party, person := range map[string]string{"GM0119": "A3", "ZK5503": "A4", "UWV": "A1"} {
		q := r.request(party, person)
		for _, s := range q.GetScopes() {
			s.Categories = []string{"amount", "income", "product", "period"}
		}
		a, err := r.fetch(party, q)
		require.NoError(t, err)
		require.Empty(t, a.GetLines())
		require.Empty(t, a.GetNotices())
		require.Empty(t, r.box.Asked(party))
	}
}

func TestLawThatTheAdapterDoesNotHaveIsRefused(t *testing.T) {
	r := newRig(t, embedded(t, "meppel"))
	q := r.request("GM0119", "A3")
	q.Scopes = scopes("WIA")
	_, err := r.fetch("GM0119", q)
	require.Equal(t, adapters.ReasonScopeUnsupported, adapters.Reason(err))
	require.Empty(t, r.box.Asked("GM0119"))
}
