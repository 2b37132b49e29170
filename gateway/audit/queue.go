package audit

import (
	"context"
	"fmt"
	"slices"
)

func (l *Log) queue(ctx context.Context, w *waiter) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting to be recorded: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return fmt.Errorf("%w: it is closed", ErrUnavailable)
	}
	if len(l.waiting) >= maxWaiting {
		return fmt.Errorf("%w: too many entries wait", ErrUnavailable)
	}
	l.waiting = append(l.waiting, w)
	l.signal()
	return nil
}

// Waiting is how many entries wait for the transaction that is under way; a
// figure for operators.
func (l *Log) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// signal wakes the writer; a signal that is not taken yet serves for all.
func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// leave takes a waiter out of the queue; false if the writer has it already.
func (l *Log) leave(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, w)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

// take gives what has queued up, in order, and whether the log was closed. An erasure ends
// its group: the next one goes by what it left in the store.
func (l *Log) take() (group []*waiter, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), maxGroup)
	if i := slices.IndexFunc(l.waiting[:n], func(w *waiter) bool { return w.kind == Erasure }); i >= 0 {
		n = i + 1
	}
	group = slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return group, l.closed
}
