package gateway_test

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// task is something that is done with a budget which a caller presents, and gives
// the answer.
type task func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error)

func tasks() map[string]task {
	basis := &budgetv1.LegalBasis{
		Id: "assumed", Article: "none", From: "2025-01-01", To: "2025-10-31", PoolableLaws: []string{"WMO", "WLZ"}, Municipalities: []string{"GM0119"},
	}
	plan := &budgetv1.Plan{}
	view := func(person string) task {
		return func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error) {
			v, err := h.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: person})
			return v.GetBudget(), err
		}
	}
	return map[string]task{
		"CheckPlan": func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error) {
			a, err := h.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: b, Plan: plan})
			return a.GetCheck(), err
		},
		"Account": func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error) {
			a, err := h.Account(ctx, &ontschotv1.AccountRequest{Budget: b, Plan: plan})
			return a, err
		},
		"Dissolve": func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error) {
			a, err := h.Dissolve(ctx, &ontschotv1.DissolveRequest{Budget: b, Date: "2025-09-01"})
			return a.GetDissolution(), err
		},
		"Sunset": func(h *house, ctx context.Context, b *budgetv1.Budget) (proto.Message, error) {
			a, err := h.Sunset(ctx, &ontschotv1.SunsetRequest{Budget: b, Plan: plan, Assume: basis})
			return a.GetSunset(), err
		},
		"View of P": view("P"),
		"View of Q": view("Q"),
	}
}

// named are the lines of a budget that an answer about it names.
func named(b *budgetv1.Budget, answer proto.Message) []string {
	text := protojson.Format(answer)
	var ids []string
	for _, l := range b.GetLines() {
		if strings.Contains(text, strconv.Quote(l.GetId())) {
			ids = append(ids, l.GetId())
		}
	}
	return ids
}

// missing are the pairs that an answer about a budget says are left out.
func missing(answer proto.Message) map[[2]string]string {
	var gaps []*budgetv1.Gap
	switch a := answer.(type) {
	case *budgetv1.PlanCheck:
		gaps = a.GetLeftOut()
	case *budgetv1.Dissolution:
		gaps = a.GetLeftOut()
	case *budgetv1.Sunset:
		gaps = a.GetLeftOut()
	case *budgetv1.Budget:
		gaps = a.GetGaps()
	}
	out := map[[2]string]string{}
	for _, g := range gaps {
		out[[2]string{g.GetPerson(), g.GetSource()}] = g.GetReason()
	}
	return out
}

// accounted is an account without what differs from one time to the next.
func accounted(answer proto.Message) *ontschotv1.AccountResponse {
	a := proto.CloneOf(answer.(*ontschotv1.AccountResponse))
	for _, one := range a.GetAccounts() {
		one.Signature = ""
	}
	return a
}

// A budget is presented, and while it is worked with a consent that it rests on is
// withdrawn, at every point. Nothing of what rests on it is released from then on, and the
// rest always is. An account rests on no consent.
func TestAPresentedBudgetReleasesNothingAfterAWithdrawal(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(tasks())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, do, f, whole, less := newHouse(t, nil), tasks()[name], household{}, 0, 0
			f = h.household()
			for k := int64(0); ; k += stride {
				f = h.anew(f)
				b, err := h.compose(h.municipality().call(), h.about(f))
				require.NoError(t, err)
				all, err := do(h, h.municipality().call(), proto.CloneOf(b))
				require.NoError(t, err)
				var end int64
				ctx, trace := h.traced(h.municipality())
				p := h.seams.arm(k, func() { end = h.withdraw(f.care) })
				answer, err := do(h, ctx, proto.CloneOf(b))
				h.seams.disarm()
				require.NoError(t, err, p.where)
				if !p.fired.Load() {
					break
				}
				releases := h.record.releases(trace)
				require.Len(t, releases, 1, p.where)
				rests := h.rests(releases[0])
				switch {
				case name == "Account":
					require.True(t, proto.Equal(accounted(all), accounted(answer)), p.where)
					require.Empty(t, rests, p.where)
				case name == "View of Q": // it rests on what Q said, and holds nothing of P
					require.ElementsMatch(t, []string{f.others, h.agreements["ZK5503"]}, rests, p.where)
					require.Empty(t, slices.Concat(disclosedOf(answer.(*budgetv1.Budget), "P")...), p.where)
					require.Equal(t, named(b, all), named(b, answer), p.where)
				case releases[0] < end:
					whole++
					require.Contains(t, rests, f.care, p.where)
					require.Equal(t, named(b, all), named(b, answer), p.where)
				default:
					less++
					require.NotContains(t, rests, f.care, p.where)
					require.Contains(t, rests, f.money, p.where)
					h.withoutCare(b, all, answer, p.where)
				}
				after, err := do(h, h.municipality().call(), proto.CloneOf(b))
				require.NoError(t, err)
				if name != "Account" && name != "View of Q" {
					h.withoutCare(b, all, after, "afterwards")
				}
			}
			if name != "Account" && name != "View of Q" {
				seen(t, whole, less)
			}
			h.verify()
			t.Logf("whole %d times, less %d times", whole, less)
		})
	}
}

