package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/policy"
	"github.com/ontschot/ontschot/gateway/policy/impact"
	"github.com/ontschot/ontschot/gateway/policy/replay"
	"github.com/ontschot/ontschot/gateway/result"
	"github.com/ontschot/ontschot/gateway/wording"
	"github.com/ontschot/ontschot/internal/approval"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/casefile"
	"github.com/ontschot/ontschot/internal/directory"
	"github.com/ontschot/ontschot/internal/server"
)

// Exit codes.
const (
	exitDone     = 0
	exitNo       = 1 // the answer is no: denied, invalid
	exitUsage    = 2 // typed wrong, or a file that is named is not there
	exitCannot   = 3 // something could not be reached or run
	exitTampered = 4
	exitRules    = 5 // a folder of policies cannot be used: it does not load or compile
	exitStopped  = 130
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
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil && exitCode(err) != exitTampered && !errors.Is(err, errCut): // it was told to end, and did not fail
		fmt.Fprintln(stderr, "ontschot: stopped")
		return exitStopped
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

Begin with:  ontschot demo         a family's budget, played on this machine
             ontschot init --help  a gateway of your own organisation

Exit codes: 0 done, 1 the answer is no, 2 typed wrong or a file is not there, 3 something cannot be reached or run,
4 found tampering, 5 policies that cannot be used, 130 stopped.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(unknownFlag)
	root.Version = version
	root.SetVersionTemplate(versionLine() + "\n")
	root.AddCommand(demoCommand(), initCommand(), configCommand(), trustCommand(), devCommand(), sandboxCommand(), serveCommand(), statusCommand(), budgetCommand(), agreementCommand(), consentCommand(), keysCommand(), directoryCommand(), peerCommand(), auditCommand(), backupCommand(), restoreCommand(), adapterCommand(), policyCommand(), benchCommand(), schemaCommand(), versionCommand())
	return root
}

// group makes a command that only holds others: a word it does not know is wrong usage.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, SuggestionsMinimumDistance: 2}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: %s has no command %q%s; see %s --help", errUsage, c.CommandPath(), args[0], meant(c.SuggestionsFor(args[0])), c.CommandPath())
		}
		return c.Help()
	}
	c.AddCommand(commands...)
	return c
}

// meant says what was probably meant; empty: nothing is near.
func meant(near []string) string {
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, " or "))
}

// unknownFlag words a flag that was typed wrong, with the one that was probably meant.
func unknownFlag(c *cobra.Command, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !unknown {
		return fmt.Errorf("%w: %w; see %s --help", errUsage, err, c.CommandPath())
	}
	best, distance := "", 3
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if d := levenshtein.ComputeDistance(f.Name, name); d < distance {
			best, distance = "--"+f.Name, d
		}
	})
	var near []string
	if best != "" {
		near = append(near, best)
	}
	return fmt.Errorf("%w: %w%s; see %s --help", errUsage, err, meant(near), c.CommandPath())
}

// language is that of texts where --lang does not say it: English where the machine speaks it, else
// Dutch.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if is := os.Getenv(name); is != "" {
			if strings.HasPrefix(is, "en") {
				return "en"
			}
			break
		}
	}
	return "nl"
}

// noArgs is cobra.NoArgs with an exit code of its own.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %q takes no arguments; see %s --help", errUsage, c.CommandPath(), c.CommandPath())
	}
	return nil
}

// saysNo reports whether an error is the answer no, and nothing failed.
func saysNo(err error) bool {
	return slices.ContainsFunc([]error{
		casefile.ErrCase, config.ErrConfig, directory.ErrDirectory, approval.ErrApproval,
		errToDo, errExam, errCases, errProblems, errNoAnswer, errRefused, errNotReproduced, errUnchanged, errNotKept, replay.ErrEntry, replay.ErrOtherwise, errConfigProblems, errNotAccepted,
	}, func(no error) bool { return errors.Is(err, no) })
}

func exitCode(err error) int {
	switch {
	case errors.Is(err, audit.ErrTampered), errors.Is(err, audit.ErrDamaged), errors.Is(err, audit.ErrBehind), errors.Is(err, result.ErrMismatch), errors.Is(err, errCertificate):
		return exitTampered
	case errors.Is(err, audit.ErrWhole):
		return exitNo
	case errors.Is(err, server.ErrNotRunning):
		return exitCannot
	case errors.Is(err, policy.ErrRules), errors.Is(err, wording.ErrTable), errors.Is(err, impact.ErrFactor):
		return exitRules
	case errors.Is(err, errUsage), errors.Is(err, fs.ErrNotExist), strings.HasPrefix(err.Error(), "unknown command"):
		return exitUsage
	case saysNo(err):
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

// hinted is an error of a gateway, with what it means for the command line.
type hinted struct {
	error
	hint string
}

// Unwrap gives the error of the gateway.
func (h *hinted) Unwrap() error { return h.error }

// explain words an error of a gateway: what it said, and the reasons with it.
func explain(err error) string {
	if h := (*hinted)(nil); errors.As(err, &h) {
		return explain(h.error) + "; " + h.hint
	}
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
func reasonOf(err error) string { return infoOf(err).GetReason() }

// fieldOf gives the field of a request that a gateway refused; none when it was no field.
func fieldOf(err error) string { return infoOf(err).GetMetadata()["field"] }

func infoOf(err error) *errdetails.ErrorInfo {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}
