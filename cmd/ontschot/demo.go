package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/casefile"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/testfamily"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
)

func demoCommand() *cobra.Command {
	var out output
	var name, keep string
	c := &cobra.Command{
		Use:   "demo [--case CASE]",
		Short: "Play a family's case from start to finish",
		Long: `Play a case from start to finish: make keys and certificates, start the parties' own systems, a
gateway with an adapter process for each party, sign the agreements and consents, ask for the
integrated budget, verify its signature and receipt, and print it. Everything is real but the people.

Nothing is left behind, unless --keep names a folder.`,
		Example: "  ontschot demo\n  ontschot demo --case woerden --format json | jq .totals\n  ontschot demo --case FILE --keep DIR",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			cf, err := casefile.Open(name)
			if err != nil {
				return err
			}
			b, err := demo(c.Context(), cf, name, keep, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if err := out.print(c.OutOrStdout(), cf, b); err != nil {
				return err
			}
			if keep != "" {
				fmt.Fprintf(c.ErrOrStderr(), "\nEverything is in %s. %s", keep, handSteps(keep))
			}
			return nil
		},
	}
	c.Flags().StringVar(&name, "case", "meppel", caseHelp)
	c.Flags().StringVar(&keep, "keep", "", "leave everything that was made in this folder, and say how to go on by hand")
	out.flags(c)
	return c
}

// demo plays a case and gives the verified budget.
func demo(ctx context.Context, cf *casefile.Case, name, keep string, stderr io.Writer) (*budgetv1.Budget, error) {
	begin := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5d ms  %s\n", time.Since(begin).Milliseconds(), fmt.Sprintf(format, args...))
	}
	f, dir, err := demoFolder(cf, name, keep)
	if err != nil {
		return nil, err
	}
	if keep == "" {
		defer os.RemoveAll(dir)
	}
	say("keys, certificates, %d agreements and %d consents signed", len(cf.Parties)-1, len(cf.Consents))
	box, err := startSandbox(cf, dir, nil, io.Discard)
	if err != nil {
		return nil, err
	}
	defer box.Close()
	say("the parties' own systems answer on loopback")
	conf, err := config.ReadGateway(dir + "/gateway.yaml")
	if err != nil {
		return nil, err
	}
	s, err := startServer(ctx, conf, stderr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	say("%s", s)
	cl, err := dial(dir+"/client.yaml", func() (string, error) { return f.Token(time.Now(), nil) })
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	b, err := cl.AssembleBudget(ctx, requestOf(cf), progressTo(stderr))
	if err != nil {
		return nil, err
	}
	say("budget received; signature and receipt verified")
	return b, nil
}

// demoFolder makes the folder that a gateway reads. Without keep it holds no case
// and goes when the demo ends.
func demoFolder(cf *casefile.Case, name, keep string) (*testfamily.Family, string, error) {
	if keep != "" {
		f, err := makeFolder(cf, name, keep)
		return f, keep, err
	}
	dir, err := os.MkdirTemp("", "ontschot-demo-")
	if err != nil {
		return nil, "", err
	}
	f, err := makeFolderWithoutCase(cf, dir)
	return f, dir, err
}
