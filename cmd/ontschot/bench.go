package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/bench"
	"github.com/ontschot/ontschot/internal/server"
)

func benchCommand() *cobra.Command {
	conf := bench.Config{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "bench [--rounds N] [--during TIME] [--rate N] [--soak TIME]",
		Short: "Measure what a question costs, beside what it must cost",
		Long: `Measure this build on this machine: the same question to a bare gRPC server (direct), to a bare hop
with a policy and two durable records (floor), to a gateway whose adapter answers from memory
(memory), to one whose adapter asks a care office's system over HTTPS (https), and to two gateways
of which the second has the adapter from memory (peers). All of them run as processes of their own, over mutual TLS, in turns; medians are printed. Only figures of one run
compare: a quiet machine, or more rounds, make them steadier. Linux only.`,
		Example: "  ontschot bench\n  ontschot bench --rounds 5 --rate 200 --soak 60s --json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if conf.Rounds < 1 || conf.During < 100*time.Millisecond || conf.Rate < 0 || conf.Soak < 0 {
				return fmt.Errorf("%w: at least 1 round of 100ms; rate and soak are not negative", errUsage)
			}
			begin := time.Now()
			conf.Log = c.ErrOrStderr() // of the parts: what goes wrong
			conf.Say = func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), "%5.1f s  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
			}
			report, err := bench.Run(c.Context(), conf)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(report)
			}
			report.Print(c.OutOrStdout())
			return nil
		},
	}
	c.Flags().IntVar(&conf.Rounds, "rounds", 3, "how often each system has its turn under each load")
	c.Flags().DurationVar(&conf.During, "during", 2*time.Second, "how long one turn takes")
	c.Flags().Float64Var(&conf.Rate, "rate", 0, "also ask at this rate a second, whether answered or not")
	c.Flags().DurationVar(&conf.Soak, "soak", 0, "then load one gateway, and two, with 16 clients this long, and see whether they are as before")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(benchPartCommand())
	return c
}

// benchPartCommand runs a process of a measurement.
func benchPartCommand() *cobra.Command {
	var dir, backend string
	c := &cobra.Command{
		Use: "part NAME --dir DIR", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			start := func(ctx context.Context, conf *config.Gateway) (string, func(), error) {
				s, err := server.Start(ctx, conf, c.ErrOrStderr())
				if err != nil {
					return "", nil, err
				}
				return s.Addr.String(), s.Close, nil
			}
			return bench.Part{Name: args[0], Dir: dir, Backend: backend, Gateway: start}.Run(c.Context(), c.InOrStdin(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the folder it works in")
	c.Flags().StringVar(&backend, "backend", "", "host:port it asks")
	return c
}
