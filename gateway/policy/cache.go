package policy

import "sync"

// cache holds outcomes of one revision on one civil date. The date is part of
// every key; forgetting the whole of it at another date keeps it small.
type cache struct {
	mu       sync.Mutex
	date     string
	limit    int
	outcomes map[string]Outcome
}

func newCache(limit int) *cache {
	return &cache{limit: limit, outcomes: map[string]Outcome{}}
}

func (c *cache) get(key []byte) (Outcome, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, ok := c.outcomes[string(key)]
	return o, ok
}

// put stores an outcome. A cache that is full starts anew: what is asked now is
// likelier to be asked again than what was asked before.
func (c *cache) put(date string, key []byte, o Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date != date || len(c.outcomes) >= c.limit {
		clear(c.outcomes)
		c.date = date
	}
	c.outcomes[string(key)] = o
}

func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.outcomes)
}
