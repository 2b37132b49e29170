package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// Whatever a budget rests on ends at every point of a request, one point after the
// other. If it ended before the release, nothing of it is released, and if after, all of it;
// the rest of the budget is the same.
func TestNothingIsReleasedAfterItsEnd(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(endings())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, e := newHouse(t, nil), endings()[name]
			f := h.household()
			whole, err := h.compose(h.municipality().call(), h.about(f))
			require.NoError(t, err)
			require.True(t, whole.GetComplete())
			e.begin(h, f)()
			without, err := h.compose(h.municipality().call(), h.about(f))
			require.NoError(t, err)

			run := sweep{h: h, e: e, f: f, whole: bare(whole), without: bare(without), places: map[string]int{}}
			for k := int64(0); run.at(k); k += stride {
			}
			seen(t, run.before, run.after)
			require.True(t, underRace || len(run.places) > 15)
			report := h.verify()
			t.Logf("%d points at %d kinds of place: ended before the release %d, after %d; %d releases in a record of %d that verifies",
				run.before+run.after, len(run.places), run.before, run.after, report.Kinds[audit.Release], report.Size)
		})
	}
}

// sweep is a walk over all points of a request.
type sweep struct {
	h              *house
	e              ending
	f              household
	whole, without *budgetv1.Budget
	before, after  int
	places         map[string]int
}

// at lets it end at the k-th point; false when a request has no such point.
func (s *sweep) at(k int64) bool {
	h := s.h
	if len(s.e.gone) == 0 || s.e.gone[0][1] != "ZK5503" { // an agreement that ends takes no consent with it
		s.f = h.anew(s.f)
	}
	f := s.f
	act := s.e.begin(h, f)
	var id string
	var end int64
	p := h.seams.arm(k, func() { id, end = act() })
	b, err := h.compose(h.municipality().call(), h.about(f))
	h.seams.disarm()
	if !p.fired.Load() {
		require.NoError(h.t, err)
		h.equal(s.whole, bare(b), "no such point")
		return false
	}
	at := fmt.Sprintf("point %d, %s", k, p.where)
	require.NoError(h.t, err, at)
	_, err = result.Verify(b, h.config.Trust)
	require.NoError(h.t, err, at)
	s.places[p.where]++
	s.check(b, id, end, at)
	return true
}

func (s *sweep) check(b *budgetv1.Budget, id string, end int64, at string) {
	h, release := s.h, b.GetReceipt().GetIndex()
	if release < end {
		s.after++
		require.Contains(h.t, h.rests(release), id, at)
		h.equal(s.whole, bare(b), at)
		return
	}
	s.before++
	require.NotContains(h.t, h.rests(release), id, at)
	if s.e.strict {
		h.equal(s.without, bare(b), at)
	}
	if s.e.silent != nil {
		require.True(h.t, s.e.silent(b), at)
	}
	for _, pair := range pairs() {
		facts := disclosed(b, pair)
		switch {
		case slices.Contains(s.e.gone, pair):
			require.Subset(h.t, s.e.reasons, gapOf(b, pair), "%s: %v", at, pair)
			require.NotEmpty(h.t, gapOf(b, pair), "%s: %v", at, pair)
			require.True(h.t, s.e.silent != nil || len(facts) == 0, "%s: %v discloses %v", at, pair, facts)
		case slices.Contains(s.e.may, pair) && len(facts) == 0:
			require.Equal(h.t, []string{budgetv1.ReasonConsentWithdrawn}, gapOf(b, pair), "%s: %v", at, pair)
		default:
			require.Equal(h.t, disclosed(s.whole, pair), facts, "%s: %v", at, pair)
		}
	}
}

