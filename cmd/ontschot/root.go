package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/directory"
)

// Exit codes.
const (
	exitDone     = 0
	exitNo       = 1 // the answer is no: denied, invalid
	exitUsage    = 2
	exitCannot   = 3 // something could not be reached or run
	exitTampered = 4
)

// errUsage marks a command that was typed wrong.
var errUsage = errors.New("wrong usage")

// run is the whole program as a function, so that tests start the same one.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	stderr = &shared{w: stderr}
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "ontschot: "+explain(err))
	return exitCode(err)
}

// shared lets progress, the gateway's log and every adapter's write to one stderr, a
// line at a time.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ontschot",
		Short: "One integrated care budget out of many laws, with consent, and without a shared database",
		Long: `Ontschot brokers consented data requests between Dutch municipalities (Wmo, Jeugdwet), care
offices (Wlz), UWV, insurers (Zvw) and others, and puts the answers together as one integrated
budget for a person (i-pgb) or a family (i-ggb).

Begin with:  ontschot demo`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(demoCommand(), devCommand(), sandboxCommand(), serveCommand(), budgetCommand(), agreementCommand(), consentCommand(), keysCommand(), directoryCommand(), peerCommand(), auditCommand(), backupCommand(), restoreCommand(), adapterCommand(), benchCommand(), versionCommand())
	return root
}

// group makes a command that only holds others: a word it does not know is wrong usage.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: %s has no command %q; see %s --help", errUsage, c.CommandPath(), args[0], c.CommandPath())
		}
		return c.Help()
	}
	c.AddCommand(commands...)
	return c
}

// noArgs is cobra.NoArgs with an exit code of its own.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %q takes no arguments; see %s --help", errUsage, c.CommandPath(), c.CommandPath())
	}
	return nil
}

func exitCode(err error) int {
	switch {
	case errors.Is(err, audit.ErrTampered), errors.Is(err, audit.ErrDamaged), errors.Is(err, audit.ErrBehind), errors.Is(err, result.ErrMismatch):
		return exitTampered
	case errors.Is(err, audit.ErrWhole):
		return exitNo
	case errors.Is(err, errUsage), strings.HasPrefix(err.Error(), "unknown command"):
		return exitUsage
	case errors.Is(err, casefile.ErrCase), errors.Is(err, config.ErrConfig), errors.Is(err, directory.ErrDirectory), errors.Is(err, errToDo):
		return exitNo
	}
	if strings.HasSuffix(explain(err), "[BUDGET_NOT_AUTHENTIC]") {
		return exitTampered
	}
	switch status.Code(err) {
	case codes.PermissionDenied, codes.InvalidArgument, codes.Unauthenticated, codes.NotFound, codes.FailedPrecondition, codes.ResourceExhausted:
		return exitNo
	}
	return exitCannot
}

// explain words an error of a gateway: what it said, and the reasons with it.
func explain(err error) string {
	s, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	text := "the gateway answers " + s.Code().String() + ": " + s.Message()
	if reason := reasonOf(err); reason != "" {
		text += " [" + reason + "]"
	}
	return text
}

// reasonOf gives the reason that a gateway gave; none when no gateway did.
func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}
