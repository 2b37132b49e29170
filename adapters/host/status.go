package host

import (
	"time"

	"github.com/ontschot/ontschot/adapters/boundary"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// State is what an adapter is doing.
type State string

// States, in the order in which an adapter comes by them.
const (
	Starting    State = "starting"    // a process, or a connection, of which nothing is known yet
	Describing  State = "describing"  // it is asked what it is
	Configuring State = "configuring" // it is given its configuration
	Ready       State = "ready"
	Degraded    State = "degraded" // it is there, and its source was down a moment ago
	Restarting  State = "restarting"
	Quarantined State = "quarantined" // it crashed again and again; a reload lifts it
	Refused     State = "refused"     // it is not what was agreed to be asked
	Stopped     State = "stopped"
)

// Status is how an adapter stands at this moment. It holds nothing of persons.
type Status struct {
	Party string
	// Place is the program, or host:port at the agency.
	Place string
	// Describe is what it last said of itself; nil when it never did.
	Describe *adapterv1.DescribeResponse
	State    State
	Since    time.Time
	// Why it is in that state, for an operator; empty where the state says it all.
	Why string
	// PID of its process; zero when there is none on this machine.
	PID int
	// Layers of the boundary around its process, each active or not and why.
	Layers []boundary.Layer
	// Starts is how often it was started.
	Starts int
	// Calls and Failed count since the gateway started; InFlight is now.
	Calls, Failed uint64
	InFlight      int
}
