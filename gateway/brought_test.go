package gateway_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/ontschot/ontschot/internal/signed"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// errand is something that is done with a budget which a caller brings back.
type errand func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error)

func errands() map[string]errand {
	basis := &budgetv1.LegalBasis{
		Id: "assumed", Article: "none", From: "2025-01-01", To: "2026-12-31", PoolableLaws: []string{"WMO", "WLZ"}, Municipalities: []string{"GM0119"},
	}
	plan := &budgetv1.Plan{}
	return map[string]errand{
		"CheckPlan": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			_, err := h.CheckPlan(ctx, &ontschotv1.CheckPlanRequest{Budget: b, Plan: plan})
			return nil, err
		},
		"Account": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			_, err := h.Account(ctx, &ontschotv1.AccountRequest{Budget: b, Plan: plan})
			return nil, err
		},
		"Dissolve": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			_, err := h.Dissolve(ctx, &ontschotv1.DissolveRequest{Budget: b, Date: "2025-09-01"})
			return nil, err
		},
		"Sunset": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			_, err := h.Sunset(ctx, &ontschotv1.SunsetRequest{Budget: b, Plan: plan, Assume: basis})
			return nil, err
		},
		"View of P": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			v, err := h.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: "P"})
			return v.GetBudget(), err
		},
		"View of Q": func(h *house, ctx context.Context, b *budgetv1.Budget) (*budgetv1.Budget, error) {
			v, err := h.View(ctx, &ontschotv1.ViewRequest{Budget: b, Person: "Q"})
			return v.GetBudget(), err
		},
	}
}

// A budget is brought back, and while it is worked with a consent that it rests on is
// withdrawn, at every point. Nothing is told of it from then on.
func TestABudgetBroughtBackTellsNothingAfterAWithdrawal(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(errands())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, do, f, told, refused := newHouse(t, nil), errands()[name], household{}, 0, 0
			f = h.household()
			for k := int64(0); ; k += stride {
				f = h.anew(f)
				b, err := h.compose(h.municipality().call(), h.about(f))
				require.NoError(t, err)
				var end int64
				ctx, trace := h.traced(h.municipality())
				p := h.seams.arm(k, func() { end = h.withdraw(f.care) })
				view, err := do(h, ctx, proto.CloneOf(b))
				h.seams.disarm()
				if !p.fired.Load() {
					require.NoError(t, err)
					break
				}
				releases := h.record.releases(trace)
				if err != nil {
					refused++
					require.Equal(t, "FailedPrecondition DOCUMENT_ENDED", status.Code(err).String()+" "+reasonOf(err), p.where)
					require.Empty(t, releases, p.where)
					continue
				}
				told++
				require.Len(t, releases, 1)
				if name == "View of Q" { // it rests on what Q said, and holds nothing of P
					require.NotContains(t, h.rests(releases[0]), f.care)
					require.Empty(t, slices.Concat(toldOf(view, "P")...), p.where)
				} else {
					require.Less(t, releases[0], end, p.where)
				}
				_, err = do(h, h.municipality().call(), proto.CloneOf(b))
				require.Equal(t, "DOCUMENT_ENDED", reasonOf(err), "it is not worked with again")
			}
			seen(t, told, refused)
			h.verify()
			t.Logf("told %d times, refused %d times", told, refused)
		})
	}
}

// toldOf is all that is told of a person.
func toldOf(b *budgetv1.Budget, person string) [][]string {
	var facts [][]string
	for _, pair := range pairs() {
		if pair[0] == person {
			facts = append(facts, told(b, pair))
		}
	}
	return facts
}

// The same with a key that is taken out of the trust, with the end of the day, and with
// the delegation of who brings it.
func TestABudgetBroughtBackIsJudgedAsThingsAreWhenItIsTold(t *testing.T) {
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
			[]string{"InvalidArgument AGREEMENT_INVALID"},
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
		for _, errand := range []string{"CheckPlan", "View of P"} {
			t.Run(name+", "+errand, func(t *testing.T) {
				h, refused, told := newHouse(t, nil), map[string]int{}, 0
				b, err := h.compose(h.municipality().call(), h.about(h.household()))
				require.NoError(t, err)
				for k := int64(0); ; k += stride {
					by, act := c.begin(h)
					ctx, trace := h.traced(by)
					before := false // the release
					p := h.seams.arm(k, func() { before = len(h.record.releases(trace)) == 0; act() })
					_, err = errands()[errand](h, ctx, proto.CloneOf(b))
					h.seams.disarm()
					require.NoError(t, h.keys.Pin(h.pins(signed.Signer{})))
					if err != nil {
						refused[status.Code(err).String()+" "+reasonOf(err)]++
						continue
					}
					told++
					// On a day that has begun already everything is judged by that day.
					require.True(t, !before || name == "the day ends" && k == 0, "point %d, %s", k, p.where)
					if !p.fired.Load() {
						break
					}
				}
				onlyThese(t, c.ways, refused)
				seen(t, told)
				h.verify()
			})
		}
	}
}

// The day ends at every point of a question: it is answered as of one day, or has to
// be asked again.
func TestAQuestionIsOfOneDay(t *testing.T) {
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
			require.Equal(t, "Aborted DAY_CHANGED", status.Code(err).String()+" "+reasonOf(err), p.where)
		case !p.fired.Load():
			seen(t, again)
			h.verify()
			return
		case before: // the day had ended before the first look at it
			require.Equal(t, (today + 1).String(), b.GetToday(), p.where)
		}
	}
}
