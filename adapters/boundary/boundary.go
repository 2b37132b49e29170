// Package boundary answers: what can the process of an adapter do? It starts programs, in
// any language, behind layers that do not depend on one another, and says of each whether
// it is active and why not. An adapter is a stranger: it is given the few files that any
// program needs, those that are declared, and the ports it is configured for.
package boundary

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// Errors of starting.
var (
	// ErrFloor: a layer without which no adapter is to run is not active.
	ErrFloor = errors.New("adapter would run below the floor")
	// ErrProgram: the program cannot be read, or does not begin.
	ErrProgram = errors.New("adapter's program cannot be started")
)

// Layer of the boundary around one process.
type Layer struct {
	Name   string // one of Layers
	Active bool
	Why    string // what is missing, or what an active one does not cover
}

// Layers lists the names in the order in which they are shown.
func Layers() []string { return stage.Layers() }

// Floor is that of production when the operator says nothing: what every supported Linux
// gives to root and to an ordinary user alike.
func Floor() []string {
	return []string{
		stage.Environment, stage.Privileges, stage.Capabilities, stage.Files, stage.Syscalls,
		stage.Processes, stage.Limits, stage.Log,
	}
}

// Profile is what one adapter may do. The zero value may do nothing but answer its host.
type Profile struct {
	// Read are files and folders that it may read, absolute.
	Read []string
	// Ports that it may connect to over TCP; none: it has no network.
	Ports []uint16
	// MemoryMiB bounds its memory; zero is 512.
	MemoryMiB int
	// Processes bounds its processes and threads; zero is 256.
	Processes int
	// Floor names the layers without which it is not started.
	Floor []string
	// Users are the user ids that nobody else has, first and last, of which each adapter
	// gets one where the gateway may switch users; zero is 62000 to 62999.
	Users [2]uint32

	off []string // layers that are left out; tests alone do, to see what the others are worth
}

func (p Profile) without(layer string) bool { return slices.Contains(p.off, layer) }

// What a Profile that says nothing means.
const (
	usualMemory    = 512
	usualProcesses = 256
	firstUser      = 62000
	lastUser       = 62999
)

func (p Profile) complete() (Profile, error) {
	if p.MemoryMiB == 0 {
		p.MemoryMiB = usualMemory
	}
	if p.Processes == 0 {
		p.Processes = usualProcesses
	}
	if p.Users == [2]uint32{} {
		p.Users = [2]uint32{firstUser, lastUser}
	}
	for _, name := range p.Floor {
		if !slices.Contains(Layers(), name) {
			return p, fmt.Errorf("%w: %q is no layer; they are %v", ErrFloor, name, Layers())
		}
	}
	return p, nil
}

// Launch is one start of a program.
type Launch struct {
	// Args with the program's name, and its whole environment.
	Args, Env []string
	// Sockets is the folder in which it makes its socket.
	Sockets        string
	Stdout, Stderr *os.File
	// Lifeline is its descriptor 3.
	Lifeline *os.File
	// Run runs a function on the thread whose end kills the process.
	Run func(func())
}

// known gives findings as layers, in their order; the last word of each counts.
func known(found []stage.Finding) []Layer {
	var all []Layer
	for _, name := range Layers() {
		one := Layer{Name: name, Why: "not known"}
		for _, f := range found {
			if f.Name == name {
				one.Active, one.Why = f.Active, f.Why
			}
		}
		all = append(all, one)
	}
	return all
}

// below is ErrFloor with the layers that are missing; nil when none of the floor is.
func below(floor []string, layers []Layer) error {
	for _, l := range layers {
		if slices.Contains(floor, l.Name) && !l.Active {
			return fmt.Errorf("%w: %s is missing: %s", ErrFloor, l.Name, l.Why)
		}
	}
	return nil
}