// The last word decides, however fast it follows: a yes after a withdrawal counts, and
// so does less after more, without a pause of a second between them.
func TestTheLastWordCountsAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	p, pair := h.person("P"), [2]string{"P", "GM0119"}
	ask := func() (*budgetv1.Budget, error) {
		return h.compose(h.municipality().call(), h.request([]person{p}, pair))
	}
	id := h.give(p, "", all("GM0119", "SVB")...)
	for range 3 {
		narrowed, err := h.NarrowConsent(h.municipality().call(), h.less(p, id, "GM0119", "amount"))
		require.NoError(t, err)
		b, err := ask()
		require.NoError(t, err)
		require.True(t, withoutAmount(b))
		h.withdraw(narrowed.GetReceipt().GetId())
		b, err = ask()
		require.NoError(t, err)
		require.Equal(t, []string{budgetv1.ReasonConsentWithdrawn}, onlyGaps(b))
		id = h.give(p, "", all("GM0119", "SVB")...)
		b, err = ask()
		require.NoError(t, err)
		require.False(t, withoutAmount(b))
	}
	h.give(p, id, &ontschotv1.ConsentGrant{Source: "GM0119"}, all("SVB")[0])
	b, err := ask()
	require.NoError(t, err)
	require.Equal(t, []string{budgetv1.ReasonNoConsent}, onlyGaps(b), "a no is the last word too")
}

// onlyGaps are the reasons of a budget that holds nothing but gaps; nil when it holds more.
func onlyGaps(b *budgetv1.Budget) []string {
	var reasons []string
	for _, gap := range b.GetGaps() {
		reasons = append(reasons, gap.GetReason())
	}
	slices.Sort(reasons)
	if len(b.GetLines()) > 0 {
		return nil
	}
	return slices.Compact(reasons)
}

// A delegation ends at every point of a request of who acts on it: all is released
// to them, or nothing at all.
func TestNothingIsReleasedToWhoMayNoLongerAct(t *testing.T) {
	h := newHouse(t, nil)
	answered, refused, f := 0, map[string]int{}, h.household()
	for k := int64(0); ; k += stride {
		id := h.lets()
		var end int64
		ctx, trace := h.traced(h.delegate())
		p := h.seams.arm(k, func() { end = h.endDelegation(id) })
		b, err := h.compose(ctx, h.about(f))
		h.seams.disarm()
		if !p.fired.Load() {
			require.NoError(t, err)
			h.endDelegation(id)
			break
		}
		if err != nil {
			refused[codeOf(err).String()+" "+reasonOf(err)]++
			require.Nil(t, b)
			require.Empty(t, h.record.releases(trace), p.where)
			continue
		}
		answered++
		require.Less(t, b.GetReceipt().GetIndex(), end, p.where)
		require.Contains(t, h.rests(b.GetReceipt().GetIndex()), id)
	}
	seen(t, answered)
	onlyThese(t, []string{"PermissionDenied NO_DELEGATION", "FailedPrecondition DOCUMENT_ENDED"}, refused)
	h.verify()
}

// lets the vendor act for the municipality and gives the delegation's id.
func (h *house) lets() string {
	h.t.Helper()
	today := h.family.Case.Today.String()
	made, err := h.Delegate(h.municipality().call(), &ontschotv1.DelegateRequest{
		To: string(h.oin(vendor)), Purposes: []string{h.family.Case.Purpose, "consents.keep"}, From: today, Until: today,
	})
	require.NoError(h.t, err)
	return made.GetId()
}

func (h *house) endDelegation(id string) int64 {
	h.t.Helper()
	ended, err := h.EndDelegation(h.municipality().call(), &ontschotv1.EndDelegationRequest{Id: id})
	require.NoError(h.t, err)
	return ended.GetIndex()
}

// A request that nothing is left of, before it is decided or afterwards, is answered
// with what is missing: a signed budget that releases nothing.
func TestTheOnlyConsentWithdrawn(t *testing.T) {
	h := newHouse(t, nil)
	empty := 0
	for k := int64(0); ; k++ {
		p := h.person("P")
		id := h.give(p, "", all("GM0119")...)
		var end int64
		at := h.seams.arm(k, func() { end = h.withdraw(id) })
		b, err := h.compose(h.municipality().call(), h.request([]person{p}, [2]string{"P", "GM0119"}))
		h.seams.disarm()
		require.NoError(t, err, at.where)
		_, err = result.Verify(b, h.config.Trust)
		require.NoError(t, err, at.where)
		switch {
		case !at.fired.Load():
			seen(t, empty)
			h.verify()
			return
		case end < b.GetReceipt().GetIndex():
			empty++
			require.Empty(t, b.GetLines(), at.where)
			require.Zero(t, b.GetCareTotalCents(), at.where)
			require.Equal(t, []string{budgetv1.ReasonConsentWithdrawn}, gapOf(b, [2]string{"P", "GM0119"}), at.where)
			require.Empty(t, h.rests(b.GetReceipt().GetIndex()), at.where)
		}
	}
}
