package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/gateway/agreement"
	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/documents"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/dev/family"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// way is a way in which what a budget rests on stops to count.
type way struct {
	// begin makes a household and what is needed, before the budget is asked for, and
	// gives what ends it.
	begin func(h *house) (household, func())
	// left are the pairs of which nothing may be released after it, with the reason.
	left map[[2]string]string
	// anew: another document says yes, so that a new request releases something, and the
	// text says that it can be made.
	anew bool
}

func reasonFor(reason string, pairs ...[2]string) map[[2]string]string {
	out := map[[2]string]string{}
	for _, p := range pairs {
		out[p] = reason
	}
	return out
}

// usual is a way that begins with the usual household.
func usual(begin func(h *house, f household) func() (string, int64)) func(h *house) (household, func()) {
	return func(h *house) (household, func()) {
		f := h.household()
		act := begin(h, f)
		return f, func() { act() }
	}
}

func ways() map[string]way {
	care := [][2]string{{"P", "GM0119"}, {"P", "SVB"}, {"P", "CAK"}}
	money := [2]string{"P", "ZK5503"}
	wlz := [][2]string{money, {"Q", "ZK5503"}}
	return map[string]way{
		"a consent is withdrawn":                              {begin: usual(withdrawing), left: reasonFor(budgetv1.ReasonConsentWithdrawn, care...)},
		"a consent is withdrawn by statement":                 {begin: usual(stating), left: reasonFor(budgetv1.ReasonConsentWithdrawn, care...)},
		"a category is taken out":                             {begin: usual(narrowing("amount")), left: reasonFor(budgetv1.ReasonNoConsent, care[0]), anew: true},
		"a source is taken out":                               {begin: usual(narrowing("*")), left: reasonFor(budgetv1.ReasonNoConsent, care[0])},
		"a consent is replaced by the same":                   {begin: usual(replacing(true)), left: reasonFor(budgetv1.ReasonNoConsent, care...), anew: true},
		"an agreement is revoked here":                        {begin: usual(revoking), left: reasonFor(budgetv1.ReasonAgreementExpired, wlz...)},
		"an agreement is revoked by the other":                {begin: usual(revokedByThem), left: reasonFor(budgetv1.ReasonAgreementExpired, wlz...)},
		"an agreement is replaced by one for another purpose": {begin: usual(superseding), left: reasonFor(budgetv1.ReasonNoAgreement, wlz...)},
		"an agreement is replaced": {begin: func(h *house) (household, func()) {
			return h.household(), func() {
				old := h.agreements["ZK5503"]
				h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces = old })
			}
		}, left: reasonFor(budgetv1.ReasonAgreementExpired, wlz...), anew: true},
		"an agreement is replaced by its date": {begin: func(h *house) (household, func()) {
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.From = old, (h.Today() + 2).String() })
			h.agreements["ZK5503"] = old
			return h.household(), func() { h.today.Add(2) }
		}, left: reasonFor(budgetv1.ReasonAgreementExpired, wlz...), anew: true},
		"the days of an agreement are over": {begin: func(h *house) (household, func()) {
			old := h.agreements["ZK5503"]
			h.agree("ZK5503", func(t *agreement.Terms) { t.Replaces, t.Until = old, (h.Today() + 1).String() })
			return h.household(), func() { h.today.Add(2) }
		}, left: reasonFor(budgetv1.ReasonAgreementExpired, wlz...)},
		"a consent is replaced by its date": {begin: func(h *house) (household, func()) {
			f := h.household()
			h.from(2, f.p, f.money, all("ZK5503")...)
			return f, func() { h.today.Add(2) }
		}, left: reasonFor(budgetv1.ReasonNoConsent, money), anew: true},
		"the days of a consent are over": {begin: func(h *house) (household, func()) {
			f := h.household()
			r := h.yes(f.p, f.money, all("ZK5503")...)
			r.Question.Until = (h.Today() + 1).String()
			f.money = h.given(r)
			return f, func() { h.today.Add(2) }
		}, left: reasonFor(budgetv1.ReasonConsentExpired, money)},
		"a birthday from which others sign": {begin: func(h *house) (household, func()) {
			f := household{q: h.person("Q")}
			f.others = h.give(f.q, "", all("ZK5503")...)
			f.p = h.person("P")
			f.p.born = h.Today().AddMonths(-18 * 12).String()[:4] + (h.Today() + 2).String()[4:] // 18 the day after tomorrow
			f.care = h.give(f.p, "", all("GM0119", "SVB", "CAK")...)
			f.money = h.give(f.p, "", all("ZK5503")...)
			return f, func() { h.today.Add(2) }
		}, left: reasonFor(budgetv1.ReasonConsentExpired, append(care, money)...)},
		// Whoever takes something out of a source takes it out of all that they said before.
		"a category is taken out of an earlier consent": {begin: func(h *house) (household, func()) {
			f := household{q: h.person("Q"), p: h.person("P")}
			f.others = h.give(f.q, "", all("ZK5503")...)
			first := h.give(f.p, "", all("GM0119", "UWV")...)
			f.care = h.give(f.p, "", all("GM0119", "SVB", "CAK")...)
			f.money = h.give(f.p, "", all("ZK5503")...)
			return f, func() {
				_, err := h.NarrowConsent(h.municipality().call(), h.less(f.p, first, "GM0119", "amount"))
				require.NoError(h.t, err)
			}
		}, left: reasonFor(budgetv1.ReasonNoConsent, care[0]), anew: true},
		"a key of the other party is lost": {begin: func(h *house) (household, func()) {
			return h.household(), func() { h.lose(h.family.Parties["ZK5503"].Sign) }
		}, left: reasonFor(budgetv1.ReasonNoAgreement, wlz...)},
		"a key of the other party is not pinned any more": {begin: func(h *house) (household, func()) {
			return h.household(), func() { require.NoError(h.t, h.keys.Pin(h.pins(h.family.Parties["ZK5503"].Sign))) }
		}, left: reasonFor(budgetv1.ReasonNoAgreement, wlz...)},
		"the key under the consents is lost": {begin: func(h *house) (household, func()) {
			f, old := h.household(), h.family.Requester().Sign
			h.renewKey()
			return f, func() { h.lose(old) }
		}, left: merged(reasonFor(budgetv1.ReasonNoConsent, care[0]), reasonFor(budgetv1.ReasonNoAgreement, append(care[1:], wlz...)...))},
	}
}

