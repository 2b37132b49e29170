package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/adapters"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/bench"
	"github.com/ontschot/ontschot/internal/server"
	"github.com/ontschot/ontschot/internal/setup"
)

func configCommand() *cobra.Command {
	return group("config", "Look at a configuration before a gateway starts with it", configCheckCommand())
}

// errConfigProblems is the no of "config check".
var errConfigProblems = errors.New("a gateway does not start with this")

func configCheckCommand() *cobra.Command {
	var path, format string
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Say everything that is wrong with a configuration and the files that it names",
		Long: `Read gateway.yaml and every file that it names: trust file, keys, certificates and whether they belong together
and to the OIN, policies, the configuration of adapters, folders, limits and whether this process may open files
enough for them, and who on this machine can read or change what. Everything
that is wrong is said at once, with file, line, column and what to do; and what a gateway would listen on. Nothing is started,
connected or written. Exit code 1 when a gateway does not start with it; warnings are no reason.`,
		Example: "  ontschot config check --config gateway.yaml\n  ontschot config check --config gateway.yaml --format json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%w: %s: there is no such file; make a first one with: ontschot init: %w", config.ErrConfig, path, fs.ErrNotExist)
			}
			known := referenceAdapters()
			maps.Copy(known, genericAdapters())
			known[bench.Memory] = bench.NewMemory
			report := checker(known).Check(c.Context(), path)
			return printReport(c, report, format)
		},
	}
	c.Flags().StringVar(&path, "config", "gateway.yaml", "the gateway's configuration, YAML")
	c.Flags().StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

// checkFormat is for commands that print a table or JSON.
func checkFormat(format string) error {
	if format != "table" && format != "json" {
		return fmt.Errorf("%w: --format is table or json", errUsage)
	}
	return nil
}

func printReport(c *cobra.Command, r setup.Report, format string) error {
	w := c.OutOrStdout()
	if r.Problems == nil {
		r.Problems = []config.Problem{}
	}
	if format == "json" {
		if err := json.NewEncoder(w).Encode(struct {
			Starts bool `json:"starts"`
			setup.Report
		}{!r.Broken(), r}); err != nil {
			return err
		}
	} else {
		wrong := 0
		for _, p := range r.Problems {
			mark := "warning: "
			if !p.Warning {
				wrong, mark = wrong+1, ""
			}
			fmt.Fprintln(w, mark+p.String())
		}
		for _, l := range r.Listens {
			fmt.Fprintf(w, "listens on %s (%s)\n", l.Address, l.Key)
		}
		if r.Policy != "" {
			fmt.Fprintf(w, "policy %.12s\n", r.Policy)
		}
		if r.Until != "" {
			fmt.Fprintf(w, "certificate until %s\n", r.Until)
		}
		if wrong == 0 {
			fmt.Fprintln(w, "In order: a gateway starts with this.")
		}
	}
	if r.Broken() {
		return errConfigProblems
	}
	return nil
}

// checker looks at files as a gateway would, without starting one.
func checker(known map[string]func() adapters.Adapter) setup.Checker {
	return setup.Checker{
		Adapters: known, Policies: server.CheckPolicies, Limits: server.CheckLimits, Now: time.Now(),
		LogKey: func(c *config.Gateway) error { _, err := server.LogKey(c); return err },
		PinnedLogKey: func(c *config.Gateway, own config.Organisation) error {
			_, err := server.RecordConfig(c, own)
			return err
		},
	}
}
