package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/scaffold"
)

func adapterNewCommand() *cobra.Command {
	var o scaffold.Options
	c := &cobra.Command{
		Use:   "new --kind KIND --agency NAME [--party CODE --law LAW --dir DIR --module PATH --replace CHECKOUT]",
		Short: "Make the folder of an adapter of your own, which works at once (agency)",
		Long: fmt.Sprintf(`Make a folder with an adapter of your own: a Go module with a program, a mapping of your records, people who do not
exist, and tests that hold the mapping and the exam. Kinds of source: %s. Laws: %s. It works at
once; then you make the mapping that of your system. Nothing is written over.

The kit comes from the version that this program is. With --replace it comes from a checkout.`, strings.Join(scaffold.Kinds(), ", "), strings.Join(scaffold.Laws(), ", ")),
		Example: "  ontschot adapter new --kind csv --agency \"Zorgkantoor Drenthe\" --party ZK5503 --law WLZ --dir adapter\n" +
			"  ontschot adapter new --kind sql --agency \"Gemeente Utrecht\" --module git.utrecht.example/ontschot",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if info, ok := debug.ReadBuildInfo(); ok {
				o.Version = info.Main.Version
			}
			names, err := scaffold.Write(o)
			if errors.Is(err, scaffold.ErrInput) {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if err != nil {
				return err
			}
			return printMade(c.OutOrStdout(), names, o.Replace == "")
		},
	}
	f := c.Flags()
	f.StringVar(&o.Kind, "kind", "", "what your source is: "+strings.Join(scaffold.Kinds(), ", "))
	f.StringVar(&o.Agency, "agency", "", "the name of your organisation")
	f.StringVar(&o.Party, "party", "", "its code in a gateway, for example GM0193; default: one that nobody has")
	f.StringVar(&o.Law, "law", "", "the law that it tells of; default "+scaffold.Laws()[0])
	f.StringVar(&o.Dir, "dir", "", "the folder to make; default: after the agency")
	f.StringVar(&o.Module, "module", "", "path of the Go module; default: one that nobody has")
	f.StringVar(&o.Replace, "replace", "", "a checkout of this program to take the kit from")
	return c
}

// printMade says what was made and how to go on.
func printMade(w io.Writer, names []string, published bool) error {
	for _, name := range names {
		if _, err := fmt.Fprintln(w, " ", filepath.FromSlash(name)); err != nil {
			return err
		}
	}
	tidy := ""
	if published {
		tidy = "  go mod tidy\n"
	}
	_, err := fmt.Fprintln(w, `Klaar. Ga verder in die map / made; go on in that folder:
`+tidy+`  go test ./...
  go build -o ontschot-adapter .
README.md zegt wat daarna komt / says what comes then.`)
	return err
}
