package host

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hashicorp/go-plugin"

	"github.com/ontschot/ontschot/adapters/boundary"
	"github.com/ontschot/ontschot/adapters/handshake"
)

// command is the operating system's side of one adapter process. It implements
// go-plugin's Runner, with pipes of its own: waiting for the process then does
// not wait for whoever else holds their other end.
type command struct {
	box            *boundary.Box
	launch         boundary.Launch
	cmd            *exec.Cmd // once it is started
	layers         []boundary.Layer
	refused        error    // why it is not, or is not spoken to
	stdout, stderr *os.File // our ends
	lifeline       *os.File // closes with us; the adapter ends when it does
	pair           []byte   // what goes down it
	theirs         []*os.File

	exited chan struct{} // closed when the process is gone

	mu   sync.Mutex // guards cmd and what follows
	gone bool       // the process id may belong to another by now
}

// newCommand prepares to start a program with nothing of our environment but env, and to
// hand it its pair.
func newCommand(t *thread, g *generation, env []string, pair []byte) (*command, error) {
	c := &command{box: g.box, pair: pair, exited: make(chan struct{})}
	var stdout, stderr, lifeline *os.File
	var err error
	for _, p := range []struct{ read, write **os.File }{
		{&c.stdout, &stdout}, {&c.stderr, &stderr}, {&lifeline, &c.lifeline},
	} {
		if *p.read, *p.write, err = os.Pipe(); err != nil {
			c.closeAll(c.stdout, c.stderr, c.lifeline, stdout, stderr, lifeline)
			return nil, err
		}
	}
	c.theirs = []*os.File{stdout, stderr, lifeline}
	c.launch = boundary.Launch{
		Args: g.config.argv(), Env: append(env, handshake.LifelineEnv+"="+strconv.Itoa(3)),
		Sockets: valueOf(env, plugin.EnvUnixSocketDir), Stdout: stdout, Stderr: stderr, Lifeline: lifeline, Run: t.run,
	}
	return c, nil
}

// valueOf a variable of an environment.
func valueOf(env []string, name string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

func (*command) closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// abandon frees a command that will not be started.
func (c *command) abandon() {
	c.closeAll(c.theirs...)
	c.closeAll(c.stdout, c.stderr, c.lifeline)
}

// closePipes ends all reading of what the process printed.
func (c *command) closePipes() { c.closeAll(c.stdout, c.stderr) }

// Start launches the process on the long-lived thread and watches for its end.
func (c *command) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd, layers, err := c.box.Start(c.launch)
	c.cmd, c.layers, c.refused = cmd, layers, err
	if err != nil {
		c.abandon()
		c.gone = true
		close(c.exited)
		return ErrStart
	}
	c.closeAll(c.theirs...)
	_, _ = c.lifeline.Write(c.pair) // fits in an empty pipe; whoever did not get it answers nobody
	c.pair = nil
	go c.watch()
	return nil
}

func (c *command) watch() {
	_ = c.cmd.Wait() // how it ended is of no use to a caller; stderr has the story
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // what it may have left behind
	c.box.Sweep()
	_ = c.lifeline.Close()
	close(c.exited)
}

// Wait implements Runner.
func (c *command) Wait(context.Context) error {
	<-c.exited
	return nil
}

// Kill ends the whole process group; a stopped process is no exception.
func (c *command) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil || c.gone {
		return nil
	}
	err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// PID gives the process id; zero before the start.
func (c *command) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return 0
	}
	return c.cmd.Process.Pid
}

// What follows says to go-plugin where things are.

// Stdout carries the handshake.
func (c *command) Stdout() io.ReadCloser { return c.stdout }

// Stderr carries what goes to the log.
func (c *command) Stderr() io.ReadCloser { return c.stderr }

// Name of the program.
func (c *command) Name() string { return c.launch.Args[0] }

// ID is the process id, empty before the start.
func (c *command) ID() string {
	if pid := c.PID(); pid != 0 {
		return strconv.Itoa(pid)
	}
	return ""
}

// Diagnose has nothing to add to standard error.
func (c *command) Diagnose(context.Context) string { return "" }

// errElsewhere means that an adapter says that it listens where it was not told to.
var errElsewhere = errors.New("it says that it listens elsewhere than at a socket in the folder of " + plugin.EnvUnixSocketDir)

// PluginToHost takes no address but that of a socket in the adapter's own folder for it: the
// gateway may reach what the adapter may not, and is not sent there by what that prints.
func (c *command) PluginToHost(network, address string) (string, string, error) {
	info, err := os.Lstat(address)
	if network != "unix" || filepath.Dir(address) != c.launch.Sockets || err != nil || info.Mode().Type() != os.ModeSocket {
		c.refused = errElsewhere
		return "", "", errElsewhere
	}
	return network, address, nil
}

// HostToPlugin leaves addresses as they are.
func (c *command) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