func merged(a, b map[[2]string]string) map[[2]string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// lose says that a key is lost.
func (h *house) lose(key signed.Signer) {
	h.t.Helper()
	pins := h.pins(signed.Signer{})
	for i, k := range pins[key.Issuer] {
		pins[key.Issuer][i].Lost = k.ID == key.KeyID
	}
	if more := h.more; more.ID != "" && key.Issuer == h.family.Requester().OIN {
		pins[key.Issuer] = append(pins[key.Issuer], more)
	}
	require.NoError(h.t, h.RecordKeys(h.t.Context(), pins))
	require.NoError(h.t, h.keys.Pin(pins))
}

// renewKey lets the municipality sign with another key from now on.
func (h *house) renewKey() {
	h.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(h.t, err)
	own := h.family.Requester().OIN
	next, err := signed.NewSigner(own, "next", "ES256", private)
	require.NoError(h.t, err)
	h.more = signed.Key{ID: "next", Alg: "ES256", Public: private.Public(), Kinds: family.DocumentKinds()}
	pins := h.pins(signed.Signer{})
	pins[own] = append(pins[own], h.more)
	require.NoError(h.t, h.RecordKeys(h.t.Context(), pins))
	require.NoError(h.t, h.keys.Pin(pins))
	h.config.Signers, err = signed.NewRing(signed.Timed{Signer: next})
	require.NoError(h.t, err)
	h.Broker, err = server.NewBroker(h.config)
	require.NoError(h.t, err)
}

// Every way in which something ends, and everything that is done with a budget. What
// rests on it is left out with the reason that a new request gives, the rest is
// released, and the record rests on what is released.
func TestWhatCountsNoLongerIsLeftOutAndTheRestIsReleased(t *testing.T) {
	for name, w := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			f, end := w.begin(h)
			ask := h.about(f)
			b, err := h.compose(h.municipality().call(), ask)
			require.NoError(t, err)
			require.True(t, b.GetComplete(), "%v", b.GetGaps())
			before := map[string]proto.Message{}
			for task, do := range tasks() {
				before[task], err = do(h, h.municipality().call(), proto.CloneOf(b))
				require.NoError(t, err, task)
			}
			end()
			again, err := h.compose(h.municipality().call(), ask)
			require.NoError(t, err)
			for pair, reason := range w.left {
				if w.anew {
					require.NotEmpty(t, disclosed(again, pair), "%v", pair)
				} else {
					require.Equal(t, []string{reason}, gapOf(again, pair), "%v", pair)
				}
			}
			for task, do := range tasks() {
				ctx, trace := h.traced(h.municipality())
				answer, err := do(h, ctx, proto.CloneOf(b))
				require.NoError(t, err, task)
				releases := h.record.releases(trace)
				require.Len(t, releases, 1)
				h.leftOut(w, f, b, before[task], answer, task, releases[0])
			}
			h.verify()
		})
	}
}

