// Package host answers: is the adapter of this party running, and what does it
// say? It starts one process per party, asks it, and starts it again when it dies.
package host

import (
	"errors"
	"io"
	"os"
	"runtime"
	"time"
)

// Errors of starting and of a process that is gone.
var (
	ErrStart       = errors.New("adapter does not start")
	ErrKind        = errors.New("adapter is of another kind than expected")
	ErrConfigured  = errors.New("adapter refuses its configuration")
	ErrQuarantined = errors.New("adapter crashes again and again")
	ErrClosed      = errors.New("adapter is closed")
)

// Config of one adapter process.
type Config struct {
	// Path of the program; empty is this program itself.
	Path string
	// Args for the program, without its name.
	Args []string
	// Party is the code of the party it answers for: its records are of nobody else. Required.
	Party string
	// Kind is the adapter id that it must describe itself with, for example
	// "municipality". Required.
	Kind string
	// ConfigJSON and Secrets are the adapter's whole configuration. They are kept
	// in memory, for a process that has to be started again.
	ConfigJSON []byte
	Secrets    map[string]string
	// Log gets what the adapter writes to standard error, with what looks like a
	// BSN masked, and one line for each end and each start. nil is nowhere.
	Log io.Writer
	// StartTimeout bounds one start, from launch to configured; zero is 10 seconds.
	StartTimeout time.Duration
}

func (c Config) complete() (Config, error) {
	switch {
	case c.Party == "":
		return c, errors.New("host: Party is needed")
	case c.Kind == "":
		return c, errors.New("host: Kind is needed")
	}
	if c.Path == "" {
		self, err := self()
		if err != nil {
			return c, err
		}
		c.Path = self
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.StartTimeout <= 0 {
		c.StartTimeout = 10 * time.Second
	}
	return c, nil
}

// self is the program that runs now. On Linux the link stays right when the file
// is replaced during an upgrade: host and adapter remain of one build.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
