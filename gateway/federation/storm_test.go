package federation_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/token"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// What ends between the source's disclosure and the release is not released. The disclosure
// stands in the source's log; that nothing of it was released, in the other.
func TestAnEndBetweenDisclosureAndRelease(t *testing.T) {
	for name, end := range map[string]func(w *two, id string){
		"the consent":                      func(w *two, id string) { w.withdraw(id) },
		"the agreement, where it is asked": func(w *two, _ string) { w.asker.revoke(w.agreement) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTwo(t, options{})
			p := w.person("P")
			id := w.give(p, "")
			w.wire.changes = func(*budgetv1.FetchRequest, *budgetv1.FetchResponse) { end(w, id) }
			b := w.composed(p)
			require.Empty(t, b.GetLines())
			require.Len(t, b.GetGaps(), 1)
			require.Contains(t, []string{"CONSENT_WITHDRAWN", "AGREEMENT_EXPIRED"}, b.GetGaps()[0].GetReason())
			require.Nil(t, b.GetSources()[0].GetDisclosure())
			trace := w.asker.record.last().Trace
			require.Equal(t, "disclosed", w.source.record.about(trace)[1].Status)
			last := w.asker.record.last()
			require.Equal(t, audit.Release, last.Kind)
			require.Empty(t, last.Rests, "released without it")
			w.asker.verify()
			w.source.verify()
		})
	}
}

// What ends at the source while it is asked is not disclosed; the decision stands, and no
// disclosure follows it.
func TestAnEndWhileTheSourceIsAsked(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
		w.source.revoke(w.agreement)
		return &budgetv1.FetchResponse{Lines: []*budgetv1.BudgetLine{line("ZK5503")}}, nil
	}
	require.Equal(t, []string{"PEER_REFUSED PEER_AGREEMENT [] []"}, gaps(w.composed(p)))
	require.Zero(t, w.source.verify().Kinds[audit.Release])
	require.EqualValues(t, 1, w.source.verify().Kinds[audit.Decision])
	w.asker.verify()
}

// What ends at the source between its judgement and its decision is judged anew, and refused.
func TestAnEndBeforeTheSourceDecides(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	var once sync.Once
	w.source.record.before = func(e audit.Entry) {
		if e.Kind == audit.Decision {
			once.Do(func() { w.source.revoke(w.agreement) })
		}
	}
	require.Equal(t, []string{"PEER_REFUSED PEER_AGREEMENT [] []"}, gaps(w.composed(p)))
	require.Zero(t, w.behind.asked.Load())
	require.Equal(t, "AGREEMENT_EXPIRED", judgement(t, w.source.record.last()).Refusals[0].Reason)
	w.source.verify()
}

// A permit outlives the withdrawal by its life and no more: within it the source may disclose,
// and after it nothing.
func TestADisclosureFollowsAnEndByTheLifeOfAPermit(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	id := w.give(p, "")
	first, second := w.question(p), w.question(p)
	w.withdraw(id)
	_, err := w.put(first)
	require.NoError(t, err, "the keeper's word of a moment ago")
	w.clock.Add(int64(token.PermitLife + 3*time.Second))
	w.refused("PERMIT_TIME", second)
	w.wire.sent = nil
	require.Equal(t, []string{"CONSENT_WITHDRAWN TOEST-02 [] []"}, gaps(w.composed(p)))
	require.Nil(t, w.wire.sent)
}

// A day that changes while a question is under way ends it at either side.
func TestTheDayChangesWhileTheSourceIsAsked(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	w.behind.answer = func(*budgetv1.FetchRequest) (*budgetv1.FetchResponse, error) {
		w.source.ahead.Store(1)
		return &budgetv1.FetchResponse{}, nil
	}
	require.Equal(t, []string{"SOURCE_UNAVAILABLE  [] []"}, gaps(w.composed(p)))
	require.Zero(t, w.source.verify().Kinds[audit.Release])
}

// seat is a place of which the person gives and withdraws.
type seat struct {
	mu     sync.Mutex
	person person
	id     string
}

