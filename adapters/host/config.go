// Package host answers: is the adapter of this party running, and what does it
// say? It starts one process per party, asks it, and starts it again when it dies.
package host

import (
	"errors"
	"io"
	"time"

	"github.com/ontschot/ontschot/adapters/boundary"
	adapterv1 "github.com/ontschot/ontschot/proto/ontschot/adapter/v1"
)

// Errors of starting and of a process that is gone.
var (
	ErrStart       = errors.New("adapter does not start")
	ErrKind        = errors.New("adapter is of another kind than expected")
	ErrDescribed   = errors.New("adapter does not say well what it is")
	ErrWanted      = errors.New("adapter is not what will be asked of it")
	ErrConfigured  = errors.New("adapter refuses its configuration")
	ErrQuarantined = errors.New("adapter crashes again and again")
	ErrClosed      = errors.New("adapter is closed")
)

// Config of one adapter process.
type Config struct {
	// Program that was read and found good before; the process takes it over. nil: Path says.
	Program *boundary.Program
	// Path of the program; empty is this program itself.
	Path string
	// Args for the program, without its name.
	Args []string
	// Party is the code of the party it answers for: its records are of nobody else. Required.
	Party string
	// Kind is the adapter id that it must describe itself with, for example
	// "municipality"; empty only with a Path: whatever that program is.
	Kind string
	// Wants is what will be asked of it; the zero value is nothing.
	Wants Wants
	// ConfigJSON and Secrets are the adapter's whole configuration. They are kept
	// in memory, for a process that has to be started again.
	ConfigJSON []byte
	Secrets    map[string]string
	// Log gets what the adapter writes to standard error, with what looks like a
	// BSN masked, and one line for each end and each start. nil is nowhere.
	Log io.Writer
	// Boundary is what the process may do.
	Boundary boundary.Profile
	// Accept looks at what the adapter says of itself, at every start, before it is given its
	// configuration and secrets. nil takes everything.
	Accept func(*adapterv1.DescribeResponse) error
	// StartTimeout bounds one start, from launch to configured; zero is 10 seconds.
	StartTimeout time.Duration
	// HealthEvery is how often it is asked how it is; zero is 10 seconds.
	HealthEvery time.Duration
}

func (c Config) complete() (Config, error) {
	switch {
	case c.Party == "":
		return c, errors.New("host: Party is needed")
	case c.Kind == "" && c.Path == "" && c.Program == nil:
		return c, errors.New("host: Kind, or a Path, is needed")
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.StartTimeout <= 0 {
		c.StartTimeout = 10 * time.Second
	}
	if c.HealthEvery <= 0 {
		c.HealthEvery = healthEvery
	}
	return c, nil
}
