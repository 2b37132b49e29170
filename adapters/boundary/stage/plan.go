// Package stage answers: which rights are left to an adapter's process when its program
// begins? The host starts this program once more, as a stage that takes rights away and
// then becomes the adapter's program; so it holds for programs in any language.
//
// The stage runs when this package is initialised, before the rest of the program is: that
// takes 4 ms where the whole program takes 20. It therefore imports nothing but the
// standard library, and does nothing unless the host has called the program by Name.
package stage

// Name is what the stage is called by, instead of the path of a program.
const Name = "ontschot: stage of an adapter"

// Descriptors of the stage. The adapter keeps the first alone.
const (
	Lifeline = 3 + iota
	Orders   // the Plan, as JSON
	Report   // a Finding a line comes out, and its end when the program has begun
	Program  // what becomes the process; unless Plan.Self
	Ruleset  // landlock; unless Plan.Rights is zero
)

// Plan says what the stage does, in the order of its fields.
type Plan struct {
	// Self says that the program is this one, once more.
	Self bool `json:"self,omitempty"`
	// Script says that Program is read by an interpreter, which opens it by its number.
	Script bool `json:"script,omitempty"`
	// Argv with the program's name.
	Argv []string `json:"argv"`
	// Tree is what the process sees of the file system; nil: what there is.
	Tree *Tree `json:"tree,omitempty"`
	// Limits of resources (setrlimit).
	Limits []Limit `json:"limits,omitempty"`
	// User and group to be, when not zero.
	User uint32 `json:"user,omitempty"`
	// Sweep ends every process of User, and then the stage.
	Sweep bool `json:"sweep,omitempty"`
	// Rights are those of landlock on files that the kernel knows: of reading and of
	// everything; zero: there is no Ruleset.
	Rights Rights `json:"rights"`
	// Filter is the seccomp program, as the kernel takes it: eight bytes an instruction.
	Filter []byte `json:"filter,omitempty"`
	// Floor names the findings without which no program is begun.
	Floor []string `json:"floor,omitempty"`
	// Known is what the host found before: layers that it puts in place itself.
	Known []Finding `json:"known,omitempty"`
}

// Tree is a file system of its own, under an empty root.
type Tree struct {
	// Root is an empty folder, on which the new root is built.
	Root string `json:"root"`
	// Entries in the order in which they are made.
	Entries []Entry `json:"entries"`
	// TmpBytes bounds /tmp, which is empty, private, and gone with the process.
	TmpBytes int64 `json:"tmp_bytes"`
	// Proc is whether it sees its own processes in /proc.
	Proc bool `json:"proc,omitempty"`
}

// Entry is a file or folder that is seen where it is, or a link.
type Entry struct {
	Path  string `json:"path"`
	Link  string `json:"link,omitempty"`  // what it points to
	File  bool   `json:"file,omitempty"`  // no folder
	Write bool   `json:"write,omitempty"` // may be written to
	Dev   bool   `json:"dev,omitempty"`   // a device
}

// Limit of a resource, both soft and hard.
type Limit struct {
	Resource int    `json:"resource"`
	Most     uint64 `json:"most"`
}

// Rights of landlock, as bits.
type Rights struct {
	Read  uint64 `json:"read,omitempty"`
	Write uint64 `json:"write,omitempty"`
	Flags uint32 `json:"flags,omitempty"`
}

// Finding says of a layer whether it is active.
type Finding struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
	Why    string `json:"why,omitempty"` // what is missing, or what the layer does not cover
}

// Names of the layers.
const (
	Environment  = "environment"  // nothing of the gateway's environment
	User         = "user"         // a user of its own
	Privileges   = "privileges"   // no_new_privs: no program gives it more
	Capabilities = "capabilities" // none
	View         = "view"         // it sees the files it needs, and no others
	Files        = "files"        // landlock: it opens the files it needs, and no others
	Ports        = "ports"        // landlock: it connects to the ports it needs, and listens to none
	Network      = "network"      // a network of its own, without anything in it
	Syscalls     = "syscalls"     // seccomp
	Processes    = "processes"    // it sees no others, and nothing of it outlives it
	Limits       = "limits"       // rlimits
	Cgroup       = "cgroup"       // memory and processes, of all together
	Log          = "log"          // what it writes is bounded
)

// Layers lists them in the order in which they are shown.
func Layers() []string {
	return []string{Environment, User, Privileges, Capabilities, View, Files, Ports, Network, Syscalls, Processes, Limits, Cgroup, Log}
}
