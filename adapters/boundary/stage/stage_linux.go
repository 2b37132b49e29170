package stage

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
)

// What the stage ends with when there is no program to become.
const (
	exitOrders  = 121 + iota // no orders
	exitFloor                // below the floor
	exitProgram              // the program does not begin
)

// The stage. An init, against the rule of the house: later than this the whole program is
// initialised, which takes five times as long as all that the stage does.
func init() {
	if len(os.Args) != 1 || os.Args[0] != Name {
		return
	}
	runtime.LockOSThread() // what is taken away is taken from this thread, which becomes the program
	os.Exit(run())
}

// run returns only when the program does not begin.
func run() int {
	orders := os.NewFile(Orders, "orders")
	raw, err := io.ReadAll(orders)
	var p Plan
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return exitOrders
	}
	if p.Sweep {
		return sweep(p.User)
	}
	s := &stage{Plan: p, report: os.NewFile(Report, "report"), program: Program}
	for _, known := range p.Known {
		s.say(known)
	}
	if p.Self { // opened before it is out of sight
		if s.program, err = syscall.Open("/proc/self/exe", syscall.O_RDONLY, 0); err != nil {
			return exitProgram
		}
	}
	s.strip()
	if missing := s.below(); missing != "" {
		s.say(Finding{Name: missing, Why: "floor"})
		return exitFloor
	}
	if err := s.become(); err != nil {
		s.say(Finding{Name: "program", Why: err.Error()})
	}
	return exitProgram
}

// stage is one run of it.
type stage struct {
	Plan
	report  *os.File
	program int
	found   []Finding
}

// say reports a finding. Without a host that reads it no program is to begin.
func (s *stage) say(f Finding) {
	s.found = append(s.found, f)
	if json.NewEncoder(s.report).Encode(f) != nil {
		os.Exit(exitOrders)
	}
}

// is reports a layer by whether it went wrong, and what it does not cover.
func (s *stage) is(name string, err error, but string) {
	if err != nil {
		s.say(Finding{Name: name, Why: err.Error()})
		return
	}
	s.say(Finding{Name: name, Active: true, Why: but})
}

// strip takes the rights away, each of which may be needed for those before it.
func (s *stage) strip() {
	seen := s.view()
	s.limits()
	err := s.drop()
	s.is(Capabilities, err, "")
	again() // it was cleared with the user
	err = prctl(prSetNoNewPrivs, 1, 0)
	s.is(Privileges, err, "")
	s.restrict(seen)
	s.filter()
}

// below names a layer of the floor that is not active; "" is none.
func (s *stage) below() string {
	for _, name := range s.Floor {
		if !slices.ContainsFunc(s.found, func(f Finding) bool { return f.Name == name && f.Active }) {
			return name
		}
	}
	return ""
}

// sweep ends every process of a user that is an adapter's alone, and this one.
func sweep(user uint32) int {
	if user == 0 || become(user) != nil {
		return exitOrders
	}
	_ = syscall.Kill(-1, syscall.SIGKILL) // all but this one
	return 0
}
