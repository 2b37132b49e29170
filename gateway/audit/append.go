package audit

import (
	"context"
	"slices"
	"time"

	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/internal/identity"
)

// appendTimeout bounds an append that goes on without who asked for it.
const appendTimeout = 5 * time.Second

// Appender makes an entry durable before it returns, or says why not: ErrUnavailable
// when nothing can be written, *EndedError when something the entry rests on is no longer
// live. Concurrent calls are ordered.
type Appender interface {
	Append(ctx context.Context, e Entry) (Proof, error)
}

// Append appends an entry whatever becomes of ctx: a caller who hangs up does not erase
// the trace. It takes at most five seconds.
func Append(ctx context.Context, to Appender, e Entry) (Proof, error) {
	ctx, cancel := Lasting(ctx)
	defer cancel()
	return to.Append(ctx, e)
}

// Lasting is a context for what goes on after ctx has ended, for at most five seconds.
func Lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), appendTimeout)
}

// Involve names an organisation in the entry, once.
func (e *Entry) Involve(organisation identity.OIN) { add(&e.Organisations, organisation) }

// RestOn says what the entry rests on, each once.
func (e *Entry) RestOn(rests ...register.Rest) {
	for _, r := range rests {
		add(&e.Rests, r)
	}
}

// Concern names a consent and an agreement, by its digest, in the entry: each once, and
// none that is empty.
func (e *Entry) Concern(consent, agreement string) {
	if consent != "" {
		add(&e.Consents, consent)
	}
	if agreement != "" {
		add(&e.Agreements, agreement)
	}
}

func add[T comparable](list *[]T, one T) {
	if !slices.Contains(*list, one) {
		*list = append(*list, one)
	}
}
