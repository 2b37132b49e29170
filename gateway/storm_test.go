package gateway_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// storm is a gateway of which many ask, while others end what the answers rest on.
type storm struct {
	*house
	tick    atomic.Int64 // orders what the test itself does
	left    atomic.Int64 // requests that are still to be made
	changes chan bool    // so many are due
	seats   []*seat
	signing sync.Mutex // of agreements
	mu      sync.Mutex
	ends    map[string]end
	budgets []heard
	denied  int
}

// seat is a place in a household. Who sits there gives consent, takes it back and
// gives it again, and after a while makes way for somebody else.
type seat struct {
	mu     sync.Mutex
	person person
	id     string // of the consent
	given  int
	renews bool // instead of withdrawing: one consent takes the place of another
}

// end of a document: the index of its entry, and when it was asked for.
type end struct{ index, asked int64 }

// heard is a budget that came out, and when.
type heard struct {
	budget *budgetv1.Budget
	at     int64
}

// Sixteen ask and eight withdraw, renew and revoke, all at once. Every budget that
// comes out rests on nothing that had ended before it in the record.
func TestNothingIsReleasedAfterItsEndInAStorm(t *testing.T) {
	s := &storm{house: newHouse(t, nil), ends: map[string]end{}, changes: make(chan bool, requests)}
	s.left.Store(requests)
	for i := range 6 {
		s.seats = append(s.seats, &seat{renews: i >= 4})
		s.sit(s.seats[i])
	}
	var asking, all sync.WaitGroup
	for range 16 {
		asking.Go(s.ask)
	}
	for range 8 {
		all.Go(s.change)
	}
	asking.Wait()
	close(s.changes)
	all.Wait()
	s.judge()
}

// sit puts somebody new into a seat.
func (s *storm) sit(at *seat) {
	at.person, at.given = s.person("X"), 1
	at.id = s.give(at.person, "", all("GM0119", "ZK5503")...)
}

// seated is who sits there now, under a reference of the request's own.
func (a *seat) seated(ref string) person {
	a.mu.Lock()
	defer a.mu.Unlock()
	return person{ref: ref, bsn: a.person.bsn, born: a.person.born}
}

func (s *storm) ask() {
	me := s.municipality().call()
	for n := s.left.Add(-1); n >= 0; n = s.left.Add(-1) {
		if n%4 == 0 {
			s.changes <- n%256 == 0
		}
		seats := rand.Perm(len(s.seats))
		a, b := s.seats[seats[0]].seated("A"), s.seats[seats[1]].seated("B")
		got, err := s.compose(me, s.request([]person{a, b}, [2]string{"A", "GM0119"}, [2]string{"A", "ZK5503"}, [2]string{"B", "GM0119"}, [2]string{"B", "ZK5503"}))
		at := s.tick.Add(1)
		s.mu.Lock()
		if err == nil {
			s.budgets = append(s.budgets, heard{got, at})
		} else if codeOf(err) == codes.PermissionDenied {
			s.denied++
		} else {
			s.t.Errorf("a request failed: %v", err)
		}
		s.mu.Unlock()
	}
}

func (s *storm) ended(id string, asked int64, index int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[id] = end{index, asked}
}

// change withdraws a consent, or renews it, and gives another.
func (s *storm) change() {
	for agreement := range s.changes {
		if agreement {
			s.revoke()
		}
		at := s.seats[rand.IntN(len(s.seats))]
		at.mu.Lock()
		asked := s.tick.Add(1)
		if at.renews {
			old := at.id
			at.id = s.give(at.person, old, all("GM0119", "ZK5503")...)
			s.ended(old, asked, s.house.ended(old))
		} else {
			s.ended(at.id, asked, s.withdraw(at.id))
			at.id = s.give(at.person, "", all("GM0119", "ZK5503")...)
		}
		if at.given++; at.given > 8 {
			s.sit(at)
		}
		at.mu.Unlock()
	}
}

// revoke ends the agreement with the care office and signs another.
func (s *storm) revoke() {
	s.signing.Lock()
	defer s.signing.Unlock()
	id, asked := s.agreements["ZK5503"], s.tick.Add(1)
	_, err := s.RevokeAgreement(s.municipality().call(), &ontschotv1.RevokeAgreementRequest{Id: id, Reason: "it ends"})
	require.NoError(s.t, err)
	s.ended(id, asked, s.house.ended(id))
	s.agree("ZK5503", nil)
}

// judge holds every budget against every end.
func (s *storm) judge() {
	t, endFirst, releaseFirst := s.t, 0, 0
	for _, h := range s.budgets {
		_, err := result.Verify(h.budget, s.config.Trust)
		require.NoError(t, err)
		release := h.budget.GetReceipt().GetIndex()
		disclosed := map[[2]string]bool{}
		for _, r := range h.budget.GetSources() {
			disclosed[[2]string{r.GetPerson(), r.GetSource()}] = r.GetStatus() == "OK"
			for _, id := range []string{r.GetConsent(), r.GetAgreement()} {
				e, over := s.ends[id]
				switch {
				case !over:
				case r.GetStatus() == "OK":
					require.Less(t, release, e.index, "a release rests on what had ended")
					if e.asked < h.at { // before the answer was there
						releaseFirst++
					}
				case e.index < release:
					endFirst++ // after the request was decided, or nothing would be named
				}
			}
		}
		for _, l := range h.budget.GetLines() {
			require.True(t, disclosed[[2]string{l.GetPerson(), l.GetFunder()}], "a line of a source that disclosed nothing")
		}
	}
	require.Positive(t, endFirst, "no end came between a decision and its release")
	require.Positive(t, releaseFirst, "no end was asked for while a release was made")
	report := s.verify()
	require.EqualValues(t, len(s.budgets), report.Kinds[audit.Release])
	require.EqualValues(t, s.denied, report.Kinds[audit.Deny])
	require.EqualValues(t, requests, len(s.budgets)+s.denied)
	t.Logf("%d requests: %d releases, %d denied; %d consents and agreements ended meanwhile; an answer lost what it rested on to an end %d times, and was released while the end was asked for %d times; %d entries verify",
		requests, len(s.budgets), s.denied, len(s.ends), endFirst, releaseFirst, report.Size)
}
