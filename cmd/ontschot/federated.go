package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ontschot/ontschot/internal/dev/family"
)

// announced is how the line begins with which a gateway says that it serves.
const announced = "ontschot: gateway of "

// How long a gateway may take to start, on a machine that is busy with all of them, and to end
// after it was told to.
const (
	toStart = time.Minute
	toEnd   = 20 * time.Second
)

// processes are the gateways of a case, each a process of its own, by party code.
type processes map[string]*process

// process is one gateway that runs as a child of this program.
type process struct {
	command *exec.Cmd
	cancel  context.CancelFunc // tells it to end, and ends it when it does not
	ready   chan struct{}      // closed when it serves
	ended   chan struct{}      // closed when it is gone
	err     error              // why; to be read when ended is closed
}

// startProcesses starts the gateway of every organisation of a folder that was written
// federated, all at once, and waits until they serve. Whatever was started is ended again when
// one does not start.
func startProcesses(ctx context.Context, f *family.Family, dir string, stderr io.Writer) (processes, error) {
	all := processes{}
	for _, p := range f.Case.Parties {
		one, err := startProcess(ctx, p.Code, filepath.Join(dir, f.FolderOf(p.Code), "gateway.yaml"), stderr)
		if err != nil {
			all.close()
			return nil, err
		}
		all[p.Code] = one
	}
	late := time.After(toStart)
	for code, one := range all {
		var err error
		select {
		case <-one.ready:
			continue
		case <-one.ended:
			err = fmt.Errorf("the gateway of %s did not start: %w", code, errors.Join(one.err, ctx.Err()))
		case <-late:
			err = fmt.Errorf("the gateway of %s did not start within %s", code, toStart)
		}
		all.close()
		return nil, err
	}
	return all, nil
}

// startProcess starts "ontschot serve" with this very program.
func startProcess(ctx context.Context, code, conf string, stderr io.Writer) (*process, error) {
	return startSelf(ctx, code, stderr, "serve", "--attached", "--quiet", "--config", conf)
}

// startSelf starts this very program as a gateway, which ends with us: also when we are killed,
// for its standard input is a pipe of ours. What it writes goes to stderr, a line at a time, each
// behind the code of the party.
func startSelf(ctx context.Context, code string, stderr io.Writer, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, self, args...)
	one := &process{command: c, cancel: cancel, ready: make(chan struct{}), ended: make(chan struct{})}
	c.Args[0] = "ontschot"
	if _, err := c.StdinPipe(); err != nil { // closed by Wait, or by the system when we are gone
		cancel()
		return nil, err
	}
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(syscall.SIGTERM) }, toEnd
	said := &prefixed{w: stderr, prefix: code, ready: sync.OnceFunc(func() { close(one.ready) })}
	c.Stdout, c.Stderr = said, said
	if err := c.Start(); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		one.err = c.Wait()
		cancel()
		close(one.ended)
	}()
	return one, nil
}

// stop ends a gateway and waits until it is gone.
func (p *process) stop() {
	p.cancel()
	<-p.ended
}

// close ends all of them.
func (all processes) close() {
	var wait sync.WaitGroup
	for _, one := range all {
		wait.Go(one.stop)
	}
	wait.Wait()
}

// prefixed writes whole lines, each behind a prefix, and looks for the one that says that the
// gateway serves. One goroutine at a time writes to it: os/exec sees to that.
type prefixed struct {
	w      io.Writer
	prefix string
	ready  func()
	rest   []byte
}

// Write never fails: a gateway does not end because nobody reads what it says.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		line, rest, whole := bytes.Cut(p.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		fmt.Fprintf(p.w, "%10s  %s\n", p.prefix, line)
		if strings.HasPrefix(string(line), announced) {
			p.ready()
		}
		p.rest = rest
	}
}
