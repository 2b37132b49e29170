package host

import "runtime"

// thread runs functions one after the other on one operating system thread that
// lives as long as it does. A parent-death signal follows the thread that
// started the child, not the process: on a thread that the runtime may end, it
// would kill a healthy adapter.
type thread struct {
	work chan func()
}

func newThread() *thread {
	t := &thread{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // its children are gone by now
		for f := range t.work {
			f()
		}
	}()
	return t
}

// run waits until f has run.
func (t *thread) run(f func()) {
	done := make(chan struct{})
	t.work <- func() { defer close(done); f() }
	<-done
}

// end lets the thread go; run must not be called after it.
func (t *thread) end() { close(t.work) }
