package door

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// told is how long what was not written waits until its number is.
const told = 10 * time.Second

// lines writes as many as it may, and counts the others.
type lines struct {
	next slog.Handler
	*quota
}

// quota is what all handlers share that were made from one.
type quota struct {
	limiter *rate.Limiter
	missed  atomic.Int64 // since the last that was told
	all     *atomic.Uint64
	plain   slog.Handler
}

// Lines is a handler for what callers can have written as often as they like: refusals above
// all. Of a flood it writes as many in a minute as the limits say, and after ten seconds how many
// it did not.
func (d *Door) Lines(next slog.Handler) slog.Handler {
	most := d.limits.RefusedLines
	return lines{next, &quota{limiter: rate.NewLimiter(rate.Limit(float64(most)/60), most), all: &d.missed, plain: next}}
}

// Enabled implements slog.Handler.
func (l lines) Enabled(ctx context.Context, level slog.Level) bool { return l.next.Enabled(ctx, level) }

// Handle implements slog.Handler.
func (l lines) Handle(ctx context.Context, r slog.Record) error {
	if l.limiter.Allow() {
		return l.next.Handle(ctx, r)
	}
	l.all.Add(1)
	if l.missed.Add(1) == 1 {
		time.AfterFunc(told, l.tell)
	}
	return nil
}

// tell writes how many were not written.
func (q *quota) tell() {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "more lines were not written", 0)
	r.AddAttrs(slog.Int64("lines", q.missed.Swap(0)))
	_ = q.plain.Handle(context.Background(), r)
}

// WithAttrs implements slog.Handler.
func (l lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lines{l.next.WithAttrs(attrs), l.quota}
}

// WithGroup implements slog.Handler.
func (l lines) WithGroup(name string) slog.Handler { return lines{l.next.WithGroup(name), l.quota} }