// Questions go through two gateways while consents are withdrawn and given and the agreement
// is revoked at either end. No release follows an end; a disclosure follows one by no more than
// the life of a permit, and both logs have it.
func TestNothingIsReleasedAfterItsEndThroughTwoGateways(t *testing.T) {
	w := newTwo(t, options{})
	var seats []*seat
	for range 5 {
		s := &seat{person: w.person("P")}
		s.id = w.give(s.person, "")
		seats = append(seats, s)
	}
	var left, releases, refusals atomic.Int64
	left.Store(questions)
	changes := make(chan bool, questions)
	var mu sync.Mutex
	ends := map[string]int64{} // index of the end in the log of who asks
	var budgets []*budgetv1.Budget
	var asking, changing sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				if n%4 == 0 {
					changes <- n%64 == 0
				}
				s := seats[rand.IntN(len(seats))]
				s.mu.Lock()
				p := s.person
				s.mu.Unlock()
				b, err := w.compose(p)
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				budgets = append(budgets, b)
				mu.Unlock()
			}
		})
	}
	var signing sync.Mutex
	for range 4 {
		changing.Go(func() {
			for agreement := range changes {
				if agreement {
					signing.Lock()
					id := w.agreement
					if rand.IntN(2) == 0 {
						w.source.revoke(id)
					}
					w.asker.revoke(id)
					d, err := w.asker.log.Document(context.Background(), id)
					if err != nil {
						t.Error(err)
					}
					w.agree(nil)
					mu.Lock()
					ends[id] = d.Ended
					mu.Unlock()
					signing.Unlock()
				}
				s := seats[rand.IntN(len(seats))]
				s.mu.Lock()
				index := w.withdraw(s.id)
				mu.Lock()
				ends[s.id] = index
				mu.Unlock()
				s.id = w.give(s.person, "")
				s.mu.Unlock()
			}
		})
	}
	asking.Wait()
	close(changes)
	changing.Wait()
	for _, b := range budgets {
		for _, r := range b.GetSources() {
			if r.GetStatus() != "OK" {
				refusals.Add(1)
				require.Empty(t, b.GetLines())
				require.Nil(t, r.GetDisclosure())
				continue
			}
			releases.Add(1)
			for _, id := range []string{r.GetConsent(), r.GetAgreement()} {
				if end, over := ends[id]; over {
					require.Less(t, b.GetReceipt().GetIndex(), end, "a release rests on what had ended")
				}
			}
			_, err := w.trust().Verify(r.GetDisclosure(), w.source.party.OIN, w.asker.party.OIN)
			require.NoError(t, err)
		}
	}
	require.Positive(t, releases.Load())
	require.True(t, underRace || refusals.Load() > 0)
	here, there := w.asker.verify(), w.source.verify()
	require.EqualValues(t, questions, here.Kinds[audit.Release])
	require.GreaterOrEqual(t, int64(there.Kinds[audit.Release]), releases.Load())
	// What was disclosed and not released stands in both logs, under one trace.
	dropped := 0
	for _, e := range w.source.record.about("") {
		if e.Kind != audit.Release {
			continue
		}
		all := w.asker.record.about(e.Trace)
		require.NotEmpty(t, all)
		if at := slices.IndexFunc(all, func(e audit.Entry) bool { return e.Kind == audit.Release }); len(all[at].Rests) == 0 {
			dropped++
		}
	}
	t.Logf("%d questions: %d released, %d gaps, %d disclosed and dropped; %d and %d entries verify", questions, releases.Load(), refusals.Load(), dropped, here.Size, there.Size)
}

// A gateway that was away is asked again as soon as it is back, also when many ask meanwhile.
func TestASourceThatWasAway(t *testing.T) {
	w := newTwo(t, options{})
	p := w.person("P")
	w.give(p, "")
	w.composed(p)
	w.source.stop()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				b, err := w.compose(p)
				if err != nil || !slices.Equal(gaps(b), []string{"SOURCE_UNAVAILABLE PEER_UNREACHABLE [] []"}) {
					t.Error(err, gaps(b))
				}
			}
		})
	}
	all.Wait()
	w.source.open()
	require.Eventually(t, func() bool { return len(gaps(w.composed(p))) == 0 }, 30*time.Second, 50*time.Millisecond)
	w.asker.verify()
	w.source.verify()
}
