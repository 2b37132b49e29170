package telemetry

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ontschot/ontschot/gateway/audit"
)

// Record is the audit log, as who writes to it sees it.
type Record interface {
	audit.Appender
	Erase(ctx context.Context, e audit.Entry) (audit.Erased, error)
}

// record remembers when the log could not be written.
type record struct {
	failed atomic.Int64 // Unix nanoseconds of the last time; 0: never, or it was written since
}

// Recorded is the log, watched: what is handed to it, how long it takes, what comes of it.
func (t *Telemetry) Recorded(r Record) Record { return recorded{r, t} }

type recorded struct {
	Record
	t *Telemetry
}

// Append is Record's.
func (r recorded) Append(ctx context.Context, e audit.Entry) (audit.Proof, error) {
	begun := time.Now()
	proof, err := r.Record.Append(ctx, e)
	r.t.appended(e.Kind, begun, proof.Again, err)
	return proof, err
}

// Erase is Record's.
func (r recorded) Erase(ctx context.Context, e audit.Entry) (audit.Erased, error) {
	begun := time.Now()
	erased, err := r.Record.Erase(ctx, e)
	r.t.appended(audit.Erasure, begun, false, err)
	return erased, err
}

// Outcomes of an entry that was handed to the log.
const (
	written     = "recorded"
	again       = "again"
	ended       = "ended" // what it rests on ended meanwhile
	unavailable = "unavailable"
	refused     = "refused"
)

func (t *Telemetry) appended(kind audit.Kind, begun time.Time, before bool, err error) {
	outcome := written
	switch {
	case errors.Is(err, audit.ErrUnavailable), errors.Is(err, audit.ErrDamaged), errors.Is(err, audit.ErrTampered):
		outcome = unavailable
		t.record.failed.Store(time.Now().UnixNano())
	case errors.Is(err, audit.ErrEnded), errors.Is(err, audit.ErrJudged):
		outcome = ended
	case err != nil:
		outcome = refused
	case before:
		outcome = again
	}
	t.metrics.appends.WithLabelValues(kindOf(kind), outcome).Inc()
	if err != nil {
		return
	}
	t.record.failed.Store(0)
	t.metrics.appending.Observe(time.Since(begun).Seconds())
	switch kind {
	case audit.Decision:
		t.metrics.decisions.WithLabelValues(allowed).Inc()
	case audit.Deny:
		t.metrics.decisions.WithLabelValues(denied).Inc()
	}
}

// recent is for how long a log that could not be written keeps a gateway from being ready: then
// it is tried again, or nobody would find out that it can.
const recent = 15 * time.Second

// RecordFails reports whether the log could not be written the last time, moments ago.
func (t *Telemetry) RecordFails() bool {
	failed := t.record.failed.Load()
	return failed != 0 && time.Since(time.Unix(0, failed)) < recent
}