func (h *house) leftOut(w way, f household, b *budgetv1.Budget, before, answer proto.Message, task string, release int64) {
	h.t.Helper()
	if task == "Account" { // rests on no consent and on no agreement
		require.True(h.t, proto.Equal(accounted(before), accounted(answer)))
		require.Empty(h.t, h.rests(release))
		return
	}
	of := strings.TrimPrefix(task, "View of ")
	left := maps.Clone(w.left)
	maps.DeleteFunc(left, func(pair [2]string, _ string) bool { return of != task && pair[0] != of })
	require.Equal(h.t, len(left), len(missing(answer)), task)
	require.Equal(h.t, left, missing(answer), task)
	gone := func(person, source string) bool { _, is := left[[2]string{person, source}]; return is }
	want := slices.DeleteFunc(named(b, before), func(id string) bool {
		return slices.ContainsFunc(b.GetLines(), func(l *budgetv1.BudgetLine) bool {
			return l.GetId() == id && gone(l.GetPerson(), l.GetFunder())
		})
	})
	require.ElementsMatch(h.t, want, named(b, answer), task)
	text := protojson.Format(answer)
	for pair, canaries := range map[[2]string][]int64{{"P", "GM0119"}: {wmoCents, wmoSpent}, {"P", "SVB"}: {wmoSpent, wlzSpent}, {"P", "CAK"}: {12 * ownMonthly}} {
		for _, cents := range canaries {
			require.False(h.t, gone(pair[0], pair[1]) && strings.Contains(text, strconv.FormatInt(cents, 10)), "%s: %d", task, cents)
		}
	}
	if len(left) > 0 {
		require.Equal(h.t, w.anew, strings.Contains(text, "can ask for a new budget"), task)
	}
	// It rests on what is released, and on nothing else.
	var rests []string
	for _, s := range b.GetSources() {
		if gone(s.GetPerson(), s.GetSource()) || of != task && s.GetPerson() != of {
			continue
		}
		for _, id := range []string{h.currentOf(s.GetConsent()), s.GetAgreement()} {
			if id != "" && !slices.Contains(rests, id) {
				rests = append(rests, id)
			}
		}
	}
	recorded := slices.Compact(slices.Sorted(slices.Values(h.rests(release))))
	require.ElementsMatch(h.t, rests, recorded, task)
	if d, ok := answer.(*budgetv1.Dissolution); ok {
		h.adds(b, d)
	}
}

// currentOf is a consent, or what is left of it after something was taken out.
func (h *house) currentOf(id string) string {
	d, known := h.log.Register().Document(id)
	require.True(h.t, known)
	if next, known := h.log.Register().Document(d.Successor); known && next.Narrows {
		return next.ID
	}
	return id
}

// adds holds the halves of a dissolution against the lines that it names.
func (h *house) adds(b *budgetv1.Budget, d *budgetv1.Dissolution) {
	h.t.Helper()
	sum := int64(0)
	for _, l := range b.GetLines() {
		if slices.Contains(named(b, d), l.GetId()) {
			require.Equal(h.t, l.GetValueCents(), d.GetBefore().GetLines()[l.GetId()]+d.GetAfter().GetLines()[l.GetId()])
			sum += l.GetValueCents()
		}
	}
	require.Equal(h.t, sum, d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents())
	require.NoError(h.t, result.VerifyDissolution(d, h.config.Trust))
	require.Equal(h.t, b.GetToday(), d.GetAsOf())
	for _, r := range d.GetReturned() {
		require.Equal(h.t, "2025-05-31", r.GetSpentAsOf())
	}
	changed := proto.CloneOf(d)
	changed.LeftOut = append(changed.LeftOut, &budgetv1.Gap{Person: "P"})
	require.ErrorIs(h.t, result.VerifyDissolution(changed, h.config.Trust), result.ErrMismatch)
}

