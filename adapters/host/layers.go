package host

import (
	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/boundary"
)

// newBox prepares the boundary around the processes of one adapter.
func newBox(c Config, folder string) (*boundary.Box, error) {
	program := c.Program
	switch {
	case program != nil:
	case c.Path == "":
		program = boundary.Self()
	default:
		var err error
		if program, err = boundary.Read(c.Path); err != nil {
			return nil, err
		}
	}
	box, err := boundary.New(c.Party, c.Boundary, program, folder)
	if err != nil {
		program.Close()
	}
	return box, err
}

// refused is why the child's process could not be started, or is not spoken to.
func (c *child) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.command == nil {
		return nil
	}
	return c.command.refused
}

// argv is what the program is called with.
func (c Config) argv() []string {
	name := c.Path
	if name == "" {
		name = "ontschot"
	}
	return append([]string{name}, c.Args...)
}

// LastWords are the last 64 KiB that the adapter wrote to standard error, masked, and how
// many bytes of it were too much for the log in all.
func (p *Process) LastWords() (text []byte, dropped int64) {
	text, dropped = p.flood.last()
	return adapters.Mask(text), dropped
}
