package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/cak"
	"github.com/ontschot/ontschot/adapters/careoffice"
	"github.com/ontschot/ontschot/adapters/csv"
	"github.com/ontschot/ontschot/adapters/education"
	"github.com/ontschot/ontschot/adapters/graphql"
	"github.com/ontschot/ontschot/adapters/insurer"
	"github.com/ontschot/ontschot/adapters/municipality"
	"github.com/ontschot/ontschot/adapters/program"
	"github.com/ontschot/ontschot/adapters/rest"
	"github.com/ontschot/ontschot/adapters/soap"
	"github.com/ontschot/ontschot/adapters/sql"
	"github.com/ontschot/ontschot/adapters/svb"
	"github.com/ontschot/ontschot/adapters/transport"
	"github.com/ontschot/ontschot/adapters/uwv"
	"github.com/ontschot/ontschot/internal/dev/bench"
)

// referenceAdapters are compiled into the program and run as processes of their own.
func referenceAdapters() map[string]func() adapters.Adapter {
	return map[string]func() adapters.Adapter{
		"municipality": municipality.New, "careoffice": careoffice.New, "uwv": uwv.New, "insurer": insurer.New,
		"svb": svb.New, "cak": cak.New, "education": education.New, "transport": transport.New,
	}
}

// genericAdapters have a mapping in their configuration.
func genericAdapters() map[string]func() adapters.Adapter {
	none := func(kind func([]byte) adapters.Adapter) func() adapters.Adapter {
		return func() adapters.Adapter { return kind(nil) }
	}
	return map[string]func() adapters.Adapter{
		"rest": none(rest.New), "graphql": none(graphql.New), "soap": none(soap.New), "sql": none(sql.New), "csv": none(csv.New),
	}
}

func adapterCommand() *cobra.Command {
	kinds := slices.Concat(slices.Sorted(maps.Keys(referenceAdapters())), slices.Sorted(maps.Keys(genericAdapters())))
	return group("adapter", "Adapters: how they stand, and one that runs", adapterStatusCommand(), adapterReloadCommand(), adapterLogsCommand(),
		adapterNewCommand(), adapterExamCommand(), adapterSignCommand(), adapterTrustCommand(), &cobra.Command{
			Use:   "run KIND [MODE ...]",
			Short: "Run one of our adapters: as a plugin process, or in a mode of its own",
			Long: fmt.Sprintf(`Run one of our adapters %v. Without a mode it is a plugin process: a gateway starts it so,
and started by hand it says so and ends; it reads no file then, configuration and secrets come from the gateway.
With one it is the program that an agency runs itself: serve, describe, validate, fetch, exam.`, kinds),
			Example:            "  ontschot adapter run municipality describe\n  ontschot adapter run uwv serve -c adapter.yaml --listen 0.0.0.0:8444",
			DisableFlagParsing: true, // what follows KIND is the adapter's
			RunE: func(c *cobra.Command, args []string) error {
				known := referenceAdapters()
				maps.Copy(known, genericAdapters())
				known[bench.Memory] = bench.NewMemory // of which a gateway that is not for development wants nothing
				switch {
				case len(args) > 0 && (args[0] == "--help" || args[0] == "-h"):
					return c.Help()
				case len(args) == 0 || known[args[0]] == nil:
					return fmt.Errorf("%w: name one adapter of %v", errUsage, kinds)
				case len(args) == 1:
					adapters.Serve(known[args[0]]())
					return nil
				}
				err := program.Run(c.Context(), known[args[0]], args[1:], c.OutOrStdout(), c.ErrOrStderr())
				if errors.Is(err, program.ErrUsage) {
					return fmt.Errorf("%w: %w", errUsage, err)
				}
				return err
			},
		})
}