// A household is taken apart while one after another takes back their consent: of who did
// nothing is released, and in the end only that everything is missing.
func TestAHouseholdIsTakenApartWhileItFallsApart(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	apart := func() *budgetv1.Dissolution {
		a, err := h.Dissolve(h.municipality().call(), &ontschotv1.DissolveRequest{Budget: proto.CloneOf(b), Date: "2025-09-01"})
		require.NoError(t, err)
		d := a.GetDissolution()
		h.adds(b, d)
		require.Equal(t, len(d.GetLeftOut()) == 0, d.GetBudgetIsComplete())
		return d
	}
	d := apart()
	require.Len(t, named(b, d), 3)
	require.Empty(t, d.GetLeftOut())
	require.Len(t, d.GetReturned(), 2)

	// One source out of a consent: the other sources of the same consent are still released.
	_, err = h.NarrowConsent(h.municipality().call(), &ontschotv1.NarrowConsentRequest{
		Id: f.care, Identifiers: &budgetv1.Identifiers{Bsn: f.p.bsn}, Without: []*ontschotv1.ConsentGrant{{Source: "CAK"}},
	})
	require.NoError(t, err)
	d = apart()
	require.Len(t, named(b, d), 3)
	require.Equal(t, reasonFor(budgetv1.ReasonNoConsent, [2]string{"P", "CAK"}), missing(d))
	require.Len(t, d.GetReturned(), 2, "what SVB disclosed is still there")

	h.withdraw(f.care) // and with it what was left of it
	d = apart()
	require.Equal(t, []string{"P/WLZ/99/2025-01-01", "Q/WLZ/99/2025-01-01"}, named(b, d))
	require.Len(t, missing(d), 3)
	require.Empty(t, d.GetReturned(), "what P spent may not be disclosed")

	h.withdraw(f.money)
	d = apart()
	require.Equal(t, []string{"Q/WLZ/99/2025-01-01"}, named(b, d))
	require.Len(t, missing(d), 4)
	bare := proto.CloneOf(d)
	bare.LeftOut = nil
	for _, mention := range []string{`"P"`, `"P/`} {
		require.NotContains(t, protojson.Format(bare), mention, "P stands at what is missing and nowhere else")
	}

	h.withdraw(f.others)
	d = apart()
	require.Empty(t, named(b, d))
	require.Len(t, missing(d), 5)
	require.Zero(t, d.GetBefore().GetCareTotalCents()+d.GetAfter().GetCareTotalCents())
	require.Empty(t, d.GetBefore().GetTotals().GetByPerson())

	a, err := h.Account(h.municipality().call(), &ontschotv1.AccountRequest{Budget: proto.CloneOf(b), Plan: &budgetv1.Plan{}})
	require.NoError(t, err)
	require.Len(t, a.GetAccounts(), 2)
	for _, one := range a.GetAccounts() { // each has that funder's own money only
		require.Len(t, one.GetLaws(), 1)
		require.Equal(t, map[string]int64{"GM0119": wmoCents, "ZK5503": 2 * wlzCents}[one.GetFunder()], one.GetLaws()[0].GetAwardedCents())
	}
	h.verify()
}

// A plan that is paid from what is left out is reported as such, and the rest of it is checked.
func TestAPlanOnWhatIsLeftOut(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	p := &budgetv1.Plan{Allocations: []*budgetv1.Allocation{
		{Id: "A", Beneficiaries: []string{"P"}, Cents: 100, Splits: []*budgetv1.Split{{Line: "P/WMO/02/2025-01-01", Cents: 100}}},
		{Id: "B", Beneficiaries: []string{"Q"}, Cents: 200, Splits: []*budgetv1.Split{{Line: "Q/WLZ/99/2025-01-01", Cents: 200}}},
	}}
	check := func() *budgetv1.PlanCheck {
		a, err := h.CheckPlan(h.municipality().call(), &ontschotv1.CheckPlanRequest{Budget: proto.CloneOf(b), Plan: p})
		require.NoError(t, err)
		return a.GetCheck()
	}
	require.Empty(t, check().GetRefused())
	h.withdraw(f.care)
	got := check()
	require.Len(t, got.GetRefused(), 1)
	require.Equal(t, "A UNKNOWN_LINE", got.GetRefused()[0].GetAllocation()+" "+got.GetRefused()[0].GetCode())
	require.EqualValues(t, 200, got.GetAllocatedCents())
	require.Len(t, got.GetLeftOut(), 3)
	require.EqualValues(t, 2*wlzCents-200, got.GetUnallocatedCents())
}

