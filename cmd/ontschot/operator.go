package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/status"

	"github.com/ontschot/ontschot/internal/config"
	"github.com/ontschot/ontschot/internal/server"
	budgetv1 "github.com/ontschot/ontschot/proto/ontschot/budget/v1"
	ontschotv1 "github.com/ontschot/ontschot/proto/ontschot/v1"
)

// operated is a command to the gateway that runs with a configuration on this machine.
func operated(c *cobra.Command, do func(*cobra.Command, []string, ontschotv1.OperatorServiceClient) error) *cobra.Command {
	var path string
	c.Flags().StringVar(&path, "config", "gateway.yaml", "your gateway's configuration, YAML")
	c.RunE = func(c *cobra.Command, args []string) error {
		conf, err := config.ReadGateway(path)
		if err != nil {
			return err
		}
		client, end, err := server.DialOperator(conf)
		if err != nil {
			return err
		}
		defer end()
		return do(c, args, client)
	}
	return c
}

func adapterStatusCommand() *cobra.Command {
	var probe bool
	var format string
	c := operated(&cobra.Command{
		Use:   "status",
		Short: "Say how every adapter of a running gateway stands",
		Long: `Say how every adapter of a running gateway stands: what it says of itself, its state and since when,
its questions, and what keeps it from the gateway and from other adapters. Run it as the user of the gateway.
Exit code 1 when one is not ready.`,
		Example: "  ontschot adapter status --config gateway.yaml\n  ontschot adapter status --probe --format json",
		Args:    noArgs,
	}, func(c *cobra.Command, _ []string, client ontschotv1.OperatorServiceClient) error {
		if format != "table" && format != "json" {
			return fmt.Errorf("%w: --format is table or json", errUsage)
		}
		answer, err := client.ListAdapters(c.Context(), &ontschotv1.ListAdaptersRequest{Probe: probe})
		if err != nil {
			return err
		}
		if format == "json" {
			return printOperator(c.OutOrStdout(), answer)
		}
		return printAdapters(c.OutOrStdout(), answer.GetAdapters())
	})
	c.Flags().BoolVar(&probe, "probe", false, "have each reach its system now, about nobody who exists")
	c.Flags().StringVar(&format, "format", "table", "table, or json: exactly one object on stdout")
	return c
}

// printAdapters prints a line for each, and what is to be done about those that lack something.
func printAdapters(w io.Writer, all []*ontschotv1.AdapterStatus) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PARTY\tADAPTER\tSTATE\tSINCE\tPID\tSTARTS\tQUESTIONS\tFAILED\tNOW\tSYSTEM")
	well := true
	for _, a := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", a.GetParty(), strings.TrimSpace(a.GetId()+" "+a.GetVersion()), a.GetState(),
			a.GetSince().AsTime().Local().Format(time.DateTime), a.GetPid(), a.GetStarts(), a.GetCalls(), a.GetFailed(), a.GetInFlight(), a.GetProbe())
		well = well && a.GetState() == "ready" && (a.GetProbe() == "" || a.GetProbe() == budgetv1.StatusOK)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, a := range all {
		if a.GetWhy() != "" {
			fmt.Fprintf(w, "%s: %s\n", a.GetParty(), a.GetWhy())
		}
		if len(a.GetLacks()) > 0 {
			fmt.Fprintf(w, "%s: may be asked for %s, and has none of it\n", a.GetParty(), strings.Join(a.GetLacks(), ", "))
		}
		for _, l := range a.GetLayers() {
			if !l.GetActive() {
				fmt.Fprintf(w, "%s: boundary %s is missing: %s\n", a.GetParty(), l.GetName(), l.GetWhy())
			}
		}
	}
	if !well {
		return errToDo
	}
	return nil
}

func adapterReloadCommand() *cobra.Command {
	var rollback bool
	var say reply
	c := operated(&cobra.Command{
		Use:   "reload PARTY",
		Short: "Have a new process of an adapter take over, with what the configuration says now",
		Long: `Have a new process of an adapter take over from the one that runs, with what gateway.yaml and the files
it names say now. No question fails; a new one that does not start changes nothing. It lifts a quarantine.
--rollback goes back to what the last reload replaced.`,
		Example: "  ontschot adapter reload UWV --config gateway.yaml\n  ontschot adapter reload UWV --rollback",
		Args:    oneArg("a party code"),
	}, func(c *cobra.Command, args []string, client ontschotv1.OperatorServiceClient) error {
		answer, err := client.ReloadAdapter(c.Context(), &ontschotv1.ReloadAdapterRequest{Party: args[0], Rollback: rollback})
		if err != nil {
			return fmt.Errorf("%w: %s; the one that ran goes on", errToDo, status.Convert(err).Message())
		}
		if say.format == "json" {
			return printOperator(c.OutOrStdout(), answer)
		}
		return printAdapters(c.OutOrStdout(), []*ontschotv1.AdapterStatus{answer.GetAdapter()})
	})
	say.flags(c)
	c.Flags().BoolVar(&rollback, "rollback", false, "go back to what the last reload replaced")
	return c
}

func adapterLogsCommand() *cobra.Command {
	return operated(&cobra.Command{
		Use:     "logs PARTY",
		Short:   "Print the last that an adapter of a running gateway wrote",
		Example: "  ontschot adapter logs UWV --config gateway.yaml",
		Args:    oneArg("a party code"),
	}, func(c *cobra.Command, args []string, client ontschotv1.OperatorServiceClient) error {
		answer, err := client.AdapterLog(c.Context(), &ontschotv1.AdapterLogRequest{Party: args[0]})
		if err != nil {
			return err
		}
		if answer.GetDropped() > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "%d bytes before this were not kept\n", answer.GetDropped())
		}
		_, err = io.WriteString(c.OutOrStdout(), answer.GetText())
		return err
	})
}
