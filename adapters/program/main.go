// Package program answers: what can an agency do with the program of its adapter? It is the
// whole of a main function: the plugin of a gateway, a server at the agency, and the tool of
// who makes the adapter or deploys it.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/handshake"
)

// Main is the whole main function of an adapter's program. Without arguments it is the
// adapter of the gateway that started it; with them it is a tool for who makes or deploys
// it:
//
//	serve -c FILE [--listen HOST:PORT]   serve gateways over TCP with mutual TLS
//	describe                             print what the adapter says of itself, as JSON
//	validate -c FILE                     say what is wrong with a configuration
//	fetch -c FILE --synthetic [NUMBER]   ask the system about a person who does not exist
//	exam -c FILE --persons FILE          have this program examined: see package exam
//
// Every mode ends with 0 when all is well, 1 when something is wrong, and 2 when it was
// asked wrongly.
func Main(make func() adapters.Adapter) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second one ends it at once
	if started() && len(os.Args) < 2 {
		stop() // as a plugin, signals are the host's
		adapters.Serve(make())
		return
	}
	err := Run(ctx, make, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, ErrUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "adapter:", err)
		os.Exit(1)
	}
}

// started reports whether a gateway started this process.
func started() bool {
	return os.Getenv(handshake.Config().MagicCookieKey) == handshake.Config().MagicCookieValue
}

// program is what Run does.
type program struct {
	make     func() adapters.Adapter
	out, err io.Writer
}

// ErrUsage means that a program was asked wrongly; what was wrong has been printed.
var ErrUsage = errors.New("an adapter was asked wrongly")

const usage = `This is an adapter: it asks one system of one agency on behalf of gateways.
Dit is een adapter: hij vraagt voor gateways aan één systeem van één organisatie.

  (no arguments)                       started by a gateway, as its plugin
  serve -c FILE [--listen HOST:PORT]   serve gateways over TCP with mutual TLS
  describe                             what the adapter says of itself, as JSON
  validate -c FILE                     what is wrong with a configuration
  fetch -c FILE --synthetic [NUMBER]   ask the system about a person who does not exist
  exam -c FILE --persons FILE          have this program examined
`

// Run is one of the modes of Main, but that of a plugin. Its errors hold nothing that looks
// like a BSN.
func Run(ctx context.Context, make func() adapters.Adapter, args []string, out, err io.Writer) error {
	p := program{make: make, out: out, err: err}
	modes := map[string]func(context.Context, []string) error{
		"serve": p.serve, "describe": p.describe, "validate": p.validate, "fetch": p.fetch, "exam": p.exam,
	}
	if len(args) == 0 || modes[args[0]] == nil {
		fmt.Fprint(p.err, usage)
		return ErrUsage
	}
	failed := modes[args[0]](ctx, args[1:])
	if failed == nil || errors.Is(failed, ErrUsage) {
		return failed
	}
	return errors.New(string(adapters.Mask([]byte(failed.Error()))))
}

// flags reads those of a mode into what define has bound.
func (p program) flags(mode string, args []string, define func(*flag.FlagSet)) error {
	set := flag.NewFlagSet(mode, flag.ContinueOnError)
	set.SetOutput(p.err)
	define(set)
	if err := set.Parse(args); err != nil {
		return ErrUsage
	}
	if set.NArg() > 0 {
		fmt.Fprintf(p.err, "%s: %q is one argument too many\n", mode, set.Arg(0))
		return ErrUsage
	}
	return nil
}
