package gateway

import (
	"sync"
	"time"

	"github.com/ontschot/ontschot/gateway/policy"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

// rates counts the questions that were asked under each agreement this minute, so
// that no source is asked more than it signed for. It counts for this process.
type rates struct {
	mu     sync.Mutex
	minute int64
	asked  map[string]int
}

// take counts one question and tells whether the source still accepts it. An
// organisation's own source has no agreement, and no limit.
func (r *rates) take(grant policy.Grant, now time.Time) bool {
	most := grant.Agreement().Grant().RatePerMinute
	if most == 0 {
		return true
	}
	key := grant.Agreement().Agreement().ID() + " " + string(grant.Agreement().Grant().Source)
	r.mu.Lock()
	defer r.mu.Unlock()
	if minute := now.Unix() / 60; minute != r.minute || r.asked == nil {
		r.minute, r.asked = minute, map[string]int{}
	}
	if r.asked[key] >= most {
		return false
	}
	r.asked[key]++
	return true
}

// tooMany is the gap of a source that accepts no more questions this minute.
func tooMany(p pair) *budgetv1.Gap {
	return &budgetv1.Gap{
		Reason: budgetv1.ReasonPeerRefused, Code: "RATE_LIMITED",
		TextNl: "De gegevens van " + string(p.person.ref) + " bij " + p.source.Code + " ontbreken. In de overeenkomst staat hoeveel vragen per minuut mogen, en dat aantal is bereikt. De medewerker van de gemeente kan het over een minuut opnieuw vragen.",
		TextEn: "The data of " + string(p.person.ref) + " at " + p.source.Code + " are missing. The agreement says how many questions a minute are accepted, and that many were asked. The case worker can ask again in a minute.",
	}
}
