package register_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/register"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/civil"
)

// keeping is the argument that makes the test binary a process that writes an audit log.
const keeping = "keep-a-record"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == keeping {
		keep()
		return
	}
	os.Exit(m.Run())
}

// request is what such a process is asked, one at a time.
type request struct {
	// Do is what is to be done: recover, or open first and close last, and between these
	// append, erase and copy.
	Do     string
	Day    civil.Date
	Place  place       // to open and recover
	Entry  audit.Entry // to append and erase
	CopyTo string      // to copy, and to close with a copy made; else empty
}

// place is where an audit log is, and the key that signs it.
type place struct{ Path, Head, Secret string }

// answer to a request. Refusal is the text of one of refusals, Failure that of any other
// error.
type answer struct {
	Proof            audit.Proof // of an erasure the index alone
	Refusal, Failure string
	Register         []byte // as the process has it by now; nil when nothing is open
}

// refusals are why an entry may not be appended; no other error is an answer to one.
func refusals() []error {
	return []error{
		register.ErrEnded, register.ErrNoDocument, register.ErrConflict, register.ErrReplaced, register.ErrSaysLess,
		register.ErrKeyState, register.ErrNotWaiting, register.ErrRefused,
	}
}

// process writes an audit log.
type process struct {
	config audit.Config
	day    atomic.Int32
	store  *sqlite.Store
	log    *audit.Log
}

// keep answers requests on stdin until there is no more of it; then the process ends at
// once, whatever it is doing: who asks is gone.
func keep() {
	requests := make(chan request)
	go func() {
		in := gob.NewDecoder(os.Stdin)
		for {
			var q request
			err := in.Decode(&q)
			if errors.Is(err, io.EOF) {
				os.Exit(0)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "reading a request:", err)
				os.Exit(1)
			}
			requests <- q
		}
	}()
	p, out := &process{}, gob.NewEncoder(os.Stdout)
	for q := range requests {
		if err := out.Encode(p.answer(q)); err != nil {
			fmt.Fprintln(os.Stderr, "writing an answer:", err)
			os.Exit(1)
		}
	}
}

func (p *process) answer(q request) (a answer) {
	p.day.Store(int32(q.Day))
	var err error
	a.Proof, err = p.do(context.Background(), q)
	if i := slices.IndexFunc(refusals(), func(refusal error) bool { return errors.Is(err, refusal) }); i >= 0 {
		a.Refusal = refusals()[i].Error()
	} else if err != nil {
		a.Failure = err.Error()
		fmt.Fprintln(os.Stderr, q.Do+":", err) // a kill hits the same place once: it may not be shown again
	}
	if p.log != nil {
		a.Register = p.log.Register().Encode()
	}
	return a
}

func (p *process) do(ctx context.Context, q request) (proof audit.Proof, err error) {
	switch q.Do {
	case "open":
		if err := p.open(ctx, q.Place); err != nil {
			return proof, err
		}
		p.log, err = audit.Open(ctx, p.config)
	case "recover":
		if err := p.open(ctx, q.Place); err != nil {
			return proof, err
		}
		err = p.recover(ctx)
	case "append":
		return p.log.Append(ctx, q.Entry)
	case "erase":
		var erased audit.Erased
		erased, err = p.log.Erase(ctx, q.Entry)
		proof.Index = erased.Index
	case "copy":
		err = p.store.Copy(ctx, q.CopyTo)
	case "close":
		p.log.Close() // it may write down a snapshot after its last entry
		if q.CopyTo != "" {
			err = p.store.Copy(ctx, q.CopyTo)
		}
		err = errors.Join(err, p.store.Close())
	default:
		err = fmt.Errorf("nobody can %s", q.Do)
	}
	return proof, err
}

func (p *process) open(ctx context.Context, at place) error {
	key, err := audit.ParseKey(at.Secret)
	if err != nil {
		return err
	}
	p.store, err = sqlite.Open(ctx, at.Path)
	p.config = audit.Config{
		Store: p.store, Origin: key.Verifier.Name(), Tenant: keeper, Key: key, SnapshotEvery: 5, Head: &audit.HeadFile{Path: at.Head},
		Today: func() civil.Date { return civil.Date(p.day.Load()) },
	}
	return err
}

// recover is what the operator does after a loss; when the log is whole, the head is
// lost too.
func (p *process) recover(ctx context.Context) error {
	_, err := audit.Recover(ctx, p.config, 0)
	if errors.Is(err, audit.ErrWhole) {
		if err := os.Remove(p.config.Head.Path); err != nil {
			return err
		}
		_, err = audit.Recover(ctx, p.config, 0)
	}
	return err
}

// child is such a process from without.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	in    *gob.Encoder
	out   *gob.Decoder
}

func startChild() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, keeping)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &child{cmd, stdin, gob.NewEncoder(stdin), gob.NewDecoder(stdout)}, cmd.Start()
}

func (c *child) ask(q request) (a answer, err error) {
	if err := c.in.Encode(q); err != nil {
		return a, err
	}
	return a, c.out.Decode(&a)
}

// end waits until the process ends by itself, with nothing wrong.
func (c *child) end() error { return errors.Join(c.stdin.Close(), c.cmd.Wait()) }

// kill ends it where it is; one that has ended already stays as it is.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
