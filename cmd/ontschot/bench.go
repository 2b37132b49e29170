package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ontschot/ontschot/gateway/audit"
	"github.com/ontschot/ontschot/gateway/store/sqlite"
	"github.com/ontschot/ontschot/internal/collector"
	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/dev/bench"
	"github.com/ontschot/ontschot/internal/server"
)

func benchCommand() *cobra.Command {
	conf := bench.Config{}
	var asJSON bool
	var grown []string
	c := &cobra.Command{
		Use:   "bench [--rounds N] [--during TIME] [--clients N,N] [--rate N] [--soak TIME] [--against PROGRAM] [--short]",
		Short: "Measure what a question costs, beside what it must cost",
		Long: `Measure this build on this machine: the same question to a bare gRPC server (direct), to a bare hop
with a policy and two durable records (floor), to a gateway whose adapter answers from memory
(memory), to one whose adapter asks a care office's system over HTTPS (https), and to two gateways
of which the second has the adapter from memory (peers). All of them run as processes of their own, over mutual TLS, in turns; medians are printed. With --against
the gateway of another build has its turns too (another). Only figures of one run
compare: a quiet machine, or more rounds, make them steadier. Linux only.

With --grown it measures something else: gateways from memory whose records hold so many consents,
agreements and entries before anybody asks, each against the first. Making a record takes about a minute for
a million entries, and half a gigabyte in the folder for temporary files.`,
		Example: "  ontschot bench\n  ontschot bench --grown 1000/10/1000,1000000/10/1000000\n  ontschot bench --rounds 5 --rate 200 --soak 60s --json\n  ontschot bench --short --clients 16 --against ./ontschot-before",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if conf.Rounds < 1 || conf.During < 100*time.Millisecond || conf.Rate < 0 || conf.Soak < 0 || slices.ContainsFunc(conf.Clients, func(n int) bool { return n < 1 || n > 256 }) {
				return fmt.Errorf("%w: at least 1 round of 100ms, with 1 to 256 clients; rate and soak are not negative", errUsage)
			}
			begin := time.Now()
			conf.Log = c.ErrOrStderr() // of the parts: what goes wrong
			conf.Say = func(format string, args ...any) {
				fmt.Fprintf(c.ErrOrStderr(), "%5.1f s  %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
			}
			if len(grown) > 0 {
				return benchGrowth(c, conf, grown, asJSON)
			}
			report, err := bench.Run(c.Context(), conf)
			if err != nil {
				return err
			}
			if asJSON {
				return indented(c.OutOrStdout(), report)
			}
			report.Print(c.OutOrStdout())
			return nil
		},
	}
	c.Flags().IntVar(&conf.Rounds, "rounds", 3, "how often each system has its turn under each load")
	c.Flags().DurationVar(&conf.During, "during", 2*time.Second, "how long one turn takes")
	c.Flags().Float64Var(&conf.Rate, "rate", 0, "also ask at this rate a second, whether answered or not")
	c.Flags().DurationVar(&conf.Soak, "soak", 0, "then load one gateway, and two, with 16 clients this long, and see whether they are as before")
	c.Flags().StringSliceVar(&grown, "grown", nil, "measure only records that hold CONSENTS/AGREEMENTS/ENTRIES, the last in all")
	c.Flags().IntSliceVar(&conf.Clients, "clients", []int{1, 16, 64}, "how many ask at once in the closed loop, one load after another")
	c.Flags().StringVar(&conf.Against, "against", "", "also measure the gateway of another build, which is this `PROGRAM`")
	c.Flags().BoolVar(&conf.Short, "short", false, "leave out the care office and the two gateways")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(benchPartCommand())
	return c
}

// benchGrowth measures gateways with records of some sizes.
func benchGrowth(c *cobra.Command, conf bench.Config, texts []string, asJSON bool) error {
	var sizes []bench.Size
	for _, text := range texts {
		var s bench.Size
		_, err := fmt.Sscanf(text, "%d/%d/%d", &s.Consents, &s.Agreements, &s.Entries)
		if err != nil || s.String() != text || s.Consents < 0 || s.Agreements < 0 || s.Consents+s.Agreements > s.Entries {
			return fmt.Errorf("%w: --grown %s: give CONSENTS/AGREEMENTS/ENTRIES, as 1000/10/5000; the entries are no fewer than the others together", errUsage, text)
		}
		sizes = append(sizes, s)
	}
	all, err := bench.Growth(c.Context(), conf, sizes, openLogOf)
	if err != nil {
		return err
	}
	if asJSON {
		return indented(c.OutOrStdout(), all)
	}
	bench.PrintGrowth(c.OutOrStdout(), all)
	return nil
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// openLogOf opens the log of a gateway that does not run.
func openLogOf(ctx context.Context, conf *config.Gateway) (bench.Append, func() error, error) {
	_, own, err := conf.ReadTrust()
	if err != nil {
		return nil, nil, err
	}
	by, err := server.RecordConfig(conf, own)
	if err != nil {
		return nil, nil, err
	}
	store, err := sqlite.Open(ctx, filepath.Join(conf.Path(conf.Data), server.RecordFile))
	if err != nil {
		return nil, nil, err
	}
	by.Store = store
	log, err := audit.Open(ctx, by)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	to := func(ctx context.Context, e audit.Entry) error {
		_, err := log.Append(ctx, e)
		return err
	}
	return to, func() error { log.Close(); return store.Close() }, nil
}

// withoutCalls leaves out the lines of calls, of which a measurement makes thousands. That they
// are made is measured.
type withoutCalls struct{ to io.Writer }

// Write gets a line at a time.
func (w withoutCalls) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(`"msg":"call"`)) {
		return len(line), nil
	}
	return w.to.Write(line)
}

// benchPartCommand runs a process of a measurement.
func benchPartCommand() *cobra.Command {
	var dir, backend string
	c := &cobra.Command{
		Use: "part NAME --dir DIR", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			start := func(ctx context.Context, conf *config.Gateway) (string, func(), error) {
				s, err := server.Start(ctx, conf, withoutCalls{c.ErrOrStderr()})
				if err != nil {
					return "", nil, err
				}
				go collector.Tend(ctx, garbage) // as serve does
				return s.Addr.String(), s.Close, nil
			}
			return bench.Part{Name: args[0], Dir: dir, Backend: backend, Gateway: start}.Run(c.Context(), c.InOrStdin(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "the folder it works in")
	c.Flags().StringVar(&backend, "backend", "", "host:port it asks")
	return c
}