// withoutCare holds an answer against one from before P's consent for care was withdrawn:
// what rested on it is gone, and nothing else is.
func (h *house) withoutCare(b *budgetv1.Budget, before, answer proto.Message, at string) {
	h.t.Helper()
	want := slices.DeleteFunc(named(b, before), func(id string) bool { return strings.HasPrefix(id, "P/WMO/") })
	require.NotEmpty(h.t, want)
	require.Equal(h.t, want, named(b, answer), at)
	require.Equal(h.t, map[[2]string]string{
		{"P", "GM0119"}: budgetv1.ReasonConsentWithdrawn, {"P", "SVB"}: budgetv1.ReasonConsentWithdrawn, {"P", "CAK"}: budgetv1.ReasonConsentWithdrawn,
	}, missing(answer), at)
	text := random.ReplaceAllString(protojson.Format(answer), "")
	for _, cents := range []int64{wmoCents, wmoSpent, wlzSpent, 12 * ownMonthly, wmoCents + wlzCents, wmoCents + 2*wlzCents} {
		require.NotContains(h.t, text, strconv.FormatInt(cents, 10), at)
	}
}

// random are the members that may hold any digits: they are of what was released.
var random = regexp.MustCompile(`"(budgetDigest|signature|leaf|salt|proof|checkpoint|sha256)":\s*("[^"]*"|\[[^\]]*\])`)

// disclosedOf is all that is released about a person.
func disclosedOf(b *budgetv1.Budget, person string) [][]string {
	var facts [][]string
	for _, pair := range pairs() {
		if pair[0] == person {
			facts = append(facts, disclosed(b, pair))
		}
	}
	return facts
}

// The same with a key that is taken out of the trust, with the end of the day, and with
// the delegation of who presents it.
func TestAPresentedBudgetIsJudgedAsThingsAreWhenItIsReleased(t *testing.T) {
	pinned := func(out func(h *house) signed.Signer) func(h *house) (caller, func()) {
		return func(h *house) (caller, func()) {
			return h.municipality(), func() { require.NoError(h.t, h.keys.Pin(h.pins(out(h)))) }
		}
	}
	for name, c := range map[string]struct {
		begin func(h *house) (by caller, act func())
		ways  []string
	}{
		"a key is taken out": {
			pinned(func(h *house) signed.Signer { return h.family.Parties["ZK5503"].Sign }),
			nil, // what was signed with it is left out
		},
		"the key of the token is taken out": {
			pinned(func(h *house) signed.Signer { return h.family.Requester().Token }),
			[]string{"Unauthenticated TOKEN_INVALID"},
		},
		"the day ends": {
			func(h *house) (caller, func()) { return h.municipality(), func() { h.today.Add(1) } },
			[]string{"Aborted DAY_CHANGED"},
		},
		"the delegation ends": {
			func(h *house) (caller, func()) {
				id := h.lets()
				return h.delegate(), func() { h.endDelegation(id) }
			},
			[]string{"PermissionDenied NO_DELEGATION", "FailedPrecondition DOCUMENT_ENDED"},
		},
	} {
		for _, task := range []string{"CheckPlan", "View of P"} {
			t.Run(name+", "+task, func(t *testing.T) {
				h, refused, answered, less := newHouse(t, nil), map[string]int{}, 0, 0
				b, err := h.compose(h.municipality().call(), h.about(h.household()))
				require.NoError(t, err)
				for k := int64(0); ; k += stride {
					by, act := c.begin(h)
					ctx, trace := h.traced(by)
					before := false // the release
					p := h.seams.arm(k, func() { before = len(h.record.releases(trace)) == 0; act() })
					answer, err := tasks()[task](h, ctx, proto.CloneOf(b))
					h.seams.disarm()
					require.NoError(t, h.keys.Pin(h.pins(signed.Signer{})))
					if err != nil {
						refused[codeOf(err).String()+" "+reasonOf(err)]++
						continue
					}
					answered++
					if gone := missing(answer); len(gone) > 0 {
						less++
						require.Equal(t, budgetv1.ReasonNoAgreement, gone[[2]string{"P", "ZK5503"}], "point %d, %s", k, p.where)
						require.Equal(t, []string{"P/WMO/02/2025-01-01"}, named(b, answer))
						continue
					}
					// On a day that has begun already everything is judged by that day.
					require.True(t, !before || name == "the day ends" && k == 0, "point %d, %s", k, p.where)
					if !p.fired.Load() {
						break
					}
				}
				onlyThese(t, c.ways, refused)
				seen(t, answered)
				if name == "a key is taken out" {
					seen(t, less)
				}
				h.verify()
			})
		}
	}
}

// The day ends at every point of a request: it is answered as of one day, or has to
// be asked again.
func TestARequestIsOfOneDay(t *testing.T) {
	h := newHouse(t, nil)
	f, again := h.household(), 0
	for k := int64(0); ; k += stride {
		today := h.Today() // days pass, and none comes back
		ctx, trace := h.traced(h.municipality())
		before := false // the release
		p := h.seams.arm(k, func() { before = len(h.record.releases(trace)) == 0; h.today.Add(1) })
		b, err := h.compose(ctx, h.about(f))
		h.seams.disarm()
		switch {
		case err != nil:
			again++
			require.Equal(t, "Aborted DAY_CHANGED", codeOf(err).String()+" "+reasonOf(err), p.where)
		case !p.fired.Load():
			seen(t, again)
			h.verify()
			return
		case before: // the day had ended before the first look at it
			require.Equal(t, (today + 1).String(), b.GetToday(), p.where)
		}
	}
}
