package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/adapters/cak"
	"github.com/ontschot/ontschot/adapters/careoffice"
	"github.com/ontschot/ontschot/adapters/education"
	"github.com/ontschot/ontschot/adapters/insurer"
	"github.com/ontschot/ontschot/adapters/municipality"
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

func adapterCommand() *cobra.Command {
	kinds := slices.Sorted(maps.Keys(referenceAdapters()))
	return group("adapter", "Run an adapter (a gateway does this itself)", &cobra.Command{
		Use:   "run KIND",
		Short: "Run an adapter as a plugin process",
		Long: fmt.Sprintf(`Run one of the reference adapters %v as a plugin process. A gateway starts it so; started by
hand it says so and ends. It reads no file: configuration and secrets come from the gateway.`, kinds),
		Example: "  ontschot adapter run municipality",
		RunE: func(_ *cobra.Command, args []string) error {
			known := referenceAdapters()
			known[bench.Memory] = bench.NewMemory // of which a gateway that is not for development wants nothing
			if len(args) != 1 || known[args[0]] == nil {
				return fmt.Errorf("%w: name one adapter of %v", errUsage, kinds)
			}
			adapters.Serve(known[args[0]]())
			return nil
		},
	})
}
