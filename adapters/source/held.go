package source

import (
	"context"
	"sync/atomic"

	"github.com/ontschot/ontschot/adapters"
)

// Held is the system of an adapter, as it was configured last. An adapter embeds it
// and has its Configure.
type Held struct {
	needs   Needs
	current atomic.Pointer[Source]
}

// Hold makes a Held without configuration.
func Hold(needs Needs) *Held { return &Held{needs: needs} }

// Configure implements adapters.Adapter: all of a new configuration, or what there was.
func (h *Held) Configure(_ context.Context, c adapters.Config) error {
	src, err := New(c, h.needs)
	if err != nil {
		return err
	}
	h.current.Store(src)
	return nil
}

// Source gives the system; NOT_CONFIGURED while there is none.
func (h *Held) Source() (*Source, error) {
	if src := h.current.Load(); src != nil {
		return src, nil
	}
	return nil, adapters.NotConfigured()
}