// A view that was taken before something ended is judged as the budget is.
func TestAPresentedViewIsJudgedToo(t *testing.T) {
	h := newHouse(t, nil)
	f := h.household()
	b, err := h.compose(h.municipality().call(), h.about(f))
	require.NoError(t, err)
	view := func(b *budgetv1.Budget) *budgetv1.Budget {
		v, err := h.View(h.municipality().call(), &ontschotv1.ViewRequest{Budget: proto.CloneOf(b), Person: "P"})
		require.NoError(t, err)
		_, err = result.Verify(v.GetBudget(), h.config.Trust)
		require.NoError(t, err)
		return v.GetBudget()
	}
	early := view(b)
	_, err = h.NarrowConsent(h.municipality().call(), h.less(f.p, f.care, "GM0119", "amount"))
	require.NoError(t, err)
	late := view(b) // rests on what is left of the consent
	for name, v := range map[string]*budgetv1.Budget{"before": view(early), "after": view(late), "after, from before": late} {
		require.Empty(t, disclosed(v, [2]string{"P", "GM0119"}), name)
		require.NotEmpty(t, disclosed(v, [2]string{"P", "CAK"}), name)
		require.NotEmpty(t, disclosed(v, [2]string{"P", "ZK5503"}), name)
		require.Equal(t, reasonFor(budgetv1.ReasonNoConsent, [2]string{"P", "GM0119"}), missing(v), name)
		require.EqualValues(t, wlzCents, v.GetCareTotalCents(), name)
	}
	h.withdraw(f.care)
	for _, v := range []*budgetv1.Budget{early, late, b} {
		v = view(v)
		require.Len(t, missing(v), 3)
		require.Nil(t, v.OwnContributionCents)
		require.Equal(t, []string{"P/WLZ/99/2025-01-01"}, named(b, v))
	}
	h.verify()
}

// ender ends a document each time that something is about to be released.
type ender struct {
	documents.Record
	next func()
}

func (e *ender) Append(ctx context.Context, entry audit.Entry) (audit.Proof, error) {
	if entry.Kind == audit.Release && e.next != nil {
		e.next()
	}
	return e.Record.Append(ctx, entry)
}

// What ends while it is judged is judged again, and not for ever.
func TestItIsJudgedAgainWhenSomethingEndsMeanwhile(t *testing.T) {
	for ends, want := range map[int]string{1: "", 2: "", 3: "DOCUMENT_ENDED"} {
		e := &ender{}
		h := newHouse(t, func(c *server.BrokerConfig) { e.Record, c.Record = c.Record, e })
		f := h.household()
		b, err := h.compose(h.municipality().call(), h.about(f))
		require.NoError(t, err)
		ids := []string{f.care, f.money, f.others}[:ends]
		e.next = func() {
			if len(ids) > 0 {
				id := ids[0]
				ids = ids[1:]
				h.withdraw(id)
			}
		}
		ctx, trace := h.traced(h.municipality())
		answer, err := tasks()["Dissolve"](h, ctx, proto.CloneOf(b))
		require.Equal(t, want, reasonOf(err))
		if want == "" {
			require.Len(t, named(b, answer), 3-ends)
			require.Len(t, h.record.releases(trace), 1)
		} else {
			require.Empty(t, h.record.releases(trace))
		}
		h.verify()
	}
}

// Upon a budget nothing is built when the agreements say that it must be asked anew. It
// is wound up for as long as it may be retained.
func TestHowLongABudgetMayBePresented(t *testing.T) {
	h := newHouse(t, nil)
	b, err := h.compose(h.municipality().call(), h.about(h.household()))
	require.NoError(t, err)
	claims, err := result.Verify(b, h.config.Trust)
	require.NoError(t, err)
	require.EqualValues(t, 30*24*3600, claims.Expires-claims.IssuedAt, "max_age_days of the agreements")
	require.EqualValues(t, 90*24*3600, claims.KeepUntil-claims.IssuedAt, "retention_days of the agreements")
	at := func(expires, retained time.Duration) *budgetv1.Budget {
		now, old := time.Now(), proto.CloneOf(b)
		digest, err := result.Digest(old)
		require.NoError(t, err)
		require.NoError(t, result.Sign(old, result.Release{Digest: digest, Receipt: old.GetReceipt(), Case: h.family.CaseCommitment, Times: result.Times{Now: now.Add(-100 * time.Hour), Expires: now.Add(expires), KeepUntil: now.Add(retained)}}, h.family.Requester().Sign))
		return old
	}
	for name, do := range tasks() {
		_, err := do(h, h.municipality().call(), at(time.Hour, 2*time.Hour))
		require.NoError(t, err, name)
		builds := ""
		if name == "CheckPlan" || strings.HasPrefix(name, "View") {
			builds = "BUDGET_TOO_OLD"
		}
		answer, err := do(h, h.municipality().call(), at(-time.Hour, time.Hour))
		require.Equal(t, builds, reasonOf(err), name)
		require.True(t, err != nil || len(named(b, answer)) > 0 || name == "Account")
		_, err = do(h, h.municipality().call(), at(-2*time.Hour, -time.Hour))
		require.Equal(t, "BUDGET_TOO_OLD", reasonOf(err), name)
	}
}
