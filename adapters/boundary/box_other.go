//go:build !linux

package boundary

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/ontschot/ontschot/adapters/boundary/stage"
)

// Box is the boundary of one adapter, for each of its processes in turn. On this system it
// is little: use Linux in production.
type Box struct {
	profile Profile
	program *Program
}

// New prepares it. Errors: ErrFloor.
func New(_ string, p Profile, program *Program, _ string) (*Box, error) {
	p, err := p.complete()
	return &Box{p, program}, err
}

// End frees it.
func (b *Box) End() { b.program.Close() }

// Sweep ends what a process left behind; its group is the caller's to end.
func (b *Box) Sweep() {}

// Start starts the program. Errors: ErrFloor, ErrProgram.
func (b *Box) Start(l Launch) (*exec.Cmd, []Layer, error) {
	layers := known([]stage.Finding{{Name: stage.Environment, Active: true}, {Name: stage.Log, Active: true}})
	for i := range layers {
		if !layers[i].Active {
			layers[i].Why = "only on Linux"
		}
	}
	if missing := below(b.profile.Floor, layers); missing != nil {
		return nil, layers, missing
	}
	path := b.program.path
	if b.program.self {
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, layers, fmt.Errorf("%w: %w", ErrProgram, err)
		}
	}
	cmd := &exec.Cmd{
		Path: path, Args: l.Args, Env: l.Env, Stdout: l.Stdout, Stderr: l.Stderr, ExtraFiles: []*os.File{l.Lifeline},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	var err error
	l.Run(func() { err = cmd.Start() })
	if err != nil {
		return nil, layers, fmt.Errorf("%w: %w", ErrProgram, err)
	}
	return cmd, layers, nil
}

// sealed is a copy that nobody else opens; the path is still what is executed here.
func sealed(from io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", filepath.Base("adapter"))
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	if _, err := io.Copy(f, io.LimitReader(from, MostProgram+1)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
