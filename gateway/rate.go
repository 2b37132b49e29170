package gateway

import (
	"strings"
	"sync"

	"github.com/ontschot/ontschot/gateway/policy"
)

// rates counts what is done under each key in a stretch of time. It counts for this
// process.
type rates struct {
	mu      sync.Mutex
	stretch int64
	counts  map[string]int
}

// take counts one under the key and tells whether that is within the most there may be.
func (r *rates) take(key string, most int, stretch int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stretch != r.stretch || r.counts == nil {
		r.stretch, r.counts = stretch, map[string]int{}
	}
	if r.counts[key] >= most {
		return false
	}
	r.counts[key]++
	return true
}

// accepts counts a question to a source, and tells whether it is within the rate that
// the source signed for this purpose. An organisation's own source has no agreement,
// and no limit.
func (g *Gateway) accepts(p policy.Grant) bool {
	grant := p.Agreement().Grant()
	key := string(grant.Consumer) + " " + string(grant.Source) + " " + strings.Join(grant.Purposes, " ")
	return grant.RatePerMinute == 0 || g.rates.take(key, grant.RatePerMinute, g.Now().Unix()/60)
}
