package source

import (
	"context"
	"sync/atomic"

	"github.com/ontschot/ontschot/adapters"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
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

// Validate implements adapters.Validator.
func (h *Held) Validate(_ context.Context, c adapters.Config) error {
	_, err := New(c, h.needs)
	return err
}

// Takes adds to what an adapter says of itself which configuration and secrets it takes, and
// which addresses it connects to.
func (h *Held) Takes(what *adapterv1.DescribeResponse) *adapterv1.DescribeResponse {
	what.ConfigSchema, what.Secrets, what.Egress = h.needs.schema(), h.needs.secrets(), h.needs.egress()
	return what
}

// Source gives the system; NOT_CONFIGURED while there is none.
func (h *Held) Source() (*Source, error) {
	if src := h.current.Load(); src != nil {
		return src, nil
	}
	return nil, adapters.NotConfigured()
}
